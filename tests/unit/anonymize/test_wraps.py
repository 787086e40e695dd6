"""A value broken over two lines is one value."""

from __future__ import annotations

import pytest

from securevec.anonymize import Anonymizer, TenantKeys, default_detector
from securevec.anonymize.findings import Finding
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.anonymize.rules.scan import PatternScanner
from securevec.anonymize.rules.structured import Structured
from securevec.anonymize.rules.wraps import joints

KEYS = TenantKeys(bytes(32), bytes(range(32)))


def found(text: str) -> list[tuple[str, str]]:
    return [(f.entity, text[f.start : f.end]) for f in default_detector().detect(text)]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("sent to GB82 WEST 1234\n5698 7654 32 in May", "IBAN", "GB82 WEST 1234\n5698 7654 32"),
        ("> sent to GB82 WEST 1234\n> 5698 7654 32 in May", "IBAN", "GB82 WEST 1234\n> 5698 7654 32"),
        ("> > GB82 WEST \n> > 1234 5698 7654 32", "IBAN", "GB82 WEST \n> > 1234 5698 7654 32"),
        ("card 4111 1111\n1111 1111 was", "CARD", "4111 1111\n1111 1111"),
        ("NIR 1 84 12 76\n451 089 46 de Lyon", "FR_NIR", "1 84 12 76\n451 089 46"),
        ("call me on +44 20 7946\n0958 today", "PHONE", "+44 20 7946\n0958"),
        ("date of birth 14\nApril 1975", "DATE_OF_BIRTH", "14\nApril 1975"),
    ],
)
def test_a_value_over_two_lines_is_found_whole(text: str, entity: str, value: str) -> None:
    assert (entity, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024\n4155\n5526\n71",
        "we sold 415\n555 and 2671 pieces",
        "12\n\n34",
        "53144 06\n1044-6904",
        "call 67655\n50-98",
    ],
)
def test_numbers_under_each_other_are_not_one(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("breaks", [1, 40])
def test_a_broken_passphrase_is_found_however_many_breaks_stand_around_it(breaks: int) -> None:
    value = "k7Qd 92xW Lm4T\nb8Zr Vc3N pY6h"
    text = f"WordPress application password: {value}." + "\n12 pieces" * breaks
    assert ("SECRET", value) in found(text)


def test_the_token_is_that_of_the_unbroken_value() -> None:
    whole = Anonymizer().field("to GB82 WEST 1234 5698 7654 32", keys=KEYS)
    broken = Anonymizer().field("to GB82 WEST 1234\n> 5698 7654 32", keys=KEYS)
    assert whole.spans[0].token == broken.spans[0].token
    assert broken.originals == ("GB82 WEST 1234\n> 5698 7654 32",)


def test_only_what_lies_across_the_break_is_kept() -> None:
    (joint,) = joints("ab12 \n> cd")
    assert joint.line == "ab12 cd"
    assert joint.signs == "12 cd"
    places = [(0, 4), (1, 5), (1, 6), (1, 7), (2, 7), (3, 7), (5, 7)]
    found = [Finding(start, end, "X", 1.0, "x", 1) for start, end in places if joint.across.covers(start, end)]
    assert [(f.start, f.end) for f in joint.unbroken(found)] == [(1, 10), (2, 10)]


def test_a_guess_across_a_break_is_no_find() -> None:
    rules = builtin_rules()
    assert "bank-account" in {f.rule for f in PatternScanner(rules).scan("account number 4155 5526")}
    assert "bank-account" not in {f.rule for f in Structured(rules).find("account number 4155\n5526", "")}


def test_breaks_without_numbers_are_not_read_again() -> None:
    assert [*joints("ab\ncd\n\n1 a\nb")] == []
    assert [*joints(" " * 300_000 + "\n" + "> " * 300_000)] == []
