"""How a batch of :mod:`securevec.control.batches` ends: given up, settled by others after its writer, finished; and
what recovery reads of those that have not."""

from __future__ import annotations

from typing import Final

from securevec.control.batch_rows import abort, batch_row, require_batch, rows_of
from securevec.control.batch_statements import (
    DELETE_BATCH,
    DELETE_RECORD_SUBJECTS,
    DELETE_ROWS,
    DELETE_UNKNOWN_PERSON,
    EXTEND,
    SELECT_BATCH,
    SELECT_OPEN,
    SELECT_ROWS,
    SELECT_UNKNOWN_PEOPLE,
)
from securevec.control.room import Room
from securevec.control.rows import BatchRow, ManifestRow
from securevec.errors import ControlUnavailable, UsageError

_FOREVER: Final = 2**63 - 1


class Settling(Room):
    """Batches that end, and those that have not."""

    def abort_batch(self, *, request_id: str) -> list[ManifestRow]:
        """Give an open batch up. Returns its rows, now retiring, whose points are to be deleted.

        Repeating it returns the same rows. Raises :class:`ControlUnavailable` when the batch was committed, its
        records being live and not taken back, and when others settled and finished it.
        """
        with self._db.write() as tx:
            batch = require_batch(tx, request_id)
            if batch.committed:
                raise ControlUnavailable("This batch was committed; it can only be finished.")
            abort(tx, request_id)
            return rows_of(tx, request_id)

    def settle(self, request_id: str, *, now_ms: int, force: bool = False) -> BatchRow | None:
        """For recovery: give an open batch up if its writer's lease is over, or, with ``force``, in any case.

        Returns the batch as it stands after that: ``switched``, or ``open`` while its lease runs. ``None`` when it is
        gone: others settled and finished it. No race is an error here.
        """
        with self._db.write() as tx:
            found = tx.row(SELECT_BATCH, {"request_id": request_id})
            if found is None:
                return None
            batch = batch_row(found)
            if batch.state == "open" and (force or batch.lease_until_ms <= now_ms):
                abort(tx, request_id)
                return require_batch(tx, request_id)
            return batch

    def finish_batch(self, *, request_id: str) -> None:
        """Step 3: forget the retiring rows, whose points are gone, and the batch. No error when it is gone already.

        Raises :class:`UsageError` while the batch is open: it is committed or aborted first.
        """
        with self._db.write() as tx:
            found = tx.row(SELECT_BATCH, {"request_id": request_id})
            if found is not None and batch_row(found).state == "open":
                raise UsageError("An open batch cannot be finished.", next_step="Commit or abort it first.")
            unknown = tx.rows(SELECT_UNKNOWN_PEOPLE, {"request_id": request_id})
            for statement in (DELETE_RECORD_SUBJECTS, DELETE_ROWS, DELETE_BATCH):
                tx.run(statement, {"request_id": request_id})
            tx.run_many(DELETE_UNKNOWN_PERSON, unknown)

    def extend_lease(self, request_id: str, until_ms: int) -> None:
        """Keep a batch until ``until_ms``; 0 gives it up at once, so that the next recovery settles it.

        Raises :class:`ControlUnavailable` when others settled it: its writer must stop. Giving it up then is no error.
        """
        with self._db.write() as tx:
            kept = tx.run(EXTEND, {"request_id": request_id, "until": until_ms})
        if not kept and until_ms > 0:
            raise ControlUnavailable("This batch is no longer held by its writer.", next_step="Write again.")

    def batch(self, request_id: str) -> BatchRow | None:
        """The batch, until it is finished."""
        row = self._db.row(SELECT_BATCH, {"request_id": request_id})
        return batch_row(row) if row else None

    def open_batches(self, *, now_ms: int, expired_only: bool) -> list[BatchRow]:
        """Batches not yet finished, in either state, oldest first; ``expired_only``: those whose lease has ended."""
        before = now_ms if expired_only else _FOREVER
        return [batch_row(row) for row in self._db.rows(SELECT_OPEN, {"before": before})]

    def batch_rows(self, request_id: str) -> list[ManifestRow]:
        """Pending and retiring rows of a batch, by ref."""
        return [ManifestRow(*row) for row in self._db.rows(SELECT_ROWS, {"request_id": request_id})]
