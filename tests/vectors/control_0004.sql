-- A control store of revision 0004, as the build of that time made it.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE audit_head (
  id INTEGER NOT NULL,
  size BIGINT NOT NULL,
  root TEXT NOT NULL,
  note BLOB NOT NULL,
  CONSTRAINT pk_audit_head PRIMARY KEY (id),
  CONSTRAINT ck_audit_head_single CHECK (id = 1)
);
CREATE TABLE batch (
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
  CONSTRAINT pk_batch PRIMARY KEY (request_id),
  CONSTRAINT ck_batch_kind CHECK (kind IN ('ingest', 'delete')),
  CONSTRAINT ck_batch_committed CHECK (state = 'switched' OR NOT committed),
  CONSTRAINT ck_batch_state CHECK (state IN ('open', 'switched')),
  CONSTRAINT fk_batch_collection FOREIGN KEY(collection) REFERENCES collection (collection),
  CONSTRAINT fk_batch_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
);
CREATE TABLE collection (
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
  next_generation BIGINT DEFAULT 1 NOT NULL, classification TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_collection PRIMARY KEY (collection),
  CONSTRAINT fk_collection_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant),
  CONSTRAINT uq_collection_shard UNIQUE (shard),
  CONSTRAINT uq_collection_tenant_name_token UNIQUE (tenant, name_token)
);
CREATE TABLE hold (
  hold_id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  collection TEXT,
  record_ref BLOB,
  reason_sealed BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  released_ms BIGINT,
  of_subject BOOLEAN NOT NULL,
  CONSTRAINT pk_hold PRIMARY KEY (hold_id),
  CONSTRAINT ck_hold_scope CHECK (record_ref IS NULL OR collection IS NOT NULL),
  CONSTRAINT ck_hold_of_subject CHECK (NOT of_subject OR (collection IS NULL AND record_ref IS NULL)),
  CONSTRAINT fk_hold_collection FOREIGN KEY(collection) REFERENCES collection (collection),
  CONSTRAINT fk_hold_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
);
CREATE TABLE hold_subject (
  hold_id TEXT NOT NULL,
  token BLOB NOT NULL,
  CONSTRAINT pk_hold_subject PRIMARY KEY (hold_id, token),
  CONSTRAINT fk_hold_subject_hold_id FOREIGN KEY(hold_id) REFERENCES hold (hold_id)
)
 WITHOUT ROWID

;
CREATE TABLE job (
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
  CONSTRAINT pk_job PRIMARY KEY (job_id),
  CONSTRAINT ck_job_receipt CHECK (state <> 'done' OR receipt IS NOT NULL),
  CONSTRAINT fk_job_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
);
CREATE TABLE job_item (
  job_id TEXT NOT NULL,
  collection TEXT NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  action TEXT NOT NULL,
  CONSTRAINT pk_job_item PRIMARY KEY (job_id, collection, ref, generation),
  CONSTRAINT ck_job_item_action CHECK (action IN ('delete', 'redact')),
  CONSTRAINT fk_job_item_job_id FOREIGN KEY(job_id) REFERENCES job (job_id)
)
 WITHOUT ROWID

;
CREATE TABLE job_step (
  job_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  CONSTRAINT pk_job_step PRIMARY KEY (job_id, step),
  CONSTRAINT fk_job_step_job_id FOREIGN KEY(job_id) REFERENCES job (job_id)
);
CREATE TABLE manifest (
  collection TEXT NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  content_digest BLOB NOT NULL,
  expires_ms BIGINT,
  epoch TEXT NOT NULL,
  ingested_ms BIGINT NOT NULL,
  size BIGINT NOT NULL,
  CONSTRAINT pk_manifest PRIMARY KEY (collection, ref),
  CONSTRAINT fk_manifest_collection FOREIGN KEY(collection) REFERENCES collection (collection)
)
 WITHOUT ROWID

;
CREATE TABLE name_part (
  tenant TEXT NOT NULL,
  part BLOB NOT NULL,
  person BLOB NOT NULL,
  stand_in TEXT NOT NULL,
  CONSTRAINT pk_name_part PRIMARY KEY (tenant, part, person),
  CONSTRAINT fk_name_part_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
)
 WITHOUT ROWID

;
CREATE TABLE outbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  payload BLOB NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE placement (
  tenant TEXT NOT NULL,
  tag TEXT NOT NULL,
  layout TEXT NOT NULL,
  moving_to TEXT,
  CONSTRAINT pk_placement PRIMARY KEY (tenant),
  CONSTRAINT ck_placement_layout CHECK (layout IN ('shared', 'collection', 'shard')),
  CONSTRAINT ck_placement_moving_to CHECK (moving_to IS NULL OR moving_to IN ('shared', 'collection', 'shard')),
  CONSTRAINT ck_placement_moves CHECK (moving_to IS NULL OR moving_to <> layout),
  CONSTRAINT fk_placement_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant),
  CONSTRAINT uq_placement_tag UNIQUE (tag)
)
 WITHOUT ROWID

;
CREATE TABLE principal (
  actor_token BLOB NOT NULL,
  name_sealed BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  CONSTRAINT pk_principal PRIMARY KEY (actor_token)
);
CREATE TABLE principal_grant (
  tenant TEXT NOT NULL,
  actor_token BLOB NOT NULL,
  role TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  CONSTRAINT pk_principal_grant PRIMARY KEY (tenant, actor_token, role),
  CONSTRAINT fk_principal_grant_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
);
CREATE TABLE quota (
  tenant TEXT NOT NULL,
  max_points BIGINT,
  max_bytes BIGINT,
  CONSTRAINT pk_quota PRIMARY KEY (tenant),
  CONSTRAINT fk_quota_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
);
CREATE TABLE record_subject (
  collection TEXT NOT NULL,
  token BLOB NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  about BOOLEAN NOT NULL,
  CONSTRAINT pk_record_subject PRIMARY KEY (collection, token, ref, generation),
  CONSTRAINT fk_record_subject_collection FOREIGN KEY(collection) REFERENCES collection (collection)
)
 WITHOUT ROWID

;
CREATE TABLE retention_plan (
  digest TEXT NOT NULL,
  data TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  CONSTRAINT pk_retention_plan PRIMARY KEY (digest)
);
CREATE TABLE retention_rule (
  tenant TEXT NOT NULL,
  collection TEXT NOT NULL,
  classification TEXT NOT NULL,
  label_sealed BLOB NOT NULL,
  max_age_ms BIGINT,
  min_age_ms BIGINT,
  created_ms BIGINT NOT NULL,
  CONSTRAINT pk_retention_rule PRIMARY KEY (tenant, collection, classification),
  CONSTRAINT ck_retention_rule_says_something CHECK (max_age_ms IS NOT NULL OR min_age_ms IS NOT NULL)
);
CREATE TABLE source_file (
  collection TEXT NOT NULL,
  source BLOB NOT NULL,
  ref BLOB NOT NULL,
  digest BLOB NOT NULL,
  CONSTRAINT pk_source_file PRIMARY KEY (collection, source, ref),
  CONSTRAINT fk_source_file_collection FOREIGN KEY(collection) REFERENCES collection (collection)
)
 WITHOUT ROWID

;
CREATE TABLE subject_token (
  tenant TEXT NOT NULL,
  token BLOB NOT NULL,
  entity TEXT NOT NULL,
  CONSTRAINT pk_subject_token PRIMARY KEY (tenant, token),
  CONSTRAINT fk_subject_token_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant)
)
 WITHOUT ROWID

;
CREATE TABLE tenant (
  tenant TEXT NOT NULL,
  name_token BLOB,
  name_sealed BLOB,
  state TEXT NOT NULL,
  fence BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  CONSTRAINT pk_tenant PRIMARY KEY (tenant),
  CONSTRAINT ck_tenant_forgotten CHECK (state <> 'deleted' OR (name_token IS NULL AND name_sealed IS NULL)),
  CONSTRAINT ck_tenant_state CHECK (state IN ('active', 'suspended', 'deleting', 'deleted')),
  CONSTRAINT uq_tenant_name_token UNIQUE (name_token)
);
CREATE TABLE time_floor (
  id INTEGER NOT NULL,
  floor_ms BIGINT NOT NULL,
  CONSTRAINT pk_time_floor PRIMARY KEY (id),
  CONSTRAINT ck_time_floor_single CHECK (id = 1)
);
CREATE TABLE tombstone (
  tenant TEXT NOT NULL,
  token BLOB NOT NULL,
  job_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  CONSTRAINT pk_tombstone PRIMARY KEY (tenant, token),
  CONSTRAINT fk_tombstone_tenant FOREIGN KEY(tenant) REFERENCES tenant (tenant),
  CONSTRAINT fk_tombstone_job_id FOREIGN KEY(job_id) REFERENCES job (job_id)
)
 WITHOUT ROWID

;
CREATE TABLE transit (
  collection TEXT NOT NULL,
  ref BLOB NOT NULL,
  generation BIGINT NOT NULL,
  n_chunks INTEGER NOT NULL,
  content_digest BLOB NOT NULL,
  expires_ms BIGINT,
  epoch TEXT NOT NULL,
  ingested_ms BIGINT NOT NULL,
  size BIGINT NOT NULL,
  state TEXT NOT NULL,
  request_id TEXT NOT NULL,
  CONSTRAINT pk_transit PRIMARY KEY (collection, ref, generation),
  CONSTRAINT ck_transit_state CHECK (state IN ('pending', 'retiring')),
  CONSTRAINT fk_transit_collection FOREIGN KEY(collection) REFERENCES collection (collection),
  CONSTRAINT fk_transit_request_id FOREIGN KEY(request_id) REFERENCES batch (request_id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_transit_request_id ON transit (request_id);
CREATE UNIQUE INDEX uq_transit_pending ON transit (collection, ref) WHERE state = 'pending';
CREATE INDEX ix_record_subject_record ON record_subject (collection, ref, generation);
CREATE INDEX ix_name_part_person ON name_part (tenant, person);
DELETE FROM "sqlite_sequence";
COMMIT;
