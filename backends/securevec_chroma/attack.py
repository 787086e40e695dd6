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
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from securevec_adapters.attacked import Row, Seen
from securevec_chroma.client import Client, open_files
from securevec_chroma.server import ChromaServerBackend

if TYPE_CHECKING:
    from securevec.backend import VectorBackend

_PATH = ("not-a-tenant", "not-a-database")


class ServerAlone:
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
        self._served = isinstance(backend, ChromaServerBackend)
        self._client: Client | None = backend._client if isinstance(backend, ChromaServerBackend) else None
        self._made: list[str] = []
        if self._served:
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

    def load(self, mine: Sequence[Row], theirs: Sequence[Row]) -> None:
        self._remove()
        self._mine, self._theirs = list(mine), list(theirs)
        self._own: str = mine[0].payload["t"]
        self._foreign: str = theirs[0].payload["t"]
        name = f"securevec-attack-{secrets.token_hex(6)}"
        self._made.append(name)
        held = self._api.create_collection(name, configuration={"hnsw": {"space": "cosine"}})
        self._id: UUID = held.id
        self._name = name
        self._put([*mine, *theirs])

    def close(self) -> None:
        self._remove()
        if self._client is not None and not self._served:
            self._client.close()

    # -- reading

    def read_by_id(self) -> Seen:
        return self._rows(self._get(ids=[self._theirs[0].id.hex]))

    def query_by_vector(self) -> Seen:
        return self._rows(self._near(None))

    def batch_element(self) -> Seen:
        found = self._api._query(
            collection_id=self._id, query_embeddings=[self._vector(), self._vector()], n_results=12, where=None
        )
        return self._told([body for bodies in found["metadatas"] for body in bodies])

    def unfiltered_query(self) -> Seen:
        return self._rows(self._near(None))

    def unfiltered_scroll(self) -> Seen:
        return self._rows(self._get())

    def unfiltered_count(self) -> Seen:
        held = self._api._count(collection_id=self._id)
        return held > len(self._mine), f"{held} rows counted, {len(self._mine)} of them own"

    def callers_filter(self) -> Seen:
        return self._rows(self._get(where={"t": self._foreign}))

    def composed_filter(self) -> Seen:
        return self._rows(self._get(where={"$or": [{"t": self._own}, {"t": self._foreign}]}))

    def negated_filter(self) -> Seen:
        return self._rows(self._get(where={"absent": {"$ne": "x"}}))

    def array_tenant(self) -> Seen:
        self._put([self._theirs[0]], {"t": [self._own, self._foreign]})
        found = self._get(where={"t": {"$contains": self._own}})
        return self._theirs[0].id.hex in found["ids"], "a row of two tenants answers both"

    def listing(self) -> Seen:
        names = [each.name for each in self._api.list_collections()]
        return self._name in names, f"{len(names)} collections listed by name"

    def vectors_out(self) -> Seen:
        found = self._get(where={"t": self._foreign}, include=["embeddings"])
        return len(found["embeddings"]) > 0, f"{len(found['embeddings'])} foreign vectors returned"

    def unbounded(self) -> Seen:
        found = self._get(limit=1_000_000)
        return True, f"a limit of 1,000,000 was taken, {len(found['ids'])} rows returned"

    def uuid_access(self) -> Seen:
        """By the collection's id, in the name of a tenant and a database that do not exist."""
        return self._rows(self._api._get(collection_id=self._id, include=["metadatas"], **_elsewhere()))

    def database_switch(self) -> Seen:
        fresh = f"{self._name}-renamed"
        self._api._modify(id=self._id, new_name=fresh, **_elsewhere())
        self._made.append(fresh)
        held = [each.name for each in self._api.list_collections()]
        return fresh in held, "a collection renamed in the name of another tenant"

    # -- writing

    def delete_by_id(self) -> Seen:
        point = self._theirs[0].id.hex
        self._api._delete(collection_id=self._id, ids=[point])
        return not self._get(ids=[point])["ids"], "a foreign row deleted"

    def empty_selector(self) -> Seen:
        self._api._delete(collection_id=self._id, ids=[])
        left = self._api._count(collection_id=self._id)
        return left == 0, f"an empty list left {left} rows"

    def overwrite_by_id(self) -> Seen:
        self._put([self._theirs[0]], {"t": self._own})
        return self._payload(self._theirs[0]).get("t") == self._own, "a foreign row overwritten, its owner changed"

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
        return self._payload(self._theirs[0]).get("t") == self._own, "a foreign row moved to the own tenant"

    def upsert_merge(self) -> Seen:
        point = self._mine[0]
        self._put([point], {"note": "old note"})
        self._put([point])
        return "note" in self._payload(point), "an upsert keeps metadata that is no longer given"

    def list_ghosts(self) -> Seen:
        for tags in (["a", "b"], ["b"]):
            self._put([self._mine[0]], {"tags": tags})
        found = self._get(where={"tags": {"$contains": "a"}})["ids"]
        return bool(found), f"{len(found)} rows found by a list value that was removed"

    # -- rows and files

    def relabelled_row(self) -> Seen:
        return self.retag()

    def copied_row(self) -> Seen:
        point, fresh = self._theirs[0], uuid4()
        self._put([_Copy(fresh, point.vector, {**point.payload, "t": self._own})])
        found = self._get(ids=[fresh.hex])
        return self._body(found) == point.payload["b"], "a copy of a foreign row is served as an own one"

    def swapped(self) -> Seen:
        one, two = self._mine[:2]
        self._put([one], {"b": two.payload["b"]})
        return self._payload(one).get("b") == two.payload["b"], "a row with another row's body is served"

    def rolled_back(self) -> Seen:
        self._put([self._mine[0]], {"b": "new"})
        self._put([self._mine[0]])
        return self._payload(self._mine[0]).get("b") == self._mine[0].payload["b"], "the row of before is served"

    def plaintext(self) -> Seen:
        self._put([self._mine[0]], {"b": "not sealed"})
        return self._payload(self._mine[0]).get("b") == "not sealed", "a body that is not sealed is served"

    def edited_metadata(self) -> Seen:
        self._put([self._mine[0]], {"f_status": "edited"})
        return bool(self._get(where={"f_status": "edited"})["ids"]), "a row is found by an edited value"

    def recreated_tenant(self) -> Seen:
        return self._rows(self._get(where={"t": self._foreign}))

    def text_in_rows(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        return self._payload(self._mine[0]).get("text") == "person1@example.com", "text is kept as it is given"

    def files_in_clear(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        return self._in_files(b"person1@example.com"), "the text is in Chroma's files"

    def deleted_on_disk(self) -> Seen:
        self._put([self._mine[0]], {"text": "person1@example.com"})
        self._api._delete(collection_id=self._id, ids=[self._mine[0].id.hex])
        return self._in_files(b"person1@example.com"), "the text of a deleted row is in Chroma's files"

    # -- parts

    def _remove(self) -> None:
        while self._made:
            with contextlib.suppress(Exception):  # renamed, or never made
                self._api.delete_collection(self._made[-1])
            self._made.pop()

    def _put(self, rows: Sequence[Any], changes: Mapping[str, Any] = {}) -> None:  # never changed
        self._api._upsert(
            collection_id=self._id,
            ids=[row.id.hex for row in rows],
            embeddings=[[float(value) for value in row.vector] for row in rows],
            metadatas=[{**row.payload, **changes} for row in rows],
        )

    def _get(self, include: Sequence[str] = ("metadatas",), **arguments: Any) -> Any:
        return self._api._get(collection_id=self._id, include=list(include), **arguments)

    def _near(self, where: Any) -> Any:
        found = self._api._query(collection_id=self._id, query_embeddings=[self._vector()], n_results=12, where=where)
        return {"metadatas": found["metadatas"][0]}

    def _vector(self) -> list[float]:
        return [float(value) for value in self._theirs[0].vector]

    def _rows(self, found: Any) -> Seen:
        return self._told(found["metadatas"])

    def _told(self, bodies: Sequence[Any]) -> Seen:
        told = sum((body or {}).get("t") == self._foreign for body in bodies)
        return bool(told), f"{told} foreign rows returned"

    def _payload(self, row: Row) -> Mapping[str, Any]:
        found = self._get(ids=[row.id.hex])["metadatas"]
        return cast("Mapping[str, Any]", found[0]) if found else {}

    def _body(self, found: Any) -> object:
        return found["metadatas"][0].get("b") if found["metadatas"] else None

    def _in_files(self, text: bytes) -> bool:
        return any(text in path.read_bytes() for path in self._directory.rglob("*") if path.is_file())


class _Copy:
    """A row made of another."""

    def __init__(self, point: UUID, vector: Any, payload: Mapping[str, Any]) -> None:
        self.id, self.vector, self.payload = point, vector, payload


def _elsewhere() -> dict[str, str]:
    return {"tenant": _PATH[0], "database": _PATH[1]}
