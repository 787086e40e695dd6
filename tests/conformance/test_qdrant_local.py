"""The server adapter keeps the contract on the client's local mode: the same client API over a reimplementation in
Python.

No server ran here. ``test_qdrant_server.py`` runs the same suite against one when its address is given.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.testing.conformance import HybridBackendConformance

server = pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


class TestServerAdapterOnQdrantLocalMode(HybridBackendConformance):
    def open(self, root: Path) -> VectorBackend:
        from tests.support.qdrant_local import one_at_a_time

        backend: VectorBackend = server.QdrantServerBackend(client=one_at_a_time(root / "local"))
        return backend
