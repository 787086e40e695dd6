"""What a sealed value is bound to: the additional authenticated data of wire format v1 (docs/formats.md section 3).

Everything here is known to the reader before it looks at the row: the place it is reading and the epoch that the key
store holds for the key. Nothing of it is taken from the row, so a value moved elsewhere does not open.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from securevec.crypto.kdf import lp

_LABEL: Final = b"securevec/aad/v1"
_UUID_POINT: Final = b"\x00\x00\x00\x11\x02"
"""LP header of a 17-byte point and the tag of a UUID; other stores' id types have other tags."""


class Place(NamedTuple):
    """Where a value lives. ``tenant`` and ``collection`` are the 16 raw bytes of their ids, both empty for values of
    the installation itself; ``point`` is the point's id; ``field`` is ``body``, ``vault`` or another named path."""

    tenant: bytes
    collection: bytes
    point: UUID
    field: str


def aad(header: bytes, place: Place, epoch: str) -> bytes:
    """The AAD for a value with these header bytes before its nonce at this place, under a key of this epoch."""
    return (
        aad_head(header, place.tenant, place.collection, epoch)
        + place.point.int.to_bytes(16, "big")
        + aad_tail(place.field)
    )


def aad_head(header: bytes, tenant: bytes, collection: bytes, epoch: str) -> bytes:
    """The AAD up to and including the point's type tag: the same for every value under one key."""
    return _LABEL + header + lp(tenant, collection, epoch.encode()) + _UUID_POINT


@lru_cache(maxsize=256)
def aad_tail(field: str) -> bytes:
    """The AAD after the point's 16 bytes: field path, and the generation, which is empty in v1."""
    return lp(field.encode(), b"")
