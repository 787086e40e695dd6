"""How a payload is written down as Chroma metadata, and read back.

| Value at ``K``                  | Metadata                                                        |
|---------------------------------|-----------------------------------------------------------------|
| string of at most 930 bytes     | ``K`` = the string, ``K-text`` = 1                              |
| longer string                   | ``K-parts`` = n, ``K-0`` to ``K-<n-1>`` = its pieces in order   |
| the same at ``b`` and ``v``     | without ``-text`` and ``-parts``, each piece behind a stamp     |
| boolean                         | ``K-bool`` = ``"true"`` or ``"false"``                          |
| integer                         | ``K-int`` = the integer                                         |
| double                          | ``K-float`` = its rank (``numbers``)                            |

The two tags are not written down: a collection holds one namespace, and its metadata names them. A row of metadata
costs 70 bytes and more in the table and its indexes, and each is read with every hit.

A sealed value is random, and so is the place of an entry in the index of strings: its pages stayed 69 % full. Behind a
stamp that grows from write to write entries are appended, and pages are filled (docs/adr/0019).

``-`` is outside the key grammar, so no name collides. Why not as they are: Chroma has no test of presence, and ``$ne``
matches what is absent, so a string carries a mark; booleans have no index; doubles are rounded (``numbers``). And every
string is indexed whole: past some 950 bytes an entry takes a 4 KiB page of its own, so a sealed body of 1.4 KB in one
piece costs 6.4 KB, in pieces 3.3 KB (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from securevec.types import Namespace, Scalar
from securevec_adapters.points import TAGS, check_payload
from securevec_chroma.numbers import rank, unrank
from securevec_chroma.sealed import Kept, kept

Metadata = dict[str, str | int]

TEXT: Final = "-text"
PARTS: Final = "-parts"
BOOL: Final = "-bool"
INT: Final = "-int"
FLOAT: Final = "-float"
NOTHING: Final = "-"
"""Stands for an empty payload: Chroma takes no empty metadata."""

_PIECE: Final = 930
"""Bytes of one piece. With key, row number and header it stays below the 1,002 an index entry may keep in its page."""
SEALED: Final = ("b", "v")
"""Payload keys of sealed values. What they hold is nobody's to compare, so nothing is written down for filters."""
_STAMP: Final = 9
_DIGITS: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""64 digits in the order of ASCII, in which SQLite compares."""
_PIECES: Final = 64
"""Pieces of one string. Beyond, pieces grow instead: a string of 60 kB fills whole pages anyway."""


def encode(payload: Mapping[str, object], namespace: Namespace) -> Metadata:
    """The metadata of a point. Raises :class:`RecordError` for what is outside the contract."""
    stored: Metadata = {}
    for key, value in check_payload(payload, namespace).items():
        if key not in TAGS:
            stored.update(_encoded(key, value))
    return stored or {NOTHING: 1}


def apart(payload: Mapping[str, object], namespace: Namespace) -> tuple[Metadata, Kept]:
    """The metadata of a point whose sealed values are kept beside Chroma, and what is kept there. Raises as
    :func:`encode` does."""
    clear, sealed = _parted({key: value for key, value in check_payload(payload, namespace).items() if key not in TAGS})
    stored: Metadata = {}
    for key, value in clear.items():
        stored.update(_encoded(key, cast("Scalar", value)))
    return stored or {NOTHING: 1}, kept(clear, sealed)


def moved_apart(stored: Mapping[str, object]) -> tuple[Metadata, Kept]:
    """Metadata as the first format has it (docs/formats.md 5.3), parted as :func:`apart` does, whatever is in it."""
    body = {key: value for key, value in stored.items() if not _is_sealed(key)}
    return cast("Metadata", body) or {NOTHING: 1}, kept(*_parted(decode(stored, {})))


def stamped(body: Metadata, number: int) -> Metadata:
    """The metadata to write, its sealed values behind the stamp of ``number``, at most 54 bits. It tells when and in
    which order points were written, which the engine notes by itself too."""
    stamp = "".join([_DIGITS[number >> shift & 63] for shift in range(6 * (_STAMP - 1), -1, -6)])
    return {key: stamp + str(value) if _is_sealed(key) else value for key, value in body.items()}


def pieces(text: str) -> list[str]:
    """The pieces a string is stored in, cut between characters; a single one for a short string."""
    raw = text.encode()
    if len(raw) <= _PIECE:
        return [text]
    # A cut goes back to the beginning of its character, by three bytes at most.
    count = min(-(-len(raw) // (_PIECE if text.isascii() else _PIECE - 3)), _PIECES)
    step = -(-len(raw) // count)
    cuts = [_beginning(raw, at) for at in range(0, len(raw), step)]
    return [raw[start:end].decode() for start, end in zip(cuts, [*cuts[1:], len(raw)], strict=True) if start < end]


def decode(stored: Mapping[str, object] | None, tags: Mapping[str, str]) -> dict[str, object]:
    """What :func:`encode` was given, with the namespace's tags. Anything else in the store is returned as it is:
    readers trust none of it."""
    held = stored or {}
    payload: dict[str, object] = dict(tags)
    for key, value in held.items():
        if "-" not in key:
            payload[key] = value[_STAMP:] if key in SEALED and isinstance(value, str) else value
            continue
        name, _, kind = key.partition("-")
        if kind == "parts" and type(value) is int:
            payload[name] = _joined(held, name, value)
        elif kind == "bool" and value in ("true", "false"):
            payload[name] = value == "true"
        elif kind == "int" and type(value) is int:
            payload[name] = value
        elif kind == "float" and type(value) is int:
            payload[name] = _double(value)
        elif kind == "0" and name in SEALED:
            payload[name] = _joined(held, name, _PIECES, start=_STAMP)
        elif kind != "text" and not kind.isdecimal() and key != NOTHING:
            payload[key] = value
    return payload


def _parted(payload: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    sealed = {key: value for key in SEALED if isinstance(value := payload.get(key), str)}
    return {key: value for key, value in payload.items() if key not in sealed}, sealed


def _encoded(key: str, value: Scalar) -> Metadata:
    if isinstance(value, bool):
        return {key + BOOL: "true" if value else "false"}
    if isinstance(value, int):
        return {key + INT: value}
    if isinstance(value, float):
        return {key + FLOAT: rank(value)}
    cut = pieces(value)
    if key in SEALED:
        return {key: value} if len(cut) == 1 else {f"{key}-{number}": piece for number, piece in enumerate(cut)}
    if len(cut) > 1:
        return {key + PARTS: len(cut), **{f"{key}-{number}": piece for number, piece in enumerate(cut)}}
    return {key: value, key + TEXT: 1}


def _joined(held: Mapping[str, object], name: str, count: int, *, start: int = 0) -> str:
    found: list[str] = []
    for number in range(min(count, _PIECES)):
        piece = held.get(f"{name}-{number}")
        if not isinstance(piece, str):
            break
        found.append(piece[start:])
    return "".join(found)


def _beginning(raw: bytes, at: int) -> int:
    """Where the character begins that the byte at ``at`` belongs to."""
    while raw[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _is_sealed(key: str) -> bool:
    name, separator, kind = key.partition("-")
    return name in SEALED and (not separator or kind.isdecimal())


def _double(value: int) -> object:
    try:
        return unrank(value)
    except ValueError:
        return value
