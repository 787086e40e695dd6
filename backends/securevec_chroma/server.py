"""A Chroma server over HTTP. One collection for each namespace, named by its shard; nothing is shared between tenants.

The server has no authentication of its own and does not look at the tenant in a request's path: whoever reaches it and
knows a collection's id reads it, writes it and renames it (measured on 1.5.9; CVE-2026-45830). So it belongs on this
machine or behind a proxy that checks a token, and what it returns is judged like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar
from uuid import UUID

from chromadb.errors import InternalError, NotFoundError

from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend, check_terms
from securevec.errors import BackendError, ConfigError, ServerTooOld, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms, Vector
from securevec_adapters.address import credential, server_address
from securevec_adapters.errors import mapped
from securevec_adapters.points import check_cursor, check_id, check_namespace, unit_vector
from securevec_adapters.recent import Recent
from securevec_adapters.remote import Connection, check_time
from securevec_chroma.client import connect, create, find, ours
from securevec_chroma.place import Place, checked, refuse_terms

TOKEN_VARIABLE: Final = "SECUREVEC_CHROMA_TOKEN"  # noqa: S105  # a name, not a token
PORT: Final = 8000
TIMEOUT_S: Final = 60.0
"""Of one request with its whole answer; a full batch sent over a slow line counts in it."""
_READS: Final = 4
"""Attempts at a read that the server answers with an internal error."""
_RESIDUAL: Final = (
    "the server keeps the vectors of deleted points and dropped collections in its files, and payloads in free pages "
    "and log, until its operator removes orphaned segment directories and compacts it; backups are not reached"
)
T = TypeVar("T")


class ChromaServerBackend:
    """``VectorBackend`` over a Chroma server of version 1.

    ``url`` is ``chromas://host:8000`` (TLS), or ``chroma://`` for this machine and the hosts named in
    ``plain_http_hosts``. A server on another machine needs a token for the proxy in front of it, from the argument or
    the environment variable ``SECUREVEC_CHROMA_TOKEN`` or ``SECUREVEC_BACKEND_API_KEY``; it is sent as a bearer token.
    Proxies that the environment names are not used. A request takes at most ``timeout_s`` seconds with its answer, then
    it raises :class:`BackendTimeout`. Raises :class:`ConfigError` for a refused address. Used in a forked
    child every call raises :class:`EngineForked`: two processes on one connection would read each other's answers.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        plain_http_hosts: Collection[str] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        check_time(timeout_s)
        address = server_address(url, scheme="chroma", port=PORT, plain_http_hosts=plain_http_hosts)
        key = token or credential(TOKEN_VARIABLE)
        if key is None and not address.is_local:
            raise ConfigError(
                "A Chroma server has no authentication; on another machine it needs a proxy that checks a token.",
                next_step=f"Set {TOKEN_VARIABLE}.",
            )
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            raise ConfigError("A token is printable ASCII without spaces.")
        with mapped("connecting"):
            self._client = connect(address, token=key, timeout_s=timeout_s)
        self._connection = Connection(check=self._check_version, close=self._client.close)
        self._places = Recent[Namespace, Place]()

    @classmethod
    def from_location(
        cls, location: str, *, root: Path, plain_http_hosts: Collection[str] = (), server_timeout: float = TIMEOUT_S
    ) -> Self:
        """For discovery: ``location`` is the address; nothing is kept under ``root``."""
        return cls(location, plain_http_hosts=plain_http_hosts, timeout_s=server_timeout)

    @property
    def name(self) -> str:
        return "chroma"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            embedded=False, volatile=False, physical_isolation=True, cheap_range_filter=False, can_purge_vectors=False
        )

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        refuse_terms(spec)
        place = self._find(namespace, known=False)
        if place is None:
            with mapped("creating a collection"):
                try:
                    create(self._client.api, namespace, spec.dimension)
                except Exception:
                    if find(self._client.api, namespace) is None:  # made by somebody else a moment ago: as good as ours
                        raise
            place = self._find(namespace, known=False)
        if place is None:
            raise BackendError("The store did not keep a collection that was made.")
        if place.dimension != spec.dimension:
            raise VectorError("This collection exists with another vector dimension.")

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        def write(place: Place) -> bool:
            rows = place.prepared(points, namespace)
            if rows:
                place.insert(rows)
            return True

        if not self._at(namespace, write, absent=False):
            raise BackendError("This collection has no place in the store yet.")

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        wanted = list(dict.fromkeys(check_id(each) for each in ids))
        return self._read(
            namespace, lambda place: place.fetch(wanted, with_vectors=with_vectors) if wanted else [], absent=[]
        )

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
        """``exclude`` is not used: Chroma returns whole payloads."""
        check_terms(terms, sparse=False)
        condition = checked(where, limit)
        return self._read(
            namespace, lambda place: place.search(unit_vector(vector, place.dimension), condition, limit), absent=[]
        )

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        """Every page lists the ids that match: nothing is ordered in Chroma, and others may write to a server."""
        condition = checked(where, limit)
        start = None if cursor is None else check_cursor(cursor)
        nothing: tuple[list[StoredPoint], UUID | None] = ([], None)
        points, following = self._read(namespace, lambda place: place.page(condition, start, limit), absent=nothing)
        return Page(points, None if following is None else str(following))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        condition = checked(where, 1)
        return self._read(namespace, lambda place: place.count(condition), absent=0)

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        unwanted = [check_id(each) for each in ids]
        if unwanted:
            self._at(namespace, lambda place: place.remove(unwanted), absent=None)
        else:
            self._find(namespace)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """A client cannot make the server forget: nothing is done, and the report says so.

        Copying into a new collection would lose what other clients write meanwhile, and would leave the old one's
        vectors in the server's files all the same.
        """
        self._find(namespace)
        return RemovalReport(0, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        points = self._at(namespace, lambda place: place.count(), absent=None)
        if points is None:
            return RemovalReport(0, index_removed=True, bytes_removed=None, residual=_RESIDUAL)
        with mapped("removing a collection"):
            self._places.forget(namespace)
            self._client.api.delete_collection(namespace.shard)
            if find(self._client.api, namespace) is not None:
                raise BackendError("The store still answers for a collection that was removed.")
        return RemovalReport(points, index_removed=True, bytes_removed=None, residual=_RESIDUAL)

    def namespaces(self) -> Iterator[str]:
        self._connection.guard()
        with mapped("listing collections"):
            names = sorted(ours(self._client.api))
        yield from names

    def close(self) -> None:
        self._places.clear()
        self._connection.close()

    def _check_version(self) -> None:
        # Servers of version 1 say "1.0.0", whichever they are: older than that is all that can be told.
        found = re.match(r"(\d{1,9})\.", self._client.api.get_version())
        if found is None or int(found[1]) > 1:
            raise BackendError("The Chroma server is not of version 1.", next_step="Use chromadb 1.5 or newer.")
        if int(found[1]) < 1:
            raise ServerTooOld("The Chroma server is older than version 1.", next_step="Use chromadb 1.5 or newer.")

    def _find(self, namespace: Namespace, *, known: bool = True) -> Place | None:
        """The namespace's collection; ``known``: one found earlier will do."""
        self._connection.guard()
        check_namespace(namespace)
        place = self._places.get(namespace) if known else None
        if place is None:
            with mapped("looking up a collection"):
                found = find(self._client.api, namespace)
            if found is None:
                self._places.forget(namespace)
                return None
            place = Place(self._client.api, namespace, found, exclusive=False)
            self._places.keep(namespace, place)
        return place

    def _read(self, namespace: Namespace, call: Callable[[Place], T], *, absent: T) -> T:
        """As :meth:`_at`, for what may be asked again: when another client deletes a row between the server's look for
        it and its reading, the server answers with an internal error ("Error finding id", seen on 1.5.9)."""
        for _ in range(_READS - 1):
            try:
                return self._at(namespace, call, absent=absent)
            except BackendError as error:
                if not isinstance(error.__cause__, InternalError):
                    raise
        return self._at(namespace, call, absent=absent)

    def _at(self, namespace: Namespace, call: Callable[[Place], T], *, absent: T) -> T:
        """``call`` on the namespace's collection, or ``absent``. A collection that another process removed meanwhile is
        looked up once more: its name may have been given to a new one."""
        place = self._find(namespace)
        if place is None:
            return absent
        try:
            return call(place)
        except BackendError as error:
            if not isinstance(error.__cause__, NotFoundError):
                raise
        place = self._find(namespace, known=False)
        return absent if place is None else call(place)


if TYPE_CHECKING:
    _: type[VectorBackend] = ChromaServerBackend
