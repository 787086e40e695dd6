"""A process that writes and searches on a store of its own, beside another that exchanges keys, erases and purges. Its
nursery is that of ``crash_child``, with one more work, "write beside", which goes on until a file says stop.

    order     {"work", "home", "key_file", "backend", "ahead_days", "first", "records", "seed", "said", "stop"}
    said      JSON lines: {"ask": n, "op": ..., "version": v, "ids": [...]}, then {"ask": n, "done": {id: version}} with
              ``null`` for a deleted one and without what was refused, or {"ask": n, "refused": class}; {"seen": n}
              after a search

It is the only writer of its records, so what a search must find is known to it at any time; of the person who is erased
meanwhile (``ERASED``) a record may be gone. Anything else ends it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import securevec as sv
from securevec.clock import Clock
from securevec.errors import (
    ControlUnavailable,
    OutcomeUnknown,
    RecordChanged,
    RecordNotFound,
    SubjectErased,
    TenantUnavailable,
)
from securevec.retention.rules import DAY_MS
from securevec.testing.embedders import HashEmbedder
from tests.support.crash_child import ACTOR, do, nursery

TENANT: Final = "busy-desk"
PEOPLE: Final = 4
ERASED: Final = 0
"""The number of the person who is erased while the process writes."""
_TRY_AGAIN: Final = (TenantUnavailable, RecordChanged, ControlUnavailable, OutcomeUnknown)


class Case(sv.Record):
    id: sv.Key[str]
    customer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]
    edition: Annotated[str, sv.marks.Filter(mode="token")]


def person(number: int) -> str:
    return f"customer{number}@example.com"


def about(number: int) -> int:
    return number % PEOPLE


def mentions(number: int) -> int:
    return (number + 1) % PEOPLE


def row(number: int, version: int) -> dict[str, Any]:
    return {
        "id": f"C-{number}",
        "customer": person(about(number)),
        "body": f"Case c{number} in version v{version}. Answer to {person(mentions(number))} about the lift.",
        "edition": edition(number, version),
    }


def edition(number: int, version: int) -> str:
    return f"c{number}v{version}"


def open_store(order: dict[str, Any]) -> sv.SecureStore:
    ahead_ms = int(order["ahead_days"]) * DAY_MS
    return sv.SecureStore.open(
        order["home"],
        backend=order["backend"],
        key_file=order["key_file"],
        embedder=HashEmbedder(max_tokens=32),
        clock=Clock(lambda: time.time_ns() // 1_000_000 + ahead_ms),
    )


def cases_of(store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Case]:
    return store.tenant(TENANT, create=create, actor=ACTOR).collection(Case, retention="180d")


class Writer:
    """An open collection, and the versions of its own records that were acknowledged."""

    def __init__(self, order: dict[str, Any], cases: sv.Collection[Case], say: Callable[[str], None]) -> None:
        self._cases, self._say = cases, say
        self._numbers = range(order["first"], order["first"] + order["records"])
        self._chance = random.Random(order["seed"])
        self._asked = 0
        self._live: dict[int, int] = {}

    def begin(self) -> None:
        self._ask("ingest", list(self._numbers), 0, lambda: self._ingest(list(self._numbers), 0))

    def turn(self, version: int) -> None:
        """One operation by chance. Half of the records stay: with none left there would be nothing to hold to."""
        numbers = self._chance.sample(self._numbers, 2)
        live = sorted(self._live)
        op = self._chance.choice(["ingest", "ingest", "update", "delete", "search", "search"])
        if op == "ingest":
            self._ask(op, numbers, version, lambda: self._ingest(numbers, version))
        elif op == "update" and live:
            number = self._chance.choice(live)
            self._ask(op, [number], version, lambda: self._update(number, version))
        elif op == "delete" and len(live) > len(self._numbers) // 2:
            number = self._chance.choice(live)
            self._ask(op, [number], version, lambda: self._delete(number))
        else:
            self._search()

    def _ask(self, op: str, numbers: list[int], version: int, act: Callable[[], dict[int, int | None]]) -> None:
        """Until it is acknowledged, or refused for a reason that time does not mend."""
        self._asked += 1
        self._tell(ask=self._asked, op=op, version=version, ids=numbers)
        while True:
            try:
                done = act()
            except _TRY_AGAIN as error:
                self._tell(again=type(error).__name__)
                continue
            except (SubjectErased, RecordNotFound) as error:
                if ERASED not in {part(number) for number in numbers for part in (about, mentions)}:
                    raise
                self._tell(ask=self._asked, refused=type(error).__name__)
                return
            for number, now in done.items():
                if now is None:
                    self._live.pop(number, None)
                else:
                    self._live[number] = now
            self._tell(ask=self._asked, done=done)
            return

    def _ingest(self, numbers: list[int], version: int) -> dict[int, int | None]:
        report = self._cases.ingest([row(number, version) for number in numbers])
        assert {refusal.error for refusal in report.refused} <= {SubjectErased.__name__}, report.refused
        refused = {refusal.row for refusal in report.refused}
        return {number: version for place, number in enumerate(numbers, start=1) if place not in refused}

    def _update(self, number: int, version: int) -> dict[int, int | None]:
        fresh = row(number, version)
        self._cases.update(fresh["id"], body=fresh["body"], edition=fresh["edition"])
        return {number: version}

    def _delete(self, number: int) -> dict[int, int | None]:
        self._cases.delete([f"C-{number}"])
        return {number: None}

    def _search(self) -> None:
        sure = [number for number in self._live if ERASED not in (about(number), mentions(number))]
        try:
            everything = {hit.record.id: hit.record for hit in self._cases.search("the lift", k=500)}
            wanted = [self._chance.choice(sure)] if sure else []
            filtered = [
                hit.record.id
                for number in wanted
                for hit in self._cases.search(
                    "the lift", k=5, where=sv.F("edition") == edition(number, self._live[number])
                )
            ]
        except TenantUnavailable:
            return
        mine = {f"C-{number}" for number in self._numbers}
        assert not any(found.startswith("O-") for found in everything), "a row that is due was returned"
        assert mine & everything.keys() <= {f"C-{number}" for number in self._live}, "a deleted row was returned"
        for number in sure:
            assert everything[f"C-{number}"].edition == edition(number, self._live[number]), "not what was acknowledged"
        assert filtered == [f"C-{number}" for number in wanted], "a filter does not find what was acknowledged"
        self._tell(seen=len(everything))

    def _tell(self, **line: Any) -> None:
        self._say(json.dumps(line))


def work(order: dict[str, Any]) -> None:
    stop = Path(order["stop"])
    with Path(order["said"]).open("a", buffering=1) as journal, open_store(order) as store:

        def say(line: str) -> None:
            journal.write(f"{line}\n")

        writer = Writer(order, cases_of(store), say)
        version = 0
        writer.begin()
        while not stop.exists():
            version += 1
            writer.turn(version)


def do_either(order: dict[str, Any], say: Callable[[str], None]) -> None:
    if order["work"] == "write beside":
        work(order)
    else:
        do(order, say)


if __name__ == "__main__":
    # Before any fork, as each child would take a second over it.
    import_module("chromadb")
    import_module("securevec_chroma.server")
    nursery(do_either)
