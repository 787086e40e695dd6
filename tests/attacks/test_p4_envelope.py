"""P4: a sealed value opens only in its own place. Every way we know to move, cut, alter or forge one."""

from __future__ import annotations

import itertools
import os
import random
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto.armour import from_text
from securevec.crypto.context import Place, aad
from securevec.crypto.envelope import (
    open_sealed,
    read_key_id,
    seal,
)
from securevec.crypto.kdf import hmac256
from securevec.crypto.padding import Padding
from securevec.crypto.secret import Secret
from securevec.errors import EnvelopeRejected, UnknownEnvelope
from tests.support.sealed import BLOB, COLLECTION, KEY, PLACE, SECRET, TENANT, key, refuse

SUITES = pytest.mark.parametrize("suite", [1, 2, 3, 4])


# Rows 1 to 6 of the attack list: the same value in another place. The raw key is the same every time, so that nothing
# but the binding stands between the attacker and the value.
@pytest.mark.parametrize(
    "place",
    [
        PLACE._replace(tenant=b"t" * 16),
        PLACE._replace(collection=b"c" * 16),
        PLACE._replace(point=UUID(int=8)),
        PLACE._replace(point=uuid4()),
        PLACE._replace(field="vault"),
        PLACE._replace(field=""),
        PLACE._replace(field="Body"),
        PLACE._replace(tenant=COLLECTION, collection=TENANT),
        PLACE._replace(tenant=b"", collection=b""),
    ],
    ids=["tenant", "collection", "point", "random point", "vault", "no field", "case", "swapped ids", "installation"],
)
@SUITES
def test_a_value_moved_to_another_place_does_not_open(place: Place, suite: int) -> None:
    sealing = key(suite=suite)
    blob = seal(sealing, b"the value", PLACE)
    refuse(sealing, blob, place)
    # Also not when the reader's key is that of the other place and its raw bytes are the same.
    refuse(key(tenant=place.tenant, collection=place.collection, suite=suite), blob, place)


def test_a_value_of_one_epoch_does_not_open_in_another() -> None:
    refuse(key(epoch="r864000000/b86400000"), BLOB, PLACE)
    refuse(key(epoch="r0/neve"), BLOB, PLACE)


@pytest.mark.parametrize(
    "tagged", [b"\x01" + (7).to_bytes(8, "big"), b"\x037", b"\x02" + b"7" * 16, b"\x01" + bytes(15) + b"\x07"]
)
def test_a_point_id_of_another_type_is_another_place(tagged: bytes) -> None:
    head = aad(KEY._header, PLACE, KEY.epoch)
    ours = b"\x00\x00\x00\x11\x02" + UUID(int=7).bytes
    assert ours in head
    bound = head.replace(ours, len(tagged).to_bytes(4, "big") + tagged)
    nonce = os.urandom(12)
    forged = KEY._header + nonce + KEY._aead.encrypt(nonce, b"the value", bound)
    refuse(KEY, forged, PLACE)


# Row 7: shifting bytes between neighbouring parts must change what is authenticated.
PARTS = st.binary(max_size=4)
NAMES = st.text(st.sampled_from("ab-\0/é"), max_size=4)


@given(st.tuples(PARTS, PARTS, NAMES, NAMES), st.tuples(PARTS, PARTS, NAMES, NAMES))
def test_two_places_never_share_their_authenticated_bytes(
    one: tuple[bytes, bytes, str, str], other: tuple[bytes, bytes, str, str]
) -> None:
    def bound(parts: tuple[bytes, bytes, str, str]) -> bytes:
        tenant, collection, epoch, field = parts
        return aad(KEY._header, Place(tenant, collection, PLACE.point, field), epoch)

    assert (bound(one) == bound(other)) == (one == other)


@pytest.mark.parametrize("joint", ["", "-", "\0", "/"])
def test_joining_neighbours_differently_changes_the_place(joint: str) -> None:
    first, second = f"ab{joint}", f"a{joint}"
    assert aad(KEY._header, Place(b"x", first.encode(), PLACE.point, "f"), "c") != aad(
        KEY._header, Place(b"x", second.encode(), PLACE.point, "f"), "bc"
    )
    assert aad(KEY._header, Place(first.encode(), b"c", PLACE.point, "f"), "") != aad(
        KEY._header, Place(second.encode(), b"bc", PLACE.point, "f"), ""
    )


# Rows 8 to 10.
def attack_bytes(count: int, suite: int) -> None:
    generator = random.Random(8)
    sealing = key(suite=suite)
    for _ in range(count):
        place = PLACE._replace(point=UUID(int=generator.getrandbits(128)), field=generator.choice(["body", "vault"]))
        padding: Padding | None = generator.choice([None, "power-of-two"])
        blob = seal(sealing, generator.randbytes(generator.randrange(80)), place, padding=padding)
        for at in range(len(blob)):
            flipped = blob[:at] + bytes([blob[at] ^ (1 << generator.randrange(8))]) + blob[at + 1 :]
            with pytest.raises(EnvelopeRejected):
                open_sealed(sealing, flipped, place)
        for length in range(len(blob)):
            refuse(sealing, blob[:length], place)
        for tail in (b"\0", blob[-16:], blob):
            refuse(sealing, blob + tail, place)
        assert open_sealed(sealing, blob, place) is not None


@SUITES
def test_every_altered_byte_every_cut_and_every_addition_is_refused(suite: int) -> None:
    attack_bytes(15, suite)


@pytest.mark.soak
@SUITES
def test_every_altered_byte_every_cut_and_every_addition_is_refused_at_length(suite: int) -> None:
    attack_bytes(1_000, suite)


def test_every_single_bit_of_a_value_counts() -> None:
    for bit in range(len(BLOB) * 8):
        altered = bytearray(BLOB)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeRejected):
            open_sealed(KEY, bytes(altered), PLACE)


def test_parts_of_two_values_do_not_make_a_third() -> None:
    other = seal(KEY, b"the other", PLACE)
    for start, end in itertools.combinations([0, 8, 24, 36, 45, len(BLOB)], 2):
        mixed = BLOB[:start] + other[start:end] + BLOB[end:]
        if mixed not in (BLOB, other):
            refuse(KEY, mixed, PLACE)


# Rows 11 to 13: a header that names another format.
@pytest.mark.parametrize("at", range(2, 8), ids=["version", "suite", "flags", "flags", "schema", "schema"])
def test_a_rewritten_header_is_an_unknown_format_or_does_not_open(at: int) -> None:
    for value in range(256):
        # Other suites and flags of this release: they are read, and meet another key and another AAD.
        known = (at == 3 and 2 <= value <= 4) or (at == 5 and 1 <= value <= 3)
        if value != BLOB[at]:
            rewritten = BLOB[:at] + bytes([value]) + BLOB[at + 1 :]
            with pytest.raises(EnvelopeRejected if known else UnknownEnvelope):
                open_sealed(KEY, rewritten, PLACE)
            if not known:
                with pytest.raises(UnknownEnvelope):
                    read_key_id(rewritten)


def test_the_suite_decides_the_key_so_a_downgrade_meets_another() -> None:
    nonce, bound = os.urandom(12), aad(KEY._header, PLACE, KEY.epoch)
    other_suite = AESGCM(hmac256(SECRET.bytes(), b"securevec/aead/v1\x02"))
    refuse(KEY, KEY._header + nonce + other_suite.encrypt(nonce, b"value", bound), PLACE)
    refuse(KEY, KEY._header + nonce + AESGCM(SECRET.bytes()).encrypt(nonce, b"value", bound), PLACE)


# Row 14.
def test_another_key_does_not_open_it_under_any_id() -> None:
    refuse(key(Secret.random()), BLOB, PLACE)
    refuse(key(Secret.random(), key_id=b"k" * 16), BLOB, PLACE)
    # The right bytes under another id: the header names the key, and the id is authenticated.
    refuse(key(key_id=b"k" * 16), BLOB, PLACE)
    refuse(key(key_id=b"k" * 16), BLOB[:8] + b"k" * 16 + BLOB[24:], PLACE)


# Row 16: AES-GCM does not commit to its key. One ciphertext that opens under two keys, and why it is no use here.
def multiply(x: int, y: int) -> int:
    """In GF(2^128) with GCM's bit order (NIST SP 800-38D section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def invert(x: int) -> int:
    result, power = 1 << 127, x
    for _ in range(127):
        power = multiply(power, power)
        result = multiply(result, power)
    return result


def block(aes_key: bytes, value: bytes) -> int:
    encryptor = Cipher(algorithms.AES256(aes_key), modes.ECB()).encryptor()
    return int.from_bytes(encryptor.update(value) + encryptor.finalize(), "big")


def two_key_ciphertext(first: bytes, second: bytes, nonce: bytes, bound: bytes) -> bytes:
    """32 bytes and a tag that AES-GCM opens under both keys: the second block is solved for."""
    padded = bound + bytes(-len(bound) % 16)
    known = [int.from_bytes(padded[at : at + 16], "big") for at in range(0, len(padded), 16)]
    known.append(int.from_bytes(b"sixteen bytes, 1", "big"))
    lengths = (len(bound) * 8) << 64 | 32 * 8
    constants, squares = [], []
    for aes_key in (first, second):
        subkey = block(aes_key, bytes(16))
        running = 0
        for part in known:
            running = multiply(running ^ part, subkey)
        square = multiply(subkey, subkey)
        mask = block(aes_key, nonce + b"\0\0\0\1")
        constants.append(multiply(running, square) ^ multiply(lengths, subkey) ^ mask)
        squares.append(square)
    solved = multiply(constants[0] ^ constants[1], invert(squares[0] ^ squares[1]))
    tag = constants[0] ^ multiply(solved, squares[0])
    return b"sixteen bytes, 1" + solved.to_bytes(16, "big") + tag.to_bytes(16, "big")


def test_a_ciphertext_made_for_two_keys_opens_under_the_one_it_names() -> None:
    first, second = Secret.random(), Secret.random()
    one, other = key(first, key_id=b"1" * 16), key(second, key_id=b"2" * 16)
    nonce = os.urandom(12)
    bound = aad(one._header, PLACE, one.epoch)
    aead_keys = [hmac256(secret.bytes(), b"securevec/aead/v1\x01") for secret in (first, second)]
    forged = two_key_ciphertext(aead_keys[0], aead_keys[1], nonce, bound)
    # The construction works against AES-GCM as such:
    texts = {AESGCM(aead_key).decrypt(nonce, forged, bound) for aead_key in aead_keys}
    assert len(texts) == 2
    blob = one._header + nonce + forged
    assert open_sealed(one, blob, PLACE) in texts
    refuse(other, blob, PLACE)
    refuse(other, other._header + blob[24:], PLACE)


def test_in_the_committing_suite_a_ciphertext_for_two_keys_opens_under_the_one_it_commits_to() -> None:
    """For keys that somebody else chose, two under one id: there the key id commits to nothing."""
    first, second = Secret.random(), Secret.random()
    one, other = key(first, suite=2), key(second, suite=2)
    nonce = os.urandom(24)
    bound = aad(one._header, PLACE, one.epoch)
    bases = [hmac256(secret.bytes(), b"securevec/aead/v1\x02") for secret in (first, second)]
    keys = [hmac256(base, b"securevec/message-key/v1" + nonce) for base in bases]
    forged = two_key_ciphertext(keys[0], keys[1], bytes(12), bound)
    assert len({AESGCM(each).decrypt(bytes(12), forged, bound) for each in keys}) == 2
    commitments = [hmac256(base, b"securevec/message-commitment/v1" + nonce) for base in bases]
    blob = one._header + nonce + commitments[0] + forged
    assert len(open_sealed(one, blob, PLACE)) == 32
    refuse(other, blob, PLACE)
    refuse(one, one._header + nonce + commitments[1] + forged, PLACE)
    # Without the commitment both would open: this is what it is for.
    assert len(open_sealed(other, other._header + nonce + commitments[1] + forged, PLACE)) == 32


# Row 26: hostile bytes.
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_typed_error(blob: bytes) -> None:
    with pytest.raises(EnvelopeRejected):
        open_sealed(KEY, blob, PLACE)
    with pytest.raises(EnvelopeRejected):
        read_key_id(blob)


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_good_header_are_refused(rest: bytes) -> None:
    refuse(KEY, KEY._header + rest, PLACE)


@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_typed_error(text: str) -> None:
    with pytest.raises(EnvelopeRejected):
        read_key_id(from_text(text))
