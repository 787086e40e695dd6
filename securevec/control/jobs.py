"""Jobs: work that outlives the process that began it. A job is a row with a state; each step is a compare-and-set.

``begin_job`` accepts a job with the list of record generations it is to delete or redact (``job_item``), fixed before
anything is touched; with ``erase`` it also writes the tombstones that make a subject's erasure effective at once.

``advance_job`` moves a job through the steps of its state machine (:mod:`securevec.retention`), ``finish_job`` hands in
its receipt. A job's first state is ``accepted``, its last ``done``; one that only waited to begin may be taken back
(``cancel_job``) and is then ``cancelled``. The deletion of a whole tenant begins and ends in ``tenant_deletion``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from securevec.control.database import Transaction
from securevec.control.holds import require_unheld
from securevec.control.minimums import require_past_minimum
from securevec.control.room import Room, owe, require_active
from securevec.control.rows import JobItem, JobRow, JobStep
from securevec.control.subjects import accepted_ms, write_tombstones
from securevec.errors import ControlUnavailable, UsageError
from securevec.types import CollectionId, TenantId

Items = Callable[[Transaction], Sequence[JobItem]]
"""Lists what a job is to do, inside the transaction that accepts it."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The tokens of the subjects a job erases, and until when nothing may be written about them. ``clock`` is asked
    inside the transaction that accepts it."""

    tokens: Sequence[bytes]
    until_ms: int
    clock: Callable[[], int] = lambda: 0


ACCEPTED: Final = "accepted"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
TENANT_DELETE: Final = "tenant.delete"
SUBJECT_ERASE: Final = "subject.erase"
RETENTION_APPLY: Final = "retention.apply"
TENANT_PROMOTE: Final = "tenant.promote"
KEY_RESEAL: Final = "key.reseal"
KEY_REINDEX: Final = "key.reindex"
KEY_RECLOAK: Final = "key.recloak"
KEY_RENEW: Final = "key.renew"
KEY_RESURROGATE: Final = "key.resurrogate"

_JOB: Final = (
    "SELECT job_id, kind, tenant, state, data, receipt, created_ms, updated_ms, owner, lease_until_ms, request_id,"
    " error FROM job"
)
SELECT_JOB: Final = f"{_JOB} WHERE job_id = :job_id"
SELECT_JOBS: Final = f"{_JOB} ORDER BY created_ms, rowid"
SELECT_REMOVALS: Final = (
    f"SELECT job_id FROM job WHERE kind IN ('{TENANT_DELETE}', '{SUBJECT_ERASE}', '{RETENTION_APPLY}')"
    " AND (:tenant = '' OR tenant = :tenant)"
)
SELECT_OPEN_JOBS: Final = f"{_JOB} WHERE state NOT IN ('done', 'cancelled') ORDER BY created_ms, rowid"
SELECT_JOB_OF_TENANT: Final = f"{_JOB} WHERE tenant = :tenant AND kind = :kind"
INSERT_JOB: Final = (
    "INSERT INTO job (job_id, kind, tenant, state, data, receipt, created_ms, updated_ms, owner, lease_until_ms,"
    " request_id, error) VALUES (:job_id, :kind, :tenant, :state, :data, NULL, :now, :now, '', 0, :request_id, '')"
)
ADVANCE: Final = (
    "UPDATE job SET state = :to, data = :data, error = '', updated_ms = :now"
    " WHERE job_id = :job_id AND state = :expect AND owner = :owner AND state NOT IN ('done', 'cancelled')"
)
FINISH: Final = (
    "UPDATE job SET state = 'done', receipt = :receipt, error = '', owner = '', lease_until_ms = 0, updated_ms = :now"
    " WHERE job_id = :job_id"
)
CANCEL: Final = (
    "UPDATE job SET state = 'cancelled', error = '', owner = '', lease_until_ms = 0, updated_ms = :now"
    " WHERE job_id = :job_id AND state = 'accepted' AND kind = 'retention.apply' AND lease_until_ms <= :now"
)
SET_ERROR: Final = (
    "UPDATE job SET error = :error, updated_ms = :now WHERE job_id = :job_id AND state NOT IN ('done', 'cancelled')"
)
LEASE: Final = (
    "UPDATE job SET owner = :owner, lease_until_ms = :until"
    " WHERE job_id = :job_id AND state NOT IN ('done', 'cancelled')"
    " AND (owner = '' OR owner = :owner OR lease_until_ms <= :now)"
)
SELECT_STEPS: Final = "SELECT step, state, at_ms FROM job_step WHERE job_id = :job_id ORDER BY step"
INSERT_STEP: Final = (
    "INSERT INTO job_step (job_id, step, state, at_ms)"
    " SELECT :job_id, COUNT(*), :state, :now FROM job_step WHERE job_id = :job_id"
)
INSERT_ITEM: Final = (
    "INSERT INTO job_item (job_id, collection, ref, generation, n_chunks, action) VALUES (?, ?, ?, ?, ?, ?)"
)
SELECT_ITEMS: Final = (
    "SELECT collection, ref, generation, n_chunks, action FROM job_item WHERE job_id = :job_id"
    " ORDER BY collection, ref, generation"
)
DELETE_ITEMS: Final = "DELETE FROM job_item WHERE job_id = :job_id"


class Jobs(Room):
    def begin_job(
        self,
        *,
        kind: str,
        tenant: TenantId,
        job_id: str,
        request_id: str,
        fence: int,
        data: str,
        items: Items,
        now_ms: int,
        erase: Erasure | None = None,
    ) -> JobRow:
        """Accept a job on records of a tenant. Effective at once where it is an erasure: from this commit on no reader
        is shown what the erased subjects' records said, and nothing is written about them.

        ``items`` is asked inside the transaction, which it may read and must not write, so no record written meanwhile
        escapes it; ``data`` is JSON of ids and counts, no names. An erasure is dated here (:func:`accepted_ms`). Raises
        :class:`LegalHold` when one of the items is held, :class:`RetentionMinimum` when a minimum keeps one,
        :class:`TenantUnavailable` (not active, or another fence), :class:`UsageError` (job id taken).
        When it raises, nothing is kept.
        """
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            listed = items(tx)
            dated_ms = now_ms
            if erase is not None:
                dated_ms = accepted_ms(tx, tenant, listed, max(now_ms, erase.clock()))
            job = accept(
                tx,
                kind=kind,
                tenant=tenant,
                job_id=job_id,
                request_id=request_id,
                data=data,
                items=listed,
                now_ms=dated_ms,
                as_of_ms=now_ms,
            )
            if erase is not None:
                write_tombstones(tx, tenant, erase.tokens, job_id=job_id, now_ms=dated_ms, until_ms=erase.until_ms)
            return job

    def job_items(self, job_id: str) -> list[JobItem]:
        """What the job was accepted for, by collection and ref."""
        return [JobItem(*row) for row in self._db.rows(SELECT_ITEMS, {"job_id": job_id})]

    def finish_job(self, job_id: str, *, receipt: bytes, now_ms: int) -> JobRow:
        """Hand in the receipt and forget the items, in one transaction. Returns the job, also when it was done before.

        Raises :class:`UsageError` for a tenant deletion, which is finished by :meth:`finish_tenant_deletion`.
        """
        with self._db.write() as tx:
            job = require_job(tx, job_id)
            if job.state == DONE:
                return job
            if job.kind == TENANT_DELETE:
                raise UsageError("A tenant's deletion is finished by forgetting the tenant.")
            tx.run(DELETE_ITEMS, {"job_id": job_id})
            tx.run(FINISH, {"job_id": job_id, "receipt": receipt, "now": now_ms})
            return stepped(tx, job_id, DONE, now_ms, action=job.kind)

    def cancel_job(self, job_id: str, *, now_ms: int) -> JobRow:
        """Take back a retention job that has not begun: nothing of it was removed, and nothing will be.

        Raises :class:`UsageError` for an unknown job, one that has begun or is worked on, and one of another kind: a
        deletion or an erasure is in force from the moment it was accepted.
        """
        with self._db.write() as tx:
            require_job(tx, job_id)
            if not tx.run(CANCEL, {"job_id": job_id, "now": now_ms}):
                raise UsageError(
                    "This job cannot be taken back: it has begun, or what it decided is in force already.",
                    next_step="See: securevec jobs show JOB",
                )
            tx.run(DELETE_ITEMS, {"job_id": job_id})
            return stepped(tx, job_id, CANCELLED, now_ms)

    def job(self, job_id: str) -> JobRow | None:
        row = self._db.row(SELECT_JOB, {"job_id": job_id})
        return JobRow(*row) if row else None

    def jobs(self, open_only: bool = False) -> list[JobRow]:
        """Jobs, oldest first; ``open_only`` leaves out those done or cancelled."""
        return [JobRow(*row) for row in self._db.rows(SELECT_OPEN_JOBS if open_only else SELECT_JOBS)]

    def removals(self, tenant: TenantId | None = None) -> frozenset[str]:
        """Ids of the removals with a receipt of their own that were accepted, of a tenant or of all. What looks twice
        compares these and not how many: a tenant's deletion forgets the open ones of it."""
        return frozenset(job_id for (job_id,) in self._db.rows(SELECT_REMOVALS, {"tenant": tenant or ""}))

    def job_steps(self, job_id: str) -> list[JobStep]:
        """Every state the job reached, in order."""
        return [JobStep(*row) for row in self._db.rows(SELECT_STEPS, {"job_id": job_id})]

    def advance_job(self, job_id: str, *, expect: str, to: str, data: str, now_ms: int, owner: str) -> JobRow:
        """Move a job from state ``expect`` to ``to`` with new data, and owe the audit event of the step.

        ``owner``: who took its lease and had it last. A job comes to the same state more than once, so the state alone
        does not say that nobody else was at it. Raises :class:`ControlUnavailable` when another worker moved it first,
        or took its lease since; :class:`UsageError` for an unknown job and for ``to="done"``, which needs a receipt.
        """
        if to == DONE:
            raise UsageError("A job is done by handing in its receipt.")
        with self._db.write() as tx:
            require_job(tx, job_id)
            moved = {"job_id": job_id, "expect": expect, "owner": owner, "to": to, "data": data, "now": now_ms}
            if not tx.run(ADVANCE, moved):
                raise ControlUnavailable("Another worker moved this job.", next_step="Read the job again.")
            return stepped(tx, job_id, to, now_ms)

    def note_job_error(self, job_id: str, *, error: str, now_ms: int) -> None:
        """Keep the class name of what stopped the last attempt; the next step clears it. A done job keeps none."""
        with self._db.write() as tx:
            tx.run(SET_ERROR, {"job_id": job_id, "error": error, "now": now_ms})

    def lease_job(self, job_id: str, *, owner: str, until_ms: int, now_ms: int) -> bool:
        """Take or renew the job's lease. False when another owner's lease runs, and for a job done or unknown.

        A lease spares double work; correctness rests on the compare-and-set of :meth:`advance_job`, by state and owner.
        """
        with self._db.write() as tx:
            return tx.run(LEASE, {"job_id": job_id, "owner": owner, "until": until_ms, "now": now_ms}) == 1


def accept(
    tx: Transaction,
    *,
    kind: str,
    tenant: TenantId,
    job_id: str,
    request_id: str,
    data: str,
    items: Sequence[JobItem],
    now_ms: int,
    as_of_ms: int,
) -> JobRow:
    """Write a job and its items down, and owe the event. Raises :class:`LegalHold` when one of the items is held,
    :class:`RetentionMinimum` when a minimum keeps one at ``as_of_ms``, :class:`UsageError` when the job id is taken."""
    job = begun(tx, kind=kind, tenant=tenant, job_id=job_id, request_id=request_id, data=data, now_ms=now_ms)
    by_collection: dict[CollectionId, list[bytes]] = {}
    for item in items:
        by_collection.setdefault(item.collection, []).append(item.ref)
    for collection, refs in by_collection.items():
        require_unheld(tx, tenant, collection, refs)
        require_past_minimum(tx, collection, refs, as_of_ms)
    tx.run_many(
        INSERT_ITEM,
        ((job_id, item.collection, item.ref, item.generation, item.n_chunks, item.action) for item in items),
    )
    return job


def begun(
    tx: Transaction,
    *,
    kind: str,
    tenant: TenantId,
    job_id: str,
    request_id: str,
    data: str,
    now_ms: int,
    **more: int,
) -> JobRow:
    """A new job, its first step taken; ``more`` is said in the event of it. Raises :class:`UsageError` (id taken)."""
    if tx.row(SELECT_JOB, {"job_id": job_id}):
        raise UsageError("This job id is taken.")
    row = {"job_id": job_id, "kind": kind, "tenant": tenant, "state": ACCEPTED, "data": data}
    tx.run(INSERT_JOB, {**row, "request_id": request_id, "now": now_ms})
    return stepped(tx, job_id, ACCEPTED, now_ms, action=kind, **more)


def require_job(tx: Transaction, job_id: str) -> JobRow:
    row = tx.row(SELECT_JOB, {"job_id": job_id})
    if row is None:
        raise UsageError("There is no job of this id.", next_step="See: securevec jobs list")
    return JobRow(*row)


def stepped(
    tx: Transaction, job_id: str, state: str, now_ms: int, *, action: str = "job.advance", **more: int
) -> JobRow:
    """Note the state that a job has reached, and owe the event that says so: no step is taken without it."""
    tx.run(INSERT_STEP, {"job_id": job_id, "state": state, "now": now_ms})
    job = require_job(tx, job_id)
    owe(tx, now_ms, action=action, tenant=job.tenant, job_id=job_id, request_id=job.request_id, state=state, **more)
    return job
