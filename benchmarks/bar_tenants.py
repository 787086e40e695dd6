"""Ten thousand tenants on Edge, 20 points each, asked at random: what a search, a cold open and the memory cost.

    python benchmarks/bar_tenants.py [--tenants 10000] [--searches 1000] [--open-shards 128] [--json FILE]

Two homes in one process, one with 10 tenants and one with all of them, asked turn by turn through the public API, so
that whatever else the machine does meets both alike. Each turn takes a tenant at random: its first search opens its
shard (cold, where it was closed), the next ones find it open. Memory is read while the shards come and go. Making the
tenants takes most of the time. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from result import RESULTS, about, report, write

from securevec.bench.data import Case, Corpus, corpus
from securevec.bench.memory import resident_now
from securevec.bench.sides import open_store
from securevec.policy import Actor
from securevec.store import SecureStore
from securevec.store.collection import Collection
from securevec_qdrant.edge import OPEN_SHARDS, EdgeBackend

POINTS = 20
FEW = 10
BARS = {"open_ratio": 1.2, "cold_p50_ms": 25.0, "memory_ratio": 1.1}
_DIMENSION = 384
_MAKERS = 8
_ACTOR = Actor("svc:bench")


def tenants(count: int, searches: int, open_shards: int, directory: Path, *, say: bool = True) -> dict[str, Any]:
    """Make both homes and ask them. The figures, with what the pool held open at most."""
    data = corpus(POINTS, 50, _DIMENSION)
    begun = time.perf_counter()
    with (
        open_store(directory / "few", "edge", _DIMENSION) as few,
        open_store(directory / "many", "edge", _DIMENSION, open_shards=open_shards) as many,
    ):
        _make(few, FEW, data, say=False)
        _make(many, count, data, say=say)
        made = time.perf_counter() - begun
        figures = _ask(few, many, count, searches, open_shards, data)
    return {"tenants": count, "points": POINTS, "made_s": made, "made_ms_each": made * 1000 / count, **figures}


def _make(store: SecureStore, count: int, data: Corpus, *, say: bool) -> None:
    def one(number: int) -> None:
        handle = _cases(store, number, create=True)
        handle.ingest(data.records(0, POINTS), vectors=data.vectors, vectors_of="anonymized_text")
        if say and number % 500 == 499:
            print(f"{number + 1} tenants", flush=True)

    store.runtime.backend()
    with ThreadPoolExecutor(_MAKERS) as pool:
        for done in pool.map(one, range(count)):
            assert done is None


def _cases(store: SecureStore, number: int, *, create: bool = False) -> Collection[Case]:
    return store.tenant(f"tenant {number}", create=create, actor=_ACTOR).collection(Case, retention="365d")


def _ask(
    few: SecureStore, many: SecureStore, count: int, searches: int, open_shards: int, data: Corpus
) -> dict[str, Any]:
    draw = random.Random(7)  # which tenant is asked next
    engine = many.runtime.backend()
    assert isinstance(engine, EdgeBackend)
    small = [_cases(few, number) for number in range(FEW)]
    for handle in small:
        handle.search(vector=data.questions[0], k=10)
    handles = [_cases(many, number) for number in draw.sample(range(count), min(count, searches))]
    cold: list[float] = []
    of_few: list[float] = []
    of_many: list[float] = []
    memory: list[int] = []
    most_open = 0
    for turn in range(searches):
        handle = draw.choice(handles)
        other = draw.choice(small)
        question = data.questions[turn % len(data.questions)]
        was_open = engine.is_open(handle._scope.namespace)
        first = _timed(handle, question)
        if not was_open:
            cold.append(first)
        for _ in range(2):
            of_few.append(_timed(other, question))
            of_many.append(_timed(handle, question))
        most_open = max(most_open, engine.open_shards)
        memory.append(resident_now())
    half = len(memory) // 2
    return {
        "open_shards": open_shards,
        "open_shards_at_most": most_open,
        "searches": searches,
        "cold_searches": len(cold),
        "cold_p50_ms": median(cold),
        "open_p50_ms": median(of_many),
        "open_p50_ms_of_10": median(of_few),
        "open_ratio": median(of_many) / median(of_few),
        "resident_mib": max(memory) / 2**20,
        "memory_ratio": max(memory[half:]) / max(memory[:half]),
    }


def _timed(handle: Collection[Case], question: Any) -> float:
    started = time.perf_counter()
    hits = handle.search(vector=question, k=10)
    took = (time.perf_counter() - started) * 1000
    assert len(hits) == 10
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--open-shards", type=int, default=OPEN_SHARDS)
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument("--json", type=Path, default=RESULTS / "tenants.json")
    options = parser.parse_args()
    made = about(f"bar_tenants.py --tenants {options.tenants} --searches {options.searches}", "qdrant-edge-py")
    with tempfile.TemporaryDirectory() as name:
        figures = tenants(options.tenants, options.searches, options.open_shards, Path(name))
    write(options.json, made | {"figures": figures, "bars": BARS})
    print(json.dumps(figures, indent=1))
    return report({name: (figures[name], most) for name, most in BARS.items()})


if __name__ == "__main__":
    sys.exit(main())
