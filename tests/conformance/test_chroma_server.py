"""The server adapter against a real Chroma server: the one from the wheel, started here on a free port.

One server serves the whole file; each test leaves it without a collection of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.backend import VectorBackend
from securevec.testing.conformance import BackendConformance
from tests.support.chroma_server import chroma_server

server = pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "files") as (address, _):
        yield address


class TestChromaServerBackend(BackendConformance):
    @pytest.fixture(autouse=True)
    def _server(self, url: str) -> Iterator[None]:
        self._url = url
        yield
        cleaner = server.ChromaServerBackend(url)
        for name in cleaner.namespaces():
            cleaner._client.api.delete_collection(name)
        cleaner.close()

    def open(self, root: Path) -> VectorBackend:
        backend: VectorBackend = server.ChromaServerBackend(self._url)
        return backend
