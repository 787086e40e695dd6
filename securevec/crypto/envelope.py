"""Sealing and opening under a DEK, in one of the suites of wire format v1 (docs/formats.md section 3).

     0   2  magic "SV"                 8  16  key id
     2   1  version = 1               24  16  subject key id, only with flag 1
     3   1  suite, 1 to 4             ..  12  nonce, random (24 in suite 2, and 32 of commitment)
     4   2  flags: 1 subject, 2 pad   ..   n  ciphertext
     6   2  schema version = 1        ..  16  tag

GCM does not commit to its key: one ciphertext can be built to open under two. The header therefore names a key id
that is itself a commitment to one key (wrap.py), and a value is opened with that key or not at all. The AEAD key is
derived with the suite's number, so a value whose suite was rewritten meets another key.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag

from securevec.crypto import armour
from securevec.crypto.context import Place, aad, aad_head, aad_tail
from securevec.crypto.header import (
    MAX_BLOB,
    PADDED,
    REJECTED,
    SHORT,
    SUBJECT_BOUND,
    header_bytes,
    overhead,
    read_header,
)
from securevec.crypto.kdf import hmac256
from securevec.crypto.padding import Padding, pad, unpad
from securevec.crypto.secret import Secret
from securevec.crypto.suites import DEFAULT, NONCE_BYTES, Aead, aead
from securevec.errors import EnvelopeRejected, LimitExceeded, UsageError
from securevec.limits import MAX_RECORD_BYTES

_USUAL: Final = header_bytes(DEFAULT, 0, b"")
"""How the header of most envelopes begins; read without taking it apart, ten times a search."""
_SHORTEST: Final = overhead(DEFAULT)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SubjectKey:
    """The key of one data subject: what is sealed under it too is gone with it.

    ``key_id`` is 16 bytes, not secret; ``kind`` and ``name`` (16 bytes) are what the key store keeps it as, and
    ``tenant`` its raw id. The name of a person's is a token of this ``version`` of the tenant's token key.
    """

    key_id: bytes
    secret: Secret
    kind: str = "subject"
    name: bytes = b""
    tenant: bytes = b""
    version: int = 1

    def named_before(self, version: int) -> bool:
        """Whether it is a person's key whose name is a token of an earlier version than this."""
        return self.kind == "subject" and self.version < version

    def __repr__(self) -> str:
        return "SubjectKey(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SubjectKey is never pickled or copied")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DataKey:
    """A DEK ready for use: the AEAD keys are derived once, and the AAD up to the point is built once.

    ``key_id``, ``tenant`` and ``collection`` are 16 raw bytes each (tenant and collection are empty for the
    installation's own key); ``suite`` is what it seals in, it opens every one. Made by :func:`data_key`. Not picklable;
    ``repr`` shows only the purpose.
    """

    key_id: bytes
    tenant: bytes
    collection: bytes
    purpose: str
    epoch: str
    suite: int
    _aead: Aead
    _nonce: int
    _header: bytes
    _head: bytes
    _suite_keys: tuple[bytes, ...]
    _subject_base: bytes

    def __repr__(self) -> str:
        return f"DataKey(purpose={self.purpose!r}, <hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DataKey is never pickled or copied")

    def _cipher(self, suite: int, subject: SubjectKey | None) -> Aead:
        """The cipher for a header that is not this key's usual one."""
        if subject is None:
            return self._aead if suite == self.suite else aead(suite, self._suite_keys[suite - 1])
        return aead(suite, hmac256(self._subject_base, bytes([suite]) + subject.secret.bytes()))


def data_key(
    secret: Secret,
    *,
    key_id: bytes,
    tenant: bytes,
    collection: bytes,
    purpose: str,
    epoch: str,
    suite: int = DEFAULT,
) -> DataKey:
    """The usable form of a DEK. AEAD key = HMAC(DEK, label || suite): another suite meets another key.

    Raises :class:`UnsupportedPlatform` for a suite this machine has not.
    """
    header = header_bytes(suite, 0, key_id)
    dek = secret.bytes()
    keys = tuple(hmac256(dek, b"securevec/aead/v1" + bytes([number])) for number in NONCE_BYTES)
    return DataKey(
        key_id=key_id,
        tenant=tenant,
        collection=collection,
        purpose=purpose,
        epoch=epoch,
        suite=suite,
        _aead=aead(suite, keys[suite - 1]),
        _nonce=NONCE_BYTES[suite],
        _header=header,
        _head=aad_head(header, tenant, collection, epoch),
        _suite_keys=keys,
        _subject_base=hmac256(dek, b"securevec/subject-aead/v1"),
    )


def seal(
    key: DataKey, plaintext: bytes, place: Place, *, subject: SubjectKey | None = None, padding: Padding | None = None
) -> bytes:
    """An envelope that opens at ``place`` only, in suite 1 52 bytes longer than ``plaintext``.

    With ``subject`` it opens with that subject's key besides. Raises :class:`LimitExceeded` above 16 MiB and
    :class:`UsageError` when the key is another tenant's or collection's. The nonce is drawn for this call: a stock of
    nonces would be duplicated by ``fork``.
    """
    if len(plaintext) > MAX_RECORD_BYTES or place.tenant != key.tenant or place.collection != key.collection:
        _refuse_to_seal(plaintext)
    nonce = os.urandom(key._nonce)
    if subject is None and padding is None:
        bound = key._head + place.point.int.to_bytes(16, "big") + aad_tail(place.field)
        return key._header + nonce + key._aead.encrypt(nonce, plaintext, bound)
    flags = (SUBJECT_BOUND if subject is not None else 0) | (PADDED if padding is not None else 0)
    header = header_bytes(key.suite, flags, key.key_id, subject.key_id if subject is not None else b"")
    body = plaintext if padding is None else pad(plaintext, padding)
    return header + nonce + key._cipher(key.suite, subject).encrypt(nonce, body, aad(header, place, key.epoch))


def seal_batch(
    key: DataKey,
    items: Sequence[tuple[bytes, Place]],
    *,
    subject: SubjectKey | None = None,
    padding: Padding | None = None,
) -> list[bytes]:
    """Envelopes of ``(plaintext, place)``, in order, all of them with ``subject`` if there is one. Raises as
    :func:`seal`, and then returns none of them."""
    size = key._nonce
    nonces = os.urandom(size * len(items))
    header, head, encrypt = key._header, key._head, key._aead.encrypt
    if subject is not None or padding is not None:
        flags = (SUBJECT_BOUND if subject is not None else 0) | (PADDED if padding is not None else 0)
        header = header_bytes(key.suite, flags, key.key_id, subject.key_id if subject is not None else b"")
        head = aad_head(header, key.tenant, key.collection, key.epoch)
        encrypt = key._cipher(key.suite, subject).encrypt
    tenant, collection = key.tenant, key.collection
    sealed: list[bytes] = []
    field, tail = "", aad_tail("")
    start = 0
    for plaintext, place in items:
        if len(plaintext) > MAX_RECORD_BYTES or place.tenant != tenant or place.collection != collection:
            _refuse_to_seal(plaintext)
        nonce = nonces[start : start + size]
        start += size
        if place.field != field:
            field, tail = place.field, aad_tail(place.field)
        bound = head + place.point.int.to_bytes(16, "big") + tail
        sealed.append(header + nonce + encrypt(nonce, plaintext if padding is None else pad(plaintext, padding), bound))
    return sealed


def open_sealed(key: DataKey, blob: bytes, place: Place, *, subject: SubjectKey | None = None) -> bytes:
    """The plaintext, if ``blob`` was sealed with exactly this key (and subject) for exactly this place.

    Raises :class:`EnvelopeRejected` with one and the same message whatever did not fit; its kind
    :class:`UnknownEnvelope` where the header says another release's version, suite, flag or schema version.
    """
    start = SHORT + key._nonce
    usual = subject is None and blob[:SHORT] == key._header and start + 16 <= len(blob) <= MAX_BLOB
    if not usual or place.tenant != key.tenant or place.collection != key.collection:
        return _open_other(key, blob, place, subject)
    bound = key._head + place.point.int.to_bytes(16, "big") + aad_tail(place.field)
    try:
        plaintext = key._aead.decrypt(blob[SHORT:start], blob[start:], bound)
    except InvalidTag:
        raise EnvelopeRejected(REJECTED) from None
    if len(plaintext) > MAX_RECORD_BYTES:
        raise EnvelopeRejected(REJECTED)
    return plaintext


def _open_other(key: DataKey, blob: bytes, place: Place, subject: SubjectKey | None) -> bytes:
    """:func:`open_sealed` for another suite than the key seals in, with a subject or padding; or for what is none."""
    header = read_header(blob)
    if header.key_id != key.key_id or header.subject_id != (subject.key_id if subject is not None else b""):
        raise EnvelopeRejected(REJECTED)
    bound = aad(blob[: header.size], place, key.epoch)
    cipher = key._cipher(header.suite, subject)
    try:
        plaintext = cipher.decrypt(blob[header.size : header.start], blob[header.start :], bound)
    except InvalidTag:
        raise EnvelopeRejected(REJECTED) from None
    if len(plaintext) > MAX_RECORD_BYTES:
        raise EnvelopeRejected(REJECTED)
    return unpad(plaintext) if header.flags & PADDED else plaintext


def read_key_id(blob: bytes) -> bytes:
    """The 16-byte id of the key a blob claims to be sealed with. Nothing is authenticated yet.

    Raises :class:`EnvelopeRejected`; :class:`UnknownEnvelope`, a kind of it, for a format of another release.
    """
    return read_header(blob).key_id


def read_key_ids(blob: bytes) -> tuple[bytes, bytes]:
    """As :func:`read_key_id`, and the id of the subject's key that is needed besides, or nothing."""
    if blob[:8] == _USUAL and _SHORTEST <= len(blob) <= MAX_BLOB:
        return blob[8:SHORT], b""
    header = read_header(blob)
    return header.key_id, header.subject_id


def text_size(plaintext_bytes: int, *, suite: int = DEFAULT, subject: bool = False) -> int:
    """Bytes of text (:mod:`securevec.crypto.armour`) for an envelope of this suite around this many bytes."""
    return armour.text_size(plaintext_bytes + overhead(suite, subject=subject))


def _refuse_to_seal(plaintext: bytes) -> NoReturn:
    if len(plaintext) > MAX_RECORD_BYTES:
        raise LimitExceeded("A value is larger than one envelope takes.", next_step="The limit is 16 MiB.")
    raise UsageError("A value was to be sealed with the key of another tenant or collection.")
