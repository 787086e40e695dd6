"""Hits are made while their audit record is on its way to the disk: none of them leaves before it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import securevec as sv
from securevec import search
from securevec.audit import Work, flushing, read_tail, summarize
from securevec.errors import AuditUnavailable, SchemaError
from securevec.reading import making
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, World, open_world, ticket


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=HashEmbedder()) as store:
        made = open_world(store, home, key_file)
        made.acme.ingest([ticket(number, f"refund number {number}") for number in range(1, 5)])
        yield made


def _recorded(world: World, number: int) -> list[dict[str, str]]:
    runtime = world.store.runtime
    return [summarize(row) for row in read_tail(world.home / "audit", log_id=runtime.installation_id, limit=number)]


def _made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many hits were made by each call that makes them."""
    counts: list[int] = []
    make = making.hits_of

    def counting(*arguments: Any) -> list[Any]:
        hits = make(*arguments)
        counts.append(len(hits))
        return hits

    monkeypatch.setattr(search, "hits_of", counting)
    return counts


def test_hits_that_are_made_do_not_leave_when_their_record_does_not_reach_the_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _made(monkeypatch)

    def broken(descriptor: int, work: Work) -> None:
        work()
        raise OSError("input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(flushing.beside, "flush", broken)
        with pytest.raises(AuditUnavailable):
            world.acme.search("refund", k=3)
    assert made == [3]
    assert len(world.acme.search("refund", k=3)) == 3


def test_a_search_waits_for_its_record_though_its_hits_are_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = _made(monkeypatch), list[str]()
    flush = flushing.beside.flush

    def slow(descriptor: int, work: Work) -> None:
        said.append(f"{len(made)} made")
        flush(descriptor, work)
        said.append(f"on disk, {len(made)} made")

    monkeypatch.setattr(flushing.beside, "flush", slow)
    world.acme.search("refund", k=3)
    said.append("answered")
    assert said == ["0 made", "on disk, 1 made", "answered"]


def test_hits_that_cannot_be_made_are_told_behind_the_record_that_said_they_were_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(*arguments: object) -> list[object]:
        raise SchemaError("A stored record holds a field the Record class does not declare.")

    monkeypatch.setattr(search, "hits_of", unfit)
    with pytest.raises(SchemaError):
        world.acme.search("refund", k=3)
    answered, failed = _recorded(world, 2)
    assert (answered["action"], answered["outcome"]) == ("search", "allowed")
    assert (failed["action"], failed["outcome"]) == ("search", "failed")
    assert answered["request"] == failed["request"]


class Asking(sv.Record):
    """Asks its own store whenever one is made."""

    id: sv.Key[str]
    body: sv.Embed[str]

    collection: ClassVar[sv.Collection[Any] | None] = None
    asked: ClassVar[list[int]] = []

    def model_post_init(self, context: object) -> None:
        if Asking.collection is not None:
            Asking.asked.append(Asking.collection.count())


def test_a_record_class_with_code_of_its_own_may_ask_the_store_and_is_not_run_beside_the_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code would wait for the flush that waits for it."""
    notes = world.store.tenant("acme", actor=ACME).collection(Asking, retention="180d")
    notes.ingest([{"id": f"N-{number}", "body": f"refund of {number}"} for number in range(3)])
    beside, flush = [False], flushing.beside.flush

    def watched(descriptor: int, work: Work) -> None:
        beside[0] = True
        try:
            before = len(Asking.asked)
            flush(descriptor, work)
            assert len(Asking.asked) == before
        finally:
            beside[0] = False

    monkeypatch.setattr(flushing.beside, "flush", watched)
    monkeypatch.setattr(Asking, "collection", notes)
    Asking.asked.clear()
    assert len(notes.search("refund", k=3)) == 3
    assert Asking.asked == [3, 3, 3]
