"""The stage of the attack tests: two tenants on a store that can be wrapped, a clock that can be moved, and a store
that can be made to act in the middle of a call or to answer with something else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any, cast
from uuid import UUID

import pytest

import securevec as sv
from securevec.anonymize import Detector
from securevec.attack import stage as attack
from securevec.attack.stage import ACME, ACME_MARK, GLOBEX, GLOBEX_MARK, RETENTION, Ticket, text
from securevec.audit import read_tail
from securevec.backend import VectorBackend
from securevec.clock import Clock
from securevec.embed import Embedder
from securevec.filters import Expr
from securevec.policy import PolicyEngine
from securevec.reading.asking import Shown
from securevec.testing.embedders import HashEmbedder
from securevec.testing.lying import LyingBackend
from securevec.testing.memory import InMemoryBackend
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms, Vector
from tests.support.chroma_server import chroma_server

__all__ = [
    "ACME_MARK",
    "DAY_MS",
    "ENGINES",
    "GLOBEX_MARK",
    "RETENTION",
    "Edit",
    "Pair",
    "Stage",
    "Time",
    "Trap",
    "chroma_at",
    "local_server",
    "memory_of",
    "open_stage",
    "own_part",
    "text",
    "texts_of",
    "trap_engine",
]

ENGINES = ("memory", "edge", "chroma", "server")
DAY_MS = 86_400_000

Edit = Callable[[list[StoredPoint]], list[StoredPoint]]


class Trap(LyingBackend):
    """A lying store that also runs what it is told to in the middle of a call, or changes an answer.

    ``on_query`` runs after the store found its answer and before that answer leaves; ``edit`` changes answers to
    queries, ``edit_fetch`` answers to reading by id; ``keep`` decides which points an insert really stores.
    """

    def __init__(self, inner: VectorBackend) -> None:
        super().__init__(inner)
        self.on_query: Callable[[], None] | None = None
        self.on_fetch: Callable[[], None] | None = None
        self.edit: Edit | None = None
        self.edit_fetch: Edit | None = None
        self.keep: Callable[[Sequence[ProtectedPoint]], Sequence[ProtectedPoint]] | None = None
        self.asked: list[tuple[Namespace, Expr | None]] = []

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        super().insert(namespace=namespace, points=points if self.keep is None else self.keep(points))

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        found = super().fetch(namespace=namespace, ids=ids, with_vectors=with_vectors)
        if self.on_fetch is not None:
            self.on_fetch()
        return found if self.edit_fetch is None else self.edit_fetch(found)

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
        self.asked.append((namespace, where))
        found = super().query(
            namespace=namespace, vector=vector, where=where, limit=limit, exclude=exclude, terms=terms
        )
        if self.on_query is not None:
            self.on_query()
        return found if self.edit is None else self.edit(found)


class Time:
    """A clock of its own that starts now and is moved by hand."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        return time_ns() // 1_000_000 + self._ahead

    def forward(self, ms: int) -> None:
        self._ahead += ms


@dataclass(frozen=True)
class Stage(attack.Stage):
    """The shipped suite's stage, with a clock to move and an audit log to look at."""

    trap: Trap
    time: Time
    engine: str
    key_file: Path
    acme_name: str = "acme"

    @property
    def home(self) -> Path:
        return self.store.home

    def pair(self, *, retention: str | None = RETENTION) -> Pair:
        """A new collection of the same name in both tenants."""
        made = super().pair(retention=retention)
        return Pair(self, made.acme, made.globex, made.name)

    def audit(self, limit: int = 1) -> list[dict[str, Any]]:
        """The newest audit records, oldest first, each reduced to what securevec says of it, plus its action."""
        runtime = self.store.runtime
        records = read_tail(self.home / "audit", log_id=runtime.installation_id, limit=limit)
        return [own_part(cast("dict[str, Any]", record)) for record in records]


@dataclass(frozen=True)
class Pair(attack.Pair):
    """One collection of each tenant."""

    stage: Stage

    def fill(self, count: int = 8) -> Pair:
        super().fill(count)
        return self


def own_part(record: Mapping[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = dict(record["unmapped"]["securevec"])
    return {**own, "action": record["metadata"]["event_code"]}


@contextmanager
def open_stage(
    directory: Path,
    engine: str,
    *,
    policy: PolicyEngine | None = None,
    embedder: Embedder | None = None,
    detector: Detector | None = None,
) -> Generator[Stage]:
    """A home under ``directory``. ``server`` is Qdrant's server adapter on its client's local mode, ``chroma-server``
    Chroma's on a server that is started for it."""
    key_file = directory / "keys" / "root.key"
    moment = Time()
    store = sv.SecureStore.open(
        directory / "home",
        backend=engine if engine in ("edge", "chroma") else "memory",
        key_file=key_file,
        embedder=embedder or HashEmbedder(),
        policy=policy,
        clock=Clock(moment),
    )
    if detector is not None:
        given = detector
        store.runtime.detector = lambda: given
    with contextlib.ExitStack() as stack:
        opener = local_server if engine == "server" else None
        if engine == "chroma-server":
            address, _ = stack.enter_context(chroma_server(directory / "files"))
            opener = partial(chroma_at, address)
        stack.enter_context(store)
        trap = trap_engine(store, opener)
        yield Stage(
            store=store,
            trap=trap,
            acme=store.tenant("acme", create=True, actor=ACME),
            globex=store.tenant("globex", create=True, actor=GLOBEX),
            time=moment,
            engine=engine,
            key_file=key_file,
        )


def trap_engine(store: sv.SecureStore, opener: Callable[[], VectorBackend] | None = None) -> Trap:
    """Put a trap between the store and its engine, which is opened now."""
    engine = store.runtime.engine
    trap = Trap((opener or engine._opener)())
    engine._opener = lambda: trap
    assert engine.backend() is trap
    return trap


class OneAtATime:
    """The client's local mode has no lock of its own: a reader beside a writer stumbles there, and not at a server."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value

        def called(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                return value(*arguments, **options)

        return called


def local_server() -> VectorBackend:
    from qdrant_client import QdrantClient

    from securevec_qdrant.server import QdrantServerBackend

    client: Any = OneAtATime(QdrantClient(":memory:"))
    return QdrantServerBackend(client=client)


def chroma_at(address: str) -> VectorBackend:
    from securevec_chroma.server import ChromaServerBackend

    return ChromaServerBackend(address)


def texts_of(hits: sv.SearchResult[Ticket]) -> str:
    """Everything a caller can read of a result."""
    return " ".join(f"{hit.text} {hit.record.body} {hit.record.customer}" for hit in hits) + hits.context()


def memory_of(stage: Stage) -> InMemoryBackend:
    assert isinstance(stage.trap.inner, InMemoryBackend)
    return stage.trap.inner


def without_counting_each_point_once(patch: pytest.MonkeyPatch) -> None:
    """What a store shows twice is looked at twice."""

    def as_often_as_shown(shown: Shown) -> list[StoredPoint]:
        return [point for _, points in shown.lists for point in points]

    patch.setattr(Shown, "points", property(as_often_as_shown))
