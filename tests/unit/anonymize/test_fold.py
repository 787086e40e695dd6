"""Folding keeps a way back to the original text."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securevec.anonymize.fold import _clusters, _folding, _is_mark, fold, lookup_key


def test_ascii_text_is_returned_as_it_is() -> None:
    text = "plain text, 42"
    folded = fold(text, skeleton=True)
    assert folded.text is text
    assert folded.span(3, 7) == (3, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\uff4a\uff41\uff4e\uff45", "jane"),
        ("раураl", "paypal"),
        ("\u0664\u0662", "42"),
        ("a\u200bb\u00adc", "abc"),
        ("ﬁle", "file"),
        ("Jose\u0301", "Jose"),
        ("a\u00a0b\u2009c", "a b c"),
        ("1\u20132\u22123", "1-2-3"),
        ("ǅ", "Dz"),
        ("\u200b", ""),
    ],
)
def test_the_skeleton_reads_like_ascii(text: str, expected: str) -> None:
    assert fold(text, skeleton=True).text == expected


def test_the_plain_view_keeps_accents_and_scripts() -> None:
    assert fold("Jose\u0301 Иванов\u200b", skeleton=False).text == "José Иванов"


def test_every_folded_character_points_at_its_source() -> None:
    text = "x\u200b\uff4a\uff41ﬁ\u00e9e\u0301-\u0661\U0001d7ce y"
    for skeleton in (True, False):
        folded = fold(text, skeleton=skeleton)
        for index, char in enumerate(folded.text):
            start, end = folded.span(index, index + 1)
            assert 0 <= start < end <= len(text)
            source = unicodedata.normalize("NFKD", text[start:end])
            same = char in source or char in unicodedata.normalize("NFKC", text[start:end]) or char.isdigit()
            assert same, (char, text[start:end])


def test_a_range_that_cuts_a_ligature_gets_all_of_it() -> None:
    folded = fold("aﬁb", skeleton=True)
    assert folded.text == "afib"
    assert folded.span(2, 3) == (1, 2)
    assert folded.span(0, 4) == (0, 3)


def test_a_word_is_looked_up_without_accents_case_and_lookalikes() -> None:
    assert lookup_key("JOSÉ") == "jose"
    assert lookup_key("O'Brien") == "obrien"
    assert lookup_key("Sаrah") == "sarah"
    assert lookup_key("Сара") == "сара"


_SIGNS = (
    "ae1 \n\u00a0\u00e9\u0301\u0308\u20dd\u0489\u200b\u200d\ufe0f\u2026\u2122\u00bd"
    "\ufb01\u2460\u338f\u3099\u30ab\u05b0\u05e9"
)
_MANY = "".join(chr(code) for code in range(0x2460, 0x2480))


@given(st.text(_SIGNS, max_size=30) | st.text(_SIGNS + _MANY, min_size=20, max_size=80))
@example(_MANY + "e\u0301\u0308 \u0301")
def test_marks_are_folded_with_the_letter_below_them_and_every_other_sign_by_itself(text: str) -> None:
    for skeleton in (True, False):
        irregular = [char for char in sorted(set(text)) if not char.isascii() and _folding(char, skeleton)[1]]
        marks = "".join(map(re.escape, filter(_is_mark, irregular)))
        others = "".join(re.escape(char) for char in irregular if not _is_mark(char))
        ways = [f"[^\\s{marks}][{marks}]+"] * bool(marks) + [f"[{others}]"] * bool(others)
        expected = [match.span() for match in re.finditer("|".join(ways), text)] if ways else []
        assert list(_clusters(text, irregular)) == expected
