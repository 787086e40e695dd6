"""From what somebody is called to the tokens that records carry.

A token is a keyed hash of an entity and a normalized value, so a value is looked up under every entity it may have
been stored as: what the detector calls it standing alone, which is what a declared ``Subject`` of that value got, and
every kind that records of the tenant carry, since some only the text around them tells (an MRN is a number behind the
letters "MRN"). Normalization is the one of detection: letter case, white space and invisible characters do not matter,
nor punctuation in numbers.

``sure``      identifies one person: an e-mail address, a phone number, a customer id.
``shared``    may be several people's: a name, a place, a date, an address. Such a match only proposes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from securevec import limits
from securevec.anonymize import Anonymizer, first_token, subject_token
from securevec.audit import keyed_ref
from securevec.errors import LimitExceeded, UsageError
from securevec.state.runtime import Runtime
from securevec.text import utf8_size
from securevec.types import TenantId, Token

SHARED: Final = frozenset(
    ["PERSON", "LOCATION", "ADDRESS", "POSTCODE", "ORG", "VAT_ID", "EIN", "DATE", "DATE_OF_BIRTH", "CARD_EXPIRY"]
).union(["BIC", "ROUTING_NUMBER", "SORT_CODE", "IP", "URL"])
"""Entities whose values are several people's. Every other one is taken for an identifier."""


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """One value: what it is, and its tokens with the entity each belongs to. ``first`` is its token under the first
    version of the tenant's token key, which the audit log and receipts refer to it by, whatever versions follow."""

    entity: str
    first: Token
    sure: Mapping[Token, str]
    shared: Mapping[Token, str]

    @property
    def tokens(self) -> dict[Token, str]:
        return {**self.sure, **self.shared}

    def __repr__(self) -> str:
        return f"Identifier({self.entity})"


def identify(runtime: Runtime, tenant: TenantId, values: Sequence[str]) -> list[Identifier]:
    """The tokens of each value in this tenant, in order.

    A token is listed when it is what the value is by itself, or when records of the tenant carried it.

    Raises :class:`UsageError` (no value, or one that is no text), :class:`LimitExceeded` (more than
    ``MAX_IDENTIFIERS``, or one above ``MAX_ID_BYTES``), :class:`KeyDestroyed`, :class:`DetectorError`.
    """
    _check(values)
    keys = runtime.tenant_keys(tenant)
    anonymizer = Anonymizer(detector=runtime.detector())
    kinds = runtime.control.token_entities(tenant)
    own = [anonymizer.subject_entity(value) for value in values]
    tokens = [
        {subject_token(keys, entity, value): entity for entity in kinds | {alone}}
        for alone, value in zip(own, values, strict=True)
    ]
    known = runtime.control.known_tokens(tenant, list(dict.fromkeys(token for part in tokens for token in part)))
    found: list[Identifier] = []
    for alone, value, part in zip(own, values, tokens, strict=True):
        listed = {token: entity for token, entity in part.items() if entity == alone or known.get(token) == entity}
        found.append(
            Identifier(
                entity=alone,
                first=first_token(keys, alone, value),
                sure={token: entity for token, entity in listed.items() if entity not in SHARED},
                shared={token: entity for token, entity in listed.items() if entity in SHARED},
            )
        )
    return found


def subject_tokens(runtime: Runtime, tenant: TenantId, values: Sequence[str]) -> list[Token]:
    """Every token of the values, shared ones too: what a legal hold on a subject covers. Raises as ``identify``."""
    found = identify(runtime, tenant, values)
    return list(dict.fromkeys(token for each in found for token in each.tokens))


def subject_refs(runtime: Runtime, tenant: TenantId, found: Sequence[Identifier]) -> list[str]:
    """One keyed reference for each identifier, as the audit log and the receipt know it."""
    key = runtime.keys.tenant_key(tenant, "audit")
    return list(dict.fromkeys(keyed_ref(key, tenant, "subject", each.first) for each in found))


def _check(values: Sequence[str]) -> None:
    # Callers may be untyped, and one text is a sequence of texts too.
    given: object = values
    if isinstance(given, str) or not values:
        raise UsageError("Name the person: an e-mail address, a phone number, a customer id.")
    if len(values) > limits.MAX_IDENTIFIERS:
        raise LimitExceeded(f"One call names at most {limits.MAX_IDENTIFIERS} identifiers.", field="identifiers")
    for value in values:
        size = utf8_size(value) if type(value) is str else None
        if size is None or not value.strip():
            raise UsageError("An identifier is text, not blank, and valid Unicode.")
        if size > limits.MAX_ID_BYTES:
            raise LimitExceeded(f"An identifier is at most {limits.MAX_ID_BYTES} bytes.", field="identifiers")
