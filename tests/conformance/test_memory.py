"""The in-memory store keeps the contract it is the oracle of."""

from __future__ import annotations

from pathlib import Path

from securevec.backend import VectorBackend
from securevec.testing.conformance import HybridBackendConformance
from securevec.testing.memory import InMemoryBackend


class TestInMemoryBackend(HybridBackendConformance):
    def open(self, root: Path) -> VectorBackend:
        return InMemoryBackend()
