"""Names end where they end, words beside them say what they are, and programs and tests of clinics are nobody."""

from __future__ import annotations

import pytest

from securevec.anonymize.detectors import BuiltinDetector, default_detector
from securevec.anonymize.names.beside import by_words_beside
from securevec.anonymize.names.ends import is_street, mended
from securevec.anonymize.names.forms import can_be
from securevec.anonymize.names.known_places import in_small_letters
from securevec.anonymize.names.lower import lower_case_names
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.no_names import without


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


def ends(text: str, *parts: str, tag: str) -> list[tuple[str, str]]:
    """What becomes of these parts of a text when the model takes each for a ``tag``."""
    at = 0
    stretches: list[Stretch] = []
    for part in parts:
        at = text.index(part, at)
        stretches.append(Stretch(at, at + len(part), tag, 1.0))
        at += len(part)
    return [(text[each.start : each.end], each.tag) for each in mended(text, stretches)]


def lifted(text: str, tag: str) -> list[str]:
    return [text[start:end] for start, end, kind, _ in by_words_beside(text) if kind == tag]


@pytest.mark.parametrize(
    ("text", "part", "tag", "whole"),
    [
        ("exports to the U.S. by rail", "U.S", "LOCATION", "U.S."),
        ("in L.A. and elsewhere", "L", "LOCATION", "L.A."),
        ("paid by Marl Bank, N.A. today", "Marl Bank, N", "ORG", "Marl Bank, N.A."),
        ("in Marlow, Calif. he said", "Calif", "LOCATION", "Calif."),
        ("in downtown Marlow", "downtown Marlow", "LOCATION", "Marlow"),
        ("the City of Marlow says", "Marlow", "LOCATION", "City of Marlow"),
        ("the Duchy of Marlow", "Duchy", "LOCATION", "Duchy"),
        ("in eastern Marlow", "eastern Marlow", "LOCATION", "eastern Marlow"),
        ("at #marlow Beach", "marlow Beach", "LOCATION", "marlow Beach"),
        ("the Institute of Applied Weaving", "Institute", "ORG", "Institute of Applied Weaving"),
        ("Hello Jessica, welcome", "Hello Jessica", "PERSON", "Jessica"),
        ("said Coach Martin Oduya", "Coach Martin Oduya", "PERSON", "Martin Oduya"),
        ("met Major Thomas there", "Major Thomas", "PERSON", "Major Thomas"),
        ("said Hope Jessica Marl", "Hope Jessica Marl", "PERSON", "Hope Jessica Marl"),
    ],
)
def test_a_name_ends_with_its_dots_and_without_what_is_no_part_of_it(
    text: str, part: str, tag: str, whole: str
) -> None:
    assert ends(text, part, tag=tag) == [(whole, tag)]


def test_halves_of_one_name_are_one() -> None:
    assert ends("in the People's Republic of China", "Republic", "China", tag="LOCATION") == [
        ("People's Republic of China", "LOCATION")
    ]
    assert ends("in Bosnia and Herzegovina", "Bosnia", "Herzegovina", tag="LOCATION") == [
        ("Bosnia and Herzegovina", "LOCATION")
    ]
    assert ends('Robert "Bob" Hale came', "Robert", "Hale", tag="PERSON") == [('Robert "Bob" Hale', "PERSON")]
    assert ends("Robert (Bob) Hale came", "Robert", "Bob) Hale", tag="PERSON") == [("Robert (Bob) Hale", "PERSON")]
    apart = ends("Paris and Lyon; the Chittoor District of Andhra Pradesh", "Paris", "Lyon", tag="LOCATION")
    assert apart == [("Paris", "LOCATION"), ("Lyon", "LOCATION")]
    text = "the Chittoor District of Andhra Pradesh"
    assert len(ends(text, "Chittoor District", "Andhra Pradesh", tag="LOCATION")) == 2


def test_letters_of_a_place_keep_the_kind_of_the_place() -> None:
    text = "Sprint, U.S and others"
    start = text.index("U.S")
    stretches = [Stretch(start, start + 1, "LOCATION", 1.0), Stretch(start + 2, start + 3, "PERSON", 1.0)]
    assert [(each.start, each.end, each.tag) for each in mended(text, stretches)] == [(start, start + 3, "LOCATION")]


def test_a_degree_is_no_place() -> None:
    assert ends("a B.S. in mathematics", "S", tag="LOCATION") == []


def test_a_town_and_its_state_in_front_of_a_zip_are_two_places() -> None:
    assert ends("lives in Marlow NC 27705", "Marlow NC", tag="LOCATION") == [("Marlow", "LOCATION"), ("NC", "LOCATION")]
    assert ends("lives in Marlow NC now", "Marlow NC", tag="LOCATION") == [("Marlow NC", "LOCATION")]


@pytest.mark.parametrize(
    "value", ["Breton Blvd", "Heads of the Valleys Road", "Lindenstraße", "Rue Lepic", "14th Avenue"]
)
def test_a_street_without_a_number_is_an_address_and_masked(detector: BuiltinDetector, value: str) -> None:
    assert is_street(value)
    assert can_be("ADDRESS", value)
    assert ends(f"on {value} there", value, tag="LOCATION") == [(value, "ADDRESS")]


@pytest.mark.parametrize("value", ["Wall Street", "Street", "the road", "Marlow Court", "Silk Road"])
def test_what_only_ends_like_a_street_is_none(value: str) -> None:
    assert not is_street(value)


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("Jodi Allison, 36, lives here", "PERSON", "Jodi Allison"),
        ("Idilio Bell is a 37‑year‑old astronomer", "PERSON", "Idilio Bell"),
        ("Yesterday the Ottoline household moved", "PERSON", "Ottoline"),
        ("Morning Emran, can you come?", "PERSON", "Emran"),
        ("He joined Lifeline EMS, a private ambulance service.", "ORG", "Lifeline EMS"),
        ("She started her own shop, Marl Woodworks, in 2019.", "ORG", "Marl Woodworks"),
        ("after an apprenticeship with Northby Timber", "ORG", "Northby Timber"),
        ("Davis, Reynolds and Williamson is a firm", "ORG", "Davis, Reynolds and Williamson"),
        ("sent to Marlow NC 27705 today", "LOCATION", "Marlow"),
    ],
)
def test_words_beside_a_name_say_what_it_is(text: str, tag: str, value: str) -> None:
    assert value in lifted(text, tag)


@pytest.mark.parametrize(
    "text",
    [
        "Three people, 36, and more",
        "the Royal family came",
        "Thanks, The others",
        "David, Jessica and Martin was the order",
        "no school, Nancy has worked",
    ],
)
def test_words_that_only_look_like_that_say_nothing(text: str) -> None:
    assert not lifted(text, "ORG")
    assert not lifted(text, "PERSON")


def test_the_gate_lets_through_what_its_patterns_find() -> None:
    """A name with letters beyond ASCII, and marks that RE2 reads as question marks."""
    assert lifted("Žofie Bělská, 36, žije", "PERSON") == ["Žofie Bělská"]
    assert lifted("joined Ørsted’s", "ORG") == ["Ørsted’s"]


def test_places_in_texts_without_capitals_stand_behind_their_words() -> None:
    def places(text: str) -> list[str]:
        return [text[start:end] for start, end, _ in in_small_letters(text)]

    assert places("calling from lucknow my number is") == ["lucknow"]
    assert places("i live in moose jaw now") == ["moose jaw"]
    assert places("from home to bath in reading at time of march") == []
    assert places("write to thomas") == []


def test_who_says_i_am_is_a_name_with_a_listed_surname_behind_it() -> None:
    def people(text: str) -> list[str]:
        return [text[each.start : each.end] for each in lower_case_names(text, text)]

    assert "karthik rao" in people("i am karthik rao travelling to kolkata")
    assert people("i am just young and tired") == []
    assert "afraid rao" not in people("i am afraid rao is out")


@pytest.mark.parametrize("tag", ["PERSON", "ORG"])
def test_programs_are_nobody_and_a_name_is_one_until_three_of_them_stand_there(tag: str) -> None:
    def kept(text: str, part: str) -> bool:
        start = text.index(part)
        return bool(without(text, [Stretch(start, start + len(part), tag, 1.0)]))

    assert not kept("We moved to Weblogic last year.", "Weblogic")
    assert kept("We met Jenkins last year.", "Jenkins")
    assert not kept("Environment: Maven, Jenkins, SVN, Linux", "Jenkins")
    assert kept("Environment: Maven, Dr Jenkins, SVN, Linux", "Jenkins")


def test_numbers_of_rome_are_nobody_behind_no_name() -> None:
    def kept(text: str) -> bool:
        start = text.index("III")
        return bool(without(text, [Stretch(start, start + 3, "PERSON", 1.0)]))

    assert not kept("(no. III SPP 113/04)")
    assert kept("Richard III was")


def test_letters_of_tests_are_no_firms_in_a_note_of_a_clinic(detector: BuiltinDetector) -> None:
    note = "Patient denies chest pain. CBC drawn this AM, CMP pending. Bowel sounds present."
    assert not [each for each in detector.detect(note) if each.entity in {"ORG", "PERSON"}]


@pytest.mark.parametrize("value", ["Jenkins 1.6", "Oracle Forms 6.1", "55 M", "Tomcat 9.x", "Java 11"])
def test_a_version_and_an_age_are_no_address(value: str) -> None:
    text = f"with {value} there"
    stretch = Stretch(5, 5 + len(value), "ADDRESS", 5.0)
    assert (without(text, [stretch]) == []) is (value != "Oracle Forms 6.1")


def test_a_house_with_its_number_stays_an_address() -> None:
    for value in ("Lindenweg 5", "Calle Ancha 7", "Grote Baan 477", "12 Marlow Court"):
        stretch = Stretch(3, 3 + len(value), "ADDRESS", 5.0)
        assert without(f"at {value} there", [stretch]) == [stretch]


@pytest.mark.parametrize(
    ("text", "first", "second", "whole"),
    [
        ("the New York State Department of Health says", "New York State", "Department of Health", True),
        ("met at Marlow Astros games", "Marlow", "Astros", False),
    ],
)
def test_a_public_body_and_its_place_are_one(text: str, first: str, second: str, whole: bool) -> None:
    at = text.index(first)
    behind = text.index(second)
    place = Stretch(at, at + len(first), "LOCATION", 1.0)
    body = Stretch(behind, behind + len(second), "ORG", 1.0)
    assert mended(text, [place, body]) == ([Stretch(at, body.end, "ORG", 1.0)] if whole else [place, body])


def test_an_address_that_is_spoken_is_an_email_and_nobody(detector: BuiltinDetector) -> None:
    text = "email me at rohan dot verma at gmail dot co dot in please"
    found = [(text[each.start : each.end], each.entity) for each in detector.detect(text)]
    assert found == [("rohan dot verma at gmail dot co dot in", "EMAIL")]
