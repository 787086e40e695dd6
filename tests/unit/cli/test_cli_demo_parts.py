"""The demo's own instruments: a search that finds, a score that counts, a table that turns red."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from securevec.cli.demo import corpus as corpora
from securevec.cli.demo.corpus import Labelled, find_corpus
from securevec.cli.demo.needles import search_files
from securevec.cli.demo.score import score, structured_share
from securevec.cli.demo.stage import PROMISES, Breach, Stage
from securevec.errors import PolicyDenied, RecordNotFound, SourceError

VALUE = "Ludmila Wieczorek"


@pytest.mark.parametrize(
    "hidden",
    [
        VALUE.encode(),
        VALUE.upper().encode(),
        VALUE.encode("utf-16-le"),
        VALUE.encode().hex().encode(),
        base64.b64encode(VALUE.encode()),
        base64.b64encode(b"1" + VALUE.encode() + b"22"),
        base64.b64encode(b"12" + VALUE.encode() + b"2"),
    ],
)
def test_a_planted_value_is_found_in_every_form(tmp_path: Path, hidden: bytes) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\0\xff" * 999 + hidden + b"\0" * 99)
    assert search_files(tmp_path, [VALUE, "canary-absent"]).found == 1


def test_a_value_across_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securevec.cli.demo.needles._BLOCK", 8192)
    (tmp_path / "file").write_bytes(b"x" * (8192 - 5) + VALUE.encode() + b"y" * 9000)
    assert search_files(tmp_path, [VALUE]).found == 1


def test_a_clean_directory_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"nothing to see")
    searched = search_files(tmp_path, [VALUE])
    assert (searched.files, searched.bytes, searched.found) == (1, 14, 0)


def row(number: int, *values: tuple[str, str]) -> Labelled:
    return Labelled(number, f"id-{number}", {"body": values}, ())


def test_a_value_that_reached_the_embedder_is_counted_where_it_was_planted() -> None:
    rows = [row(1, ("EMAIL", "a@example.org"), ("PERSON", "Renata")), row(2, ("PERSON", "Renata"), ("IP", "192.0.2.1"))]
    bodies = {1: "one two three a@example.org Renata", 2: "four five six Renata 192.0.2.1"}
    embedded = ["one two three b@example.org Other", "four five six Renata 192.0.2.99"]
    scores = {entry.entity: (entry.labelled, entry.reached) for entry in score(rows, bodies, embedded)}
    assert scores == {"EMAIL": (1, 0), "PERSON": (2, 1), "IP": (1, 0)}


def test_the_chunks_of_a_long_record_count_as_that_record() -> None:
    rows = [row(1, ("IP", "192.0.2.1")), row(2, ("IP", "192.0.2.2"))]
    bodies = {1: "alpha beta gamma delta 192.0.2.1", 2: "north south east west 192.0.2.2"}
    embedded = ["alpha beta", "gamma delta 192.0.2.1", "north south east west 10.0.0.1"]
    assert [(entry.labelled, entry.reached) for entry in score(rows, bodies, embedded)] == [(2, 1)]


def test_rows_that_cannot_be_told_apart_are_held_against_everything() -> None:
    rows = [row(1, ("IP", "192.0.2.1")), row(2, ("IP", "192.0.2.2"))]
    embedded = ["192.0.2.1 192.0.2.2"]
    scores = score(rows, {1: "192.0.2.1", 2: "192.0.2.2"}, embedded)
    assert structured_share(scores) == (2, 2)


def test_an_attack_that_goes_through_turns_its_promise_red() -> None:
    stage = Stage(as_json=True)
    for promise in PROMISES:
        stage.attempt(promise, "nothing happens", lambda: "as it should")
    assert stage.promises()
    through = stage.attempt("P1", "reads another tenant", lambda: "3 hits", PolicyDenied)
    assert not through.held
    assert through.result == "it went through: 3 hits"
    assert not stage.promises()
    assert [entry["promise"] for entry in stage.document["promises"] if not entry["held"]] == ["P1"]


def test_a_refusal_for_another_reason_is_no_proof() -> None:
    def missing() -> str:
        raise RecordNotFound("none")

    stage = Stage(as_json=True)
    assert stage.attempt("P1", "get", missing, RecordNotFound).held
    assert not stage.attempt("P1", "get", missing, PolicyDenied).held
    assert not stage.attempt("P1", "get", missing).held


def test_a_breach_is_red_whatever_was_expected() -> None:
    def breach() -> str:
        raise Breach("1 foreign among 5 hits")

    tried = Stage(as_json=True).attempt("P2", "search", breach, PolicyDenied)
    assert (tried.held, tried.result) == (False, "1 foreign among 5 hits")


def test_a_promise_that_was_never_tried_is_not_kept() -> None:
    stage = Stage(as_json=True)
    stage.attempt("P1", "one", lambda: "fine")
    assert not stage.promises()


def test_the_corpus_of_this_checkout_is_found() -> None:
    corpus = find_corpus()
    truth = corpus.truth("northgate.csv")
    assert len(truth) == 207
    assert {query.kind for query in corpus.queries("larkfield")} == {"topic", "story", "person"}


def test_a_missing_corpus_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "__file__", str(tmp_path / "a" / "b" / "c" / "corpus.py"))
    with pytest.raises(SourceError, match="corpus"):
        find_corpus()


def test_a_copy_of_the_first_rows_holds_whole_rows(tmp_path: Path) -> None:
    corpus = find_corpus()
    for name, header in (("larkfield.jsonl", 0), ("northgate.csv", 1)):
        part = corpus.source(name, rows=60, copy_in=tmp_path).read_bytes()
        assert (corpus.directory / name).read_bytes().startswith(part)
        assert part.count(b'"') % 2 == 0 or name.endswith("jsonl")
        assert part.count(b"\n") >= 60 + header
