"""Ed25519 signatures and the public key file."""

from __future__ import annotations

import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey, load_public_pem, verify
from securevec.errors import CheckFailed, UsageError


def test_signatures_are_those_of_rfc_8032() -> None:
    # RFC 8032, section 7.1, test 2.
    key = SigningKey(Secret(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")))
    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_a_changed_message_signature_or_key_is_refused() -> None:
    key, other = SigningKey(Secret.random()), SigningKey(Secret.random())
    signature = key.sign(b"message")
    verify(key.public, signature, b"message")
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for public, sig, message in (
        (key.public, signature, b"massage"),
        (key.public, flipped, b"message"),
        (other.public, signature, b"message"),
        (key.public[:31], signature, b"message"),
        (key.public, signature + b"\0", b"message"),
        (key.public, b"", b"message"),
        (b"\xff" * 32, signature, b"message"),
    ):
        with pytest.raises(CheckFailed):
            verify(public, sig, message)


def test_the_public_key_file_reads_back() -> None:
    key = SigningKey(Secret.random())
    assert load_public_pem(key.public_pem()) == key.public


def test_only_an_ed25519_public_key_file_is_taken() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    pem = SigningKey(Secret.random()).public_pem()
    private = SigningKey(Secret.random())._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    foreign = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (b"", b"not a key", pem[:40], foreign, private, pem * 100):
        with pytest.raises(UsageError):
            load_public_pem(data)


def test_a_signing_key_hides_and_does_not_travel() -> None:
    key = SigningKey(Secret.random())
    assert repr(key) == "SigningKey(<hidden>)"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_public_key_file_as_large_as_a_disk_is_not_parsed() -> None:
    pem = SigningKey(Secret(bytes(32))).public_pem()
    load_public_pem(pem)
    with pytest.raises(UsageError):
        load_public_pem(pem + b"\n" * (4 << 20))
