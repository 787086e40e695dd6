"""The server adapter against a real server, when ``SECUREVEC_QDRANT_URL`` names one (and ``SECUREVEC_QDRANT_API_KEY``
its key): conformance in each layout, the attacks on two tenants, and a move. ``SECUREVEC_QDRANT_GRPC_PORT`` adds gRPC,
``SECUREVEC_QDRANT_CLUSTER=1`` the layout of shards.

Collections are of a prefix of their own, and removed. Not part of an ordinary run: no server can be had from a package
registry, so an ordinary run cannot start one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, cast

import pytest

import securevec as sv
from securevec.backend import VectorBackend
from securevec.state.placement import placed
from securevec.testing.conformance import HybridBackendConformance
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout
from tests.support.world import ACME, GLOBEX, Ticket, ticket

URL = os.environ.get("SECUREVEC_QDRANT_URL", "")
if not URL:  # asked for by name: an ordinary run leaves this file out (tests/conftest.py)
    raise pytest.UsageError("SECUREVEC_QDRANT_URL names no server.")
server = pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

PREFIX = "conformance"
GRPC = int(os.environ.get("SECUREVEC_QDRANT_GRPC_PORT", "0")) or None
_ALL: tuple[Layout, ...] = ("shared", "collection", "shard")
LAYOUTS = _ALL if os.environ.get("SECUREVEC_QDRANT_CLUSTER") else _ALL[:2]


def swept() -> None:
    """Nothing of an earlier run is left, whichever layout it was of."""
    cleaner = server.QdrantServerBackend(URL, prefix=PREFIX)
    for name in cleaner._spots.everything():
        cleaner._client.delete_collection(name)
    cleaner.close()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    swept()
    yield
    swept()


class _AtServer(HybridBackendConformance):
    layout: ClassVar[Layout] = "shared"
    grpc_port: ClassVar[int | None] = None

    def open(self, root: Path) -> VectorBackend:
        opened = server.QdrantServerBackend(URL, prefix=PREFIX, layout=self.layout, grpc_port=self.grpc_port)
        return cast("VectorBackend", opened)


class TestSharedLayoutAtServer(_AtServer):
    pass


class TestCollectionLayoutAtServer(_AtServer):
    layout = "collection"


if "shard" in LAYOUTS:

    class TestShardLayoutAtServer(_AtServer):
        layout = "shard"


if GRPC is not None:

    class TestSharedLayoutByGrpcAtServer(_AtServer):
        grpc_port = GRPC


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_tenants_reach_their_own_and_move_whole_at_the_server(tmp_path: Path, layout: Layout) -> None:
    """Foreign ids, foreign vectors, deletion by foreign ids, a move there and back, and a tenant's deletion."""
    with sv.SecureStore.open(
        tmp_path / "home", backend=URL, key_file=tmp_path / "keys" / "root.key", embedder=HashEmbedder()
    ) as store:
        control = store.runtime.control
        store.runtime.engine._opener = lambda: placed(
            server.QdrantServerBackend(URL, prefix=PREFIX, layout=layout), control.placement
        )
        acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        globex = store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket)
        acme.ingest([ticket(number, f"brickwork {number}") for number in range(40)])
        globex.ingest([ticket(number, f"lanternfish {number}") for number in range(40)])
        assert all("lanternfish" in hit.text for hit in globex.search("brickwork 7", k=100))
        backend = store.runtime.backend()
        mine, theirs = globex._scope.namespace, acme._scope.namespace
        foreign = [point.id for point in backend.scan(namespace=theirs, where=None, cursor=None, limit=40).points]
        assert backend.fetch(namespace=mine, ids=foreign) == []
        backend.delete(namespace=mine, ids=foreign)
        assert acme.count() == globex.count() == 40
        way: list[Layout] = [*(each for each in LAYOUTS if each != layout), layout]
        for to in way:
            store.promote_tenant("acme", to=to).raise_if_incomplete()
            acme.verify().raise_if_wrong()
            assert {hit.record.id for hit in acme.search("brickwork", k=100)} == {f"T-{each}" for each in range(40)}
            for other in LAYOUTS:
                held = backend.count(namespace=replace(theirs, layout=other))
                assert held == (40 if other == to else 0)
        store.delete_tenant("acme").raise_if_incomplete()
        assert list(backend.namespaces()) == [mine.tenant_tag]
        globex.verify().raise_if_wrong()
