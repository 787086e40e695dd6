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
# How far a writer gets before it is interrupted: half its points, all of them, commit, one removal, the rest, finish.
steps = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 6, 6])

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
    def begin(self) -> None:
        """Some records live from the beginning on: what is drawn seldom brings one so far, and none shows nothing."""
        self.open()
        self.ingest(REFS[:4], 2, 0, 6)
        assert self.visible.keys() == set(REFS[:4])

    def open(self) -> None:
        self.store = ControlStore.open(self.path, create=False)
        with self.store._db._writer as writer:
            # These crashes are of processes; power cuts are not played, so nothing need wait for the disk.
            writer.execute("PRAGMA synchronous = OFF")

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

    @rule(refs=some_refs, chunks=st.integers(1, 3), stale=st.sampled_from([0, 0, 0, 0, 1]), steps=steps)
    def ingest(self, refs: list[bytes], chunks: int, stale: int, steps: int) -> None:
        """A writer begins and gets as far as ``steps``."""
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
        assert all(generation > earlier for earlier in self.generations)
        self.generations.add(generation)
        batch = Batch(request, refs, chunks, generation, fence, self.now + LEASE, "open")
        self.batches[request] = batch
        self._go_on(batch, steps)

    @rule(refs=some_refs, what=st.sampled_from(["hold", "suspend", "rival", "recovery", "deletion"]))
    def ingest_disturbed(self, refs: list[bytes], what: str) -> None:
        """Something happens after every point is in and read back, and before the commit."""
        self.ingest(refs, 1, 0, 2)
        batch = self.batches.get(f"request-{self.requests}")
        if batch is None:
            return
        if what == "hold":
            self.hold_or_release(refs[0])
        elif what == "suspend":
            self.suspend_or_resume(True)
        elif what == "deletion":
            self.delete(refs, 0)
        else:
            self.now += LEASE
            if what == "rival":
                self.ingest(refs[:1], 2, 0, 2)
            else:
                self._recover()
        if batch.request in self.batches:
            self._commit(batch)
        else:
            with pytest.raises(ControlUnavailable):
                self.store.commit_batch(request_id=batch.request, fence=batch.fence)

    @precondition(lambda self: self.batches)
    @rule(number=pick, steps=steps)
    def go_on(self, number: int, steps: int) -> None:
        """A writer that was slow, or comes too late, takes its next steps."""
        self._go_on(list(self.batches.values())[number % len(self.batches)], steps)

    def _go_on(self, batch: Batch, steps: int) -> None:
        for _ in range(steps):
            if batch.request not in self.batches:
                return
            points = batch.points()
            if batch.stage == "open" and batch.inserted < len(points):
                if batch.lease_until <= self.now:
                    return
                batch.inserted = len(points) if batch.inserted else (len(points) + 1) // 2
                self.engine |= set(points[: batch.inserted])
            elif batch.stage == "committed":
                self._clean_up(batch)
            else:
                self._commit(batch)

    @precondition(lambda self: self.batches)
    @rule(number=pick, how=st.sampled_from(["abort", "commit"]))
    def settle(self, number: int, how: str) -> None:
        """Abort or commit, in whatever state: late, twice, or against what was done."""
        batch = list(self.batches.values())[number % len(self.batches)]
        if how == "commit":
            if batch.stage != "open":
                self._commit(batch)
        elif batch.stage == "committed":
            with pytest.raises(ControlUnavailable):
                self.store.abort_batch(request_id=batch.request)
        else:
            batch.stage, batch.retiring = "aborted", set(batch.points())
            assert _points(self.store.abort_batch(request_id=batch.request)) == batch.retiring

    def _commit(self, batch: Batch) -> None:
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

    def _clean_up(self, batch: Batch) -> None:
        """The engine deletes the retiring points, one at first and then the rest; then the batch is finished."""
        left = sorted(batch.retiring & self.engine)
        if left:
            self.engine -= set(left[: 1 if len(left) == len(batch.retiring) > 1 else None])
        else:
            self.store.finish_batch(request_id=batch.request)
            del self.batches[batch.request]

    @rule(refs=some_refs, steps=steps)
    def delete(self, refs: list[bytes], steps: int) -> None:
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
            self._go_on(batch, steps)

    @precondition(lambda self: any(batch.stage == "aborted" for batch in self.batches.values()))
    @rule()
    def clean_up_what_was_aborted(self) -> None:
        for batch in [batch for batch in self.batches.values() if batch.stage == "aborted"]:
            self._clean_up(batch)

    @rule(crash=st.booleans(), leases_end=st.booleans(), recover=st.booleans())
    def interrupt(self, crash: bool, leases_end: bool, recover: bool) -> None:
        """All that is in memory is lost, time passes, somebody clears up: in any combination."""
        if crash:
            self.store.close()
            self.open()
        if leases_end:
            self.now += LEASE
        if recover:
            self._recover()

    def _recover(self) -> None:
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
                hold.hold_id for hold in self.store.holds(TENANT) if hold.record_ref == ref and hold.released_ms is None
            )
            self.store.release_hold(name, self.now)
        else:
            self.held.add(ref)
            self.store.add_hold(self._next_request(), TENANT, COLLECTION, ref, b"sealed", self.now)

    def _set_state(self, state: Literal["active", "suspended"]) -> None:
        self.state = state
        self.fence += 1
        self.store.set_tenant_state(TENANT, state, now_ms=self.now)

    @rule(back_at_once=st.sampled_from([True, True, False]))
    def suspend_or_resume(self, back_at_once: bool) -> None:
        if self.state == "active":
            self._set_state("suspended")
        if self.state == "suspended" and back_at_once:
            self._set_state("active")

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
            self._recover()
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
