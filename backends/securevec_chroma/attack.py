"""What Chroma by itself allows: the attempts of ``securevec attack`` with the vendor's client, on files of their own
or on the server under attack. All rows lie in one collection, kept apart by the metadata key ``t``.

Every method returns whether Chroma allowed it and what came of it. On a server, collections are named
``securevec-attack-...``, are made anew for each attempt, and are removed at the end.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from securevec_adapters.attacked import AttemptsOnFiles, Payloads, Row, Seen, as_list
from securevec_chroma.client import Client, open_files
from securevec_chroma.server import ChromaServerBackend

if TYPE_CHECKING:
    from securevec.backend import VectorBackend

_PATH = ("not-a-tenant", "not-a-database")


class ServerAlone(AttemptsOnFiles):
    """The vendor's client: the server's own connection, or files under ``directory``."""

    absent: Mapping[str, str] = {
        "query_by_id": "queries take vectors only",
        "lookup_from": "there is no such call",
        "group_lookup": "there is no such call",
        "prefetch_leaf": "there is no such call",
        "facet": "there is no such call",
        "snapshot": "there is no such call",
        "alias": "there are no aliases",
        "shard_key": "there are no shard keys",
        "shared_statistics": "there is no sparse search on this server",
        "json_path": "metadata is flat; a dot is part of a name",
        "raw_client": "a client is the caller's own",
    }

    def __init__(self, backend: VectorBackend, directory: Path) -> None:
        self._directory = directory
        self._on_server = isinstance(backend, ChromaServerBackend)
        self._client: Client | None = backend._client if isinstance(backend, ChromaServerBackend) else None
        self._made: list[str] = []
        if self._on_server:
            hidden = "the server's files are not on this machine"
            self.absent = {**self.absent, "files_in_clear": hidden, "deleted_on_disk": hidden}
        else:
            nowhere = "in process there is no server to ask in another's name"
            self.absent = {**self.absent, "uuid_access": nowhere, "database_switch": nowhere}

    @property
    def _api(self) -> Any:
        if self._client is None:
            self._client = open_files(self._directory)
        return self._client.api

    def _make(self, dimension: int) -> None:
        self._drop()
        name = f"securevec-attack-{secrets.token_hex(6)}"
        self._made.append(name)
        held = self._api.create_collection(name, configuration={"hnsw": {"space": "cosine"}})
        self._id: UUID = held.id
        self._name = name

    def close(self) -> None:
        self._drop()
        if self._client is not None and not self._on_server:
            self._client.close()

    def batch_element(self) -> Seen:
        return self._told(self._query([self._vector(), self._vector()], 12))

    def composed_filter(self) -> Seen:
        return self._told(self._get(where={"$or": [{"t": self._own}, {"t": self._foreign}]}))

    def negated_filter(self) -> Seen:
        return self._told(self._get(where={"absent": {"$ne": "x"}}))

    def listing(self) -> Seen:
        names = [each.name for each in self._api.list_collections()]
        return self._name in names, f"{len(names)} collections listed by name"

    def vectors_out(self) -> Seen:
        asked = {"where": {"t": self._foreign}, "include": ["embeddings"]}
        found = self._api._get(collection_id=self._id, **asked)["embeddings"]
        return len(found) > 0, f"{len(found)} foreign vectors returned"

    def unbounded(self) -> Seen:
        return True, f"a limit of 1,000,000 was taken, {len(self._get(limit=1_000_000))} rows returned"

    def uuid_access(self) -> Seen:
        """By the collection's id, in the name of a tenant and a database that do not exist."""
        return self._told(self._get(**_elsewhere()))

    def database_switch(self) -> Seen:
        fresh = f"{self._name}-renamed"
        self._api._modify(id=self._id, new_name=fresh, **_elsewhere())
        self._made.append(fresh)
        held = [each.name for each in self._api.list_collections()]
        return fresh in held, "a collection renamed in the name of another tenant"

    def empty_selector(self) -> Seen:
        self._api._delete(collection_id=self._id, ids=[])
        left = self._count()
        return left == 0, f"an empty list left {left} rows"

    def retag(self) -> Seen:
        point = self._theirs[0].id.hex
        self._api._update(
            collection_id=self._id,
            ids=[point],
            embeddings=None,
            metadatas=[{"t": self._own}],
            documents=None,
            uris=None,
        )
        return self._serves(self._theirs[0], "t", self._own), "a foreign row moved to the own tenant"

    def upsert_merge(self) -> Seen:
        point = self._mine[0]
        self._put([point], {"note": "old note"})
        self._put([point])
        return "note" in self._by_id(point.id)[0], "an upsert keeps metadata that is no longer given"

    # -- its calls

    def _drop(self) -> None:
        while self._made:
            with contextlib.suppress(Exception):  # renamed, or never made
                self._api.delete_collection(self._made[-1])
            self._made.pop()

    def _put(self, rows: Sequence[Row], changes: Mapping[str, Any] = {}) -> None:  # never changed
        self._api._upsert(
            collection_id=self._id,
            ids=[row.id.hex for row in rows],
            embeddings=[as_list(row) for row in rows],
            metadatas=[{**row.payload, **changes} for row in rows],
        )

    def _by_id(self, point: UUID) -> Payloads:
        return self._get(ids=[point.hex])

    def _where(self, key: str, value: Any) -> Payloads:
        return self._get(where={"$or": [{key: value}, {key: {"$contains": value}}]})

    def _all(self) -> Payloads:
        return self._get()

    def _near(self, limit: int) -> Payloads:
        return self._query([self._vector()], limit)

    def _count(self) -> int:
        return int(self._api._count(collection_id=self._id))

    def _remove(self, point: UUID) -> None:
        self._api._delete(collection_id=self._id, ids=[point.hex])

    def _get(self, **asked: Any) -> Payloads:
        found = self._api._get(collection_id=self._id, include=["metadatas"], **asked)["metadatas"]
        return [row or {} for row in found]

    def _query(self, vectors: Sequence[Sequence[float]], limit: int) -> Payloads:
        asked: Any = {"query_embeddings": vectors, "n_results": limit, "where": None}
        found = self._api._query(collection_id=self._id, **asked)["metadatas"]
        return [row or {} for rows in found for row in rows]

    def _folder(self) -> Path:
        return self._directory


def _elsewhere() -> dict[str, str]:
    return {"tenant": _PATH[0], "database": _PATH[1]}
