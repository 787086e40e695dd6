"""Moving the points of one collection to another place of the same store while it is read and written.

A point never changes and its id is never given again, so to copy is to copy what the manifest names, and to check is to
look for it. Every write goes to both places meanwhile (:mod:`securevec.state.placement`); what a write and the copy do
to one point at once is settled by the manifest: what it does not name after the copy is taken away again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import numpy as np

from securevec.control.rows import ManifestRow
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.errors import CheckFailed, EnvelopeRejected, KeyDestroyed, UnknownFormat, UnknownKey
from securevec.reading.opening import check_place, open_body
from securevec.state.runtime import Runtime
from securevec.types import NO_TERMS, CollectionId, Namespace, ProtectedPoint, RecordRef, Scalar, StoredPoint, TenantId

STEP: Final = 128
"""Records copied at once, at most."""
SHEET_BYTES: Final = 16 * 1024 * 1024
_ALL: Final = 0
"""A time before every expiry: what is due and not yet removed is moved like the rest."""
_QUIET: Final = 5
_TOLERANCE: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Move:
    """One collection on its way: the same namespace at ``source`` and at ``target``. ``still`` is called between two
    parts, and raises when the move may not go on."""

    runtime: Runtime
    tenant: TenantId
    collection: CollectionId
    source: Namespace
    target: Namespace
    still: Callable[[], None]

    @property
    def ids(self) -> RecordIds:
        return RecordIds(self.runtime.keys.tenant_key(self.tenant, "id"), self.collection)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found in the new place: every point the manifest names, and how many it does not, now removed.
    ``digest`` is SHA-256 over ids and sealed values in the order of the manifest."""

    records: int
    points: int
    strangers: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "points": self.points,
            "strangers": self.strangers,
            "digest": self.digest,
        }


def copy(move: Move) -> int:
    """Copy what the manifest names and the new place lacks. Returns how many points were copied. Repeatable.

    What is being written comes first: a record that goes live meanwhile is in one list or in the other. Raises
    :class:`CheckFailed` when the old place does not show what the manifest names.
    """
    control = move.runtime.control
    copied = 0
    for sheet in _sheets((*control.pending(move.collection),)):
        copied += _copy(move, sheet, lost=_none)
    for sheet in _sheets(_live(move)):
        copied += _copy(move, sheet, lost=_missing)
    return copied


def spare(move: Move) -> int:
    """Before the source is emptied: copy what the manifest names now and only the source holds. Returns how many points
    that were: 0, unless files of either store were put back since the places were compared. Repeatable.

    Raises :class:`CheckFailed` for a point that does not open: with another key store it might.
    """
    if not move.runtime.backend().count(namespace=move.source):
        return 0
    return sum(_copy(move, _kept_by_source(move, sheet), lost=_unopened) for sheet in _sheets(_live(move)))


def check(move: Move) -> Checked:
    """Look for every point the manifest names, in the new place, opened and compared with the old one; and for others.

    Raises :class:`CheckFailed` for a point that is missing or differs. What the manifest does not name is removed.
    """
    digest = hashlib.sha256()
    named: set[int] = set()
    records = points = 0
    for sheet in _sheets(_live(move)):
        move.still()
        found = _compare(move, sheet)
        for point, sealed in found:
            digest.update(point.bytes + sealed)
        named.update(point.int for point, _ in found)
        records += len(sheet)
        points += len(found)
    strangers = _strangers(move, named)
    _counts_agree(move)
    return Checked(records, points, strangers, digest.hexdigest())


def _live(move: Move) -> Iterator[ManifestRow]:
    last = b""
    while rows := move.runtime.control.live_after(move.collection, last, limit=STEP, now_ms=_ALL):
        yield from rows
        last = rows[-1].ref


def _sheets(rows: Iterable[ManifestRow]) -> Iterator[list[ManifestRow]]:
    """Rows in runs that memory is given for."""
    sheet: list[ManifestRow] = []
    size = 0
    for row in rows:
        if sheet and (len(sheet) >= STEP or size + row.size > SHEET_BYTES):
            yield sheet
            sheet, size = [], 0
        sheet.append(row)
        size += row.size
    if sheet:
        yield sheet


def _points_of(move: Move, rows: Iterable[ManifestRow]) -> dict[UUID, ManifestRow]:
    ids = move.ids
    return {
        ids.point(RecordRef(row.ref), row.generation, number): row for row in rows for number in range(row.n_chunks)
    }


def _kept_by_source(move: Move, sheet: list[ManifestRow]) -> list[ManifestRow]:
    """Rows of which the target lacks a point, and that are live still: nothing is copied beside those who replace and
    delete records, whom a killed copy would leave a point behind."""
    wanted = _points_of(move, sheet)
    there = {point.id for point in move.runtime.backend().fetch(namespace=move.target, ids=list(wanted))}
    lacking = {row.ref: row for point, row in wanted.items() if point not in there}
    live = move.runtime.control.live(move.collection, list(lacking)) if lacking else {}
    return [row for ref, row in lacking.items() if live.get(ref) == row.generation]


def _none(move: Move, point: StoredPoint | None) -> bool:
    return False


def _missing(move: Move, point: StoredPoint | None) -> bool:
    return not _opens(move, point)


def _unopened(move: Move, point: StoredPoint | None) -> bool:
    return point is not None and not _opens(move, point)


def _copy(move: Move, sheet: list[ManifestRow], *, lost: Callable[[Move, StoredPoint | None], bool]) -> int:
    """``lost``: whether a point that the target lacks, as the source shows it, forbids the copy while it is live."""
    move.still()
    backend = move.runtime.backend()
    wanted = _points_of(move, sheet)
    if not wanted:
        return 0
    there = {point.id for point in backend.fetch(namespace=move.target, ids=list(wanted))}
    absent = [point for point in wanted if point not in there]
    if not absent:
        return 0
    found = {p.id: p for p in backend.fetch(namespace=move.source, ids=absent, with_vectors=True) if p.id in wanted}
    wrong = {wanted[point].ref: wanted[point] for point in absent if lost(move, found.get(point))}
    if _still_live(move, wrong):
        raise CheckFailed(
            "The store does not show a record of this tenant as it was written, so it is not moved.",
            next_step="Find it with securevec verify T/C, ingest it again; or: securevec jobs cancel JOB",
        )
    points = [_as_written(point) for point in found.values() if point.vector is not None]
    backend.insert(namespace=move.target, points=points)
    # A deletion that looked in the new place before this point was there did not find it: now the manifest decides.
    states = move.runtime.control.generations(move.collection, [row.ref for row in sheet])
    gone = [
        point for point, row in wanted.items() if states.get(row.ref, {}).get(row.generation) not in ("live", "pending")
    ]
    backend.delete(namespace=move.target, ids=gone)
    return len(points)


def _compare(move: Move, sheet: list[ManifestRow]) -> list[tuple[UUID, bytes]]:
    """The ids of a sheet's points, each with a digest of its sealed values, once both places agree on them."""
    backend = move.runtime.backend()
    wanted = _points_of(move, sheet)
    sides = [
        {point.id: point for point in backend.fetch(namespace=at, ids=list(wanted), with_vectors=True)}
        for at in (move.source, move.target)
    ]
    agreed: list[tuple[UUID, bytes]] = []
    wrong: dict[bytes, ManifestRow] = {}
    for point, row in wanted.items():
        old, new = (side.get(point) for side in sides)
        if old is None or new is None or not _same(old, new) or not _opens(move, new):
            wrong[row.ref] = row
        else:
            agreed.append((point, _sealed(new)))
    if _still_live(move, wrong):
        raise CheckFailed(
            "The new place does not hold what the manifest says; nothing was switched.",
            next_step="Try again: securevec jobs retry JOB; or take it back: securevec jobs cancel JOB",
        )
    return agreed


def _same(old: StoredPoint, new: StoredPoint) -> bool:
    if old.payload != new.payload or old.vector is None or new.vector is None:
        return False
    if (old.terms or NO_TERMS) != (new.terms or NO_TERMS):
        return False
    return bool(np.allclose(old.vector, new.vector, rtol=0.0, atol=_TOLERANCE))


def _sealed(point: StoredPoint) -> bytes:
    whole = hashlib.sha256()
    for key in ("b", "v"):
        value = point.payload.get(key)
        data = value.encode() if isinstance(value, str) else b""
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.digest()


def _opens(move: Move, point: StoredPoint | None) -> bool:
    """Whether a point opens in its place. One whose key died with its expiry bucket cannot be opened by anyone."""
    if point is None:
        return False
    try:
        body = open_body(move.runtime.keys.view(), move, point)
        ref = move.ids.ref(typed_record_id(body.record_id))
        check_place(move.ids, point, body, ref)
    except KeyDestroyed:
        return True
    except (EnvelopeRejected, UnknownKey, UnknownFormat):
        return False
    return True


def _still_live(move: Move, rows: Mapping[bytes, ManifestRow]) -> bool:
    """Whether the manifest names one of these generations now: the others were replaced or deleted meanwhile."""
    live = move.runtime.control.live(move.collection, list(rows)) if rows else {}
    return any(live.get(ref) == row.generation for ref, row in rows.items())


def _as_written(point: StoredPoint) -> ProtectedPoint:
    payload = cast("Mapping[str, Scalar]", point.payload)
    return ProtectedPoint(point.id, cast("Any", point.vector), payload, point.terms)


def _strangers(move: Move, named: set[int]) -> int:
    """Remove what the new place holds and the manifest does not name: copies of what was deleted meanwhile."""
    backend = move.runtime.backend()
    cursor: str | None = None
    removed = 0
    while True:
        move.still()
        page = backend.scan(namespace=move.target, where=None, cursor=cursor, limit=STEP)
        unknown = [point for point in page.points if point.id.int not in named and not _in_flight(move, point)]
        if unknown:
            backend.delete(namespace=move.target, ids=[point.id for point in unknown])
            removed += len(unknown)
        cursor = page.cursor
        if cursor is None:
            return removed


def _in_flight(move: Move, point: StoredPoint) -> bool:
    """Whether a point is of a generation that is being written, went live since, or is about to be removed.

    Raises what keeps it from being told: a key store that does not answer says nothing of a point.
    """
    try:
        body = open_body(move.runtime.keys.view(), move, point)
        ref = move.ids.ref(typed_record_id(body.record_id))
    except (EnvelopeRejected, KeyDestroyed, UnknownFormat, UnknownKey):
        return False
    return body.generation in move.runtime.control.generations(move.collection, [ref]).get(ref, {})


def _counts_agree(move: Move) -> None:
    """The new place holds as many points as the manifest names, asked until nobody writes in between.

    Where somebody always does, each point was looked at all the same. Raises :class:`CheckFailed`.
    """
    control = move.runtime.control
    for attempt in range(_QUIET):
        before = control.count_live(move.collection, now_ms=_ALL)
        held = move.runtime.backend().count(namespace=move.target)
        if held == before[1]:
            return
        if control.count_live(move.collection, now_ms=_ALL) != before or control.in_transit(move.collection):
            time.sleep(0.01 * (attempt + 1))
            continue
        if attempt == _QUIET - 1:
            raise CheckFailed(
                "The new place holds another number of points than the manifest says; nothing was switched.",
                next_step="Try again: securevec jobs retry JOB; or take it back: securevec jobs cancel JOB",
            )
