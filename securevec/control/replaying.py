"""What a newer control store knows that an older copy does not: who was deleted, erased, revoked, held.

Written for a home that is being restored and that nobody else can open: the statements here ask no fence and no hold.
The newer store asked them when it decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from securevec.control.database import Row
from securevec.control.jobs import TENANT_DELETE, begun
from securevec.control.migrate import revision
from securevec.control.models import SELECT_MODEL_ROWS
from securevec.control.numbers import COLLECTION_NO
from securevec.control.room import Room
from securevec.control.rows import JobRow
from securevec.control.subjects import people_in
from securevec.control.tenants import DELETE_GRANT, UPDATE_TENANT_STATE
from securevec.types import CollectionId, TenantId

AUTHORITY: Final[Mapping[str, tuple[str, str]]] = {
    "hold": (
        "SELECT hold_id, tenant, collection, record_ref, reason_sealed, created_ms, released_ms, of_subject FROM hold",
        "INSERT INTO hold (hold_id, tenant, collection, record_ref, reason_sealed, created_ms, released_ms, of_subject)"
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM tenant WHERE tenant = ?2)"
        " AND (?3 IS NULL OR EXISTS (SELECT 1 FROM collection WHERE collection = ?3))",
    ),
    "hold_subject": (
        "SELECT hold_id, token FROM hold_subject",
        "INSERT INTO hold_subject (hold_id, token) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM hold WHERE hold_id = ?1)",
    ),
    "retention_rule": (
        "SELECT tenant, collection, classification, label_sealed, max_age_ms, min_age_ms, created_ms"
        " FROM retention_rule",
        "INSERT INTO retention_rule (tenant, collection, classification, label_sealed, max_age_ms, min_age_ms,"
        " created_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
        " WHERE ?1 = '' OR EXISTS (SELECT 1 FROM tenant WHERE tenant = ?1 AND state <> 'deleted')",
    ),
    "quota": (
        "SELECT tenant, max_points, max_bytes FROM quota",
        "INSERT INTO quota (tenant, max_points, max_bytes) SELECT ?1, ?2, ?3"
        " WHERE EXISTS (SELECT 1 FROM tenant WHERE tenant = ?1 AND state <> 'deleted')",
    ),
}
"""Tables taken over whole, in the order their foreign keys ask for: how each is read, and how a row is written."""

SELECT_TOMBSTONES: Final = "SELECT tenant, token, at_ms, until_ms FROM tombstone ORDER BY tenant, token"
SELECT_WAITING: Final = "SELECT tenant, data FROM job WHERE kind = 'subject.erase' AND state <> 'done'"
SELECT_GOING: Final = (
    "SELECT i.collection, i.ref FROM job j JOIN job_item i ON i.job_id = j.job_id"
    " JOIN collection c ON c.collection = i.collection"
    " JOIN manifest m ON m.collection_no = c.collection_no AND m.ref = i.ref AND m.ingested_ms <= j.created_ms"
    " WHERE j.kind = 'subject.erase' AND j.state <> 'done' AND i.action = 'delete' ORDER BY 1, 2"
)
SELECT_REFS: Final = (
    f"SELECT ref, generation FROM manifest WHERE collection_no = {COLLECTION_NO} AND ref > ? ORDER BY ref LIMIT ?"
)


class Replays(Room):
    def revision(self) -> str:
        """Of the store's tables: rows of one revision are not another's."""
        return revision(self._db) or ""

    def authority(self) -> dict[str, list[Row]]:
        """Holds, retention rules and quotas, as rows by table, and the list of models, which is taken by itself."""
        found = {table: self._db.rows(read) for table, (read, _) in AUTHORITY.items()}
        return found | {"model_list": self._db.rows(SELECT_MODEL_ROWS)}

    def lay_down_authority(self) -> None:
        """Forget them all: what a newer store deleted is deleted whatever an older hold or minimum says."""
        with self._db.write() as tx:
            for table in reversed(list(AUTHORITY)):
                tx.run(f"DELETE FROM {table}")

    def take_authority(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Put a newer store's rows in their place, without those of tenants and collections that are not here."""
        with self._db.write() as tx:
            for table, (_, write) in AUTHORITY.items():
                tx.run_many(write, rows[table])

    def tombstones(self) -> list[tuple[TenantId, bytes, int, int]]:
        """Erased subjects of every tenant: token, when, and until when nothing is written about them."""
        return [(TenantId(row[0]), row[1], row[2], row[3]) for row in self._db.rows(SELECT_TOMBSTONES)]

    def waiting_tokens(self) -> dict[str, list[bytes]]:
        """Of each tenant the tokens of the people whose erasure is accepted and has not ended: a hold may keep, and
        hide, what they are in."""
        found: dict[str, list[bytes]] = {}
        for tenant, data in self._db.rows(SELECT_WAITING):
            found.setdefault(tenant, []).extend(people_in(data))
        return found

    def going_refs(self) -> dict[str, list[bytes]]:
        """By collection the records that such an erasure is to delete. No tombstone hides those of whom a declared name
        led to: nothing but the erasure's own list does."""
        found: dict[str, list[bytes]] = {}
        for collection, ref in self._db.rows(SELECT_GOING):
            found.setdefault(collection, []).append(ref)
        return found

    def refs_after(self, collection: CollectionId, after: bytes, *, limit: int) -> list[tuple[bytes, int]]:
        """Up to ``limit`` live records as (ref, generation), expired ones included, in the order of refs."""
        return [(row[0], row[1]) for row in self._db.rows(SELECT_REFS, (collection, after, limit))]

    def keep_grants(self, tenant: TenantId, kept: Iterable[tuple[bytes, str]]) -> int:
        """Take away every role of the tenant's that is not among ``kept``. Returns how many."""
        wanted, taken = set(kept), 0
        with self._db.write() as tx:
            found = tx.rows("SELECT actor_token, role FROM principal_grant WHERE tenant = :tenant", {"tenant": tenant})
            for actor_token, role in found:
                if (actor_token, role) not in wanted:
                    taken += tx.run(DELETE_GRANT, {"tenant": tenant, "actor_token": actor_token, "role": role})
        return taken

    def replay_tenant_deletion(
        self, tenant: TenantId, *, job_id: str, request_id: str, data: str, now_ms: int
    ) -> JobRow | None:
        """Accept the deletion of a tenant that a newer store deleted; ``None`` when it is so here already."""
        with self._db.write() as tx:
            row = tx.row("SELECT state, fence FROM tenant WHERE tenant = :tenant", {"tenant": tenant})
            if row is None or row[0] in ("deleting", "deleted"):
                return None
            tx.run(UPDATE_TENANT_STATE, {"tenant": tenant, "state": "deleting", "now": now_ms})
            return begun(
                tx,
                kind=TENANT_DELETE,
                tenant=tenant,
                job_id=job_id,
                request_id=request_id,
                data=data,
                now_ms=now_ms,
                fence=row[1] + 1,
            )
