"""The statements of ``batches``: rows move between ``manifest`` (live) and ``transit`` (pending, retiring).

``IN (*)`` widens to the number of records of a call (:func:`securevec.control.database.many`).
"""

from __future__ import annotations

from typing import Final

from securevec.control.numbers import COLLECTION_NO, WITH_EPOCH

_COLUMNS: Final = "generation, n_chunks, content_digest, expires_ms, epoch_no, ingested_ms, size"
_INTO_TRANSIT: Final = f"INSERT INTO transit (collection_no, ref, {_COLUMNS}, state, request_id)"

_BATCH: Final = (
    "SELECT request_id, tenant, collection, kind, state, writer, lease_until_ms, fence, committed, created_ms"
    " FROM batch"
)
SELECT_BATCH: Final = f"{_BATCH} WHERE request_id = :request_id"
SELECT_OPEN: Final = f"{_BATCH} WHERE lease_until_ms <= :before ORDER BY created_ms, rowid"
SELECT_ROWS: Final = (
    "SELECT ref, generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size, state"
    f" FROM transit {WITH_EPOCH} WHERE request_id = :request_id ORDER BY ref, generation"
)
SELECT_PENDING_ELSEWHERE: Final = (
    "SELECT DISTINCT b.request_id, b.lease_until_ms FROM transit t JOIN batch b ON b.request_id = t.request_id"
    f" WHERE t.collection_no = {COLLECTION_NO} AND t.state = 'pending' AND t.ref IN (*)"
)
SELECT_NEXT_GENERATION: Final = (
    "SELECT c.next_generation, c.collection_no, t.tenant_no, c.identity FROM collection c"
    " JOIN tenant t ON t.tenant = c.tenant"
    " WHERE c.collection = :collection AND c.tenant = :tenant AND c.state = 'active'"
)
UPDATE_NEXT_GENERATION: Final = (
    "UPDATE collection SET next_generation = next_generation + 1 WHERE collection = :collection"
)
INSERT_BATCH: Final = (
    "INSERT INTO batch (request_id, tenant, collection, kind, state, writer, lease_until_ms, fence, committed,"
    " created_ms) VALUES (:request_id, :tenant, :collection, :kind, :state, :writer, :lease, :fence, :committed, :now)"
)
INSERT_PENDING: Final = f"{_INTO_TRANSIT} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)"
RETIRE_REPLACED: Final = (
    f"{_INTO_TRANSIT}"
    " SELECT m.collection_no, m.ref, m.generation, m.n_chunks, m.content_digest, m.expires_ms, m.epoch_no,"
    " m.ingested_ms, m.size, 'retiring', t.request_id FROM manifest m"
    " JOIN transit t ON t.collection_no = m.collection_no AND t.ref = m.ref"
    " WHERE t.request_id = :request_id AND t.state = 'pending'"
)
MAKE_LIVE: Final = (
    f"INSERT INTO manifest (collection_no, ref, {_COLUMNS}) SELECT collection_no, ref, {_COLUMNS} FROM transit"
    " WHERE request_id = :request_id AND state = 'pending'"
    " ON CONFLICT (collection_no, ref) DO UPDATE SET generation = excluded.generation, n_chunks = excluded.n_chunks,"
    " content_digest = excluded.content_digest, expires_ms = excluded.expires_ms, epoch_no = excluded.epoch_no,"
    " ingested_ms = excluded.ingested_ms, size = excluded.size"
)
FOLLOW_ITEMS: Final = (
    "UPDATE job_item SET (generation, n_chunks) = (SELECT m.generation, m.n_chunks FROM collection c JOIN manifest m"
    " ON m.collection_no = c.collection_no AND m.ref = job_item.ref WHERE c.collection = job_item.collection)"
    " WHERE (collection, ref, generation) IN (SELECT c.collection, t.ref, t.generation FROM transit t"
    " JOIN collection c ON c.collection_no = t.collection_no WHERE t.request_id = :request_id AND t.state = 'retiring')"
)
"""A job lists generations. One that was replaced by itself, sealed anew, is on its list as it was."""
FOLLOW_DUE: Final = f"{FOLLOW_ITEMS} AND job_id IN (SELECT job_id FROM job WHERE kind = 'retention.apply')"
"""One from which a person was erased is as old as it was, so it stays due. An erasure lists what it took the person out
of, which is gone."""
DELETE_PENDING: Final = "DELETE FROM transit WHERE request_id = :request_id AND state = 'pending'"
INSERT_RECORD_SUBJECT: Final = (
    "INSERT INTO record_subject (subject_no, collection_no, ref, generation, about)"
    " SELECT subject_no, ?, ?, ?, ? FROM subject_token WHERE tenant_no = ? AND token = ?"
)
DELETE_RECORD_SUBJECTS: Final = (
    "DELETE FROM record_subject WHERE (collection_no, ref, generation) IN"
    " (SELECT collection_no, ref, generation FROM transit WHERE request_id = :request_id AND state = 'retiring')"
)
SELECT_UNKNOWN_PEOPLE: Final = (
    "SELECT DISTINCT s.subject_no FROM transit t JOIN record_subject r"
    " ON r.collection_no = t.collection_no AND r.ref = t.ref AND r.generation = t.generation"
    " JOIN subject_token s ON s.subject_no = r.subject_no AND s.entity = ''"
    " WHERE t.request_id = :request_id AND t.state = 'retiring'"
)
DELETE_UNKNOWN_PERSON: Final = (
    "DELETE FROM subject_token WHERE subject_no = ? AND entity = ''"
    " AND NOT EXISTS (SELECT 1 FROM record_subject r WHERE r.subject_no = subject_token.subject_no)"
)
"""A token that a batch gave a number to and that nobody made known: given up before, it leaves no trace of whom."""
DELETE_ROWS: Final = "DELETE FROM transit WHERE request_id = :request_id"
DELETE_BATCH: Final = "DELETE FROM batch WHERE request_id = :request_id"
RETIRE_PENDING: Final = "UPDATE transit SET state = 'retiring' WHERE request_id = :request_id AND state = 'pending'"
SWITCH: Final = "UPDATE batch SET state = 'switched', committed = :committed WHERE request_id = :request_id"
RETIRE_DELETED: Final = (
    f"{_INTO_TRANSIT}"
    f" SELECT collection_no, ref, {_COLUMNS}, 'retiring', ? FROM manifest"
    f" WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
)
DELETE_LIVE: Final = f"DELETE FROM manifest WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"
EXTEND: Final = (
    "UPDATE batch SET lease_until_ms = :until WHERE request_id = :request_id AND (state = 'open' OR committed)"
)
