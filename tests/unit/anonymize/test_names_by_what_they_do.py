"""Names that the rest of a text gives away: repeated, marked by a sign, words by their sentence, teams and firms by
what they do, houses in front of a lane."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.lexicon import barred
from securevec.anonymize.names.doing import firms, teams
from securevec.anonymize.names.edges import tidy
from securevec.anonymize.names.marked import marked
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.plain import plain_words
from securevec.anonymize.names.streets import named


def found(text: str, entity: str) -> list[str]:
    return [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == entity]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Torben Achterkamp called. The office phoned Achterkamp twice.", ["Torben Achterkamp", "Achterkamp"]),
        # The firm, its cars, a street and a hyphen are none of his.
        ("Torben Achterkamp called. Achterkamp Foods pays.", ["Torben Achterkamp"]),
        ("Torben Achterkamp called. See Achterkamp-based work.", ["Torben Achterkamp"]),
    ],
)
def test_half_of_a_full_name_is_somebody_where_the_text_repeats_it(text: str, people: list[str]) -> None:
    assert found(text, "PERSON") == people


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("@Priya Raman can you look, @Hope Thanks for it", ["Priya Raman", "Hope"]),
        ("@grace_h @GraceH @Grace.dev @Reuters x@Grace", []),
        ("1.OKONKWO/CHIDINMA MRS 2.OKONKWO/OBI MR", ["OKONKWO/CHIDINMA", "OKONKWO/OBI"]),
        ("VIA TCP/IP AND/OR READ/WRITE", []),
    ],
)
def test_a_chat_calls_somebody_by_a_sign_and_an_airline_by_a_slash(text: str, people: list[str]) -> None:
    assert [text[start:end] for start, end in marked(text)] == people


def test_the_word_behind_a_booked_title_is_nobody() -> None:
    assert found("2 SMITHSON/JOHN MR HANDED OVER AT GATE", "PERSON") == ["SMITHSON/JOHN"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("he sat while Grace poured and Will cut it", ["Grace", "Will"]),
        ("she told May what Hope said. Mark laughed.", ["May", "Hope", "Mark"]),
        ("a Bill of Sale, click Mark, the Will, in May, thyme and Rose.", []),
    ],
)
def test_a_word_is_a_given_name_inside_a_sentence_and_no_button(text: str, words: list[str]) -> None:
    assert sorted(text[start:end] for start, end in {*plain_words(text)}) == sorted(words)


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("Yesterday Surrey beat Kent by nine wickets", ["Surrey", "Kent"]),
        ("Somerset bowled out Essex for 112", ["Somerset", "Essex"]),
        ("Glamorgan won the toss", ["Glamorgan"]),
        ("Leeds faces Hull Road, which is closed", []),
        ("Cuba beat Leeds by two goals", []),
    ],
)
def test_a_town_that_plays_is_a_team_and_a_country_is_a_country(text: str, sides: list[str]) -> None:
    assert [text[start:end] for start, end in teams(text)] == sides
    assert found(text, "ORG") == sides


def test_what_has_shares_or_employees_is_a_firm_and_a_given_name_is_none() -> None:
    text = "The Brevanto shares fell. Kelvaro employs 40. Anna declined to comment."
    assert [text[start:end] for start, end in firms(text)] == ["Brevanto", "Kelvaro"]


def test_a_house_with_a_name_and_its_lane_are_one_address() -> None:
    text = "The Old Rectory, Church Lane, Bibury. Rose Cottage, 4 Back Lane"
    assert {text[start:end] for start, end in named(text)} == {
        "The Old Rectory, Church Lane",
        "The",
        "Rose Cottage, 4 Back Lane",
    }
    assert found(text, "ADDRESS") == ["The Old Rectory, Church Lane", "Rose Cottage, 4 Back Lane"]


def test_a_street_of_one_word_ends_with_its_number() -> None:
    assert found("Hon bor på Storgatan 12 i Umeå.", "ADDRESS") == ["Storgatan 12"]
    assert found("wohnt Lindenstraße 5 a in Ulm", "ADDRESS") == ["Lindenstraße 5 a"]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("Ekstrand stänger Ericsson", [("Ekstrand", "PERSON"), ("Ericsson", "ORG")]),
        ("Giulia e Matteo", [("Giulia", "PERSON"), ("Matteo", "PERSON")]),
        ("Evaristo Peña y Lillo", [("Evaristo Peña y Lillo", "PERSON")]),
    ],
)
def test_a_verb_between_two_names_is_in_neither(value: str, parts: list[tuple[str, str]]) -> None:
    cut = tidy(value, [Stretch(0, len(value), "PERSON", 3.0)], abroad=True)
    assert [(value[each.start : each.end], each.tag) for each in cut] == parts


def test_no_listed_name_has_nothing_but_letters_beyond_ascii() -> None:
    """Such a name would be a row of question marks, which every word of another script is."""
    for file in ("org_known.txt", "places_known.txt"):
        assert [name for name in barred(file) if not any(map(str.isascii, name.lstrip("?")))] == []
