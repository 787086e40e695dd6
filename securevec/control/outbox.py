"""Audit events owed, the audit log's head as seen from outside it, and the highest time any process has seen."""

from __future__ import annotations

from typing import Final

from securevec.clock import MAX_AHEAD_MS
from securevec.control.room import Room
from securevec.control.rows import OutboxRow
from securevec.errors import AuditTampered

SELECT_OUTBOX: Final = "SELECT id, payload, created_ms FROM outbox ORDER BY id"
DELETE_OUTBOX: Final = "DELETE FROM outbox WHERE id = :id"
SELECT_HEAD: Final = "SELECT size, root, note FROM audit_head WHERE id = 1"
UPSERT_HEAD: Final = (
    "INSERT INTO audit_head (id, size, root, note) VALUES (1, :size, :root, :note)"
    " ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note"
)
SELECT_NEXT: Final = "SELECT size FROM audit_next WHERE id = 1"
UPSERT_NEXT: Final = (
    "INSERT INTO audit_next (id, size) VALUES (1, :size)"
    " ON CONFLICT (id) DO UPDATE SET size = excluded.size WHERE excluded.size > audit_next.size"
)
SELECT_FLOOR: Final = "SELECT floor_ms FROM time_floor WHERE id = 1"
UPSERT_FLOOR: Final = (
    "INSERT INTO time_floor (id, floor_ms) VALUES (1, :ms)"
    " ON CONFLICT (id) DO UPDATE SET floor_ms = excluded.floor_ms WHERE excluded.floor_ms > time_floor.floor_ms"
)
SET_FLOOR: Final = (
    "INSERT INTO time_floor (id, floor_ms) VALUES (1, :ms) ON CONFLICT (id) DO UPDATE SET floor_ms = excluded.floor_ms"
)
END_BATCH_LEASES: Final = "UPDATE batch SET lease_until_ms = :now WHERE lease_until_ms > :latest"
END_JOB_LEASES: Final = "UPDATE job SET lease_until_ms = :now WHERE lease_until_ms > :latest"


class Outbox(Room):
    def outbox_pending(self) -> list[OutboxRow]:
        """Events owed, oldest first."""
        return [OutboxRow(*row) for row in self._db.rows(SELECT_OUTBOX)]

    def outbox_done(self, id: int) -> None:
        """The event is durable in the audit log. Idempotent."""
        with self._db.write() as tx:
            tx.run(DELETE_OUTBOX, {"id": id})

    def set_audit_head(self, size: int, root: str, note: bytes) -> None:
        """Keep the newest head of the log of writers, the anchor against a cut or rewritten log.

        A smaller size is passed over: a slower process reports late. Raises :class:`AuditTampered` for another root
        at the same size.
        """
        with self._db.write() as tx:
            kept = tx.row(SELECT_HEAD)
            if kept is not None:
                if size < kept[0]:
                    return
                if size == kept[0] and root != kept[1]:
                    raise AuditTampered(
                        "The audit log has another history than the one kept for its size.", position=f"size {size}"
                    )
            tx.run(UPSERT_HEAD, {"size": size, "root": root, "note": note})
            # It was announced before, unless an operator goes on with an older store: no head is kept unannounced.
            tx.run(UPSERT_NEXT, {"size": size})

    def audit_head(self) -> tuple[int, str, bytes] | None:
        """Size, root and signed note, or ``None`` before the first."""
        row = self._db.row(SELECT_HEAD)
        return (row[0], row[1], row[2]) if row else None

    def announce_audit(self, size: int) -> None:
        """The log of writers is about to be this long. Kept before its line is written: a log that is longer than was
        ever announced has seen a newer control store than this one."""
        with self._db.write() as tx:
            tx.run(UPSERT_NEXT, {"size": size})

    def audit_announced(self) -> int:
        """The highest size announced, 0 before the first."""
        row = self._db.row(SELECT_NEXT)
        return int(row[0]) if row else 0

    def time_floor(self) -> int:
        """The highest time kept, 0 before the first. For :meth:`securevec.clock.Clock.raise_floor`."""
        row = self._db.row(SELECT_FLOOR)
        return int(row[0]) if row else 0

    def raise_time_floor(self, ms: int) -> None:
        """Keep ``ms``, a :meth:`securevec.clock.Clock.floor_ms`, if it is higher.

        Costs one write: call it every 10 seconds, not at every operation.
        """
        with self._db.write() as tx:
            tx.run(UPSERT_FLOOR, {"ms": ms})

    def reset_time_floor(self, now_ms: int) -> None:
        """Take back a floor that a wrong clock left: an operator's decision, never the library's (see ``clock``).

        Records that expired between ``now_ms`` and the old floor are found again, as they should be if the clock was
        wrong. Leases that the wrong clock dated more than a day ahead end. Every other process on the home is stopped
        first: one that still runs would raise the floor again.
        """
        with self._db.write() as tx:
            tx.run(SET_FLOOR, {"ms": now_ms})
            for statement in (END_BATCH_LEASES, END_JOB_LEASES):
                tx.run(statement, {"now": now_ms, "latest": now_ms + MAX_AHEAD_MS})
