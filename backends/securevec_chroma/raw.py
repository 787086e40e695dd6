"""The vendor's client on files as a careful program would use it without securevec: what ``securevec bench`` compares
with. Explicit vectors and cosine as in the adapter, no adapter code around a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import chromadb
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings
from numpy.typing import NDArray

PACKAGE: Final = "chromadb"


class RawStore:
    """One collection. Chroma indexes every string of the metadata by itself, so ``keys`` need nothing."""

    def __init__(self, client: ClientAPI, collection: Collection) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def create(cls, directory: Path, dimension: int, keys: Sequence[str]) -> RawStore:
        client = _client(directory)
        settings: Any = {"hnsw": {"space": "cosine"}}
        return cls(client, client.create_collection("cases", configuration=settings, embedding_function=None))

    @classmethod
    def open(cls, directory: Path, dimension: int) -> RawStore:
        client = _client(directory)
        return cls(client, client.get_collection("cases", embedding_function=None))

    def insert(self, ids: Sequence[UUID], vectors: NDArray[Any], payloads: Sequence[Mapping[str, str | int]]) -> None:
        self._collection.add(
            ids=[each.hex for each in ids], embeddings=vectors, metadatas=[dict(body) for body in payloads]
        )

    def search(self, vector: NDArray[Any], k: int) -> list[str]:
        """The field ``id`` of the nearest, their metadata read."""
        found = self._collection.query(query_embeddings=[vector], n_results=k, include=["metadatas", "distances"])
        bodies = found["metadatas"]
        return [cast("str", body["id"]) for body in bodies[0]] if bodies else []

    def close(self) -> None:
        cast("Any", self._client).close()


def _client(directory: Path) -> ClientAPI:
    return chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
