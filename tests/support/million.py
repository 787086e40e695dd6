"""The long run: eight threads search several tenants while the store lies in part of the answers, and every hit is
compared with what its tenant stored. The core of ``benchmarks/million_hits.py`` and of its reduced twin in the tests.

The liar knows what it did: for each answer it notes how many points of it do not belong there. After each search that
number must be the result's ``violations``; at the end the sum must be that of the audit log.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

import numpy as np

import securevec as sv
from securevec.audit import files
from securevec.audit.directory import WRITER
from securevec.audit.scan import parse_line
from securevec.backend import Page, VectorBackend
from securevec.errors import IsolationViolation
from securevec.filters import Expr, matches
from securevec.testing.embedders import HashEmbedder
from securevec.testing.lying import LyingBackend
from securevec.types import Namespace, StoredPoint, Terms, Vector

DIMENSION: Final = 64
LIES: Final = (
    "wrong filter",
    "swapped payloads",
    "foreign points",
    "edited metadata",
    "replayed old rows",
    "duplicates",
    "flood",
)
"""What the store does. ``flood`` is an answer of which more than half is foreign."""
OPEN: Final = sv.F("status") == "open"


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    status: sv.Filter[str]


@dataclass
class Tally(threading.local):
    """What this thread's store did in its newest answer."""

    lie: str = ""
    injected: int = 0
    ghosts: dict[UUID, StoredPoint] = field(default_factory=dict[UUID, StoredPoint])


class Liar(LyingBackend):
    """A store that tells :attr:`Tally.lie` of the calling thread, and notes how many points of the answer are wrong."""

    def __init__(self, inner: VectorBackend) -> None:
        super().__init__(inner)
        self.tally = Tally()
        self.old: dict[Namespace, list[StoredPoint]] = {}
        self.rows: dict[Namespace, list[StoredPoint]] = {}
        self.hidden: set[UUID] = set()

    def keep(self, namespace: Namespace, kept: dict[Namespace, list[StoredPoint]]) -> None:
        """Remember the rows of a place as they are now: for telling of them later, or elsewhere."""
        kept[namespace] = list(self._pages(namespace))

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        found = self._inner.fetch(namespace=namespace, ids=ids, with_vectors=with_vectors)
        # What is told of in an answer is told of again when asked for by id.
        ghosts = [self.tally.ghosts[each] for each in ids if each in self.tally.ghosts]
        return [point for point in found if point.id not in self.hidden] + ghosts

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        page = self._inner.scan(namespace=namespace, where=where, cursor=cursor, limit=limit)
        return Page([point for point in page.points if point.id not in self.hidden], page.cursor)

    def query(
        self,
        *,
        namespace: Namespace,
        vector: Vector,
        where: Expr | None,
        limit: int,
        exclude: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> list[StoredPoint]:
        tally = self.tally
        asked = None if tally.lie == "wrong filter" else where
        found = self._inner.query(
            namespace=namespace, vector=vector, where=asked, limit=limit, exclude=exclude, terms=terms
        )
        found = [point for point in found if point.id not in self.hidden]
        tally.ghosts.clear()
        told, tally.injected = self._answer(tally.lie, namespace, found, where)
        return told

    def _answer(
        self, lie: str, namespace: Namespace, found: list[StoredPoint], where: Expr | None
    ) -> tuple[list[StoredPoint], int]:
        few = min(len(found) // 4, 40)
        if lie == "wrong filter" and where is not None:
            return found, sum(not matches(where, point.payload) for point in found)
        if lie == "swapped payloads":
            mine, pairs = list(found), few // 2
            for at in range(pairs):
                one, two = mine[2 * at], mine[2 * at + 1]
                mine[2 * at], mine[2 * at + 1] = replace(one, payload=two.payload), replace(two, payload=one.payload)
            return mine, 2 * pairs
        if lie in ("foreign points", "flood"):
            count = few if lie == "foreign points" else len(found) + 8
            foreign = self._foreign_rows(namespace, count)
            return foreign + found, len(foreign)
        if lie == "edited metadata" and where is not None:
            told = {point.id for point in found}
            edited = [
                replace(point, payload={**point.payload, "f_status": "open"}, score=1.0)
                for point in self.rows[namespace]
                if point.payload["f_status"] != "open" and point.id not in told
            ][:few]
            return edited + found, len(edited)
        if lie == "replayed old rows":
            ghosts = [replace(point, score=1.0) for point in self.old[namespace][:few]]
            self.tally.ghosts.update({point.id: point for point in ghosts})
            return ghosts + found, len(ghosts)
        if lie == "duplicates":
            return [point for point in found for _ in range(2)], 0
        return found, 0

    def _foreign_rows(self, namespace: Namespace, count: int) -> list[StoredPoint]:
        others = [point for place, rows in self.rows.items() if place != namespace for point in rows]
        step = max(1, len(others) // count) if count else 1
        # Every second one under its own id, the rest under new ones.
        return [
            replace(point, id=point.id if at % 2 else uuid4(), score=1.0)
            for at, point in enumerate(others[::step][:count])
        ]

    def _pages(self, namespace: Namespace) -> Iterator[StoredPoint]:
        cursor: str | None = None
        while True:
            page = self._inner.scan(namespace=namespace, where=None, cursor=cursor, limit=500)
            yield from page.points
            cursor = page.cursor
            if cursor is None:
                return


@dataclass
class Counted:
    """What one thread saw."""

    hits: int = 0
    searches: int = 0
    foreign: int = 0
    wrong: int = 0
    repeated: int = 0
    injected: int = 0
    violations: int = 0
    refused: int = 0
    refused_points: int = 0
    miscounted: int = 0
    duplicated_answers: int = 0
    lies: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: Counted) -> None:
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                self.lies.update(cast("Counter[str]", value))
            else:
                setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Side:
    """One tenant's collection, and what it must answer with."""

    handle: sv.Collection[Note]
    mark: str
    truth: dict[str, tuple[str, str]]
    vectors: np.ndarray[Any, Any]


@contextmanager
def opened(directory: Path, backend: str) -> Generator[tuple[sv.SecureStore, Liar]]:
    """A home on a lying store."""
    store = sv.SecureStore.open(
        directory / "home",
        backend=backend,
        key_file=directory / "keys" / "root.key",
        embedder=HashEmbedder(dimension=DIMENSION),
    )
    with store:
        engine = store.runtime.engine
        liar = Liar(engine._opener())
        engine._opener = lambda: liar
        yield store, liar


def fill(store: sv.SecureStore, liar: Liar, *, tenants: int, records: int) -> list[Side]:
    """Tenants with records of the same ids; a tenth was replaced, and the rows of before are kept for the liar."""
    sides: list[Side] = []
    for number in range(tenants):
        tenant = store.tenant(f"tenant {number}", create=True, actor=sv.Actor(f"svc:tenant-{number}"))
        handle = tenant.collection(Note, name="notes", retention="365d")
        mark = f"mark{number}x"
        chance = np.random.default_rng(number)
        rows = [_row(at, mark, "first") for at in range(records)]
        handle.ingest(
            rows,
            vectors=chance.standard_normal((records, DIMENSION)).astype(np.float32),
            vectors_of="anonymized_text",
        )
        namespace = handle._scope.namespace
        liar.keep(namespace, liar.old)
        replaced = [_row(at, mark, "second") for at in range(0, records, 10)]
        handle.ingest(
            replaced,
            vectors=chance.standard_normal((len(replaced), DIMENSION)).astype(np.float32),
            vectors_of="anonymized_text",
        )
        liar.keep(namespace, liar.rows)
        alive = {point.id for point in liar.rows[namespace]}
        liar.old[namespace] = [point for point in liar.old[namespace] if point.id not in alive]
        assert len(liar.old[namespace]) == len(replaced)
        truth = {row["id"]: (row["body"], row["status"]) for row in [*rows, *replaced]}
        questions = chance.standard_normal((64, DIMENSION)).astype(np.float32)
        sides.append(Side(handle, mark, truth, questions))
    return sides


def _row(at: int, mark: str, version: str) -> dict[str, str]:
    return {"id": f"N-{at}", "body": f"{mark} {version} note {at}", "status": "open" if at % 2 else "closed"}


def ask(liar: Liar, sides: Sequence[Side], *, seed: int, until: Callable[[int], bool], lying: float) -> Counted:
    """One thread's searches, until ``until`` (called with the hits of each) says that it is enough."""
    chance = random.Random(seed)  # which question comes next, not a secret
    seen = Counted()
    enough = False
    lies = itertools.cycle(LIES[seed % len(LIES) :] + LIES[: seed % len(LIES)])
    while not enough:
        side = chance.choice(sides)
        lie = next(lies) if seen.searches == 0 or chance.random() < lying else ""
        where = OPEN if lie in ("wrong filter", "edited metadata") or chance.random() < 0.2 else None
        k = chance.choice((50, 200, 500, 1000))
        liar.tally.lie, liar.tally.injected = lie, 0
        try:
            hits = side.handle.search(vector=side.vectors[chance.randrange(64)], where=where, k=k)
        except IsolationViolation:
            hits = None
        injected = liar.tally.injected
        liar.tally.lie = ""
        seen.searches += 1
        if lie:
            seen.lies[lie] += 1
        if hits is None:
            seen.refused += 1
            seen.refused_points += injected
            # Half of an answer and no more may be wrong: an honest one is never refused.
            seen.miscounted += not injected
            continue
        judge(seen, side, hits, where)
        seen.injected += injected
        seen.violations += hits.violations
        seen.miscounted += hits.violations != injected or lie == "flood"
        seen.duplicated_answers += lie == "duplicates"
        enough = until(len(hits))
    return seen


def judge(seen: Counted, side: Side, hits: sv.SearchResult[Note], where: Expr | None) -> None:
    """Compare every hit with what its tenant stored."""
    seen.hits += len(hits)
    ids: set[str] = set()
    for hit in hits:
        record = hit.record
        if side.mark not in hit.text or side.mark not in record.body:
            seen.foreign += 1
        if side.truth.get(record.id) != (record.body, record.status) or (where is not None and record.status != "open"):
            seen.wrong += 1
        if record.id in ids:
            seen.repeated += 1
        ids.add(record.id)


def run(
    directory: Path, backend: str, *, hits: int, threads: int, tenants: int, records: int, lying: float
) -> dict[str, Any]:
    """The whole run: what was returned, injected, counted and audited, and what ``verify`` found of hidden points."""
    with opened(directory, backend) as (store, liar):
        sides = fill(store, liar, tenants=tenants, records=records)
        total = Counted()
        mutex, returned = threading.Lock(), [0]

        def until(count: int) -> bool:
            with mutex:
                returned[0] += count
                return returned[0] >= hits

        failures: list[BaseException] = []

        def work(seed: int) -> None:
            try:
                seen = ask(liar, sides, seed=seed, until=until, lying=lying)
            except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that waits
                failures.append(error)
                returned[0] = hits
                return
            with mutex:
                total.add(seen)

        began = time.perf_counter()
        workers = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        seconds = time.perf_counter() - began
        if failures:
            raise failures[0]
        hidden = [point.id for point in liar.rows[sides[0].handle._scope.namespace][:7]]
        liar.hidden.update(hidden)
        missed = len(sides[0].handle.search(vector=sides[0].vectors[0], k=1000))
        found = sides[0].handle.verify()
        liar.hidden.clear()
        clean = [side.handle.verify().findings for side in sides]
        home, log_id = store.home, store.runtime.installation_id
    audited = audit_sums(home / "audit", log_id)
    return {
        "backend": backend,
        "threads": threads,
        "tenants": tenants,
        "records_of_each_tenant": records,
        "seconds": round(seconds, 1),
        **{name: value for name, value in vars(total).items() if name != "lies"},
        "lies_told": dict(sorted(total.lies.items())),
        "audited": audited,
        "truncated": {"hidden": len(hidden), "answered_in_a_search": missed, "missing_by_verify": found.missing},
        "verify_afterwards": {name: sum(each[name] for each in clean) for name in clean[0]},
    }


def audit_sums(directory: Path, log_id: str) -> dict[str, int]:
    """What the audit log says of all searches: how many answered, with how many hits and violations, and refused."""
    sums: Counter[str] = Counter()
    for writer in sorted((directory / log_id).iterdir()):
        if not WRITER.fullmatch(writer.name):
            continue
        for raw in files.read_lines(writer, files.segment_numbers(writer)):
            record = parse_line(raw)
            if record is None:
                continue
            metadata, own = cast("Any", record)["metadata"], cast("Any", record)["unmapped"]["securevec"]
            if metadata["event_code"] != "search":
                continue
            if own["outcome"] == "allowed":
                sums["searches"] += 1
                sums["hits"] += own["counts"]["hits"]
                sums["violations"] += own["counts"]["violations"]
            elif own.get("error") == "IsolationViolation":
                sums["refused"] += 1
    return dict(sums)


def missed(figures: dict[str, Any], hits: int) -> list[str]:
    """What the run shows that must not be, in words."""
    audited, truncated = figures["audited"], figures["truncated"]
    rules = {
        "fewer hits than asked for": figures["hits"] >= hits,
        "a foreign hit": figures["foreign"] == 0,
        "a wrong or old hit": figures["wrong"] == 0,
        "a record answered twice": figures["repeated"] == 0,
        "an injected point that was not counted": figures["injected"] == figures["violations"],
        "a search whose count differs from what was injected": figures["miscounted"] == 0,
        "a violation that was not audited": audited.get("violations", 0) == figures["violations"],
        "a hit that was not audited": audited.get("hits", 0) - truncated["answered_in_a_search"] == figures["hits"],
        "a refusal that was not audited": audited.get("refused", 0) == figures["refused"],
        "a lie that was never told": set(figures["lies_told"]) == set(LIES),
        "a hidden point that verify did not find": truncated["missing_by_verify"] == truncated["hidden"],
        "verify accusing a store in order": not any(figures["verify_afterwards"].values()),
    }
    return [words for words, kept in rules.items() if not kept]
