"""The server adapter against a real server, when ``SECUREVEC_QDRANT_URL`` names one (and ``SECUREVEC_QDRANT_API_KEY``
its key).

Each test uses collections of its own prefix and removes its points. Not part of an ordinary run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.testing.conformance import BackendConformance
from securevec.testing.conformance_case import a_namespace

URL = os.environ.get("SECUREVEC_QDRANT_URL", "")
if not URL:
    # No server can be had from a package registry, so an ordinary run cannot start one; it is said in the README.
    pytest.skip("SECUREVEC_QDRANT_URL is not set", allow_module_level=True)
server = pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)


class TestServerAdapterOnQdrantServer(BackendConformance):
    def open(self, root: Path) -> VectorBackend:
        backend: VectorBackend = server.QdrantServerBackend(URL, prefix="conformance")
        return backend

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[VectorBackend]:
        used = [a_namespace(name) for name in ("mine", "theirs", *(f"thread {start}" for start in (0, 10, 20, 30)))]
        used.append(a_namespace("mine", "invoices"))
        for moment in ("before", "after"):
            cleaner = self.open(tmp_path)
            for namespace in used:
                cleaner.drop(namespace=namespace)
            cleaner.close()
            if moment == "before":
                opened = self.open(tmp_path)
                yield opened
                opened.close()
