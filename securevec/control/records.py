"""Reading and counting the manifest, and the tokens of the people a tenant's records speak of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from securevec.control.batch_rows import require_batch
from securevec.control.database import many
from securevec.control.hot import HotReads, parts
from securevec.control.numbers import (
    COLLECTION_NO,
    TENANT_NO,
    THIS_COLLECTION_NO,
    THIS_TENANT_NO,
    WITH_EPOCH,
)
from securevec.control.room import require_active
from securevec.control.rows import ManifestRow
from securevec.control.subjects import SELECT_SHOWN
from securevec.errors import ControlUnavailable
from securevec.types import CollectionId, TenantId

SELECT_COUNT: Final = (
    "SELECT COUNT(*), COALESCE(SUM(n_chunks), 0) FROM manifest"
    f" WHERE collection_no = {THIS_COLLECTION_NO} AND (expires_ms IS NULL OR expires_ms > :now)"
)
SELECT_STATES: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, 'live'"
    f" FROM manifest m {WITH_EPOCH} WHERE m.collection_no = {COLLECTION_NO} AND ref IN (*)"
    " UNION ALL SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, state"
    f" FROM transit t {WITH_EPOCH} WHERE t.collection_no = {COLLECTION_NO} AND ref IN (*) ORDER BY 1, 2"
)
SELECT_PAGE: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, 'live'"
    f" FROM manifest m {WITH_EPOCH} WHERE m.collection_no = {THIS_COLLECTION_NO} AND ref > :after"
    " AND (expires_ms IS NULL OR expires_ms > :now)"
    " ORDER BY ref LIMIT :limit"
)
SELECT_PENDING: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, state"
    f" FROM transit t {WITH_EPOCH} WHERE t.collection_no = {THIS_COLLECTION_NO} AND state = 'pending' ORDER BY ref"
)
SELECT_IN_TRANSIT: Final = f"SELECT 1 FROM transit WHERE collection_no = {THIS_COLLECTION_NO} LIMIT 1"
DELETE_TRANSIT: Final = f"DELETE FROM transit WHERE collection_no = {THIS_COLLECTION_NO}"
DELETE_BATCHES: Final = "DELETE FROM batch WHERE collection = :collection"
DELETE_SUBJECTS: Final = f"DELETE FROM record_subject WHERE collection_no = {THIS_COLLECTION_NO}"
DELETE_SOURCES: Final = f"DELETE FROM source_file WHERE collection_no = {THIS_COLLECTION_NO}"
DELETE_MANIFEST: Final = f"DELETE FROM manifest WHERE collection_no = {THIS_COLLECTION_NO}"
INSERT_SUBJECT: Final = (
    f"INSERT INTO subject_token (tenant_no, token, entity) VALUES ({THIS_TENANT_NO}, :token, :entity)"
    " ON CONFLICT (tenant_no, token) DO UPDATE SET entity = excluded.entity WHERE subject_token.entity = ''"
)
INSERT_PART: Final = (
    "INSERT INTO name_part (tenant_no, part, person_no, stand_in) SELECT tenant_no, ?, subject_no, ? FROM subject_token"
    f" WHERE tenant_no = {TENANT_NO} AND token = ? ON CONFLICT DO NOTHING"
)


class Records(HotReads):
    def states(self, collection: CollectionId, refs: Sequence[bytes]) -> dict[bytes, list[ManifestRow]]:
        """Every generation of each ref, in any state, oldest first. Refs without one are left out."""
        found: dict[bytes, list[ManifestRow]] = {}
        for part in parts(refs):
            # Both halves in one statement: a record changing state in between would be seen twice or not at all.
            for row in self._db.rows(many(SELECT_STATES, len(part)), (collection, *part, collection, *part)):
                found.setdefault(row[0], []).append(ManifestRow(*row))
        return found

    def orphans(self, collection: CollectionId, pairs: Sequence[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
        """Those among ``pairs`` (ref, generation) whose points nobody reads or will read: neither live nor pending.

        For a writer whose batch others settled: it deletes what it inserted meanwhile. A retiring pair counts as an
        orphan too. Whoever settled the batch may have removed its points a moment before the writer's arrived, and
        removing them twice is harmless; generations are never given twice, so nothing else is hit.
        """
        kept = {
            (ref, row.generation)
            for ref, rows in self.states(collection, list(dict.fromkeys(ref for ref, _ in pairs))).items()
            for row in rows
            if row.state != "retiring"
        }
        return [pair for pair in pairs if pair not in kept]

    def count_live(self, collection: CollectionId, *, now_ms: int) -> tuple[int, int]:
        """Records and chunks live and not expired at ``now_ms``; at its expiry a record has expired."""
        row = self._db.row(SELECT_COUNT, {"collection": collection, "now": now_ms})
        return (row[0], row[1]) if row else (0, 0)

    def count_shown(self, tenant: TenantId, collection: CollectionId, *, now_ms: int) -> tuple[int, int]:
        """Records and chunks that readers are shown: as :meth:`count_live`, without what an erasure hides that is not
        at its end, be it for want of the engine or for a hold that was placed meanwhile."""
        if not self.tombstoned(tenant):
            return self.count_live(collection, now_ms=now_ms)
        row = self._db.row(SELECT_SHOWN, (collection, now_ms, tenant, collection, tenant, collection))
        return (row[0], row[1]) if row else (0, 0)

    def live_after(self, collection: CollectionId, after: bytes, *, limit: int, now_ms: int) -> list[ManifestRow]:
        """Up to ``limit`` live rows not expired at ``now_ms`` whose ref is above ``after``, in the order of refs.

        A record keeps its ref however often it is replaced, so whoever goes on after the last ref of a page sees no
        record twice, and none that was there all the time is left out.
        """
        page = {"collection": collection, "after": after, "now": now_ms, "limit": limit}
        return [ManifestRow(*row) for row in self._db.rows(SELECT_PAGE, page)]

    def pending(self, collection: CollectionId) -> list[ManifestRow]:
        """Generations that are being written now."""
        return [ManifestRow(*row) for row in self._db.rows(SELECT_PENDING, {"collection": collection})]

    def in_transit(self, collection: CollectionId) -> bool:
        """Whether any generation is being written or removed now."""
        return self._db.row(SELECT_IN_TRANSIT, {"collection": collection}) is not None

    def reset_volatile(self, collection: CollectionId) -> None:
        """Forget the records of a collection whose points did not outlive their process. Generations count on."""
        with self._db.write() as tx:
            for statement in (DELETE_TRANSIT, DELETE_BATCHES, DELETE_SUBJECTS, DELETE_SOURCES, DELETE_MANIFEST):
                tx.run(statement, {"collection": collection})

    def add_tokens(
        self,
        tenant: TenantId,
        tokens: Iterable[tuple[bytes, str]],
        parts: Iterable[tuple[bytes, bytes, bytes]] = (),
        *,
        fence: int | None = None,
        request_id: str = "",
    ) -> None:
        """Remember subject tokens with their entity. Known ones cost no write; the first entity stays.

        ``parts``: token of a part of a name, token of the person, what stands for the part in the vectors; those of
        people known before are known. ``request_id``: the batch that carries them. Raises :class:`TenantUnavailable`
        (not active, or another fence): a token written after a tenant's deletion would outlive it, and one of an older
        version would never be met; :class:`ControlUnavailable` when others settled the batch, for then nobody carries
        them, and an erasure that forgot them has been here.
        """
        offered = dict(tokens)
        known = self.known_tokens(tenant, list(offered))
        names = [row for row in parts if row[1] not in known]
        new = [{"tenant": tenant, "token": token, "entity": offered[token]} for token in offered if token not in known]
        if not new:
            return
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            if request_id and require_batch(tx, request_id).state != "open":
                raise ControlUnavailable("This batch is no longer held by its writer.", next_step="Write again.")
            tx.run_many(INSERT_SUBJECT, new)
            tx.run_many(INSERT_PART, ((part, stand_in, tenant, person) for part, person, stand_in in names))
