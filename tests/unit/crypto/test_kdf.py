"""HMAC and length prefixes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto.kdf import Keyed, h16, hmac256, lp


def test_hmac_is_that_of_rfc_4231() -> None:
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac256(b"Jefe", b"what do ya want for nothing?").hex() == expected
    assert h16(b"Jefe", b"what do ya want for nothing?").hex() == expected[:32]
    keyed = Keyed(b"Jefe")
    assert [keyed.h16(b"what do ya want for nothing?").hex() for _ in range(2)] == [expected[:32]] * 2


@given(st.binary(min_size=1, max_size=80), st.lists(st.binary(max_size=200), max_size=3))
def test_a_key_that_is_hashed_in_once_hashes_as_one_that_is_given_anew(key: bytes, messages: list[bytes]) -> None:
    keyed = Keyed(key)
    assert [keyed.h16(message) for message in messages] == [h16(key, message) for message in messages]


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_two_lists_of_parts_never_join_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (lp(*one) == lp(*other)) == (one == other)
