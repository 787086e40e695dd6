"""Numbers of this store's own for what its many rows name: a tenant, a collection, a key epoch, a person.

A row stands for each record, and others for the people in it. An id of 32 digits, a token of 16 bytes or the name of an
epoch in each of them, and again in each index, took more than half of the store (ADR 0037). The numbers mean nothing
outside the file and leave it nowhere: what is asked and answered are ids, tokens and epochs.
"""

from __future__ import annotations

from typing import Final

from securevec.control.database import Transaction
from securevec.errors import ControlUnavailable

COLLECTION_NO: Final = "(SELECT collection_no FROM collection WHERE collection = ?)"
"""The number of the collection whose id is given. An unknown id has none, which equals no row's."""
THIS_COLLECTION_NO: Final = COLLECTION_NO.replace("?", ":collection")
TENANT_NO: Final = "(SELECT tenant_no FROM tenant WHERE tenant = ?)"
THIS_TENANT_NO: Final = TENANT_NO.replace("?", ":tenant")

WITH_EPOCH: Final = "LEFT JOIN key_epoch USING (epoch_no)"
"""Joined to ``manifest`` or ``transit`` for the name of the epoch. No row is left out for want of one."""

SELECT_EPOCH_NO: Final = "SELECT epoch_no FROM key_epoch WHERE collection_no = ? AND epoch = ?"
INSERT_EPOCH: Final = "INSERT INTO key_epoch (collection_no, epoch) VALUES (?, ?)"
INSERT_PERSON: Final = (
    "INSERT INTO subject_token (tenant_no, token, entity) VALUES (?, ?, '') ON CONFLICT (tenant_no, token) DO NOTHING"
)
"""Gives a token its number. Queries do not meet it before :meth:`securevec.control.records.Records.add_tokens`."""


def epoch_no(tx: Transaction, collection_no: int, epoch: str) -> int:
    """The number of a key epoch of the collection, which gets one here when it has none."""
    found = tx.row(SELECT_EPOCH_NO, (collection_no, epoch))
    if found is None:
        tx.run(INSERT_EPOCH, (collection_no, epoch))
        found = tx.row(SELECT_EPOCH_NO, (collection_no, epoch))
    if found is None:
        raise ControlUnavailable("The control store lost a row it just held.")
    number: int = found[0]
    return number
