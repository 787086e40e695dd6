"""What the statement files share: the database, the outbox entry, and the tenant check of every writing transaction."""

from __future__ import annotations

import json
from typing import Final

from securevec.control.database import Database, Transaction
from securevec.errors import TenantNotFound, TenantUnavailable
from securevec.types import TenantId

SELECT_STATE: Final = (
    "SELECT state, fence, EXISTS (SELECT 1 FROM tombstone s WHERE s.tenant = tenant.tenant)"
    " OR EXISTS (SELECT 1 FROM job j WHERE j.tenant = tenant.tenant AND j.kind = 'subject.erase'"
    " AND j.state <> 'done'), token_version"
    " FROM tenant WHERE tenant = :tenant"
)
INSERT_OUTBOX: Final = "INSERT INTO outbox (payload, created_ms) VALUES (:payload, :now)"


class Room:
    """Base of the statement classes that :class:`securevec.control.store.ControlStore` is made of."""

    def __init__(self, database: Database) -> None:
        self._db = database


def owe(tx: Transaction, now_ms: int, **event: str | int) -> None:
    """Owe an audit event, in the transaction that makes it true: a crash after the commit cannot lose it.

    ``event`` holds ids, states and counters only. Delivered rows are removed by ``outbox_done``.
    """
    payload = json.dumps({**event, "ms": now_ms}, sort_keys=True, separators=(",", ":")).encode()
    tx.run(INSERT_OUTBOX, {"payload": payload, "now": now_ms})


def require_known(tx: Transaction, tenant: TenantId) -> tuple[str, int]:
    """State and fence of a tenant. Raises :class:`TenantNotFound`."""
    row = tx.row(SELECT_STATE, {"tenant": tenant})
    if row is None:
        raise TenantNotFound("There is no such tenant.")
    return row[0], row[1]


def require_open(tx: Transaction, tenant: TenantId) -> None:
    """Refuse a tenant that is being deleted or is deleted. Raises :class:`TenantUnavailable`."""
    state, _ = require_known(tx, tenant)
    if state in ("deleting", "deleted"):
        raise TenantUnavailable("The tenant is being deleted or was deleted.")


def require_active(tx: Transaction, tenant: TenantId, fence: int | None = None) -> None:
    """Refuse a tenant that is not active, or whose fence moved since the caller read it.

    Inside a write transaction no other process can change the answer before the commit.
    Raises :class:`TenantUnavailable`, :class:`TenantNotFound`.
    """
    state, now = require_known(tx, tenant)
    if state != "active":
        raise TenantUnavailable("The tenant is suspended, being deleted, or deleted.")
    if fence is not None and fence != now:
        raise _moved()


def require_fence(tx: Transaction, tenant: TenantId, fence: int) -> None:
    """Refuse a tenant, in whatever state, whose fence moved since the caller read it. Raises as above."""
    if require_known(tx, tenant)[1] != fence:
        raise _moved()


def _moved() -> TenantUnavailable:
    return TenantUnavailable("The tenant's state or keys changed while this was under way.", next_step="Try again.")
