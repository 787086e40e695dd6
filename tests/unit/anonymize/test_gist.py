"""What a set looks for in place of a rule's pattern occurs wherever that does, or a value would be passed over."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.gist import gist
from securevec.anonymize.rules.matching import ANYWHERE, CompiledRule, engine
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.anonymize.rules.runs import Runs, run_of

_RULES = builtin_rules().rules
_ALPHABET = Alphabet(rule.regex for rule in _RULES)


def _occurs(regex: bytes, data: bytes) -> bool:
    return engine(regex, captures=False).Match(ANYWHERE, data, 0, len(data))[0][1] >= 0


def _around(text: str) -> Iterator[bytes]:
    """A text as it is, cut on either side, in capitals, and in the middle of others."""
    drawn = random.Random(len(text))  # texts of a test
    for made in (text, text.upper(), f"{text}{text}", f"x {text}\n{text}, y", text[drawn.randrange(4) :], text[:-1]):
        yield _ALPHABET.encode(made)


def test_no_rule_is_passed_over_for_what_a_set_looks_for_in_its_place() -> None:
    seen = 0
    for rule in _RULES:
        regex = CompiledRule(rule, _ALPHABET).sieve
        if (short := gist(regex)) == regex:
            continue
        assert rule.examples
        for text in rule.examples:
            assert _occurs(short, _ALPHABET.encode(text)), rule.id
        for data in (data for text in rule.examples + rule.counter_examples for data in _around(text)):
            if _occurs(regex, data):
                seen += 1
                assert _occurs(short, data), rule.id
    assert seen > 20


@pytest.mark.parametrize(
    ("regex", "takes", "leaves"),
    [
        # What runs up to a word is left out, the word itself is whole, and what follows it is asked for.
        (rb"\b[a-z]{1,20}://[a-z]{2,9}@", [b"ab://cd@", b"://cd@"], [b"//cd@", b"ab://c@", b"ab:/cd@"]),
        (rb"(?i)\b(?:my|your)(?: [a-z]{2,12}){0,2} (?:pin|otp), (\d+)", [b"my own PIN, 123", b" otp, 1"], [b"pin 1"]),
        (rb"[a-z0-9]{8,30}\.atlasv1\.[a-z]{3}", [b"abcdefgh.atlasv1.xyz", b".atlasv1.xyz"], [b"atlasv1.xyz"]),
        (
            rb"\b(?:[a-z]{1,30}(?: dot [a-z]{1,9}){1,3} at x|[a-z]{2,30} at y)\.z",
            [b"b dot a at x.z", b" dot a at x.z", b" at y.z"],
            [b"at y.z", b" at x.z"],
        ),
        # A run in front of a sign of its own, where more than that sign follows, is left out too.
        (rb"\b[A-Za-z]{20}_\d[a-z]{4}", [b"_1abcd", b"A" * 20 + b"_1abcd"], [b"_1abc", b"1abcd", b"A" * 20 + b"_abcd"]),
    ],
)  # fmt: skip
def test_a_set_looks_for_a_pattern_from_its_word_on(regex: bytes, takes: list[bytes], leaves: list[bytes]) -> None:
    short = gist(regex)
    assert short != regex
    assert [_occurs(short, data) for data in takes] == [True] * len(takes)
    assert [_occurs(short, data) for data in leaves] == [False] * len(leaves)


@pytest.mark.parametrize(
    "regex",
    [
        rb"\b\d{3}-\d{4}\b",
        rb"(?:key|token)=[a-z]{8,40}",
        rb"\b[a-z]{1,3}://x",
        rb"[a-z]{1,40}(?:://x|ab)",
        rb"[a-z]{1,40}@[a-z]{1,40}",
        rb"[a-z]{1,40}(?:://x)?",
        rb"[a-z]{1,40}_\d",
        rb"[a-z]{1,4}_\d[a-z]",
        rb"[a-z]{20}(?:_|-)\d[a-z]",
        rb"\b",
        rb"(?m)^[a-z]{1,40}://x",
        rb"[[:alpha:]]{9,}://x",
        rb"(",
    ],
)
def test_a_pattern_without_a_word_or_a_run_in_front_of_it_or_that_cannot_be_read_stays_as_it_is(regex: bytes) -> None:
    assert gist(regex) == regex


def test_a_run_is_seen_where_its_pattern_occurs_and_nowhere_else() -> None:
    regex = rb"[a-z+\d]{16}"
    runs = Runs([(7, regex), (8, rb"[^ ]{20,}"), (9, rb"x{16}y")])
    drawn = random.Random(16)  # texts of a test
    seen = 0
    for _ in range(2_000):
        data = b"".join(drawn.choice([b"ab+", b"0", b"A", b" ", b"\xe9"]) * drawn.randrange(1, 9) for _ in range(4))
        wanted = [number for number, each in ((7, regex), (8, rb"[^ ]{20,}")) if _occurs(each, data)]
        assert runs.numbers(data) == wanted
        seen += len(wanted)
    assert seen > 200


@pytest.mark.parametrize(
    "regex",
    [
        rb"[a-z]{15}", rb"(?i)[a-z]{20}", rb"\b[a-z]{20}", rb"[a-z]{20}\d", rb"(?:ab){20}", rb"[[:alpha:]]{20}",
        rb"a", rb"(",
    ],
)  # fmt: skip
def test_a_pattern_that_says_more_or_less_than_a_long_run_is_none(regex: bytes) -> None:
    assert run_of(regex) is None


def test_a_rule_that_no_set_looks_for_is_looked_for_as_a_run() -> None:
    scanner = default_detector()._rules._scanner
    in_sets = [number for sieve in (scanner._others, scanner._secrets, scanner._places) for number in sieve._numbers]
    left = {number for number, rule in enumerate(_RULES) if number not in in_sets and not rule.like}
    assert len(in_sets) == len({*in_sets})
    assert left == {number for number in range(len(_RULES)) if number in scanner._runs}
    assert {_RULES[number].id for number in left} == {"high-entropy"}
