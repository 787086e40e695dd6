"""One audit event. Constructing it is the check: no field can hold text that is not from a closed list, a keyed
reference, a digest or an id, so content, names and record ids cannot reach the log.

Keyed references are ``hmac-sha256:<key name>:<32 hex digits>``: actors and purposes under the installation's key
(``actors``), record ids and queries under the tenant's audit key, named by the tenant id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import Final, NoReturn, cast, get_args

from securevec import limits
from securevec.audit import vocabulary
from securevec.audit.ulid import PATTERN as ULID
from securevec.audit.ulid import ulid
from securevec.audit.vocabulary import Action, Outcome, Phase, error_name, fold_entities
from securevec.crypto.kdf import Keyed, lp
from securevec.errors import UsageError

__all__ = [
    "Action",
    "Event",
    "Outcome",
    "Phase",
    "Refs",
    "error_name",
    "fold_entities",
    "keyed_ref",
    "request_id",
]


def _listed(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


_HEX32: Final = "[0-9a-f]{32}"
_DIGEST: Final = "[0-9a-f]{8,64}"
_KEYED: Final = f"hmac-sha256:(?:actors|names|{_HEX32}):{_HEX32}"
_REFS: Final = re.compile(rf"(?:{_KEYED}\n)+\Z")
_NEEDED: Final[Mapping[str, str]] = {
    "action": _listed(get_args(Action)),
    "phase": _listed(get_args(Phase)),
    "outcome": _listed(get_args(Outcome)),
    "actor": f"hmac-sha256:actors:{_HEX32}",
    "request_id": ULID,
}
_OPTIONAL: Final[Mapping[str, str]] = {
    "tenant": _HEX32,
    "collection": _HEX32,
    "policy": _DIGEST,
    "rule": f"{_listed(vocabulary.RULES)}|{_DIGEST}",
    "purpose_ref": _KEYED,
    "query_ref": _KEYED,
    "error": _listed(vocabulary.ERRORS),
    "job_id": f"{ULID}|{_HEX32}",
}
_TEXTS: Final = (*_NEEDED, *_OPTIONAL)
_PATTERNS: Final = (
    *(re.compile(rf"(?:{pattern})\Z") for pattern in _NEEDED.values()),
    *(re.compile(rf"(?:{pattern})?\Z") for pattern in _OPTIONAL.values()),
)
_texts_of: Final = attrgetter(*_TEXTS)
_MAPPINGS: Final = (dict, Counter, MappingProxyType)
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
    return Refs(key, key_name).of(domain, (value,))[0]


class Refs:
    """:func:`keyed_ref` of many values under one key, which is hashed in once."""

    __slots__ = ("_h16", "_name")

    def __init__(self, key: bytes, key_name: str) -> None:
        self._name = f"hmac-sha256:{key_name}:"
        self._h16 = Keyed(key).h16

    def of(self, domain: str, values: Iterable[bytes]) -> tuple[str, ...]:
        """Those of one kind."""
        name, h16, start = self._name, self._h16, b"securevec/audit-ref/v1" + lp(domain.encode())
        return tuple([name + h16(start + len(value).to_bytes(4, "big") + value).hex() for value in values])


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
        # Callers may be untyped, so types are checked too.
        texts = _texts_of(self)
        for name, value, pattern in zip(_TEXTS, texts, _PATTERNS, strict=True):
            if type(value) is not str or pattern.match(value) is None:
                _refuse(name)
        if type(self.record_refs) is not tuple or len(self.record_refs) > limits.MAX_K:
            _refuse("record_refs")
        if self.record_refs and not _all_keyed(self.record_refs):
            _refuse("record_refs")
        _number("duration_ms", self.duration_ms)
        # Copies: a caller that keeps the mapping cannot put anything into an event that was already checked.
        object.__setattr__(self, "counts", _numbers("counts", self.counts, vocabulary.COUNTS))
        object.__setattr__(self, "redactions", _numbers("redactions", self.redactions, vocabulary.ENTITIES))
        object.__setattr__(self, "detail", _details(self.detail))


def _refuse(name: str) -> NoReturn:
    raise UsageError(
        f"The audit field `{name}` holds something that is not a listed word, a digest, a keyed reference or a number.",
        next_step="Nothing was logged; see securevec/audit/vocabulary.py.",
    )


def _all_keyed(refs: tuple[object, ...]) -> bool:
    """Whether each is a keyed reference: ten of them by one look, which no line feed inside one can make more of."""
    try:
        lines = "\n".join(cast("tuple[str, ...]", refs)) + "\n"
    except TypeError:
        return False
    return lines.count("\n") == len(refs) and _REFS.match(lines) is not None and set(map(type, refs)) == {str}


def _number(name: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        _refuse(name)


def _numbers(name: str, given: Mapping[str, int], allowed: frozenset[str]) -> Mapping[str, int]:
    if type(given) not in _MAPPINGS:
        _refuse(name)
    if not given:
        return _NO_NUMBERS
    numbers = dict(given)
    for key, value in numbers.items():
        if key not in allowed:
            _refuse(name)
        _number(name, value)
    return MappingProxyType(numbers)


def _details(given: Mapping[str, str | int | bool]) -> Mapping[str, str | int | bool]:
    if type(given) not in _MAPPINGS:
        _refuse("detail")
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
            if not isinstance(value, str) or rule.match(value) is None:
                _refuse("detail")
        elif not isinstance(rule, frozenset) or not isinstance(value, str) or value not in rule:
            _refuse("detail")
    return MappingProxyType(details)
