"""A line of the log as CEF: ArcSight Common Event Format, implementation standard, version 0 of the format.

``CEF:0|securevec|securevec|VERSION|ACTION|NAME|SEVERITY|key=value ...``

In the header ``|`` and ``\\`` stand behind a backslash, in a value ``=`` and ``\\`` do; line ends are ``\\n`` and
``\\r``, in values only. CEF has no lists and no nesting: counts, redactions and details are ``name:value`` pairs in
order of their names, and the references of records are left out (``cn2`` says how many). Who needs them takes the
format ``json`` or ``syslog``, and finds the record by ``externalId``, its ``metadata.uid``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from securevec.audit.export.parts import moment, number, part, record_in, text

_HEADER: Final = 256
_WORD: Final = 1023
_LONG: Final = 4000
"""Characters: a field of the header, a word of the dictionary, a custom string (``cs1`` to ``cs6``)."""

_SEVERITY: Final = {1: 1, 2: 3, 3: 5, 4: 7, 5: 9, 6: 10}
"""Of OCSF in CEF's 0 to 10: low to 3, medium to 6, high to 8, then very high."""
_UNKNOWN: Final = 3

_IN_HEADER: Final = str.maketrans({"\\": "\\\\", "|": "\\|"})
_IN_VALUE: Final = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})
_CLASS: Final = {6005: "Datastore Activity", 3004: "Entity Management"}
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def to_cef(raw: bytes) -> str:
    """The event of a line, without a line end. Text as UTF-8 can hold it; control characters are spaces."""
    record = record_in(raw)
    metadata, own = part(record, "metadata"), part(record, "unmapped", "securevec")
    action = text(metadata.get("event_code"))
    outcome, phase = text(own.get("outcome")), text(own.get("phase"))
    name = " ".join(word for word in (action, outcome, "" if phase in ("", "single") else f"({phase})") if word)
    severity = _SEVERITY.get(number(record.get("severity_id"), least=0, most=99, otherwise=0), _UNKNOWN)
    version = text(part(metadata, "product").get("version"))
    header = [_header(value) for value in ("securevec", "securevec", version, action or "unknown", name or "unknown")]
    values = _values(record, metadata, own)
    return "|".join(["CEF:0", *header, str(severity), " ".join(f"{key}={value}" for key, value in values)])


def _values(
    record: Mapping[str, object], metadata: Mapping[str, object], own: Mapping[str, object]
) -> list[tuple[str, str]]:
    """The extension: keys of CEF's dictionary; custom ones with their labels. What is empty is left out."""
    when = moment(record)
    class_uid = number(record.get("class_uid"), least=0, most=99_999, otherwise=0)
    found = [
        ("rt", str(record["time"]) if when is not None else ""),
        ("externalId", _value(text(metadata.get("uid")), _WORD)),
        ("deviceExternalId", _value(text(metadata.get("log_name")), _WORD)),
        ("cat", _CLASS.get(class_uid, "")),
        ("act", _value(text(metadata.get("event_code")), _WORD)),
        ("outcome", _value(text(own.get("outcome")), _WORD)),
        ("reason", _value(text(own.get("error")), _WORD)),
        ("suid", _value(text(part(record, "actor", "user").get("uid")), _WORD)),
        *_labelled("cs1", "tenant", text(metadata.get("tenant_uid"))),
        *_labelled("cs2", "collection", text(own.get("collection"))),
        *_labelled("cs3", "request", text(own.get("request_id"))),
        *_labelled("cs4", "rule", text(part(record, "policy").get("uid"))),
        *_labelled("cs5", "counts", " ".join(_pairs(own, "counts") + _pairs(own, "redactions"))),
        *_labelled("cs6", "detail", " ".join(_pairs(own, "detail"))),
        *_labelled("flexString1", "job", text(own.get("job_id"))),
        *_labelled("cn1", "duration in ms", _digits(record.get("duration"))),
    ]
    references = own.get("records")
    if isinstance(references, list) and references:
        found += _labelled("cn2", "records", str(len(references)))
    return [(key, value) for key, value in found if value]


def _labelled(key: str, label: str, value: str) -> list[tuple[str, str]]:
    return [(f"{key}Label", label), (key, _value(value, _LONG))] if value else []


def _pairs(own: Mapping[str, object], name: str) -> list[str]:
    return [f"{key}:{text(value)}" for key, value in sorted(part(own, name).items())]


def _digits(value: object) -> str:
    return str(value) if number(value, least=0, most=2**63 - 1, otherwise=-1) >= 0 else ""


def _header(value: str) -> str:
    return _seen(value)[:_HEADER].translate(_IN_HEADER)


def _value(value: str, limit: int) -> str:
    """A value that ends where the next key begins, whatever it holds. Spaces around it would be read as none."""
    kept = "".join(c if c in "\n\r" else _seen(c) for c in value[:limit]) if not value.isprintable() else value[:limit]
    return kept.strip(" ").translate(_IN_VALUE)


def _seen(value: str) -> str:
    return "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in value)
