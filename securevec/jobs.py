"""Carrying jobs on: the one loop for every kind of job.

A kind is a machine: a function that takes a job one step further and returns it as it then stands. The machines are put
together in :mod:`securevec.store.machines` and handed in, so that a machine may live in whichever room its work needs.
What every machine keeps to:

1. A step may be repeated: it checks what is already so. The process may be killed anywhere inside it.
2. A step ends by ``advance_job`` (compare-and-set, by state and lease) or by handing in the receipt; both owe their
   audit event.
3. ``job.data`` is a JSON object with ``requested``: ``{"ms": when, "by": audit pseudonym of who asked}``.
4. A step that needs the engine takes it from ``runtime.backend()``. When another process holds it, the job waits there
   (:class:`EngineLocked` is no failure), and the holder goes on with it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

from securevec.audit import AuditRef, Event, Outcome, Phase, error_name, is_alive, keyed_ref
from securevec.audit.event import Action
from securevec.control.jobs import RETENTION_APPLY, SUBJECT_ERASE, TENANT_DELETE
from securevec.control.rows import JobRow
from securevec.errors import (
    ControlUnavailable,
    DeletionIncomplete,
    EngineLocked,
    SecurevecError,
    TenantUnavailable,
    Unavailable,
    UnknownFormat,
    UsageError,
)
from securevec.guard import settle_outbox
from securevec.newfile import write_file
from securevec.state import reserve
from securevec.state.engine import PATIENCE, impatient
from securevec.state.joblocks import process_lock
from securevec.state.runtime import Runtime
from securevec.text import given_path
from securevec.types import TenantId

LEASE_MS: Final = 120_000
FIRST_PAUSE_S: Final = 2.0
MAX_PAUSE_S: Final = 300.0
FREEING: Final = frozenset({TENANT_DELETE, SUBJECT_ERASE, RETENTION_APPLY})
"""Kinds of jobs that may have the home's reserve of disk space."""

Step = Callable[[Runtime, JobRow], JobRow]
Machines = Mapping[str, Step]
"""Kind of job to the function that takes one of it a step further."""


ENGINE: Final = "the process that holds the engine"
FOR_PEOPLE: Final = frozenset({"LegalHold", "RetentionMinimum"})
"""What a job may wait for that no attempt brings nearer: somebody releases a hold, or a minimum ends."""

_STAYS: Final = "The job was accepted, stays in force, and goes on with: securevec jobs run --once"

_LOOK_S: Final = 1.0
"""Seconds between two attempts at a job that another process may be at."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """Where a job stands. ``receipt`` is there once it is done."""

    job_id: str
    state: str
    receipt: bytes | None = field(repr=False)
    waiting_for: str = ""
    failed: bool = False

    @classmethod
    def of(cls, result: JobResult, **counts: int) -> Self:
        """``result`` with what this kind of job counts."""
        return cls(result.job_id, result.state, result.receipt, result.waiting_for, result.failed, **counts)

    def raise_if_incomplete(self) -> Self:
        """Raises :class:`DeletionIncomplete` unless the job is done. What it decided is in force in either case."""
        if self.receipt is None:
            raise DeletionIncomplete(
                f"The job is accepted and in force, and stands at `{self.state}`"
                + (f", waiting for {self.waiting_for}." if self.waiting_for else "."),
                job_id=self.job_id,
                next_step="The process that holds the engine finishes it; or run: securevec jobs run --once",
            )
        return self

    def save(self, path: str | Path) -> Path:
        """Write the receipt (JSON).

        Raises :class:`DeletionIncomplete` when there is none yet, :class:`UsageError` when it cannot be written there.
        """
        self.raise_if_incomplete()
        target = given_path(path)
        try:
            write_file(target, self.receipt or b"", what="receipt", overwrite=True)
        except UsageError as error:
            raise UsageError(error.message, next_step="It stays with its job: securevec jobs show JOB") from error
        return target


def run_pending(
    runtime: Runtime, machines: Machines, *, due: Callable[[JobRow], bool] = lambda job: True
) -> list[JobResult]:
    """Advance every open job that is ``due`` as far as it goes here.

    A job another thread or process works on is left to it. One that cannot go on does not hold up the others, nor the
    opening of the engine, whatever is wrong with it (a file that cannot be read, a row that was altered): its error is
    kept with the job, recorded, and named in its result.
    """
    results: list[JobResult] = []
    for job in runtime.control.jobs(open_only=True):
        if not due(job):
            continue
        try:
            results.append(advance(runtime, machines, job, wait=False))
        except Exception as error:  # noqa: BLE001  # nobody else's job waits for this one
            results.append(JobResult(job.job_id, _state_now(runtime, job), None, error_name(error), failed=True))
    return results


class Pauses:
    """When a job that failed is tried again: after 2 seconds, then after twice as long each time, at most 5 minutes.

    Each attempt leaves a record in the audit log. A job that may wait for months (a legal hold) must not fill it.
    """

    def __init__(self) -> None:
        self._next: dict[str, tuple[float, float]] = {}
        """By job: when it is due, on the monotonic clock, and the pause before that."""

    def due(self, job: JobRow) -> bool:
        return time.monotonic() >= self._next.get(job.job_id, (0.0, 0.0))[0]

    def note(self, results: Sequence[JobResult]) -> None:
        """What :func:`run_pending` answered."""
        for result in results:
            if result.failed:
                pause = min(self._next.get(result.job_id, (0.0, FIRST_PAUSE_S / 2))[1] * 2, MAX_PAUSE_S)
                self._next[result.job_id] = (time.monotonic() + pause, pause)
            else:
                self._next.pop(result.job_id, None)


def _is_gone(runtime: Runtime, job: JobRow) -> bool:
    """Whether it ended with its tenant, whose deletion forgets every other job of it."""
    with contextlib.suppress(SecurevecError):
        return runtime.control.job(job.job_id) is None
    return False


def _state_now(runtime: Runtime, job: JobRow) -> str:
    """Where a job stands after an attempt that failed; where it stood before when the control store is what failed."""
    with contextlib.suppress(SecurevecError):
        return (runtime.control.job(job.job_id) or job).state
    return job.state


def advance(runtime: Runtime, machines: Machines, job: JobRow, *, wait: bool = True) -> JobResult:
    """Carry one job on. ``wait`` for another thread of this process that is at it; another process is waited for as
    long as the caller's :data:`~securevec.state.engine.PATIENCE` lasts, between two attempts: the job is free
    meanwhile, so that the process which holds the engine finishes it.

    Raises what stopped it (:class:`KeyUnavailable`, :class:`BackendError` ...), after recording it; the job stays open
    and resumable.
    """
    patience = PATIENCE.get() if wait else None
    with impatient():
        result = _attempt(runtime, machines, job, wait=wait)
        if patience is None:
            return result
        try:
            while result.waiting_for and patience.wait(f"The job is at `{result.state}`.", pause=_LOOK_S):
                result = _attempt(runtime, machines, job, wait=wait)
        finally:
            patience.over()
    return result


def _attempt(runtime: Runtime, machines: Machines, job: JobRow, *, wait: bool) -> JobResult:
    with contextlib.ExitStack() as hands:
        mine = hands.enter_context(runtime.job_in_hand(job.job_id, wait=wait))
        job = runtime.control.job(job.job_id) or job
        if job.closed or not mine:
            return JobResult(job.job_id, job.state, job.receipt, "" if job.closed else "another thread")
        if job.kind in FREEING:
            reserve.give_back(runtime.home, last=job.kind == TENANT_DELETE)
        owner = runtime.audit.writer_id
        # Before the lease: a worker that is stopped for longer than it keeps the lock, and no lease is taken behind it.
        if not hands.enter_context(process_lock(runtime.home, job.job_id)) or not _lease(runtime, job, owner):
            return JobResult(job.job_id, job.state, job.receipt, waiting_for="another process")
        job = runtime.control.job(job.job_id) or job
        try:
            step = _machine(machines, job)
            while not job.closed:
                job = step(runtime, job)
                settle_outbox(runtime)
        except EngineLocked:
            return JobResult(job.job_id, job.state, None, waiting_for=ENGINE)
        except Exception as error:
            if _is_gone(runtime, job):
                raise TenantUnavailable("The tenant was deleted meanwhile, and the job with it.") from error
            _record_failure(runtime, job, error)
            if isinstance(error, Unavailable):
                # Told alone it reads as if nothing had happened, while a tenant is closed or a person hidden by now.
                error.next_step = f"{error.next_step} {_STAYS}".lstrip()
            raise
        finally:
            runtime.control.lease_job(job.job_id, owner=owner, until_ms=0, now_ms=runtime.clock.now_ms())
        reserve.keep(runtime.home)
        return JobResult(job.job_id, job.state, job.receipt)


def move_on(runtime: Runtime, job: JobRow, *, to: str, data: Mapping[str, Any]) -> JobRow:
    """The job in its next state, with its data. Raises as :meth:`ControlStore.advance_job`."""
    return runtime.control.advance_job(
        job.job_id,
        expect=job.state,
        to=to,
        data=encode(data),
        now_ms=runtime.clock.now_ms(),
        owner=runtime.audit.writer_id,
    )


def note(
    runtime: Runtime,
    job: JobRow,
    *,
    action: Action,
    phase: Phase = "single",
    outcome: Outcome = "allowed",
    collection: str = "",
    counts: Mapping[str, int] | None = None,
    detail: Mapping[str, str | int | bool] | None = None,
    error: str = "",
    record_ids: Sequence[bytes] = (),
) -> AuditRef:
    """A durable audit record of what a job did, as the actor who asked for it. Raises :class:`AuditUnavailable`.

    ``record_ids`` are record refs, and enter the log as keyed hashes.
    """
    key = runtime.keys.tenant_key(TenantId(job.tenant), "audit") if record_ids else b""
    return runtime.audit.record(
        Event(
            action=action,
            phase=phase,
            outcome=outcome,
            actor=orjson.loads(job.data)["requested"]["by"],
            request_id=job.request_id,
            tenant=job.tenant,
            collection=collection,
            record_refs=tuple(keyed_ref(key, job.tenant, "record", ref) for ref in record_ids),
            counts=dict(counts or {}),
            detail=dict(detail or {}),
            job_id=job.job_id,
            error=error,
        )
    )


def renew(runtime: Runtime, job: JobRow) -> None:
    """Keep the lease through a long step. Raises :class:`ControlUnavailable` when another process took the job."""
    now_ms = runtime.clock.now_ms()
    owner = runtime.audit.writer_id
    if not runtime.control.lease_job(job.job_id, owner=owner, until_ms=now_ms + LEASE_MS, now_ms=now_ms):
        raise ControlUnavailable("Another process took this job over.", next_step="See: securevec jobs list")


def encode(value: Mapping[str, Any]) -> str:
    """A job's data, or a manifest, as JSON: keys sorted, so that equal values have equal digests."""
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()


def _machine(machines: Machines, job: JobRow) -> Step:
    step = machines.get(job.kind)
    if step is None:
        raise UnknownFormat("A job is of a kind this release does not know.", next_step="Upgrade securevec.")
    return step


def _lease(runtime: Runtime, job: JobRow, owner: str) -> bool:
    """Take the job. A lease that its process did not live to give back is given back for it: a killed deletion goes
    on at the next opening, not minutes later."""
    now_ms = runtime.clock.now_ms()
    if job.owner and job.owner != owner and not is_alive(runtime.home / "audit" / runtime.installation_id, job.owner):
        runtime.control.lease_job(job.job_id, owner=job.owner, until_ms=0, now_ms=now_ms)
    return runtime.control.lease_job(job.job_id, owner=owner, until_ms=now_ms + LEASE_MS, now_ms=now_ms)


def _record_failure(runtime: Runtime, job: JobRow, error: Exception) -> None:
    """Keep and record what stopped a job. It may well stop the record too; the error itself is raised."""
    with contextlib.suppress(Exception):
        runtime.control.note_job_error(job.job_id, error=error_name(error), now_ms=runtime.clock.now_ms())
        note(runtime, job, action="job.advance", outcome="failed", error=error_name(error))
