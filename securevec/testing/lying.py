"""A store that lies: any backend, wrapped so that it answers as a broken, hostile or rolled-back one would.

The promise under test is that nothing a store says is believed. Set ``lie`` and run what is to be tested; with
``Lie.HONEST`` every call goes through unchanged. Every method of the protocol is delegated by hand: one that is added
to the protocol and forgotten here would be honest in silence, so a test compares the two lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend
from securevec.crypto.armour import from_text, to_text
from securevec.errors import EnvelopeRejected, VectorError
from securevec.filters import Expr
from securevec.types import Namespace, ProtectedPoint, StoredPoint, Terms, Vector


class Lie(StrEnum):
    """What the store does wrong."""

    HONEST = "honest"
    REPLAY = "replay"
    """Repeats its first answer to the same kind of question in the same namespace."""
    SWAP = "swap"
    """Each point carries the payload of the next one; ids and scores stay."""
    RELABEL = "relabel"
    """What is readable in a payload says otherwise: filter values and expiry. The sealed parts stay."""
    TRUNCATE = "truncate"
    """Leaves out the second half of every answer, and ends a scan early."""
    DUPLICATE = "duplicate"
    """Every point is there twice."""
    CORRUPT = "corrupt"
    """One bit of every sealed body is flipped."""
    IGNORE_FILTER = "ignore_filter"
    IGNORE_NAMESPACE = "ignore_namespace"
    """Answers from, and counts, every namespace it has seen."""
    FOREIGN = "foreign"
    """Answers with points of other namespaces only, under the ids that were asked for when there are such."""
    RESURRECT = "resurrect"
    """Deleted points and replaced versions come back, ahead of the rest."""
    DROP_WRITES = "drop_writes"
    """Accepts inserts and does nothing."""
    DROP_DELETES = "drop_deletes"
    """Accepts deletes and does nothing."""
    KEEP_DROPPED = "keep_dropped"
    """Reports ``purge`` and ``drop`` as done and does nothing."""


class LyingBackend:
    """``inner``, telling ``lie``."""

    def __init__(self, inner: VectorBackend, lie: Lie = Lie.HONEST) -> None:
        self.lie = lie
        self._inner = inner
        self._seen: dict[Namespace, dict[UUID, list[ProtectedPoint]]] = {}
        self._first: dict[tuple[str, Namespace], list[StoredPoint]] = {}
        self.among: frozenset[Namespace] | None = None
        """The places that ``IGNORE_NAMESPACE`` and ``FOREIGN`` reach; ``None`` is every one this store has seen."""

    @property
    def inner(self) -> VectorBackend:
        """The store behind the lies."""
        return self._inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        self._seen.setdefault(namespace, {})
        self._inner.ensure(namespace=namespace, spec=spec)

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        if self.lie is Lie.DROP_WRITES:
            return
        self._inner.insert(namespace=namespace, points=points)
        versions = self._seen.setdefault(namespace, {})
        for point in points:
            versions.setdefault(point.id, []).append(point)

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        def ask(place: Namespace) -> list[StoredPoint]:
            return self._inner.fetch(namespace=place, ids=ids, with_vectors=with_vectors)

        if self.lie is Lie.FOREIGN:
            return [replace(point, id=asked) for asked, point in zip(ids, self._foreign(namespace), strict=False)]
        if self.lie is Lie.RESURRECT:
            held = self._seen.get(namespace, {})
            return [_as_stored(held[asked][0], with_vectors=with_vectors) for asked in ids if asked in held]
        return self._told("fetch", namespace, self._everywhere(namespace, ask))

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
        asked_for = None if self.lie is Lie.IGNORE_FILTER else where

        def ask(place: Namespace) -> list[StoredPoint]:
            return self._inner.query(
                namespace=place, vector=vector, where=asked_for, limit=limit, exclude=exclude, terms=terms
            )

        if self.lie is Lie.FOREIGN:
            return self._foreign(namespace)[:limit]
        found = self._told("query", namespace, self._everywhere(namespace, ask))
        return sorted(found, key=lambda point: -point.score)[: 2 * limit if self.lie is Lie.DUPLICATE else limit]

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        page = self._inner.scan(
            namespace=namespace,
            where=None if self.lie is Lie.IGNORE_FILTER else where,
            cursor=cursor,
            limit=limit,
        )
        points = list(page.points)
        if self.lie is Lie.FOREIGN:
            return Page(self._foreign(namespace), None)
        if self.lie is Lie.IGNORE_NAMESPACE and cursor is None:
            points += self._foreign(namespace)
        return Page(
            self._told("scan", namespace, points, first_page=cursor is None),
            None if self.lie in (Lie.TRUNCATE, Lie.REPLAY) else page.cursor,
        )

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        asked_for = None if self.lie is Lie.IGNORE_FILTER else where
        counted = self._inner.count(namespace=namespace, where=asked_for)
        match self.lie:
            case Lie.IGNORE_NAMESPACE:
                return sum(self._inner.count(namespace=place, where=asked_for) for place in self._reached())
            case Lie.FOREIGN:
                return len(self._foreign(namespace))
            case Lie.TRUNCATE:
                return counted // 2
            case Lie.DUPLICATE:
                return counted * 2
            case Lie.RESURRECT:
                return counted + len(self._gone(namespace))
            case _:
                return counted

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        if self.lie is Lie.DROP_DELETES:
            return
        if self.lie is Lie.IGNORE_NAMESPACE:
            for place in self._reached():
                self._inner.delete(namespace=place, ids=ids)
            return
        self._inner.delete(namespace=namespace, ids=ids)

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        if self.lie is Lie.KEEP_DROPPED:
            return RemovalReport(0, index_removed=True, bytes_removed=True, residual="")
        return self._inner.purge(namespace=namespace)

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        if self.lie is Lie.KEEP_DROPPED:
            points = self._inner.count(namespace=namespace)
            return RemovalReport(points, index_removed=True, bytes_removed=True, residual="")
        return self._inner.drop(namespace=namespace)

    def namespaces(self) -> Iterator[str]:
        yield from self._inner.namespaces()

    def close(self) -> None:
        self._inner.close()

    def _told(
        self, verb: str, namespace: Namespace, points: list[StoredPoint], *, first_page: bool = True
    ) -> list[StoredPoint]:
        if first_page and points:
            self._first.setdefault((verb, namespace), points)
        match self.lie:
            case Lie.REPLAY:
                return self._first.get((verb, namespace), points)
            case Lie.SWAP:
                others = points[1:] + points[:1] if len(points) > 1 else self._foreign(namespace)[:1]
                return [replace(mine, payload=other.payload) for mine, other in zip(points, others, strict=False)]
            case Lie.RELABEL:
                return [replace(point, payload=_relabelled(point)) for point in points]
            case Lie.TRUNCATE:
                return points[: len(points) // 2]
            case Lie.DUPLICATE:
                return [point for point in points for _ in range(2)]
            case Lie.CORRUPT:
                return [replace(point, payload=_flipped(point)) for point in points]
            case Lie.RESURRECT:
                return (self._gone(namespace) if first_page else []) + points
            case _:
                return points

    def _everywhere(self, namespace: Namespace, ask: Callable[[Namespace], list[StoredPoint]]) -> list[StoredPoint]:
        points = ask(namespace)
        if self.lie is Lie.IGNORE_NAMESPACE:
            for place in self._reached():
                if place != namespace:
                    try:
                        points = points + ask(place)
                    except VectorError:
                        continue  # a place with another vector dimension has no answer to this
        return points

    def _foreign(self, namespace: Namespace) -> list[StoredPoint]:
        return [
            _as_stored(versions[-1], with_vectors=False)
            for place, points in self._seen.items()
            if place != namespace and place in self._reached()
            for versions in points.values()
        ]

    def _reached(self) -> list[Namespace]:
        return [place for place in self._seen if self.among is None or place in self.among]

    def _gone(self, namespace: Namespace) -> list[StoredPoint]:
        held = self._seen.get(namespace, {})
        alive = {point.id for point in self._inner.fetch(namespace=namespace, ids=list(held))}
        return [
            _as_stored(versions[0], with_vectors=False)
            for key, versions in held.items()
            if key not in alive or len(versions) > 1
        ]


def _as_stored(point: ProtectedPoint, *, with_vectors: bool) -> StoredPoint:
    return StoredPoint(point.id, dict(point.payload), 1.0, point.vector.copy() if with_vectors else None)


def _relabelled(point: StoredPoint) -> dict[str, object]:
    changed: dict[str, object] = {}
    for key, value in point.payload.items():
        if key == "x":
            changed[key] = 2**50
        elif not key.startswith("f_"):
            changed[key] = value
        elif isinstance(value, bool):
            changed[key] = not value
        elif isinstance(value, int | float):
            changed[key] = value + 1
        else:
            changed[key] = "relabelled"
    return changed


def _flipped(point: StoredPoint) -> dict[str, object]:
    changed = dict(point.payload)
    sealed = changed.get("b")
    if isinstance(sealed, str):
        try:
            raw = bytearray(from_text(sealed))
        except EnvelopeRejected:
            raw = bytearray(sealed.encode())
        raw[-1:] = bytes([raw[-1] ^ 1]) if raw else b"\1"
        changed["b"] = to_text(bytes(raw))
    return changed


if TYPE_CHECKING:
    _: type[VectorBackend] = LyingBackend
