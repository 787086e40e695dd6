"""A person's key is destroyed while another thread goes on ingesting records about them: none of them is left, none of
anybody else's is lost or unreadable, and no new key of theirs is made behind the one that was destroyed. The same with
two processes: ``tests/crash/test_two_processes_one_server.py``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

import securevec as sv
from securevec import ingest
from securevec.errors import SubjectErased
from securevec.writing import resealing
from tests.support.attacks import Stage, open_stage
from tests.support.letters import JANE, PETER, accept, step, subject_keys
from tests.support.meanwhile import meanwhile
from tests.support.other_process import until


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]


@pytest.fixture(params=["memory", *(pytest.param(each, marks=pytest.mark.soak) for each in ("edge", "chroma"))])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path, str(request.param)) as made:
        yield made


@pytest.fixture
def alone(stage: Stage) -> Stage:
    """Jobs go on only where the test says so."""
    stage.store._caretaker.stop()
    return stage


def letters_of(turn: int) -> list[dict[str, Any]]:
    return [
        {"id": f"J-{turn}", "writer": JANE, "body": f"a lantern, letter {turn}"},
        {"id": f"P-{turn}", "writer": PETER, "body": f"a bicycle, letter {turn}"},
        {"id": f"M-{turn}", "writer": PETER, "body": f"a bicycle that {JANE} asked for, letter {turn}"},
        # Over and over the same record: the erasure meets it in the middle of being replaced.
        {"id": "J-again", "writer": JANE, "body": f"a lantern once more, letter {turn}"},
    ]


def accept_and_shred(stage: Stage, *values: str) -> None:
    """What an erasure does without the collection's lock: it is accepted, and destroys the keys that it finds."""
    job = accept(stage, *values)
    assert step(stage, job) in ("shredded", "planned")


# A name fences nothing and leads to the records there are: of one that no record carries nothing is erased.
@pytest.mark.parametrize(
    ("called", "known"), [(JANE, True), (JANE, False), ("Jane Doe", True)], ids=["identifier", "new", "name"]
)
def test_a_batch_in_flight_makes_no_key_for_who_is_erased_meanwhile(
    alone: Stage, monkeypatch: pytest.MonkeyPatch, called: str, *, known: bool
) -> None:
    letters = alone.acme.collection(Letter, retention="180d")
    letters.ingest([{"id": "P-0", "writer": PETER, "body": "a bicycle"}])
    of_peter = subject_keys(alone)
    if known:
        letters.ingest([{"id": "J-0", "writer": called, "body": "a lantern"}])
    meanwhile(monkeypatch, ingest, "_bound_to", lambda: accept_and_shred(alone, called))
    with pytest.raises(SubjectErased):
        letters.ingest([{"id": "J-0", "writer": called, "body": "a lantern once more"}])
    assert subject_keys(alone) == of_peter
    alone.store.run_jobs()
    assert subject_keys(alone) == of_peter
    assert (letters.exists("J-0"), letters.exists("P-0")) == (False, True)
    letters.verify().raise_if_wrong()


@pytest.mark.parametrize(
    ("module", "moment"), [(resealing, "_renamed"), (resealing, "seal_batch"), (resealing, "switch_over")]
)
def test_a_record_that_is_sealed_anew_makes_no_key_for_who_is_erased_meanwhile(
    alone: Stage, monkeypatch: pytest.MonkeyPatch, module: Any, moment: str
) -> None:
    """New versions of tokens give every person a key of a new name, where the one before lives."""
    letters = alone.acme.collection(Letter, retention="180d")
    letters.ingest(letters_of(0))
    before = subject_keys(alone)
    erased = list[set[str]]()

    def erase() -> None:
        accept_and_shred(alone, JANE)
        erased.append(subject_keys(alone))

    meanwhile(monkeypatch, module, moment, erase)
    assert alone.store.renew_tokens("acme").state == "done"
    assert (len(before), len(erased[0] & before)) == (2, 1), "the erasure came in the middle"
    alone.store.run_jobs()
    assert len(subject_keys(alone)) == 1, "the key of who was not erased"
    assert {record.id for record in letters.iter()} == {"P-0", "M-0"}
    letters.verify().raise_if_wrong()


def test_a_person_is_erased_while_records_about_them_arrive(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, retention="180d")
    stop, refused, done, errors = threading.Event(), set[str](), list[int](), list[BaseException]()

    def arrive() -> None:
        try:
            for turn in range(10_000):
                if stop.is_set():
                    return
                try:
                    report = letters.ingest(letters_of(turn))
                except SubjectErased:
                    # The batch that was on its way is refused whole, and brought again.
                    report = letters.ingest(letters_of(turn))
                refused.update(row.error for row in report.refused)
                done.append(turn)
        except BaseException as error:
            errors.append(error)
            raise

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        until(lambda: len(done) >= 3 or bool(errors))
        result = stage.store.tenant("acme").erase_subject(JANE)
        after = len(done)
        until(lambda: len(done) >= after + 3 or bool(errors))
    finally:
        stop.set()
        thread.join()
    stage.store.run_jobs()
    assert (errors, refused) == ([], {"SubjectErased"})
    assert result.state == "done"
    letters.verify().raise_if_wrong()
    shown = {record.id: record for record in letters.iter()}
    assert {name for name, record in shown.items() if record.writer == JANE or name.startswith("J-")} == set()
    assert {name for name in shown if name.startswith("P-")} == {f"P-{turn}" for turn in done}
    told = [record.body for name, record in shown.items() if name.startswith("M-")]
    assert 0 < len(told) < len(done)
    assert all("[ERASED]" in body for body in told)
    assert len(stage.store.tenant("acme").find_subject(JANE)) == 0
    runtime = stage.store.runtime
    assert runtime.backend().count(namespace=letters._scope.namespace) == len(shown) == letters.count()
    assert len(subject_keys(stage)) == 1, "the key of who was not erased"
