"""What the engine says first is what the pattern says: a gate that is shut too early would be a name in the clear."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securevec.anonymize import TenantKeys
from securevec.anonymize.keys import subject_token
from securevec.anonymize.names import around
from securevec.anonymize.names.around import _LETTERS as _INITIALS
from securevec.anonymize.names.around import _MAY_BE_LETTERS
from securevec.anonymize.names.cues import _INTRODUCTION, _introduced
from securevec.anonymize.names.forms import labelled
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.known_organisations import _BUILT, _MAY_BE_BUILT
from securevec.anonymize.names.known_places import _BEHIND, _MAY_BE_BEHIND, _MAY_BE_KIND, _OF_KIND
from securevec.anonymize.names.scripts.gate import lines_of, scripts_in
from securevec.anonymize.names.scripts.labels import _LETTERS, _LOOSE_SIGN, _labels
from securevec.anonymize.names.scripts.lists import cues
from securevec.anonymize.names.scripts.places import _patterns
from securevec.anonymize.operators import operator_named
from securevec.anonymize.rules.matching import ANYWHERE, questioning
from securevec.anonymize.rules.tables import inserted
from securevec.anonymize.surrogates.values import person_parts, surrogate
from securevec.crypto import derive
from securevec.crypto.kdf import Keyed, h16, hmac256

_BEFORE = st.lists(
    st.sampled_from(
        [
            *("my name is", "name", "n\u00e9e", "nee", "spoke", "with", "patient", "called", "signed", "by", "told"),
            *("attn", ":", "'", '"', "\\", ",", "said", "ici", "jag \u00e4r", "soy", "au nom de", "c/o", "mailed"),
            *(" ", "\n", "\t", "\x0b", "\x1c", "\x1f", "\x85", "\u00a0", "\u00e9", "?", "\xff", "x", "_"),
        ]
    ),
    max_size=8,
).map("".join)
_PLACES = st.lists(
    st.sampled_from(
        [
            *("in", "from", "nach", "\u00e0", "fr\u00e5n", "pr\u00e8s de", "cerca de", "a", "w", "i", "\u00e9in"),
            *(
                " ",
                " ",
                " ",
                "Leipzig",
                "\u00d6rebro",
                "La Paz",
                "'s Hertogenbosch",
                "Den Haag",
                "?",
                "-",
                "'",
                "\u2019",
            ),
            *("x", "\n", ", ", "and", "O\u2019Neill", "\u01c5", "\U00010400"),
        ]
    ),
    max_size=12,
).map("".join)
_HOUSES = st.lists(
    st.sampled_from(
        [
            *("University", "Universit\u00e0", "Universit\u00e4t", "Klinikum", "High School", "Medical Centre", "Bank"),
            *(
                " of ",
                " de la ",
                " f\u00fcr ",
                " ",
                "\u00c5rhus",
                "Leeds",
                "St. Brendan's",
                "\u00e9",
                "-",
                "@",
                "?",
                "x",
            ),
        ]
    ),
    max_size=8,
).map("".join)
_LINES = st.lists(
    st.sampled_from(
        [
            *(
                "Leeds",
                "\u00c5lborg",
                "O\u2019Neill",
                "X",
                "NEW YORK",
                "\u00c9T\u00c9",
                "Wolves",
                "la",
                "\u01c5x",
                "a\u0301",
            ),
            *(" ", " ", " ", " 3 ", " 12, ", " 1", "55802 ", ", 10115 ", "\u0663\u0663\u0663\u0663\u0663 ", "\n", "\n"),
            *(" v. the ", "works at ", "lives in ", "born with x near ", "RN ", "PCP: "),
            *(" - ", " \u2013", " (", " 2024-", "?", "?? ", "'", "-", ".", ":", "\t"),
        ]
    ),
    max_size=10,
).map("".join)
_TOWNS = st.lists(
    st.sampled_from(
        [
            *(
                "city",
                "City",
                "Stadt",
                "\u00eele",
                "r\u00e9gion",
                "cidade",
                "vill",
                "ville",
                "dorp",
                "Island",
                "citt\u00e0",
            ),
            *(" ", " ", " of ", " de ", " de la ", " d'", " du ", "Leeds", "\u00c5rhus", "La Paz", "'s Graveland", "x"),
            *("-", "\u2019", "?", "\n", "\u00e9", "\u01c5x", "\U00010400x"),
        ]
    ),
    max_size=8,
).map("".join)
_LETTERED = st.lists(
    st.sampled_from(["S", "\u00c9", "\u01c5", "\U00010400", "s", ".", ".", " ", "'", "\u2019", "?", "\n", "1", "Ab"]),
    max_size=10,
).map("".join)
KEYS = TenantKeys(bytes(32), bytes(range(32)), lifts=(b"l" * 32,), naming=2, before=b"b" * 32)


@given(_BEFORE)
@example("my name is ")
@example("n\u00e9e ")
@example("name\x1c: ")
def test_an_introduction_is_what_its_pattern_says(text: str) -> None:
    assert _introduced(text) == (_INTRODUCTION.search(text) is not None)


@given(_PLACES)
@example("\u00e0 \u00d6rebro, fr\u00e5n La Paz")
def test_places_behind_a_word_are_those_of_their_pattern(text: str) -> None:
    assert [match.span() for match in matches_behind(_MAY_BE_BEHIND, _BEHIND, text)] == [
        match.span() for match in _BEHIND.finditer(text)
    ]


@given(_TOWNS)
@example("\u00eele de la R\u00e9union, citt\u00e0 di \u00c5rhus, city of Leeds")
@example("The Island of Leeds, Village of La Paz")
@example("\u00eele d'Ol\u00e9ron, Stadt \u00c5rhus")
def test_places_behind_their_kind_are_those_of_their_pattern(text: str) -> None:
    assert [match.span() for match in matches_behind(_MAY_BE_KIND, _OF_KIND, text)] == [
        match.span() for match in _OF_KIND.finditer(text)
    ]


@given(_LETTERED)
@example("\u00c9. S.D. and \u01c5.A")
def test_letters_that_stand_for_somebody_are_those_of_their_pattern(text: str) -> None:
    assert [match.span() for match in matches_behind(_MAY_BE_LETTERS, _INITIALS, text)] == [
        match.span() for match in _INITIALS.finditer(text)
    ]


@given(_HOUSES)
@example("Universit\u00e0 di \u00c5rhus")
@example("Leeds Universit\u00e4t")
@example("the St. Brendan's of Leeds Medical Centre")
def test_houses_built_on_their_kind_are_those_of_their_pattern(text: str) -> None:
    assert [match.span() for match in matches_behind(_MAY_BE_BUILT, _BUILT, text)] == [
        match.span() for match in _BUILT.finditer(text)
    ]


@pytest.mark.parametrize("entity", ["PERSON", "EMAIL", "CARD", "IBAN", "PHONE", "ADDRESS"])
def test_a_hash_begun_once_makes_the_surrogates_and_tokens_of_its_key(entity: str) -> None:
    value = "Jane Smith 4111 1111 1111 1111"
    begun = KEYS.naming_hash
    assert begun.hmac256(b"m") == hmac256(KEYS.pseudonym, b"m")
    assert begun.h16(b"m") == h16(KEYS.pseudonym, b"m")
    assert surrogate(begun, entity, value) == surrogate(KEYS.pseudonym, entity, value)
    assert person_parts(begun, "Jane Smith") == person_parts(KEYS.pseudonym, "Jane Smith")
    given = {"entity": entity, "key": KEYS.pseudonym}
    with_hash = operator_named("surrogate").operate(value, {**given, "begun": begun})
    assert with_hash == operator_named("surrogate").operate(value, given)
    alone = derive.lift(KEYS.lifts, derive.subject_token(KEYS.token, entity, "v"))
    assert (
        KEYS.token_of(entity, "v")
        == alone
        == derive.lift(KEYS.lifts, derive.subject_token(Keyed(KEYS.token), entity, "v"))
    )


def test_keys_of_another_version_begin_with_nothing_of_this_one() -> None:
    made = subject_token(KEYS, "PERSON", "Jane Smith"), KEYS.naming_hash.hmac256(b"m")
    earlier = KEYS.earlier()
    assert earlier is not None
    assert earlier.naming_hash.hmac256(b"m") == hmac256(b"b" * 32, b"m") != made[1]
    assert earlier.token_of("PERSON", "jane smith") == made[0]
    assert "begun" not in repr(KEYS)
    assert earlier != KEYS
    assert TenantKeys(KEYS.pseudonym, KEYS.token, lifts=KEYS.lifts, naming=2, before=KEYS.before) == KEYS


@pytest.mark.parametrize("script", ["hebr", "arab", "deva"])
@given(data=st.data())
def test_labels_are_found_where_looking_at_every_character_finds_them(script: str, data: st.DataObject) -> None:
    words = [word for kind, words in cues()[script].items() if kind.isupper() for word in words]
    longest_first = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    everywhere = re.compile(f"(?<![{_LETTERS[script]}])({longest_first}){_LOOSE_SIGN}")
    pieces = st.sampled_from([*words, *(word[:2] for word in words), ":", ": ", " ", "\n", "x", "1", "-", "\u2019"])
    text = "".join(data.draw(st.lists(pieces, max_size=10)))
    found = [(match.span(), match.group(1)) for match in _labels(script).any.finditer(text)]
    assert found == [(match.span(), match.group(1)) for match in everywhere.finditer(text)]


@given(st.text("ab\u00e9 ", max_size=12))
def test_no_match_is_passed_over_right_behind_another_or_behind_a_gate_that_opened_for_nothing(text: str) -> None:
    pattern = re.compile("ab|a\u00e9")
    gate = questioning("a.")
    assert [match.span() for match in matches_behind(gate, pattern, text)] == [
        match.span() for match in pattern.finditer(text)
    ]


def test_matches_side_by_side_are_all_found() -> None:
    spans = [match.span() for match in matches_behind(questioning("a."), re.compile("ab"), "aabab")]
    assert spans == [(1, 3), (3, 5)]


@pytest.mark.parametrize("kind", around._GATES)
@given(text=_LINES)
@example("\u00c5lborg 3, Leeds 12")
@example("Leeds\n55802 \u00c5lborg")
@example("\u00c9T\u00c9 \u2013")
@example("x v. the \u00c5lborg, works at \u00c5lborg, works for the Leeds")
@example("lives with a\u0301x in \u00c9T\u00c9, RN.: \u01c5x")
def test_what_stands_around_a_name_is_what_its_pattern_says(kind: str, text: str) -> None:
    gate, pattern = around._GATES[kind], getattr(around, f"_{kind.upper()}")
    found = [match.span() for match in pattern.finditer(text)]
    assert [match.span() for match in matches_behind(gate, pattern, text)] == found
    data = text.encode("ascii", "replace")
    assert not found or around._ANY.Match(ANYWHERE, data, 0, len(data))[0][1] >= 0


@pytest.mark.parametrize("insert", ["insert into", "INSERT INTO", "Insert into", "iNSERT into", "\u0130NSERT into"])
def test_rows_are_read_under_their_columns_however_the_statement_is_spelled(insert: str) -> None:
    text = f"{insert} people (id, last_name) values (1, 'Okafor'), (2, 'Ruiz')"
    rows = [text[slice(*each.value)] for each in labelled(text)]
    assert rows == ["1", "Okafor", "2", "Ruiz"]
    cells = [(cell.head, text[cell.start : cell.end]) for _, cell in inserted(text)]
    assert cells == [("id", "1"), ("last_name", "Okafor"), ("id", "2"), ("last_name", "Ruiz")]


@pytest.mark.parametrize(
    "script", sorted({"hani", "kana", "hang", "arab", "hebr", "deva", "thai"} & _patterns().keys())
)
@given(data=st.data())
def test_addresses_in_a_script_are_those_of_all_lines_though_only_its_own_are_read(
    script: str, data: st.DataObject
) -> None:
    words = {word for each in ("hani", "jpan", script) for kind in cues().get(each, {}).values() for word in kind}
    letters = {
        "hang": "\uac00\ub85c\uae38\ub3d9\uc2dc",
        "kana": "\u304b\u30ab\u5e02\u533a",
        "hani": "\u5e02\u533a\u8def",
    }
    pieces = [*sorted(words)[:60], *letters.get(script, ""), "Leeds", "12", "-3", "1", " ", ", ", "\n", "\n", "\r"]
    text = "".join(data.draw(st.lists(st.sampled_from(pieces), max_size=16)))
    pattern = _patterns()[script]
    everywhere = [match.span() for match in pattern.finditer(text)]
    assert all(not text[slice(*span)].isascii() for span in everywhere)
    assert [
        match.span() for start, end in lines_of(text, script) for match in pattern.finditer(text, start, end)
    ] == everywhere


def test_of_a_text_in_many_scripts_each_line_is_read_once_in_its_own() -> None:
    text = "Jane\n\uc11c\uc6b8 \uc11c\uc6b8\nx\n\u05d0 \uc11c"
    assert scripts_in(text) == {"hang", "hebr"}
    assert [text[start:end] for start, end in lines_of(text, "hang")] == ["\uc11c\uc6b8 \uc11c\uc6b8", "\u05d0 \uc11c"]
    assert [text[start:end] for start, end in lines_of(text, "hebr")] == ["\u05d0 \uc11c"]


def test_an_address_in_chinese_letters_alone_is_read_though_the_japanese_stands_in_another_line() -> None:
    text = "\u30ab\u30ca\n\u6771\u4eac\u90fd\u65b0\u5bbf\u533a\u897f\u65b0\u5bbf2-8-1"
    assert scripts_in(text) == {"hani", "kana"}
    for script in ("hani", "kana"):
        spans = [m.span() for line in lines_of(text, script) for m in _patterns()[script].finditer(text, *line)]
        assert spans == [(3, len(text))]
