"""Erasing people from a tenant that is full of others: what it takes, what is left in files, who else is touched."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

import securevec as sv
from securevec.backend import RemovalReport, VectorBackend
from securevec.control.rows import JobItem
from securevec.people.identify import identify
from securevec.people.manifest import manifest_row
from securevec.people.places import places_of
from securevec.proof.probe import Needles, standing
from securevec.proof.purging import needles_of
from securevec.proof.receipt import read
from securevec.removing.points import ids_of
from securevec.testing.embedders import HashEmbedder
from securevec.types import StoredPoint
from tests.support.world import ACME, GLOBEX, Ticket, ticket

DIMENSION = 384


@dataclass
class Bar:
    """An open home with a full collection of one tenant, and two others beside it that nothing may happen to."""

    store: sv.SecureStore
    records: int
    people: int
    tenant: sv.Tenant
    full: sv.Collection[Ticket]
    beside: list[sv.Collection[Ticket]]
    erased: list[Needles] = field(default_factory=list["Needles"])

    @property
    def home(self) -> Path:
        return self.store.home

    def needles(self, *people: str) -> Needles:
        """The sealed texts and vectors of every point about, or mentioning, these people."""
        runtime, scope = self.store.runtime, self.full._scope
        found = places_of(runtime, scope.tenant, identify(runtime, scope.tenant, people))
        rows = [
            manifest_row(JobItem(p.row.collection, p.row.ref, p.row.generation, p.row.n_chunks, "delete"))
            for p in found
        ]
        ids = ids_of(runtime, scope.tenant, scope.collection, rows)
        return needles_of(runtime.backend().fetch(namespace=scope.namespace, ids=ids, with_vectors=True))

    def found(self) -> int:
        """How many needles of everybody erased so far stand in any file of the home."""
        texts = tuple(text for needles in self.erased for text in needles.texts)
        vectors = tuple(vector for needles in self.erased for vector in needles.vectors)
        return len(standing([self.home], Needles(texts, vectors)))

    def bystanders(self) -> dict[str, tuple[int, int, int]]:
        """Inode, size and time of change of every file of the collections beside."""
        shards = {collection._scope.namespace.shard for collection in self.beside}
        return {
            str(path): (path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted((self.home / "engine").rglob("*"))
            if path.is_file() and any(shard in str(path) for shard in shards)
        }

    def remaining(self) -> list[StoredPoint]:
        """Every point of the full collection, with vectors."""
        backend, namespace = self.store.runtime.backend(), self.full._scope.namespace
        points: list[StoredPoint] = []
        cursor: str | None = None
        while True:
            page = backend.scan(namespace=namespace, where=None, cursor=cursor, limit=1000)
            points += backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
            cursor = page.cursor
            if cursor is None:
                return points


def person(number: int) -> str:
    return f"person{number}@example.com"


def rows(count: int, people: int, *, first: int = 0) -> Iterator[dict[str, Any]]:
    """Records about ``people`` people, every third of which mentions another one."""
    for number in range(first, first + count):
        other = f", copied to {person((number * 7 + 13) % people)}" if number % 3 == 0 else ""
        words = f"case {number} of shelf {number * 7919 % 10007} row {number * 104729 % 99991}"
        yield ticket(number, f"{words} about a late delivery{other}", customer=person(number % people))


@contextmanager
def open_bar(root: Path, backend: str, *, records: int, people: int) -> Generator[Bar]:
    with sv.SecureStore.open(
        root / "home", backend=backend, key_file=root / "keys" / "root.key", embedder=HashEmbedder(dimension=DIMENSION)
    ) as store:
        tenant = store.tenant("acme", create=True, actor=ACME)
        other = store.tenant("globex", create=True, actor=GLOBEX)
        bar = Bar(
            store,
            records,
            people,
            tenant,
            tenant.collection(Ticket, name="full"),
            [tenant.collection(Ticket, name="beside"), other.collection(Ticket, name="full")],
        )
        # The neighbour of the same tenant holds nobody that is erased, the other tenant the very same people.
        bar.beside[0].ingest(
            {**row, "body": f"shelf {number}", "customer": f"neighbour{number}@example.com"}
            for number, row in enumerate(rows(20, people))
        )
        # In other words: an equal text has an equal vector, wherever it stands.
        bar.beside[1].ingest({**row, "body": f"globex {row['body']}"} for row in rows(20, people))
        bar.full.ingest(rows(records, people))
        yield bar


@dataclass(frozen=True)
class Took:
    """Seconds on the wall, and of all cores together: what a machine that others use makes of it, and what it took."""

    wall: float
    cpu: float

    @classmethod
    @contextmanager
    def measured(cls, into: list[Took]) -> Generator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        into.append(cls(time.perf_counter() - wall, time.process_time() - cpu))


def erase(bar: Bar, *people: str) -> tuple[Took, dict[str, Any]]:
    """From the call to the receipt, and what the receipt says. The needles are kept for :meth:`Bar.found`."""
    bar.erased.append(bar.needles(*people))
    took: list[Took] = []
    with Took.measured(took):
        result = bar.tenant.erase_subject(*people).raise_if_incomplete()
    said = read(result.receipt or b"", public=bar.store.runtime.keys.signing_key().public).predicate
    return took[0], dict(said)


def measure(root: Path, backend: str, *, records: int, people: int, many: int, purges: int) -> dict[str, Any]:
    """One, many in one job, a purge that is skipped, and further erasures with writes between."""
    with open_bar(root, backend, records=records, people=people) as bar:
        # What was written lies in the log until the pool's thread puts it in files, 5 s later: done now, so that a file
        # that changes afterwards was changed by the erasure.
        bar.store.runtime.backend()._store._pool._flush_written()  # type: ignore[attr-defined]  # the embedded ones
        before = bar.bystanders()
        control = len(standing([bar.home], bar.needles(person(0))))
        single = [erase(bar, person(number)) for number in range(3)]
        after_one = bar.found()
        several, said = erase(bar, *(person(number) for number in range(3, 3 + many)))
        after_many = bar.found()
        verdicts = {entry["verdict"] for _, each in [*single, (several, said)] for entry in _points(each)}
        skipped, skipped_verdicts = _skipped(bar, person(3 + many))
        bar.erased.pop()
        left = _again(bar, purges)
        copy = _raw_copy(root / "raw", bar.remaining()) if backend == "chroma" else None
        one = Took(median(took.wall for took, _ in single), median(took.cpu for took, _ in single))
        return {
            "backend": backend,
            "records": records,
            "needles_before": control,
            "one_seconds": round(one.wall, 3),
            "one_cpu_seconds": round(one.cpu, 3),
            "many": many,
            "many_seconds": round(several.wall, 3),
            "many_cpu_seconds": round(several.cpu, 3),
            "many_over_one": round(several.wall / one.wall, 2),
            "raw_copy_seconds": round(copy.wall, 3) if copy is not None else None,
            "raw_copy_cpu_seconds": round(copy.cpu, 3) if copy is not None else None,
            "one_over_raw_copy": round(one.wall / copy.wall, 2) if copy is not None else None,
            "one_over_raw_copy_cpu": round(one.cpu / copy.cpu, 2) if copy is not None else None,
            "found_after_one": after_one,
            "found_after_many": after_many,
            "found_when_purge_is_skipped": skipped,
            "verdicts": sorted(verdicts),
            "verdicts_when_skipped": sorted(skipped_verdicts),
            "further_purges": purges,
            "found_after_each": left,
            "bystanders": len(before),
            "bystanders_changed": sum(before[name] != changed for name, changed in bar.bystanders().items()),
        }


def _points(said: dict[str, Any]) -> list[dict[str, str]]:
    return [entry for entry in said["artefacts"] if entry["artefact"].startswith("points")]


def _skipped(bar: Bar, who: str) -> tuple[int, set[str]]:
    """What stands in files, and what the receipt says, when the store only claims to have purged."""
    backend = bar.store.runtime.backend()

    def claim(self: VectorBackend, **_: object) -> RemovalReport:
        return RemovalReport(0, index_removed=True, bytes_removed=True, residual="")

    with patch.object(type(backend), "purge", claim):
        _, said = erase(bar, who)
    return len(standing([bar.home], bar.erased[-1])), {entry["verdict"] for entry in _points(said)}


def _again(bar: Bar, purges: int) -> list[int]:
    left: list[int] = []
    for turn in range(purges):
        first = bar.records + turn * 40
        bar.full.ingest(rows(40, 5 * bar.people + 40 * turn, first=first))
        erase(bar, person(first % (5 * bar.people + 40 * turn)))
        left.append(bar.found())
    return left


def _raw_copy(directory: Path, points: Iterable[StoredPoint]) -> Took:
    """What the vendor's client takes to read these points out of one collection and add them to another."""
    import chromadb
    from chromadb.config import Settings

    held = list(points)
    client: Any = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
    source = client.create_collection("source", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
    for start in range(0, len(held), 1000):
        part = held[start : start + 1000]
        source.add(
            ids=[point.id.hex for point in part],
            embeddings=np.array([point.vector for point in part]),
            metadatas=[dict(point.payload) for point in part],
        )
    took: list[Took] = []
    with Took.measured(took):
        target = client.create_collection(
            "target", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        for start in range(0, len(held), 1000):
            found = source.get(limit=1000, offset=start, include=["embeddings", "metadatas"])
            target.add(ids=found["ids"], embeddings=found["embeddings"], metadatas=found["metadatas"])
    client.close()
    shutil.rmtree(directory)
    return took[0]
