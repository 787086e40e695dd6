"""The seam to a vector store: a small, keyword-only protocol. Adapters import nothing of securevec but this
module, ``filters``, ``errors``, ``types`` and ``limits``: never keys, policy or plaintext.

Rules every adapter keeps (the conformance suite in :mod:`securevec.testing` checks them):

1. No call works without a :class:`Namespace`, and no call reads, counts, changes or deletes a point outside it,
   whatever the ids or the filter say. Shared layouts nest the caller's filter: ``must[tenant, collection, filter]``.
2. ``insert`` replaces a point of the same id as a whole (no merge of old keys). It refuses vectors that are not
   finite, zero, or of another dimension (:class:`VectorError`), and payload values that are not scalars.
3. Vendor exceptions become :class:`BackendError` with their cause kept, also inside iteration. A lost connection
   after a write began is a ``BackendError``; the caller turns it into ``OutcomeUnknown``.
4. An empty id list is answered without asking the store (an empty engine filter means *everything*).
5. Filters arrive lowered: keys are payload keys (``f_status``), values are scalars. An adapter decides every filter
   exactly as ``filters.matches`` does, in the engine or on what the engine returns for a wider filter. It never drops a
   clause, and raises :class:`FilterError` for a filter that is not whole (``filters.check(where, lowered=True)``).
6. Nothing is logged. No raw client object is reachable from the public attributes.
7. With ``terms``, two lists are fused by reciprocal rank: the nearest points by cosine, and the best by the dot product
   of their terms with these. Each holds the best ``max(limit, HYBRID_DEPTH)``; a point's score is the sum of
   ``1 / (RRF_K + place)`` over the lists it is in, places counted from 0. Namespace and filter hold in each list. No
   statistics are taken over points: what others store changes no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable
from uuid import UUID

import numpy as np

from securevec import limits
from securevec.errors import HybridUnavailable, VectorError
from securevec.filters import Expr
from securevec.types import Layout, Namespace, ProtectedPoint, StoredPoint, Terms, Vector

OTHERWISE: Final = "This collection exists, and was made otherwise: with terms or without."
RRF_K: Final = 2
"""Small, so that the first of one list comes before the middle of both: docs/adr/0018."""
HYBRID_DEPTH: Final = 100

FieldKind = Literal["keyword", "integer", "float", "bool"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do. The journeys ask these flags, never the backend's name."""

    embedded: bool
    """The data lies under the home: one process at a time, guarded by ``engine.lock``."""
    volatile: bool
    """Points do not outlive the process."""
    physical_isolation: bool
    """Each namespace has files or a collection of its own."""
    cheap_range_filter: bool
    """A range condition costs little, so a search may leave due records to the store when they stand in its way."""
    can_purge_vectors: bool
    """``purge`` and ``drop`` remove the bytes of deleted vectors from live files."""
    layouts: tuple[Layout, ...] = ()
    """Where a tenant may live, first where it does that was not moved: each is a place of its own for one and the same
    namespace. Empty where there is only one way."""
    sparse: bool = False
    """Points may carry terms, and ``query`` ranks by them too (rule 7)."""


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """What ``ensure`` creates: dimension, metric, and the payload keys that filters will use. Raises
    :class:`VectorError` for a dimension outside the limits, so no adapter meets one."""

    dimension: int
    distance: Literal["cosine"] = "cosine"
    filter_keys: Mapping[str, FieldKind] = field(default_factory=dict[str, "FieldKind"])
    sparse: bool = False
    """Whether points carry terms. ``ensure`` raises :class:`HybridUnavailable` where they cannot."""

    def __post_init__(self) -> None:
        if not 1 <= self.dimension <= limits.MAX_DIMENSION:
            raise VectorError(f"A vector has 1 to {limits.MAX_DIMENSION} components.")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scan, ordered by id. ``cursor`` continues it; ``None`` ends it."""

    points: Sequence[StoredPoint]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What ``purge`` or ``drop`` physically did.

    ``index_removed``: the store no longer answers for the points. ``bytes_removed``: their bytes are gone from
    live files, ``None`` when this backend cannot know. ``residual`` says in words what may remain.
    """

    points: int
    index_removed: bool
    bytes_removed: bool | None
    residual: str


def check_terms(terms: Terms | None, *, sparse: bool) -> Terms | None:
    """The terms of a point or a question, for adapters.

    Raises :class:`HybridUnavailable` where there is no place for them (``sparse``), and :class:`VectorError` for what
    is no set of terms: equal or unsorted numbers, weights that are not above zero.
    """
    if terms is None:
        return None
    if not sparse:
        raise HybridUnavailable(
            "This collection keeps no terms.",
            next_step="Make it with hybrid=True, under another name, and ingest again.",
        )
    numbers, weights = terms.indices, terms.weights
    whole = numbers.dtype == np.uint32 and weights.dtype == np.float32 and numbers.ndim == weights.ndim == 1
    if not whole or len(numbers) != len(weights) or not bool((numbers[1:] > numbers[:-1]).all()):
        raise VectorError("Terms are distinct 32-bit numbers in ascending order, each with a float32 weight.")
    if not bool((np.isfinite(weights) & (weights > 0)).all()):
        raise VectorError("The weight of a term is above zero.")
    return terms


@runtime_checkable
class VectorBackend(Protocol):
    """A vector store as securevec uses it. Thread-safe; the caller serialises writes per namespace."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def ensure(self, *, namespace: Namespace, spec: CollectionSpec) -> None:
        """Create the namespace's place and its indexes if absent. Idempotent.

        Raises :class:`VectorError` when it exists with another dimension, :class:`BackendError` otherwise.
        """
        ...

    def insert(self, *, namespace: Namespace, points: Sequence[ProtectedPoint]) -> None:
        """Store points, replacing those of the same id. Durable against a killed process when it returns."""
        ...

    def fetch(self, *, namespace: Namespace, ids: Sequence[UUID], with_vectors: bool = False) -> list[StoredPoint]:
        """The points among ``ids`` that exist here, in any order, with whole payloads; ``with_vectors`` also terms."""
        ...

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
        """Up to ``limit`` nearest points by cosine similarity, best first, ``score`` filled; with ``terms``, by rule 7.

        ``exclude`` names payload keys that need not be returned (a hint that saves transport).
        """
        ...

    def scan(self, *, namespace: Namespace, where: Expr | None, cursor: str | None, limit: int) -> Page:
        """Page through every point, in a stable order, with whole payloads and no vectors."""
        ...

    def count(self, *, namespace: Namespace, where: Expr | None = None) -> int:
        """The exact number of points."""
        ...

    def delete(self, *, namespace: Namespace, ids: Sequence[UUID]) -> None:
        """Delete points by id; absent ids are no error. Durable against a killed process when it returns."""
        ...

    def purge(self, *, namespace: Namespace) -> RemovalReport:
        """Remove the bytes of already deleted points where the store allows it."""
        ...

    def drop(self, *, namespace: Namespace) -> RemovalReport:
        """Remove the namespace and all its points. Idempotent: an absent namespace reports zero points."""
        ...

    def namespaces(self) -> Iterator[str]:
        """Opaque shard names (embedded) or tenant tags (shared) that hold anything, for verification."""
        ...

    def close(self) -> None:
        """Release files and connections. Idempotent."""
        ...


@runtime_checkable
class CopiesFiles(Protocol):
    """An embedded store whose files can be copied while it is in use, for a backup."""

    def copy_files(self, *, namespace: Namespace, target: Path) -> bool:
        """Copy a namespace's files, whole and at rest, into ``target``, which becomes (with what was copied there
        before) a root that this kind of store opens. Returns whether the namespace had any; it must not be there yet.

        Readers and writers of the namespace wait meanwhile. Raises :class:`BackendError`.
        """
        ...


@runtime_checkable
class BuildsIndexes(Protocol):
    """An embedded store that builds vector indexes by itself, at a time of its own choosing."""

    def finish_indexes(self) -> None:
        """Build now what waits to be built, and return when every index that is due is in use or given up."""
        ...

    def index_breadth(self, *, namespace: Namespace) -> int | None:
        """How many candidates a search looks at in the namespace's vector index: 0 where the scan was found better,
        ``None`` where there is no index."""
        ...
