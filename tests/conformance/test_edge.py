"""The embedded engine keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.testing.conformance import HybridBackendConformance

edge = pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


class TestEdgeBackend(HybridBackendConformance):
    def open(self, root: Path) -> VectorBackend:
        backend: VectorBackend = edge.EdgeBackend(root / "edge")
        return backend
