"""A nursery and a place for each file: the process that bears the children to be killed, and where their homes lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crash_home import Nursery, in_memory


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    with in_memory() as ground:
        yield ground


@pytest.fixture(scope="module")
def nursery(ground: Path) -> Iterator[Nursery]:
    journals = ground / "journals"
    journals.mkdir()
    with Nursery(journals) as nursery:
        yield nursery
