"""A home with two tenants, on the backends that need no model: the journeys are the same whatever embeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.world import World, open_world


@pytest.fixture(params=["memory", "edge", "chroma"])
def backend_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path, backend_name: str) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend=backend_name, key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)
