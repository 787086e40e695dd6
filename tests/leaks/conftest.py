"""One ingest of the whole help desk corpus, shared by every test that only looks at what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failing_runs import Stage, set_up
from tests.support.helpdesk import all_needles
from tests.support.leaks import Evidence, gather
from tests.support.needles import Needles

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(tmp_path_factory.mktemp("leaks"))


@pytest.fixture(scope="session")
def needles() -> Needles:
    return all_needles()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = set_up(tmp_path_factory.mktemp("failing"))
    yield stage
    stage.store.close()
