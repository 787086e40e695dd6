"""A postcode that no label names is found behind a street; other numbers there are not."""

from __future__ import annotations

from functools import cache

import pytest

from securevec.anonymize import BuiltinDetector, default_detector
from securevec.anonymize.findings import Finding
from securevec.anonymize.rules import phones
from securevec.anonymize.rules.postcodes import behind_streets


@cache
def detector() -> BuiltinDetector:
    return default_detector()


@pytest.mark.parametrize(
    ("street", "behind", "code"),
    [
        ("Hauptstr. 5", ", 10115 Berlin", "10115"),
        ("12 rue de la Paix", "\n75002 Paris", "75002"),
        ("Kerkstraat 12", ", 9912 XZ Utrecht", "9912 XZ"),
        ("ul. Lipowa 3", ", 57-300 Wrona", "57-300"),
        ("Storgatan 5", ", 451 50 Lund", "451 50"),
        ("5 Mill Lane", ", Fort Wayne, 02612", "02612"),
        ("5 Mill Lane", ", Springfield 97201-1234.", "97201-1234"),
        ("5 Mill Lane", ", 97201", "97201"),
    ],
)
def test_a_postcode_behind_a_street_is_found(street: str, behind: str, code: str) -> None:
    text = street + behind
    found = behind_streets(text, [Finding(0, len(street), "ADDRESS", 0.8, "r", 30)])
    assert [text[f.start : f.end] for f in found] == [code]


@pytest.mark.parametrize(
    "behind",
    [", 2019 we moved", " 12345 times", ", 123456789", ", 10115 letters", ", 10115-99 left", " on 4 May 20261"],
)
def test_a_number_behind_a_street_that_is_none_is_not(behind: str) -> None:
    text = "5 Mill Lane" + behind
    assert behind_streets(text, [Finding(0, 11, "ADDRESS", 0.8, "r", 30)]) == []


def test_a_town_without_a_street_gives_no_postcode() -> None:
    assert behind_streets("Leeds, 10115 Berlin", [Finding(0, 5, "LOCATION", 0.8, "r", 30)]) == []


def test_the_detector_tells_street_and_postcode_apart() -> None:
    text = "Heizung kalt bei Gesine Berg, Kälberstieg 34, 37833 Ueckermünde."
    found = {f.entity: text[f.start : f.end] for f in detector().detect(text)}
    assert found["ADDRESS"] == "Kälberstieg 34"
    assert found["POSTCODE"] == "37833"


@pytest.mark.parametrize("text", ["192.0.2.44 runs firmware 3.1.4", "device 198.51.100.85 asks, build 7, call desk"])
def test_an_ip_address_beside_a_firmware_is_one_and_never_a_telephone_number(text: str) -> None:
    entities = {f.entity for f in detector().detect(text)}
    assert "IP" in entities
    assert "PHONE" not in entities


@pytest.mark.parametrize("quad", ["198.51.100.85", "10.121.31.144"])
def test_four_numbers_up_to_255_are_no_telephone_number_even_where_one_is_spoken_of(quad: str) -> None:
    assert not phones.plausible(quad)
    assert not phones.valid(quad)
    assert phones.plausible("1.415.555.2671")
    assert phones.valid("1.415.555.2671")


def test_a_birthday_in_a_field_of_camel_case_is_one() -> None:
    assert "DATE_OF_BIRTH" in {f.entity for f in detector().detect('{"dateOfBirth": "08.11.1939"}')}
