"""Detectors that a user brings: merged by the one resolver, bound by a digest, and never trusted to be silent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import securevec as sv
from securevec.anonymize import (
    Anonymizer,
    Finding,
    MergedDetector,
    OperatorPolicy,
    TenantKeys,
    default_detector,
    from_callable,
    from_presidio,
    from_spacy,
    recognizer,
)
from securevec.errors import CollectionMismatch, ConfigError, DetectorError
from securevec.testing.embedders import HashEmbedder

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
TEXT = "badge B-204417 of jane@example.com"


def values(found: list[Finding], text: str) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.entity) for f in found]


def test_three_lines_add_a_recognizer_of_your_own() -> None:
    badge = recognizer("BADGE", r"\bB-\d{6}\b")
    detector = MergedDetector([default_detector(), badge])
    assert values(detector.detect(TEXT), TEXT) == [("B-204417", "BADGE"), ("jane@example.com", "EMAIL")]


def test_a_pattern_sees_the_folded_text_and_the_span_covers_the_original() -> None:
    dressed = "badge B‑２０４\u200b４１７ today"
    badge = recognizer("BADGE", r"\bB-(?P<value>\d{6})\b")
    assert values(badge.detect(dressed), dressed) == [("２０４\u200b４１７", "BADGE")]


def test_a_function_is_a_recognizer_and_its_version_is_part_of_the_digest() -> None:
    def shouting(text: str) -> list[tuple[int, int]]:
        return [(0, 5)] if text.startswith("BADGE") else []

    one, other = recognizer("LOUD", shouting), recognizer("LOUD", shouting, version="2")
    assert values(one.detect("BADGE lost"), "BADGE lost") == [("BADGE", "LOUD")]
    assert one.digest != other.digest
    assert recognizer("A", "a+").digest != recognizer("A", "a*").digest
    assert recognizer("A", "a+").digest == recognizer("A", "a+").digest


@pytest.mark.parametrize(
    ("entity", "pattern"), [("badge", "x"), ("", "x"), ("A B", "x"), ("BADGE", "(?=x)"), ("BADGE", "(")]
)
def test_a_recognizer_that_cannot_be_honoured_is_refused(entity: str, pattern: str) -> None:
    with pytest.raises(ConfigError):
        recognizer(entity, pattern)


def test_an_operator_policy_may_name_what_a_recognizer_reports() -> None:
    detector = MergedDetector([default_detector(), recognizer("BADGE", r"\bB-\d{6}\b")])
    policy = OperatorPolicy.from_mapping({"BADGE": "tag"}, entities=detector.entities)
    done = Anonymizer(detector=detector, policy=policy).field(TEXT, keys=KEYS)
    assert done.text.text.startswith("badge [BADGE] of ")


class Analyzer:
    """The two methods of ``presidio_analyzer.AnalyzerEngine`` that are called, with results of its shape."""

    def get_supported_entities(self, language: str) -> list[str]:
        return ["PERSON", "US_SSN", "UK_NINO"]

    def analyze(self, *, text: str, language: str) -> list[Any]:
        start = text.find("Jane")
        person = SimpleNamespace(start=start, end=start + 4, entity_type="PERSON", score=0.85)
        weak = SimpleNamespace(start=0, end=1, entity_type="US_SSN", score=0.05)
        return [person, weak] if start >= 0 else []


def test_presidio_results_become_findings_under_our_names() -> None:
    detector = from_presidio(Analyzer(), version="2.2 small", threshold=0.1)
    assert values(detector.detect("call Jane now"), "call Jane now") == [("Jane", "PERSON")]
    assert detector.entities == {"PERSON", "SSN", "UK_NINO"}
    assert from_presidio(Analyzer(), version="2.2 large", threshold=0.1).digest != detector.digest


class Pipeline:
    """A spaCy pipeline as far as it is used."""

    def __init__(self) -> None:
        self.meta = {"lang": "en", "name": "core_web_sm", "version": "3.8.0"}
        self.pipe_names = ["tagger", "ner"]

    def get_pipe(self, name: str) -> Any:
        return SimpleNamespace(labels=("PERSON", "GPE")) if name == "ner" else SimpleNamespace()

    def __call__(self, text: str) -> Any:
        return SimpleNamespace(ents=[SimpleNamespace(start_char=0, end_char=4, label_="GPE")])


def test_spacy_entities_become_findings_under_our_names() -> None:
    detector = from_spacy(Pipeline())
    assert values(detector.detect("Rome is old"), "Rome is old") == [("Rome", "LOCATION")]
    assert detector.entities == {"PERSON", "LOCATION"}


@pytest.mark.parametrize("key", ["label", "entity_group", "entity_type", "entity"])
def test_pipelines_that_answer_with_mappings_become_detectors(key: str) -> None:
    def model(text: str) -> list[dict[str, Any]]:
        return [{"start": 0, "end": 4, key: "PER", "score": 0.9}, {"start": 5, "end": 7, key: "PER", "score": 0.2}]

    detector = from_callable(model, version="gliner-x", threshold=0.5)
    assert values(detector.detect("Jane is in"), "Jane is in") == [("Jane", "PERSON")]


@pytest.mark.parametrize(
    "answer",
    [
        [{"end": 4, "label": "PER"}],
        [{"start": 0, "end": 4}],
        [{"start": 0, "end": 99, "label": "PER"}],
        [{"start": 3, "end": 3, "label": "PER"}],
        [{"start": 0, "end": 4, "label": "?"}],
        [{"start": "x", "end": 4, "label": "PER"}],
        None,
    ],
)
def test_a_broken_answer_stores_nothing(answer: Any) -> None:
    detector = MergedDetector([default_detector(), from_callable(lambda text: answer, version="1")])
    with pytest.raises(DetectorError) as caught:
        detector.detect("Jane Smith called")
    assert "Jane" not in str(caught.value)


def test_a_long_text_reaches_a_model_in_windows_and_no_value_is_lost_at_a_border() -> None:
    sizes: list[int] = []

    def model(text: str) -> list[dict[str, Any]]:
        sizes.append(len(text))
        found: list[dict[str, Any]] = []
        start = text.find("Zarathustra")
        while start >= 0:
            found.append({"start": start, "end": start + 11, "label": "PER"})
            start = text.find("Zarathustra", start + 1)
        return found

    text = "so spoke Zarathustra " * 400
    found = from_callable(model, version="1", window=512).detect(text)
    assert len(found) == 400
    assert {text[f.start : f.end] for f in found} == {"Zarathustra"}
    assert max(sizes) <= 2048


def test_a_store_takes_recognizers_and_binds_its_collections_to_them(tmp_path: Path) -> None:
    class Note(sv.Record):
        id: sv.Key[str]
        body: sv.Embed[str]

    opening: dict[str, Any] = {"backend": "memory", "key_file": tmp_path / "k.key", "embedder": HashEmbedder()}
    badge = sv.recognizer("BADGE", r"\bB-\d{6}\b")
    with sv.SecureStore.open(tmp_path / "home", recognizers=[badge], **opening) as store:
        notes = store.tenant("acme", create=True).collection(Note, operators={"BADGE": "tag"})
        notes.ingest([{"id": "1", "body": "The badge B-204417 was found."}])
        record = notes.get("1")
        assert record is not None
        assert record.body == "The badge [BADGE] was found."
    others: list[dict[str, Any]] = [
        {"recognizers": [sv.recognizer("BADGE", "x+")]},
        {"recognizers": [badge], "recall": "high"},
    ]
    for other in others:
        with (
            sv.SecureStore.open(tmp_path / "home", **other, **opening) as store,
            pytest.raises(CollectionMismatch),
        ):
            store.tenant("acme").collection(Note, operators={"BADGE": "tag"})
