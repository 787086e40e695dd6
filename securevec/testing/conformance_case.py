"""What every part of the conformance suite stands on: the hook, two namespaces, points that follow from a number."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import pytest

from securevec.backend import CollectionSpec, VectorBackend
from securevec.types import Namespace, ProtectedPoint, Scalar, StoredPoint, Vector

DIMENSION: Final = 8
SPEC: Final = CollectionSpec(DIMENSION, "cosine", {"f_a": "keyword", "f_b": "integer", "f_c": "bool", "x": "integer"})


class ConformanceCase(ABC):
    """Subclasses say how to open the backend under test."""

    @abstractmethod
    def open(self, root: Path) -> VectorBackend:
        """A backend that keeps its files, if any, under ``root``, an existing directory of this test alone."""

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[VectorBackend]:
        opened = self.open(tmp_path)
        yield opened
        opened.close()

    @pytest.fixture
    def mine(self, backend: VectorBackend) -> Namespace:
        """An empty namespace of one tenant."""
        namespace = a_namespace("mine")
        backend.ensure(namespace=namespace, spec=SPEC)
        return namespace

    @pytest.fixture
    def theirs(self, backend: VectorBackend) -> Namespace:
        """A namespace of another tenant that holds points 0 to 9."""
        namespace = a_namespace("theirs")
        backend.ensure(namespace=namespace, spec=SPEC)
        backend.insert(namespace=namespace, points=[a_point(namespace, number) for number in range(10)])
        return namespace


def a_namespace(tenant: str, collection: str = "tickets") -> Namespace:
    """A namespace as the core makes them: three names of 32 hex digits."""
    return Namespace(_tag("shard", tenant, collection), _tag("tenant", tenant), _tag("collection", tenant, collection))


def an_id(number: int) -> UUID:
    """A UUID of version 8, as the core derives them."""
    bits = int.from_bytes(hashlib.sha256(b"point %d" % number).digest()[:16], "big")
    return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def a_vector(number: int) -> Vector:
    """A vector that follows from ``number``, shape (DIMENSION,)."""
    return np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)


def a_point(
    namespace: Namespace, number: int, payload: Mapping[str, Scalar] | None = None, vector: Vector | None = None
) -> ProtectedPoint:
    """Point ``number`` stamped for ``namespace``, with its number at payload key ``n``."""
    stamped: dict[str, Scalar] = {
        "sv": 1,
        "t": namespace.tenant_tag,
        "c": namespace.collection_tag,
        "n": number,
        **(payload or {}),
    }
    return ProtectedPoint(an_id(number), a_vector(number) if vector is None else vector, stamped)


def numbers(points: Iterable[StoredPoint]) -> list[object]:
    """Which points these are, in the order they came."""
    return [point.payload["n"] for point in points]


def everything(backend: VectorBackend, namespace: Namespace, *, page: int = 100) -> list[StoredPoint]:
    """Every point of a namespace, by scanning."""
    found: list[StoredPoint] = []
    cursor: str | None = None
    while True:
        answer = backend.scan(namespace=namespace, where=None, cursor=cursor, limit=page)
        found += answer.points
        cursor = answer.cursor
        if cursor is None:
            return found


def held(backend: VectorBackend, namespace: Namespace) -> set[object]:
    """The numbers of every point of a namespace, agreed on by scan and count."""
    found = numbers(everything(backend, namespace))
    assert backend.count(namespace=namespace) == len(found), "count and scan disagree"
    return set(found)


def fill(backend: VectorBackend, namespace: Namespace, wanted: Sequence[int]) -> None:
    """Insert the points of these numbers."""
    backend.insert(namespace=namespace, points=[a_point(namespace, number) for number in wanted])


def every_call(backend: VectorBackend, namespace: Namespace) -> list[Callable[[], object]]:
    """Each call that a backend takes for a namespace, the one that makes it first and the one that drops it last."""
    return [
        lambda: backend.ensure(namespace=namespace, spec=SPEC),
        lambda: backend.insert(namespace=namespace, points=[a_point(namespace, 1)]),
        lambda: backend.fetch(namespace=namespace, ids=[an_id(1)]),
        lambda: backend.query(namespace=namespace, vector=a_vector(1), where=None, limit=1),
        lambda: backend.scan(namespace=namespace, where=None, cursor=None, limit=1),
        lambda: backend.count(namespace=namespace),
        lambda: backend.delete(namespace=namespace, ids=[an_id(1)]),
        lambda: backend.purge(namespace=namespace),
        lambda: backend.drop(namespace=namespace),
    ]


def _tag(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]
