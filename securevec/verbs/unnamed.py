"""Points that the store has and the manifest does not name: ``old`` in a verification.

They come with files that were put back (of the engine alone, or of a server), or are left by a writer that died behind
everybody else. No reader is shown one; until they are removed they lie there, sealed text and vector.

Only what is ours goes: a point that opens here as a record of another time, or whose key was destroyed, so that nobody
ever reads it again. What does not open otherwise stays, and ``verify`` calls it ``foreign``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from securevec.control.leftovers import Leftover
from securevec.control.rows import CollectionRow
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.errors import EnvelopeRejected, KeyDestroyed, UnknownFormat, UnknownKey, WriteNotAcknowledged
from securevec.guard import Admission
from securevec.proof.probe import Needles, Standing
from securevec.proof.purging import needles_of, stands
from securevec.proof.watching import PROBED
from securevec.reading.lifting import lifted
from securevec.reading.opening import check_place, distinct, open_body
from securevec.state.runtime import Runtime
from securevec.types import Namespace, RecordRef, StoredPoint

_STEP: Final = 256
_ALL: Final = 0
"""A time before every expiry: what is due and not yet removed is named like the rest."""
_UNREADABLE: Final = Leftover(b"", 0)


@dataclass(slots=True)
class Swept:
    """Points removed, and those kept by a hold; what to look for of the first that were removed, and which of it stood
    in the files before."""

    removed: int = 0
    held: int = 0
    needles: Needles = field(default_factory=lambda: Needles((), ()))
    stood: Standing | None = None


def sweep(runtime: Runtime, row: CollectionRow, namespace: Namespace, admission: Admission, swept: Swept) -> None:
    """Remove every such point of one collection, and read back; ``swept`` counts along. The caller keeps other writers
    of this process out, and has settled what interrupted writes left. Repeatable.

    Raises :class:`WriteNotAcknowledged` when the store still shows a point that it was told to delete.
    """
    found: dict[Leftover, list[UUID]] = {}
    for each, point in _unnamed(runtime, row, namespace):
        found.setdefault(each, []).append(point)
    tokens: dict[tuple[bytes, int], frozenset[bytes]] = {}
    ids: dict[tuple[bytes, int], list[UUID]] = {}
    for each, points in found.items():  # a piece of a record mentions whom it mentions, and a hold covers all of it
        key = (each.ref, each.generation)
        tokens[key] = tokens.get(key, frozenset()) | each.tokens
        ids.setdefault(key, []).extend(points)
    whole = [Leftover(ref, generation, tokens[ref, generation]) for ref, generation in ids]
    for start in range(0, len(whole), _STEP):

        def remove(free: Sequence[Leftover]) -> None:
            going = [point for each in free for point in ids[each.ref, each.generation]]
            if swept.stood is None:
                swept.needles = needles_of(
                    runtime.backend().fetch(namespace=namespace, ids=going[:PROBED], with_vectors=True)
                )
                swept.stood = stands(runtime, namespace, swept.needles)
            _delete(runtime, namespace, going)
            swept.removed += len(going)

        held = runtime.control.while_nobody_holds(
            row.tenant, row.collection, admission.fence, whole[start : start + _STEP], remove
        )
        swept.held += sum(len(ids[each.ref, each.generation]) for each in held)


def _unnamed(runtime: Runtime, row: CollectionRow, namespace: Namespace) -> Iterator[tuple[Leftover, UUID]]:
    """Points of the store that the manifest does not name as it stands, each with what it is left of."""
    named: set[int] | None = None
    cursor: str | None = None
    while True:
        page = runtime.backend().scan(namespace=namespace, where=None, cursor=cursor, limit=_STEP)
        opened = {point.id: _opened(runtime, row, point) for point in distinct(page.points)}
        refs = list({each.ref for each in opened.values() if each is not None and each.ref})
        states = runtime.control.generations(row.collection, refs)
        for point, each in opened.items():
            if each is None or each.generation in states.get(RecordRef(each.ref), {}):
                continue
            if each == _UNREADABLE:
                named = _named(runtime, row) if named is None else named
                if point.int in named:
                    continue
            yield each, point
        cursor = page.cursor
        if cursor is None:
            return


def _opened(runtime: Runtime, row: CollectionRow, point: StoredPoint) -> Leftover | None:
    """What a point is of; ``None`` where it is not a point of this collection, or cannot be told to be."""
    keys = runtime.keys.view()
    ids = RecordIds(keys.tenant_key(row.tenant, "id"), row.collection)
    try:
        body = lifted(keys, row.tenant, open_body(keys, row, point), runtime.control.token_version(row.tenant))
        ref = ids.ref(typed_record_id(body.record_id))
        check_place(ids, point, body, ref)
    except KeyDestroyed:
        return _UNREADABLE
    except (EnvelopeRejected, UnknownKey, UnknownFormat):
        return None
    return Leftover(ref, body.generation, frozenset(body.about) | frozenset(body.mentions))


def _named(runtime: Runtime, row: CollectionRow) -> set[int]:
    """The id of every point that the manifest names, live or on its way, as numbers of 128 bits."""
    ids = RecordIds(runtime.keys.tenant_key(row.tenant, "id"), row.collection)
    rows = [*runtime.control.pending(row.collection)]
    last = b""
    while some := runtime.control.live_after(row.collection, last, limit=_STEP, now_ms=_ALL):
        rows += some
        last = some[-1].ref
    return {
        ids.point_number(RecordRef(each.ref), each.generation, chunk) for each in rows for chunk in range(each.n_chunks)
    }


def _delete(runtime: Runtime, namespace: Namespace, ids: Sequence[UUID]) -> None:
    for start in range(0, len(ids), _STEP):
        some = list(ids[start : start + _STEP])
        runtime.backend().delete(namespace=namespace, ids=some)
        if runtime.backend().fetch(namespace=namespace, ids=some):
            raise WriteNotAcknowledged("The store still shows points it was told to delete.")
