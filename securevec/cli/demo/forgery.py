"""Step 5, second part: the store itself turns hostile. Points are copied, moved and edited in the engine, behind the
library's back, and put right again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from securevec.cli.demo.scene import House, Scene
from securevec.cli.demo.stage import Breach, Tried
from securevec.crypto.armour import from_text, to_text
from securevec.errors import IsolationViolation, RecordError

if TYPE_CHECKING:
    from uuid import UUID

    from securevec.types import Scalar, StoredPoint

_K: Final = 5


def inside_the_store(scene: Scene) -> list[Tried]:
    """Edits of ``northgate``'s shard through the engine's own interface."""
    ours, theirs = scene.northgate, scene.larkfield
    own_id = ours.tickets.search("crown came off", k=1)[0].id
    mine = scene.point(ours, "crown came off")
    other = scene.point(ours, "first visit of a small child")
    foreign = scene.point(theirs, "refund")
    relabelled = {**foreign.payload, "t": mine.payload["t"], "c": mine.payload["c"]}
    flipped = {**mine.payload, "b": _flip(str(mine.payload["b"]))}
    attempt = scene.stage.attempt
    return [
        attempt(
            "P1",
            f"hand the engine a point of {theirs.name} for {ours.name}'s shard",
            lambda: _dropped(scene, ours, foreign, foreign.id, foreign.payload),
            RecordError,
        ),
        attempt(
            "P2",
            "the same point, its labels rewritten to the new place",
            lambda: _dropped(scene, ours, foreign, foreign.id, relabelled),
        ),
        attempt(
            "P2",
            f"the same, under the id of a ticket of {ours.name}",
            lambda: _dropped(scene, ours, mine, mine.id, relabelled),
        ),
        attempt(
            "P4",
            "put the sealed body of one ticket under another's id",
            lambda: _dropped(scene, ours, mine, mine.id, other.payload),
        ),
        attempt(
            "P4",
            "get a ticket whose body was exchanged",
            lambda: _with_point(scene, ours, mine, mine.id, other.payload, lambda: repr(ours.tickets.get(own_id))),
            IsolationViolation,
        ),
        attempt("P4", "flip one bit of a sealed body", lambda: _dropped(scene, ours, mine, mine.id, flipped)),
        attempt("P4", "edit a ticket's readable status and filter for it", lambda: _edited(scene, ours, mine)),
    ]


def _dropped(scene: Scene, house: House, near: StoredPoint, at: UUID, payload: Mapping[str, object]) -> str:
    """With the forged point in place, a search beside it must drop it, count it, and still fill its answer."""

    def look() -> str:
        result = house.tickets.search(vector=near.vector, k=_K)
        foreign = sum(hit.id not in house.ids or hit.point == at for hit in result)
        if foreign or result.violations < 1 or len(result) != _K:
            raise Breach(f"{foreign} got through, {result.violations} violations counted, {len(result)} hits")
        return f"dropped, {result.violations} violation counted, {len(result)} own hits"

    return _with_point(scene, house, near, at, payload, look)


def _edited(scene: Scene, house: House, point: StoredPoint) -> str:
    """The readable copy of a filter value is an index hint; the sealed one decides."""
    from securevec.filters import F

    claimed = next(word for word in ("closed", "open") if word != point.payload["f_status"])

    def look() -> str:
        result = house.tickets.search(vector=point.vector, where=F("status") == claimed, k=_K)
        if any(hit.point == point.id for hit in result) or result.violations < 1:
            raise Breach(f"returned, {result.violations} violations counted")
        return f"dropped, {result.violations} violation counted"

    return _with_point(scene, house, point, point.id, {**point.payload, "f_status": claimed}, look)


def _with_point(
    scene: Scene, house: House, near: StoredPoint, at: UUID, payload: Mapping[str, object], act: Callable[[], str]
) -> str:
    """Run ``act`` while the engine holds this point at ``at``; then restore what was there."""
    from securevec.types import ProtectedPoint

    backend = scene.store.runtime.backend()
    before = backend.fetch(namespace=house.namespace, ids=[at], with_vectors=True)
    forged = ProtectedPoint(id=at, vector=_vector(near), payload=cast("Mapping[str, Scalar]", dict(payload)))
    backend.insert(namespace=house.namespace, points=[forged])
    try:
        return act()
    finally:
        backend.delete(namespace=house.namespace, ids=[at])
        for point in before:
            kept = cast("Mapping[str, Scalar]", dict(point.payload))
            restored = ProtectedPoint(id=point.id, vector=_vector(point), payload=kept)
            backend.insert(namespace=house.namespace, points=[restored])


def _vector(point: StoredPoint) -> Any:
    if point.vector is None:
        raise Breach("the engine returned no vector")
    return point.vector


def _flip(sealed: str) -> str:
    """The text of an envelope, one bit of its ciphertext changed."""
    blob = bytearray(from_text(sealed))
    blob[len(blob) // 2] ^= 1
    return to_text(bytes(blob))
