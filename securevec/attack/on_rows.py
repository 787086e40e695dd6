"""Attacks on stored rows: somebody with write access to the store, who knows no key. The first barrier is behind them:
they write into the place itself. What they wrote must not be believed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from securevec.attack import tamper
from securevec.attack.callers import Caller, Product, Seen, seen_of
from securevec.attack.case import (
    ENOUGH_EACH,
    SECOND,
    Arrange,
    Attack,
    Attempt,
    Barrier,
    Scene,
    read_everything,
)
from securevec.attack.rows import Vandal
from securevec.attack.stage import ACME, GLOBEX_MARK, Pair, Ticket, text, ticket
from securevec.errors import EnvelopeRejected, IsolationViolation, SecurevecError, UnknownFormat, UnknownKey
from securevec.filters import F
from securevec.reading.hits import SearchResult

OPEN: Final = F("status") == "open"
DAY_MS: Final = 86_400_000
LONG: Final = " ".join(f"Sentence {number} speaks of the waiting room." for number in range(120))


def forged(forgery: tamper.Forge) -> Arrange:
    def arrange(scene: Scene) -> None:
        scene.settle()
        scene.lies = forgery(scene.pair).violations

    return arrange


def replaced_then(forgery: tamper.Forge, *, deleted: bool = False) -> Arrange:
    """The forgery lets the tenant replace or delete ``T-2`` first; the truth is what the tenant did last."""

    def arrange(scene: Scene) -> None:
        scene.settle()  # and remember where the old rows were sealed
        scene.lies = forgery(scene.pair).violations
        scene.trusting.remember()
        if deleted:
            del scene.truth["T-2"]
        else:
            scene.truth["T-2"] = Seen("T-2", "refund replaced", "closed")

    return arrange


def swap(scene: Scene) -> None:
    scene.settle()
    one, two = scene.mine.row_of("T-1"), scene.mine.row_of("T-3")
    scene.kept["near"] = one.vector
    scene.mine.put(one.but(b=two.payload["b"]))
    scene.mine.put(two.but(b=one.payload["b"]))
    scene.lies = 2


def in_its_place(scene: Scene, caller: Caller) -> int:
    """What is nearest to the vector of ``T-1`` must not be ``T-3``, which now lies there."""
    found = caller.search(near=scene.kept["near"])
    return read_everything(scene, caller) + scene.wrong(found) + int(bool(found) and found[0].id == "T-3")


def plaintext(scene: Scene) -> None:
    """A row whose body is not sealed, as a program without keys would write one."""
    scene.settle()
    row = scene.mine.row()
    body = json.dumps({"v": 1, "id": "T-1", "body": "pay to account 1", "status": "open"})
    scene.mine.put(row.but(b=body))
    scene.lies = 1


def damaged(scene: Scene, caller: Caller) -> int:
    """Bodies that are none, one after the other: not answered, counted, and an error when read by id."""
    if not isinstance(caller, Product):
        return 0
    row, told, scene.lies = scene.mine.row_of("T-2"), 0, 1
    for name, change in tamper.DAMAGED.items():
        scene.mine.put(row.but(b=change(row.body)))
        found = caller.search()
        told += scene.through(name, sum(each.id == "T-2" for each in found) + scene.wrong(found))
        told += scene.miscounted(caller.violations, caller.request_id)
        try:
            told += scene.through(name, len(caller.read(["T-2"])) + 1)
        except IsolationViolation:
            continue
    scene.mine.put(row)
    return told


def unreadable(scene: Scene, caller: Caller) -> int:
    """A key or a format nobody knows stops every read: it could be ours, and an answer without it would be short."""
    if not isinstance(caller, Product):
        return 0
    row, told, handle = scene.mine.row_of("T-2"), 0, caller.handle
    asked: dict[str, Callable[[], object]] = {
        "a search": lambda: handle.search("refund", k=100),
        "a listing": lambda: list(handle.iter()),
        "the record": lambda: handle.get("T-2"),
    }
    for name, change in tamper.UNREADABLE.items():
        scene.mine.put(row.but(b=change(row.body)))
        for verb, ask in asked.items():
            try:
                ask()
            except (UnknownKey, UnknownFormat):
                continue
            except IsolationViolation:
                pass  # a violation, where it is none
            told += scene.through(f"{verb} over {name}")
    scene.mine.put(row)
    return told


def no_vault(scene: Scene, caller: Caller) -> int:
    """What does not belong in a vault's place restores nothing; neither does a vault of before."""
    if not isinstance(caller, Product):
        return 0
    own, row, told = scene.mine, scene.mine.row_of("T-1"), 0
    hits = caller.handle.search("refund case 1", where=F("opened") == datetime(2026, 1, 2, tzinfo=UTC), k=1)
    told += scene.through("nothing to restore", int(hits.restore("[EMAIL_1]") != "person1@example.com"))
    for name, made in tamper.VAULTS.items():
        own.put(row.but(v=made(own, scene.theirs)))
        told += _restores(scene, hits, name)
        own.put(row)
    caller.handle.ingest([text(1, GLOBEX_MARK) | {"body": "refund, write to somebody.else@example.com"}])
    scene.settle()
    hits = caller.handle.search("refund somebody", where=F("opened") == datetime(2026, 1, 2, tzinfo=UTC), k=1)
    own.put(own.row_of("T-1").but(v=row.payload["v"]))
    return told + _restores(scene, hits, "a vault of before")


def _restores(scene: Scene, hits: SearchResult[Ticket], name: str) -> int:
    try:
        hits.restore("[EMAIL_1]")
    except EnvelopeRejected:
        return 0
    return scene.through(name)


def long_record(scene: Scene) -> None:
    """The first chunk of a long record, which holds its fields, replaced by another record's."""
    scene.pair.globex.ingest([ticket(50, LONG)])
    scene.settle()
    scene.mine.put(replace(scene.mine.row_of("T-1"), id=scene.mine.row_of("T-50").id))


def half_a_record(scene: Scene, caller: Caller) -> int:
    """None of its chunks is answered, and each is counted."""
    if not isinstance(caller, Product):
        return 0
    hits = caller.handle.search("sentence waiting room", k=50)
    silent = int(hits.violations < 2)
    return scene.through("half a record", sum(hit.id == "T-50" for hit in hits)) + scene.through("in silence", silent)


def crowd(count: int) -> Arrange:
    """Rows of another tenant under new ids, nearest of all to what will be asked."""

    def arrange(scene: Scene) -> None:
        scene.settle()
        near, foreign = scene.mine.row_of("T-1").vector, scene.theirs.row()
        for _ in range(count):
            scene.mine.put(replace(foreign, id=uuid4(), vector=near))
        scene.kept["near"], scene.lies = near, count

    return arrange


def made_up_for(scene: Scene, caller: Caller) -> int:
    """Up to half of an answer is dropped, counted, and made up for."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search(near=scene.kept["near"]))
    hits = caller.handle.search(vector=scene.kept["near"], k=8)
    short = scene.through("a shorter answer", len(scene.truth) - len(hits))
    return scene.wrong([seen_of(hit) for hit in hits]) + short + scene.miscounted(hits.violations, hits.request_id)


def refused(scene: Scene, caller: Caller) -> int:
    """More than half of an answer foreign: there is no answer."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search(near=scene.kept["near"]))
    try:
        hits = caller.handle.search(vector=scene.kept["near"], k=8)
    except IsolationViolation:
        return 0
    return scene.through("an answer") + scene.wrong([seen_of(hit) for hit in hits])


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


def row_attack(
    name: str,
    says: str,
    source: str,
    server: str,
    arrange: Arrange,
    attempt: Attempt = read_everything,
    judged: frozenset[Barrier] = ENOUGH_EACH,
) -> Attack:
    """The first barrier is asked too, and is not meant to hold: whoever writes the row is past it."""
    return Attack(name, says, source, server, attempt, arrange, alone=SECOND, judged=judged, changes=True)


ON_ROWS: Final[tuple[Attack, ...]] = (
    row_attack("foreign-row", "a row of another tenant under its own id", "relabelled rows", "relabelled_row",
                forged(tamper.copy_under_its_own_id)),
    row_attack("foreign-row-new-id", "a row of another tenant under a new id", "relabelled rows", "copied_row",
                forged(tamper.copy_under_a_new_id)),
    row_attack("foreign-row-over-own", "a row of another tenant in place of an own one", "relabelled rows",
                "copied_row", forged(tamper.copy_over_an_own_row)),
    row_attack("relabelled-rows", "three rows given this tenant's tags", "10; relabelled rows", "relabelled_row",
                forged(tamper.relabel_the_tags)),
    row_attack("foreign-body", "another tenant's sealed body in an own row", "swapped sealed rows", "swapped",
                forged(tamper.foreign_body_in_an_own_row)),
    row_attack("swapped-rows", "the sealed bodies of two own rows exchanged", "swapped sealed rows", "swapped",
                swap, in_its_place),
    row_attack("row-under-new-id", "an own row once more, under a new id", "relabelled rows", "copied_row",
                forged(tamper.own_row_under_a_new_id)),
    row_attack("other-collection", "a row of another collection of the same tenant", "relabelled rows", "copied_row",
                forged(tamper.row_of_another_collection_of_the_tenant), judged=SECOND),
    row_attack("other-collections-body", "a body of another collection of the tenant in an own row",
                "swapped sealed rows", "swapped", forged(tamper.body_of_another_collection_of_the_tenant),
                judged=SECOND),
    row_attack("body-and-vault", "body and vault of a row exchanged", "swapped sealed rows", "swapped",
                forged(tamper.exchange_body_and_vault), judged=SECOND),
    row_attack("damaged-body", "a body cut, flipped, spelled otherwise, or none", "swapped sealed rows", "swapped",
                Scene.settle, damaged, judged=SECOND),
    row_attack("unknown-key-or-format", "a body under a key or in a format nobody knows", "swapped sealed rows",
                "swapped", Scene.settle, unreadable, judged=SECOND),
    row_attack("foreign-vault", "another vault in a row, or one of before", "swapped sealed rows", "swapped",
                Scene.settle, no_vault, judged=SECOND),
    row_attack("foreign-first-chunk", "another record in place of a long one's first chunk", "swapped sealed rows",
                "swapped", long_record, half_a_record, judged=SECOND),
    row_attack("half-foreign", "foreign rows nearest to the question, half of the answer", "relabelled rows",
                "copied_row", crowd(4), made_up_for),
    row_attack("mostly-foreign", "foreign rows nearest to the question, most of the answer", "relabelled rows",
                "copied_row", crowd(30), refused),
    row_attack("rolled-back-body", "the sealed body of before in the row of now", "rolled-back sealed rows",
                "rolled_back", replaced_then(tamper.old_body_in_the_new_row)),
    row_attack("rolled-back-row", "a replaced row put back beside the new one", "rolled-back sealed rows",
                "rolled_back", replaced_then(tamper.put_an_old_generation_back)),
    row_attack("deleted-row", "a deleted record put back", "rolled-back sealed rows", "rolled_back",
                replaced_then(tamper.put_a_deleted_record_back, deleted=True)),
    row_attack("plaintext", "a body that is not sealed", "plaintext in place of ciphertext", "plaintext", plaintext),
    row_attack("recreated-tenant", "a deleted tenant's rows put under a new tenant of the same name",
                "recreated tenant", "recreated_tenant", recreate, reborn, judged=SECOND),
)  # fmt: skip
