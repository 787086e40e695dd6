"""A home with two tenants on each backend whose parts run here, and one that is filled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.world import World, open_world, ticket


# Chroma in the long runs: by default the attacks on listings, updates and batches run on it, and the main job.
@pytest.fixture(params=["memory", "edge", pytest.param("chroma", marks=pytest.mark.soak)])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend=str(request.param), key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


@pytest.fixture
def filled(world: World) -> World:
    """Twelve records in one tenant, T-1 to T-12, the odd ones open; one of equal id in the other."""
    world.acme.ingest([ticket(number, f"The refund number {number} never arrived.") for number in range(1, 13)])
    world.globex.ingest([ticket(1, "A refund of globex.")])
    return world
