"""English and the other languages of Europe are read by weights of their own, and nothing falls between the two."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from securevec.anonymize import BuiltinDetector, default_detector
from securevec.anonymize.names.edges import tidy
from securevec.anonymize.names.foreign import is_foreign
from securevec.anonymize.names.model import NameModel, Stretch, Tagging, name_model
from securevec.anonymize.names.titled import behind_small_titles
from securevec.anonymize.names.tongues import NameModels, name_models
from securevec.errors import DetectorError

ENGLISH = "Please ask Gordon Ackroyd in Leeds about the invoice."
GERMAN = "Bitte fragen Sie Gerlinde Ackermann in Leipzig nach der Rechnung."
ITALIAN = "La fattura della signora Bonaccorsi non è ancora stata pagata."


def scores(tagging: Tagging) -> list[list[float]]:
    rows: list[list[float]] = tagging._scores.tolist()
    return rows


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        (ENGLISH, False),
        (GERMAN, True),
        (ITALIAN, True),
        ("Oskarżony złożył apelację.", True),
        ("Minä olen Aino ja asun viime vuodesta Oulussa.", True),
        ('{"nombre": "Ana", "apellidos": "Ruiz", "ciudad": "Lugo"}', True),
        ("Café Müller and the naïve Łódź office", False),
        ("information and documentation", False),
        ("Licensed under MIT, runs on every OS, checked by CI, docs under https://docs.example/en/om/", False),
        ("Name: tool\nLicense: yes\n" + "Classifier: Programming Language :: Python :: 3\n" * 5 + "om", False),
        ("4111 1111", False),
    ],
)
def test_small_words_say_which_language_a_text_is_in(text: str, foreign: bool) -> None:
    assert is_foreign(text) is foreign


def test_each_text_is_read_by_the_weights_of_its_language_in_whatever_company() -> None:
    models = name_models()
    texts = [GERMAN, ENGLISH, "", ITALIAN, ENGLISH, GERMAN]
    together = models.tag_each(texts)
    assert [tagging.abroad for tagging in together] == [True, False, False, True, False, True]
    assert [scores(tagging) for tagging in together] == [scores(models.tag(text)) for text in texts]
    assert scores(models.tag(ENGLISH)) == scores(name_model().tag(ENGLISH))
    assert scores(models.tag(GERMAN)) != scores(name_model().tag(GERMAN))


def test_a_text_whose_weights_are_damaged_is_refused_and_not_read_by_others() -> None:
    models = NameModels(name_model(), b"PK not a file of weights")
    detector = BuiltinDetector(model=models)
    assert [f.entity for f in detector.detect(ENGLISH)]
    with pytest.raises(DetectorError):
        detector.detect(GERMAN)
    with pytest.raises(DetectorError):
        models.tag_each([ENGLISH, GERMAN])


def test_other_weights_for_other_languages_are_another_detector() -> None:
    one, other = NameModels(name_model(), b"one"), NameModels(name_model(), b"other")
    assert len({one.digest, other.digest, name_models().digest, name_model().digest}) == 4
    assert BuiltinDetector(model=one).digest != BuiltinDetector(model=other).digest


def test_the_second_file_is_not_read_before_a_text_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    english = name_model()

    def broken(self: NameModel, data: bytes) -> None:
        raise AssertionError("read too early")

    monkeypatch.setattr(NameModel, "__init__", broken)
    models = NameModels(english, b"not read yet")
    assert scores(models.tag(ENGLISH)) == scores(english.tag(ENGLISH))
    assert len(models.tag_each([ENGLISH, ENGLISH])) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ik sprak gisteren met meneer Hoogeveen over de factuur.", "Hoogeveen"),
        ("Ho parlato con la signora Tagliabue, non è contenta.", "Tagliabue"),
        ("Skierowanie od doktora Malinowskiego jest już gotowe.", "Malinowskiego"),
        ("Zapytaj pana Wierzba, czy faktura jest gotowa.", "Wierzba"),
        ("Maandag belt meneer Boom over de rekening.", "Boom"),
        ("Der Befund von oberarzt van der Kettler ist nicht da.", "van der Kettler"),
    ],
)
def test_a_title_in_small_letters_names_somebody(text: str, name: str) -> None:
    assert [text[start:end] for start, end in behind_small_titles(text)] == [name]
    found = [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"]
    assert found
    assert name.split()[-1] in " ".join(found)


def test_the_same_words_name_nobody_in_english() -> None:
    text = "Put the pan Tefal on the fire, and don Apron and gloves when you fry."
    assert not [f for f in default_detector().detect(text) if f.rule == "name-title"]
    assert not name_models().tag(text).abroad


def cut(text: str, value: str, tag: str) -> list[str]:
    at = text.index(value)
    stretch = Stretch(at, at + len(value), tag, 3.0)
    return [text[one.start : one.end] for one in tidy(text, [stretch], abroad=True)]


def test_words_in_small_letters_are_no_end_of_a_name_and_no_name_where_there_are_capitals() -> None:
    text = "Im Interview sagte Wegener gestern viel."
    assert cut(text, "Wegener gestern", "PERSON") == ["Wegener"]
    assert cut(text, "gestern viel", "LOCATION") == []
    assert cut(text, "gestern", "ORG") == []
    assert cut("Cour de cassation", "Cour de cassation", "ORG") == ["Cour de cassation"]
    assert cut("ich bin wegener", "wegener", "PERSON") == ["wegener"]


def test_what_is_cut_abroad_stays_in_english() -> None:
    text = "He met Wegener yesterday."
    at: Sequence[Stretch] = tidy(text, [Stretch(7, 24, "PERSON", 3.0)])
    assert [text[one.start : one.end] for one in at] == ["Wegener yesterday"]
