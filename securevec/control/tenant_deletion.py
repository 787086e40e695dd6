"""The deletion of a whole tenant, as the control store sees it.

``begin_tenant_deletion`` accepts it: effective at once, in every process, whatever happens next. The job then moves on
like any other (``jobs``), and ``finish_tenant_deletion`` forgets the tenant and keeps the receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from securevec.control.collections import SELECT_COLLECTIONS, collection_row
from securevec.control.database import Transaction
from securevec.control.holds import require_tenant_unheld
from securevec.control.jobs import (
    DONE,
    FINISH,
    SELECT_JOB_OF_TENANT,
    TENANT_DELETE,
    begun,
    require_job,
    stepped,
)
from securevec.control.minimums import require_tenant_past_minimum
from securevec.control.numbers import THIS_TENANT_NO
from securevec.control.room import Room, require_known
from securevec.control.rows import CollectionRow, JobRow
from securevec.control.tenants import UPDATE_TENANT_STATE
from securevec.errors import UsageError
from securevec.types import CollectionId, TenantId

Manifest = Callable[[Sequence[CollectionRow], Mapping[CollectionId, tuple[int, int]]], str]
"""Writes down what a deletion covers: the tenant's collections, and of each its live records and chunks (expired ones
included). Called inside the accepting transaction, so it must write nothing to this store, directly or through others.
"""

_OTHER_JOBS: Final = "SELECT job_id FROM job WHERE tenant = :tenant AND kind <> 'tenant.delete'"
_COLLECTIONS: Final = "SELECT collection_no FROM collection WHERE tenant = :tenant"
# In the order the foreign keys ask for.
FORGET_TENANT: Final = (
    f"DELETE FROM record_subject WHERE collection_no IN ({_COLLECTIONS})",
    f"DELETE FROM source_file WHERE collection_no IN ({_COLLECTIONS})",
    "DELETE FROM hold_subject WHERE hold_id IN (SELECT hold_id FROM hold WHERE tenant = :tenant)",
    "DELETE FROM tombstone WHERE tenant = :tenant",
    "DELETE FROM quota WHERE tenant = :tenant",
    "DELETE FROM placement WHERE tenant = :tenant",
    "DELETE FROM retention_rule WHERE tenant = :tenant",
    # Its other jobs have nothing left to do; of those done the receipt stays.
    f"DELETE FROM job_item WHERE job_id IN ({_OTHER_JOBS})",
    f"DELETE FROM job_step WHERE job_id IN ({_OTHER_JOBS} AND state <> 'done')",
    "DELETE FROM job WHERE tenant = :tenant AND kind <> 'tenant.delete' AND state <> 'done'",
    f"DELETE FROM transit WHERE collection_no IN ({_COLLECTIONS})",
    "DELETE FROM batch WHERE tenant = :tenant",
    f"DELETE FROM manifest WHERE collection_no IN ({_COLLECTIONS})",
    f"DELETE FROM key_epoch WHERE collection_no IN ({_COLLECTIONS})",
    "DELETE FROM hold WHERE tenant = :tenant",
    "DELETE FROM collection WHERE tenant = :tenant",
    f"DELETE FROM name_part WHERE tenant_no = {THIS_TENANT_NO}",
    f"DELETE FROM subject_token WHERE tenant_no = {THIS_TENANT_NO}",
    "DELETE FROM principal_grant WHERE tenant = :tenant",
    # A sealed name of a person no remaining tenant knows. The principal of a role that was taken away goes too: no row
    # says which tenant it once belonged to.
    "DELETE FROM principal WHERE actor_token NOT IN (SELECT actor_token FROM principal_grant)",
    "UPDATE tenant SET state = 'deleted', fence = fence + 1, name_token = NULL, name_sealed = NULL,"
    " updated_ms = :now WHERE tenant = :tenant",
)
SELECT_LIVE_COUNTS: Final = (
    "SELECT c.collection, COUNT(*), SUM(m.n_chunks) FROM collection c"
    " JOIN manifest m ON m.collection_no = c.collection_no WHERE c.tenant = :tenant GROUP BY c.collection"
)


class TenantDeletions(Room):
    def begin_tenant_deletion(
        self, *, tenant: TenantId, job_id: str, request_id: str, manifest: Manifest | str, now_ms: int
    ) -> JobRow:
        """Accept a tenant's deletion: from this commit no process reads or writes its data. Cannot be taken back.

        ``manifest`` gives the job's first ``data``: JSON of ids and counts, no names. It is asked once the tenant is
        fenced off, so no collection made and no record written meanwhile escapes it; when it raises, nothing is kept.
        The job of an earlier call is returned as it stands, without asking. Raises :class:`LegalHold`,
        :class:`RetentionMinimum`, :class:`TenantNotFound`, :class:`UsageError` (job id taken).
        """
        with self._db.write() as tx:
            _, fence = require_known(tx, tenant)
            existing = tx.row(SELECT_JOB_OF_TENANT, {"tenant": tenant, "kind": TENANT_DELETE})
            if existing is not None:
                return JobRow(*existing)
            require_tenant_unheld(tx, tenant)
            require_tenant_past_minimum(tx, tenant, now_ms)
            tx.run(UPDATE_TENANT_STATE, {"tenant": tenant, "state": "deleting", "now": now_ms})
            return begun(
                tx,
                kind=TENANT_DELETE,
                tenant=tenant,
                job_id=job_id,
                request_id=request_id,
                data=manifest if isinstance(manifest, str) else manifest(*_contents(tx, tenant)),
                now_ms=now_ms,
                fence=fence + 1,
            )

    def forget_tenant(self, *, job_id: str, now_ms: int) -> None:
        """Delete everything the store knows of the tenant but its random id, in one transaction. May be repeated.

        Call :meth:`securevec.control.store.ControlStore.scrub` next, for the bytes of what was forgotten.
        Raises :class:`UsageError` for another kind of job, :class:`LegalHold`.
        """
        with self._db.write() as tx:
            _forget(tx, require_job(tx, job_id), now_ms)

    def finish_tenant_deletion(self, *, job_id: str, receipt: bytes, now_ms: int) -> JobRow:
        """Forget the tenant if that has not been done and finish its job, in one transaction. Returns the job, also
        when it was done before.

        What stays: the random tenant id in state ``deleted``, the job with its steps and receipt, and audit events
        owed. Raises :class:`UsageError` for another kind of job, :class:`LegalHold`.
        """
        with self._db.write() as tx:
            job = require_job(tx, job_id)
            if job.kind == TENANT_DELETE and job.state == DONE:
                return job
            _forget(tx, job, now_ms)
            tx.run(FINISH, {"job_id": job_id, "receipt": receipt, "now": now_ms})
            return stepped(tx, job_id, DONE, now_ms, action=job.kind)


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
