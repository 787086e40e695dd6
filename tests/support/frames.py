"""Homes for the tests of frameworks: one for each store and module, a collection of its own for each test."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import pytest

import securevec as sv
from securevec.embed import Embedder

R = TypeVar("R", bound=sv.Record)

_NEEDS = {"edge": "qdrant_edge", "chroma": "chromadb", "memory": "securevec"}


class Home:
    """An open home and collections in it."""

    def __init__(self, store: sv.SecureStore) -> None:
        self.store = store
        self._numbers = itertools.count()

    def collection(self, record: type[R], *, tenant: str = "acme", name: str | None = None) -> sv.Collection[R]:
        """An empty collection of the tenant, or the one of that name."""
        handle = self.store.tenant(tenant, create=True, actor=sv.Actor(f"svc:{tenant}"))
        return handle.collection(record, name=name or f"documents-{next(self._numbers)}")


class Homes:
    """One home for each store that is asked for."""

    def __init__(self, root: Path, embedder: Embedder) -> None:
        self._root = root
        self._embedder = embedder
        self._open: dict[str, Home] = {}
        self._closing = ExitStack()

    def __getitem__(self, backend: str) -> Home:
        pytest.importorskip(_NEEDS[backend], reason=f"needs securevec[{backend}]", exc_type=ModuleNotFoundError)
        if backend not in self._open:
            place = self._root / backend
            place.mkdir()
            store = sv.SecureStore.open(
                place / "home", backend=backend, key_file=place / "root.key", embedder=self._embedder
            )
            self._open[backend] = Home(self._closing.enter_context(store))
        return self._open[backend]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()
