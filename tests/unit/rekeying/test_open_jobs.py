"""A job that is open is found again by who asks for the same, and by nobody who asks for another thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import orjson
import pytest

import securevec as sv
from securevec.errors import CollectionNotFound, TenantUnavailable
from securevec.rekeying import reindex, renewing, reseal, rewriting
from securevec.testing.embedders import HashEmbedder
from securevec.types import TenantId
from tests.support.world import ACME, Ticket, World, open_world, ticket


class Stopped(BaseException):
    """What stands for the end of a process."""


def stopped(*_: object, **__: object) -> NoReturn:
    raise Stopped


def stop(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    room: Any,
    ask: Callable[[sv.SecureStore], object],
    before: str = "rewrite",
) -> str:
    """The id of a job that was begun, and not carried on beyond a step of its room."""
    with monkeypatch.context() as patch:
        patch.setattr(room, before, stopped)
        with pytest.raises(Stopped):
            ask(world.store)
    (job,) = world.store.runtime.control.jobs(open_only=True)
    return job.job_id


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key, embedder=HashEmbedder()) as store:
        store._caretaker.stop()
        world = open_world(store, home, key)
        world.acme.ingest([ticket(1, "the first lift")])
        yield world


def test_an_open_job_answers_for_nothing_else(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another collection, another tenant, another kind: who is told that theirs is done is not told of this one."""
    store = here.store
    other = store.tenant("acme", actor=ACME).collection(Ticket, name="other")
    other.ingest([ticket(2, "the second lift")])
    mine = stop(here, monkeypatch, reseal, lambda store: store.reseal("acme", "ticket"))
    for ask in (
        lambda: store.reseal("acme", "other"),
        lambda: store.reindex("acme", "ticket"),
        lambda: store.reseal("globex", "ticket"),
    ):
        result = ask()
        assert (result.state, result.job_id == mine) == ("done", False)
    again = store.reseal("acme", "ticket")
    assert (again.state, again.job_id) == ("done", mine)
    mine = stop(here, monkeypatch, renewing, lambda store: store.renew_tokens("acme"))
    theirs = store.renew_tokens("globex")
    assert (theirs.state, theirs.job_id == mine) == ("done", False)
    assert store.renew_tokens("acme").job_id == mine


def test_a_job_on_a_collection_of_another_tenant_is_not_carried_on(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever edits the row of a job in the control store."""
    store = here.store
    mine = stop(here, monkeypatch, reindex, lambda store: store.reindex("acme", "ticket"))
    job = store.runtime.control.job(mine)
    assert job is not None
    data = orjson.loads(job.data)
    assert rewriting.place_of(store.runtime, job, data).collection == here.acme.id
    for edited, said in (
        (replace(job, tenant=TenantId(here.globex._scope.tenant)), data),
        (job, data | {"collection": "0" * 32}),
    ):
        with pytest.raises(CollectionNotFound):
            rewriting.place_of(store.runtime, edited, said)
    assert store.reindex("acme", "ticket").job_id == mine


def test_no_key_of_a_suspended_tenant_is_exchanged(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = here.store
    keys = store.runtime.keys.list_keys()
    mine = stop(here, monkeypatch, reseal, lambda store: store.reseal("acme", "ticket"), before="place_of")
    store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        store.run_job(mine)
    job = store.runtime.control.job(mine)
    assert job is not None
    assert job.state == "accepted"
    assert store.runtime.keys.list_keys() == keys
    store.resume_tenant("acme")
    assert store.run_job(mine).state == "done"
