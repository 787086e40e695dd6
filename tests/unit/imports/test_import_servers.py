"""A whole import out of a Chroma server over HTTP, into Edge: read only, every point stored or listed."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.chroma_server import chroma_server

OPTIONS = sv.ImportOptions("notes", "document", tenant_field="tenant")
POINTS: list[tuple[str, dict[str, str]]] = [
    (f"n{n}", {"text": f"case {n}", "tenant": "acme" if n % 3 else "globex"}) for n in range(250)
]


def _held(client: Any) -> list[tuple[Any, ...]]:
    found = client.get_collection("notes", embedding_function=None).get(include=["documents", "metadatas"])
    return sorted(zip(found["ids"], found["documents"], map(repr, found["metadatas"]), strict=True))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_collection_of_a_chroma_server_is_carried_over_page_by_page(tmp_path: Path) -> None:
    import chromadb
    from chromadb.config import Settings

    with chroma_server(tmp_path / "server") as (address, _):
        port = int(address.rpartition(":")[2])
        client: Any = chromadb.HttpClient("127.0.0.1", port, settings=Settings(anonymized_telemetry=False))
        made: Any = client.create_collection("notes", embedding_function=None)
        made.add(
            ids=[key for key, _ in POINTS],
            embeddings=[[0.6, 0.8]] * len(POINTS),
            documents=[body["text"] for _, body in POINTS],
            metadatas=[{"tenant": body["tenant"]} for _, body in POINTS],
        )
        made.add(ids=["lost"], embeddings=[[0.6, 0.8]], documents=["no one's"])
        before = _held(client)
        with sv.SecureStore.open(
            tmp_path / "home", backend="edge", key_file=tmp_path / "keys" / "k", embedder=HashEmbedder()
        ) as store:
            report = store.import_from(address, to="notes", options=OPTIONS, create_tenants=True)
            report.raise_if_incomplete()
            assert (report.points, report.stored) == (251, 250)
            assert [(each.key, each.error) for each in report.refused] == [("lost", "UnscopedPoint")]
            for tenant in ("acme", "globex"):
                store.tenant(tenant).existing_collection("notes").verify().raise_if_wrong()
            again = store.import_from(address, to="notes", options=OPTIONS)
            assert (again.new, again.unchanged) == (0, 250)
        assert _held(client) == before
        assert [each.name for each in client.list_collections()] == ["notes"]
        client.close()
        del client, made
        gc.collect()  # the vendor's client leaves its connections to the collector
