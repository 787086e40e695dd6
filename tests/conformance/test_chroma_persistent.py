"""Chroma in this process keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.testing.conformance import BackendConformance

persistent = pytest.importorskip(
    "securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError
)


class TestChromaPersistentBackend(BackendConformance):
    def open(self, root: Path) -> VectorBackend:
        backend: VectorBackend = persistent.ChromaPersistentBackend(root / "chroma")
        return backend
