"""Which records speak of whom, and the tombstones of erased subjects.

A tombstone has two effects, both from the commit that writes it: no reader is shown a record that carries the token and
was ingested up to that moment (``hidden_records`` and ``tombstones_among``, asked by the second barrier), and no record
that carries it is written until ``until_ms`` (judged in the transactions of ``batches``). What an erasure was accepted
for is hidden in any case until it is done, also where only a declared name led to it and nothing is fenced.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import orjson

from securevec.clock import MAX_AHEAD_MS
from securevec.control.database import Database, Transaction, many
from securevec.control.hot import parts
from securevec.control.numbers import COLLECTION_NO, TENANT_NO, THIS_COLLECTION_NO, THIS_TENANT_NO
from securevec.control.room import Room
from securevec.control.rows import BatchRow, JobItem, SubjectRow
from securevec.errors import SubjectErased
from securevec.types import CollectionId, TenantId

SELECT_SUBJECT_RECORDS: Final = (
    "SELECT c.collection, r.ref, r.generation, m.n_chunks, MAX(r.about) FROM subject_token s"
    " JOIN record_subject r ON r.subject_no = s.subject_no"
    " JOIN manifest m ON m.collection_no = r.collection_no AND m.ref = r.ref AND m.generation = r.generation"
    " JOIN collection c ON c.collection_no = r.collection_no"
    f" WHERE s.tenant_no = {TENANT_NO} AND s.token IN (*)"
    " GROUP BY c.collection, r.ref, r.generation, m.n_chunks ORDER BY 1, 2"
)
SELECT_CARRYING: Final = (
    "SELECT DISTINCT t.request_id, c.collection FROM subject_token s"
    " JOIN record_subject r ON r.subject_no = s.subject_no"
    " JOIN transit t ON t.collection_no = r.collection_no AND t.ref = r.ref AND t.generation = r.generation"
    " JOIN collection c ON c.collection_no = r.collection_no"
    f" WHERE s.tenant_no = {TENANT_NO} AND s.token IN (*) ORDER BY 1"
)
SELECT_RECORD_TOKENS: Final = (
    "SELECT s.token, r.about FROM record_subject r JOIN subject_token s ON s.subject_no = r.subject_no"
    f" WHERE r.collection_no = {THIS_COLLECTION_NO} AND r.ref = :ref AND r.generation = :generation ORDER BY s.token"
)
SELECT_TOMBSTONES: Final = "SELECT token, at_ms, until_ms FROM tombstone WHERE tenant = ? AND token IN (*)"
_OF_THE_ERASED: Final = (
    "SELECT m.ref, m.generation FROM manifest m"
    " JOIN record_subject r ON r.collection_no = m.collection_no AND r.ref = m.ref AND r.generation = m.generation"
    " JOIN subject_token p ON p.subject_no = r.subject_no"
    " JOIN tombstone s ON s.tenant = ? AND s.token = p.token AND m.ingested_ms <= s.at_ms"
    f" WHERE m.collection_no = {COLLECTION_NO}"
)
_LISTED: Final = (
    "SELECT i.ref, COALESCE((SELECT m.generation FROM collection c JOIN manifest m"
    " ON m.collection_no = c.collection_no AND m.ref = i.ref WHERE c.collection = i.collection"
    " AND i.action = 'delete' AND m.ingested_ms <= j.created_ms), i.generation)"
    " FROM job j JOIN job_item i ON i.job_id = j.job_id"
    " WHERE j.tenant = ? AND j.kind = 'subject.erase' AND j.state <> 'done' AND i.collection = ?"
)
SELECT_HIDDEN: Final = f"{_OF_THE_ERASED} AND m.ref IN (*) UNION {_LISTED} AND i.ref IN (*)"
SELECT_SHOWN: Final = (
    f"SELECT COUNT(*), COALESCE(SUM(n_chunks), 0) FROM manifest WHERE collection_no = {COLLECTION_NO}"
    f" AND (expires_ms IS NULL OR expires_ms > ?) AND (ref, generation) NOT IN ({_OF_THE_ERASED} UNION {_LISTED})"
)
SELECT_FENCED: Final = (
    "SELECT 1 FROM tombstone WHERE tenant = ? AND (until_ms > ? OR at_ms >= ?) AND token IN (*) LIMIT 1"
)
SELECT_ERASED_SINCE: Final = (
    "SELECT 1 FROM transit t"
    " JOIN record_subject r ON r.collection_no = t.collection_no AND r.ref = t.ref AND r.generation = t.generation"
    " JOIN subject_token p ON p.subject_no = r.subject_no"
    " JOIN tombstone s ON s.tenant = :tenant AND s.token = p.token"
    " WHERE t.request_id = :request_id AND t.state = 'pending' AND (s.until_ms > :created OR s.at_ms >= :created)"
    " LIMIT 1"
)
SELECT_ERASURES_SINCE: Final = (
    "SELECT job_id FROM job WHERE tenant = :tenant AND kind = 'subject.erase' AND state <> 'done'"
    " AND created_ms >= :created"
)
SELECT_NEWEST_BATCH: Final = "SELECT MAX(created_ms) FROM batch WHERE tenant = :tenant AND state = 'open'"
SELECT_NEWEST: Final = f"SELECT MAX(ingested_ms) FROM manifest WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
SELECT_DESTROYING: Final = (
    "SELECT data FROM job WHERE tenant = :tenant AND kind = 'subject.erase' AND state = 'accepted'"
)
SELECT_TO_BE_DELETED: Final = (
    "SELECT 1 FROM transit t JOIN collection c ON c.collection_no = t.collection_no"
    " JOIN job_item i ON i.job_id = :job_id AND i.collection = c.collection AND i.ref = t.ref"
    " WHERE t.request_id = :request_id AND t.state = 'pending' AND i.action = 'delete' LIMIT 1"
)
SELECT_GOING: Final = (
    "SELECT 1 FROM job j JOIN job_item i ON i.job_id = j.job_id WHERE j.tenant = ? AND j.kind = 'subject.erase'"
    " AND j.state <> 'done' AND j.created_ms >= ? AND i.action = 'delete' AND i.collection = ? AND i.ref IN (*) LIMIT 1"
)
SELECT_ERASING: Final = (
    "SELECT 1 FROM job WHERE tenant = :tenant AND kind = 'subject.erase' AND state <> 'done' LIMIT 1"
)
SELECT_ENTITIES: Final = (
    f"SELECT DISTINCT entity FROM subject_token WHERE tenant_no = {THIS_TENANT_NO} AND entity <> ''"
)
_CARRIED_BY_NONE: Final = (
    f"tenant_no = {TENANT_NO} AND token IN (*)"
    " AND NOT EXISTS (SELECT 1 FROM record_subject r WHERE r.subject_no = subject_token.subject_no)"
)
FORGET_TOKENS: Final = f"DELETE FROM subject_token WHERE {_CARRIED_BY_NONE}"
FORGET_PARTS: Final = (
    f"DELETE FROM name_part WHERE person_no IN (SELECT subject_no FROM subject_token WHERE {_CARRIED_BY_NONE})"
)
INSERT_TOMBSTONE: Final = (
    "INSERT INTO tombstone (tenant, token, job_id, at_ms, until_ms) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tenant, token) DO UPDATE SET job_id = excluded.job_id,"
    " at_ms = CASE WHEN excluded.at_ms > tombstone.at_ms THEN excluded.at_ms ELSE tombstone.at_ms END,"
    " until_ms = CASE WHEN excluded.until_ms > tombstone.until_ms THEN excluded.until_ms ELSE tombstone.until_ms END"
)


class Subjects(Room):
    def subject_records(self, tenant: TenantId, tokens: Sequence[bytes]) -> list[SubjectRow]:
        """The tenant's live records that carry one of the tokens, each once; ``about`` when it is about any of them."""
        return records_of(self._db, tenant, tokens)

    def carrying_in_transit(self, tenant: TenantId, tokens: Sequence[bytes]) -> dict[str, CollectionId]:
        """Request id to collection of the tenant's batches of which a generation carries one of the tokens: it is being
        written, or removed."""
        return {
            request_id: collection
            for part in parts(tokens)
            for request_id, collection in self._db.rows(many(SELECT_CARRYING, len(part)), (tenant, *part))
        }

    def record_tokens(self, collection: CollectionId, ref: bytes, generation: int) -> dict[bytes, bool]:
        """The subject tokens of one generation, each with whether the record is about it."""
        found = {"collection": collection, "ref": ref, "generation": generation}
        return {row[0]: bool(row[1]) for row in self._db.rows(SELECT_RECORD_TOKENS, found)}

    def tombstones_among(self, tenant: TenantId, tokens: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Those of the tokens that were erased: when, and until when nothing is written about them."""
        return {
            row[0]: (row[1], row[2])
            for part in parts(tokens)
            for row in self._db.rows(many(SELECT_TOMBSTONES, len(part)), (tenant, *part))
        }

    def token_entities(self, tenant: TenantId) -> frozenset[str]:
        """The kinds of values that records of the tenant carry."""
        return frozenset(row[0] for row in self._db.rows(SELECT_ENTITIES, {"tenant": tenant}))

    def being_shredded(self, tenant: TenantId) -> frozenset[bytes]:
        """The tokens of the people whose keys an erasure is about to destroy."""
        return doomed_people(self._db, tenant)

    def erasing(self, tenant: TenantId) -> bool:
        """Whether an erasure of people of this tenant has not ended yet."""
        return self._db.row(SELECT_ERASING, {"tenant": tenant}) is not None

    def hidden_records(
        self, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]
    ) -> set[tuple[bytes, int]]:
        """Those of the records, as (ref, generation), that an erasure hides: as a whole, whichever part holds whom."""
        return hidden_among(self._db, tenant, collection, refs)

    def forget_tokens(self, tenant: TenantId, tokens: Sequence[bytes]) -> int:
        """Forget those of the tokens that no record carries any more, so that no query meets their surrogates."""
        with self._db.write() as tx:
            for part in parts(tokens):
                tx.run(many(FORGET_PARTS, len(part)), (tenant, *part))
            return sum(tx.run(many(FORGET_TOKENS, len(part)), (tenant, *part)) for part in parts(tokens))


def records_of(source: Database | Transaction, tenant: TenantId, tokens: Sequence[bytes]) -> list[SubjectRow]:
    """:meth:`Subjects.subject_records`, also inside a transaction."""
    found: dict[tuple[CollectionId, bytes], SubjectRow] = {}
    for part in parts(tokens):
        for collection, ref, generation, n_chunks, about in source.rows(
            many(SELECT_SUBJECT_RECORDS, len(part)), (tenant, *part)
        ):
            before = found.get((collection, ref))
            either = bool(about) or (before is not None and before.about)
            found[collection, ref] = SubjectRow(collection, ref, generation, n_chunks, either)
    return list(found.values())


def hidden_among(
    source: Database | Transaction, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes]
) -> set[tuple[bytes, int]]:
    """:meth:`Subjects.hidden_records`, also inside a transaction.

    What one erasure is to delete stays hidden by it when another one redacts it first, which keeps its ingestion.
    """
    return {
        (row[0], row[1])
        for part in parts(refs)
        for row in source.rows(many(SELECT_HIDDEN, len(part)), (tenant, collection, *part, tenant, collection, *part))
    }


def accepted_ms(tx: Transaction, tenant: TenantId, items: Sequence[JobItem], now_ms: int) -> int:
    """When an erasure is accepted, for whom ``tx`` is the moment: not before a record that it lists was read, nor
    before a batch began that is under way. What dates are compared with it was committed on one side of it or on the
    other, also where another process is on a clock that is some seconds ahead.

    A date of more than a day ahead is a wrong clock's. It would fence its people for as long, and is passed over.
    """
    dates = [tx.row(SELECT_NEWEST_BATCH, {"tenant": tenant})]
    refs: dict[CollectionId, list[bytes]] = {}
    for item in items:
        refs.setdefault(item.collection, []).append(item.ref)
    for collection, listed in refs.items():
        dates += [tx.row(many(SELECT_NEWEST, len(part)), (collection, *part)) for part in parts(listed)]
    newest: list[int] = [row[0] for row in dates if row is not None and row[0] is not None]
    return max([now_ms, *(each for each in newest if each <= now_ms + MAX_AHEAD_MS)])


def write_tombstones(
    tx: Transaction, tenant: TenantId, tokens: Collection[bytes], *, job_id: str, now_ms: int, until_ms: int
) -> None:
    """Hide the subjects and fence writes about them, from the commit of ``tx`` on. A longer fence stays."""
    tx.run_many(INSERT_TOMBSTONE, ((tenant, token, job_id, now_ms, until_ms) for token in tokens))


def require_not_erased(
    tx: Transaction, tenant: TenantId, tokens: Collection[bytes], now_ms: int, *, read_ms: int
) -> None:
    """Raises :class:`SubjectErased` when one of the tokens is fenced now, or was erased since the records that carry
    them were read, at ``read_ms``: its tombstone would hide them from everybody, and no erasure would delete them."""
    for part in parts(list(tokens)):
        if tx.row(many(SELECT_FENCED, len(part)), (tenant, now_ms, read_ms, *part)):
            raise SubjectErased("A record of this batch is about, or mentions, a subject that was erased.")


def require_none_going(
    tx: Transaction, tenant: TenantId, collection: CollectionId, refs: Sequence[bytes], *, read_ms: int
) -> None:
    """Raises :class:`SubjectErased` when an erasure that is under way, accepted since the records of these refs were
    read at ``read_ms``, deletes what they replace: they are dated before it, so it would delete them too."""
    for part in parts(refs):
        if tx.row(many(SELECT_GOING, len(part)), (tenant, read_ms, collection, *part)):
            raise _going()


def _going() -> SubjectErased:
    """What replaces the record may be about somebody else, and be written once it is gone."""
    return SubjectErased("A record that this batch replaces is being erased.", next_step="Try again.")


def require_keys_stay(tx: Transaction, tenant: TenantId, people: Collection[bytes]) -> None:
    """Raises :class:`SubjectErased` when an erasure is about to destroy the key of one of these people. Also of those
    whom a declared name led to, about whom nothing is fenced once it is done."""
    doomed = doomed_people(tx, tenant) if people else frozenset[bytes]()
    if not doomed.isdisjoint(people):
        raise SubjectErased("A subject of this batch is being erased.")


def doomed_people(source: Database | Transaction, tenant: TenantId) -> frozenset[bytes]:
    """The tokens of everybody whose key an accepted erasure has not destroyed yet."""
    return frozenset(token for row in source.rows(SELECT_DESTROYING, {"tenant": tenant}) for token in people_in(row[0]))


def people_in(data: str) -> list[bytes]:
    """The tokens of the people whom an erasure, of which this is the job's data, is of; none once it forgot them."""
    said = orjson.loads(data)
    return [bytes.fromhex(token) for token in (*said.get("tokens", ()), *said.get("shared", ()))]


def require_still_not_erased(tx: Transaction, batch: BatchRow) -> None:
    """Raises :class:`SubjectErased` when a subject of a pending record, or the record it replaces, was erased since its
    batch began. A declared name leads to records and fences nothing, so these are looked for by themselves."""
    scope = {"tenant": batch.tenant, "request_id": batch.request_id, "created": batch.created_ms}
    if tx.row(SELECT_ERASED_SINCE, scope) is not None:
        raise SubjectErased("A subject of this batch was erased while it was written.")
    for (job_id,) in tx.rows(SELECT_ERASURES_SINCE, {"tenant": batch.tenant, "created": batch.created_ms}):
        if tx.row(SELECT_TO_BE_DELETED, {"job_id": job_id, "request_id": batch.request_id}):
            raise _going()
