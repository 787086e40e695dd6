"""Tables of the control store at the revision this release writes, and nothing else: what a new store is made of.

No column holds a name, a record id or a value in clear (docs/formats.md, section 9): ``*_token`` and ``ref`` are keyed
hashes of 16 bytes, ``*_sealed`` envelopes, ``tenant`` and ``collection`` random ids in hex, ``*_ms`` UTC milliseconds.
Tables with a row for each record, or person, name tenants, collections, epochs and people by number (``numbers``).

A change here is a new revision: ``revision`` says its number, ``older`` how a store of before gets there.
"""

from __future__ import annotations

from typing import Final

TENANTS: Final = (
    # `token_version` is the version of the tenant's token key that all its tokens are of; null while that is the first.
    """CREATE TABLE tenant (
  tenant_no INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  name_token BLOB,
  name_sealed BLOB,
  state TEXT NOT NULL,
  fence BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  token_version INTEGER,
  PRIMARY KEY (tenant_no), UNIQUE (tenant), UNIQUE (name_token),
  CHECK (state IN ('active', 'suspended', 'deleting', 'deleted')),
  CHECK (state <> 'deleted' OR (name_token IS NULL AND name_sealed IS NULL))
)""",
    """CREATE TABLE principal (
  actor_token BLOB NOT NULL,
  name_sealed BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (actor_token)
)""",
    """CREATE TABLE principal_grant (
  tenant TEXT NOT NULL,
  actor_token BLOB NOT NULL,
  role TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, actor_token, role),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant)
)""",
    # `next_generation`: one number per batch, given to all its records, never given twice: a deleted record's
    # generation cannot return. `classification` is the keyed token of the label, which retention rules name.
    """CREATE TABLE collection (
  collection_no INTEGER NOT NULL,
  collection TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name_token BLOB NOT NULL,
  name_sealed BLOB NOT NULL,
  schema_sealed BLOB NOT NULL,
  shard TEXT NOT NULL,
  dimension INTEGER NOT NULL,
  identity TEXT NOT NULL,
  retention_ms BIGINT,
  vault BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  next_generation BIGINT DEFAULT 1 NOT NULL,
  classification TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (collection_no), UNIQUE (collection), UNIQUE (tenant, name_token), UNIQUE (shard),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant)
)""",
    """CREATE TABLE quota (
  tenant TEXT NOT NULL,
  max_points BIGINT,
  max_bytes BIGINT,
  PRIMARY KEY (tenant),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant)
)""",
    # Where a tenant lives that was moved, or is being moved: then `moving_to` is its next layout, and written to as
    # well. Namespaces of the tenant carry its `tag`.
    """CREATE TABLE placement (
  tenant TEXT NOT NULL,
  tag TEXT NOT NULL,
  layout TEXT NOT NULL,
  moving_to TEXT,
  PRIMARY KEY (tenant), UNIQUE (tag), CHECK (layout IN ('shared', 'collection', 'shard')),
  CHECK (moving_to IS NULL OR moving_to IN ('shared', 'collection', 'shard')),
  CHECK (moving_to IS NULL OR moving_to <> layout),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant)
) WITHOUT ROWID""",
)
"""Tenants, who may do what in them, and their collections."""

RECORDS: Final = (
    # Key epochs that records of a collection were sealed in. No foreign key leads here: each would be looked for in
    # the whole manifest when the collection goes.
    """CREATE TABLE key_epoch (
  epoch_no INTEGER NOT NULL,
  collection_no INTEGER NOT NULL,
  epoch TEXT NOT NULL,
  PRIMARY KEY (epoch_no), UNIQUE (collection_no, epoch),
  FOREIGN KEY (collection_no) REFERENCES collection (collection_no)
)""",
    # Live generations only: the primary key itself says that a record has one. `size` is what the record takes in the
    # store: envelopes and vectors of all its chunks, in bytes.
    """CREATE TABLE manifest (
  collection_no INTEGER NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  content_digest BLOB NOT NULL,
  expires_ms BIGINT,
  epoch_no INTEGER NOT NULL,
  ingested_ms BIGINT NOT NULL,
  size BIGINT NOT NULL,
  PRIMARY KEY (collection_no, ref),
  FOREIGN KEY (collection_no) REFERENCES collection (collection_no)
) WITHOUT ROWID""",
    # An open batch is never the visible state, and a committed one is never open.
    """CREATE TABLE batch (
  request_id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  collection TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  writer TEXT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  committed BOOLEAN NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (request_id), CHECK (kind IN ('ingest', 'delete')),
  CHECK (state IN ('open', 'switched')), CHECK (state = 'switched' OR NOT committed),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant),
  FOREIGN KEY (collection) REFERENCES collection (collection)
)""",
    # Generations on their way in (pending) or out (retiring); empty when nothing is being written. One writer at a
    # time per record.
    """CREATE TABLE transit (
  collection_no INTEGER NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  content_digest BLOB NOT NULL,
  expires_ms BIGINT,
  epoch_no INTEGER NOT NULL,
  ingested_ms BIGINT NOT NULL,
  size BIGINT NOT NULL,
  state TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (collection_no, ref, generation), CHECK (state IN ('pending', 'retiring')),
  FOREIGN KEY (collection_no) REFERENCES collection (collection_no),
  FOREIGN KEY (request_id) REFERENCES batch (request_id)
) WITHOUT ROWID""",
    "CREATE INDEX ix_transit_request_id ON transit (request_id)",
    "CREATE UNIQUE INDEX uq_transit_pending ON transit (collection_no, ref) WHERE state = 'pending'",
    # Files of a source that were read: what lets a later run pass over them, and find those that are gone.
    """CREATE TABLE source_file (
  collection_no INTEGER NOT NULL,
  source BLOB NOT NULL,
  ref BLOB NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (collection_no, source, ref),
  FOREIGN KEY (collection_no) REFERENCES collection (collection_no)
) WITHOUT ROWID""",
)
"""Records and the batches that write them: the manifest, and what is on its way in or out."""

JOBS: Final = (
    """CREATE TABLE job (
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  state TEXT NOT NULL,
  data TEXT NOT NULL,
  receipt BLOB,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  owner TEXT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (job_id), CHECK (state <> 'done' OR receipt IS NOT NULL),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant)
)""",
    """CREATE TABLE job_step (
  job_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (job_id, step),
  FOREIGN KEY (job_id) REFERENCES job (job_id)
)""",
    # What a job is going to do, fixed before it does anything: one row per record generation.
    """CREATE TABLE job_item (
  job_id TEXT NOT NULL,
  collection TEXT NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  action TEXT NOT NULL,
  PRIMARY KEY (job_id, collection, ref, generation), CHECK (action IN ('delete', 'redact')),
  FOREIGN KEY (job_id) REFERENCES job (job_id)
) WITHOUT ROWID""",
)
"""Long work, and what is left to do of it."""

PEOPLE: Final = (
    # `entity` is empty for a token that has its number for a record being written and is not known to queries yet.
    """CREATE TABLE subject_token (
  subject_no INTEGER NOT NULL,
  tenant_no INTEGER NOT NULL,
  token BLOB NOT NULL,
  entity TEXT NOT NULL,
  PRIMARY KEY (subject_no), UNIQUE (tenant_no, token),
  FOREIGN KEY (tenant_no) REFERENCES tenant (tenant_no)
)""",
    # Parts of the names of known people, so that a query by surname or initial meets the person: tokens again, and the
    # surrogate of that part, sealed by the caller, which stands for it in the vectors. Forgotten with the person's
    # token.
    """CREATE TABLE name_part (
  tenant_no INTEGER NOT NULL,
  part BLOB NOT NULL,
  person_no INTEGER NOT NULL,
  stand_in BLOB NOT NULL,
  PRIMARY KEY (tenant_no, part, person_no),
  FOREIGN KEY (tenant_no) REFERENCES tenant (tenant_no),
  FOREIGN KEY (person_no) REFERENCES subject_token (subject_no)
) WITHOUT ROWID""",
    "CREATE INDEX ix_name_part_person_no ON name_part (person_no)",
    # Which people a generation is about or mentions: written with its pending row, forgotten with its retiring one.
    """CREATE TABLE record_subject (
  subject_no INTEGER NOT NULL,
  collection_no INTEGER NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  about BOOLEAN NOT NULL,
  PRIMARY KEY (subject_no, collection_no, ref, generation),
  FOREIGN KEY (subject_no) REFERENCES subject_token (subject_no),
  FOREIGN KEY (collection_no) REFERENCES collection (collection_no)
) WITHOUT ROWID""",
    "CREATE INDEX ix_record_subject_record ON record_subject (collection_no, ref, generation)",
    # Erased subjects. What was ingested up to `at_ms` is hidden from every reader; nothing may be written until
    # `until_ms`.
    """CREATE TABLE tombstone (
  tenant TEXT NOT NULL,
  token BLOB NOT NULL,
  job_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, token),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant),
  FOREIGN KEY (job_id) REFERENCES job (job_id)
) WITHOUT ROWID""",
)
"""The people whom records are about or mention, by keyed tokens."""

LIFETIMES: Final = (
    # A hold on a subject covers the records that carry one of its tokens (`hold_subject`), not the whole tenant.
    """CREATE TABLE hold (
  hold_id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  collection TEXT,
  record_ref BLOB,
  reason_sealed BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  released_ms BIGINT,
  of_subject BOOLEAN NOT NULL,
  PRIMARY KEY (hold_id), CHECK (record_ref IS NULL OR collection IS NOT NULL),
  CHECK (NOT of_subject OR (collection IS NULL AND record_ref IS NULL)),
  FOREIGN KEY (tenant) REFERENCES tenant (tenant),
  FOREIGN KEY (collection) REFERENCES collection (collection)
)""",
    """CREATE TABLE hold_subject (
  hold_id TEXT NOT NULL,
  token BLOB NOT NULL,
  PRIMARY KEY (hold_id, token),
  FOREIGN KEY (hold_id) REFERENCES hold (hold_id)
) WITHOUT ROWID""",
    # Empty text stands for every tenant, collection or classification. A classification is a keyed token;
    # `label_sealed` is its label, empty where there is none.
    """CREATE TABLE retention_rule (
  tenant TEXT NOT NULL,
  collection TEXT NOT NULL,
  classification TEXT NOT NULL,
  label_sealed BLOB NOT NULL,
  max_age_ms BIGINT,
  min_age_ms BIGINT,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, collection, classification),
  CHECK (max_age_ms IS NOT NULL OR min_age_ms IS NOT NULL)
)""",
    """CREATE TABLE retention_plan (
  digest TEXT NOT NULL,
  data TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (digest)
)""",
)
"""What ends a record, or keeps it."""

INSTALLATION: Final = (
    # Ids of delivered rows are never used again.
    """CREATE TABLE outbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  payload BLOB NOT NULL,
  created_ms BIGINT NOT NULL
)""",
    """CREATE TABLE audit_head (
  id INTEGER NOT NULL,
  size BIGINT NOT NULL,
  root TEXT NOT NULL,
  note BLOB NOT NULL,
  PRIMARY KEY (id), CHECK (id = 1)
)""",
    # How long the log of audit writers may be: announced before each line of it is written.
    "CREATE TABLE audit_next (id INTEGER NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (id), CHECK (id = 1))",
    "CREATE TABLE time_floor (id INTEGER NOT NULL, floor_ms BIGINT NOT NULL, PRIMARY KEY (id), CHECK (id = 1))",
    # How far the key store had come when this store was last written.
    "CREATE TABLE key_store (id INTEGER NOT NULL, changes BIGINT NOT NULL, PRIMARY KEY (id), CHECK (id = 1))",
    # Which models may receive what, as one sealed document: an edited list does not open. No row is no list.
    """CREATE TABLE model_list (
  id INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (id), CHECK (id = 1)
)""",
    # Named after the tool that made and upgraded stores until November 2026.
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num))",
)
"""Tables with one row, or one queue, for the whole installation."""

TABLES: Final = (*TENANTS, *RECORDS, *JOBS, *PEOPLE, *LIFETIMES, *INSTALLATION)
"""In an order in which each can be made."""
