"""HMAC and length prefixes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto.kdf import h16, hmac256, lp


def test_hmac_is_that_of_rfc_4231() -> None:
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac256(b"Jefe", b"what do ya want for nothing?").hex() == expected
    assert h16(b"Jefe", b"what do ya want for nothing?").hex() == expected[:32]


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_two_lists_of_parts_never_join_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (lp(*one) == lp(*other)) == (one == other)
