"""What forms, firms' legal forms and the parts of an address say, in languages nobody taught the names model."""

from __future__ import annotations

import pytest

from securevec.anonymize import BuiltinDetector, default_detector
from securevec.anonymize.names.forms import can_be, kind_of, labelled


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


def _found(detector: BuiltinDetector, text: str) -> set[tuple[str, str]]:
    return {(text[f.start : f.end], f.entity) for f in detector.detect(text)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Apellidos: Quorza Belid\nLocalidad: Trebujo", {("Quorza Belid", "PERSON"), ("Trebujo", "LOCATION")}),
        ("Nachname: Brumsel; Wohnort: Zwinkau", {("Brumsel", "PERSON"), ("Zwinkau", "LOCATION")}),
        ("Soyad: Yelgiz\nŞehir: Karpuz", {("Yelgiz", "PERSON"), ("Karpuz", "LOCATION")}),
        ("Employer: Quillmark Nine | City: Ostrel", {("Quillmark Nine", "ORG"), ("Ostrel", "LOCATION")}),
        ('{"lastName": "Brumsel", "city": "Zwinkau"}', {("Brumsel", "PERSON"), ("Zwinkau", "LOCATION")}),
        ("Nachname;Ort;Stadt\nBrumsel;x;Zwinkau\nTolk;y;Ostrel", {("Zwinkau", "LOCATION"), ("Tolk", "PERSON")}),
        (
            "INSERT INTO t (last_name, city) VALUES ('Brumsel', 'Zwinkau'), ('Tolk', 'Ostrel')",
            {("Brumsel", "PERSON"), ("Zwinkau", "LOCATION"), ("Tolk", "PERSON"), ("Ostrel", "LOCATION")},
        ),
        ("Invoice of Quillmark & Tolk LLP, due", {("Quillmark & Tolk LLP", "ORG")}),
        ("bei der Brumsel Werkzeugbau GmbH & Co. KG", {("Brumsel Werkzeugbau GmbH & Co. KG", "ORG")}),
        ("Tolk Nine Ltd and Ostrel S.r.l. agree", {("Tolk Nine Ltd", "ORG"), ("Ostrel S.r.l.", "ORG")}),
        ("Strasse: Untere Brumselgasse 7\nPLZ: 01649", {("Untere Brumselgasse 7", "ADDRESS")}),
        ("I live at 2304 Sorrel Trail NW, Apt 4.", {("2304 Sorrel Trail NW, Apt 4", "ADDRESS")}),
        ("write to Via dei Conciatori 7, Apt. 12 please", {("Via dei Conciatori 7, Apt. 12", "ADDRESS")}),
        ("username;plate;pin\nbrave.heron21;QC51 TVW;4821\nmk_stern81;HH-XQ 71;77", {("QC51 TVW", "LICENSE_PLATE")}),
    ],
)  # fmt: skip
def test_a_form_says_what_its_values_are(detector: BuiltinDetector, text: str, wanted: set[tuple[str, str]]) -> None:
    assert wanted <= _found(detector, text)


@pytest.mark.parametrize(
    "text",
    [
        "city: str = ''\nfirst_name: str\nlast_name=last_name",
        "City: n/a\nLast name: required\nCompany: none",
        "Teléfono: 600\nCorreo: x\nEstado: nuevo\nPrénom :",
        "ADELAIDE SA 5000 and 12 AS IT IS",
    ],
)
def test_labels_code_and_blanks_are_nobody(detector: BuiltinDetector, text: str) -> None:
    assert not {entity for _, entity in _found(detector, text)} & {"PERSON", "ORG"}


def test_two_houses_in_one_line_stay_two_addresses(detector: BuiltinDetector) -> None:
    text = "12 Mill Lane, 14 Quarry Road\n3 Orchard Close"
    assert sum(f.entity == "ADDRESS" for f in detector.detect(text)) == 3


def test_a_label_names_one_kind_and_a_value_ends_where_the_next_label_begins() -> None:
    assert kind_of("billing_city") == kind_of("City") == ("LOCATION", True)
    assert kind_of("city code") is None
    assert kind_of("product name") is None
    text = "City: Ostrel, Postcode: 12345"
    assert [text[slice(*one.value)] for one in labelled(text)] == ["Ostrel", "12345"]
    assert not can_be("PERSON", "self.name")
    assert not can_be("ADDRESS", "see above")
    assert can_be("ORG", "Quillmark, Inc.")


def test_labels_are_read_in_linear_time() -> None:
    assert sum(1 for _ in labelled("city: " * 20_000)) <= 20_000
    assert list(labelled("a: b" * 3 + "x" * 100_000 + ":")) == []
