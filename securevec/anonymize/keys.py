"""The two tenant keys this room uses, value normalization, and the subject token (docs/formats.md section 4)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from securevec.anonymize.fold import is_ignorable
from securevec.crypto import derive
from securevec.crypto.kdf import Keyed
from securevec.types import Token

WORDED: Final = frozenset({"PERSON", "EMAIL", "URL", "SUBJECT_ID", "LOCATION", "ADDRESS", "ORG"})
"""Entities whose punctuation is part of the value; every other value is a number or code."""
_SIGNS: Final = bytes(code for code in range(128) if not chr(code).isalnum())


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """A tenant's ``pseudonym`` and ``token`` keys, 32 bytes each; ``lifts`` are the token key's further versions, in
    order: each makes the next token of the one before. ``naming`` is the number of the pseudonym key's version, and
    ``before`` the version before it, while stored surrogates may be under that one."""

    pseudonym: bytes = field(repr=False)
    token: bytes = field(repr=False)
    lifts: tuple[bytes, ...] = field(default=(), repr=False)
    naming: int = 1
    before: bytes | None = field(default=None, repr=False)
    _begun: dict[str, Keyed] = field(default_factory=dict[str, Keyed], init=False, repr=False, compare=False)

    @property
    def version(self) -> int:
        """The number of the token key's newest version."""
        return 1 + len(self.lifts)

    def earlier(self) -> TenantKeys | None:
        """The keys that surrogates were made with which have not been made anew yet, while there may be any."""
        if self.before is None:
            return None
        return replace(self, pseudonym=self.before, naming=self.naming - 1, before=None)

    def token_of(self, entity: str, normalized: str) -> Token:
        """The token of a value that is normalized already. Raises :class:`UsageError` on lone surrogates."""
        return derive.lift(self.lifts, derive.subject_token(self._hash("token", self.token), entity, normalized))

    @property
    def naming_hash(self) -> Keyed:
        """The hash under the pseudonym key, begun: a text asks for some hundred, and the key is half of each."""
        return self._hash("pseudonym", self.pseudonym)

    def _hash(self, name: str, key: bytes) -> Keyed:
        # It lives as long as these keys, which hold the same key as it is.
        begun = self._begun.get(name)
        if begun is None:
            begun = self._begun[name] = Keyed(key)
        return begun

    def __reduce__(self) -> NoReturn:
        raise TypeError("TenantKeys are not pickled")


def normalize(entity: str, value: str) -> str:
    """NFKC, case-folded, white space runs to one space, trimmed; numbers and codes keep letters and digits only.

    Invisible characters are left out first, or a value could be split into two that look the same.
    """
    if value.isascii():
        # Nothing to leave out, and its own compatibility form.
        folded = value.lower()
        if entity not in WORDED and (code := folded.encode().translate(None, _SIGNS)):
            return code.decode()
        return " ".join(folded.split())
    visible = "".join(char for char in value if not is_ignorable(char))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    if entity in WORDED:
        return " ".join(folded.split())
    kept = "".join(filter(str.isalnum, folded))
    return kept or " ".join(folded.split())


def subject_token(keys: TenantKeys, entity: str, value: str) -> Token:
    """16 bytes that link equal values of one tenant and say nothing without its token key."""
    return keys.token_of(entity, normalize(entity, value))


def first_token(keys: TenantKeys, entity: str, value: str) -> Token:
    """The token under the key's first version: what references in audit logs and receipts are made of, whatever
    versions follow."""
    return derive.subject_token(keys.token, entity, normalize(entity, value))
