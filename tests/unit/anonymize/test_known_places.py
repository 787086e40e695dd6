"""A town that a list knows is found in the languages of Europe, and a person who is called like one is not lost."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.known_places import by_list


def _entities(text: str) -> dict[str, str]:
    return {text[f.start : f.end]: f.entity for f in default_detector().detect(text)}


@pytest.mark.parametrize(
    ("text", "towns"),
    [
        ("Sie zog nach Chemnitz und nach Österreich.", ["Chemnitz", "Österreich"]),
        ("La reunión será en Valladolid, España.", ["Valladolid", "España"]),
        ("Elle habite à Clermont-Ferrand et travaille à Bruxelles.", ["Clermont-Ferrand", "Bruxelles"]),
        ("Zij woont in Den Haag en komt uit Nijmegen.", ["Den Haag", "Nijmegen"]),
        ("Lavora a Venezia.", ["Venezia"]),
        ("She flew from Addis Ababa to Buenos Aires.", ["Addis Ababa", "Buenos Aires"]),
    ],
)
def test_a_town_behind_a_word_that_stands_in_front_of_towns_is_a_place(text: str, towns: list[str]) -> None:
    found = _entities(text)
    assert {town: found.get(town) for town in towns} == dict.fromkeys(towns, "LOCATION")


@pytest.mark.parametrize(
    "text",
    [
        "a letter from Parker",  # a town of Colorado
        "geht an Charlotte, à Charlotte",
        "in March and in May",
        "nach Hause, nach Absprache",
        "nachNürnberg",
    ],
)
def test_a_name_a_month_or_a_word_is_left_to_the_model(text: str) -> None:
    assert not list(by_list(text))


def test_a_person_called_like_a_town_is_still_replaced() -> None:
    assert _entities("Please send it to Charlotte Parker today.")["Charlotte Parker"] == "PERSON"


def test_a_state_in_front_of_a_zip_code_is_one_and_two_letters_alone_are_not() -> None:
    assert [
        text[s:e] for text in ("Springwood, OH 45501", "yes, OK then", "or, IN 5 days") for s, e, _ in by_list(text)
    ] == ["OH"]


@pytest.mark.parametrize("greeting", ["Gentile", "Querida", "Beste", "Cara"])
def test_what_a_letter_begins_with_is_no_part_of_the_name(greeting: str) -> None:
    assert _entities(f"{greeting} Ludovica Santangelo,\nla prenotazione.")["Ludovica Santangelo"] == "PERSON"


def test_a_given_name_like_a_greeting_stays_in_its_name() -> None:
    assert _entities("Last week Cara Ellwood, the clerk, left.")["Cara Ellwood"] == "PERSON"


@pytest.mark.parametrize(
    ("text", "code"),
    [("50667 Köln", "50667"), ("He lives in Duluth, Minnesota 55802.", "55802"), ("nach 8001 Zürich gezogen", "8001")],
)
def test_a_number_beside_a_town_is_its_postcode(text: str, code: str) -> None:
    assert _entities(text)[code] == "POSTCODE"
