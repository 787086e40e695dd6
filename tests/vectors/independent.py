"""A second reader of docs/formats.md, sections 1.2, 2, 3, 4, 5.5, 8 (public key file) and the packed texts of 5.1.

Written from that page only. It imports nothing of securevec, builds every byte string by hand and is deliberately
plain. What the library writes must be readable here, and what is derived here must be what the library derives.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV, ChaCha20Poly1305


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def mac16(key: bytes, message: bytes) -> bytes:
    return mac(key, message)[:16]


def prefixed(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


# -- section 1.2


def read_root_key_file(text: str) -> tuple[str, bytes]:
    first, second, third, rest = text.split("\n")
    assert first == "securevec-root-key 1"
    assert rest == ""
    assert second.startswith("id ")
    assert third.startswith("key ")
    key = base64.b64decode(third[4:], validate=True)
    assert len(key) == 32
    assert mac(key, b"securevec/rootid/v1")[:8].hex() == second[3:]
    return second[3:], key


# -- section 2


def commitment(secret: bytes, kind: str, tenant: bytes, collection: bytes, purpose: str, epoch: str) -> bytes:
    message = b"securevec/keyid/v1"
    message += prefixed(kind.encode()) + prefixed(tenant) + prefixed(collection)
    message += prefixed(purpose.encode()) + prefixed(epoch.encode())
    return mac(secret, message)


def unwrap(
    wrapping_key: bytes,
    wrapped: bytes,
    *,
    kind: str,
    tenant: bytes,
    collection: bytes,
    purpose: str,
    epoch: str,
    key_id: bytes,
    wrapping_key_id: bytes,
    state: str,
) -> bytes:
    assert len(wrapped) == 48
    bound = b"securevec/wrap/v2"
    for part in (
        kind.encode(),
        tenant,
        collection,
        purpose.encode(),
        epoch.encode(),
        key_id,
        wrapping_key_id,
        state.encode(),
    ):
        bound += prefixed(part)
    cipher = AESGCM(mac(wrapping_key, b"securevec/wrapkey/v2"))
    nonce = mac(mac(wrapping_key, b"securevec/wrapnonce/v2"), bound)[:12]
    return cipher.decrypt(nonce, wrapped, bound)


# -- section 3


def envelope_aad(header: bytes, tenant: bytes, collection: bytes, epoch: str, point: bytes, field: str) -> bytes:
    assert len(header) in (24, 40)
    assert len(point) == 16
    bound = b"securevec/aad/v1" + header
    bound += prefixed(tenant) + prefixed(collection) + prefixed(epoch.encode())
    bound += prefixed(b"\x02" + point)
    bound += prefixed(field.encode())
    bound += prefixed(b"")
    return bound


def open_envelope(
    dek: bytes,
    blob: bytes,
    *,
    tenant: bytes,
    collection: bytes,
    epoch: str,
    point: bytes,
    field: str,
    subject_key: bytes = b"",
) -> bytes:
    assert blob[0:2] == b"SV"
    assert blob[2] == 1
    assert blob[4] == 0
    assert blob[5] in (0, 1, 2, 3)
    assert blob[6:8] == b"\0\1"
    suite, with_subject, padded = blob[3], blob[5] in (1, 3), blob[5] in (2, 3)
    assert with_subject == bool(subject_key)
    header = blob[:40] if with_subject else blob[:24]
    bound = envelope_aad(header, tenant, collection, epoch, point, field)
    rest = blob[len(header) :]
    if with_subject:
        key = mac(mac(dek, b"securevec/subject-aead/v1"), blob[3:4] + subject_key)
    else:
        key = mac(dek, b"securevec/aead/v1" + blob[3:4])
    if suite == 1:
        text = AESGCM(key).decrypt(rest[:12], rest[12:], bound)
    elif suite == 2:
        nonce, committed, sealed = rest[:24], rest[24:56], rest[56:]
        assert mac(key, b"securevec/message-commitment/v1" + nonce) == committed
        text = AESGCM(mac(key, b"securevec/message-key/v1" + nonce)).decrypt(bytes(12), sealed, bound)
    elif suite == 3:
        text = AESGCMSIV(key).decrypt(rest[:12], rest[12:], bound)
    else:
        assert suite == 4
        text = ChaCha20Poly1305(key).decrypt(rest[:12], rest[12:], bound)
    if padded:
        while text[-1] == 0:
            text = text[:-1]
        assert text[-1] == 0x80
        text = text[:-1]
    return text


# -- section 3.1


def read_text(text: str) -> bytes:
    letters = [chr(number) for number in range(0x21, 0x7F)]
    letters.remove('"')
    letters.remove("\\")
    digits: list[str] = [one + two for one in letters for two in letters]
    digits += [chr(number) for number in range(0xA0, 0x800)]
    assert len(digits) == 10_352
    numbers = {digit: number for number, digit in enumerate(digits)}
    raw = text.encode()
    values = [numbers[raw[at : at + 2].decode()] for at in range(0, len(raw), 2)]
    blob = b""
    while values:
        group, values = values[:3], values[3:]
        value = 0
        for digit in group:
            value = value * 10_352 + digit
        if len(group) == 1:
            blob += value.to_bytes(1, "big")
        elif len(group) == 2:
            blob += value.to_bytes(3, "big") if value < 2**24 else (value - 2**24).to_bytes(2, "big")
        else:
            assert value < 2**40 or not values
            blob += value.to_bytes(5, "big") if value < 2**40 else (value - 2**40).to_bytes(4, "big")
    return blob


# -- section 4


def record_ref(id_key: bytes, collection: bytes, typed: bytes) -> bytes:
    return mac16(id_key, b"securevec/record/v1" + prefixed(collection) + prefixed(typed))


def point_id(id_key: bytes, collection: bytes, ref: bytes, generation: int, chunk: int) -> bytes:
    message = b"securevec/point/v1" + prefixed(collection) + prefixed(ref) + struct.pack(">QI", generation, chunk)
    raw = bytearray(mac16(id_key, message))
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)


def shard(key: bytes, tenant: bytes, collection: bytes) -> bytes:
    return mac16(key, b"securevec/shard/v1" + prefixed(tenant) + prefixed(collection))


def tenant_tag(key: bytes, tenant: bytes) -> bytes:
    return mac16(key, b"securevec/tenant-tag/v1" + prefixed(tenant))


def collection_tag(key: bytes, tenant: bytes, collection: bytes) -> bytes:
    return mac16(key, b"securevec/collection-tag/v1" + prefixed(tenant) + prefixed(collection))


def tenant_name_token(key: bytes, name: str) -> bytes:
    return mac16(key, b"securevec/tenant-name/v1" + prefixed(name.encode()))


def collection_name_token(key: bytes, tenant: bytes, name: str) -> bytes:
    return mac16(key, b"securevec/collection-name/v1" + prefixed(tenant) + prefixed(name.encode()))


def subject_token(key: bytes, entity: str, normalized: str) -> bytes:
    return mac16(key, b"securevec/token/v1" + prefixed(entity.encode()) + prefixed(normalized.encode()))


def next_subject_token(key: bytes, token: bytes) -> bytes:
    return mac16(key, b"securevec/token-lift/v1" + prefixed(token))


def filter_token(key: bytes, collection: bytes, field: str, tag: str, canonical: bytes) -> bytes:
    message = b"securevec/filter/v1" + prefixed(collection) + prefixed(field.encode())
    return mac16(key, message + prefixed(tag.encode()) + prefixed(canonical))


def content_digest(key: bytes, collection: bytes, canonical: bytes, identity: bytes) -> bytes:
    message = b"securevec/content/v1" + prefixed(collection) + prefixed(canonical) + prefixed(identity)
    return mac16(key, message)


def source_token(key: bytes, collection: bytes, name: bytes) -> bytes:
    return mac16(key, b"securevec/source/v1" + prefixed(collection) + prefixed(name))


def file_digest(key: bytes, collection: bytes, ref: bytes, content: bytes, how: bytes) -> bytes:
    message = b"securevec/source-file/v1" + prefixed(collection) + prefixed(ref) + prefixed(content) + prefixed(how)
    return mac16(key, message)


def member_token(key: bytes, collection: bytes, path: bytes) -> bytes:
    return mac16(key, b"securevec/source-member/v1" + prefixed(collection) + prefixed(path))


# -- section 5.1


def packed_text(data: bytes) -> str:
    bits = "".join(f"{byte:08b}"[::-1] for byte in data)
    letters = [chr(int(bits[at : at + 7][::-1], 2)) for at in range(0, len(bits) - 6, 7)]
    if len(data) % 7 == 0 and letters and letters[-1] == "\0":
        letters.pop()
    return "".join(letters)


# -- section 5.5, with floats of Python alone: agreement is up to rounding


def cloak_digest(key: bytes, collection: bytes, dimension: int, noise: str) -> bytes:
    message = b"securevec/cloak-id/v1" + prefixed(collection) + prefixed(struct.pack(">I", dimension))
    return mac16(key, message + prefixed(noise.encode()))


def _keystream(key: bytes, counter: bytes, length: int) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(bytes(length))


def _box_muller(uniforms: list[float]) -> list[float]:
    half = len(uniforms) // 2
    pairs = list(zip(uniforms[:half], uniforms[half:], strict=True))
    cosines = [math.sqrt(-2 * math.log(one)) * math.cos(2 * math.pi * two) for one, two in pairs]
    return cosines + [math.sqrt(-2 * math.log(one)) * math.sin(2 * math.pi * two) for one, two in pairs]


def cloak_rotation(key: bytes, collection: bytes, dimension: int) -> list[list[float]]:
    """The columns of the rotation, by Gram and Schmidt: the QR factor with a positive diagonal."""
    derived = mac(key, b"securevec/cloak-rotation/v1" + prefixed(collection) + prefixed(struct.pack(">I", dimension)))
    drawn = (dimension * dimension + 1) // 2 * 2
    words = struct.unpack(f"<{drawn}Q", _keystream(derived, bytes(16), 8 * drawn))
    normals = _box_muller([((word >> 11) + 0.5) / 2**53 for word in words])
    columns: list[list[float]] = []
    for number in range(dimension):
        column = [normals[row * dimension + number] for row in range(dimension)]
        for _ in range(2):
            for earlier in columns:
                along = sum(one * two for one, two in zip(column, earlier, strict=True))
                column = [one - along * two for one, two in zip(column, earlier, strict=True)]
        length = math.sqrt(sum(one * one for one in column))
        columns.append([one / length for one in column])
    return columns


def rotate(columns: list[list[float]], vector: list[float]) -> list[float]:
    return [sum(columns[at][row] * vector[at] for at in range(len(vector))) for row in range(len(vector))]


def cloak_noise(key: bytes, collection: bytes, dimension: int, noise: float, text: str) -> list[float]:
    place = prefixed(collection) + prefixed(struct.pack(">I", dimension))
    stream_key = mac(key, b"securevec/cloak-noise/v1" + place)
    nonce = mac(mac(key, b"securevec/cloak-seed/v1" + place), text.encode())[:12]
    drawn = 1 + (dimension + 1) // 2 * 2
    words = struct.unpack(f"<{drawn}I", _keystream(stream_key, nonce + bytes(4), 4 * drawn))
    uniforms = [((word >> 8) + 0.5) / 2**24 for word in words]
    normals = _box_muller(uniforms[1:])[:dimension]
    length = math.sqrt(sum(one * one for one in normals))
    return [one / length * noise / 4 * uniforms[0] ** (1 / dimension) for one in normals]


# -- section 8


def read_public_pem(text: str) -> bytes:
    lines = text.split("\n")
    assert lines[0] == "-----BEGIN PUBLIC KEY-----"
    assert lines[2:] == ["-----END PUBLIC KEY-----", ""]
    der = base64.b64decode(lines[1], validate=True)
    # RFC 8410: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }
    assert der[:12] == bytes.fromhex("302a300506032b6570032100")
    assert len(der) == 44
    return der[12:]
