"""One audit event. Constructing it is the check: no field can hold text that is not from a closed list, a keyed
reference, a digest or an id, so content, names and record ids cannot reach the log.

Keyed references are ``hmac-sha256:<key name>:<32 hex digits>``: actors under the installation's key (``actors``),
record ids, queries and purposes under the tenant's audit key, named by the tenant id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NoReturn, get_args

from securevec import limits
from securevec.audit import vocabulary
from securevec.audit.ulid import PATTERN as ULID
from securevec.audit.ulid import is_ulid, ulid
from securevec.audit.vocabulary import Action, Outcome, Phase, error_name, fold_entities
from securevec.crypto.kdf import h16, lp
from securevec.errors import UsageError

__all__ = ["Action", "Event", "Outcome", "Phase", "error_name", "fold_entities", "keyed_ref", "request_id"]

_ACTIONS: Final = frozenset(get_args(Action))
_PHASES: Final = frozenset(get_args(Phase))
_OUTCOMES: Final = frozenset(get_args(Outcome))
_ACTOR: Final = re.compile(r"hmac-sha256:actors:[0-9a-f]{32}\Z")
_REF: Final = re.compile(r"hmac-sha256:(?:actors|names|[0-9a-f]{32}):[0-9a-f]{32}\Z")
_NO_NUMBERS: Final[Mapping[str, int]] = MappingProxyType({})
_NO_DETAIL: Final[Mapping[str, str | int | bool]] = MappingProxyType({})
_MAX_NUMBER: Final = 2**53
"""The largest number every JSON reader keeps exactly."""

request_id = ulid
"""A new request id: 26 characters, ordered by time."""


def keyed_ref(key: bytes, key_name: str, domain: str, value: bytes) -> str:
    """``hmac-sha256:<key_name>:<hex32>``: the first 16 bytes of HMAC-SHA-256 (RFC 2104) over domain and value.

    ``key`` is 32 bytes: the installation's actors key (``key_name`` = ``actors``) or a tenant's audit key
    (``key_name`` = tenant id). ``domain`` keeps equal values of different kinds apart (``actor``, ``record``,
    ``query``, ``purpose``). The message is ``"securevec/audit-ref/v1" || LP(domain) || LP(value)``.
    """
    return f"hmac-sha256:{key_name}:{h16(key, b'securevec/audit-ref/v1' + lp(domain.encode(), value)).hex()}"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. Raises :class:`UsageError`, naming the field and never its value, when a field is not allowed.

    ``tenant`` and ``collection`` are ids (32 hex digits); ``policy`` is the digest of the rules in force and ``rule``
    a built-in rule or a digest; ``counts``, ``redactions`` and ``detail`` take the keys of
    :mod:`securevec.audit.vocabulary`; ``error`` is an exception's class name (:func:`error_name`); ``duration_ms``
    is in milliseconds; ``job_id`` is a ULID or 32 hex digits.
    """

    action: Action
    phase: Phase
    outcome: Outcome
    actor: str
    request_id: str
    tenant: str = ""
    collection: str = ""
    policy: str = ""
    rule: str = ""
    purpose_ref: str = ""
    query_ref: str = ""
    record_refs: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=lambda: _NO_NUMBERS)
    redactions: Mapping[str, int] = field(default_factory=lambda: _NO_NUMBERS)
    detail: Mapping[str, str | int | bool] = field(default_factory=lambda: _NO_DETAIL)
    error: str = ""
    duration_ms: int = 0
    job_id: str = ""

    def __post_init__(self) -> None:
        if self.action not in _ACTIONS:
            _refuse("action")
        if self.phase not in _PHASES:
            _refuse("phase")
        if self.outcome not in _OUTCOMES:
            _refuse("outcome")
        _match("actor", self.actor, _ACTOR)
        _match("request_id", self.request_id, ULID)
        _match_or_empty("tenant", self.tenant, vocabulary.HEX32)
        _match_or_empty("collection", self.collection, vocabulary.HEX32)
        _match_or_empty("policy", self.policy, vocabulary.HEX)
        if self.rule not in vocabulary.RULES:
            _match_or_empty("rule", self.rule, vocabulary.HEX)
        _match_or_empty("purpose_ref", self.purpose_ref, _REF)
        _match_or_empty("query_ref", self.query_ref, _REF)
        if type(self.record_refs) is not tuple or len(self.record_refs) > limits.MAX_K:
            _refuse("record_refs")
        for ref in self.record_refs:
            _match("record_refs", ref, _REF)
        # Copies: a caller that keeps the mapping cannot put anything into an event that was already checked.
        object.__setattr__(self, "counts", _numbers("counts", self.counts, vocabulary.COUNTS))
        object.__setattr__(self, "redactions", _numbers("redactions", self.redactions, vocabulary.ENTITIES))
        object.__setattr__(self, "detail", _details(self.detail))
        if self.error and self.error not in vocabulary.ERRORS:
            _refuse("error")
        _number("duration_ms", self.duration_ms)
        if self.job_id and not is_ulid(self.job_id):
            _match("job_id", self.job_id, vocabulary.HEX32)


def _refuse(name: str) -> NoReturn:
    raise UsageError(
        f"The audit field `{name}` holds something that is not a listed word, a digest, a keyed reference or a number.",
        next_step="Nothing was logged; see securevec/audit/vocabulary.py.",
    )


def _match(name: str, value: object, pattern: re.Pattern[str]) -> None:
    if not isinstance(value, str) or pattern.match(value) is None:
        _refuse(name)


def _match_or_empty(name: str, value: object, pattern: re.Pattern[str]) -> None:
    if value != "":
        _match(name, value, pattern)


def _number(name: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        _refuse(name)


def _numbers(name: str, given: Mapping[str, int], allowed: frozenset[str]) -> Mapping[str, int]:
    if not given:
        return _NO_NUMBERS
    numbers = dict(given)
    for key, value in numbers.items():
        if key not in allowed:
            _refuse(name)
        _number(name, value)
    return MappingProxyType(numbers)


def _details(given: Mapping[str, str | int | bool]) -> Mapping[str, str | int | bool]:
    if not given:
        return _NO_DETAIL
    details = dict(given)
    for key, value in details.items():
        rule = vocabulary.DETAIL.get(key)
        if rule is int:
            _number("detail", value)
        elif rule is bool:
            if type(value) is not bool:
                _refuse("detail")
        elif isinstance(rule, re.Pattern):
            _match("detail", value, rule)
        elif not isinstance(rule, frozenset) or not isinstance(value, str) or value not in rule:
            _refuse("detail")
    return MappingProxyType(details)
