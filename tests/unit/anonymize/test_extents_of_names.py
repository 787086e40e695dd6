"""How far names reach: whole houses, people that end with their sentence, addresses of several parts, and chats."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.casing import in_speech
from securevec.anonymize.names.extents import whole
from securevec.anonymize.names.known_organisations import by_kind, by_list
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.organisations import by_legal_form
from securevec.anonymize.names.streets import corners, flats


def found(text: str, entity: str) -> list[str]:
    return [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == entity]


def ends(
    text: str, *parts: tuple[str, str], houses: tuple[str, ...] = (), abroad: bool = False
) -> list[tuple[str, str]]:
    """What is made of ``parts`` (each a value and its tag)."""
    made = [Stretch(text.index(value), text.index(value) + len(value), tag, 1.0) for value, tag in parts]
    spans = [(text.index(house), text.index(house) + len(house)) for house in houses]
    return [(text[each.start : each.end], each.tag) for each in whole(text, made, spans, abroad=abroad)]


def test_a_house_of_which_a_part_was_found_is_whole() -> None:
    text = "She banks at Corvale Meridian Bank now."
    assert ends(text, ("Meridian", "ORG"), houses=("Corvale Meridian Bank",)) == [("Corvale Meridian Bank", "ORG")]
    assert ends(text, ("Corvale", "PERSON"), houses=("Corvale Meridian Bank",)) == [("Corvale", "PERSON")]


def test_neither_a_headline_nor_somebody_in_front_is_taken_into_a_house() -> None:
    text = "Attended Corvale High School"
    assert ends(text, ("Corvale High School", "ORG"), houses=(text,)) == [("Corvale High School", "ORG")]
    text = "Wilma Thorne and Corvale Foods"
    parts = (("Wilma Thorne", "PERSON"), ("Corvale Foods", "ORG"))
    assert ends(text, *parts, houses=(text,)) == [("Wilma Thorne", "PERSON"), ("Corvale Foods", "ORG")]


@pytest.mark.parametrize(
    ("text", "value", "people"),
    [
        ("Thx Vikram. Looping in the team", "Vikram. Looping", ["Vikram"]),
        ("seen by Geo. Thorne", "Geo. Thorne", ["Geo. Thorne"]),
        ("as M.T. told", "M.T", ["M.T."]),
        ('when William "Buck" Tolver sang', 'William "Buck', ['William "Buck" Tolver']),
        ("Peter - Maria wants the file", "Peter - Maria", ["Peter", "Maria"]),
        ("and Park Geun-young came", "Park Geun", ["Park Geun-young"]),
        ("then Clinton-era rules", "Clinton", ["Clinton"]),
        ("where Umm Salama lived", "Salama", ["Umm Salama"]),
        ("Did you?\nPritivala Vora: Yes", "Vora", ["Pritivala Vora"]),
    ],
)
def test_somebody_ends_with_the_sentence_and_keeps_what_belongs_to_the_name(
    text: str, value: str, people: list[str]
) -> None:
    assert [name for name, _ in ends(text, (value, "PERSON"))] == people


def test_a_family_that_is_a_town_too_belongs_to_the_full_name() -> None:
    text = "Sergio de Souza Medina spoke"
    assert ends(text, ("Sergio de Souza", "PERSON"), ("Medina", "LOCATION")) == [("Sergio de Souza Medina", "PERSON")]


@pytest.mark.parametrize(
    ("text", "house"),
    [
        ("the United States District Court for the Northern District of Illinois held",
         "United States District Court for the Northern District of Illinois"),
        ("by the Canada Foundation for Innovation and others", "Canada Foundation for Innovation"),
        ("a Committee on Tuesday met", None),
        ("the West Bank was quiet", None),
        ("the Corvale Magistrates' Court sat", "Corvale Magistrates' Court"),
        ("analysts at ING and Danske Bank expect", "Danske Bank"),
    ],
)  # fmt: skip
def test_a_body_has_its_purpose_and_a_bank_of_a_river_is_none(text: str, house: str | None) -> None:
    assert [text[start:end] for start, end in by_kind(text)] == ([house] if house else [])


def test_what_begins_beyond_ascii_is_found_and_a_place_is_told_from_a_team() -> None:
    text = "Ask Ørsted about the Gold Coast and the Gold Coast Suns, ?rsted"
    assert [(text[start:end], counts > 0) for start, end, counts in by_list(text)] == [
        ("Ørsted", True),
        ("Gold Coast", False),
    ]


def test_a_street_called_corporation_and_a_lawyer_of_a_firm_are_no_part_of_a_firm() -> None:
    assert list(by_legal_form("stops at Moor Street, Corporation Street and")) == []
    text = "Judith A. Kessel, of Kessel & Brandt, P.C., for the appellant"
    assert [text[start:end] for start, end in by_legal_form(text)] == ["Kessel & Brandt, P.C."]


@pytest.mark.parametrize(
    "address",
    [
        "Suite 900, Corvale Tower, 12 Tannery Square",
        "Flat 302, Sai Enclave, MG Road",
        "House 12, Road 5",
        "3rd Floor, Quayhouse House, 9 Tannery Street",
    ],
)
def test_a_flat_its_house_and_its_street_are_one_address(address: str) -> None:
    text = f"Send it to {address}, please."
    assert [text[start:end] for start, end in flats(text)] == [address]
    assert found(text, "ADDRESS") == [address]


def test_two_streets_that_meet_are_one_address_and_a_result_is_none() -> None:
    text = "near the corner of Elm and 3rd"
    assert [text[start:end] for start, end in corners(text)] == ["Elm and 3rd"]
    assert found("Highveld Rangers came back to beat Cape Umoya 4-3 in Polokwane.", "ADDRESS") == []


def test_results_with_a_hyphen_name_teams_and_no_players() -> None:
    assert found("Fulham 2-1 Leeds\nBurnley 0-0 Luton", "ORG") == ["Fulham", "Leeds", "Burnley", "Luton"]
    assert found("Emma Hale 2-1 Ana Ruiz", "ORG") == []


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ok so ana said pedro is in town", ["ana", "pedro"]),
        ("does rachel know that omar sold the car", ["rachel", "omar"]),
        ("they flew to el salvador is all i know", []),
        ("should we ask for more milk", []),
    ],
)
def test_a_given_name_without_capitals_ends_where_the_sentence_goes_on(text: str, people: list[str]) -> None:
    assert found(text, "PERSON") == people


def test_a_lane_in_speech_has_a_name() -> None:
    text = "we met on tannery road and not on the road, on a dirt road or on main street"
    assert [text[start:end] for start, end, _, _ in in_speech(text)] == ["tannery road"]


def test_an_office_of_two_words_and_letters_of_offices_are_nobody() -> None:
    assert found("Chief Executive Ulla Brandt said that EBITDA rose.", "PERSON") == ["Ulla Brandt"]
