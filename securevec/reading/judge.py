"""The second barrier: no stored point is believed until its sealed body opens here and agrees with what was asked.

Rules, for each point the store returned:

1. Its body must be a well-formed envelope that opens under a key of this tenant and collection, at this point id.
   Anything else is a violation. An unknown key id, an unknown format or a missing key is not: it raises.
2. Its point id must be the one derived from the sealed record id, generation and chunk number.
3. The manifest must name its generation as live. A generation in flight (`pending`, `retiring`) is passed over; one
   the manifest does not know, and that is still in the store, was put back by someone: a violation.
4. Its sealed expiry must lie ahead. A due record is passed over, also when its key is destroyed already.
5. No erasure must hide it: a record that carries the token of an erased subject and was ingested up to the erasure is
   passed over as a whole, whichever of its chunks names the subject. So is what was bound to the key of a person whose
   erasure has destroyed it and still runs; without such an erasure it was put back: a violation.
6. The caller's filter and the policy's row filter are decided again on the sealed filter values. A point that the store
   matched and the sealed copy does not was edited in the store: a violation. Unless what the store was asked (``hint``)
   holds of the clear copies as they were written: of a bucketed field the store is asked for more than is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from securevec.control.rows import RecordState
from securevec.crypto.armour import from_texts
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.errors import BoundKeyDestroyed, EnvelopeRejected, KeyDestroyed, UnknownFormat
from securevec.filters import Expr, matches
from securevec.keys.filterkeys import FilterKeys
from securevec.keys.keyview import KeyView
from securevec.points.body import Body
from securevec.points.body_format import decode_bodies
from securevec.points.protect import EXPIRY_KEY
from securevec.reading.lifting import lifted
from securevec.reading.opening import check_place, fetch_only, open_envelope
from securevec.retention.rules import expired
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import RecordRef, StoredPoint


class Judged(NamedTuple):
    """A point that passed, with its opened body."""

    point: StoredPoint
    body: Body
    ref: RecordRef

    def __repr__(self) -> str:
        return "Judged(<hidden>)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the manifest said, after the control store was seen at ``version``. While it is that, nobody has committed
    since, and the manifest says the same."""

    version: int
    known: Mapping[bytes, Mapping[int, RecordState]]

    def live(self) -> dict[bytes, int]:
        """The live generation of each record that has one."""
        return {
            ref: generation
            for ref, generations in self.known.items()
            for generation, state in generations.items()
            if state == "live"
        }


@dataclass(slots=True)
class Verdicts:
    """What became of some points. ``examined`` counts all of them, ``violations`` those that do not belong here.

    ``overtaken`` names records of which only a replaced generation was seen: they were replaced while this read ran.
    ``erased`` names those that an erasure hides; they are among ``passed_over``, and so are the ``shredded`` points,
    which nobody can read any more because their key is destroyed.
    """

    accepted: list[Judged] = field(default_factory=list["Judged"])
    examined: int = 0
    violations: int = 0
    passed_over: int = 0
    overtaken: set[RecordRef] = field(default_factory=set["RecordRef"])
    erased: set[RecordRef] = field(default_factory=set["RecordRef"])
    shredded: int = 0
    asked: Asked | None = None
    """Absent where nothing was judged."""
    outlived: bool = False
    """Whether a point was seen that is no longer stored and whose key died: its record was sealed anew, replaced or
    deleted while this read ran."""


def judge(
    runtime: Runtime,
    collection: CollectionScope,
    points: Sequence[StoredPoint],
    *,
    where: Expr | None,
    hint: Expr | None = None,
    keys: KeyView | None = None,
    under: FilterKeys | None = None,
    erasing: bool = False,
) -> Verdicts:
    """Judge points in order, under one look at the key store: ``keys``, or one made here.

    ``under`` are the keys that ``hint`` was made with.
    ``erasing`` is for the erasure itself, which must read what it hides from everybody else.
    Raises :class:`UnknownKey`, :class:`UnknownFormat`, :class:`KeyUnavailable`.
    """
    verdicts = Verdicts(examined=len(points))
    if not points:
        return verdicts
    opened = _opened(runtime, collection, points, keys or runtime.keys.view(), verdicts)
    seen = runtime.control.seen
    known = runtime.control.generations(collection.collection, [each.ref for each in opened]) if opened else {}
    # After the generations: one that was live then, and is redacted since, is one nobody hides any more.
    hidden = erased(runtime, collection, [] if erasing else [(each.ref, each.body) for each in opened])
    verdicts.asked = Asked(seen, known)
    now_ms = runtime.clock.now_ms()
    unknown: list[UUID] = []
    for judged in opened:
        state = _state_of(judged, known)
        if state in (None, "retiring") and "live" in known.get(judged.ref, {}).values():
            verdicts.overtaken.add(judged.ref)
        if state is None:
            unknown.append(judged.point.id)
            continue
        if state != "live" or expired(judged.body.expires_ms, now_ms=now_ms):
            verdicts.passed_over += 1
        elif (judged.ref, judged.body.generation) in hidden:
            verdicts.passed_over += 1
            verdicts.erased.add(judged.ref)
        elif where is not None and not matches(where, judged.body.filters):
            if hint is not None and any(
                matches(hint, payload) for payload in collection.protector(runtime, under).payloads(judged.body.filters)
            ):
                verdicts.passed_over += 1
            else:
                verdicts.violations += 1
        else:
            verdicts.accepted.append(judged)
    verdicts.violations += _still_stored(runtime, collection, unknown)
    verdicts.overtaken.difference_update(judged.ref for judged in verdicts.accepted)
    return verdicts


def _opened(
    runtime: Runtime, collection: CollectionScope, points: Sequence[StoredPoint], keys: KeyView, verdicts: Verdicts
) -> list[Judged]:
    """The points that pass rules 1 and 2; what became of the others is counted in ``verdicts``."""
    ids = RecordIds(keys.tenant_key(collection.tenant, "id"), collection.collection)
    tokens = runtime.control.token_version(collection.tenant)
    blobs = from_texts([point.payload.get("b") for point in points])
    sealed: list[tuple[StoredPoint, bytes]] = []
    dead: list[UUID] = []
    unbound: list[UUID] = []
    for point, blob in zip(points, blobs, strict=True):
        try:
            sealed.append((point, open_envelope(keys, collection, point, payload_key="b", path="body", blob=blob)))
        except UnknownFormat:
            raise  # UnknownEnvelope is an EnvelopeRejected too, and no violation
        except EnvelopeRejected:
            verdicts.violations += 1
        except BoundKeyDestroyed:
            unbound.append(point.id)
        except KeyDestroyed:
            # A key dies with its epoch, when every record under it is due.
            due = point.payload.get(EXPIRY_KEY)
            if type(due) is int and expired(due, now_ms=runtime.clock.now_ms()):
                verdicts.passed_over += 1
            else:
                dead.append(point.id)
    opened: list[Judged] = []
    # All of them at once: what was opened is what a release of securevec wrote, or UnknownFormat for the whole answer.
    for (point, _), read in zip(sealed, decode_bodies([plain for _, plain in sealed]), strict=True):
        body = read if read.tokens >= tokens else lifted(keys, collection.tenant, read, tokens)
        ref = ids.ref(typed_record_id(body.record_id))
        try:
            check_place(ids, point, body, ref)
        except EnvelopeRejected:
            verdicts.violations += 1
        else:
            opened.append(Judged(point, body, ref))
    if dead:
        _count_dead(runtime, collection, dead, verdicts)
    if unbound:
        _count_unbound(runtime, collection, unbound, verdicts)
    return opened


def _count_dead(runtime: Runtime, collection: CollectionScope, points: Sequence[UUID], verdicts: Verdicts) -> None:
    """Points that are not due though their data key is destroyed.

    What such a key sealed was sealed anew, and the point is gone by now; or the store was given the id of a dead key in
    place of a living one. The hint of a point can be edited too, which hides the point: that is omission, and found by
    comparing the manifest with the store.
    """
    standing = _still_stored(runtime, collection, points)
    verdicts.violations += standing
    verdicts.passed_over += len(points) - standing
    verdicts.outlived = standing < len(points)


def _count_unbound(runtime: Runtime, collection: CollectionScope, points: Sequence[UUID], verdicts: Verdicts) -> None:
    """Points whose person's or own key is destroyed: replaced or deleted while this read ran, or hidden by an erasure
    that runs. Those that are still there though nobody is being erased were put back."""
    still = _still_stored(runtime, collection, points)
    put_back = 0 if runtime.control.erasing(collection.tenant) else still
    verdicts.outlived |= still < len(points)
    verdicts.shredded = len(points) - put_back
    verdicts.violations += put_back
    verdicts.passed_over += verdicts.shredded


def erased(
    runtime: Runtime,
    collection: CollectionScope,
    bodies: Sequence[tuple[RecordRef, Body]],
    *,
    version: int | None = None,
) -> set[tuple[RecordRef, int]]:
    """Those of the records, as (ref, generation), that an erasure hides now, or did when the control store was at
    ``version``, which a caller has just read.

    Costs nothing where nobody of the tenant was ever erased.

    Decided on the sealed tokens of what was read, and for the whole record on the rows written with it: a chunk that
    does not name the subject itself is hidden with the one that does.
    """
    if not bodies or not runtime.control.tombstoned(collection.tenant, version=version):
        return set()
    refs = list(dict.fromkeys(ref for ref, _ in bodies))
    hidden = runtime.control.hidden_records(collection.tenant, collection.collection, refs)
    tokens = dict.fromkeys(token for _, body in bodies for token in (*body.about, *body.mentions))
    stones = runtime.control.tombstones_among(collection.tenant, list(tokens))
    return {
        (ref, body.generation)
        for ref, body in bodies
        if (ref, body.generation) in hidden
        or any(token in stones and body.ingested_ms <= stones[token][0] for token in (*body.about, *body.mentions))
    }


def _still_stored(runtime: Runtime, collection: CollectionScope, unknown: Sequence[UUID]) -> int:
    """How many points without a manifest row, or without a key, are really in the store.

    A row is removed only after its points were read back as gone. So a point that has no row and is no longer stored
    was replaced or deleted while this read ran; one that is still stored was put back.
    """
    return len(fetch_only(runtime, collection, unknown))


def _state_of(judged: Judged, known: Mapping[bytes, Mapping[int, RecordState]]) -> RecordState | None:
    """What the manifest says of the generation a point belongs to."""
    generations = known.get(judged.ref)
    return None if generations is None else generations.get(judged.body.generation)
