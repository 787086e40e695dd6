"""One run: every side on the same data, interleaved, so that what else the machine does meets all of them alike.

Writes alternate in blocks and searches question by question, the order turning each time. Ratios travel between
machines; milliseconds do not.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np

from securevec.backend import BuildsIndexes
from securevec.bench.data import FILTER_KEYS, Case, Corpus, corpus, nearest
from securevec.bench.figures import Figures, IngestRow, SearchRow, ingest_rows, search_rows
from securevec.bench.memory import resident
from securevec.bench.paired import Paired, compare, flush_ms
from securevec.bench.reference import Encode, sentence_transformers
from securevec.bench.sides import (
    PRODUCT,
    SCAN,
    Adapter,
    Indexed,
    RawStore,
    Side,
    embedding_sides,
    open_cases,
    open_store,
    raw_module,
    sides,
)
from securevec.discovery import open_backend
from securevec.embed import MiniLM
from securevec.embed.forward import DIMENSION as MODEL_DIMENSION
from securevec.errors import LimitExceeded, QueryError, UsageError
from securevec.state.runtime import Runtime
from securevec.store import SecureStore
from securevec.store.collection import Collection
from securevec.types import Matrix

_MODEL_QUESTIONS: Final = 60
WARM: Final = 20
"""Searches of each side before the first that counts."""
_BLOCK: Final = 1024
"""Records one side writes before the next side's turn."""
_MODEL_BLOCK: Final = 256
"""The same with the model in front."""
_PACKAGES: Final = ("securevec", "numpy", "cryptography")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """``model_points``: records of the part with the embedder, 0 for none. ``every_row``: also the rows between the
    vendor's client and the product. ``batch``: records the vendor's client writes at once, as an ingest does.
    ``rounds``: how often those two are also asked each question in pairs, in either order; 0 for not at all."""

    backend: str = "edge"
    points: int = 5_000
    dimension: int = 384
    k: int = 10
    questions: int = 200
    model_points: int = 256
    every_row: bool = True
    memory: bool = True
    batch: int = 64
    rounds: int = 0
    vectors: Matrix | None = None
    """Vectors of one's own, shape (n, dimension): ``points`` and ``dimension`` are then theirs."""
    asked_for: Matrix | None = None
    """Questions of one's own; with ``vectors`` and without them, the last vectors are asked for and not stored."""

    def __post_init__(self) -> None:
        if self.points < 2 * self.k or self.k < 1 or self.questions < 1 or self.dimension < 2:
            raise QueryError("A measurement needs k and questions of at least 1, and at least 2k points.")
        if self.points > 1_000_000 or self.questions > 10_000 or self.dimension > 4096:
            raise LimitExceeded("A measurement takes at most 1,000,000 points, 10,000 questions and 4,096 dimensions.")


@dataclass(slots=True)
class _Open:
    raw: RawStore
    adapter: Adapter | None
    store: SecureStore
    cases: Collection[Case]
    runtime: Runtime


@dataclass(slots=True)
class SoFar:
    """What was measured when a run was interrupted."""

    ingest: list[IngestRow] = field(default_factory=list[IngestRow])
    search: list[SearchRow] = field(default_factory=list[SearchRow])
    questions: int = 0

    def document(self) -> dict[str, object]:
        return {"complete": False, **asdict(self)}


def with_own(options: Options) -> Options:
    """The options with points, dimension and questions as the vectors that were given say."""
    if options.vectors is None:
        return options
    vectors, asked = options.vectors, options.asked_for
    if asked is None:
        held_out = min(options.questions + WARM, len(vectors) // 5)
        vectors, asked = vectors[: len(vectors) - held_out], vectors[len(vectors) - held_out :]
    if not len(asked) or asked.shape[1] != vectors.shape[1]:
        raise QueryError("Questions and vectors must have one dimension, and there must be some of both.")
    points = min(options.points, len(vectors))
    return replace(options, vectors=vectors, asked_for=asked, points=points, dimension=vectors.shape[1])


def measure(
    options: Options, *, say: Say = lambda line: None, below: Path | None = None, so_far: SoFar | None = None
) -> Figures:
    """Run it in a temporary directory (under ``below``), which is removed. ``so_far`` holds what was measured when an
    interrupt ends it. Raises :class:`ConfigError`, :class:`MissingExtra`, and what a store raises."""
    vendor = raw_module(options.backend)
    options, so_far = with_own(options), so_far or SoFar()
    data = corpus(
        options.points,
        options.questions + WARM,
        options.dimension,
        vectors=options.vectors,
        asked_for=options.asked_for,
    )
    try:
        directory = Path(tempfile.mkdtemp(prefix="securevec-bench-", dir=below))
    except OSError as error:
        raise UsageError(
            "The stores' directory cannot be made.", next_step="Name one where you may write: --work."
        ) from error
    try:
        opened = _open(options, vendor, directory, create=True)
        try:
            say(f"Writing {options.points:,} records on each side")
            ingest = _ingest(options, data, opened, so_far)
            breadth = _index(opened, say)
        finally:
            _close(opened)
        # Before anything is searched, so that the records of those searches are not counted.
        disk = {
            "vendor": _allocated(directory / "vendor"),
            "engine": _allocated(directory / "home" / "engine"),
            "home": _allocated(directory / "home"),
        }
        opened = _open(options, vendor, directory, create=False)
        try:
            say(f"Asking {options.questions:,} questions on each side")
            rows = sides(
                opened.raw,
                opened.adapter,
                opened.cases,
                opened.runtime,
                data,
                options.k,
                indexed=breadth is not None,
            )
            flush_ms, search = _search(data, rows, options, directory, exact=True, so_far=so_far)
            paired: Paired | None = None
            paired_scan: Paired | None = None
            if options.rounds:
                say(f"Asking them in pairs, {options.rounds} rounds in either order")
                product = next(row for row in rows if row.name == PRODUCT)
                questions = range(WARM, len(data.questions))
                paired = compare(rows[0].search, product.search, questions, options.rounds, directory)
                for scan in (row for row in rows if row.name == SCAN):
                    paired_scan = compare(scan.search, product.search, questions, options.rounds, directory)
            model_search: list[SearchRow] = []
            model_ingest: list[IngestRow] = []
            if options.model_points and options.dimension == MODEL_DIMENSION:
                say(f"Embedding {options.model_points:,} records on each side")
                model_search, model_ingest = _with_model(options, vendor, data, opened, directory)
        finally:
            _close(opened)
        memory: dict[str, int] = {}
        if options.memory:
            say("Opening each side in a process of its own")
            memory = {
                side: resident(side, directory, options.backend, options.dimension) for side in ("vendor", "securevec")
            }
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return Figures(
        backend=options.backend,
        points=options.points,
        dimension=options.dimension,
        k=options.k,
        questions=options.questions,
        flush_p50_ms=flush_ms,
        search=search,
        paired=paired,
        paired_scan=paired_scan,
        breadth=breadth,
        ingest=ingest,
        model_search=model_search,
        model_ingest=model_ingest,
        disk=disk,
        memory=memory,
        machine={
            "cpus": os.cpu_count() or 0,
            "architecture": platform.machine(),
            "system": platform.system(),
            "load": round(os.getloadavg()[0], 1),
        },
        versions={"python": platform.python_version()}
        | {package: version(package) for package in (*_PACKAGES, vendor.PACKAGE)},
    )


def _open(options: Options, vendor: Any, directory: Path, *, create: bool) -> _Open:
    store = open_store(directory, options.backend, options.dimension)
    adapter = None
    if options.every_row:
        adapter = Adapter(open_backend(options.backend, home=directory / "adapter"), options.dimension)
    if create:
        raw = vendor.RawStore.create(directory / "vendor", options.dimension, FILTER_KEYS)
    else:
        raw = vendor.RawStore.open(directory / "vendor", options.dimension)
    return _Open(raw, adapter, store, open_cases(store), store.runtime)


def _close(opened: _Open) -> None:
    opened.raw.close()
    if opened.adapter is not None:
        opened.adapter.close()
    opened.store.close()


def _ingest(options: Options, data: Corpus, opened: _Open, so_far: SoFar) -> list[IngestRow]:
    """Vectors are given, so that no model is timed."""

    def write(target: RawStore | Adapter, start: int, end: int) -> None:
        for first in range(start, end, options.batch):
            last = min(first + options.batch, end)
            target.insert([uuid4() for _ in range(first, last)], data.vectors[first:last], data.rows[first:last])

    def protect(start: int, end: int) -> None:
        records = data.records(start, end)
        opened.cases.ingest(records, vectors=data.vectors[start:end], vectors_of="anonymized_text")

    named: list[tuple[str, str]] = [("vendor", "the vendor's client, fields in clear")]
    works: list[Callable[[int, int], None]] = [lambda start, end: write(opened.raw, start, end)]
    adapter = opened.adapter
    if adapter is not None:
        named.append(("namespace", "a place of its own, what is there looked for"))
        works.append(lambda start, end: write(adapter, start, end))
    named.append(("product", "detected, replaced, sealed, recorded, read back"))
    works.append(protect)
    seconds = [0.0] * len(works)
    for turn, start in enumerate(range(0, options.points, _BLOCK)):
        end = min(start + _BLOCK, options.points)
        for at in _turned(len(works), turn):
            began = time.perf_counter()
            works[at](start, end)
            seconds[at] += time.perf_counter() - began
        # Sides have written the same only between two blocks.
        so_far.ingest = ingest_rows(named, seconds, end)
    return so_far.ingest


def _index(opened: _Open, say: Say) -> int | None:
    """Wait for the vector indexes the product builds, and have the vendor's client build the same. How broadly they are
    looked through, as :meth:`BuildsIndexes.index_breadth` says."""
    backend = opened.runtime.backend()
    if not isinstance(backend, BuildsIndexes):
        return None
    say("Waiting for vector indexes")
    backend.finish_indexes()
    breadth = backend.index_breadth(namespace=opened.cases._scope.namespace)
    if opened.adapter is not None:
        opened.adapter.finish_indexes()
    if breadth is not None and isinstance(opened.raw, Indexed):
        opened.raw.index(breadth)
    return breadth


def _search(
    data: Corpus,
    asked: Sequence[Side],
    options: Options,
    directory: Path,
    *,
    exact: bool,
    so_far: SoFar | None = None,
) -> tuple[float, list[SearchRow]]:
    """Median of the flushes between the questions, and the rows. ``exact``: compare with the exact answers too.
    ``so_far`` gets the rows of what was asked when an interrupt ends it."""
    times: list[list[float]] = [[] for _ in asked]
    answers: list[list[list[str]]] = [[] for _ in asked]
    flushes: list[float] = []
    named = [(side.name, side.says) for side in asked]
    try:
        with (directory / "flush").open("ab", buffering=0) as file:
            for number in range(len(data.questions)):
                for at in _turned(len(asked), number):
                    began = time.perf_counter()
                    answer = asked[at].search(number)
                    if number >= WARM:
                        times[at].append((time.perf_counter() - began) * 1000)
                        answers[at].append(answer)
                flushes.append(flush_ms(file.fileno()))
    except KeyboardInterrupt:
        done = min(map(len, answers))
        if so_far is not None and done:
            so_far.search = search_rows(
                named, [each[:done] for each in times], [each[:done] for each in answers], exact=None
            )
            so_far.questions = done
        raise
    best = [[f"case-{at}" for at in nearest(data.vectors, question, options.k)] for question in data.questions[WARM:]]
    return float(np.median(flushes)), search_rows(named, times, answers, best if exact else None)


def _with_model(
    options: Options, vendor: Any, data: Corpus, opened: _Open, directory: Path
) -> tuple[list[SearchRow], list[IngestRow]]:
    """The same with the model in front: fewer records, because a record takes some 10 ms to embed. Records are written
    with the vendor's client beside them, behind this model and behind the library that others run it with."""
    embedder, reference = MiniLM(), sentence_transformers()
    embedder.warm()  # loading it is no part of either side
    count = min(options.model_points, options.points)
    scope = opened.cases._scope
    fewer = min(options.questions, _MODEL_QUESTIONS) + WARM
    part = replace(data, questions=data.questions[:fewer], texts=data.texts[:fewer])
    asked = embedding_sides(opened.raw, opened.cases, opened.runtime, part, embedder, options.k)
    _, search = _search(part, asked, options, directory, exact=False)
    keys = scope.tenant_keys(opened.runtime)
    clean = [
        scope.anonymizer.query(str(row["body"]), keys=keys, known=lambda tokens: {})[0] for row in data.rows[:count]
    ]
    raw: list[tuple[str, Encode]] = [("vendor + model", embedder.embed)]
    if reference is not None:
        raw.append(("vendor + sentence-transformers", reference))
    for _, encode in raw:
        encode(clean[: options.batch])  # whoever came first would pay for the first long batch
    seconds = [0.0] * (len(raw) + 1)
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(vendor.RawStore.create(directory / name, options.dimension, FILTER_KEYS)))
            for name, _ in raw
        ]
        store = stack.enter_context(
            SecureStore.open(
                directory / "home-model", backend=options.backend, key_file=directory / "model.key", embedder=embedder
            )
        )
        cases = open_cases(store)
        for turn, start in enumerate(range(0, count, _MODEL_BLOCK)):
            end = min(start + _MODEL_BLOCK, count)
            for at in _turned(len(seconds), turn):
                began = time.perf_counter()
                if at < len(raw):
                    for first in range(start, end, options.batch):
                        last = min(first + options.batch, end)
                        ids = [uuid4() for _ in range(first, last)]
                        stores[at].insert(ids, raw[at][1](clean[first:last]), data.rows[first:last])
                else:
                    cases.ingest(data.records(start, end))
                seconds[at] += time.perf_counter() - began
    named = [(name, "embedded and written") for name, _ in raw]
    return search, ingest_rows([*named, ("product + model", "protected, embedded and written")], seconds, count)


def _turned(count: int, turn: int) -> list[int]:
    """0 to count - 1, beginning further on each turn."""
    return [(turn + at) % count for at in range(count)]


def _allocated(directory: Path) -> int:
    """Bytes of disk blocks below a directory."""
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*") if not path.is_dir())
