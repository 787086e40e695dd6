"""The end of every write: points inserted, read back, made the visible ones, the replaced ones removed.

For records that come from a source (``ingest``) and for those that are sealed anew as they are (``resealing``). The
batch was announced before (``begin_batch``); what is left of one that is not confirmed is taken back here as far as
that works now, and by recovery otherwise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

import numpy as np

from securevec.backend import VectorBackend
from securevec.errors import (
    ControlUnavailable,
    LegalHold,
    OutcomeUnknown,
    SecurevecError,
    SubjectErased,
    TenantUnavailable,
    WriteNotAcknowledged,
)
from securevec.guard import Admission
from securevec.removing.points import remove_points
from securevec.removing.recover import LEASE_MS
from securevec.state.runtime import Runtime
from securevec.types import NO_TERMS, CollectionId, Namespace, ProtectedPoint, StoredPoint, TenantId

_SAME: Final = 0.9999


class Target(Protocol):
    """Where the points of a batch belong. ``hybrid``: they may carry terms."""

    @property
    def tenant(self) -> TenantId: ...
    @property
    def collection(self) -> CollectionId: ...
    @property
    def namespace(self) -> Namespace: ...
    @property
    def hybrid(self) -> bool: ...


def switch_over(
    runtime: Runtime,
    target: Target,
    request: Admission,
    generations: Mapping[bytes, int],
    points: Sequence[ProtectedPoint],
    counts: Mapping[str, int],
    *,
    redactions: Mapping[str, int] | None = None,
    erasing: bool = False,
    people: Sequence[bytes] = (),
    alive: Callable[[], None] | None = None,
    resealing: bool = False,
    with_vectors: bool = False,
) -> None:
    """Carry an announced batch, whose intent is recorded, to its end. ``erasing``, ``people`` and ``resealing`` as it
    was begun; ``alive`` is asked in the transaction that switches. ``with_vectors`` are read back too, where they are
    what is exchanged.

    Raises :class:`TenantUnavailable`, :class:`LegalHold` and :class:`SubjectErased` when it is refused at the switch:
    nothing became visible then. :class:`OutcomeUnknown` for whatever else stops it.
    """
    backend = runtime.backend()
    try:
        _require_held(runtime, request.request_id)
        backend.insert(namespace=target.namespace, points=points)
        _read_back(backend, target, points, with_vectors=with_vectors)
        retiring = runtime.control.commit_batch(
            request_id=request.request_id,
            fence=request.fence,
            erasing=erasing,
            people=people,
            alive=alive,
            resealing=resealing,
        )
        remove_points(runtime, target.tenant, target.namespace, target.collection, retiring)
        # Before the batch is forgotten: killed in between, recovery still knows of it and answers its intent.
        request.note(phase="result", counts=counts, redactions=redactions)
        runtime.control.finish_batch(request_id=request.request_id)
    except BaseException as error:
        _give_up(runtime, target, request, generations, points, counts, error)
        if isinstance(error, TenantUnavailable | LegalHold | SubjectErased) or not isinstance(error, SecurevecError):
            # Refused at the switch, where nothing became visible; or an interrupt, which speaks for itself.
            raise
        raise OutcomeUnknown(
            f"A write began and was not confirmed; what it left is settled before the next write. Why: {error.message}",
            request_id=request.request_id,
            next_step=f"{error.next_step} The write can be repeated safely; "
            f"securevec audit tail shows request {request.request_id}.".lstrip(),
        ) from error


def _require_held(runtime: Runtime, request_id: str) -> None:
    """Before anything reaches the store: points of a batch that others settled would be known to nobody once this
    process ends. A lease that is half over is begun again. Raises :class:`ControlUnavailable`."""
    batch, now_ms = runtime.control.batch(request_id), runtime.clock.now_ms()
    if batch is None or batch.state != "open":
        raise ControlUnavailable("This batch is no longer held by its writer.", next_step="Write again.")
    if batch.lease_until_ms - now_ms < LEASE_MS // 2:
        runtime.control.extend_lease(request_id, now_ms + LEASE_MS)


def _present(runtime: Runtime, namespace: Namespace, ids: Sequence[UUID]) -> set[UUID]:
    if not ids:
        return set()
    return {point.id for point in runtime.backend().fetch(namespace=namespace, ids=ids)}


def _give_up(
    runtime: Runtime,
    target: Target,
    request: Admission,
    generations: Mapping[bytes, int],
    points: Sequence[ProtectedPoint],
    counts: Mapping[str, int],
    error: BaseException,
) -> None:
    """Take an unconfirmed batch back as far as that works now; recovery does the rest. The first error speaks.

    Each step is tried whatever became of the one before: another process may have settled the batch already, and then
    only this process still knows of points it inserted since. A batch that was committed is left to recovery, which
    finishes it forward.
    """
    with contextlib.suppress(SecurevecError):
        runtime.control.abort_batch(request_id=request.request_id)
    with contextlib.suppress(SecurevecError):
        if not _is_dead(runtime, target, request.request_id, generations):
            runtime.control.extend_lease(request.request_id, 0)
            return
        ids = [point.id for point in points]
        runtime.backend().delete(namespace=target.namespace, ids=ids)
        if not _present(runtime, target.namespace, ids):
            runtime.keys.bury_documents(target.tenant, generations.items())
            request.failure(error, phase="result", counts=counts)
            runtime.control.finish_batch(request_id=request.request_id)


def _is_dead(runtime: Runtime, target: Target, request_id: str, generations: Mapping[bytes, int]) -> bool:
    """Whether nobody reads or will read any point of the batch: then its writer removes them, and forgets it.

    Of a batch that was committed, others may have replaced or deleted records since. That says nothing of its other
    records, and what it replaced may be in the store still, named by its own rows alone.
    """
    batch = runtime.control.batch(request_id)
    if batch is not None:
        return batch.state == "switched" and not batch.committed
    # Others settled and finished it: aborted, or committed and replaced as a whole by now.
    return len(runtime.control.orphans(target.collection, list(generations.items()))) == len(generations)


def _read_back(backend: VectorBackend, target: Target, points: Sequence[ProtectedPoint], *, with_vectors: bool) -> None:
    """Every point must be there as it was just written, whole: stores drop operations without an error. Adapters may
    leave this to their caller."""
    ids = [point.id for point in points]
    # Terms come with the vectors, and only hybrid collections have any.
    found_now = backend.fetch(namespace=target.namespace, ids=ids, with_vectors=target.hybrid or with_vectors)
    stored = {point.id: point for point in found_now}
    for point in points:
        found = stored.get(point.id)
        if found is None or found.payload != point.payload:
            raise WriteNotAcknowledged("The store does not show what was just written.")
        if (found.terms or NO_TERMS) != (point.terms or NO_TERMS):
            raise WriteNotAcknowledged("The store does not show what was just written.")
        if with_vectors and not _is_direction_of(found, point):
            raise WriteNotAcknowledged("The store does not show the vector that was just written.")


def _is_direction_of(found: StoredPoint, point: ProtectedPoint) -> bool:
    """A store may keep a vector at length one, and round it."""
    if found.vector is None or np.shape(found.vector) != np.shape(point.vector):
        return False
    lengths = float(np.linalg.norm(found.vector)) * float(np.linalg.norm(point.vector))
    return lengths > 0.0 and float(np.dot(found.vector, point.vector)) / lengths > _SAME
