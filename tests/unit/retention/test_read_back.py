"""A job is not done because what it called returned: what is still there is found, and the job stays open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from securevec import jobs
from securevec.audit import Head, Keychain
from securevec.audit.verify import AuditReport
from securevec.backend import RemovalReport
from securevec.control.rows import JobRow
from securevec.errors import (
    AuditUnavailable,
    ControlUnavailable,
    DeletionIncomplete,
    ReceiptInvalid,
    SecurevecError,
    UnknownFormat,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.keys.keyring import KeyRing
from securevec.people import erase
from securevec.proof import residue
from securevec.proof.anchoring import VerifiedLog
from securevec.proof.shredding import require_dead, require_shredded, sealed_probe
from securevec.removing import tenant, tenant_evidence
from securevec.retention import apply
from tests.support.hourglass import START, Hourglass, hourglass


@pytest.fixture
def glass(tmp_path: Path) -> Iterator[Hourglass]:
    with hourglass(tmp_path, "memory") as made:
        made.store._caretaker.stop()
        made.fill(1)
        yield made


def does_nothing(*_: Any, **__: Any) -> None:
    """What stands for a destruction that did not happen."""


def body_key(glass: Hourglass) -> str:
    keys = glass.store.runtime.keys.list_keys(kind="dek")
    return next(key.key_id for key in keys if key.purpose == "body" and key.collection == glass.tickets.id)


def test_a_value_that_opens_under_a_key_that_was_to_be_destroyed_is_found(glass: Hourglass) -> None:
    runtime, tenant = glass.store.runtime, glass.tickets._scope.tenant
    probe = sealed_probe(runtime, body_key(glass))
    with pytest.raises(WriteNotAcknowledged, match="still opens"):
        require_dead(runtime, tenant, probe)
    with pytest.raises(WriteNotAcknowledged, match="still opens"):
        require_shredded(runtime, tenant, {"probe": probe})
    require_shredded(runtime, tenant, {"probe": None})
    runtime.keys.destroy_tenant(tenant)
    require_dead(runtime, tenant, probe)


def test_a_retention_job_whose_keys_live_on_is_not_done(glass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    glass.pass_days(400)
    with monkeypatch.context() as idle:
        idle.setattr(KeyRing, "destroy_epoch", does_nothing)
        with pytest.raises(DeletionIncomplete):
            glass.apply()
    [job] = glass.store.runtime.control.jobs(open_only=True)
    assert (job.state, job.error, job.receipt) == ("keys_destroyed", "WriteNotAcknowledged", None)


def test_a_tenant_whose_keys_live_on_is_not_deleted(glass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as idle:
        idle.setattr(KeyRing, "destroy_tenant", does_nothing)
        with pytest.raises(WriteNotAcknowledged, match="still opens"):
            glass.store.delete_tenant("acme")
    [job] = glass.store.runtime.control.jobs(open_only=True)
    assert (job.state, job.receipt) == ("cleared", None)


def test_a_namespace_that_the_store_still_counts_or_lists_is_not_removed(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = glass.store.runtime
    manifest = tenant_evidence.plan(runtime, glass.tickets._scope.tenant)
    [entry] = manifest["collections"]
    backend = type(runtime.backend())
    with monkeypatch.context() as lying:
        lying.setattr(backend, "drop", does_nothing)
        with pytest.raises(WriteNotAcknowledged, match="still counts"):
            tenant_evidence.require_removed(runtime, manifest)
    for kept in (entry["shard"], entry["tenant_tag"]):
        with monkeypatch.context() as lying:
            lying.setattr(backend, "namespaces", lambda _, kept=kept: iter([kept]))  # pyright: ignore[reportUnknownLambdaType]  # a backend, not looked at
            with pytest.raises(WriteNotAcknowledged, match="still lists"):
                tenant_evidence.require_removed(runtime, manifest)
    tenant_evidence.require_removed(runtime, manifest)


def test_a_tenant_that_the_store_only_says_it_dropped_is_not_deleted(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = type(glass.store.runtime.backend())

    def says_so(self: Any, *, namespace: Any) -> RemovalReport:
        return RemovalReport(points=1, index_removed=True, bytes_removed=True, residual="")

    with monkeypatch.context() as lying:
        lying.setattr(backend, "drop", says_so)
        with pytest.raises(WriteNotAcknowledged, match="still counts"):
            glass.store.delete_tenant("acme")
    [job] = glass.store.runtime.control.jobs(open_only=True)
    assert job.state == "watched"
    with monkeypatch.context() as lying:
        tag = glass.tickets._scope.namespace.tenant_tag
        lying.setattr(backend, "namespaces", lambda _: iter([tag]))  # pyright: ignore[reportUnknownLambdaType]  # a backend, not looked at
        [result] = glass.store.run_jobs()
        assert (result.state, result.waiting_for) == ("removed", "WriteNotAcknowledged")
    assert [each.state for each in glass.store.run_jobs()] == ["done"]


def test_a_hold_is_looked_at_and_released_in_its_own_tenant_alone(glass: Hourglass) -> None:
    hold = glass.acme.hold("case 7")
    other = glass.store.tenant("globex")
    for act in (other.release, other.hold_reason):
        with pytest.raises(UsageError, match="no hold of this id"):
            act(hold.id)
    assert [each.standing for each in glass.acme.holds()] == [True]
    glass.acme_operated.release(hold.id)
    with pytest.raises(UsageError, match="no standing hold"):
        glass.acme_operated.release(hold.id)


def job_of(glass: Hourglass, **said: Any) -> JobRow:
    runtime = glass.store.runtime
    job = runtime.control.begin_job(
        kind="retention.apply",
        tenant=glass.tickets._scope.tenant,
        job_id="ab" * 16,
        request_id="0" * 26,
        fence=1,
        data='{"requested":{"by":"","ms":0}}',
        items=lambda tx: [],
        now_ms=START,
    )
    return replace(job, **said)


def test_a_worker_whose_lease_another_took_stops_in_the_middle_of_its_step(glass: Hourglass) -> None:
    runtime, job = glass.store.runtime, job_of(glass)
    jobs.renew(runtime, job)
    glass.time[0] += jobs.LEASE_MS
    jobs.renew(runtime, job)  # nobody took it
    glass.time[0] += jobs.LEASE_MS
    assert runtime.control.lease_job(job.job_id, owner="w-other", until_ms=2**60, now_ms=glass.time[0])
    with pytest.raises(ControlUnavailable, match="took this job over"):
        jobs.renew(runtime, job)


def test_a_job_of_a_newer_release_is_left_open_and_named(glass: Hourglass) -> None:
    job = job_of(glass)
    with pytest.raises(UnknownFormat, match="does not know"):
        jobs.advance(glass.store.runtime, {}, job)
    kept = glass.store.runtime.control.job(job.job_id)
    assert kept is not None
    assert (kept.state, kept.error) == ("accepted", "UnknownFormat")
    [result] = jobs.run_pending(glass.store.runtime, {})
    assert (result.failed, result.waiting_for, result.state) == (True, "UnknownFormat", "accepted")
    assert jobs.run_pending(glass.store.runtime, {}, due=lambda each: each.kind == "another") == []


def test_a_job_that_fails_again_and_again_is_tried_ever_more_seldom(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    pauses, job = jobs.Pauses(), job_of(glass)
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    failed, waiting = (
        jobs.JobResult(job.job_id, "accepted", None, "BackendError", failed=each) for each in (True, False)
    )
    waited: list[float] = []
    for _ in range(10):
        assert pauses.due(job)
        pauses.note([failed])
        before = now[0]
        while not pauses.due(job):
            now[0] += 1.0
        waited.append(now[0] - before)
    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    pauses.note([failed])
    pauses.note([waiting])  # for another process: asked at every turn
    assert pauses.due(job)


STEPS: dict[str, Callable[[Any, JobRow], JobRow]] = {
    "a deletion": tenant.step,
    "an erasure": erase.step,
    "a retention job": lambda runtime, job: apply.step(runtime, job, reseal_held=does_nothing),
}


@pytest.mark.parametrize("kind", STEPS)
def test_a_job_in_a_state_of_a_newer_release_goes_no_step_further(glass: Hourglass, kind: str) -> None:
    job = job_of(glass, state="pondered", data='{"manifest":{},"requested":{"by":"","ms":0}}')
    with pytest.raises(DeletionIncomplete, match="unknown state `pondered`") as caught:
        STEPS[kind](glass.store.runtime, job)
    assert caught.value.job_id == job.job_id


@pytest.mark.parametrize("until", [30, None, b"30d", object()])
def test_the_end_of_a_fence_is_a_moment_or_a_duration(until: Any) -> None:
    with pytest.raises(UsageError, match="datetime or a duration"):
        erase.fence_end(until, now_ms=START)


def test_a_receipt_that_names_no_record_of_the_log_leads_to_no_file(tmp_path: Path) -> None:
    log_id, outside = "ab" * 16, tmp_path / "outside"
    outside.mkdir()
    (outside / "seg-00000000.jsonl").write_text("{}\n")
    report = AuditReport((), Head(0, ""), Keychain(log_id, bytes(32)))
    log = VerifiedLog(tmp_path, log_id, report)
    writer = "w-" + "0" * 26

    def require(**place: Any) -> None:
        named = {"log": log_id, "writer": writer, "index": 0, **place}
        log.require({"predicate": {"audit": named}}, None)

    for place in ({"log": "cd" * 16}, {"writer": 5}, {"writer": "../outside"}, {"index": -1}, {"index": True}):
        with pytest.raises(ReceiptInvalid, match="names no record"):
            require(**place)
    with pytest.raises(ReceiptInvalid, match="of something else, or not in this copy"):
        require()
    (tmp_path / log_id / writer).mkdir(parents=True)
    (tmp_path / log_id / writer / "seg-00000000.jsonl").mkdir()
    with pytest.raises(AuditUnavailable):
        require()


def test_only_whole_tags_of_keys_are_looked_for(tmp_path: Path) -> None:
    """A shorter one would be found everywhere, a longer one nowhere."""
    for tag in (b"x" * 15, b"x" * 17):
        with pytest.raises(ValueError, match="16 bytes"):
            residue.refuse_residue(tmp_path, [b"x" * 16, tag])
    (tmp_path / "stray").write_bytes(b"." * 100 + b"x" * 16)
    residue.refuse_residue(tmp_path, [b"y" * 16])
    with pytest.raises(SecurevecError, match="still in the home"):
        residue.refuse_residue(tmp_path, [b"y" * 16, b"x" * 16])
