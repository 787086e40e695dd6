"""Streets without a number, towns with their regions, firms called after families, and two kinds beside each other."""

from __future__ import annotations

import numpy as np
import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.names.firms import firms
from securevec.anonymize.names.known_organisations import by_kind, small_by_list
from securevec.anonymize.names.model import TAGS, UNIT, Tagging
from securevec.anonymize.names.regions import towns
from securevec.anonymize.names.streets import streets
from securevec.anonymize.names.switches import settled, table


def found(text: str, entity: str) -> list[str]:
    return [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == entity]


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("They closed Old Post Road for hours.", "Old Post Road"),
        ("The Elmwood Avenue clinic moved.", "Elmwood Avenue"),
        ("She rents a flat off Tithe Lane.", "Tithe Lane"),
        ("The crash on Route 9 near the bridge", "Route 9"),
        ("near 5th Street and the park", "5th Street"),
        ("shows on Bezrukov Street Street were", "Bezrukov Street"),
    ],
)
def test_a_street_without_a_number_is_a_street(text: str, street: str) -> None:
    assert [text[start:end] for start, end in streets(text)] == [street]


@pytest.mark.parametrize(
    "text",
    [
        "Wall Street fell.",
        "Oxford Road Station is shut.",
        "Save it on Google Drive.",
        "a letter to Lois Lane",
        "Lane is here",
    ],
)
def test_what_only_ends_like_a_street_is_none(text: str) -> None:
    assert list(streets(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("moved to Bend, Oregon.", ["Bend", "Oregon"]),
        ("Teller | Dayton, OH | 2014", ["Dayton", "OH"]),
        ("spoke in Louisville , Ky .", ["Louisville", "Ky"]),
        ("Ann Vega, 29, of Mesa was", ["Mesa"]),
        ("In Lagos, Nigeria", ["Lagos", "Nigeria"]),
    ],
)
def test_a_town_with_its_region_is_two_places(text: str, expected: list[str]) -> None:
    assert [text[start:end].rstrip(" .") for start, end in towns(text)] == expected


@pytest.mark.parametrize("text", ["Rosalind Kemp, MD", "Smith, Jordan Wales", "I met Priya, Texas style", "yes, OK"])
def test_a_name_with_a_degree_behind_it_is_no_town(text: str) -> None:
    assert list(towns(text)) == []


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("the CFO of Turner, Lawson and Kerr, signed", "Turner, Lawson and Kerr"),
        ("a policy with Holt-Jennings.", "Holt-Jennings"),
        ("a member of Kessler - Baker, you", "Kessler - Baker"),
        ("Harris, Pruitt and Osborn (the “Lender”)", "Harris, Pruitt and Osborn"),
    ],
)
def test_families_behind_what_a_firm_has_are_a_firm(text: str, firm: str) -> None:
    assert [text[start:end] for start, end in firms(text)] == [firm]


@pytest.mark.parametrize(
    "text",
    [
        "our founders: Harris, Lee and Phillips.",
        "Dr. Verna Magee-Holt spoke. The Magee-Holt paper is out.",
        "at Norfolk, Essex and Surrey",
        "Baker - Turner",
    ],
)
def test_families_that_may_be_people_are_left_to_the_model(text: str) -> None:
    assert list(firms(text)) == []


def test_streets_in_capitals_and_with_rare_words_for_a_street_are_masked_with_their_number() -> None:
    assert found("SHIP TO 1207 OAK HOLLOW DR, GARLAND TX 75043", "ADDRESS") == ["1207 OAK HOLLOW DR"]
    assert found("3319 Collins Orchard, Lake Gemma", "ADDRESS") == ["3319 Collins Orchard"]


def test_a_label_for_a_street_needs_no_number() -> None:
    assert found("Street: Hoppe Viaduct\nCity: Dayton", "ADDRESS") == ["Hoppe Viaduct"]
    assert found("Address: Not Provided\nStreet: unknown", "ADDRESS") == []


def test_a_column_of_states_is_places() -> None:
    assert found("first_name,city,state\nAnn,Racine,WI\nBob,Dayton,OH", "LOCATION") == ["Racine", "WI", "Dayton", "OH"]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Der Teilnehmer Torben Quast wohnt in Bonn bei der Tante und nicht hier.", "Torben Quast"),
        ("L'élève Yanis Le Goff a quitté le lycée.", "Yanis Le Goff"),
    ],
)
def test_what_somebody_is_stays_out_of_the_name_in_other_languages(text: str, person: str) -> None:
    assert found(text, "PERSON") == [person]


def test_neighbours_of_two_kinds_are_one_name_unless_the_model_is_sure_of_both() -> None:
    steps, org = table(TAGS, UNIT), TAGS.index("ORG")
    place = TAGS.index("LOCATION")
    scores = np.zeros((2, len(TAGS)), np.float32)
    scores[0, place], scores[0, org], scores[1, org] = 1.0 * UNIT, 0.5 * UNIT, 6.0 * UNIT
    assert settled(scores, [0, 1], [place, org], lambda _: True, steps, org) == [org, org]
    assert settled(scores, [0, 1], [place, org], lambda _: False, steps, org) == [place, org]
    scores[0, place] = 9.0 * UNIT
    assert settled(scores, [0, 1], [place, org], lambda _: True, steps, org) == [place, org]


@pytest.mark.parametrize(("abroad", "parts"), [(False, ["Baker Airport"]), (True, ["Baker", "Airport"])])
def test_two_halves_of_a_name_are_one_stretch_where_the_costs_were_fitted(*, abroad: bool, parts: list[str]) -> None:
    text, place, person = "at Baker Airport", TAGS.index("LOCATION"), TAGS.index("PERSON")
    scores = np.zeros((3, len(TAGS)), np.float32)
    scores[0, 0], scores[1, person], scores[1, place], scores[2, place] = 5 * UNIT, 1.2 * UNIT, UNIT, 6 * UNIT
    tagging = Tagging(text, [0, 3, 9], [2, 8, 16], scores)
    tagging.abroad = abroad
    assert [text[each.start : each.end] for each in tagging.stretches()] == parts


def test_an_organization_at_the_end_of_a_name_stays_one() -> None:
    steps, org, place = table(TAGS, UNIT), TAGS.index("ORG"), TAGS.index("LOCATION")
    scores = np.zeros((2, len(TAGS)), np.float32)
    scores[0, place], scores[1, place], scores[1, org] = 6.0 * UNIT, 1.0 * UNIT, 1.5 * UNIT
    assert settled(scores, [0, 1], [place, org], lambda _: True, steps, org) == [place, org]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The Ministry of Education and Culture in Jakarta works.", "Ministry of Education and Culture"),
        ("He spoke at the Royal College of Surgeons.", "Royal College of Surgeons"),
        ("The Midland Protection Agency sued.", "Midland Protection Agency"),
    ],
)
def test_an_article_in_front_does_not_hide_a_public_body(text: str, name: str) -> None:
    assert [text[start:end] for start, end in by_kind(text)] == [name]


def test_a_listed_firm_is_found_in_a_text_without_capitals_and_a_word_is_none() -> None:
    text = "i got hired at starbucks, the gap on target street is home, ask nielsen about the caterpillar"
    assert [text[start:end] for start, end, _ in small_by_list(text)] == ["starbucks"]


def test_what_somebody_does_in_a_row_of_a_cv_names_nobody() -> None:
    assert not {"Cashier", "Teller"} & set(
        found("Kroger | Cashier | Dayton, OH\nHarbor Bank | Teller | Dayton, OH", "PERSON")
    )
