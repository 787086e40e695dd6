"""A Qdrant server. Tenants share one collection per vector dimension; two stamped tags and one filter keep them apart.

The server cannot enforce a tenant inside a collection (payload claims in tokens were withdrawn), so the client must:
there is one way to build a filter (``server_filters.fenced``) and no call without it, except the listing of
:meth:`namespaces`. Calls that resolve ids without a filter (``retrieve``, queries by id, recommend, lookup, grouping)
are not used at all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client.models import FilterSelector, PayloadSelectorExclude, PointStruct

from securevec import limits
from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend
from securevec.errors import BackendError, ConfigError, QueryError, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Vector
from securevec_adapters.address import credential
from securevec_adapters.errors import mapped
from securevec_adapters.points import check_cursor, check_id, check_namespace, unit_vector
from securevec_adapters.remote import Connection
from securevec_qdrant._points import decode_payload, encode_payload
from securevec_qdrant.server_address import server_url
from securevec_qdrant.server_filters import fenced
from securevec_qdrant.server_places import Places, make_shared

API_KEY_VARIABLE: Final = "SECUREVEC_QDRANT_API_KEY"
_IDS: Final = 1000
"""Ids of one request."""
_FACETS: Final = 100_000
"""Tenants that one listing may name."""
_LOWEST: Final = (1, 17, 1)
"""Conditional upserts came with 1.16 and are dropped in silence before; snapshot recovery was hardened in 1.17.1."""
_RESIDUAL: Final = (
    "the server removes vector bytes when its own vacuum runs; its log, snapshots and backups are not reached"
)


class QdrantServerBackend:
    """``VectorBackend`` over a Qdrant server of at least 1.17.1.

    ``url`` is ``qdrants://host:6333`` (TLS), or ``qdrant://`` for this machine and the hosts named in
    ``plain_http_hosts``. The API key comes from the argument or the environment variable ``SECUREVEC_QDRANT_API_KEY``
    or ``SECUREVEC_BACKEND_API_KEY``, never from the address. ``client`` replaces the connection, for tests on local
    mode. Raises :class:`ConfigError` for a refused address. Used in a forked child every call raises
    :class:`EngineForked`: two processes on one connection would read each other's answers.
    """

    def __init__(
        self,
        url: str = "",
        api_key: str | None = None,
        *,
        client: QdrantClient | None = None,
        prefix: str = "securevec",
        plain_http_hosts: Collection[str] = (),
        timeout_s: int = 30,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", prefix):
            raise ConfigError("A collection prefix is up to 32 lower-case letters, digits and underscores.")
        self._prefix = prefix
        if client is None:
            key = api_key or credential(API_KEY_VARIABLE)
            address = server_url(url, api_key=key, plain_http_hosts=plain_http_hosts)
            with mapped("connecting"), warnings.catch_warnings():
                # The address was decided on above: a key over plain HTTP goes only where it was allowed by name.
                warnings.simplefilter("ignore", UserWarning)
                client = QdrantClient(url=address, api_key=key, timeout=timeout_s, check_compatibility=False)
        self._client = client
        self._places = Places(client, f"{prefix}-places")
        self._connection = Connection(check=self._check_version, close=client.close)

    @classmethod
    def from_location(cls, location: str, *, root: Path, plain_http_hosts: Collection[str] = ()) -> Self:
        """For discovery: ``location`` is the address; nothing is kept under ``root``."""
        return cls(location, plain_http_hosts=plain_http_hosts)

    @property
    def name(self) -> str:
        return "qdrant"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=False, volatile=False, physical_isolation=False, cheap_range_filter=True, can_purge_vectors=False
        )

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        if not 1 <= spec.dimension <= limits.MAX_DIMENSION:
            raise VectorError(f"A vector has 1 to {limits.MAX_DIMENSION} components.")
        held = self._dimension(namespace)
        if held is not None and held != spec.dimension:
            raise VectorError("This collection exists with another vector dimension.")
        with mapped("creating a collection"):
            make_shared(self._client, self._shared(spec.dimension), spec.dimension)
        if held is None:
            self._places.add(namespace, spec.dimension)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        """A point of the same id in another namespace is left alone and :class:`BackendError` is raised.

        So it is when another process drops the namespace meanwhile. :meth:`drop` removes the place before the points;
        here the place is asked for after the points. Whichever comes last sees the other and removes the points.
        """
        self._connection.guard()
        dimension = self._places.confirmed(check_namespace(namespace))
        if dimension is None:
            raise BackendError("This collection has no place in the store, or no longer.")
        rows = {
            check_id(point.id): PointStruct(
                id=str(point.id),
                vector=unit_vector(point.vector, dimension).tolist(),
                payload={
                    **encode_payload(point.payload, namespace),
                    "t": namespace.tenant_tag,
                    "c": namespace.collection_tag,
                },
            )
            for point in points
        }
        if not rows:
            return
        shared, mine = self._shared(dimension), fenced(namespace)
        with mapped("writing points"):
            self._client.upsert(shared, list(rows.values()), update_filter=mine, wait=True)
            for ids in _chunks(list(rows)):
                held = self._client.count(shared, count_filter=fenced(namespace, ids=ids), exact=True).count
                if held != len(ids):
                    raise BackendError("The store did not take every point: an id is in use in another place.")
        if self._places.confirmed(namespace) is None:
            self.delete(namespace=namespace, ids=list(rows))
            raise BackendError("This collection was removed while points were written to it; they were taken back.")

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        wanted = list(dict.fromkeys(check_id(each) for each in ids))
        points: list[StoredPoint] = []
        for shared in self._reach(namespace):
            with mapped("reading points"):
                for some in _chunks(wanted):
                    found, _ = self._client.scroll(
                        shared,
                        scroll_filter=fenced(namespace, ids=some),
                        limit=len(some),
                        with_payload=True,
                        with_vectors=with_vectors,
                    )
                    points += [_stored(namespace, row.id, row.payload, vector=row.vector) for row in found]
        return points

    def query(
        self,
        *,
        namespace: Namespace,
        vector: Vector,
        where: Expr | None,
        limit: int,
        exclude: Sequence[str] = (),
    ) -> list[StoredPoint]:
        if limit < 1:
            raise QueryError("A search asks for at least one point.")
        condition = fenced(namespace, where=where)
        dimension = self._dimension(namespace)
        if dimension is None:
            return []
        unneeded = [key for key in exclude if key not in ("t", "c")]
        with mapped("searching"):
            found = self._client.query_points(
                self._shared(dimension),
                query=unit_vector(vector, dimension).tolist(),
                query_filter=condition,
                limit=limit,
                with_payload=PayloadSelectorExclude(exclude=unneeded) if unneeded else True,
                with_vectors=False,
            )
            return [_stored(namespace, hit.id, hit.payload, score=hit.score) for hit in found.points]

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        if limit < 1:
            raise QueryError("A page holds at least one point.")
        condition = fenced(namespace, where=where)
        start = None if cursor is None else str(check_cursor(cursor))
        dimension = self._dimension(namespace)
        if dimension is None:
            return Page((), None)
        with mapped("scanning"):
            found, following = self._client.scroll(
                self._shared(dimension), scroll_filter=condition, limit=limit, offset=start, with_payload=True
            )
            points = [_stored(namespace, row.id, row.payload) for row in found]
            return Page(points, None if following is None else str(following))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        condition = fenced(namespace, where=where)
        reach = self._reach(namespace)
        with mapped("counting"):
            return sum(self._client.count(each, count_filter=condition, exact=True).count for each in reach)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        unwanted = [check_id(each) for each in ids]
        for shared in self._reach(namespace):
            with mapped("deleting points"):
                for some in _chunks(unwanted):
                    selector = FilterSelector(filter=fenced(namespace, ids=some))
                    self._client.delete(shared, selector, wait=True)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """A client cannot make the server vacuum: nothing is done, and the report says so."""
        self._dimension(namespace)
        return RemovalReport(0, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        self._connection.guard()
        # The place goes first: from here on no insert of any process keeps its points (see insert).
        self._places.remove(check_namespace(namespace))
        points = 0
        for shared in self._reach(namespace):
            mine = fenced(namespace)
            with mapped("removing a collection"):
                points += self._client.count(shared, count_filter=mine, exact=True).count
                self._client.delete(shared, FilterSelector(filter=mine), wait=True)
                if self._client.count(shared, count_filter=mine, exact=True).count:
                    raise BackendError("The store still answers for points of a removed collection.")
        return RemovalReport(points, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def namespaces(self) -> Iterator[str]:
        """Tags of the tenants that own a point or a place. The only call that sees more than one tenant."""
        self._connection.guard()
        tags: set[str] = set()
        with mapped("listing tenants"):
            for name in self._collections("[0-9]+|places"):
                hits = self._client.facet(name, key="t", limit=_FACETS, exact=True).hits
                if len(hits) == _FACETS:
                    raise BackendError("The store holds more tenants than can be listed.")
                # Local mode writes what looks like a UUID with hyphens.
                tags.update(str(hit.value).replace("-", "") for hit in hits)
        yield from sorted(tags)

    def close(self) -> None:
        self._connection.close()

    def _check_version(self) -> None:
        version = self._client.info().version
        if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < _LOWEST:
            raise BackendError("The Qdrant server is older than 1.17.1.", next_step="Upgrade the server.")

    def _dimension(self, namespace: Namespace) -> int | None:
        self._connection.guard()
        return self._places.dimension(check_namespace(namespace))

    def _reach(self, namespace: Namespace) -> list[str]:
        """The collections that may hold points of a namespace: its own, or all when it has no place (any more).

        Points without a place are those of a removal cut short or of a write that raced one. They must be found, or a
        check that nothing is left would find nothing only because it looked nowhere.
        """
        dimension = self._dimension(namespace)
        if dimension is not None:
            return [self._shared(dimension)]
        with mapped("listing collections"):
            return self._collections("[0-9]+")

    def _collections(self, kinds: str) -> list[str]:
        held = self._client.get_collections().collections
        return sorted(each.name for each in held if re.fullmatch(rf"{self._prefix}-({kinds})", each.name))

    def _shared(self, dimension: int) -> str:
        return f"{self._prefix}-{dimension}"


def _stored(
    namespace: Namespace, point: object, payload: dict[str, object] | None, *, score: float = 0.0, vector: object = None
) -> StoredPoint:
    held = payload or {}
    if held.get("t") != namespace.tenant_tag or held.get("c") != namespace.collection_tag:
        raise BackendError("The store answered with a point of another place.")
    row = None if vector is None else np.asarray(vector, dtype=np.float32)
    return StoredPoint(UUID(str(point)), decode_payload(held), score, row)


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _IDS):
        yield ids[start : start + _IDS]


if TYPE_CHECKING:
    _: type[VectorBackend] = QdrantServerBackend
