"""Where tenants live, for stores that have more than one layout, and the moves between them.

A move is a job (``tenant.promote``). What every process reads and writes by changes in the very transaction that takes
the job from one state to the next:

    accepted   nothing is different yet
    doubled    written in both places, read in the old one          (double_placement)
    ...        copied, verified
    switched   read and written in the new place only               (switch_placement)
    abandoned  read and written in the old place only: taken back before the switch   (abandon_placement)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from securevec.control.collections import SELECT_COLLECTIONS
from securevec.control.database import Transaction
from securevec.control.jobs import (
    ADVANCE,
    CANCELLED,
    SELECT_JOB_OF_TENANT,
    TENANT_PROMOTE,
    accept,
    require_job,
    stepped,
)
from securevec.control.room import Room, require_active
from securevec.control.rows import JobRow, Placement
from securevec.errors import ControlUnavailable, UsageError
from securevec.types import CollectionId, Layout, TenantId

SELECT_PLACEMENT: Final = "SELECT layout, moving_to FROM placement WHERE tag = :tag"
INSERT_PLACEMENT: Final = (
    "INSERT INTO placement (tenant, tag, layout, moving_to) VALUES (:tenant, :tag, :layout, :moving_to)"
    " ON CONFLICT (tenant) DO UPDATE SET moving_to = excluded.moving_to WHERE layout = excluded.layout"
)
SWITCH_PLACEMENT: Final = (
    "UPDATE placement SET layout = moving_to, moving_to = NULL WHERE tenant = :tenant AND moving_to = :to"
)
ABANDON_PLACEMENT: Final = "UPDATE placement SET moving_to = NULL WHERE tenant = :tenant"
FINISH_ABANDONED: Final = (
    "UPDATE job SET state = 'cancelled', error = '', owner = '', lease_until_ms = 0, updated_ms = :now"
    " WHERE job_id = :job_id AND state = 'abandoned'"
)
UNDECIDED: Final = ("accepted", "doubled", "copied", "verified")
"""States of a move that may still be taken back."""


class Placements(Room):
    def placement(self, tag: str) -> Placement | None:
        """Where the tenant of this tag lives as committed now; ``None`` where the store puts tenants by itself."""
        row = self._db.row(SELECT_PLACEMENT, {"tag": tag})
        return Placement(*row) if row else None

    def begin_move(
        self,
        *,
        tenant: TenantId,
        tag: str,
        job_id: str,
        request_id: str,
        fence: int,
        home: Layout,
        to: Layout,
        data: str,
        now_ms: int,
    ) -> JobRow:
        """Accept a move. ``home`` is the layout of a tenant that was never moved.

        The open job of an earlier call with the same target is returned as it stands. Raises :class:`UsageError` when
        the tenant lives there already or is on its way elsewhere, :class:`TenantUnavailable`.
        """
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            for row in tx.rows(SELECT_JOB_OF_TENANT, {"tenant": tenant, "kind": TENANT_PROMOTE}):
                job = JobRow(*row)
                if not job.closed:
                    if json.loads(job.data)["to"] == to:
                        return job
                    raise UsageError(
                        "The tenant is being moved elsewhere.", next_step="See: securevec jobs list --open"
                    )
            held = tx.row(SELECT_PLACEMENT, {"tag": tag})
            if (held[0] if held else home) == to:
                raise UsageError("The tenant lives there already.", next_step="See: securevec tenant show NAME")
            return accept(
                tx,
                kind=TENANT_PROMOTE,
                tenant=tenant,
                job_id=job_id,
                request_id=request_id,
                data=data,
                items=[],
                now_ms=now_ms,
                as_of_ms=now_ms,
            )

    def double_placement(
        self,
        job: JobRow,
        *,
        tag: str,
        source: Layout,
        to: Layout,
        prepared: Sequence[CollectionId],
        now_ms: int,
        owner: str,
    ) -> JobRow | None:
        """From the commit on every write goes to both places. ``prepared`` are the collections that have their second
        place; ``None``, and nothing changed, when there is one more by now. ``owner``: as for ``advance_job``."""
        with self._db.write() as tx:
            require_active(tx, job.tenant)
            if {row[0] for row in tx.rows(SELECT_COLLECTIONS, {"tenant": job.tenant})} - set(prepared):
                return None
            tx.run(INSERT_PLACEMENT, {"tenant": job.tenant, "tag": tag, "layout": source, "moving_to": to})
            if tx.row(SELECT_PLACEMENT, {"tag": tag}) != (source, to):
                raise ControlUnavailable("The tenant lives elsewhere than this job began from.")
            return _moved(tx, job, "doubled", now_ms, owner)

    def switch_placement(self, job: JobRow, *, to: Layout, now_ms: int, owner: str) -> JobRow:
        """From the commit on the tenant lives in its new place only. ``owner``: as for ``advance_job``."""
        with self._db.write() as tx:
            require_active(tx, job.tenant)
            if not tx.run(SWITCH_PLACEMENT, {"tenant": job.tenant, "to": to}):
                raise ControlUnavailable("The tenant is not on its way there.")
            return _moved(tx, job, "switched", now_ms, owner)

    def abandon_placement(self, job_id: str, *, now_ms: int) -> JobRow:
        """Take a move back that has not switched: from the commit on only the old place is read and written.

        Raises :class:`UsageError` for any other job, and for a move that is done with.
        """
        with self._db.write() as tx:
            job = require_job(tx, job_id)
            if job.kind != TENANT_PROMOTE or job.state not in UNDECIDED:
                raise UsageError(
                    "This job cannot be taken back: it has begun, or what it decided is in force already.",
                    next_step="See: securevec jobs show JOB",
                )
            tx.run(ABANDON_PLACEMENT, {"tenant": job.tenant})
            return _moved(tx, job, "abandoned", now_ms, job.owner)

    def finish_abandoned(self, job: JobRow, *, now_ms: int) -> JobRow:
        """The last step of a move that was taken back: nothing of the tenant is left in the other place."""
        with self._db.write() as tx:
            if not tx.run(FINISH_ABANDONED, {"job_id": job.job_id, "now": now_ms}):
                raise ControlUnavailable("Another worker moved this job.", next_step="Read the job again.")
            return stepped(tx, job.job_id, CANCELLED, now_ms)


def _moved(tx: Transaction, job: JobRow, to: str, now_ms: int, owner: str) -> JobRow:
    moved = {"job_id": job.job_id, "expect": job.state, "owner": owner, "to": to, "data": job.data, "now": now_ms}
    if not tx.run(ADVANCE, moved):
        raise ControlUnavailable("Another worker moved this job.", next_step="Read the job again.")
    return stepped(tx, job.job_id, to, now_ms)
