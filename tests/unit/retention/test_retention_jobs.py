"""The jobs that a plan is carried out by: each tenant's for itself, waited for, carried on and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from securevec.control.jobs import RETENTION_APPLY
from securevec.errors import BackendError, DeletionIncomplete, EngineLocked, PlanChanged, UsageError
from tests.support.hourglass import RETENTION_DAYS, Hourglass
from tests.support.world import ticket


def test_what_stops_one_tenants_job_does_not_stop_the_others(quick: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.fill(1)
    quick.world.globex.ingest([ticket(1, "Another tenant's.")])
    quick.pass_days(RETENTION_DAYS + 30)
    backend = type(quick.store.runtime.backend())
    purge, broken = backend.purge, quick.tickets._scope.namespace

    def fail_for_one(self: Any, *, namespace: Any) -> Any:
        if namespace == broken:
            raise BackendError("The store failed.")
        return purge(self, namespace=namespace)

    monkeypatch.setattr(backend, "purge", fail_for_one)
    results = quick.store.apply_retention(quick.store.retention_plan().digest)
    assert sorted((result.state, result.failed, result.waiting_for) for result in results) == [
        ("deleting", True, "BackendError"),
        ("done", False, ""),
    ]
    with pytest.raises(DeletionIncomplete):
        next(result for result in results if result.failed).raise_if_incomplete()
    monkeypatch.undo()
    (result,) = quick.store.run_jobs()
    assert result.state == "done"
    assert (quick.named(), quick.keys()) == (0, set())


@pytest.fixture
def held_elsewhere(quick: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the engine, until ``monkeypatch.undo()``."""
    quick.fill(1)
    quick.pass_days(RETENTION_DAYS + 1)

    def refuse() -> Any:
        raise EngineLocked("Another process holds the engine of this home.")

    monkeypatch.setattr(quick.store.runtime.engine, "backend", refuse)


@pytest.mark.usefixtures("held_elsewhere")
def test_a_job_that_waits_is_carried_on_later(quick: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = quick.store.apply_retention(quick.store.retention_plan().digest)
    assert (result.state, result.receipt) == ("accepted", None)
    assert "engine" in result.waiting_for
    with pytest.raises(DeletionIncomplete):
        result.raise_if_incomplete()
    monkeypatch.undo()
    (done,) = quick.store.run_jobs()
    assert (done.job_id, done.state, quick.named()) == (result.job_id, "done", 0)
    with pytest.raises(UsageError):
        quick.store.runtime.control.cancel_job(result.job_id, now_ms=quick.time[0])


@pytest.mark.usefixtures("held_elsewhere")
def test_a_job_that_waits_can_be_cancelled_and_then_nothing_happens(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = quick.store.runtime.control
    digest = quick.store.retention_plan().digest
    (result,) = quick.store.apply_retention(digest)
    assert control.cancel_job(result.job_id, now_ms=quick.time[0]).state == "cancelled"
    monkeypatch.undo()
    with pytest.raises(PlanChanged):
        quick.store.apply_retention(digest)  # its job was taken back, and is not what it came to
    assert quick.store.run_jobs() == []
    assert control.job_items(result.job_id) == []
    assert quick.named() == 1
    with pytest.raises(UsageError):
        control.cancel_job(result.job_id, now_ms=quick.time[0])
    assert [job.kind for job in control.jobs()] == [RETENTION_APPLY]
    assert quick.apply()
