"""Rows of the control store: frozen values, detached from any connection.

Sealed names, tokens and digests are left out of every ``repr``. Times are UTC milliseconds since 1970.
Field order is column order of the statements that read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from securevec.types import CollectionId, Layout, TenantId

TenantState = Literal["active", "suspended", "deleting", "deleted"]
RecordState = Literal["pending", "live", "retiring"]
BatchKind = Literal["ingest", "delete"]
BatchState = Literal["open", "switched"]


@dataclass(frozen=True, slots=True)
class Fence:
    """What every operation reads before key use and before its answer.

    ``epoch`` grows at each change of the tenant's state and never returns to an earlier value. ``tombstoned`` tells
    whether any subject of the tenant was ever erased, or is being erased, so that a reader asks what is hidden only
    where something may be. ``tokens`` is the version of the tenant's token key that its tokens are of.
    """

    state: TenantState
    epoch: int
    tombstoned: bool = False
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides on an actor's operation in a tenant: the fence, and the roles granted there (maybe none)."""

    fence: Fence
    roles: frozenset[str]
    key_changes: int = 0
    """What the key store has counted at least (:meth:`securevec.control.keystore.KeyStoreSeen.key_changes`)."""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """One tenant. A deleted one keeps its random id and nothing else: token and sealed name are ``None``."""

    tenant: TenantId
    name_token: bytes | None = field(repr=False)
    name_sealed: bytes | None = field(repr=False)
    state: TenantState
    fence: int
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """One collection. ``identity`` is JSON: digests of model, detector, policy and schema."""

    collection: CollectionId
    tenant: TenantId
    name_token: bytes = field(repr=False)
    name_sealed: bytes = field(repr=False)
    schema_sealed: bytes = field(repr=False)
    shard: str
    dimension: int
    identity: str
    retention_ms: int | None
    vault: bool
    created_ms: int
    state: str = "active"
    classification: str = ""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record about to be written. ``ref`` 16 bytes; ``expires_ms`` ``None`` never; ``epoch`` names its data key;
    ``size`` its envelopes and vectors in bytes; ``about`` and ``mentions`` the tokens of its subjects."""

    ref: bytes = field(repr=False)
    n_chunks: int
    content_digest: bytes = field(repr=False)
    expires_ms: int | None
    epoch: str
    ingested_ms: int = 0
    size: int = 0
    about: tuple[bytes, ...] = field(default=(), repr=False)
    mentions: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One generation of one record: enough to name each of its points (ref, generation, chunk 0..n_chunks-1)."""

    ref: bytes = field(repr=False)
    generation: int
    n_chunks: int
    content_digest: bytes = field(repr=False)
    expires_ms: int | None
    epoch: str
    ingested_ms: int
    size: int
    state: RecordState


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A write in progress. Switched and ``committed``: readers see its outcome; switched and not: it was aborted."""

    request_id: str
    tenant: TenantId
    collection: CollectionId
    kind: BatchKind
    state: BatchState
    writer: str
    lease_until_ms: int
    fence: int
    committed: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A resumable job. ``data`` is the JSON its state machine keeps; ``error`` an exception class name or empty."""

    job_id: str
    kind: str
    tenant: TenantId
    state: str
    data: str = field(repr=False)
    receipt: bytes | None = field(repr=False)
    created_ms: int
    updated_ms: int
    owner: str
    lease_until_ms: int
    request_id: str
    error: str

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do: done, or taken back before it began."""
        return self.state in ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class JobStep:
    """A state a job reached, and when. ``step`` counts from 0."""

    step: int
    state: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold on a tenant, one of its collections, one record, or one subject. ``released_ms`` is ``None`` while
    it holds."""

    hold_id: str
    tenant: TenantId
    collection: CollectionId | None
    record_ref: bytes | None = field(repr=False)
    reason_sealed: bytes = field(repr=False)
    created_ms: int
    released_ms: int | None
    of_subject: bool = False


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A live record that carries a subject's token: ``about`` it, or else mentioning it."""

    collection: CollectionId
    ref: bytes = field(repr=False)
    generation: int
    n_chunks: int
    about: bool


@dataclass(frozen=True, slots=True)
class JobItem:
    """One record generation a job is to delete or to redact."""

    collection: CollectionId
    ref: bytes = field(repr=False)
    generation: int
    n_chunks: int
    action: Literal["delete", "redact"]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long records of a scope are kept at most, and at least. Empty text is any tenant, collection, or label.

    ``tenant`` and ``collection`` are ids, ``classification`` a keyed token whose sealed label is ``label_sealed``.
    """

    tenant: str
    collection: str
    classification: str
    label_sealed: bytes = field(repr=False)
    max_age_ms: int | None
    min_age_ms: int | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class DueRow:
    """A live record that is due. ``hold_id`` is a hold that keeps it, or empty."""

    ref: bytes = field(repr=False)
    generation: int
    n_chunks: int
    epoch: str
    hold_id: str


@dataclass(frozen=True, slots=True)
class DueCollection:
    """What is due in one collection. ``holds`` are all standing holds on its due records; ``kept_by_minimum`` counts
    records past their expiry or maximum age that a statutory minimum keeps; ``in_use`` counts the live and travelling
    rows of each key epoch, the due ones included."""

    tenant: TenantId
    collection: CollectionId
    rows: tuple[DueRow, ...]
    holds: tuple[str, ...]
    kept_by_minimum: int
    in_use: dict[str, int]

    @property
    def doomed(self) -> tuple[DueRow, ...]:
        """What may go: due, and not held."""
        return tuple(row for row in self.rows if not row.hold_id)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was due at ``as_of_ms`` under these rules and holds. ``passed_over`` counts tenants that are suspended or
    being deleted: nothing of theirs is touched."""

    as_of_ms: int
    rules: tuple[RetentionRule, ...]
    holds: tuple[HoldRow, ...]
    collections: tuple[DueCollection, ...]
    passed_over: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What a tenant may hold: points, and bytes of envelopes and vectors. ``None`` is no limit."""

    max_points: int | None
    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a tenant is read. ``moving_to`` is where it is also written, while it is being moved there."""

    layout: Layout
    moving_to: Layout | None


NO_QUOTA: Final = Quota(None, None)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An audit event owed: JSON written in the transaction it speaks of, removed once the event is durable."""

    id: int
    payload: bytes
    created_ms: int
