"""How a payload is written down as Chroma metadata, and read back.

| Value at ``K``                  | Metadata                                                        |
|---------------------------------|-----------------------------------------------------------------|
| string of at most 940 bytes     | ``K`` = the string, ``K-text`` = 1 (no mark for the two tags)   |
| longer string                   | ``K-parts`` = n, ``K-0`` to ``K-<n-1>`` = its pieces in order   |
| boolean                         | ``K-bool`` = ``"true"`` or ``"false"``                          |
| integer                         | ``K-int`` = the integer                                         |
| double                          | ``K-float`` = its rank (``numbers``)                            |

``-`` is outside the key grammar, so no name collides. Why not as they are: Chroma has no test of presence, and ``$ne``
matches what is absent, so a string carries a mark; booleans have no index; doubles are rounded (``numbers``). And every
string is indexed whole: past some 950 bytes an entry takes a 4 KiB page of its own, so a sealed body of 1.4 KB in one
piece costs 6.4 KB, in pieces 3.3 KB (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from securevec.types import Namespace, Scalar
from securevec_adapters.points import TAGS, check_payload
from securevec_chroma.numbers import rank, unrank

Metadata = dict[str, str | int]

TEXT: Final = "-text"
PARTS: Final = "-parts"
BOOL: Final = "-bool"
INT: Final = "-int"
FLOAT: Final = "-float"

_PIECE: Final = 940
"""Bytes of one piece. With key, row number and header it stays below the 1,002 an index entry may keep in its page."""
_PIECES: Final = 64
"""Pieces of one string. Beyond, pieces grow instead: a string of 60 kB fills whole pages anyway."""


def encode(payload: Mapping[str, object], namespace: Namespace) -> Metadata:
    """The metadata of a point. Raises :class:`RecordError` for what is outside the contract."""
    stored: Metadata = {}
    checked = check_payload(payload, namespace)
    for key, value in {**checked, "t": namespace.tenant_tag, "c": namespace.collection_tag}.items():
        stored.update(_encoded(key, value))
    return stored


def pieces(text: str) -> list[str]:
    """The pieces a string is stored in; a single one for a short string."""
    widest = 1 if text.isascii() else 4
    step = max(_PIECE // widest, -(-len(text) // _PIECES))
    return [text[start : start + step] for start in range(0, len(text), step)] or [text]


def decode(stored: Mapping[str, object] | None) -> dict[str, object]:
    """What :func:`encode` was given. Anything else in the store is returned as it is: readers trust none of it."""
    held = stored or {}
    payload: dict[str, object] = {}
    for key, value in held.items():
        name, separator, kind = key.partition("-")
        if not separator:
            payload[name] = value
        elif kind == "parts" and type(value) is int:
            payload[name] = _joined(held, name, value)
        elif kind == "bool" and value in ("true", "false"):
            payload[name] = value == "true"
        elif kind == "int" and type(value) is int:
            payload[name] = value
        elif kind == "float" and type(value) is int:
            payload[name] = _double(value)
        elif kind != "text" and not kind.isdecimal():
            payload[key] = value
    return payload


def _encoded(key: str, value: Scalar) -> Metadata:
    if isinstance(value, bool):
        return {key + BOOL: "true" if value else "false"}
    if isinstance(value, int):
        return {key + INT: value}
    if isinstance(value, float):
        return {key + FLOAT: rank(value)}
    cut = pieces(value)
    if len(cut) > 1:
        return {key + PARTS: len(cut), **{f"{key}-{number}": piece for number, piece in enumerate(cut)}}
    return {key: value} if key in TAGS else {key: value, key + TEXT: 1}


def _joined(held: Mapping[str, object], name: str, count: int) -> str:
    found: list[str] = []
    for number in range(min(count, _PIECES)):
        piece = held.get(f"{name}-{number}")
        if not isinstance(piece, str):
            break
        found.append(piece)
    return "".join(found)


def _double(value: int) -> object:
    try:
        return unrank(value)
    except ValueError:
        return value
