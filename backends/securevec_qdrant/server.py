"""A Qdrant server. Where a tenant's points lie there is decided by a layout (``server_layout``); two stamped tags and
one filter on every request keep tenants apart in each.

The server cannot enforce a tenant inside a collection (payload claims in tokens were withdrawn), so the client must:
there is one way to build a filter (``server_filters.fenced``) and no call without it, except the listing of
:meth:`namespaces`. Calls that resolve ids without a filter (``retrieve``, queries by id, recommend, lookup, grouping)
are not used at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self
from uuid import UUID

from qdrant_client import QdrantClient
from qdrant_client.models import Filter, FilterSelector, PayloadSelectorExclude, PointStruct

from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend, check_terms
from securevec.errors import BackendError, ConfigError, QueryError, ServerTooOld, VectorError
from securevec.filters import Expr
from securevec.types import Layout, Namespace, ProtectedPoint, StoredPoint, Terms, Vector
from securevec_adapters import sieve
from securevec_adapters.address import credential
from securevec_adapters.points import check_cursor, check_id, check_namespace, check_score, unit_vector
from securevec_adapters.remote import Connection, check_time
from securevec_qdrant._filters import widened
from securevec_qdrant._points import encode_payload
from securevec_qdrant.server_address import acceptable
from securevec_qdrant.server_client import API_KEY_VARIABLE, calling, connect
from securevec_qdrant.server_filters import fenced
from securevec_qdrant.server_layout import FACETS, LAYOUTS, Spot, Spots
from securevec_qdrant.server_places import Place, Places
from securevec_qdrant.server_rows import both, id_parts, next_page, point_parts, ranking, stored_point

_LOWEST: Final = (1, 17, 1)
"""Conditional upserts came with 1.16 and are dropped in silence before; snapshot recovery was hardened in 1.17.1."""
TIMEOUT_S: Final = 60
"""Of a request by gRPC, and of a silence by REST."""
_RESIDUAL: Final = (
    "the server removes vector bytes when its own vacuum runs; its log, snapshots and backups are not reached"
)


class QdrantServerBackend:
    """``VectorBackend`` over a Qdrant server of at least 1.17.1.

    ``url`` is ``qdrants://host:6333`` (TLS), or ``qdrant://`` for this machine and the hosts named in
    ``plain_http_hosts``. The API key comes from the argument or the environment variable ``SECUREVEC_QDRANT_API_KEY``
    or ``SECUREVEC_BACKEND_API_KEY``, never from the address. With ``grpc_port`` data goes by gRPC to that port of the
    host. ``layout`` is where namespaces live that name none themselves; ``shard`` needs a server in cluster mode.
    ``client`` replaces the connection, for tests on local mode. Raises :class:`ConfigError` for a refused address. Used
    in a forked child every call raises :class:`EngineForked`: two processes on one connection would read each other's
    answers.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"layout", "grpc_port", "server_timeout"})

    def __init__(
        self,
        url: str = "",
        api_key: str | None = None,
        *,
        client: QdrantClient | None = None,
        prefix: str = "securevec",
        plain_http_hosts: Collection[str] = (),
        timeout_s: int = TIMEOUT_S,
        layout: Layout = "shared",
        grpc_port: int | None = None,
    ) -> None:
        check_time(timeout_s)
        if layout not in LAYOUTS:
            raise ConfigError("There is no such layout.", next_step=f"Use {', '.join(LAYOUTS)}.")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", prefix):
            raise ConfigError("A collection prefix is up to 32 lower-case letters, digits and underscores.")
        if client is None:
            key = api_key or credential(API_KEY_VARIABLE)
            address = acceptable(url, api_key=key, plain_http_hosts=plain_http_hosts)
            client = connect(address, api_key=key, grpc_port=grpc_port, timeout_s=timeout_s)
        self._client = client
        self._layouts: tuple[Layout, ...] = (layout, *(each for each in LAYOUTS if each != layout))
        self._spots = Spots(client, prefix, layout)
        self._places = Places(client, f"{prefix}-places")
        self._connection = Connection(check=self._check_version, close=client.close)

    @classmethod
    def from_location(
        cls,
        location: str,
        *,
        root: Path,
        plain_http_hosts: Collection[str] = (),
        layout: Layout = "shared",
        grpc_port: int | None = None,
        server_timeout: int = TIMEOUT_S,
    ) -> Self:
        """For discovery: ``location`` is the address; nothing is kept under ``root``."""
        return cls(
            location,
            plain_http_hosts=plain_http_hosts,
            timeout_s=server_timeout,
            layout=layout,
            grpc_port=grpc_port,
        )

    @property
    def name(self) -> str:
        return "qdrant"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=False,
            volatile=False,
            physical_isolation=False,
            cheap_range_filter=True,
            can_purge_vectors=False,
            layouts=self._layouts,
            sparse=True,
        )

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        self._connection.guard()
        # Asked anew: another process may have dropped the place, and what it left would take no point.
        held = self._places.confirmed(self._place(namespace))
        if held is not None and held != spec.dimension:
            raise VectorError("This collection exists with another vector dimension.")
        with calling("creating a collection"):
            self._spots.make(namespace, spec.dimension)
        if held is None:
            self._places.add(self._place(namespace), spec.dimension)
            with calling("creating a collection"):
                # The last of a tenant's places takes its own collection or shard along (see drop): a drop of another
                # one that looked before this place was there has removed it since.
                if not self._spots.exists(namespace, spec.dimension):
                    self._spots.make(namespace, spec.dimension)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        """A point of the same id in another namespace is left alone and :class:`BackendError` is raised.

        So it is when another process drops the namespace meanwhile. :meth:`drop` removes the place before the points;
        here the place is asked for after the points. Whichever comes last sees the other and removes the points.
        """
        self._connection.guard()
        dimension = self._places.confirmed(self._place(namespace))
        if dimension is None:
            raise BackendError("This collection has no place in the store, or no longer.")
        rows = {
            check_id(point.id): PointStruct(
                id=str(point.id),
                vector=both(unit_vector(point.vector, dimension).tolist(), check_terms(point.terms, sparse=True)),
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
        spot, mine = self._spots.spot(namespace, dimension), fenced(namespace)
        with calling("writing points"):
            for part in point_parts(list(rows.values())):
                self._client.upsert(spot.collection, part, update_filter=mine, wait=True, **spot.routing)
            for ids in id_parts(list(rows)):
                held = self._client.count(
                    spot.collection, count_filter=fenced(namespace, ids=ids), exact=True, **spot.routing
                ).count
                if held != len(ids):
                    raise BackendError("The store did not take every point: an id is in use in another place.")
        if self._places.confirmed(self._place(namespace)) is None:
            self.delete(namespace=namespace, ids=list(rows))
            raise BackendError("This collection was removed while points were written to it; they were taken back.")

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        wanted = list(dict.fromkeys(check_id(each) for each in ids))
        points: list[StoredPoint] = []
        for spot in self._reach(namespace):
            with calling("reading points"):
                for some in id_parts(wanted):
                    found, _ = self._client.scroll(
                        spot.collection,
                        scroll_filter=fenced(namespace, ids=some),
                        limit=len(some),
                        with_payload=True,
                        with_vectors=with_vectors,
                        **spot.routing,
                    )
                    points += [stored_point(namespace, row.id, row.payload, vector=row.vector) for row in found]
        return points

    def query(
        self,
        *,
        namespace: Namespace,
        vector: Vector,
        where: Expr | None,
        limit: int,
        exclude: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> list[StoredPoint]:
        if limit < 1:
            raise QueryError("A search asks for at least one point.")
        if where is not None and (wider := widened(where)) != where:
            return sieve.query(
                self,
                namespace=namespace,
                vector=vector,
                where=where,
                wider=wider,
                limit=limit,
                exclude=exclude,
                terms=terms,
            )
        condition = fenced(namespace, where=where)
        dimension = self._dimension(namespace)
        if dimension is None:
            return []
        unneeded = [key for key in exclude if key not in ("t", "c")]
        spot = self._spots.spot(namespace, dimension)
        with calling("searching"):
            found = self._client.query_points(
                spot.collection,
                **ranking(unit_vector(vector, dimension).tolist(), check_terms(terms, sparse=True), condition, limit),
                query_filter=condition,
                limit=limit,
                with_payload=PayloadSelectorExclude(exclude=unneeded) if unneeded else True,
                with_vectors=False,
                **spot.routing,
            )
            return [
                stored_point(namespace, hit.id, hit.payload, score=check_score(hit.score))
                for hit in found.points[:limit]
            ]

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        if limit < 1:
            raise QueryError("A page holds at least one point.")
        if where is not None and (wider := widened(where)) != where:
            return sieve.scan(self, namespace=namespace, where=where, wider=wider, cursor=cursor, limit=limit)
        condition = fenced(namespace, where=where)
        start = None if cursor is None else check_cursor(cursor)
        dimension = self._dimension(namespace)
        if dimension is None:
            return Page((), None)
        spot = self._spots.spot(namespace, dimension)
        with calling("scanning"):
            found, following = self._client.scroll(
                spot.collection,
                scroll_filter=condition,
                limit=limit,
                offset=None if start is None else str(start),
                with_payload=True,
                **spot.routing,
            )
            points = [stored_point(namespace, row.id, row.payload) for row in found]
            begins = next_page(points, start, following)
            return Page(points, None if begins is None else str(begins))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        if where is not None and (wider := widened(where)) != where:
            return sieve.count(self, namespace=namespace, where=where, wider=wider)
        condition = fenced(namespace, where=where)
        reach = self._reach(namespace)
        with calling("counting"):
            return sum(self._count(spot, condition) for spot in reach)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        unwanted = [check_id(each) for each in ids]
        for spot in self._reach(namespace):
            with calling("deleting points"):
                for some in id_parts(unwanted):
                    selector = FilterSelector(filter=fenced(namespace, ids=some))
                    self._client.delete(spot.collection, selector, wait=True, **spot.routing)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """A client cannot make the server vacuum: nothing is done, and the report says so."""
        self._dimension(namespace)
        return RemovalReport(0, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        """The points go by the filter, and are counted and read back; then the tenant's own collection or shard, when
        this was its last place in it."""
        self._connection.guard()
        place = self._place(namespace)
        # The place goes first: from here on no insert of any process keeps its points (see insert).
        self._places.remove(place)
        points = 0
        mine = fenced(namespace)
        for spot in self._reach(namespace):
            with calling("removing a collection"):
                points += self._count(spot, mine)
                self._client.delete(spot.collection, FilterSelector(filter=mine), wait=True, **spot.routing)
                if self._count(spot, mine):
                    raise BackendError("The store still answers for points of a removed collection.")
                if spot.own and not self._places.neighbours(place, spot.dimension):
                    self._spots.unmake(spot)
        return RemovalReport(points, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def namespaces(self) -> Iterator[str]:
        """Tags of the tenants that own a point or a place. The only call that sees more than one tenant."""
        self._connection.guard()
        tags: set[str] = set()
        with calling("listing tenants"):
            for name in self._spots.everything():
                hits = self._client.facet(name, key="t", limit=FACETS, exact=True).hits
                if len(hits) >= FACETS:
                    raise BackendError("The store holds more tenants than can be listed.")
                # Local mode writes what looks like a UUID with hyphens.
                tags.update(str(hit.value).replace("-", "") for hit in hits)
        yield from sorted(tags)

    def close(self) -> None:
        self._connection.close()

    def _check_version(self) -> None:
        with calling("asking for the server's version"):
            version = self._client.info().version
        if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < _LOWEST:
            raise ServerTooOld("The Qdrant server is older than 1.17.1.", next_step="Upgrade the server.")

    def _place(self, namespace: Namespace) -> Place:
        """The namespace without its layout, and the layout it is asked for in."""
        return replace(check_namespace(namespace), layout=None), self._spots.layout(namespace)

    def _dimension(self, namespace: Namespace) -> int | None:
        self._connection.guard()
        return self._places.dimension(self._place(namespace))

    def _count(self, spot: Spot, condition: Filter) -> int:
        return self._client.count(spot.collection, count_filter=condition, exact=True, **spot.routing).count

    def _reach(self, namespace: Namespace) -> list[Spot]:
        """The spots that may hold points of a namespace: its own, or all when it has no place (any more).

        Points without a place are those of a removal cut short or of a write that raced one. They must be found, or a
        check that nothing is left would find nothing only because it looked nowhere.
        """
        dimension = self._dimension(namespace)
        if dimension is not None:
            return [self._spots.spot(namespace, dimension)]
        with calling("listing collections"):
            return self._spots.reach(namespace)


if TYPE_CHECKING:
    _: type[VectorBackend] = QdrantServerBackend
