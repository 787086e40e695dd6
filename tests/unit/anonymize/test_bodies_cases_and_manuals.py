"""Clubs, courts and units, places in cases and in their own scripts, ends of names, and what manuals name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from securevec.anonymize import BuiltinDetector
from securevec.anonymize.detectors import builtin_detector
from securevec.anonymize.names.bodies import bodies
from securevec.anonymize.names.declined import declined
from securevec.anonymize.names.inverted import inverted_names
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.no_names import without
from securevec.anonymize.names.regions import towns
from securevec.anonymize.names.scripts.native_places import with_capitals
from securevec.anonymize.names.streets import flats


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return builtin_detector("balanced")


def found(detector: BuiltinDetector, text: str, entity: str) -> list[str]:
    return [text[each.start : each.end] for each in detector.detect(text) if each.entity == entity]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("He served with the 14th Infantry Division there.", "14th Infantry Division"),
        ("On Sunday FC Tallmark lost again.", "FC Tallmark"),
        ("Das Landgericht Kassel wies ab.", "Landgericht Kassel"),
        ("We asked Pruitt & Osborn for advice.", "Pruitt & Osborn"),
        ("The bill of PG&E came late.", "PG&E"),
        ("FILED WITH THE BANK OF IRELAND TODAY", "BANK OF IRELAND"),
    ],
)
def test_a_body_is_told_by_its_kind(text: str, body: str) -> None:
    assert [text[start:end] for start, end in bodies(text)] == [body]


@pytest.mark.parametrize(
    "text",
    [
        "The R&D team asked for Q&A.",
        "An AC Adapter and a CD Player.",
        "As shown by Pruitt & Osborn (2004) it holds.",
        "Mr. Pruitt & Osborn came.",
        "Terms & Conditions apply.",
    ],
)
def test_letters_couples_and_quotations_are_no_body(text: str) -> None:
    assert not list(bodies(text))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Mieszka w Krakowie od lat.", "Krakowie"),
        ("Pochází z Ostravy a žije tam.", "Ostravy"),
        ("Hän asuu Oulussa nyt.", "Oulussa"),
        ("Debrecenben lakik.", "Debrecenben"),
        ("Bugün Trabzon'da kaldı.", "Trabzon'da"),
    ],
)
def test_a_listed_place_in_a_case_is_found_under_its_ending(text: str, place: str) -> None:
    assert [text[start:end] for start, end, _ in declined(text)] == [place]


def test_an_ending_of_a_case_makes_no_place_of_a_word() -> None:
    assert not list(declined("Powiedział w Poniedziałek, że kocha Kasię. Hän lukee Kirjassa."))


@pytest.mark.parametrize(
    ("text", "place"), [("Она живёт в Екатеринбурге.", "Екатеринбурге"), ("Ζει στη Θεσσαλονίκη.", "Θεσσαλονίκη")]
)
def test_a_town_in_cyrillic_or_greek_is_known_in_its_case(text: str, place: str) -> None:
    assert [text[start:end] for start, end, _ in with_capitals(text)] == [place]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("او در شیراز زندگی می کند.", "شیراز"),
        ("הוא גר בחיפה היום.", "חיפה"),
        ("वह लखनऊ में रहता है।", "लखनऊ"),
        ("وصل إلى الرياض أمس.", "الرياض"),
    ],
)
def test_a_town_in_a_script_without_capitals_is_found_beside_its_word(
    detector: BuiltinDetector, text: str, place: str
) -> None:
    assert found(detector, text, "LOCATION") == [place]


def test_a_town_in_such_a_script_with_no_word_beside_it_may_be_anything(detector: BuiltinDetector) -> None:
    assert not found(detector, "اصفهان زیبا است.", "LOCATION")


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("Return it to Flat 7, Dovecote House.", "Flat 7, Dovecote House"),
        ("We live at Flat 2, 19 Gorse Bank, Aberdeen.", "Flat 2, 19 Gorse Bank"),
    ],
)
def test_a_flat_goes_on_with_its_house(text: str, flat: str) -> None:
    assert [text[start:end] for start, end in flats(text)] == [flat]


def test_a_law_of_a_year_is_no_state_with_its_postcode(detector: BuiltinDetector) -> None:
    assert found(detector, "Send it to Wagga Wagga NSW 2650 today.", "LOCATION") == ["Wagga Wagga", "NSW"]
    assert not list(towns("As the DATA PROTECTION ACT 1998 says."))


def test_a_family_name_of_one_letter_keeps_its_dot_and_a_party_does_not(detector: BuiltinDetector) -> None:
    assert found(detector, "Yesterday Mark T. wanted to talk to us.", "PERSON") == ["Mark T."]
    assert found(detector, "PLAINTIFF: MARTHA KIMBROUGH V. ALLSTATE INSURANCE COMPANY", "PERSON") == [
        "MARTHA KIMBROUGH"
    ]


def test_a_degree_behind_a_name_is_no_given_name_and_initials_are() -> None:
    assert not inverted_names("Attending: Nora V. Whelchel, M.D.")
    assert len(inverted_names("Whelchel, M.D. and others")) == 1


def test_two_columns_are_two_names(detector: BuiltinDetector) -> None:
    text = "Name: \nIngrid Solberg     Hamish Baird\n"
    assert found(detector, text, "PERSON") == ["Ingrid Solberg", "Hamish Baird"]


MANUAL = "Chardet is called by `open()` with --encoding and `detect_all()`; Botocore reads conf.py too.\n"


def test_in_a_manual_a_word_that_no_list_knows_is_nobody(detector: BuiltinDetector) -> None:
    assert not found(detector, MANUAL, "PERSON")
    assert not found(detector, MANUAL, "ORG")


def kept(text: str, part: str, supported: Sequence[tuple[int, int]] = ()) -> bool:
    start = text.index(part)
    return bool(without(text, [Stretch(start, start + len(part), "PERSON", 1.0)], supported))


def test_somebody_in_a_manual_stays_somebody_by_list_title_or_rule() -> None:
    text = f"{MANUAL}Written by Thomas, by Mr Zanderloo and by Vexelbrand."
    start = text.index("Vexelbrand")
    assert kept(text, "Thomas")
    assert kept(text, "Zanderloo")
    assert not kept(text, "Vexelbrand")
    assert kept(text, "Vexelbrand", [(start, start + 4)])


def test_names_of_columns_make_no_manual_of_a_record() -> None:
    assert kept("first_name,last_name,home_town\nOla,Vexelbrand,Leeds\n", "Vexelbrand")


def test_what_science_calls_after_somebody_is_nobody(detector: BuiltinDetector) -> None:
    assert not found(detector, "It explains Markov chains and Monte Carlo methods.", "PERSON")
