"""Stages for the attacks: one shared by a module's tests that leave nothing behind, and one per test for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.attacks import ENGINES, Pair, Stage, open_stage
from tests.support.keybench import Bench, open_bench
from tests.support.models import CountingEmbedder
from tests.support.world import ACME


@pytest.fixture(scope="module", params=[*ENGINES, pytest.param("chroma-server", marks=pytest.mark.soak)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two tenants, on each engine. Tests that write take collections of their own from it."""
    if str(request.param).startswith("chroma"):
        pytest.importorskip("chromadb", reason="needs securevec[chroma]")
    with open_stage(tmp_path_factory.mktemp("stage"), str(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def calm(stage: Stage) -> Pair:
    """One collection of each tenant, eight records of equal ids in both. For attacks that change nothing."""
    return stage.pair().fill()


@pytest.fixture
def pair(stage: Stage) -> Pair:
    """The same, for one test alone."""
    return stage.pair().fill()


@pytest.fixture(scope="module")
def memory_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shared stage for what is decided before any store is asked."""
    with open_stage(tmp_path_factory.mktemp("memory"), "memory") as made:
        yield made


@pytest.fixture(scope="module")
def memory_calm(memory_stage: Stage) -> Pair:
    return memory_stage.pair().fill()


@pytest.fixture
def lone_stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage in memory that a test may suspend, delete or break."""
    with open_stage(tmp_path, "memory") as made:
        yield made


@pytest.fixture
def lone_pair(lone_stage: Stage) -> Pair:
    return lone_stage.pair().fill()


@pytest.fixture(params=["memory", "edge"])
def still_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A stage for one test, on which jobs go on only when the test says so: what hides people is the acceptance of an
    erasure, and not the thread that carries it on a moment later."""
    with open_stage(tmp_path, str(request.param)) as made:
        made.store._caretaker.stop()
        yield made


@pytest.fixture(scope="module")
def unattended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage in memory on which jobs go on only when a test says so."""
    with open_stage(tmp_path_factory.mktemp("unattended"), "memory") as made:
        made.store._caretaker.stop()
        yield made


@pytest.fixture
def own_tenants(unattended: Stage) -> Stage:
    """Two tenants of one test's own, in one home. Jobs that other tests left open are none of theirs."""
    number = next(unattended._numbers)
    names = (f"acme-{number}", f"globex-{number}")
    acme, globex = (unattended.store.tenant(name, create=True, actor=ACME) for name in names)
    return replace(unattended, acme=acme, globex=globex, acme_name=names[0])


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[tuple[Stage, CountingEmbedder]]:
    """A stage in memory, and its embedder, which counts what it is handed."""
    embedder = CountingEmbedder()
    with open_stage(tmp_path, "memory", embedder=embedder) as made:
        yield made, embedder


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path) as made:
        yield made
