"""A person's key is destroyed while another thread goes on ingesting records about them: none of them is left, none of
anybody else's is lost or unreadable. The same with two processes: ``tests/crash/test_two_processes_one_server.py``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

import securevec as sv
from securevec.errors import SubjectErased
from tests.support.attacks import Stage, open_stage
from tests.support.other_process import until

JANE, PETER = "jane.doe@example.com", "peter.miller@example.org"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]


@pytest.fixture(params=["memory", *(pytest.param(each, marks=pytest.mark.soak) for each in ("edge", "chroma"))])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path, str(request.param)) as made:
        yield made


def letters_of(turn: int) -> list[dict[str, Any]]:
    return [
        {"id": f"J-{turn}", "writer": JANE, "body": f"a lantern, letter {turn}"},
        {"id": f"P-{turn}", "writer": PETER, "body": f"a bicycle, letter {turn}"},
        {"id": f"M-{turn}", "writer": PETER, "body": f"a bicycle that {JANE} asked for, letter {turn}"},
        # Over and over the same record: the erasure meets it in the middle of being replaced.
        {"id": "J-again", "writer": JANE, "body": f"a lantern once more, letter {turn}"},
    ]


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
    assert len(runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")) == 1, "the key of who was not erased"
