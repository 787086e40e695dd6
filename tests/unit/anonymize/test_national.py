"""Check rules of national numbers: a wrong digit, and two that changed places, are noticed as far as the rule can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from securevec.anonymize.rules import national, validators

Check = Callable[[str], bool]

ONE_WRONG_DIGIT: list[tuple[Check, str]] = [
    (national.personnummer, "811228-9874"),
    (national.fodselsnummer, "11077941012"),
    (national.hetu, "131052-308T"),
    (national.pps, "1234567T"),
    (national.rijksregister, "85.07.30-033.28"),
    (national.ahv, "756.9217.0769.85"),
    (national.kimlik, "10000000146"),
    (national.za_id, "8001015009087"),
    (national.nric, "S0000001I"),
    (national.pesel, "44051401359"),
    (national.steuer_id, "86095742719"),
    (validators.aba, "021000021"),
]
WEAKER: list[tuple[Check, str]] = [
    # 10 and 11 both become 0, so one wrong digit in many passes.
    (national.nif, "123456789"),
    (national.svnr, "1237 010180"),
    (national.utr, "1955839661"),
    (national.inn, "7707083893"),
    (national.inn, "500100732259"),
    (national.snils, "112-233-445 95"),
]


def _neighbours(value: str) -> list[str]:
    return [
        value[:place] + digit + value[place + 1 :]
        for place, char in enumerate(value)
        if char.isdigit()
        for digit in "0123456789"
        if digit != char
    ]


@pytest.mark.parametrize(("check", "value"), ONE_WRONG_DIGIT, ids=lambda item: getattr(item, "__name__", None))
def test_no_number_with_one_wrong_digit_passes(check: Check, value: str) -> None:
    assert check(value)
    assert [other for other in _neighbours(value) if check(other)] == []


@pytest.mark.parametrize(("check", "value"), WEAKER, ids=lambda item: getattr(item, "__name__", None))
def test_few_numbers_with_one_wrong_digit_pass(check: Check, value: str) -> None:
    assert check(value)
    neighbours = _neighbours(value)
    assert sum(map(check, neighbours)) <= len(neighbours) // 8


@pytest.mark.parametrize(("check", "value"), ONE_WRONG_DIGIT + WEAKER, ids=lambda item: getattr(item, "__name__", None))
def test_a_number_of_another_length_does_not_pass(check: Check, value: str) -> None:
    assert not check(value + "0")
    assert not check(value[1:])


def test_dates_inside_numbers_are_dates() -> None:
    assert national.cpr("211062-5629")
    assert not national.cpr("211362-5629")
    assert not national.cpr("320162-5629")
    assert national.cpr("811062-5629"), "a replacement number: the day is raised by 60"


def test_a_bank_code_names_a_country() -> None:
    assert validators.bic("DEUTDEFF500")
    assert not validators.bic("SWIFTEST")
