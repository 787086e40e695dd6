"""The whole suite over the wire: the vendor's real client, REST and gRPC, in every layout, against a stand-in that
answers as the documented API does (``tests/support/qdrant_engine``). No Qdrant server ran here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from securevec.backend import VectorBackend
from securevec.testing.conformance import HybridBackendConformance
from securevec.types import Layout
from tests.support.qdrant_wire import Line, Wire, line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


class _AtStandIn(HybridBackendConformance):
    wire: ClassVar[Wire] = "rest"
    layout: ClassVar[Layout] = "shared"

    @pytest.fixture(autouse=True)
    def _line(self) -> Iterator[None]:
        with line(self.wire) as found:
            self._at: Line = found
            yield

    def open(self, root: Path) -> VectorBackend:
        return self._at.open(self.layout)


class TestShardLayoutByGrpcAtStandIn(_AtStandIn):
    wire = "grpc"
    layout = "shard"


@pytest.mark.soak
class TestSharedLayoutAtStandIn(_AtStandIn):
    pass


@pytest.mark.soak
class TestCollectionLayoutAtStandIn(_AtStandIn):
    layout = "collection"


@pytest.mark.soak
class TestShardLayoutAtStandIn(_AtStandIn):
    layout = "shard"


@pytest.mark.soak
class TestSharedLayoutByGrpcAtStandIn(_AtStandIn):
    wire = "grpc"


@pytest.mark.soak
class TestCollectionLayoutByGrpcAtStandIn(_AtStandIn):
    wire = "grpc"
    layout = "collection"
