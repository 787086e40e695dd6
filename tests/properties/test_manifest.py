"""The manifest against a model, with crashes, late writers, holds and fences between any two transactions.

The engine is a set of points that shares no transaction with the control store, as in life. What must hold after every
step: readers see for each record the model's generation, and all of its points are in the engine (never a mixture,
never neither); every point in the engine is still named by some row, so that recovery can remove it; generations are
never used twice. After a last recovery the engine holds exactly what readers see.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from securevec.control.rows import CollectionRow, ManifestRow, NewRecord
from securevec.control.store import ControlStore
from securevec.errors import ControlUnavailable, LegalHold, SecurevecError, TenantUnavailable
from securevec.types import CollectionId, TenantId

TENANT = TenantId("a1" * 16)
COLLECTION = CollectionId("c1" * 16)
REFS = [bytes([number]) * 16 for number in range(5)]
LEASE = 1000

some_refs = st.lists(st.sampled_from(REFS), min_size=1, max_size=4, unique=True)
pick = st.integers(min_value=0, max_value=99)

Point = tuple[bytes, int, int]
"""Record ref, generation, chunk."""


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="securevec-manifest-")) / "control.db"
    store = ControlStore.open(path, create=True)
    store.create_tenant(tenant=TENANT, name_token=b"t" * 16, name_sealed=b"s", now_ms=1)
    store.create_collection(CollectionRow(COLLECTION, TENANT, b"c" * 16, b"s", b"s", "f" * 32, 4, "{}", None, True, 1))
    store.close()
    return path


@dataclass
class Batch:
    """What the model knows of a batch, and what its writer has done so far."""

    request: str
    refs: list[bytes]
    chunks: int
    generation: int
    fence: int
    lease_until: int
    stage: Literal["open", "committed", "aborted"]
    inserted: int = 0
    retiring: set[Point] = field(default_factory=set[Point])

    def points(self) -> list[Point]:
        return [(ref, self.generation, chunk) for ref in self.refs for chunk in range(self.chunks)]


def _points(rows: list[ManifestRow]) -> set[Point]:
    return {(row.ref, row.generation, chunk) for row in rows for chunk in range(row.n_chunks)}


class Manifest(RuleBasedStateMachine):
    store: ControlStore

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="securevec-manifest-")
        self.path = Path(self.directory.name) / "control.db"
        shutil.copyfile(_template(), self.path)
        os.chmod(self.path, 0o600)
        self.engine: set[Point] = set()
        self.visible: dict[bytes, tuple[int, int]] = {}
        self.batches: dict[str, Batch] = {}
        self.held: set[bytes] = set()
        self.generations: set[int] = set()
        self.state = "active"
        self.fence = 1
        self.now = 1
        self.requests = 0

    @initialize()
    def open(self) -> None:
        self.store = ControlStore.open(self.path, create=False)

    def _expected(self, refs: list[bytes], fence: int) -> type[SecurevecError] | None:
        """What begin_batch and begin_delete must answer; aborts in the model whom the next writer overtakes."""
        if self.state != "active" or fence != self.fence:
            return TenantUnavailable
        rivals = [b for b in self.batches.values() if b.stage == "open" and set(b.refs) & set(refs)]
        if any(rival.lease_until > self.now for rival in rivals):
            return ControlUnavailable
        if any(ref in self.held and ref in self.visible for ref in refs):
            return LegalHold
        for rival in rivals:
            rival.stage = "aborted"
            rival.retiring = set(rival.points())
        return None

    def _next_request(self) -> str:
        self.requests += 1
        return f"request-{self.requests}"

    @rule(refs=some_refs, chunks=st.integers(1, 3), stale=st.sampled_from([0, 0, 0, 0, 1]))
    def begin(self, refs: list[bytes], chunks: int, stale: int) -> None:
        request, fence = self._next_request(), self.fence - stale
        expected = self._expected(refs, fence)

        def call() -> dict[bytes, int]:
            return self.store.begin_batch(
                tenant=TENANT,
                collection=COLLECTION,
                request_id=request,
                writer="w",
                fence=fence,
                rows=[NewRecord(ref, chunks, b"d" * 16, None, "r0/never") for ref in refs],
                lease_until_ms=self.now + LEASE,
                now_ms=self.now,
            )

        if expected is not None:
            with pytest.raises(expected):
                call()
            return
        given = call()
        assert list(given) == refs
        (generation,) = set(given.values())
        assert generation not in self.generations
        assert all(generation > earlier for earlier in self.generations)
        self.generations.add(generation)
        self.batches[request] = Batch(request, refs, chunks, generation, fence, self.now + LEASE, "open")

    def _open(self) -> list[Batch]:
        return [batch for batch in self.batches.values() if batch.stage == "open"]

    @precondition(lambda self: self._open())
    @rule(number=pick, portion=st.sampled_from([0.3, 1.0]))
    def insert(self, number: int, portion: float) -> None:
        """Some or all points reach the engine. A writer whose lease ended has stopped."""
        batch = self._open()[number % len(self._open())]
        if batch.lease_until > self.now:
            points = batch.points()
            batch.inserted = max(batch.inserted, round(len(points) * portion))
            self.engine |= set(points[: batch.inserted])

    @precondition(lambda self: self.batches)
    @rule(number=pick)
    def commit(self, number: int) -> None:
        """Every point was read back; commit, also late, also twice."""
        batch = list(self.batches.values())[number % len(self.batches)]
        if batch.stage == "open" and batch.inserted < len(batch.points()):
            return
        expected: type[SecurevecError] | None = None
        if batch.stage == "aborted":
            expected = ControlUnavailable
        elif batch.stage == "open":
            if self.state != "active" or batch.fence != self.fence:
                expected = TenantUnavailable
            elif any(ref in self.held and ref in self.visible for ref in batch.refs):
                expected = LegalHold
        if expected is not None:
            with pytest.raises(expected):
                self.store.commit_batch(request_id=batch.request, fence=batch.fence)
            return
        retiring = _points(self.store.commit_batch(request_id=batch.request, fence=batch.fence))
        if batch.stage == "open":
            batch.stage = "committed"
            for ref in batch.refs:
                if ref in self.visible:
                    generation, chunks = self.visible[ref]
                    batch.retiring |= {(ref, generation, chunk) for chunk in range(chunks)}
                self.visible[ref] = (batch.generation, batch.chunks)
        assert retiring == batch.retiring

    @precondition(lambda self: self.batches)
    @rule(number=pick)
    def abort(self, number: int) -> None:
        batch = list(self.batches.values())[number % len(self.batches)]
        if batch.stage == "committed":
            with pytest.raises(ControlUnavailable):
                self.store.abort_batch(request_id=batch.request)
            return
        batch.stage, batch.retiring = "aborted", set(batch.points())
        assert _points(self.store.abort_batch(request_id=batch.request)) == batch.retiring

    @rule(refs=some_refs)
    def delete(self, refs: list[bytes]) -> None:
        request = self._next_request()
        expected = self._expected(refs, self.fence)

        def call() -> list[ManifestRow]:
            return self.store.begin_delete(
                tenant=TENANT,
                collection=COLLECTION,
                request_id=request,
                writer="w",
                fence=self.fence,
                refs=refs,
                lease_until_ms=self.now + LEASE,
                now_ms=self.now,
            )

        if expected is not None:
            with pytest.raises(expected):
                call()
            return
        rows = call()
        gone = {ref: self.visible.pop(ref) for ref in refs if ref in self.visible}
        assert {row.ref: (row.generation, row.n_chunks) for row in rows} == gone
        if rows:
            batch = Batch(request, list(gone), 0, 0, self.fence, self.now + LEASE, "committed")
            batch.retiring = _points(rows)
            self.batches[request] = batch

    @precondition(lambda self: any(batch.stage != "open" for batch in self.batches.values()))
    @rule(number=pick, all_of_them=st.booleans())
    def clean_up(self, number: int, all_of_them: bool) -> None:
        """The engine deletes retiring points; when it is through, the batch is finished."""
        settled = [batch for batch in self.batches.values() if batch.stage != "open"]
        batch = settled[number % len(settled)]
        self.engine -= set(sorted(batch.retiring)[: None if all_of_them else 1])
        if all_of_them:
            self.store.finish_batch(request_id=batch.request)
            del self.batches[batch.request]

    @rule()
    def crash(self) -> None:
        """All that is in memory is lost: the writers are gone, their leases run on."""
        self.store.close()
        self.store = ControlStore.open(self.path, create=False)

    @rule()
    def leases_end(self) -> None:
        self.now += LEASE

    @rule()
    def recover(self) -> None:
        """What a start after a crash does, from nothing but the store."""
        found = self.store.open_batches(now_ms=self.now, expired_only=True)
        assert {b.request_id for b in found} == {b.request for b in self.batches.values() if b.lease_until <= self.now}
        for row in found:
            batch = self.batches.pop(row.request_id)
            assert (row.state, row.committed) == (
                "open" if batch.stage == "open" else "switched",
                batch.stage == "committed",
            )
            if row.state == "open":
                self.store.abort_batch(request_id=row.request_id)
            self.engine -= _points(self.store.batch_rows(row.request_id))
            self.store.finish_batch(request_id=row.request_id)

    @rule(ref=st.sampled_from(REFS))
    def hold_or_release(self, ref: bytes) -> None:
        if ref in self.held:
            self.held.remove(ref)
            name = next(
                hold.hold_id
                for hold in self.store.holds_covering(tenant=TENANT, collection=COLLECTION, record_ref=ref)
                if hold.record_ref == ref
            )
            self.store.release_hold(name, self.now)
        else:
            self.held.add(ref)
            self.store.add_hold(self._next_request(), TENANT, COLLECTION, ref, b"sealed", self.now)

    @rule()
    def suspend_or_resume(self) -> None:
        self.state = "suspended" if self.state == "active" else "active"
        self.fence += 1
        self.store.set_tenant_state(TENANT, "active" if self.state == "active" else "suspended", now_ms=self.now)

    @invariant()
    def readers_see_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        current = self.store.current(COLLECTION, REFS)
        assert {ref: (row.generation, row.n_chunks) for ref, row in current.items()} == self.visible
        assert (self.store.fence(TENANT).state, self.store.fence(TENANT).epoch) == (self.state, self.fence)

    @invariant()
    def every_visible_record_is_whole(self) -> None:
        wanted = {(ref, g, chunk) for ref, (g, chunks) in self.visible.items() for chunk in range(chunks)}
        assert wanted <= self.engine

    @invariant()
    def every_point_is_named_and_every_record_has_one_writer(self) -> None:
        if not hasattr(self, "store"):
            return
        states = self.store.states(COLLECTION, REFS)
        assert self.engine <= {point for rows in states.values() for point in _points(rows)}
        for rows in states.values():
            numbers = [row.generation for row in rows]
            assert len(set(numbers)) == len(numbers)
            assert sum(row.state == "pending" for row in rows) <= 1
            live = [row.generation for row in rows if row.state == "live"]
            assert len(live) <= 1
        held = self.store.held_refs(TENANT, COLLECTION, REFS)
        assert set(held) == self.held & set(self.visible)

    def teardown(self) -> None:
        try:
            self.now += LEASE
            self.recover()
            self.readers_see_the_model()
            assert self.engine == {
                (ref, g, chunk) for ref, (g, chunks) in self.visible.items() for chunk in range(chunks)
            }
            assert self.store.open_batches(now_ms=self.now, expired_only=False) == []
        finally:
            self.store.close()
            self.directory.cleanup()


TestManifest = Manifest.TestCase
TestManifest.settings = settings(stateful_step_count=30)
