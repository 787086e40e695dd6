"""A detector that fails at one text refuses that text, by its row; one that fails at all of them ends the ingest."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import DetectorError
from securevec.testing.embedders import HashEmbedder
from securevec.writing.report import MAX_FAILURES

POISON = "canary-5e6f"


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


class Moody:
    """Fails at texts with the word in them, or at all."""

    def __init__(self) -> None:
        self.down = False

    def __call__(self, text: str) -> Iterable[tuple[int, int]]:
        if self.down or POISON in text:
            raise RuntimeError(text)
        return []


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
def notes(tmp_path: Path, moody: Moody) -> Generator[sv.Collection[Note]]:
    with sv.SecureStore.open(
        tmp_path / "home",
        backend="memory",
        embedder=HashEmbedder(),
        key_file=tmp_path / "root.key",
        recognizers=[sv.recognizer("MOOD", moody)],
    ) as store:
        yield store.tenant("acme", create=True).collection(Note)


def rows(count: int, poisoned: Callable[[int], bool]) -> list[dict[str, str]]:
    return [{"id": str(n), "body": f"text {n} {POISON if poisoned(n) else ''}"} for n in range(count)]


def test_a_text_at_which_a_recognizer_fails_is_refused_by_row_and_the_others_go_through(
    notes: sv.Collection[Note],
) -> None:
    report = notes.ingest(rows(200, lambda n: n % 50 == 3))
    assert (report.new, [row.row for row in report.refused]) == (196, [4, 54, 104, 154])
    assert {row.error for row in report.refused} == {"DetectorError"}
    assert POISON not in str(report) + repr(report)
    assert not notes.exists("3")
    assert notes.exists("4")


def test_what_was_refused_is_stored_when_the_recognizer_works_again(
    notes: sv.Collection[Note], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = rows(5, lambda n: n == 2)
    assert len(notes.ingest(given).refused) == 1
    monkeypatch.setattr(f"{__name__}.POISON", "no text holds this")
    again = notes.ingest(given)
    assert (again.new, again.unchanged, again.refused) == (1, 4, ())


def test_a_run_in_which_it_never_answers_is_an_error_that_names_the_row_behind_everything_else(
    notes: sv.Collection[Note],
) -> None:
    stored = rows(3, lambda n: False)
    notes.ingest(stored)
    with pytest.raises(DetectorError) as caught:
        notes.ingest([{"id": "p", "body": POISON}, *stored])
    assert "row it failed at is 1" in caught.value.next_step
    assert POISON not in str(caught.value)
    assert notes.count() == 3
    notes.ingest([{"id": "p", "body": POISON}, *stored, {"id": "n", "body": "new"}])
    assert notes.count() == 4


def test_a_detector_that_is_down_ends_a_long_ingest_early(notes: sv.Collection[Note], moody: Moody) -> None:
    asked = 0

    def source() -> Iterable[dict[str, str]]:
        nonlocal asked
        for row in rows(2000, lambda n: False):
            asked += 1
            moody.down = asked > 100
            yield row

    with pytest.raises(DetectorError):
        notes.ingest(source())
    assert asked < 400
    assert notes.count() <= 100


def test_failures_with_an_answer_between_do_not_add_up(notes: sv.Collection[Note]) -> None:
    report = notes.ingest(rows(6 * MAX_FAILURES, lambda n: n % MAX_FAILURES != 0))
    assert report.new == 6
    with pytest.raises(DetectorError):
        notes.ingest(rows(6 * MAX_FAILURES, lambda n: 0 < n <= MAX_FAILURES))


def test_a_question_at_which_it_fails_is_not_asked(notes: sv.Collection[Note]) -> None:
    notes.ingest(rows(3, lambda n: False))
    with pytest.raises(DetectorError):
        notes.search(POISON)
