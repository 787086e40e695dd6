"""A pattern put to another engine means there what it means to RE2: read more narrowly, it would pass over a value."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.matching import ANYWHERE, CompiledRule, Engine, engine
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.anonymize.rules.spelled import spelled
from securevec.errors import ConfigError

_RULES = builtin_rules().rules
_ALPHABET = Alphabet(rule.regex for rule in _RULES)
_ODD = ("\n", "\x0b", "\x1c", "\x85", "\xa0", "\xe9", "\xc9", "\xff", "\xb5", "\xdf", " ", "_", "9", "\u0130", "\u2014")


def _occurs(compiled: Engine, data: bytes) -> bool:
    return compiled.Match(ANYWHERE, data, 0, len(data))[0][1] >= 0


def _texts(seed: int) -> Iterator[str]:
    """Examples of all rules, whole, cut, in other cases and with odd characters in them."""
    drawn = random.Random(seed)  # texts of a test
    every = [text for rule in _RULES for text in (*rule.examples, *rule.counter_examples)]
    for text in drawn.sample(every, 60):
        cut = drawn.randrange(len(text) + 1)
        yield text
        yield text.swapcase()
        yield text[:cut] + drawn.choice(_ODD) + text[cut:]
        yield text.replace(" ", drawn.choice(_ODD))


def test_every_rule_spelled_out_occurs_where_it_occurred() -> None:
    texts = [_ALPHABET.encode(text) for text in _texts(11)]
    seen = 0
    for rule in _RULES:
        own = [_ALPHABET.encode(text) for text in rule.examples + rule.counter_examples]
        regex = CompiledRule(rule, _ALPHABET).sieve
        once, again = engine(regex, captures=False), engine(spelled(regex), captures=False)
        for data in (*own, *texts):
            occurs = _occurs(once, data)
            seen += occurs
            assert _occurs(again, data) == occurs, rule.id
    assert seen > 2 * len(_RULES)


@pytest.mark.parametrize(
    ("regex", "takes", "leaves"),
    [
        (rb"a\sb", [b"a b", b"a\tb", b"a\x0cb"], [b"a\x0bb", b"a\x1cb", b"a\xa0b", b"a\x85b"]),
        (rb"a[^\s]b", [b"a\x0bb", b"a\xa0b", b"axb"], [b"a b", b"a\nb"]),
        (rb"a\Sb", [b"a\x0bb"], [b"a b"]),
        # Letters beyond ASCII have no cases in Latin-1.
        (rb"(?i)caf\xe9", [b"CAF\xe9", b"caf\xe9"], [b"caf\xc9"]),
        (rb"(?i)[\xe0-\xe4_z]x", [b"\xe4X", b"ZX", b"_x"], [b"\xc0X", b"?x"]),
        (rb"(?i)[^\xe9k]x", [b"\xe8x", b"\xc9x"], [b"\xe9X", b"Kx"]),
        (rb"(?i)k[^s]", [b"K1"], [b"KS", b"ks"]),
        (rb"(?i:k)s", [b"Ks"], [b"kS"]),
        (rb"\w{2}", [b"a_"], [b"\xe9\xe9", b"a-"]),
        (rb"a.b", [b"a\rb"], [b"a\nb"]),
        (rb"(?s)a.b", [b"a\nb"], [b"ab"]),
        (rb"x$", [b"x"], [b"x\n"]),
        (rb"^x", [b"xy"], [b"\nx"]),
        (rb"(?:a|bc)+?d\b", [b"abcd"], [b"abcde", b"d"]),
    ],
)
def test_the_small_print_of_re2_is_kept(regex: bytes, takes: list[bytes], leaves: list[bytes]) -> None:
    for pattern in (regex, spelled(regex)):
        compiled = engine(pattern, captures=False)
        assert [_occurs(compiled, data) for data in takes] == [True] * len(takes)
        assert [_occurs(compiled, data) for data in leaves] == [False] * len(leaves)


@pytest.mark.parametrize("regex", [rb"(?m)^x", rb"[[:alpha:]]", rb"\pL", rb"(x)\1", rb"x(?=y)", b"("])
def test_a_pattern_that_cannot_be_spelled_out_is_refused(regex: bytes) -> None:
    with pytest.raises(ConfigError):
        spelled(regex)


def test_what_is_spelled_out_has_no_class_no_flag_and_no_zero_byte() -> None:
    for rule in _RULES:
        made = spelled(CompiledRule(rule, _ALPHABET).sieve)
        assert b"\0" not in made
        assert b"(?i" not in made
        assert not any(name in made for name in (rb"\s", rb"\S", rb"\w", rb"\W", rb"\d", rb"\D"))
