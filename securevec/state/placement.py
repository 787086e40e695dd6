"""A store whose tenants may live in more than one place, as everybody else sees it: one place for each namespace.

Where a tenant lives is said by the control store, which every process reads: at each call, before it and after it.

* A read goes to the place the tenant is read in. When a move was switched meanwhile, the answer may be of a place that
  is being emptied; it is thrown away and the new place is asked. Both places hold every live record at the switch.
* A write goes to both places while the tenant is being moved. When that began, or was switched, in the middle of a
  write, the write is done again as it should be now: an insert of the same points, a deletion of the same ids. So a
  write that was acknowledged is in the place that is read next, however the two fell together.

A namespace that names its layout itself is taken at its word: that is how a move works on either place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from securevec.backend import Capabilities, CollectionSpec, Page, RemovalReport, VectorBackend
from securevec.control.rows import Placement
from securevec.errors import BackendError, WriteNotAcknowledged
from securevec.filters import Expr
from securevec.types import Layout, Namespace, ProtectedPoint, StoredPoint, Terms, Vector

T = TypeVar("T")
Where = Callable[[str], Placement | None]
"""The placement of a tenant's tag, as committed now."""


def placed(backend: VectorBackend, where: Where) -> VectorBackend:
    """``backend`` itself where there is only one way to live in it."""
    return PlacedBackend(backend, where) if backend.capabilities.layouts else backend


class PlacedBackend:
    """``inner``, each namespace in its place."""

    def __init__(self, inner: VectorBackend, where: Where) -> None:
        self._inner = inner
        self._where = where

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        self._write(namespace, lambda at: self._inner.ensure(namespace=at, spec=spec))

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        self._write(namespace, lambda at: self._inner.insert(namespace=at, points=points))

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        return self._read(namespace, lambda at: self._inner.fetch(namespace=at, ids=ids, with_vectors=with_vectors))

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
        return self._read(
            namespace,
            lambda at: self._inner.query(
                namespace=at, vector=vector, where=where, limit=limit, exclude=exclude, terms=terms
            ),
        )

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        return self._read(namespace, lambda at: self._inner.scan(namespace=at, where=where, cursor=cursor, limit=limit))

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        return self._read(namespace, lambda at: self._inner.count(namespace=at, where=where))

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        """Read back in the place that readers do not see yet; the caller reads back in the other."""
        self._write(namespace, lambda at: self._inner.delete(namespace=at, ids=ids))
        moving = self._moving(namespace)
        if moving is not None and self._inner.fetch(namespace=replace(namespace, layout=moving), ids=ids):
            raise WriteNotAcknowledged("The store still shows points it was told to delete.")

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        return self._read(namespace, lambda at: self._inner.purge(namespace=at))

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        """From every place there is, whatever the control store says: a removal leaves nothing anywhere."""
        if namespace.layout is not None:
            return self._inner.drop(namespace=namespace)
        reports = [self._inner.drop(namespace=replace(namespace, layout=each)) for each in self.capabilities.layouts]
        return replace(reports[0], points=max(report.points for report in reports))

    def namespaces(self) -> Iterator[str]:
        return self._inner.namespaces()

    def close(self) -> None:
        self._inner.close()

    def _read(self, namespace: Namespace, call: Callable[[Namespace], T]) -> T:
        if namespace.layout is not None:
            return call(namespace)
        layout = self._layout(namespace)
        while True:
            try:
                answer = call(replace(namespace, layout=layout))
            except BackendError:
                if self._layout(namespace) == layout:
                    raise
            else:
                if self._layout(namespace) == layout:
                    return answer
            layout = self._layout(namespace)

    def _write(self, namespace: Namespace, call: Callable[[Namespace], None]) -> None:
        if namespace.layout is not None:
            call(namespace)
            return
        places = self._places(namespace)
        done: set[Layout] = set()
        while True:
            try:
                for layout in places:
                    if layout not in done:
                        call(replace(namespace, layout=layout))
                        done.add(layout)
            except BackendError:
                if self._places(namespace) == places:
                    raise
            if done.issuperset(now := self._places(namespace)):
                return
            places = now

    def _layout(self, namespace: Namespace) -> Layout:
        found = self._where(namespace.tenant_tag)
        return self.capabilities.layouts[0] if found is None else found.layout

    def _moving(self, namespace: Namespace) -> Layout | None:
        found = None if namespace.layout is not None else self._where(namespace.tenant_tag)
        return None if found is None else found.moving_to

    def _places(self, namespace: Namespace) -> tuple[Layout, ...]:
        found = self._where(namespace.tenant_tag)
        if found is None:
            return self.capabilities.layouts[:1]
        return (found.layout,) if found.moving_to is None else (found.layout, found.moving_to)


if TYPE_CHECKING:
    _: type[VectorBackend] = PlacedBackend
