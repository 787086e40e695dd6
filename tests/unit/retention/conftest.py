"""Fixtures: a home whose clock the test turns, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hourglass import Hourglass, hourglass


@pytest.fixture(params=["memory", "edge", "chroma"])
def glass(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hourglass]:
    with hourglass(tmp_path, str(request.param)) as made:
        yield made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Hourglass]:
    """Where the store does not matter."""
    with hourglass(tmp_path, "memory") as made:
        yield made
