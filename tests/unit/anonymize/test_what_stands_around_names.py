"""What stands around a name says what it is; what only looks like one is none, and nobody is lost by that."""

from __future__ import annotations

import pytest

from securevec.anonymize.detectors import BuiltinDetector, default_detector
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.no_names import without


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


def found(detector: BuiltinDetector, text: str, entity: str) -> list[str]:
    return [text[each.start : each.end] for each in detector.detect(text) if each.entity == entity]


@pytest.mark.parametrize(
    ("text", "nobody"),
    [
        ("Colombo - Sri Lankan police on Thursday arrested two men near the bank.", "Sri Lankan"),
        ("In the capital an Iraqi official said the convoy had left.", "Iraqi"),
        ("An application was lodged by a Moldovan national in September.", "Moldovan"),
        ("Patient seen in clinic. Babinski negative, Romberg positive, continue Keppra.", "Babinski"),
        ("Pt on the ward, BP stable. Foley removed by nursing. Zosyn for Klebsiella.", "Foley"),
        ("Programming Language :: Python :: 3.10\nClassifier: Programming Language :: Python", "Classifier"),
        ("MRI reviewed with nursing of Neurosurgery; patient has Parkinson's since March.", "Neurosurgery"),
    ],
)
def test_a_word_that_names_nobody_is_not_found(detector: BuiltinDetector, text: str, nobody: str) -> None:
    hits = [hit for kind in ("PERSON", "LOCATION", "ORG") for hit in found(detector, text, kind)]
    assert not [hit for hit in hits if nobody in hit]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Wilson was admitted to the hospital with chest pain.", "Wilson"),
        ("Pt Murphy seen in clinic, BP 120/80. Murphy's wife called the ward.", "Murphy"),
        ("Mr. Foley was discharged from the hospital. Patient tolerated surgery.", "Foley"),
        ("Nurse Babinski admitted the patient to the ward, BP 120/80.", "Babinski"),
        ("The patient was seen by Robert Parkinson in the clinic, chest pain resolved.", "Robert Parkinson"),
        ("The patient was seen in the clinic by J. Babinski, BP stable.", "Babinski"),
        ("Dear Mr. Docker, your appointment is on Monday.", "Docker"),
        ("Dear Ms. French, your appointment is on Monday.", "French"),
    ],
)
def test_a_person_called_like_a_sign_a_tube_or_a_country_is_still_found(
    detector: BuiltinDetector, text: str, person: str
) -> None:
    assert any(person in hit for hit in found(detector, text, "PERSON"))


@pytest.mark.parametrize(
    "text", ["Patient on the ward seen by Robert Babinski.", "Patient on the ward: Robert Kurdish."]
)
def test_half_of_a_name_is_kept_behind_its_given_name(text: str) -> None:
    half = Stretch(text.index("Robert ") + 7, len(text) - 1, "PERSON", 1.0)
    assert without(text, [half]) == [half]


def test_letters_behind_a_word_for_a_person_are_a_person(detector: BuiltinDetector) -> None:
    text = "She lodged a complaint against police officers S.D. and M.K. before the court of the U.S. in March."
    assert found(detector, text, "PERSON") == ["S.D.", "M.K."]


@pytest.mark.parametrize(
    "text", ["She spoke of the officer, U.S. Army, and of the rest.", "See item B.2 or the I.D. card, vol. A.B."]
)
def test_letters_that_stand_for_a_country_or_a_thing_are_nobody(detector: BuiltinDetector, text: str) -> None:
    assert found(detector, text, "PERSON") == []


def test_teams_in_a_table_of_results_are_organizations(detector: BuiltinDetector) -> None:
    text = "Ashby United 1 Northwold Athletic 1\nEastwick Albion 3 Dunmore City 2"
    assert found(detector, text, "ORG") == ["Ashby United", "Northwold Athletic", "Eastwick Albion", "Dunmore City"]


def test_a_clinic_behind_a_phrase_for_people_is_a_house_and_no_person(detector: BuiltinDetector) -> None:
    text = "Referred to Lakeshore Physical Therapy in June."
    assert found(detector, text, "ORG")
    assert found(detector, text, "PERSON") == []


def test_a_state_that_a_case_is_against_is_a_place(detector: BuiltinDetector) -> None:
    assert found(detector, "Croitor v. Moldova, judgment of 8 July 2010", "LOCATION") == ["Moldova"]


def test_a_town_before_a_date_is_where_a_report_comes_from(detector: BuiltinDetector) -> None:
    assert found(detector, "BRUSSELS 1996-08-22\nGovernment figures rose.", "LOCATION") == ["BRUSSELS"]


def test_a_word_in_small_letters_is_no_organization_where_names_have_capitals(detector: BuiltinDetector) -> None:
    text = "The witness told Detective Sergeant Mulvaney that the van belonged to Hartwell Plumbing."
    assert not [hit for hit in found(detector, text, "ORG") if hit.islower()]


def test_a_firm_behind_a_phrase_for_people_is_a_firm(detector: BuiltinDetector) -> None:
    text = "Good afternoon, attached is the forecast for Pemberley Logistics."
    assert found(detector, text, "ORG") == ["Pemberley Logistics"]
    assert found(detector, text, "PERSON") == []
