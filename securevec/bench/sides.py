"""The sides of the comparison, from the vendor's own client up to the product. Each row adds one control to the row
before it, and each is made of the parts that run in the product; what the product always does is left out here only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, cast, runtime_checkable
from uuid import UUID

import numpy as np

from securevec import search as journey
from securevec.audit import AuditRef, Event, Succession
from securevec.audit.checkpoint import Signer
from securevec.backend import BuildsIndexes, CollectionSpec, VectorBackend
from securevec.bench import RAW
from securevec.bench.data import Case, Corpus, Row
from securevec.embed import Embedder, ModelIdentity
from securevec.errors import ConfigError, MissingExtra, UsageError
from securevec.policy import Actor
from securevec.reading.hits import record_of
from securevec.reading.opening import open_body
from securevec.state.runtime import AuditSink, CollectionScope, Runtime
from securevec.store import SecureStore
from securevec.store.collection import Collection
from securevec.types import AnonymizedText, Matrix, Namespace, ProtectedPoint, Scalar

PRODUCT: Final = "audit, waited"
"""The row that is the product."""
SCAN: Final = "vendor, scan"
"""The row of a vendor's client that is not told to build a vector index, where the product has built one."""


class RawStore(Protocol):
    """What such a module holds, as the class ``RawStore``."""

    def insert(self, ids: Sequence[UUID], vectors: Matrix, payloads: Sequence[Mapping[str, str | int]]) -> None: ...

    def search(self, vector: Matrix, k: int) -> list[str]: ...

    def close(self) -> None: ...


@runtime_checkable
class Indexed(Protocol):
    """A raw store that has a vector index only when it is told to build one."""

    def index(self, breadth: int) -> None: ...

    def scan(self, vector: Matrix, k: int) -> list[str]:
        """As :meth:`RawStore.search`, without the index."""
        ...


def raw_module(backend: str) -> Any:
    """The module. Raises :class:`ConfigError` for a backend without one and :class:`MissingExtra`."""
    if backend not in RAW:
        raise ConfigError(f"There is a comparison for {' and '.join(sorted(RAW))} only.")
    try:
        return importlib.import_module(RAW[backend])
    except ImportError as error:
        raise MissingExtra("The vendor's client", extra=backend) from error


@dataclass(frozen=True, slots=True)
class Side:
    """One way to answer question ``number``: the ids of the nearest records, best first."""

    name: str
    says: str
    search: Callable[[int], list[str]]


class Prepared:
    """Stands where a model would: :attr:`next` is the vector of whatever is embedded."""

    max_tokens = 100_000

    def __init__(self, dimension: int) -> None:
        self.identity = ModelIdentity("prepared", "1", "0" * 64, dimension)
        self.next: Matrix = np.zeros((1, dimension), dtype=np.float32)

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        return np.repeat(self.next.reshape(1, -1), len(texts), axis=0)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        return [(0, len(text))]


class _Unrecorded:
    """An audit log that keeps nothing, to see what recording costs."""

    writer_id = "none"

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        return AuditRef("none", 0)

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession:
        raise UsageError("A log that keeps nothing holds no exchange of keys.")

    def checkpoint(self) -> None:
        return None

    def close(self) -> None:
        return None


class _Unwaited:
    """The real log, without waiting for the disk: a crash would lose the newest records."""

    def __init__(self, sink: AuditSink) -> None:
        self._sink = sink

    @property
    def writer_id(self) -> str:
        return self._sink.writer_id

    def record(self, event: Event, *, wait: bool = True) -> AuditRef:
        return self._sink.record(event, wait=False)

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession:
        return self._sink.exchange_key(new, compromised=compromised)

    def checkpoint(self) -> None:
        self._sink.checkpoint()

    def close(self) -> None:
        return None


class Adapter:
    """The store's adapter alone, with the fields in clear: what the namespace and its checks cost."""

    def __init__(self, backend: VectorBackend, dimension: int) -> None:
        self._backend = backend
        self._place = Namespace("a" * 32, "b" * 32, "c" * 32)
        backend.ensure(namespace=self._place, spec=CollectionSpec(dimension, filter_keys={"status": "keyword"}))

    def insert(self, ids: Sequence[UUID], vectors: Matrix, payloads: Sequence[Row]) -> None:
        tags: dict[str, Scalar] = {"t": self._place.tenant_tag, "c": self._place.collection_tag}
        self._backend.insert(
            namespace=self._place,
            points=[
                ProtectedPoint(point, vector, {**tags, **body})
                for point, vector, body in zip(ids, vectors, payloads, strict=True)
            ],
        )

    def search(self, vector: Matrix, k: int) -> list[str]:
        found = self._backend.query(namespace=self._place, vector=vector, where=None, limit=k)
        return [str(point.payload["id"]) for point in found]

    def finish_indexes(self) -> None:
        if isinstance(self._backend, BuildsIndexes):
            self._backend.finish_indexes()

    def close(self) -> None:
        self._backend.close()


def sides(
    raw: RawStore,
    adapter: Adapter | None,
    cases: Collection[Case],
    runtime: Runtime,
    corpus: Corpus,
    k: int,
    *,
    indexed: bool = False,
) -> list[Side]:
    """The rows without an embedder. Without ``adapter`` only the vendor's client and the product.

    ``indexed``: the vendor was told to build the vector index that the product builds; it is asked without one too.
    """
    questions = corpus.questions
    scope = cases._scope

    def product(number: int) -> list[str]:
        return _ids(cases.search(vector=questions[number], k=k))

    first = Side("vendor", "the vendor's client, fields in clear", lambda number: raw.search(questions[number], k))
    last = Side(PRODUCT, "and an answer waits for its audit record: the product", product)
    scans = [_scan(raw, questions, k)] if indexed and isinstance(raw, Indexed) else []
    if adapter is None:
        return [first, *scans, last]
    prepared = Prepared(questions.shape[1])
    reading = replace(scope, embedder=cast("Embedder", prepared))

    def text(number: int) -> list[str]:
        prepared.next = questions[number]
        return _ids(journey.search(runtime, reading, corpus.texts[number], record_class=Case, k=k))

    return [
        first,
        *scans,
        Side("namespace", "a place of its own, checked", lambda number: adapter.search(questions[number], k)),
        Side("sealing", "and sealed, each hit opened", lambda number: _opened(runtime, scope, questions[number], k)),
        Side(
            "re-check",
            "and fence, policy, manifest, expiry, place and keys judged",
            lambda number: _searched(runtime, _Unrecorded(), scope, questions[number], k),
        ),
        Side(
            "audit, async",
            "and an audit record, not waited for",
            lambda number: _searched(runtime, _Unwaited(runtime.audit), scope, questions[number], k),
        ),
        last,
        Side("anonymized query", "and the question anonymized (its vector given)", text),
    ]


def embedding_sides(
    raw: RawStore, cases: Collection[Case], runtime: Runtime, corpus: Corpus, embedder: Embedder, k: int
) -> list[Side]:
    """The vendor's client and the product, each with the model in front of it."""
    scope = replace(cases._scope, embedder=embedder)
    keys = scope.tenant_keys(runtime)
    clean = [scope.anonymizer.query(text, keys=keys, known=lambda tokens: {})[0] for text in corpus.texts]

    def embedded(number: int) -> list[str]:
        return raw.search(embedder.embed([clean[number]])[0], k)

    def product(number: int) -> list[str]:
        return _ids(journey.search(runtime, scope, corpus.texts[number], record_class=Case, k=k))

    return [
        Side("vendor + model", "the vendor's client behind the model", embedded),
        Side("product + model", "the product behind the same model", product),
    ]


def _scan(raw: Indexed, questions: Matrix, k: int) -> Side:
    says = "the vendor's client as it comes: the engine builds no vector index by itself"
    return Side(SCAN, says, lambda number: raw.scan(questions[number], k))


def _ids(hits: Sequence[Any]) -> list[str]:
    return [str(hit.id) for hit in hits]


def _opened(runtime: Runtime, scope: CollectionScope, vector: Matrix, k: int) -> list[str]:
    points = runtime.backend().query(
        namespace=scope.namespace, vector=vector, where=None, limit=k, exclude=("v",) if scope.vault else ()
    )
    keys = runtime.keys.view()
    bodies = [open_body(keys, scope, point) for point in points]
    return [str(record_of(scope, body, Case).id) for body in bodies]


def _searched(runtime: Runtime, sink: AuditSink, scope: CollectionScope, vector: Matrix, k: int) -> list[str]:
    return _ids(journey.search(replace(runtime, audit=sink), scope, None, record_class=Case, k=k, vector=vector))


def open_cases(store: SecureStore) -> Collection[Case]:
    return store.tenant("bench", create=True, actor=Actor("svc:bench")).collection(Case, retention="365d")


def open_store(directory: Path, backend: str, dimension: int, *, open_shards: int | None = None) -> SecureStore:
    return SecureStore.open(
        directory / "home",
        backend=backend,
        key_file=directory / "root.key",
        embedder=cast("Embedder", Prepared(dimension)),
        open_shards=open_shards,
    )
