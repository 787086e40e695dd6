"""The bytes of a body and of a vault (docs/formats.md 5.1, 5.2).

Pure. Decoding is strict, because a body that opened was written by some release of securevec: another length, type or
version means a newer or broken writer, and is :class:`UnknownFormat`, never ignored.

MessagePack, by position: as JSON with named keys and hexadecimal digits a record of 1 KB took 1.7 KB (docs/adr/0019).
Texts of ASCII take seven bits a character, and words that stand in most bodies are a number (docs/adr/0035).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import ormsgpack

from securevec.errors import UnknownFormat
from securevec.points.body import MARK, Body, RecordId, Vault
from securevec.points.septets import all_unpacked, packed
from securevec.types import Span, Token

_VERSION: Final = 3
"""Of the body. 1 was JSON, 2 had texts in UTF-8 alone."""
_VAULT_VERSION: Final = 2
_TOKEN: Final = 16
_PACKED_FROM: Final = 16
"""Characters from which an ASCII text is packed."""
_HEAD: Final = 3
"""Bytes of the head of the array: its kind, and how many places it has."""
_PLACES: Final = 18
"""Places of a body whose keys are all of the first version."""
_WIDEST: Final = 9
"""Bytes of the largest whole numbers."""
LATER: Final = 1 + _WIDEST
"""Bytes that a later version of the cloak adds to a body, at most."""
_FIELDS: Final = 12
_TEXT: Final = 14
"""Places of the two parts of a body that hold texts."""


WORDS: Final = (
    *("internal", "surrogate", "tag", "drop", "hash", "token", "mask", "vault"),
    *("PERSON", "EMAIL", "PHONE", "ADDRESS", "ORG", "LOCATION", "POSTCODE", "DATE", "DATE_OF_BIRTH", "URL", "IP"),
    *("CARD", "IBAN", "BANK_ACCOUNT", "SSN", "MRN", "MEMBER_ID", "CUSTOMER_ID", "CASE_NUMBER", "SECRET"),
    *("model-person", "model-address", "model-org", "email", "phone-international", "phone-national", "phone-nanp"),
    *("phone-context", "street-english", "uk-postcode", "us-zip", "date", "date-words", "date-of-birth", "url", "ipv4"),
    *("card", "iban", "bank-account", "us-ssn", "mrn", "insurance-member", "customer-number", "customer-coded"),
    *("case-number", "case-code"),
)
"""Labels, operators, entities and rules that a body names by their place here. Part of the format: words are added
behind the last one, none is moved. Any other word is spelled out."""
_NUMBERS: Final = {word: number for number, word in enumerate(WORDS)}


def encode_body(body: Body) -> bytes:
    """Raises :class:`TypeError` for a value that has no place in a body, as an integer beyond 64 bits: what
    :func:`decode_body` would not read is not written."""
    marks = body.model + body.detector + body.policy
    numbers = (body.generation, body.chunk, body.chunks, body.ingested_ms, body.expires_ms or 0)
    if len(marks) != 3 * MARK or {*map(type, numbers)} != {int}:
        raise TypeError("A body is made of whole numbers, and of marks of eight bytes.")
    tokens = {token: at for at, token in enumerate((*body.about, *body.mentions))}
    spans, field_spans = body.spans, body.field_spans
    return ormsgpack.packb(
        (
            _VERSION,
            body.record_id.bytes if isinstance(body.record_id, UUID) else body.record_id,
            body.generation,
            body.chunk,
            body.chunks,
            body.expires_ms,
            body.ingested_ms,
            _as_number(body.classification),
            dict(body.filters),
            b"".join(body.about),
            b"".join(body.mentions),
            marks,
            body.acl,
            None if body.fields is None else {name: _pack(value) for name, value in body.fields.items()},
            None if field_spans is None else {name: _encode_spans(each, tokens) for name, each in field_spans.items()},
            _pack(body.text),
            body.cut,
            None if spans is None else _encode_spans(spans, tokens),
            *_versions(body.tokens, body.cloak),
        ),
        option=ormsgpack.OPT_SORT_KEYS,
    )


def _versions(tokens: int, cloak: int) -> tuple[int, ...]:
    """Behind the rest, and only as far as they are not the first: nobody pays for a key that was never exchanged."""
    return (tokens, cloak) if cloak > 1 else (tokens,) if tokens > 1 else ()


class Draft(NamedTuple):
    """An encoded body of which it is not known yet which generation it is of, and under which version of the cloak its
    vector will lie: what stands before its generation and behind it."""

    head: bytes
    tail: bytes

    def of(self, generation: int, cloak: int = 1) -> bytes:
        """What :func:`encode_body` makes of the body in this generation and under this version."""
        head, tail = self.head, self.tail
        if cloak > 1:
            places = int.from_bytes(head[1:_HEAD], "big")
            tail += (b"" if places > _PLACES else ormsgpack.packb(1)) + ormsgpack.packb(cloak)
            head = head[:1] + (_PLACES + 2).to_bytes(2, "big") + head[_HEAD:]
        return head + ormsgpack.packb(generation) + tail

    @property
    def largest(self) -> int:
        """Bytes of the body in the last generation there could be, under the first version."""
        return len(self.head) + _WIDEST + len(self.tail)


def draft_body(body: Body) -> Draft:
    """:func:`encode_body` of everything but generation and cloak, which are decided when a batch begins."""
    data = encode_body(body._replace(generation=2**63, cloak=1))
    key = body.record_id.bytes if isinstance(body.record_id, UUID) else body.record_id
    start = _HEAD + 1 + len(ormsgpack.packb(key))
    return Draft(data[:start], data[start + _WIDEST :])


def decode_body(data: bytes) -> Body:
    """Raises :class:`UnknownFormat` on anything but the shape this release writes."""
    return decode_bodies((data,))[0]


def decode_bodies(several: Sequence[bytes]) -> list[Body]:
    """:func:`decode_body` of each, their packed texts read together."""
    try:
        read = [_parts(data) for data in several]
        packs = [value for parts in read for value in _texts_of(parts) if type(value) is bytes]
        if packs and len(min(packs, key=len)) < _PACKED_FROM - 2:
            raise UnknownFormat("A sealed body holds bytes where a text belongs.")
        texts = iter(all_unpacked(packs) if packs else ())
        return [_body(parts, texts) for parts in read]
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise UnknownFormat("A sealed body cannot be read.") from error


def _parts(data: bytes) -> list[Any]:
    """What stands in a body, in the order of its fields, its version and shape checked."""
    read: list[Any] = _unpack(data)
    version, _, generation, chunk, chunks, expires, ingested, _, filters, *rest = read
    _, _, marks, acl, fields, _, text, _, _, *later = rest
    if (
        (version, type(generation), type(chunk), type(chunks), type(ingested)) != (_VERSION, int, int, int, int)
        or (type(filters), type(marks), type(acl)) != (dict, bytes, list)
        or len(marks) != 3 * MARK
        or not (expires is None or type(expires) is int)
        or not (fields is None or type(fields) is dict)
        or not (text is None or type(text) is str or type(text) is bytes)
        or (later and not _are_versions(later))
    ):
        raise UnknownFormat("A sealed body has a shape this release does not read.")
    return read[1:]


def _are_versions(later: Sequence[object]) -> bool:
    return len(later) < 3 and all(type(each) is int and each > 0 for each in later) and later[-1] != 1


def _texts_of(parts: Sequence[Any]) -> Iterator[object]:
    """Where a packed text may stand, in the order in which :func:`_body` asks for them."""
    fields, text = parts[_FIELDS], parts[_TEXT]
    if fields is not None:
        yield from fields.values()
    yield text


def _body(parts: Sequence[Any], texts: Iterator[str]) -> Body:
    key, generation, chunk, chunks, expires, ingested, label, filters, about, mentions, marks, *rest = parts
    acl, fields, field_spans, text, cut, spans, *later = rest
    record_id = _decode_id(key)
    told, seen = _decode_tokens(about), _decode_tokens(mentions)
    tokens = (*told, *seen)
    # In the order of the fields: naming twenty of them takes longer than reading them.
    return Body(
        record_id,
        generation,
        chunk,
        chunks,
        expires,
        ingested,
        _as_word(label),
        filters,
        told,
        seen,
        marks[:MARK],
        marks[MARK : 2 * MARK],
        marks[2 * MARK :],
        tuple(acl),
        None if fields is None else {n: next(texts) if type(held) is bytes else held for n, held in fields.items()},
        None if field_spans is None else {name: _decode_spans(each, tokens) for name, each in field_spans.items()},
        next(texts) if type(text) is bytes else text,
        None if cut is None else _decode_cut(cut),
        None if spans is None else _decode_spans(spans, tokens),
        later[0] if later else 1,
        later[1] if len(later) > 1 else 1,
    )


def encode_vault(vault: Vault) -> bytes:
    return ormsgpack.packb((_VAULT_VERSION, dict(vault.fields), vault.spans), option=ormsgpack.OPT_SORT_KEYS)


def decode_vault(data: bytes) -> Vault:
    """Raises :class:`UnknownFormat` on anything but the shape this release writes."""
    try:
        version, fields, spans = _unpack(data)
        if version != _VAULT_VERSION:
            raise UnknownFormat("A vault has a shape this release does not read.")
        return Vault(
            fields={name: _decode_texts(values) for name, values in fields.items()},
            spans=None if spans is None else _decode_texts(spans),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise UnknownFormat("A vault cannot be read.") from error


def _unpack(data: bytes) -> Any:
    """What ``data`` is the one spelling of. Raises :class:`ValueError` and :class:`UnknownFormat`.

    The library reads the first value and passes over what follows, over keys named twice and over longer forms of a
    number; writing what was read and comparing refuses all of them, in half a microsecond.
    """
    read: Any = ormsgpack.unpackb(data)
    if ormsgpack.packb(read, option=ormsgpack.OPT_SORT_KEYS) != data:
        raise UnknownFormat("A sealed value is spelled in another way than this release does.")
    return read


def _decode_id(raw: object) -> RecordId:
    if type(raw) is str or type(raw) is int:
        return raw
    if type(raw) is bytes:
        return UUID(bytes=raw)
    raise UnknownFormat("A sealed body names its record in an unknown way.")


def _decode_tokens(raw: bytes) -> tuple[Token, ...]:
    if raw == b"":
        return ()
    if type(raw) is not bytes or len(raw) % _TOKEN:
        raise UnknownFormat("A sealed body names people in an unknown way.")
    return tuple([Token(raw[start : start + _TOKEN]) for start in range(0, len(raw), _TOKEN)])


def _decode_cut(raw: Sequence[object]) -> tuple[int, int]:
    start, end = raw
    if type(start) is not int or type(end) is not int:
        raise UnknownFormat("A sealed body says in an unknown way where its text lies.")
    return start, end


def _decode_texts(raw: object) -> tuple[str, ...]:
    if type(raw) is not list or not all(type(value) is str for value in cast("list[object]", raw)):
        raise UnknownFormat("A vault holds something else than texts.")
    return tuple(cast("list[str]", raw))


def _pack(value: object) -> object:
    """A value as it is stored: an ASCII text in seven bits a character, as bytes, which no value is."""
    if type(value) is str and len(value) >= _PACKED_FROM and (data := packed(value)) is not None:
        return data
    return value


def _as_number(word: str) -> int | str:
    if type(word) is not str:
        raise TypeError("A word of a body is plain text.")
    return _NUMBERS.get(word, word)


def _as_word(stored: object) -> str:
    if type(stored) is int and 0 <= stored < len(WORDS):
        return WORDS[stored]
    if type(stored) is not str:
        raise UnknownFormat("A sealed body has a word of an unknown shape.")
    return stored


def _encode_spans(spans: Sequence[Span], tokens: Mapping[Token, int]) -> list[list[object]]:
    """A span's token is named by its place among the body's ``about`` and ``mentions``, or itself where it is in
    neither."""
    return [
        [
            span.start,
            span.end,
            _as_number(span.entity),
            tokens.get(span.token, span.token),
            _as_number(span.operator),
            _as_number(span.rule),
        ]
        for span in spans
    ]


def _decode_spans(raw: Sequence[Sequence[Any]], tokens: Sequence[Token]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for start, end, entity, named, operator, rule in raw:
        if type(start) is not int or type(end) is not int:
            raise UnknownFormat("A sealed body has spans of an unknown shape.")
        if type(named) is int and named >= 0:
            token = tokens[named]
        elif type(named) is bytes and len(named) == _TOKEN:
            token = Token(named)
        else:
            raise UnknownFormat("A sealed body has spans of an unknown shape.")
        spans.append(Span(start, end, _as_word(entity), token, _as_word(operator), _as_word(rule)))
    return tuple(spans)
