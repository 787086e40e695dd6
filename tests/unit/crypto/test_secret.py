"""Secrets hide, do not travel, and are not used after they were wiped."""

from __future__ import annotations

import copy
import pickle

import pytest

from securevec.crypto.secret import Secret
from securevec.errors import KeyUnavailable


def test_a_secret_never_shows_itself() -> None:
    secret = Secret(b"\xabcanary" * 4 + b"1234")
    assert "canary" not in repr(secret) + str(secret) + f"{secret}"


def test_a_secret_is_not_pickled_copied_or_hashed() -> None:
    secret = Secret.random()
    for travel in (pickle.dumps, copy.copy, copy.deepcopy, hash):
        with pytest.raises(TypeError):
            travel(secret)


def test_a_wiped_secret_is_refused_instead_of_used_as_zeros() -> None:
    secret = Secret.random()
    secret.wipe()
    secret.wipe()
    with pytest.raises(KeyUnavailable):
        secret.bytes()
    assert bytes(secret._buffer) == bytes(32)


def test_secrets_compare_by_value() -> None:
    assert Secret(b"a" * 32) == Secret(bytearray(b"a" * 32))
    assert Secret(b"a" * 32) != Secret(b"b" * 32)
    assert Secret(b"a" * 32) != b"a" * 32


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_secret_is_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Secret(bytes(length))
