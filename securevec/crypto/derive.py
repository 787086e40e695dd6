"""Ids and tokens under tenant and installation keys: docs/formats.md section 4, one function a row.

A store sees only what these return. Each has its own label and length-prefixed parts, so that a value in one role is
never equal to a value in another. Ids come in as 32 hex digits and enter the hash as 16 raw bytes.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from securevec.clock import to_ms
from securevec.crypto.kdf import Keyed, h16, h16_hex, lp
from securevec.errors import FilterError, LimitExceeded, RecordError, UsageError
from securevec.limits import MAX_ID_BYTES
from securevec.types import CollectionId, RecordRef, TenantId, Token

_HEX_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_NOT_UUID_8: Final = ~(0xF << 76 | 0b11 << 62)
_UUID_8: Final = 8 << 76 | 0b10 << 62
"""The version and variant bits of a UUID, and their values in version 8."""


def raw_id(identifier: str) -> bytes:
    """The 16 bytes of a tenant, collection or installation id. Raises :class:`UsageError` for any other spelling."""
    if _HEX_ID.match(identifier) is None:
        raise UsageError("An id is 32 lower-case hexadecimal digits.")
    return bytes.fromhex(identifier)


def typed_record_id(value: object) -> bytes:
    """The typed form of a record id: text, whole number and UUID never collide, ``7`` is not ``"7"``.

    Raises :class:`RecordError` for another type or lone surrogates, :class:`LimitExceeded` above 1 KiB.
    """
    if isinstance(value, str):
        text = _utf8(value)
        if text is None:
            raise RecordError("A record id is not valid Unicode text.")
        typed = b"s" + text
    elif isinstance(value, UUID):
        return b"u" + value.bytes
    elif isinstance(value, int) and not isinstance(value, bool):
        digits = _decimal(value)
        if digits is None:
            raise LimitExceeded("A record id is too long.", next_step="The limit is 1 KiB.")
        typed = b"i" + digits
    else:
        raise RecordError("A record id is text, a whole number or a UUID.")
    if len(typed) > 1 + MAX_ID_BYTES:
        raise LimitExceeded("A record id is too long.", next_step="The limit is 1 KiB.")
    return typed


class RecordIds:
    """Refs and point ids of one collection's records. What is the same for all of them is put together once.

    ``key`` is the tenant's ``id`` key. Raises :class:`UsageError` for what is no collection id.
    """

    __slots__ = ("_key", "_point", "_record")

    def __init__(self, key: bytes, collection: CollectionId) -> None:
        self._key = Keyed(key)
        place = lp(raw_id(collection))
        self._record = b"securevec/record/v1" + place
        self._point = b"securevec/point/v1" + place

    def ref(self, typed: bytes) -> RecordRef:
        """How the control store names a record. ``typed`` is what :func:`typed_record_id` made of its id."""
        return RecordRef(self._key.h16(self._record + len(typed).to_bytes(4, "big") + typed))

    def point(self, ref: RecordRef, generation: int, chunk: int) -> UUID:
        """The id of one chunk of one generation of a record: a version 8 UUID (RFC 9562 section 5.8)."""
        return UUID(int=self.point_number(ref, generation, chunk))

    def point_number(self, ref: RecordRef, generation: int, chunk: int) -> int:
        """The 128 bits of :meth:`point`, for comparing."""
        # The parts of lp(collection, ref), the first of which is joined already.
        place = self._point + len(ref).to_bytes(4, "big") + ref
        message = place + generation.to_bytes(8, "big") + chunk.to_bytes(4, "big")
        return int.from_bytes(self._key.h16(message), "big") & _NOT_UUID_8 | _UUID_8


def record_ref(key: bytes, collection: CollectionId, typed: bytes) -> RecordRef:
    """:meth:`RecordIds.ref` of one record."""
    return RecordIds(key, collection).ref(typed)


def point_id(key: bytes, collection: CollectionId, ref: RecordRef, generation: int, chunk: int) -> UUID:
    """:meth:`RecordIds.point` of one chunk."""
    return RecordIds(key, collection).point(ref, generation, chunk)


def shard(key: bytes, tenant: TenantId, collection: CollectionId) -> str:
    """Opaque name of a collection's own place in a store. ``key`` is the installation's ``namespaces`` key."""
    return h16_hex(key, b"securevec/shard/v1" + lp(raw_id(tenant), raw_id(collection)))


def tenant_tag(key: bytes, tenant: TenantId) -> str:
    """What every point of a tenant carries in a shared layout."""
    return h16_hex(key, b"securevec/tenant-tag/v1" + lp(raw_id(tenant)))


def collection_tag(key: bytes, tenant: TenantId, collection: CollectionId) -> str:
    """What every point of a collection carries in a shared layout."""
    return h16_hex(key, b"securevec/collection-tag/v1" + lp(raw_id(tenant), raw_id(collection)))


def tenant_name_token(key: bytes, name: str) -> bytes:
    """How the control store finds a tenant by name. ``key`` is the installation's ``names`` key."""
    return h16(key, b"securevec/tenant-name/v1" + lp(_name(name)))


def collection_name_token(key: bytes, tenant: TenantId, name: str) -> bytes:
    """How the control store finds a tenant's collection by name."""
    return h16(key, b"securevec/collection-name/v1" + lp(raw_id(tenant), _name(name)))


def classification_token(key: bytes, label: str) -> str:
    """What stands for a classification label in the control store. ``key`` is the installation's ``names`` key."""
    return h16_hex(key, b"securevec/classification/v1" + lp(_name(label)))


def model_token(key: bytes, name: str) -> str:
    """What the audit log calls a model. ``key`` is the installation's ``names`` key."""
    return h16_hex(key, b"securevec/model/v1" + lp(_name(name)))


def subject_token(key: bytes | Keyed, entity: str, normalized: str) -> Token:
    """What links equal values inside one tenant. ``key`` is the tenant's ``token`` key; the value is normalized.

    Whoever asks for many gives the key with its hash begun.

    Raises :class:`UsageError` on lone surrogates.
    """
    value = _utf8(normalized)
    if value is None:
        raise UsageError("A value is not valid Unicode text.")
    message = b"securevec/token/v1" + lp(entity.encode(), value)
    return Token(h16(key, message) if isinstance(key, bytes) else key.h16(message))


def lifted_token(key: bytes, token: bytes) -> Token:
    """The token of the same value one version of the ``token`` key later. ``key`` is the key of that version."""
    return Token(h16(key, b"securevec/token-lift/v1" + lp(token)))


def lift(keys: Sequence[bytes], token: Token) -> Token:
    """The token under the last of these versions of the key, in order; the token itself where there is none."""
    for key in keys:
        token = lifted_token(key, token)
    return token


def filter_token(key: bytes, collection: CollectionId, field: str, value: str | int | float | bool | datetime) -> str:
    """What the store sees of a tokenized filter value: equality within one field of one collection, nothing else.

    Values that compare equal give one token: ``1`` and ``1.0``, a datetime and its milliseconds. Raises
    :class:`FilterError` for NaN, infinities, naive datetimes and lone surrogates.
    """
    tag, canonical = _canonical(value)
    message = b"securevec/filter/v1" + lp(raw_id(collection), field.encode(), tag, canonical)
    return h16_hex(key, message)


def term_index(key: bytes, collection: CollectionId, analyzer: str, term: str) -> int:
    """What the store sees of a word in a hybrid collection: 32 bits, equal within one collection only.

    ``key`` is the collection's ``filter`` key.
    """
    message = b"securevec/term/v1" + lp(raw_id(collection), analyzer.encode(), term.encode())
    return int.from_bytes(h16(key, message)[:4], "big")


def content_digest(key: bytes, collection: CollectionId, canonical: bytes, identity: bytes) -> bytes:
    """Tells whether a record changed since its last ingest, or would be treated differently today.

    ``key`` is the tenant's ``content`` key; ``canonical`` the canonical record; ``identity`` the digest of schema,
    detector, policy and model.
    """
    return h16(key, b"securevec/content/v1" + lp(raw_id(collection), canonical, identity))


def cursor_mac(key: bytes, collection: CollectionId, ref: RecordRef) -> bytes:
    """What makes a cursor one of this tenant's and collection's. ``key`` is the tenant's ``id`` key."""
    return h16(key, b"securevec/cursor/v1" + lp(raw_id(collection), ref))


def source_token(key: bytes, collection: CollectionId, name: bytes) -> bytes:
    """How the control store names a source of files. ``key`` is the tenant's ``id`` key; file systems name in bytes."""
    return h16(key, b"securevec/source/v1" + lp(raw_id(collection), name))


def file_digest(key: bytes, collection: CollectionId, ref: RecordRef, content: bytes, identity: bytes) -> bytes:
    """Tells whether a document changed since it was read, or would be read differently today.

    ``key`` is the tenant's ``content`` key; ``content`` the SHA-256 of the file; ``identity`` names how it is read.
    """
    return h16(key, b"securevec/source-file/v1" + lp(raw_id(collection), ref, content, identity))


def member_token(key: bytes, collection: CollectionId, path: bytes) -> bytes:
    """Which file of rows a record came from. ``key`` is the tenant's ``content`` key."""
    return h16(key, b"securevec/source-member/v1" + lp(raw_id(collection), path))


def _canonical(value: str | int | float | bool | datetime) -> tuple[bytes, bytes]:
    """Type tag and bytes: ``s`` UTF-8, ``i`` ASCII decimal, ``f`` IEEE 754 double, ``b`` one byte 0 or 1."""
    if isinstance(value, bool):
        return b"b", b"\x01" if value else b"\x00"
    if isinstance(value, str):
        text = _utf8(value)
        if text is None:
            raise FilterError("A filter value is not valid Unicode text.")
        return b"s", text
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FilterError("A datetime without a time zone cannot be compared.", next_step="Attach a time zone.")
        value = to_ms(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FilterError("A filter value is not a finite number.")
        if not value.is_integer():
            return b"f", struct.pack(">d", value)
        value = int(value)
    digits = _decimal(value)
    if digits is None:
        raise FilterError("A filter value is too large a number.")
    return b"i", digits


def _decimal(value: int) -> bytes | None:
    # Python itself refuses to print numbers of some thousand digits, with an error of its own.
    return None if value.bit_length() > MAX_ID_BYTES * 4 else str(value).encode("ascii")


def _name(name: str) -> bytes:
    text = _utf8(name)
    if text is None:
        raise UsageError("A name is not valid Unicode text.")
    return text


def _utf8(value: str) -> bytes | None:
    """``None`` for lone surrogates: the codec's own error carries the text, so callers raise outside its handler."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return None
