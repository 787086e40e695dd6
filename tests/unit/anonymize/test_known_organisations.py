"""What everybody knows as an organization is one, and a person who is called like one stays a person."""

from __future__ import annotations

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.known_organisations import by_kind, by_list


def _entities(text: str) -> dict[str, str]:
    return {text[f.start : f.end]: f.entity for f in default_detector().detect(text)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Encarnación trabaja en Telefónica desde 2015.", "Telefónica"),
        ("The report of Deloitte names nobody.", "Deloitte"),
        ("Germany and France disagreed with Greenpeace.", "Greenpeace"),
        ("In 1987 she moved to Porto Alegre to play for Grêmio.", "Grêmio"),
        ("A spokesman of the Ministry of Defence had not replied.", "Ministry of Defence"),
        ("She was admitted to St. Brendan's Hospital on Monday.", "St. Brendan's Hospital"),
    ],
)
def test_an_organization_that_everybody_knows_is_found_in_a_sentence(text: str, name: str) -> None:
    assert _entities(text)[name] == "ORG"


@pytest.mark.parametrize(
    "text",
    [
        "Please call Werner Siemens about it.",
        "Signed by W. Bosch.",
        "See github.com/microsoft and @Google.",
        "a Google-Konto, Microsofts Antwort",
        "the honda of my aunt",
    ],
)
def test_a_surname_a_handle_or_a_part_of_a_word_is_no_listed_organization(text: str) -> None:
    assert not list(by_list(text))


def test_a_person_called_like_a_firm_is_still_replaced() -> None:
    assert _entities("Please call Werner Siemens about it.")["Werner Siemens"] == "PERSON"


def test_a_name_is_found_where_it_stands_behind_letters_of_any_script() -> None:
    text = "Ärzte über Nestlé, 東京 Toyota"
    assert [text[start:end] for start, end, _ in by_list(text)] == ["Nestlé", "Toyota"]


def test_an_article_in_front_is_no_part_of_a_house() -> None:
    text = "At The Royal Infirmary and the hospital"
    assert [text[start:end] for start, end in by_kind(text)] == ["Royal Infirmary"]
