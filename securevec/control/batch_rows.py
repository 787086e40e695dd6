"""A batch and its rows, as statements of one transaction read and write them."""

from __future__ import annotations

from typing import Any

from securevec.control.batch_statements import INSERT_BATCH, RETIRE_PENDING, SELECT_BATCH, SELECT_ROWS, SWITCH
from securevec.control.database import Transaction
from securevec.control.rows import BatchRow, ManifestRow
from securevec.errors import ControlUnavailable, UsageError


def insert_batch(tx: Transaction, batch: BatchRow) -> None:
    if tx.row(SELECT_BATCH, {"request_id": batch.request_id}):
        raise UsageError("This request id has a batch already.")
    tx.run(
        INSERT_BATCH,
        {
            "request_id": batch.request_id,
            "tenant": batch.tenant,
            "collection": batch.collection,
            "kind": batch.kind,
            "state": batch.state,
            "writer": batch.writer,
            "lease": batch.lease_until_ms,
            "fence": batch.fence,
            "committed": batch.committed,
            "now": batch.created_ms,
        },
    )


def require_batch(tx: Transaction, request_id: str) -> BatchRow:
    row = tx.row(SELECT_BATCH, {"request_id": request_id})
    if row is None:
        # The recovery may have settled and finished it: for a writer that is late this is no mistake in a call.
        raise ControlUnavailable("There is no batch of this request id any more.", next_step="Write again.")
    return batch_row(row)


def batch_row(row: tuple[Any, ...]) -> BatchRow:
    values = list(row)
    values[8] = bool(row[8])  # SQLite keeps booleans as integers
    return BatchRow(*values)


def rows_of(tx: Transaction, request_id: str) -> list[ManifestRow]:
    return [ManifestRow(*row) for row in tx.rows(SELECT_ROWS, {"request_id": request_id})]


def abort(tx: Transaction, request_id: str) -> None:
    """Give a batch up: nothing of it became visible, and its pending rows are to be removed."""
    tx.run(RETIRE_PENDING, {"request_id": request_id})
    tx.run(SWITCH, {"request_id": request_id, "committed": False})
