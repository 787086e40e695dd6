"""Attacks by the store itself: it answers with something else than what it holds, or says done and does nothing. Such a
store is past the first barrier, so what the product makes of it is the second one's verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

from securevec.attack.callers import Caller, Product, Seen, seen_of
from securevec.attack.case import FIRST, SECOND, Attack, Barrier, Scene, listed, search_all, search_open
from securevec.attack.on_rows import OPEN
from securevec.attack.stage import ACME, GLOBEX_MARK, Ticket, text
from securevec.errors import DeletionIncomplete, IsolationViolation, OutcomeUnknown, RecordNotFound, SecurevecError
from securevec.testing.lying import Lie

NO_BARRIER: Final[frozenset[Barrier]] = frozenset()
BOTH: Final[frozenset[Barrier]] = FIRST | SECOND


def refused(scene: Scene, caller: Caller) -> int:
    """An answer of which most is not what it should be is an error, and so is a record read by its id."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search())
    asked: dict[str, Callable[[], Any]] = {
        "a search": lambda: caller.handle.search("refund", k=8),
        "a batch": lambda: caller.handle.search_batch(["refund", "case"], k=8),
        "groups": lambda: caller.handle.search("refund", k=8, group_by="record"),
        "a record": lambda: caller.handle.get("T-1"),
    }
    told = 0
    for name, ask in asked.items():
        try:
            ask()
        except (IsolationViolation, RecordNotFound):
            continue
        told += scene.through(name)
    return told + scene.through("a count", abs(caller.count() - len(scene.truth)))


def once_each(scene: Scene, caller: Caller) -> int:
    """A point that is answered twice is one hit, and pushes no other out."""
    wrong = search_all(scene, caller)
    if isinstance(caller, Product):
        for kept in (3, 8):
            hits = caller.handle.search("refund", k=kept, group_by="record")
            wrong += scene.through("a group", scene.wrong([seen_of(hit) for hit in hits]) + kept - len(hits))
            wrong += scene.through("a hit", kept - len(caller.handle.search("refund", k=kept)))
    return wrong


def filtered(scene: Scene) -> None:
    scene.settle()
    scene.lies = sum(each.status != "open" for each in scene.truth.values())


def delete_two(scene: Scene) -> None:
    scene.settle()
    scene.pair.globex.delete(["T-1", "T-2"])
    scene.truth.pop("T-1")
    scene.truth.pop("T-2")
    scene.lies = 2


def delete_all(scene: Scene) -> None:
    """The store answered once, and then everything was deleted."""
    scene.settle()
    scene.pair.globex.search("refund", k=8)
    scene.pair.globex.get("T-1")
    scene.trusting.search()
    scene.pair.globex.delete(sorted(scene.truth))
    scene.truth = {}


def lost_writes(scene: Scene, caller: Caller) -> int:
    """A write the store drops is not said to be done, and nothing of it is believed."""
    told = 0
    try:
        scene.pair.globex.ingest([text(40, GLOBEX_MARK)])
    except OutcomeUnknown:
        pass
    else:
        told += scene.through("a write that never was")
    scene.stage.trap.lie = Lie.HONEST
    return told + scene.wrong(caller.search()) + int(scene.pair.globex.exists("T-40"))


def kept_points(scene: Scene, caller: Caller) -> int:
    """A deletion the store ignores is not said to be done, and what stayed is not served."""
    told = 0
    try:
        scene.pair.globex.delete("T-1")
    except OutcomeUnknown:
        pass
    else:
        told += scene.through("a deletion that never was")
    scene.stage.trap.lie = Lie.HONEST
    left: list[Seen] = caller.search()
    return told + scene.through("the deleted record", sum(each.id == "T-1" for each in left))


def kept_collection(scene: Scene, caller: Caller) -> int:
    """A tenant is deleted, and the store keeps its points and says that it did not: no receipt says that they are
    gone, and nobody reads them."""
    stage, name, told = scene.stage, f"kept-{scene.pair.name}", 0
    handle = stage.store.tenant(name, create=True, actor=ACME).collection(Ticket, name="kept")
    handle.ingest([text(1, "kept")])
    stage.trap.lie = Lie.KEEP_DROPPED
    try:
        stage.store.delete_tenant(name).raise_if_incomplete()
    except (DeletionIncomplete, SecurevecError):
        pass
    else:
        told += scene.through("a deletion that never was")
    stage.trap.lie = Lie.HONEST
    with contextlib.suppress(SecurevecError):
        told += scene.through("the deleted tenant", len(handle.search("refund", k=1)))
    stage.store.delete_tenant(name).raise_if_incomplete()
    return told


def _lie(
    name: str,
    says: str,
    lie: Lie,
    attempt: Callable[[Scene, Caller], int],
    arrange: Callable[[Scene], object] = Scene.settle,
    judged: frozenset[Barrier] = BOTH,
) -> Attack:
    """The reader without the second barrier believes it, where ``judged`` asks that reader: else it is no attack."""
    return Attack(
        name, says, "lying store", "lies", attempt, arrange, alone=SECOND, judged=judged, changes=True, lie=lie
    )


ON_ANSWERS: Final[tuple[Attack, ...]] = (
    _lie("answer-foreign", "answers with other tenants' points only", Lie.FOREIGN, refused),
    _lie("answer-twice", "answers with every point twice", Lie.DUPLICATE, once_each),
    _lie("answer-unfiltered", "ignores the filter", Lie.IGNORE_FILTER, search_open(OPEN), filtered),
    _lie("answer-swapped", "answers with points that carry each other's payloads", Lie.SWAP, refused, judged=SECOND),
    _lie("answer-corrupted", "answers with sealed bodies of which a bit is flipped", Lie.CORRUPT, refused,
         judged=SECOND),
    _lie("answer-relabelled", "answers with other clear copies and expiries", Lie.RELABEL, search_all, judged=SECOND),
    _lie("answer-resurrected", "answers with the deleted ahead of the rest", Lie.RESURRECT, search_all, delete_two),
    _lie("answer-replayed", "repeats an answer from before everything was deleted", Lie.REPLAY, refused, delete_all),
    _lie("answer-truncated", "leaves half of a listing out", Lie.TRUNCATE, listed),
    _lie("writes-dropped", "says that it stored, and does not", Lie.DROP_WRITES, lost_writes, judged=NO_BARRIER),
    _lie("deletes-dropped", "says that it deleted, and does not", Lie.DROP_DELETES, kept_points, judged=NO_BARRIER),
    _lie("drop-ignored", "says that it dropped a tenant's collection, and does not", Lie.HONEST, kept_collection,
         judged=NO_BARRIER),
)  # fmt: skip
