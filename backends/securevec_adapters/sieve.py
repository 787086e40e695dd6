"""Deciding a filter in this process where an engine cannot.

The adapter is asked again, for a wider filter that its engine decides exactly. What that returns is looked at point by
point, and more is asked for until there is enough: an answer is never wrong and never shorter than it should be. It
costs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securevec.backend import Page, VectorBackend
from securevec.filters import Expr, fields, matches
from securevec.types import Namespace, StoredPoint, Terms, Vector

_FURTHER: Final = 4
"""How much further each look goes."""
_PAGE: Final = 1000


def query(
    backend: VectorBackend,
    *,
    namespace: Namespace,
    vector: Vector,
    where: Expr,
    wider: Expr,
    limit: int,
    exclude: Sequence[str],
    terms: Terms | None = None,
) -> list[StoredPoint]:
    """The best ``limit`` points that satisfy ``where``, among those that satisfy ``wider``.

    With ``terms`` the places of a list are those among ``wider``.
    """
    needed = set(fields(where))
    unneeded = [key for key in exclude if key not in needed]
    wanted = limit
    while True:
        found = backend.query(
            namespace=namespace, vector=vector, where=wider, limit=wanted, exclude=unneeded, terms=terms
        )
        kept = [point for point in found if matches(where, point.payload)]
        if len(kept) >= limit or len(found) < wanted:
            return kept[:limit]
        wanted *= _FURTHER


def scan(
    backend: VectorBackend, *, namespace: Namespace, where: Expr, wider: Expr, cursor: str | None, limit: int
) -> Page:
    """Up to ``limit`` points that satisfy ``where``, and the cursor behind the last one looked at."""
    kept: list[StoredPoint] = []
    while True:
        found = backend.scan(namespace=namespace, where=wider, cursor=cursor, limit=limit - len(kept))
        kept += [point for point in found.points if matches(where, point.payload)]
        cursor = found.cursor
        if cursor is None or len(kept) >= limit:
            return Page(kept, cursor)


def count(backend: VectorBackend, *, namespace: Namespace, where: Expr, wider: Expr) -> int:
    """How many points satisfy ``where``."""
    total, cursor = 0, None
    while True:
        found = backend.scan(namespace=namespace, where=wider, cursor=cursor, limit=_PAGE)
        total += sum(matches(where, point.payload) for point in found.points)
        cursor = found.cursor
        if cursor is None:
            return total
