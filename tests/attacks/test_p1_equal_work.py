"""What is another's and what is nowhere take the same work: the calls of control store, keys, engine and audit log are
counted, not the time. What a shared engine has to look through may still show in it (docs/threat-model.md)."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import securevec as sv
from securevec.control.database import Database
from securevec.errors import SecurevecError
from securevec.keys.keyring import KeyRing
from securevec.state.names import NameBook
from securevec.store.opening import AuditDoor
from tests.support.attacks import Stage, Trap
from tests.support.world import ACME, Ticket, ticket

COUNTED: dict[type, tuple[str, ...]] = {
    Database: ("row", "rows", "write"),
    KeyRing: ("tenant_key", "key_by_id", "view", "data_key", "bound_key"),
    NameBook: ("tenant_token", "actor_ref", "seal", "open"),
    AuditDoor: ("record",),
    Trap: ("query", "fetch", "count", "scan", "insert", "delete"),
}


@pytest.fixture
def work(lone_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Counter[str]]:
    """What an attempt calls, the second time it is made: by then everybody's caches are warm."""
    lone_stage.store._caretaker.stop()
    calls: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        honest = getattr(owner, name)

        def counted(self: Any, *given: Any, **named: Any) -> Any:
            calls[f"{owner.__name__}.{name}"] += 1
            return honest(self, *given, **named)

        monkeypatch.setattr(owner, name, counted)

    for owner, names in COUNTED.items():
        for name in names:
            count(owner, name)

    def of(attempt: Callable[[], object]) -> Counter[str]:
        for _ in range(2):
            calls.clear()
            with contextlib.suppress(SecurevecError):
                attempt()
        return Counter(calls)

    return of


def test_a_foreign_tenant_and_none_take_the_same_work_to_refuse(
    lone_stage: Stage, work: Callable[[Callable[[], object]], Counter[str]]
) -> None:
    for who in (ACME, sv.Actor("svc:stranger")):
        foreign = work(partial(lone_stage.store.tenant, "globex", actor=who))
        none = work(partial(lone_stage.store.tenant, "nobody", actor=who))
        assert foreign == none
        assert foreign["AuditDoor.record"] == 1


def test_a_foreign_record_and_none_take_the_same_work_to_miss(
    lone_stage: Stage, work: Callable[[Callable[[], object]], Counter[str]]
) -> None:
    pair = lone_stage.pair()
    pair.globex.ingest([ticket(number, f"the secret lantern {number}") for number in range(1, 5)])
    pair.acme.ingest([ticket(9, "a bicycle")])
    empty = lone_stage.acme.collection(Ticket, name="empty")
    mine = pair.acme
    attempts: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "get": (lambda: mine.get("T-1"), lambda: mine.get("T-77")),
        "exists": (lambda: mine.exists("T-1"), lambda: mine.exists("T-77")),
        "delete": (lambda: mine.delete(["T-2"]), lambda: mine.delete(["T-78"])),
        "update": (lambda: mine.update("T-1", status="x"), lambda: mine.update("T-77", status="x")),
        "search": (lambda: mine.search("the secret lantern", k=3), lambda: mine.search("an unknown parrot", k=3)),
        "empty": (lambda: empty.search("the secret lantern", k=3), lambda: empty.search("an unknown parrot", k=3)),
        "similar": (lambda: mine.search(like="T-1", k=3), lambda: mine.search(like="T-77", k=3)),
    }
    for name, (foreign, none) in attempts.items():
        assert work(foreign) == work(none), name
