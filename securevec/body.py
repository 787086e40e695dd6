"""The sealed body and the vault: what is inside the envelopes, encoded and decoded (docs/formats.md 5.1, 5.2).

Pure. The body is the canonical copy of everything the library later relies on; the payload keys a store can read are
hints. Decoding is strict, because a body that opened was written by some release of securevec: an unknown key or a
wrong shape means a newer or broken writer, and is :class:`UnknownFormat`, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from securevec.errors import UnknownFormat
from securevec.types import Span, Token

RecordId = str | int | UUID
Canonical = str | int | float | bool

SEPARATOR: Final = "\n\n"
"""Between embedded fields in the joined text."""

_ALWAYS: Final = frozenset({"v", "r", "g", "n", "of", "x", "ts", "cls", "acl", "q", "ab", "me", "m", "d", "p"})
_OPTIONAL: Final = frozenset({"f", "fs", "t", "tc", "s"})


class Body(NamedTuple):
    """One chunk's sealed body. Chunk 0 also carries the record: ``fields`` and ``field_spans``.

    A tuple, because a search makes ten of them: a frozen dataclass of this size takes seven times as long to make.
    """

    record_id: RecordId
    generation: int
    chunk: int
    chunks: int
    expires_ms: int | None
    ingested_ms: int
    classification: str
    filters: Mapping[str, Canonical]
    about: tuple[Token, ...]
    mentions: tuple[Token, ...]
    model: str
    detector: str
    policy: str
    acl: tuple[str, ...] = ()
    fields: Mapping[str, object] | None = None
    field_spans: Mapping[str, tuple[Span, ...]] | None = None
    text: str | None = None
    cut: tuple[int, int] | None = None
    spans: tuple[Span, ...] | None = None

    def __repr__(self) -> str:
        return f"Body(generation={self.generation}, chunk={self.chunk}/{self.chunks})"


@dataclass(frozen=True, slots=True, repr=False)
class Vault:
    """Originals of one chunk, parallel to the body's span tables."""

    fields: Mapping[str, tuple[str, ...]]
    spans: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return "Vault(<hidden>)"


def encode_body(body: Body) -> bytes:
    out: dict[str, object] = {
        "v": 1,
        "r": _encode_id(body.record_id),
        "g": body.generation,
        "n": body.chunk,
        "of": body.chunks,
        "x": body.expires_ms,
        "ts": body.ingested_ms,
        "cls": body.classification,
        "acl": list(body.acl),
        "q": dict(body.filters),
        "ab": [token.hex() for token in body.about],
        "me": [token.hex() for token in body.mentions],
        "m": body.model,
        "d": body.detector,
        "p": body.policy,
    }
    if body.fields is not None:
        out["f"] = dict(body.fields)
    if body.field_spans is not None:
        out["fs"] = {name: _encode_spans(spans) for name, spans in body.field_spans.items()}
    if body.text is not None:
        out["t"] = body.text
    if body.cut is not None:
        out["tc"] = list(body.cut)
    if body.spans is not None:
        out["s"] = _encode_spans(body.spans)
    return orjson.dumps(out, option=orjson.OPT_SORT_KEYS)


def decode_body(data: bytes) -> Body:
    """Raises :class:`UnknownFormat` on anything but the shape this release writes."""
    try:
        raw: dict[str, Any] = orjson.loads(data)
        if raw["v"] != 1 or not _is_shape(tuple(raw)):
            raise UnknownFormat("A sealed body has a shape this release does not read.")
        cut = raw.get("tc")
        # In the order of the fields: naming nineteen of them takes longer than reading them.
        return Body(
            _decode_id(raw["r"]),
            int(raw["g"]),
            int(raw["n"]),
            int(raw["of"]),
            None if raw["x"] is None else int(raw["x"]),
            int(raw["ts"]),
            str(raw["cls"]),
            dict(raw["q"]),
            _decode_tokens(raw["ab"]),
            _decode_tokens(raw["me"]),
            str(raw["m"]),
            str(raw["d"]),
            str(raw["p"]),
            tuple(raw["acl"]),
            raw.get("f"),
            {name: _decode_spans(spans) for name, spans in raw["fs"].items()} if "fs" in raw else None,
            raw.get("t"),
            (int(cut[0]), int(cut[1])) if cut is not None else None,
            _decode_spans(raw["s"]) if "s" in raw else None,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnknownFormat("A sealed body cannot be read.") from error


def encode_vault(vault: Vault) -> bytes:
    out: dict[str, object] = {"v": 1, "f": {name: list(values) for name, values in vault.fields.items()}}
    if vault.spans is not None:
        out["s"] = list(vault.spans)
    return orjson.dumps(out, option=orjson.OPT_SORT_KEYS)


def decode_vault(data: bytes) -> Vault:
    """Raises :class:`UnknownFormat` on anything but the shape this release writes."""
    try:
        raw: dict[str, Any] = orjson.loads(data)
        if raw["v"] != 1 or not raw.keys() <= {"v", "f", "s"}:
            raise UnknownFormat("A vault has a shape this release does not read.")
        return Vault(
            fields={name: tuple(values) for name, values in raw["f"].items()},
            spans=tuple(raw["s"]) if "s" in raw else None,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownFormat("A vault cannot be read.") from error


def joined_text(fields: Mapping[str, object], embedded: Sequence[str]) -> str:
    """The joined text of a record: its embedded fields in declared order, a blank line between."""
    return SEPARATOR.join(str(fields[name]) for name in embedded if fields.get(name) is not None)


@dataclass(frozen=True, slots=True)
class PlacedSpan:
    """A span of the chunk text and where its original lies in the vault: ``(field or None, index)``."""

    span: Span
    field: str | None
    index: int


def chunk_view(body: Body, embedded: Sequence[str]) -> tuple[str, tuple[PlacedSpan, ...]]:
    """A chunk's anonymized text and its spans, wherever the body keeps them."""
    if body.text is not None:
        spans = body.spans or ()
        return body.text, tuple(PlacedSpan(span, None, index) for index, span in enumerate(spans))
    if body.fields is None or body.cut is None:
        raise UnknownFormat("A sealed body carries no text.")
    start, end = body.cut
    placed: list[PlacedSpan] = []
    offset = 0
    for name in embedded:
        value = body.fields.get(name)
        if value is None:
            continue
        for index, span in enumerate((body.field_spans or {}).get(name, ())):
            shifted = span.shifted(offset - start)
            if shifted.start >= 0 and shifted.end <= end - start:
                placed.append(PlacedSpan(shifted, name, index))
        offset += len(str(value)) + len(SEPARATOR)
    return joined_text(body.fields, embedded)[start:end], tuple(placed)


def _encode_id(record_id: RecordId) -> list[object]:
    if isinstance(record_id, UUID):
        return ["u", record_id.hex]
    return ["i", record_id] if isinstance(record_id, int) else ["s", record_id]


def _decode_id(raw: Sequence[object]) -> RecordId:
    tag, value = raw
    if tag == "s" and isinstance(value, str):
        return value
    if tag == "i" and isinstance(value, int):
        return value
    if tag == "u" and isinstance(value, str):
        return UUID(hex=value)
    raise UnknownFormat("A sealed body names its record in an unknown way.")


@lru_cache(maxsize=64)
def _is_shape(keys: tuple[str, ...]) -> bool:
    """Whether a body of these keys is one this release writes."""
    return set(keys) >= _ALWAYS and set(keys) <= _ALWAYS | _OPTIONAL


def _decode_tokens(raw: Sequence[str]) -> tuple[Token, ...]:
    return tuple([Token(bytes.fromhex(token)) for token in raw]) if raw else ()


def _encode_spans(spans: Sequence[Span]) -> list[list[object]]:
    return [[span.start, span.end, span.entity, span.token.hex(), span.operator, span.rule] for span in spans]


def _decode_spans(raw: Sequence[Sequence[Any]]) -> tuple[Span, ...]:
    return tuple(
        [
            Span(int(start), int(end), str(entity), Token(bytes.fromhex(token)), str(operator), str(rule))
            for start, end, entity, token, operator, rule in raw
        ]
    )
