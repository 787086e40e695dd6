"""Check digits in few operations are those of the textbook, and entropy is that of its formula to the last bit."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from securevec.anonymize.rules.checksums import alnum, digits_of, luhn
from securevec.anonymize.rules.credentials import entropy
from securevec.anonymize.rules.national import _D, aadhaar

DIGITS = st.text(alphabet="0123456789", max_size=20)


@given(DIGITS)
def test_luhn_is_that_of_the_standard(digits: str) -> None:
    total = sum(sum(divmod(int(char) * (1 + place % 2), 10)) for place, char in enumerate(reversed(digits)))
    assert luhn(digits) == (bool(digits) and total % 10 == 0)


@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.sampled_from("23456789"))
def test_one_last_digit_of_ten_makes_an_aadhaar_number(digits: str, first: str) -> None:
    def verhoeff(number: str) -> int:
        check, permutation = 0, list(range(10))
        for char in reversed(number):
            check = int(_D[check * 10 + permutation[int(char)]])
            permutation = [(1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[place] for place in permutation]
        return check

    numbers = [first + digits[1:] + last for last in "0123456789"]
    assert [aadhaar(number) for number in numbers] == [
        verhoeff(number) == 0 and len(set(number)) > 1 for number in numbers
    ]
    assert sum(verhoeff(number) == 0 for number in numbers) == 1


@given(st.text(alphabet="aAbZ09é٣² -.'", max_size=30))
def test_letters_and_digits_are_picked_one_by_one(value: str) -> None:
    assert digits_of(value) == "".join(char for char in value if "0" <= char <= "9")
    assert alnum(value) == "".join(filter(str.isalnum, value)).upper()
    counted = Counter(value).values()
    assert entropy(value) == (-sum(n / len(value) * math.log2(n / len(value)) for n in counted) if value else 0.0)
