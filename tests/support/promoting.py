"""A home on a stand-in for a Qdrant server, with two collections of a tenant that is moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from qdrant_client import QdrantClient

import securevec as sv
from securevec.backend import VectorBackend
from securevec.state.placement import placed
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout
from securevec_qdrant.server import QdrantServerBackend
from tests.support.world import ACME, GLOBEX, Ticket, ticket

N = 12


class Killed(BaseException):
    """What stands for the end of a process: nothing of ours catches it."""


class Home:
    """A home on a store that outlives its openings."""

    def __init__(self, base: Path, opener: Callable[[], QdrantServerBackend]) -> None:
        self._base = base
        self._opener = opener
        self.on_call: Callable[[str, Any], None] = lambda name, namespace: None

    def open(self) -> sv.SecureStore:
        store = sv.SecureStore.open(
            self._base / "home",
            backend="qdrant://localhost:1",
            key_file=self._base / "keys" / "root.key",
            embedder=HashEmbedder(),
        )
        control = store.runtime.control
        store.runtime.engine._opener = lambda: placed(self._watched(), control.placement)
        return store

    def _watched(self) -> VectorBackend:
        inner = self._opener()
        for name in ("ensure", "insert", "fetch", "query", "scan", "count", "delete", "drop"):
            setattr(inner, name, self._watch(name, getattr(inner, name)))
        return inner

    def _watch(self, name: str, honest: Callable[..., Any]) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            self.on_call(name, given["namespace"])
            return honest(**given)

        return call


class Local(QdrantClient):
    """Local mode that a home being closed does not end."""

    def close(self, grpc_grace: float | None = None, **kwargs: Any) -> None:
        """Ended by the test."""


def filled(store: sv.SecureStore) -> tuple[sv.Collection[Ticket], sv.Collection[Ticket]]:
    acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
    globex = store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket)
    acme.ingest([ticket(number, f"brickwork {number}") for number in range(N)])
    globex.ingest([ticket(number, f"lanternfish {number}") for number in range(3)])
    return acme, globex


def whole(collection: sv.Collection[Ticket], wanted: set[str]) -> None:
    """Every way of reading shows exactly these records."""
    assert {record.id for record in collection.iter()} == wanted
    assert {hit.record.id for hit in collection.search("brickwork", k=100)} == wanted
    assert collection.count() == len(wanted)
    collection.verify().raise_if_wrong()


def tickets(numbers: range) -> set[str]:
    return {f"T-{number}" for number in numbers}


def at(store: sv.SecureStore, collection: sv.Collection[Ticket], layout: Layout) -> int:
    """How many points the store holds of the collection in this layout."""
    namespace = replace(collection._scope.namespace, layout=layout)
    return store.runtime.backend().count(namespace=namespace)
