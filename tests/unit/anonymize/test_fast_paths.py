"""Short ways through the detector give what the long way gives."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from random import Random
from typing import Any

import numpy as np
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import Anonymizer, BuiltinDetector, builtin_detector, default_detector
from securevec.anonymize.document import DocumentNames
from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import fold
from securevec.anonymize.names.cues import last_word
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.lower import _CUE, _FAST_CUE, _places
from securevec.anonymize.names.model import NameModel, name_model
from securevec.anonymize.names.words import ANY_WORD
from securevec.anonymize.resolve import _settled, resolve
from securevec.anonymize.rules.alphabet import Alphabet
from securevec.anonymize.rules.matching import CompiledRule
from securevec.anonymize.rules.rulebook import builtin_rules, engine_options
from securevec.anonymize.rules.sheet import Part, views
from securevec.anonymize.rules.tables import Cell
from securevec.anonymize.rules.tables import settings as settings_of
from securevec.errors import DetectorError

_EMAIL = next(rule for rule in builtin_rules().rules if rule.id == "email")
_PIECES = st.sampled_from(
    ["a", "jürgen", "x" * 70, "@", "@@", ".", "-", " ", "\n", "com", "example.org", "é", "1", "…"]
)


_AROUND = st.lists(_PIECES, max_size=12).map("".join)
_ADDRESSES = st.sampled_from(
    ["", "a@example.org", "jürgen@a.com", "x-1.a@example.org.com", "a@@example.org", "a@example"]
)


@given(st.tuples(_AROUND, _ADDRESSES, _AROUND, _ADDRESSES, _AROUND).map("".join))
def test_looking_around_the_sign_finds_what_looking_everywhere_finds(text: str) -> None:
    pattern: Any = re2.compile(_EMAIL.regex, engine_options())
    everywhere = [match.span() for match in pattern.finditer(text.encode())]
    alphabet = Alphabet([_EMAIL.regex])
    around = CompiledRule(_EMAIL, alphabet).matches(views([Part(text)], alphabet)[0])
    assert around == [(len(text.encode()[:a].decode()), len(text.encode()[:b].decode())) for a, b in everywhere]


_SETTINGS = st.lists(
    st.sampled_from(["ab", "x" * 59, "x" * 60, "x" * 61, "y", ":", "=", "\n", "v 1"]), min_size=3, max_size=24
).map("".join)


@given(_SETTINGS)
def test_names_before_a_sign_are_those_that_each_line_read_alone_has(text: str) -> None:
    lines, at = list[Cell](), 0
    for line in text.split("\n"):
        found = re.match(r"([^:=]{2,60})[:=]", line)
        if found and (value := line[found.end() :].strip(":=")):
            start = at + line.index(value, found.end())
            lines.append(Cell(start, start + len(value), found[1].strip()))
        at += len(line) + 1
    assert list(settings_of(text, lambda name: True)) == [line for line in lines if line.end - line.start <= 200]


@pytest.mark.parametrize("text", ["jane.doe@b.org-bob@c.org", "jane.doe@b.org@c.org", "jane.doe@b.orgbob@c.org"])
def test_of_addresses_written_together_no_name_is_left_behind(text: str) -> None:
    findings = default_detector().detect(text)
    left = "".join(char for at, char in enumerate(text) if not any(found.start <= at < found.end for found in findings))
    assert "jane" not in left
    assert left in ("", "@c.org")


@given(st.text(alphabet="ab'' \n.,19_éß²ⅷZ-:x", max_size=30))
def test_the_last_word_is_that_of_its_pattern(text: str) -> None:
    match = re.search(r"([^\W\d_]+(?:'[a-z]{1,2})?)[^\w]{0,6}\Z", text)
    assert last_word(text) == (match.group(1) if match else "")


class _EveryWord(DocumentNames):
    __slots__ = ()

    def _words(self, body: str) -> list[re.Match[str]]:
        return list(ANY_WORD.finditer(body))


_PEOPLE = ("Jane O'Brien", "José Smith-Jones", "Ann Janes")
_MENTIONS = st.sampled_from(
    [
        *("Jane", "jane", "JANE'S", "O'Brien", "obrien", "o'", "Jose", "josé", "Smith", "-", "'", "Jones", "Janes"),
        *("ann", "d", " ", " ", ". ", "\n", "@", "_", "7", "x", "/"),
    ]
)


@settings(max_examples=300)
@given(st.lists(_MENTIONS, max_size=14).map("".join))
def test_names_looked_for_where_they_stand_are_those_found_word_by_word(text: str) -> None:
    assert DocumentNames(_PEOPLE).find(text) == _EveryWord(_PEOPLE).find(text)


_WORDS = st.sampled_from(
    ["my name is", "dear", "fiancée", "the", "é", "name:", "mr.", " ", "\n", "-", "in advance,", "x"]
)


@given(st.lists(_WORDS, max_size=20).map("".join))
def test_cues_are_those_of_their_pattern(lowered: str) -> None:
    assert [cue.span() for cue in matches_behind(_FAST_CUE, _CUE, lowered)] == [
        cue.span() for cue in _CUE.finditer(lowered)
    ]


@given(st.lists(st.sampled_from(["mary", "jo", "-", "'", " ", "@", "x", "\u00e9", ", "]), max_size=14).map("".join))
def test_words_looked_for_are_those_that_reading_every_word_meets(text: str) -> None:
    for wanted in ({"mary"}, {"jo", "mary"}, {"jo-mary", "x", "\u00e9"}):
        met = [match.span() for match in ANY_WORD.finditer(text) if match.group() in wanted]
        assert [match.span() for match in _places(text, wanted)] == met


def test_a_name_inside_another_word_is_no_word() -> None:
    assert [match.start() for match in _places("mary and jo-mary", {"mary"})] == [0]


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(1, 9), st.integers(1, 3)), max_size=9))
def test_findings_apart_settle_as_all_together(places: list[tuple[int, int, int]]) -> None:
    text = "ab, cd. ef-gh ij kl mn op qr stuv"
    found = [Finding(at, min(at + size, len(text)), "X", 1.0, f"r{rank}", rank) for at, size, rank in places]
    assert resolve(found, text) == _settled(found, text)


@given(st.text(alphabet="aé１ａ—ł\u00a0ñ x", max_size=40))
def test_a_few_odd_letters_fold_as_each_of_them_does(text: str) -> None:
    for skeleton in (True, False):
        assert fold(text, skeleton=skeleton).text == "".join(fold(char, skeleton=skeleton).text for char in text)


def test_what_fails_for_many_texts_is_tried_for_each_and_quotes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(self: object, *given: object) -> None:
        raise ValueError("Jane Smith")

    anonymizer, text = Anonymizer(), ("note", "Jane Smith called a@example.com")
    monkeypatch.setattr(NameModel, "tag_each", broken)
    assert anonymizer.read([text], {}) == {}
    assert {finding.entity for finding in anonymizer.findings(text[1], text[0])} == {"PERSON", "EMAIL"}
    monkeypatch.setattr(NameModel, "tag", broken)
    with pytest.raises(DetectorError) as caught:
        anonymizer.findings(text[1], text[0], anonymizer.read([text], {}))
    assert "Jane" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_only_a_clean_value_is_remembered_and_only_under_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    anonymizer = Anonymizer()
    asked: list[tuple[str, str]] = []
    detect = BuiltinDetector.detect

    def counted(self: BuiltinDetector, text: str, *, field_name: str = "") -> list[Finding]:
        asked.append((field_name, text))
        return detect(self, text, field_name=field_name)

    monkeypatch.setattr(BuiltinDetector, "detect", counted)
    for _ in range(2):
        assert anonymizer.findings_in_clear("open", "status") == []
        assert [f.entity for f in anonymizer.findings_in_clear("jane@example.com", "status")] == ["EMAIL"]
        assert anonymizer.findings_in_clear("ashby", "code") == []
        assert [f.entity for f in anonymizer.findings_in_clear("ashby", "customer_name")] == ["PERSON"]
    assert asked.count(("status", "open")) == 1
    assert asked.count(("status", "jane@example.com")) == asked.count(("customer_name", "ashby")) == 2


def test_clear_values_read_together_are_judged_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [
        ("status", "open"), ("status", "jane@example.com"), ("customer_id", "C-4839201"), ("ssn", "161423291"),
        ("customer_id", "+1 202 555 0123"), ("status", "GRV-2026-004412"), ("amount", "1250"),
    ]  # fmt: skip
    alone = [Anonymizer().findings_in_clear(value, name) for name, value in given]
    anonymizer = Anonymizer()
    ahead = anonymizer.read([text for name, value in given for text in anonymizer.texts_in_clear(value, name)], {})
    asked: list[tuple[str, str]] = []
    detect = BuiltinDetector.detect

    def counted(self: BuiltinDetector, text: str, *, field_name: str = "") -> list[Finding]:
        asked.append((field_name, text))
        return detect(self, text, field_name=field_name)

    monkeypatch.setattr(BuiltinDetector, "detect", counted)
    assert [anonymizer.findings_in_clear(value, name, ahead) for name, value in given] == alone
    # A second question: what is it without the field's name? And what nobody read ahead is read now.
    assert asked == [("", "GRV-2026-004412")]
    assert anonymizer.findings_in_clear("bob@example.com", "status", ahead)
    assert asked[1:] == [("status", "bob@example.com")]


def test_what_another_detector_says_is_not_remembered() -> None:
    class Changing:
        def __init__(self) -> None:
            self.found: list[Finding] = []

        def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
            return self.found

    detector = Changing()
    anonymizer = Anonymizer(detector=detector)
    assert anonymizer.findings_in_clear("open", "status") == []
    detector.found = [Finding(0, 4, "EMAIL", 1.0, "later", 1)]
    assert anonymizer.findings_in_clear("open", "status") == detector.found


_LINES = files("securevec.cli.recall").joinpath("lines.jsonl").read_text(encoding="utf-8").splitlines()


@given(
    st.lists(
        st.one_of(
            st.sampled_from([str(json.loads(line)["text"]) for line in _LINES]),
            st.text(alphabet="aé１\u00a0 JoSmith.,\n\t@9", max_size=60),
            st.sampled_from(["", " ", "Jane Smith\tBob Lee", "no \ud800 text", "word. " * 700]),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_texts_read_together_are_found_as_each_alone(texts: list[str]) -> None:
    detector = builtin_detector("balanced")
    together = detector.detect_each([("note", text) for text in texts])
    by_rule = detector.structured_each([("note", text) for text in texts])
    for text, found, rules in zip(texts, together, by_rule, strict=True):
        if found is None:
            assert rules is None
            with pytest.raises(DetectorError):
                detector.detect(text, field_name="note")
        else:
            assert found == detector.detect(text, field_name="note")
            assert rules == detector.structured(text, field_name="note")


@given(st.lists(st.integers(0, 700), max_size=9), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_model_scores_texts_together_as_each_alone(sizes: list[int], chance: Random) -> None:
    words = ["Jane", "Smith", "of", "Acme", "12", "Mill", "Street", "\n", ".", "called", "Zoë", "x9"]
    texts = [" ".join(chance.choices(words, k=size)) for size in sizes]
    model = name_model()
    for text, tagging in zip(texts, model.tag_each(texts), strict=True):
        alone = model.tag(text)
        assert np.array_equal(tagging._scores, alone._scores)
        assert (tagging._starts, tagging._ends) == (alone._starts, alone._ends)
