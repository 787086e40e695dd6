"""An erasure that left something behind signs no receipt: each step is taken away, or undone by somebody who can write
the store, and reading back finds it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securevec.control.jobs import SUBJECT_ERASE
from securevec.control.store import ControlStore
from securevec.control.subjects import records_of
from securevec.errors import (
    DeletionIncomplete,
    RecordNotFound,
    UsageError,
    VaultDisabled,
    WriteNotAcknowledged,
)
from securevec.people import erase as erasing
from securevec.people import manifest
from securevec.types import ProtectedPoint, Scalar, StoredPoint
from tests.support.attacks import Pair, Stage
from tests.support.world import Ticket, ticket

JANE = "jane.doe@example.com"


@pytest.fixture
def stage(still_stage: Stage) -> Stage:
    return still_stage


@pytest.fixture
def pair(stage: Stage) -> Pair:
    pair = stage.pair()
    report = pair.acme.ingest(
        [
            ticket(1, "the lantern was never delivered", customer=JANE),
            ticket(2, f"lantern: {JANE} called", customer="C-2042"),
            ticket(3, "lantern of somebody else", customer="C-2043"),
        ]
    )
    assert report.new == 3
    return pair


def _scalars(point: StoredPoint) -> dict[str, Scalar]:
    return {name: value for name, value in point.payload.items() if isinstance(value, str | int | float)}


def require_unsigned(stage: Stage) -> None:
    (job,) = [each for each in stage.store.runtime.control.jobs() if each.kind == SUBJECT_ERASE]
    assert (job.state, job.receipt) == ("purged", None)


@pytest.mark.parametrize("step", ["_delete", "_redact"])
def test_a_step_that_did_nothing_is_found_before_the_receipt(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(erasing, step, nothing)
    with pytest.raises(WriteNotAcknowledged, match="manifest still names"):
        stage.acme.erase_subject(JANE)
    require_unsigned(stage)
    with pytest.raises(RecordNotFound):
        pair.acme.get("T-1")


def test_a_record_that_was_left_off_the_list_is_found_before_the_receipt(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_about(*given: Any) -> list[Any]:
        return [row for row in records_of(*given) if row.about]

    monkeypatch.setattr(erasing, "records_of", only_about)
    with pytest.raises(WriteNotAcknowledged, match="still carries an erased person"):
        stage.acme.erase_subject(JANE)
    require_unsigned(stage)


def test_a_point_put_back_between_purge_and_receipt_is_found(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who can write the store, and kept a copy of what was about to be erased."""
    backend, namespace = stage.store.runtime.backend(), pair.acme._scope.namespace
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=100)
    kept = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
    advance = ControlStore.advance_job

    def then_put_back(control: ControlStore, job_id: str, **step: Any) -> Any:
        moved = advance(control, job_id, **step)
        if step["to"] == "purged":
            points = [
                ProtectedPoint(point.id, point.vector, _scalars(point)) for point in kept if point.vector is not None
            ]
            backend.insert(namespace=namespace, points=points)
        return moved

    monkeypatch.setattr(ControlStore, "advance_job", then_put_back)
    with pytest.raises(WriteNotAcknowledged, match="still shows points of an erased person"):
        stage.acme.erase_subject(JANE)
    require_unsigned(stage)


def test_a_job_whose_state_was_edited_is_not_taken_for_any_step(stage: Stage, pair: Pair) -> None:
    control = stage.store.runtime.control

    def stop(*_: object) -> None:
        raise UsageError("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "plan", stop)
        with pytest.raises(UsageError):
            stage.acme.erase_subject(JANE)
    (job,) = control.jobs(open_only=True)
    control.advance_job(
        job.job_id, expect=job.state, to="erased", data=job.data, now_ms=job.updated_ms, owner=job.owner
    )
    (result,) = stage.store.run_jobs()
    assert (result.failed, result.state, result.receipt) == (True, "erased", None)
    with pytest.raises(DeletionIncomplete):
        result.raise_if_incomplete()


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


PLANTED: dict[str, Callable[[Path], object]] = {
    "file": lambda path: path.write_text("mine"),
    "link": _link,
    "pipe": os.mkfifo,
    "no folder": lambda path: path.parent.rmdir(),
}


@pytest.mark.parametrize("plant", PLANTED)
def test_a_persons_export_is_written_over_nothing_and_through_no_link(
    stage: Stage, pair: Pair, tmp_path: Path, plant: str
) -> None:
    """Whoever can write the folder would read it, or have it overwrite another file."""
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "jane.json"
    PLANTED[plant](target)
    with pytest.raises(UsageError):
        stage.acme.export_subject(JANE).save(target)
    assert not (tmp_path / "out" / "elsewhere").exists()
    assert plant != "file" or target.read_text() == "mine"


def test_where_no_originals_are_kept_an_export_that_reveals_is_refused_whole(stage: Stage, pair: Pair) -> None:
    """And not answered with what the other collections keep, as if that were all."""
    bare = stage.acme.collection(Ticket, name="bare", vault=False)
    bare.ingest([ticket(9, f"{JANE} wrote about a lantern", customer="C-1")])
    with pytest.raises(VaultDisabled):
        stage.acme.export_subject(JANE, reveal=True)
    assert len(list(stage.acme.export_subject(JANE))) == 3
