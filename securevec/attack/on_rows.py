"""Attacks on stored rows: somebody with write access to the store, who knows no key. The first barrier is behind them:
they write into the place itself. What they wrote must not be believed."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Final

from securevec.attack import tamper
from securevec.attack.callers import Caller, Product, Seen
from securevec.attack.case import (
    ENOUGH_EACH,
    SECOND,
    Arrange,
    Attack,
    Attempt,
    Barrier,
    Scene,
    search_all,
    search_open,
)
from securevec.attack.rows import Vandal
from securevec.attack.stage import ACME, GLOBEX_MARK, Pair, Ticket, text
from securevec.errors import SecurevecError
from securevec.filters import F

OPEN: Final = F("status") == "open"


def forged(forgery: tamper.Forge) -> Arrange:
    def arrange(scene: Scene) -> None:
        scene.settle()
        forgery(scene.pair)

    return arrange


def replaced_then(forgery: tamper.Forge, *, deleted: bool = False) -> Arrange:
    """The forgery lets the tenant replace or delete ``T-2`` first; the truth is what the tenant did last."""

    def arrange(scene: Scene) -> None:
        scene.settle()  # and remember where the old rows were sealed
        forgery(scene.pair)
        scene.trusting.remember()
        if deleted:
            del scene.truth["T-2"]
        else:
            scene.truth["T-2"] = Seen("T-2", "refund replaced", "closed")

    return arrange


def edit_status(scene: Scene) -> None:
    scene.settle()
    scene.mine.put(scene.mine.row_of("T-2").but(f_status="open"))


def edit_date(scene: Scene) -> None:
    scene.settle()
    scene.mine.put(scene.mine.row_of("T-2").but(f_opened=2**45))


def swap(scene: Scene) -> None:
    scene.settle()
    one, two = scene.mine.row_of("T-1"), scene.mine.row_of("T-3")
    scene.kept["near"] = one.vector
    scene.mine.put(one.but(b=two.payload["b"]))
    scene.mine.put(two.but(b=one.payload["b"]))


def in_its_place(scene: Scene, caller: Caller) -> int:
    """What is nearest to the vector of ``T-1`` must not be ``T-3``, which now lies there."""
    found = caller.search(near=scene.kept["near"])
    return scene.wrong(found) + int(bool(found) and found[0].id == "T-3")


def later(scene: Scene, caller: Caller) -> int:
    # T-3 to T-8 are of the days from then on, so that most of the answer is right.
    found = caller.search(F("opened") > datetime(2026, 1, 3, tzinfo=UTC))
    return sum(each.id == "T-2" for each in found)


def plaintext(scene: Scene) -> None:
    """A row whose body is not sealed, as a program without keys would write one."""
    scene.settle()
    row = scene.mine.row()
    body = json.dumps({"v": 1, "id": "T-1", "body": "pay to account 1", "status": "open"})
    scene.mine.put(row.but(b=body))


def recreate(scene: Scene) -> None:
    """A tenant is deleted, another one takes its name, and the old rows are put into the new one's place."""
    stage, name = scene.stage, f"phoenix-{scene.pair.name}"
    old = stage.store.tenant(name, create=True, actor=ACME).collection(Ticket, name=scene.pair.name)
    old.ingest([text(number, "ashes") for number in range(1, 4)])
    ashes = Vandal(stage, old).rows()
    stage.store.delete_tenant(name).raise_if_incomplete()
    new = stage.store.tenant(name, create=True, actor=ACME).collection(Ticket, name=scene.pair.name)
    new.ingest([text(number, GLOBEX_MARK) for number in range(1, 9)])
    scene.pair = scene.trusting.pair = Pair(stage, scene.pair.acme, new, scene.pair.name)
    scene.settle()
    for row in ashes:
        scene.trusting.sealed.setdefault(str(row.payload["b"]), row.id)
        scene.mine.put(row)
    scene.kept["handle"] = old


def reborn(scene: Scene, caller: Caller) -> int:
    """The new tenant sees nothing of the old, and the old one's handle sees nothing at all."""
    wrong = scene.wrong(caller.search())
    if isinstance(caller, Product):
        with contextlib.suppress(SecurevecError):
            wrong += len(scene.kept["handle"].search("refund", k=10))
    return wrong


def _row_attack(
    name: str,
    says: str,
    source: str,
    server: str,
    arrange: Arrange,
    attempt: Attempt = search_all,
    judged: frozenset[Barrier] = ENOUGH_EACH,
) -> Attack:
    """The first barrier is asked too, and is not meant to hold: whoever writes the row is past it."""
    return Attack(name, says, source, server, attempt, arrange, alone=SECOND, judged=judged, changes=True)


ON_ROWS: Final[tuple[Attack, ...]] = (
    _row_attack("foreign-row", "a row of another tenant under its own id", "relabelled rows", "relabelled_row",
                forged(tamper.copy_under_its_own_id)),
    _row_attack("foreign-row-new-id", "a row of another tenant under a new id", "relabelled rows", "copied_row",
                forged(tamper.copy_under_a_new_id)),
    _row_attack("foreign-row-over-own", "a row of another tenant in place of an own one", "relabelled rows",
                "copied_row", forged(tamper.copy_over_an_own_row)),
    _row_attack("relabelled-rows", "three rows given this tenant's tags", "10; relabelled rows", "relabelled_row",
                forged(tamper.relabel_the_tags)),
    _row_attack("foreign-body", "another tenant's sealed body in an own row", "swapped sealed rows", "swapped",
                forged(tamper.foreign_body_in_an_own_row)),
    _row_attack("swapped-rows", "the sealed bodies of two own rows exchanged", "swapped sealed rows", "swapped",
                swap, in_its_place),
    _row_attack("row-under-new-id", "an own row once more, under a new id", "relabelled rows", "copied_row",
                forged(tamper.own_row_under_a_new_id)),
    _row_attack("other-collection", "a row of another collection of the same tenant", "relabelled rows", "copied_row",
                forged(tamper.row_of_another_collection_of_the_tenant), judged=SECOND),
    _row_attack("rolled-back-body", "the sealed body of before in the row of now", "rolled-back sealed rows",
                "rolled_back", replaced_then(tamper.old_body_in_the_new_row)),
    _row_attack("rolled-back-row", "a replaced row put back beside the new one", "rolled-back sealed rows",
                "rolled_back", replaced_then(tamper.put_an_old_generation_back)),
    _row_attack("deleted-row", "a deleted record put back", "rolled-back sealed rows", "rolled_back",
                replaced_then(tamper.put_a_deleted_record_back, deleted=True)),
    _row_attack("plaintext", "a body that is not sealed", "plaintext in place of ciphertext", "plaintext", plaintext),
    _row_attack("edited-metadata", "the clear copy of a filter value changed to match", "edited clear metadata",
                "edited_metadata", edit_status, search_open(OPEN)),
    _row_attack("edited-date", "the clear copy of a date moved into the range", "edited clear metadata",
                "edited_metadata", edit_date, later),
    _row_attack("recreated-tenant", "a deleted tenant's rows put under a new tenant of the same name",
                "recreated tenant", "recreated_tenant", recreate, reborn, judged=SECOND),
)  # fmt: skip
