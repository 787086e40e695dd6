"""The statements of ``batches``: rows move between ``manifest`` (live) and ``transit`` (pending, retiring).

``IN (*)`` widens to the number of records of a call (:func:`securevec.control.database.many`).
"""

from __future__ import annotations

from typing import Final

_COLUMNS: Final = "generation, n_chunks, content_digest, expires_ms, epoch, ingested_ms, size"
_INTO_TRANSIT: Final = f"INSERT INTO transit (collection, ref, {_COLUMNS}, state, request_id)"

_BATCH: Final = (
    "SELECT request_id, tenant, collection, kind, state, writer, lease_until_ms, fence, committed, created_ms"
    " FROM batch"
)
SELECT_BATCH: Final = f"{_BATCH} WHERE request_id = :request_id"
SELECT_OPEN: Final = f"{_BATCH} WHERE lease_until_ms <= :before ORDER BY created_ms, request_id"
SELECT_ROWS: Final = (
    f"SELECT ref, {_COLUMNS}, state FROM transit WHERE request_id = :request_id ORDER BY ref, generation"
)
SELECT_PENDING_ELSEWHERE: Final = (
    "SELECT DISTINCT b.request_id, b.lease_until_ms FROM transit t JOIN batch b ON b.request_id = t.request_id"
    " WHERE t.collection = ? AND t.state = 'pending' AND t.ref IN (*)"
)
SELECT_NEXT_GENERATION: Final = (
    "SELECT next_generation FROM collection WHERE collection = :collection AND tenant = :tenant AND state = 'active'"
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
    " SELECT m.collection, m.ref, m.generation, m.n_chunks, m.content_digest, m.expires_ms, m.epoch, m.ingested_ms,"
    " m.size, 'retiring', t.request_id FROM manifest m JOIN transit t ON t.collection = m.collection AND t.ref = m.ref"
    " WHERE t.request_id = :request_id AND t.state = 'pending'"
)
MAKE_LIVE: Final = (
    f"INSERT INTO manifest (collection, ref, {_COLUMNS}) SELECT collection, ref, {_COLUMNS} FROM transit"
    " WHERE request_id = :request_id AND state = 'pending'"
    " ON CONFLICT (collection, ref) DO UPDATE SET generation = excluded.generation, n_chunks = excluded.n_chunks,"
    " content_digest = excluded.content_digest, expires_ms = excluded.expires_ms, epoch = excluded.epoch,"
    " ingested_ms = excluded.ingested_ms, size = excluded.size"
)
FOLLOW_ITEMS: Final = (
    "UPDATE job_item SET generation = (SELECT m.generation FROM manifest m WHERE m.collection = job_item.collection"
    " AND m.ref = job_item.ref) WHERE (collection, ref, generation) IN"
    " (SELECT collection, ref, generation FROM transit WHERE request_id = :request_id AND state = 'retiring')"
)
"""A job lists generations. One that was replaced by itself, sealed anew, is on its list as it was."""
DELETE_PENDING: Final = "DELETE FROM transit WHERE request_id = :request_id AND state = 'pending'"
INSERT_RECORD_SUBJECT: Final = (
    "INSERT INTO record_subject (collection, token, ref, generation, about) VALUES (?, ?, ?, ?, ?)"
)
DELETE_RECORD_SUBJECTS: Final = (
    "DELETE FROM record_subject WHERE (collection, ref, generation) IN"
    " (SELECT collection, ref, generation FROM transit WHERE request_id = :request_id AND state = 'retiring')"
)
DELETE_ROWS: Final = "DELETE FROM transit WHERE request_id = :request_id"
DELETE_BATCH: Final = "DELETE FROM batch WHERE request_id = :request_id"
RETIRE_PENDING: Final = "UPDATE transit SET state = 'retiring' WHERE request_id = :request_id AND state = 'pending'"
SWITCH: Final = "UPDATE batch SET state = 'switched', committed = :committed WHERE request_id = :request_id"
RETIRE_DELETED: Final = (
    f"{_INTO_TRANSIT}"
    f" SELECT collection, ref, {_COLUMNS}, 'retiring', ? FROM manifest WHERE collection = ? AND ref IN (*)"
)
DELETE_LIVE: Final = "DELETE FROM manifest WHERE collection = ? AND ref IN (*)"
EXTEND: Final = (
    "UPDATE batch SET lease_until_ms = :until WHERE request_id = :request_id AND (state = 'open' OR committed)"
)
