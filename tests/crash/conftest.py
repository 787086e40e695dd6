"""A nursery for each file: the process that bears the children to be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.crash_home import Nursery


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("journals")) as nursery:
        yield nursery
