"""The names model: whole numbers in, the same findings whatever the split, and no text that breaks or slows it."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securevec.anonymize import BuiltinDetector, builtin_detector, default_detector
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.names import model as room
from securevec.anonymize.names.features import HASHES, TOKEN, canonical, hashed_features, is_word
from securevec.anonymize.names.layers import WEIGHT_STEP
from securevec.anonymize.names.merge import find_entities
from securevec.anonymize.names.model import REACH, TAGS, NameModel, Stretch, name_model
from securevec.errors import ConfigError, DetectorError

TEXT = (
    "Dear Ms Tuimavave,\nI spoke with Natasha Higuchi from Acme Insurance in Rotterdam on Monday. "
    "Please send the invoice to 12 Mill Street, Apt 4, 75001 Springfield.\nKind regards,\nPiotr Wieczorek\n"
)


def stretches(text: str, model: NameModel | None = None) -> list[Stretch]:
    return (model or name_model()).tag(text).stretches()


def test_people_places_organizations_and_addresses_are_told_apart() -> None:
    found = {(TEXT[s.start : s.end], s.tag) for s in stretches(TEXT)}
    assert {("Natasha Higuchi", "PERSON"), ("Piotr Wieczorek", "PERSON"), ("Rotterdam", "LOCATION")} <= found
    assert ("Acme Insurance", "ORG") in found
    assert any(tag == "ADDRESS" and "12 Mill Street" in value for value, tag in found)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("I met Ngozi at the station.", "Ngozi"),
        ("Yesterday Kowalczyk resigned.", "Kowalczyk"),
        ("hello, my name is ludmila and i cannot log in", "ludmila"),
        ("Patient O'Brien was discharged.", "O'Brien"),
        ("Please call Jean-Luc Moreau back.", "Jean-Luc Moreau"),
    ],
)
def test_names_that_no_list_needs_to_hold(text: str, person: str) -> None:
    found = [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"]
    assert person in found


@pytest.mark.parametrize("number", ["2026-05-31", "25/02/2026", "€ 886,50", "304,74 €", "$344.28"])
def test_no_part_of_a_date_or_an_amount_is_an_address(number: str) -> None:
    text = f"Rotterdam, {number}\nKassel\n12 Mill Street, paid {number} in Leeds"
    places = [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "ADDRESS"]
    assert not any(value in number for value in places)


def test_several_words_behind_an_introduction_need_no_second_opinion() -> None:
    text = "Votre conseillère Uwe Jabłoński m'a donné le dossier."
    assert "Uwe Jabłoński" in {text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"}


@pytest.mark.parametrize("text", ["what did Dr Patel say", "ask Mrs. Patel about it", "i saw Prof. Dr. Patel there"])
def test_a_title_is_no_part_of_the_name(text: str) -> None:
    assert [text[f.start : f.end] for f in default_detector().detect(text) if f.entity == "PERSON"] == ["Patel"]


def test_scores_do_not_depend_on_how_a_text_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT * 12
    whole = stretches(text)
    for block in (1, 7, 64):
        monkeypatch.setattr(room, "_BLOCK", block)
        assert stretches(text) == whole


def test_no_token_beyond_the_reach_changes_a_tag() -> None:
    middle = "Natasha Higuchi lives in Rotterdam"
    filler = " ".join(["and"] * REACH)
    one, other = f"{filler} {middle} {filler}", f"Zzz 9 {filler} {middle} {filler} Xxx\n"
    shift = other.index(middle) - one.index(middle)
    inside = [(s.start + shift, s.end + shift, s.tag, s.margin) for s in stretches(one)]
    assert [(s.start, s.end, s.tag, s.margin) for s in stretches(other) if s.tag == "PERSON"] == [
        found for found in inside if found[2] == "PERSON"
    ]


def test_every_number_stays_exact_in_single_precision() -> None:
    model = name_model()
    with np.load(io.BytesIO(weights())) as arrays:
        for name in ("w1", "w2", "w3", "wo"):
            assert arrays[name].dtype == np.int8
        # The largest sum a layer can reach, all inputs and weights at their ends, is a whole number of 24 bits.
        for name, bias in (("w1", "b1"), ("w2", "b2"), ("w3", "b3"), ("wo", "bo")):
            layer = np.abs(arrays[name].astype(np.int64)).reshape(-1, arrays[name].shape[-1]).sum(axis=0)
            assert int((layer * 127 + np.abs(arrays[bias])).max()) + 127 * WEIGHT_STEP < 1 << 24
    scores = model._scores(["Jane", "Smith", "lives", "in", "Rome", "."])
    assert np.array_equal(scores, np.floor(scores))


def by_hand(tokens: list[str]) -> list[list[int]]:
    """The scores again, in whole numbers of any size, one token at a time and without padding."""
    with np.load(io.BytesIO(weights())) as arrays:
        part = {name: arrays[name].astype(np.int64) for name in arrays.files if name != "words"}
        known = {word: row for row, word in enumerate(bytes(arrays["words"]).decode().split("\n"))}
    rows: list[Any] = []
    for form in map(canonical, tokens):
        word = known.get(lookup_key(form)) if is_word(form) else None
        total = part["hashed"][hashed_features(form, known=word is not None)].sum(axis=0)
        rows.append(np.clip(total + (part["table"][word] if word is not None else 0), -127, 127))
    for layer in "123":
        weight, bias = part[f"w{layer}"], part[f"b{layer}"]
        side = len(weight) // 2
        made: list[Any] = []
        for place, row in enumerate(rows):
            total = bias + (row * WEIGHT_STEP if layer != "1" else 0)
            for offset in range(-side, side + 1):
                if 0 <= place + offset < len(rows):
                    total = total + rows[place + offset] @ weight[side + offset]
            made.append(np.clip((total + WEIGHT_STEP // 2) // WEIGHT_STEP, 0, 127))
        rows = made
    return [(row @ part["wo"] + part["bo"]).tolist() for row in rows]


@pytest.mark.parametrize("count", [1, 2, 11, 12, 13, 25, room._MANY - 1, room._MANY, room._MANY + 1, 145])
def test_scores_are_those_of_the_sums_by_hand(count: int) -> None:
    tokens = (TOKEN.findall(TEXT) * 20)[:count]
    assert len(tokens) == count
    assert name_model()._scores(tokens).tolist() == by_hand(tokens)


@pytest.mark.parametrize("tokens", [["a"] * 130, [f"Zz{'a' * number}" for number in range(130)]])
def test_a_word_that_comes_again_scores_as_one_that_comes_once(tokens: list[str]) -> None:
    assert name_model()._scores(tokens).tolist() == by_hand(tokens)


def test_texts_that_share_their_words_do_not_look_into_each_other() -> None:
    texts = [TEXT, f"{TEXT} Natasha", "Higuchi", "", TEXT, "Rome"] * 2
    together = name_model().tag_each(texts)
    assert [tagging._scores.tolist() for tagging in together] == [
        name_model().tag(text)._scores.tolist() for text in texts
    ]


def weights() -> bytes:
    return (Path(room.__file__).parents[1] / "data" / "names.npz").read_bytes()


def test_other_weights_are_another_detector(tmp_path: Path) -> None:
    with np.load(io.BytesIO(weights())) as arrays:
        changed = {name: arrays[name].copy() for name in arrays.files}
    changed["bo"][0] += 1
    stream = io.BytesIO()
    np.savez(stream, **changed)
    other = NameModel(stream.getvalue())
    assert BuiltinDetector(model=other).digest != default_detector().digest
    assert builtin_detector("high").digest != default_detector().digest


@pytest.mark.parametrize("data", [b"", b"no archive", weights()[:5000]])
def test_damaged_weights_are_an_error_and_not_a_detector_that_finds_nothing(data: bytes) -> None:
    with pytest.raises(DetectorError):
        NameModel(data)


class Payload:
    """What a file could do to who unpickles it."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._target),)


def test_code_in_a_weights_file_is_never_run(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, words=np.array([Payload(tmp_path / "ran")], dtype=object))
    with pytest.raises(DetectorError):
        NameModel(stream.getvalue())
    assert not (tmp_path / "ran").exists()


def test_a_recall_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError):
        BuiltinDetector(recall="highest")  # type: ignore[arg-type]  # the point of the test


def test_high_recall_finds_what_balanced_finds_and_more() -> None:
    text = TEXT + "ask bramble whether Oduya or Quill have it; Sorrel did not say"
    balanced = {i for f in find_entities(text, name_model()) if f.entity == "PERSON" for i in range(f.start, f.end)}
    high = find_entities(text, name_model(), recall="high")
    assert balanced < {i for f in high if f.entity == "PERSON" for i in range(f.start, f.end)}


def test_a_full_cache_starts_anew_and_answers_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = stretches(TEXT)
    monkeypatch.setattr(room, "_CACHED", 128)
    model = NameModel(weights())
    for number in range(40):
        stretches(" ".join(f"word{chr(97 + number % 26)}{chr(97 + i)}" for i in range(20)), model)
        assert stretches(TEXT, model) == wanted


def test_threads_that_share_a_model_agree() -> None:
    model = NameModel(weights())
    wanted = stretches(TEXT, model)
    answers: list[list[Stretch]] = []

    def work(number: int) -> None:
        for step in range(20):
            stretches(f"Thread {number} Word{'abcdefghij'[number]}{'klmnopqrstuvwxyzklmn'[step]} went home.", model)
            answers.append(stretches(TEXT, model))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80
    assert all(answer == wanted for answer in answers)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_stretches_lie_in_the_text_in_order_and_apart(text: str) -> None:
    position = 0
    for stretch in stretches(text):
        assert position <= stretch.start < stretch.end <= len(text)
        assert stretch.tag in TAGS[1:]
        position = stretch.end


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_token_has_rows_and_one_form(text: str) -> None:
    for token in TOKEN.findall(text):
        form = canonical(token)
        assert canonical(form) == form or form[0] == "\x00"
        rows = hashed_features(form, known=False)
        assert rows
        assert all(0 <= row < HASHES for row in rows)


def test_lifting_a_tag_reaches_its_tokens_only() -> None:
    tagging = name_model().tag("alpha beta gamma")
    tagging.lift(6, 10, "PERSON", 100.0)
    assert [(s.start, s.end, s.tag) for s in tagging.stretches()] == [(6, 10, "PERSON")]
