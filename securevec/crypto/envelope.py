"""Wire format v1, suite 1: AES-256-GCM under a key derived from a DEK (docs/formats.md section 3).

     0   2  magic "SV"          6   2  schema version = 1        36   n  ciphertext
     2   1  version = 1         8  16  key id                    ..  16  tag
     3   1  suite = 1          24  12  nonce, random
     4   2  flags = 0

GCM does not commit to its key: one ciphertext can be built to open under two. The header therefore names a key id
that is itself a commitment to one key (wrap.py), and a value is opened with that key or not at all.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from securevec.crypto.context import Place, aad, aad_head, aad_tail
from securevec.crypto.kdf import hmac256
from securevec.crypto.secret import Secret
from securevec.errors import EnvelopeRejected, LimitExceeded, UnknownFormat, UsageError
from securevec.limits import MAX_RECORD_BYTES

SUITE: Final = 1
_MAGIC: Final = b"SV"
_PREFIX: Final = b"SV\x01\x01\x00\x00\x00\x01"
"""Magic, version 1, suite 1, flags 0, schema version 1."""
_HEADER: Final = 24
_NONCE: Final = 12
_START: Final = _HEADER + _NONCE
OVERHEAD: Final = _START + 16
"""Bytes an envelope is longer than its plaintext."""
_MAX_BLOB: Final = MAX_RECORD_BYTES + OVERHEAD

_REJECTED: Final = "A sealed value does not open in this place."


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DataKey:
    """A DEK ready for use: the AEAD key is derived once, and the AAD up to the point is built once.

    ``key_id``, ``tenant`` and ``collection`` are 16 raw bytes each (tenant and collection are empty for the
    installation's own key). Made by :func:`data_key`. Not picklable; ``repr`` shows only the purpose.
    """

    key_id: bytes
    tenant: bytes
    collection: bytes
    purpose: str
    epoch: str
    _aead: AESGCM
    _header: bytes
    _head: bytes

    def __repr__(self) -> str:
        return f"DataKey(purpose={self.purpose!r}, <hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DataKey is never pickled or copied")


def data_key(secret: Secret, *, key_id: bytes, tenant: bytes, collection: bytes, purpose: str, epoch: str) -> DataKey:
    """The usable form of a DEK. AEAD key = HMAC(DEK, label || suite): another suite meets another key."""
    header = _PREFIX + key_id
    return DataKey(
        key_id=key_id,
        tenant=tenant,
        collection=collection,
        purpose=purpose,
        epoch=epoch,
        _aead=AESGCM(hmac256(secret.bytes(), b"securevec/aead/v1" + bytes([SUITE]))),
        _header=header,
        _head=aad_head(header, tenant, collection, epoch),
    )


def seal(key: DataKey, plaintext: bytes, place: Place) -> bytes:
    """An envelope that opens at ``place`` only, 52 bytes longer than ``plaintext``.

    Raises :class:`LimitExceeded` above 16 MiB and :class:`UsageError` when the key is another tenant's or
    collection's. The nonce is drawn for this call: a stock of nonces would be duplicated by ``fork``.
    """
    if len(plaintext) > MAX_RECORD_BYTES or place.tenant != key.tenant or place.collection != key.collection:
        _refuse_to_seal(plaintext)
    nonce = os.urandom(_NONCE)
    bound = key._head + place.point.int.to_bytes(16, "big") + aad_tail(place.field)
    return key._header + nonce + key._aead.encrypt(nonce, plaintext, bound)


def seal_batch(key: DataKey, items: Sequence[tuple[bytes, Place]]) -> list[bytes]:
    """Envelopes of ``(plaintext, place)``, in order. Raises as :func:`seal`, and then returns none of them."""
    nonces = os.urandom(_NONCE * len(items))
    head, header, encrypt = key._head, key._header, key._aead.encrypt
    tenant, collection = key.tenant, key.collection
    sealed: list[bytes] = []
    field, tail = "", aad_tail("")
    start = 0
    for plaintext, place in items:
        if len(plaintext) > MAX_RECORD_BYTES or place.tenant != tenant or place.collection != collection:
            _refuse_to_seal(plaintext)
        nonce = nonces[start : start + _NONCE]
        start += _NONCE
        if place.field != field:
            field, tail = place.field, aad_tail(place.field)
        bound = head + place.point.int.to_bytes(16, "big") + tail
        sealed.append(header + nonce + encrypt(nonce, plaintext, bound))
    return sealed


def open_sealed(key: DataKey, blob: bytes, place: Place) -> bytes:
    """The plaintext, if ``blob`` was sealed with exactly this key for exactly this place.

    Raises :class:`EnvelopeRejected` with one and the same message whatever did not fit, and :class:`UnknownFormat`
    for a version, suite, flag or schema version of another release.
    """
    if blob[:_HEADER] != key._header or not OVERHEAD <= len(blob) <= _MAX_BLOB:
        read_key_id(blob)
        raise EnvelopeRejected(_REJECTED)
    if place.tenant == key.tenant and place.collection == key.collection:
        bound = key._head + place.point.int.to_bytes(16, "big") + aad_tail(place.field)
    else:
        bound = aad(key._header, place, key.epoch)
    try:
        return key._aead.decrypt(blob[_HEADER:_START], blob[_START:], bound)
    except InvalidTag:
        raise EnvelopeRejected(_REJECTED) from None


def read_key_id(blob: bytes) -> bytes:
    """The 16-byte id of the key a blob claims to be sealed with. Nothing is authenticated yet.

    Raises :class:`EnvelopeRejected` for what is not an envelope and :class:`UnknownFormat` for one of another release.
    """
    if len(blob) < OVERHEAD or len(blob) > _MAX_BLOB or blob[:2] != _MAGIC:
        raise EnvelopeRejected(_REJECTED)
    if blob[:8] != _PREFIX:
        raise UnknownFormat(
            "A sealed value has a version, suite or flag this release does not read.",
            next_step="Read it with the release that wrote it, or upgrade.",
        )
    return blob[8:_HEADER]


def to_text(blob: bytes) -> str:
    """Standard base64 with padding, no line breaks (RFC 4648 section 4)."""
    return binascii.b2a_base64(blob, newline=False).decode("ascii")


def text_size(plaintext_bytes: int) -> int:
    """Characters of :func:`to_text` for an envelope around this many bytes."""
    return -(-(plaintext_bytes + OVERHEAD) // 3) * 4


def from_text(text: object) -> bytes:
    """The blob of :func:`to_text`. Raises :class:`EnvelopeRejected` for anything else, also for other spellings of
    the same bytes: one blob has one text."""
    if not isinstance(text, str) or len(text) > _MAX_BLOB * 2:
        raise EnvelopeRejected(_REJECTED)
    try:
        blob = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise EnvelopeRejected(_REJECTED) from None
    # The strict mode still lets set bits behind the last byte pass: second texts of the same blob.
    if not text.endswith(to_text(blob[-(len(blob) % 3 or 3) :])):
        raise EnvelopeRejected(_REJECTED)
    return blob


def _refuse_to_seal(plaintext: bytes) -> NoReturn:
    if len(plaintext) > MAX_RECORD_BYTES:
        raise LimitExceeded("A value is larger than one envelope takes.", next_step="The limit is 16 MiB.")
    raise UsageError("A value was to be sealed with the key of another tenant or collection.")
