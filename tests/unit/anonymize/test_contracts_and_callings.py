"""Words of contracts name nobody; callings, parties and kinds of place say what stands beside them, abroad too."""

from __future__ import annotations

import pytest

from securevec.anonymize.detectors import BuiltinDetector, default_detector
from securevec.anonymize.names.around import lifts
from securevec.anonymize.names.known_places import by_list, by_own_name
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.no_names import _listed, without
from securevec.anonymize.names.titled import behind_callings
from securevec.anonymize.rules.phones import plausible, valid


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return default_detector()


def found(detector: BuiltinDetector, text: str, entity: str) -> list[str]:
    return [text[each.start : each.end] for each in detector.detect(text) if each.entity == entity]


def called(text: str) -> list[str]:
    return [text[start:end] for start, end in behind_callings(text)]


def lifted(text: str, tag: str) -> list[str]:
    return [text[start:end] for start, end, kind, _ in lifts(text) if kind == tag]


def whole(text: str, part: str, tag: str) -> list[Stretch]:
    start = text.index(part)
    return without(text, [Stretch(start, start + len(part), tag, 1.0)])


@pytest.mark.parametrize("tag", ["PERSON", "ORG"])
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("The Lender shall pay the Borrower in two instalments.", "Borrower"),
        ("Hereinafter each is referred to as a Party.", "Hereinafter"),
        ("Independent Board Members receive a retainer of 100.", "Independent Board Members"),
        ("A copy of the Audit Committee Charter is attached.", "Audit Committee Charter"),
        ("( B ) Lender and Borrower have agreed.", "B ) Lender"),
        ("As stated in the Notice of Termination.", "Notice of Termination"),
    ],
)
def test_what_is_made_of_words_of_contracts_is_nobody(text: str, part: str, tag: str) -> None:
    assert whole(text, part, tag) == []


@pytest.mark.parametrize(
    ("text", "part", "tag"),
    [
        ("Signed by Robert Borrower.", "Borrower", "PERSON"),
        ("Signed by Mr Borrower.", "Borrower", "PERSON"),
        ("The Lender, Tamsin Price, signs.", "Tamsin Price", "PERSON"),
        ("Fair Haven Mutual Fund pays.", "Fair Haven Mutual Fund", "ORG"),
        ("The Board of Ashmere Water meets.", "Board of Ashmere Water", "ORG"),
        ("Everyone in Date is well.", "Date", "LOCATION"),
    ],
)
def test_a_name_with_a_word_of_contracts_in_it_stays(text: str, part: str, tag: str) -> None:
    assert len(whole(text, part, tag)) == 1


def test_the_parties_of_a_contract_stay_beside_their_roles(detector: BuiltinDetector) -> None:
    text = "Hereinafter the Lender, represented by Tamsin Oakshott, and the Borrower, represented by Piers Lindqvist."
    assert found(detector, text, "PERSON") == ["Tamsin Oakshott", "Piers Lindqvist"]


@pytest.mark.parametrize(
    ("text", "house"),
    [
        ("De minister Didier Reynaerts (PRL) stelt dat voor.", "PRL"),
        ("Anna Lindner ( FDP ) und ihr Nachfolger", "FDP"),
        ("said Martin van der Berg (KBX) on Monday", "KBX"),
    ],
)
def test_letters_in_brackets_behind_a_full_name_are_a_party_or_a_firm(text: str, house: str) -> None:
    assert lifted(text, "ORG") == [house]


@pytest.mark.parametrize(
    "text",
    [
        "Magnetic Resonance Imaging (MRI) was done.",
        "Anna Lindner (PhD) spoke.",
        "Anna Lindner (USA) won in 10.4 seconds.",
        "The Application Programming Interface (API) is stable.",
    ],
)
def test_letters_in_brackets_behind_anything_else_and_degrees_are_none(text: str) -> None:
    assert lifted(text, "ORG") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dijo hoy el juez Adolfo Bagnaschi en la sala", "Adolfo Bagnaschi"),
        ("in handen van de zakenman Derkinga.", "Derkinga"),
        ("segundo a cantora Limeira , que canta", "Limeira"),
        ("der Amtszeit des Bürgermeisters Rutholf Gianoli wurde", "Rutholf Gianoli"),
        ("le maire Kervadec a dit", "Kervadec"),
    ],
)
def test_what_stands_behind_a_calling_is_a_name(text: str, name: str) -> None:
    assert called(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "o ministro da Justiça disse",
        "el presidente de la República habló",
        "der Leiter Verkauf ist krank",
        "der Trainer Borussia Dortmund",
        "el presidente UEFA",
        "die Leiterin des Hauses Lindenhof",
        "de minister van Landbouw",
    ],
)
def test_an_office_a_team_and_a_noun_of_german_behind_a_calling_are_no_names(text: str) -> None:
    assert called(text) == []


def test_a_calling_finds_a_surname_that_no_list_knows(detector: BuiltinDetector) -> None:
    text = (
        "Durch eine umstrittene Sanierung der Gegend während der Amtszeit des Bürgermeisters Rutholf Gianoli wurde "
        "dieser Abschnitt besser ."
    )
    assert found(detector, text, "PERSON") == ["Rutholf Gianoli"]


def test_callings_are_not_asked_in_english(detector: BuiltinDetector) -> None:
    text = "The director General Motors sent was late for the meeting on the new plant."
    assert "General Motors" not in found(detector, text, "PERSON")


def places_of(text: str) -> list[str]:
    return [text[start:end] for start, end, _ in by_list(text)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("lembro-me muito bem, na Covilhã, ia sozinho", "Covilhã"),
        ("donos de bares de São Paulo", "São Paulo"),
        ("in der Stadt Xirchan gelegen", "Xirchan"),
        ("en la ciudad de Mar del Plata", "Mar del Plata"),
        ("moved to the village of Thornwick Dale", "Thornwick Dale"),
    ],
)
def test_a_word_for_a_kind_of_place_and_a_small_word_say_a_place(text: str, place: str) -> None:
    assert place in places_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Maria da Silva",
        "filho de Silva",
        "sou filho de Barroso , o pintor",
        "die Stadt, Petra",
        "Rua Charles de Gaulle",
        "o livro de Fátima",
        "della Corte d'Appello di Bologna",
    ],
)
def test_particles_of_names_and_somebodys_names_are_no_places(text: str) -> None:
    assert places_of(text) == []


def test_a_country_by_its_own_name_is_a_place_wherever_it_stands_alone() -> None:
    text = "tussen Portugal en Wallonië, zei Air France, Telecom Italia en Vietnã"
    assert [text[start:end] for start, end, _ in by_own_name(text)] == ["Portugal", "Wallonië", "Vietnã"]


@pytest.mark.parametrize(
    ("text", "nobody"),
    [
        ("De Belgische visserij en de Vlamingen zijn het niet eens met het plan.", "Belgische"),
        ("Rund 200 Franzosen und Briten sind nach dem Spiel geblieben.", "Franzosen"),
    ],
)
def test_nationalities_in_other_languages_name_nobody(detector: BuiltinDetector, text: str, nobody: str) -> None:
    hits = [hit for kind in ("PERSON", "LOCATION", "ORG") for hit in found(detector, text, kind)]
    assert nobody not in hits


def test_a_measure_is_no_address(detector: BuiltinDetector) -> None:
    text = "Sie ist von der Stadt Xirchan 30 Kilometer Luftlinie und 80 Straßenkilometer entfernt."
    assert found(detector, text, "ADDRESS") == []
    [street] = found(detector, "Wir wohnen in der Lindenstraße 30, 50667 Köln.", "ADDRESS")
    assert street.endswith("Lindenstraße 30")


@pytest.mark.parametrize("version", ["31.0.883.0", "120.0.6099.109", "118.0.2088.61", "3.5.30729"])
def test_a_version_is_no_telephone_number(version: str) -> None:
    assert not valid(version)
    assert not plausible(version)


@pytest.mark.parametrize("number", ["1.800.555.0142", "0161.496.0382", "+44.161.496.0382", "01.99.00.45.12"])
def test_a_number_with_dots_is_still_a_telephone_number(number: str) -> None:
    assert valid(number)


def test_a_browser_that_introduces_itself_names_nobody(detector: BuiltinDetector) -> None:
    text = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0.6099.109 Safari/537.36"
    )
    assert detector.detect(text) == []


def test_each_list_of_what_is_no_name_is_read_once() -> None:
    """A cache with fewer places than lists read all of them again for every text, and took as long as the rest."""
    text = "Pt on the ward, BP stable. Foley removed by the Lender. Classifier, Zosyn and Iraqi."
    names = [(text.index(word), word) for word in ("Foley", "Lender", "Classifier", "Zosyn", "Iraqi")]
    stretches = [Stretch(start, start + len(word), "PERSON", 1.0) for start, word in names]
    _listed.cache_clear()
    for _ in range(3):
        without(text, stretches)
    told = _listed.cache_info()
    assert told.misses == told.currsize == 5
