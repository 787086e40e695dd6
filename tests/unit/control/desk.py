"""A control store with one tenant and one collection in it, and short words for what the tests do to it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from securevec.control.jobs import RETENTION_APPLY, SUBJECT_ERASE, Erasure
from securevec.control.rows import BatchRow, CollectionRow, JobItem, JobRow, ManifestRow, NewRecord
from securevec.control.store import ControlStore
from securevec.control.subjects import records_of
from securevec.types import CollectionId, TenantId

TENANT = TenantId("a1" * 16)
COLLECTION = CollectionId("c1" * 16)
OTHER = CollectionId("c2" * 16)
JANE = b"jane".ljust(16, b".")
SAM = b"sam".ljust(16, b".")
NOW = 1_000_000
LEASE = 60_000


def ref(number: int) -> bytes:
    return number.to_bytes(16, "big")


def record(number: int, *, chunks: int = 2, expires_ms: int | None = None) -> NewRecord:
    return NewRecord(ref(number), chunks, b"d" * 16, expires_ms, "r0/never")


def collection_row(
    collection: CollectionId = COLLECTION, tenant: TenantId = TENANT, *, name: bytes = b"collection-name!"
) -> CollectionRow:
    return CollectionRow(
        collection=collection,
        tenant=tenant,
        name_token=name,
        name_sealed=b"sealed " + name,
        schema_sealed=b"sealed schema",
        shard=collection,
        dimension=384,
        identity='{"model":"m1"}',
        retention_ms=None,
        vault=True,
        created_ms=NOW,
    )


@dataclass
class Desk:
    path: Path
    store: ControlStore
    requests: int = field(default=0)

    def add_tenant(self, tenant: TenantId, name: bytes) -> None:
        self.store.create_tenant(tenant=tenant, name_token=name, name_sealed=b"sealed " + name, now_ms=NOW)

    def begin(
        self,
        *records: NewRecord,
        request: str = "",
        fence: int = 1,
        now_ms: int = NOW,
        lease: int = LEASE,
        expect: dict[bytes, int] | None = None,
    ) -> tuple[str, dict[bytes, int]]:
        self.requests += 1
        request = request or f"request-{self.requests}"
        generations = self.store.begin_batch(
            tenant=TENANT,
            collection=COLLECTION,
            request_id=request,
            writer="w-test",
            fence=fence,
            rows=records,
            lease_until_ms=now_ms + lease,
            now_ms=now_ms,
            expect=expect,
        )
        return request, generations

    def delete(
        self, *numbers: int, fence: int = 1, now_ms: int = NOW, expect: dict[bytes, int] | None = None
    ) -> tuple[str, list[ManifestRow]]:
        self.requests += 1
        request = f"request-{self.requests}"
        rows = self.store.begin_delete(
            tenant=TENANT,
            collection=COLLECTION,
            request_id=request,
            writer="w-test",
            fence=fence,
            refs=[ref(number) for number in numbers],
            lease_until_ms=now_ms + LEASE,
            now_ms=now_ms,
            expect=expect,
        )
        return request, rows

    def write(self, *numbers: int, fence: int = 1) -> int:
        """A whole batch; returns its generation."""
        request, generations = self.begin(*(record(number) for number in numbers), fence=fence)
        self.store.commit_batch(request_id=request, fence=fence)
        self.store.finish_batch(request_id=request)
        return next(iter(generations.values()))

    def put(self, *records: NewRecord, now_ms: int = NOW, finished: bool = True) -> str:
        """A batch of these, committed; the id of its request."""
        request, _ = self.begin(*records, now_ms=now_ms)
        self.store.commit_batch(request_id=request, fence=1)
        if finished:
            self.store.finish_batch(request_id=request)
        return request

    def list_for_retention(self, job_id: str, *items: JobItem) -> None:
        """A retention job that is to do this."""
        self.store.begin_job(
            kind=RETENTION_APPLY,
            tenant=TENANT,
            job_id=job_id,
            request_id=job_id,
            fence=1,
            data="{}",
            items=lambda tx: items,
            now_ms=NOW,
        )

    def live(self, number: int) -> int | None:
        row = self.store.current(COLLECTION, [ref(number)]).get(ref(number))
        return row.generation if row else None

    def jobs(self, open_only: bool = False) -> list[JobRow]:
        """The tenant's, as below: the store lists everybody's."""
        return [job for job in self.store.jobs(open_only) if job.tenant == TENANT]

    def batches(self, *, now_ms: int, expired_only: bool) -> list[BatchRow]:
        found = self.store.open_batches(now_ms=now_ms, expired_only=expired_only)
        return [batch for batch in found if batch.tenant == TENANT]

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """What is in the file, asked from outside."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


def erase(desk: Desk, *tokens: bytes, shared: tuple[bytes, ...] = (), now_ms: int = NOW) -> JobRow:
    said = {"tokens": [token.hex() for token in tokens], "shared": [token.hex() for token in shared]}
    return desk.store.begin_job(
        kind=SUBJECT_ERASE,
        tenant=TENANT,
        job_id="erasure",
        request_id="request",
        fence=1,
        data=json.dumps(said),
        items=lambda tx: [
            JobItem(row.collection, row.ref, row.generation, row.n_chunks, "delete" if row.about else "redact")
            for row in records_of(tx, TENANT, [*tokens, *shared])
        ],
        now_ms=now_ms,
        erase=Erasure(tokens, NOW),
    )
