"""The scanner finds what its rules find one by one, whatever it leaves out or reads another way for speed."""

from __future__ import annotations

import json
from functools import cache, partial
from importlib.resources import files
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import default_detector
from securevec.anonymize.fold import fold
from securevec.anonymize.rules import factors as factors_module
from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.factors import Factors
from securevec.anonymize.rules.rulebook import Rule, builtin_rules, load_rules
from securevec.anonymize.rules.scan import PatternScanner, hint
from securevec.anonymize.rules.shape import edged, shape, value_of, words_in
from securevec.anonymize.rules.sheet import Across, Part
from securevec.anonymize.rules.wraps import GUESSED
from securevec.errors import ConfigError
from tests.support.plain_scan import plain_scan

BOOK = builtin_rules()
LINES = files("securevec.cli.recall").joinpath("lines.jsonl").read_text(encoding="utf-8").splitlines()
EXAMPLES = [text for rule in BOOK.rules for text in (*rule.examples, *rule.counter_examples)]
TEXTS = [*(str(json.loads(line)["text"]) for line in LINES), *EXAMPLES]
FIELDS = ["", "account number", "Phone", "customer_zip", "notes"]
ODD = ["é", "ß", "Ł", "日本", "٣", "½", "€", "İ", "\u0085", "\x81", "µ", "Σ", "ǅ", "😀", "\x00"]


@cache
def scanner() -> PatternScanner:
    return default_detector()._rules._scanner


def check(text: str, field_name: str = "") -> None:
    assert scanner().scan(text, field_name=field_name) == plain_scan(BOOK.rules, text, field_name)


@pytest.mark.parametrize("part", range(4))
def test_the_scanner_finds_what_the_rules_find_one_by_one(part: int) -> None:
    chance = Random(part)
    for text in chance.sample(TEXTS, 60):
        check(fold(text, skeleton=True).text, chance.choice(FIELDS))


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.sampled_from(ODD)), max_size=6), st.sampled_from(["", " ", "\n"]))
@settings(max_examples=25, deadline=None)
def test_letters_of_other_scripts_change_nothing(pieces: list[str], between: str) -> None:
    check(between.join(pieces))


@given(
    st.lists(
        st.tuples(
            st.lists(st.one_of(st.sampled_from(TEXTS), st.sampled_from([*ODD, "\n", " "])), max_size=3).map("".join),
            st.sampled_from(FIELDS),
        ),
        max_size=8,
    )
)
@settings(max_examples=25, deadline=None)
def test_texts_on_one_sheet_are_scanned_as_each_alone(texts: list[tuple[str, str]]) -> None:
    together = scanner().scan_each([Part(text, hint(field)) for text, field in texts])
    assert together == [plain_scan(BOOK.rules, text, field) for text, field in texts]


def _scanner(*rules: str) -> PatternScanner:
    heads = (f"[[rule]]\nid = 'r{number}'\nentity = 'X'\n{rule}\n" for number, rule in enumerate(rules))
    return PatternScanner(
        load_rules([("x.toml", "examples = []\ncounter_examples = []\n".join([*heads, ""]).encode())])
    )


def test_a_text_on_a_sheet_begins_and_ends_where_it_does_alone() -> None:
    scanner = _scanner(r"regex = '(?:^|,)(\d{3} \d{3})(?:$|\s)'" + "\ngroup = 1")
    text, able = "123 456", frozenset([0])
    assert [(f.start, f.end) for f in scanner.scan(text)] == [(0, 7)]
    assert scanner.scan_each([Part(text)] * 3) == [scanner.scan(text)] * 3
    # Each line begins where it does, whatever stands above it.
    lines = [Part(line, "", Across(1, 6), able) for line in ("12 34 56", text)]
    assert scanner.scan_each(lines) == [[], scanner.scan(text)]


def test_a_rule_of_addresses_is_tried_where_there_is_no_digit_unless_its_pattern_needs_one() -> None:
    heads = "[[rule]]\nid = '{}'\nentity = 'ADDRESS'\nregex = '{}'\nexamples = []\ncounter_examples = []\n"
    rules = heads.format("named", r"\bRose Cottage\b") + heads.format("numbered", r"\b\d{1,3} [A-Z][a-z]+ Lane\b")
    scanner = PatternScanner(load_rules([("x.toml", rules.encode())]))
    assert [f.rule for f in scanner.scan("at Rose Cottage, Mill Lane")] == ["named"]
    assert [f.rule for f in scanner.scan("at Rose Cottage, 12 Mill Lane")] == ["named", "numbered"]
    # The digit is the other text's.
    texts = ("Mill Lane", "12", "3 Mill Lane")
    assert [len(found) for found in scanner.scan_each([Part(text) for text in texts])] == [0, 0, 1]


def test_a_rule_searched_around_a_sign_is_tried_wherever_the_sign_stands() -> None:
    scanner = _scanner(r"regex = '[a-z]{1,64}\^[a-z]+'" + "\naround = '^'")
    assert [(f.start, f.end) for f in scanner.scan("ab^cd ^ ef^gh")] == [(0, 5), (8, 13)]
    assert scanner.scan("[ab] ^ c") == []


def test_words_of_one_text_on_a_sheet_are_not_near_a_value_of_the_next() -> None:
    scanner = _scanner(r"regex = '\b\d{4}\b'" + "\nscore = 0.3\ncontext = ['badge', 'sort code']")
    assert [[f.start for f in here] for here in scanner.scan_each([Part("badge 1234"), Part("sort code 1234")])] == [
        [6],
        [10],
    ]
    denied = _scanner(r"regex = '\b\d{4}\b'" + "\nveto = ['invoice']")
    assert [len(here) for here in denied.scan_each([Part("invoice"), Part("1234"), Part("1234 invoice")])] == [0, 1, 0]
    for apart in (["badge", "1234"], ["1234", "badge"], ["sort code", "1234", "sort code"], ["1234 x", "5678 badge"]):
        assert scanner.scan_each([Part(text) for text in apart]) == [scanner.scan(text) for text in apart]
    assert [len(here) for here in scanner.scan_each([Part("badge"), Part("1234"), Part("badge")])] == [0, 0, 0]


@pytest.mark.parametrize("rule", [rule for rule in BOOK.rules if rule.context], ids=lambda rule: rule.id)
def test_a_value_alone_in_a_field_that_says_what_it_is_is_found_as_by_the_plain_way(rule: Rule) -> None:
    """Of which a sentinel behind the text must not make another text: a rule that ended with the text found nothing."""
    values = {text[found.start : found.end] for text in rule.examples for found in plain_scan((rule,), text)}
    for value in {"4839201", "HX-20391", *values}:
        for word in rule.context:
            check(value, word.replace(" ", "_"))
            check(f" {value} ", word)


def test_a_phrase_may_begin_in_the_name_of_the_field() -> None:
    text = "this " + " " * 53 + "98-7654321"
    assert "phone-context" in {finding.rule for finding in scanner().scan(text, field_name="account number")}
    check(text, "account number")
    check(text)


@pytest.mark.soak
def test_every_known_text_alone_odd_and_among_others_is_scanned_as_by_the_plain_way() -> None:
    chance = Random(7)
    for text in TEXTS:
        check(fold(text, skeleton=True).text, chance.choice(FIELDS))
        check("".join(char + chance.choice(ODD) * (chance.random() < 0.05) for char in text))
        check(chance.choice([" ", "\n", ", "]).join(chance.sample(TEXTS, 12)))


def test_the_rules_left_out_at_a_break_would_find_nothing_across_it() -> None:
    crossing = scanner().crossing(without=GUESSED)
    for text in (text for text in EXAMPLES if " " in text):
        folded = fold(text, skeleton=True).text
        found = [finding for finding in scanner().scan(folded) if finding.rule not in GUESSED]
        spaces = [place for place, char in enumerate(folded) if char == " "]
        covering = [Across(at - size, at + 1 + size) for at in spaces for size in (1, 2) if at >= size]
        wanted = [[finding for finding in found if each.covers(finding.start, finding.end)] for each in covering]
        signs = [folded[each.starts_by : each.ends_from] for each in covering]
        parts = [Part(folded, "", *pair) for pair in zip(covering, map(crossing.holders, signs), strict=True)]
        assert scanner().scan_each(parts) == wanted
        assert [found for part in parts for found in scanner().scan_each([part])] == wanted


@pytest.mark.parametrize(
    ("pattern", "group", "held", "other"),
    [
        (r"\b\d{4}(?: \d{4}){3}\b", 0, ["12 34", "4 1"], ["1a 34", "12 a", "1  2", "12-3"]),
        (r"(?i)no\.? (\d+ [a-f]|x{2,}[^y\s]z)", 1, ["12 C", "xXXqz", "xx\u00e9z"], ["no 1", "1 -", "x\tz", "12 g"]),
        (r"(?:[A-Z]\pL+ ){1,3}(?:Street|\W)", 0, ["Am Ab", "\u0141\u0142 St", "ng !"], ["Am 1", " -!"]),
    ],
)
def test_a_rule_is_left_out_where_no_value_of_it_holds_the_signs(
    pattern: str, group: int, held: list[str], other: list[str]
) -> None:
    factors = Factors([(Alphabet([pattern]).narrow(pattern), group), (r"[[:alpha:]]", 0)])
    assert {signs: set(factors.holders(signs)) for signs in held} == {signs: {0, 1} for signs in held}
    assert {signs: set(factors.holders(signs)) for signs in other} == {signs: {1} for signs in other}


def test_what_is_remembered_of_a_rule_has_an_end_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [f"{a}{b} {c}{d}" for a in "aZ1-" for b in "bY2." for c in "cX3" for d in "d4"]
    alphabet = Alphabet(rule.regex for rule in BOOK.rules)
    chosen = [rule for rule in BOOK.rules if rule.id in {"street-english", "iban", "date-words"}]
    given = [(alphabet.narrow(rule.regex), rule.group) for rule in chosen]
    usual = {signs: Factors(given).holders(signs) for signs in asked}
    assert len(set(usual.values())) > 2
    monkeypatch.setattr(factors_module, "_REACHED", 2)
    forgetful = Factors(given)
    assert {signs: forgetful.holders(signs) for signs in asked} == usual
    assert all(each is not None and len(each._following) <= 2 for each in forgetful._patterns.values())


def test_a_rule_asked_about_with_others_is_answered_as_alone_and_as_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    alphabet = Alphabet(rule.regex for rule in BOOK.rules)
    chosen = [rule for rule in BOOK.rules if rule.id in {"street-english", "iban", "date-words"}]
    given = [(alphabet.narrow(rule.regex), rule.group) for rule in chosen]
    whole, factors = Factors(given, numbers=[3, 5, 8]), Factors(given, numbers=[3, 5, 8])
    chance = Random(8)  # signs of a test
    some = 0
    monkeypatch.setattr(factors_module, "_REMEMBERED", 40)
    for _ in range(400):
        signs = "".join(chance.choices("aZ19 -.MG", k=5))
        for _ in range(3):
            among = frozenset(chance.sample([3, 4, 5, 8], chance.randrange(1, 4)))
            assert factors.holders(signs, among) == among & whole.holders(signs)
        assert factors.holders(signs) == whole.holders(signs)
        some += len(whole.holders(signs))
    assert some > 20
    assert len(factors._known) <= 40


def test_lines_across_breaks_are_read_alike_however_many_there_are() -> None:
    crossing = scanner().crossing(without=GUESSED)
    value, rest = "GB82 WEST 1234 5698 7654 32", ["born on 14 April 1975", "at 12 Mill Lane, Leeds", "of 10 12 and 14"]
    parts = [
        Part(text, "", Across(at, at + 1), crossing.numbers, partial(crossing.holders, text[at : at + 1]))
        for text, at in [(value, 14), *((text, text.rindex(" ")) for text in rest)]
    ]
    alone = [scanner().scan_each([part]) for part in parts]
    assert [len(here) > 0 for (here,) in alone] == [True, True, False, False]
    for times in (1, 2, 9):
        assert scanner().scan_each(parts * times) == [here for (here,) in alone] * times


@given(st.sampled_from([rule for rule in BOOK.rules if rule.examples]), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_a_value_is_no_reason_to_leave_its_rule_out(rule: Rule, data: st.DataObject) -> None:
    text = fold(data.draw(st.sampled_from(rule.examples)), skeleton=True).text
    factors = Factors([(Alphabet(each.regex for each in BOOK.rules).narrow(rule.regex), rule.group)])
    for finding in plain_scan((rule,), text):
        start = data.draw(st.integers(finding.start, finding.end - 1))
        end = data.draw(st.integers(start + 1, min(finding.end, start + 6)))
        assert factors.holders(text[start:end])


def test_every_match_of_a_pattern_holds_one_of_the_words_it_needs() -> None:
    def needed(regex: str) -> tuple[str, ...]:
        return words_in(value_of(regex)[0])

    assert needed(r"(?i)\b(?:Heroku|HRKU-[A-Z])\d{4}") == ("eroku", "rku-")
    assert needed(r"[a-z]x{2}(?:-----BEGIN [A-Z]+)+\s") == ("-----begin",)
    assert needed(r"(?:abcd)?\d|(?:abx|cde)f") == ()
    assert needed(r"(?:abcd)*efg(?:hij|k)") == ("efg",)
    assert needed("stra\u00dfe(?:ab)") == ("stra",)


def test_no_match_is_shorter_than_its_pattern_allows() -> None:
    assert shape(r"a{2,3}(?:bc|d)?\b[^x]") == (3, True, False)
    assert shape(r"[a-z]+\d{4}(?i:x)") == (6, False, True)
    assert shape(r"\w(\d+ ?)x", 1) == (3, True, True)
    assert shape(r"\s(\d+)x", 1) == (3, False, True)
    assert shape(r"(?:\d|a[0-9])b|[1-9]{2,}") == (2, False, True)
    assert shape(r"(?:\d|a)[0-9a]\d?|7{0,3}") == (0, False, False)
    assert shape(r"[[:alpha:]]{4}") == (0, True, False)
    assert shape(r"(?:(\d)x)?", 1) == (0, True, False)


def test_a_pattern_that_says_where_a_text_ends_is_told_from_one_that_names_the_sign() -> None:
    says = (r"^a", r"(?:a|\s(?:b$)?)", r"\Aa", r"a\z", r"(?m)a$", r"[[:alpha:]]")
    names = (r"[^$]\b\$", r"(a|[\^$])\Bx{2,3}", r"\\\^")
    assert [*map(edged, says + names)] == [True] * len(says) + [False] * len(names)


@pytest.mark.parametrize(
    "pattern", [r"\p{Greek}+", r"\x{142}", "(?i)дом", r"\PL", "".join(chr(0x4E00 + n) for n in range(29))]
)
def test_a_pattern_that_needs_letters_of_other_scripts_stops_the_start(pattern: str) -> None:
    rule = f"[[rule]]\nid = 'x'\nentity = 'X'\nregex = '''{pattern}'''\nexamples = []\ncounter_examples = []\n"
    with pytest.raises(ConfigError):
        PatternScanner(load_rules([("x.toml", rule.encode())]))


def test_letters_that_a_pattern_names_are_told_from_all_others() -> None:
    alphabet = Alphabet(["日|本"])
    rule = "[[rule]]\nid='x'\nentity='X'\nregex='''日\\pL\\p{Lu}\\pN'''\nexamples=[]\ncounter_examples=[]\n"
    scanner = PatternScanner(load_rules([("x.toml", rule.encode())]))
    assert [(f.start, f.end) for f in scanner.scan("é日ΩŁ٣ 本ΩŁ٣ 日本Ł9 日ΩŁx")] == [(1, 5), (11, 15)]
    assert len(set(alphabet.encode("日本語Ω٣€\x80é"))) == 8 - 1
    with pytest.raises(UnicodeEncodeError):
        alphabet.encode("\ud800")
