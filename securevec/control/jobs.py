"""Jobs: work that outlives the process that began it. A job is a row with a state; each step is a compare-and-set.

Tenant deletion: ``begin_tenant_deletion`` accepts it (effective at once, in every process, whatever happens next),
``advance_job`` moves it through the steps of its state machine (:mod:`securevec.retention`), and
``finish_tenant_deletion`` forgets the tenant and keeps the receipt. A job's first state is ``accepted``, its last
``done``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from securevec.control.collections import SELECT_COLLECTIONS, collection_row
from securevec.control.database import Transaction
from securevec.control.holds import require_tenant_unheld
from securevec.control.room import Room, owe, require_known
from securevec.control.rows import CollectionRow, JobRow, JobStep
from securevec.control.tenants import UPDATE_TENANT_STATE
from securevec.errors import ControlUnavailable, UsageError
from securevec.types import CollectionId, TenantId

Manifest = Callable[[Sequence[CollectionRow], Mapping[CollectionId, tuple[int, int]]], str]
"""Writes down what a deletion covers: the tenant's collections, and of each its live records and chunks (expired ones
included). Called inside the accepting transaction, so it must write nothing to this store, directly or through others.
"""

ACCEPTED: Final = "accepted"
DONE: Final = "done"
TENANT_DELETE: Final = "tenant.delete"

_JOB: Final = (
    "SELECT job_id, kind, tenant, state, data, receipt, created_ms, updated_ms, owner, lease_until_ms, request_id,"
    " error FROM job"
)
SELECT_JOB: Final = f"{_JOB} WHERE job_id = :job_id"
SELECT_JOBS: Final = f"{_JOB} ORDER BY created_ms, job_id"
SELECT_OPEN_JOBS: Final = f"{_JOB} WHERE state <> 'done' ORDER BY created_ms, job_id"
SELECT_JOB_OF_TENANT: Final = f"{_JOB} WHERE tenant = :tenant AND kind = :kind"
INSERT_JOB: Final = (
    "INSERT INTO job (job_id, kind, tenant, state, data, receipt, created_ms, updated_ms, owner, lease_until_ms,"
    " request_id, error) VALUES (:job_id, :kind, :tenant, :state, :data, NULL, :now, :now, '', 0, :request_id, '')"
)
ADVANCE: Final = (
    "UPDATE job SET state = :to, data = :data, error = '', updated_ms = :now"
    " WHERE job_id = :job_id AND state = :expect AND state <> 'done'"
)
FINISH: Final = (
    "UPDATE job SET state = 'done', receipt = :receipt, error = '', owner = '', lease_until_ms = 0, updated_ms = :now"
    " WHERE job_id = :job_id"
)
SET_ERROR: Final = "UPDATE job SET error = :error, updated_ms = :now WHERE job_id = :job_id AND state <> 'done'"
LEASE: Final = (
    "UPDATE job SET owner = :owner, lease_until_ms = :until WHERE job_id = :job_id AND state <> 'done'"
    " AND (owner = '' OR owner = :owner OR lease_until_ms <= :now)"
)
SELECT_STEPS: Final = "SELECT step, state, at_ms FROM job_step WHERE job_id = :job_id ORDER BY step"
INSERT_STEP: Final = (
    "INSERT INTO job_step (job_id, step, state, at_ms)"
    " SELECT :job_id, COUNT(*), :state, :now FROM job_step WHERE job_id = :job_id"
)
# In the order the foreign keys ask for.
FORGET_TENANT: Final = (
    "DELETE FROM transit WHERE collection IN (SELECT collection FROM collection WHERE tenant = :tenant)",
    "DELETE FROM batch WHERE tenant = :tenant",
    "DELETE FROM manifest WHERE collection IN (SELECT collection FROM collection WHERE tenant = :tenant)",
    "DELETE FROM hold WHERE tenant = :tenant",
    "DELETE FROM collection WHERE tenant = :tenant",
    "DELETE FROM subject_token WHERE tenant = :tenant",
    "DELETE FROM principal_grant WHERE tenant = :tenant",
    # A sealed name of a person no remaining tenant knows. The principal of a role that was taken away goes too: no row
    # says which tenant it once belonged to.
    "DELETE FROM principal WHERE actor_token NOT IN (SELECT actor_token FROM principal_grant)",
    "UPDATE tenant SET state = 'deleted', fence = fence + 1, name_token = NULL, name_sealed = NULL,"
    " updated_ms = :now WHERE tenant = :tenant",
)
SELECT_LIVE_COUNTS: Final = (
    "SELECT m.collection, COUNT(*), SUM(m.n_chunks) FROM manifest m"
    " JOIN collection c ON c.collection = m.collection WHERE c.tenant = :tenant GROUP BY m.collection"
)


class Jobs(Room):
    def begin_tenant_deletion(
        self, *, tenant: TenantId, job_id: str, request_id: str, manifest: Manifest | str, now_ms: int
    ) -> JobRow:
        """Accept a tenant's deletion: from this commit no process reads or writes its data. Cannot be taken back.

        ``manifest`` gives the job's first ``data``: JSON of ids and counts, no names. It is asked once the tenant is
        fenced off, so no collection made and no record written meanwhile escapes it; when it raises, nothing is kept.
        The job of an earlier call is returned as it stands, without asking. Raises :class:`LegalHold`,
        :class:`TenantNotFound`, :class:`UsageError` (job id taken).
        """
        with self._db.write() as tx:
            _, fence = require_known(tx, tenant)
            existing = tx.row(SELECT_JOB_OF_TENANT, {"tenant": tenant, "kind": TENANT_DELETE})
            if existing is not None:
                return JobRow(*existing)
            require_tenant_unheld(tx, tenant)
            if tx.row(SELECT_JOB, {"job_id": job_id}):
                raise UsageError("This job id is taken.")
            tx.run(UPDATE_TENANT_STATE, {"tenant": tenant, "state": "deleting", "now": now_ms})
            tx.run(
                INSERT_JOB,
                {
                    "job_id": job_id,
                    "kind": TENANT_DELETE,
                    "tenant": tenant,
                    "state": ACCEPTED,
                    "data": manifest if isinstance(manifest, str) else manifest(*_contents(tx, tenant)),
                    "request_id": request_id,
                    "now": now_ms,
                },
            )
            job = _stepped(tx, job_id, ACCEPTED, now_ms)
            owe(
                tx,
                now_ms,
                action="tenant.delete",
                tenant=tenant,
                fence=fence + 1,
                job_id=job_id,
                request_id=request_id,
                state=ACCEPTED,
            )
            return job

    def job(self, job_id: str) -> JobRow | None:
        row = self._db.row(SELECT_JOB, {"job_id": job_id})
        return JobRow(*row) if row else None

    def jobs(self, open_only: bool = False) -> list[JobRow]:
        """Jobs, oldest first; ``open_only`` leaves out those done."""
        return [JobRow(*row) for row in self._db.rows(SELECT_OPEN_JOBS if open_only else SELECT_JOBS)]

    def job_steps(self, job_id: str) -> list[JobStep]:
        """Every state the job reached, in order."""
        return [JobStep(*row) for row in self._db.rows(SELECT_STEPS, {"job_id": job_id})]

    def advance_job(self, job_id: str, *, expect: str, to: str, data: str, now_ms: int) -> JobRow:
        """Move a job from state ``expect`` to ``to`` with new data, and owe the audit event of the step.

        Raises :class:`ControlUnavailable` when another worker moved it first; :class:`UsageError` for an unknown job
        and for ``to="done"``, which needs a receipt.
        """
        if to == DONE:
            raise UsageError("A job is done by handing in its receipt.")
        with self._db.write() as tx:
            before = _require(tx, job_id)
            if not tx.run(ADVANCE, {"job_id": job_id, "expect": expect, "to": to, "data": data, "now": now_ms}):
                raise ControlUnavailable("Another worker moved this job.", next_step="Read the job again.")
            job = _stepped(tx, job_id, to, now_ms)
            owe(
                tx,
                now_ms,
                action="job.advance",
                tenant=before.tenant,
                job_id=job_id,
                request_id=before.request_id,
                state=to,
            )
            return job

    def note_job_error(self, job_id: str, *, error: str, now_ms: int) -> None:
        """Keep the class name of what stopped the last attempt; the next step clears it. A done job keeps none."""
        with self._db.write() as tx:
            tx.run(SET_ERROR, {"job_id": job_id, "error": error, "now": now_ms})

    def lease_job(self, job_id: str, *, owner: str, until_ms: int, now_ms: int) -> bool:
        """Take or renew the job's lease. False when another owner's lease runs, and for a job done or unknown.

        A lease spares double work; correctness rests on the compare-and-set of :meth:`advance_job`.
        """
        with self._db.write() as tx:
            return tx.run(LEASE, {"job_id": job_id, "owner": owner, "until": until_ms, "now": now_ms}) == 1

    def forget_tenant(self, *, job_id: str, now_ms: int) -> None:
        """Delete everything the store knows of the tenant but its random id, in one transaction. May be repeated.

        Call :meth:`securevec.control.store.ControlStore.scrub` next, for the bytes of what was forgotten.
        Raises :class:`UsageError` for another kind of job, :class:`LegalHold`.
        """
        with self._db.write() as tx:
            _forget(tx, _require(tx, job_id), now_ms)

    def finish_tenant_deletion(self, *, job_id: str, receipt: bytes, now_ms: int) -> JobRow:
        """Forget the tenant if that has not been done and finish its job, in one transaction. Returns the job, also
        when it was done before.

        What stays: the random tenant id in state ``deleted``, the job with its steps and receipt, and audit events
        owed. Raises :class:`UsageError` for another kind of job, :class:`LegalHold`.
        """
        with self._db.write() as tx:
            job = _require(tx, job_id)
            if job.kind == TENANT_DELETE and job.state == DONE:
                return job
            _forget(tx, job, now_ms)
            tx.run(FINISH, {"job_id": job_id, "receipt": receipt, "now": now_ms})
            owe(
                tx,
                now_ms,
                action="tenant.delete",
                tenant=job.tenant,
                job_id=job_id,
                request_id=job.request_id,
                state=DONE,
            )
            return _stepped(tx, job_id, DONE, now_ms)


def _forget(tx: Transaction, job: JobRow, now_ms: int) -> None:
    if job.kind != TENANT_DELETE:
        raise UsageError("This job does not delete a tenant.")
    require_tenant_unheld(tx, job.tenant)
    for statement in FORGET_TENANT:
        tx.run(statement, {"tenant": job.tenant, "now": now_ms})


def _contents(tx: Transaction, tenant: TenantId) -> tuple[list[CollectionRow], dict[CollectionId, tuple[int, int]]]:
    """What a tenant holds: its collections, and of each the live records and chunks."""
    rows = [collection_row(row) for row in tx.rows(SELECT_COLLECTIONS, {"tenant": tenant})]
    counts = {row.collection: (0, 0) for row in rows}
    for collection, records, chunks in tx.rows(SELECT_LIVE_COUNTS, {"tenant": tenant}):
        counts[collection] = (records, chunks)
    return rows, counts


def _require(tx: Transaction, job_id: str) -> JobRow:
    row = tx.row(SELECT_JOB, {"job_id": job_id})
    if row is None:
        raise UsageError("There is no job of this id.")
    return JobRow(*row)


def _stepped(tx: Transaction, job_id: str, state: str, now_ms: int) -> JobRow:
    tx.run(INSERT_STEP, {"job_id": job_id, "state": state, "now": now_ms})
    return _require(tx, job_id)
