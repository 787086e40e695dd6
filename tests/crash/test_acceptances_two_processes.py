"""What another process is about to accept while this one writes: the other stands still between its look at the clock
and its commit, so what it accepts is dated before what was committed first."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.control.store import ControlStore
from securevec.errors import SubjectErased
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.crash_home import Home
from tests.support.meanwhile import meanwhile
from tests.support.world import World, open_world, ticket

JANE, PETER, NAME = "jane.doe@example.com", "peter.miller@example.org", "Bob Stone"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Held by this process, which carries jobs on when it is told to."""
    path, key = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(path, backend="edge", key_file=key, embedder=HashEmbedder()) as store:
        store._caretaker.stop()
        made = open_world(store, path, key)
        yield made
        Home(path, key, store.runtime.installation_id, store.runtime.keys.signing_key().public).verify_audit(store)


@contextmanager
def about_to_accept(world: World, *act: str) -> Generator[Callable[[], str]]:
    """Another process that has looked at the clock and not committed yet. Called, it goes on to its end."""
    given = (str(world.home), str(world.key_file), "before", "begin_job", *act)
    with warm.start(["-m", "tests.support.standing_child"], *given) as child:
        assert child.stdout.readline() == "stands\n", child.errors[-2000:]
        time.sleep(0.002)  # the clock of both goes on

        def go_on() -> str:
            assert child.stdin is not None
            child.stdin.write("go on\n")
            child.stdin.flush()
            said = child.stdout.readline().strip()
            assert child.wait(60) == 0, child.errors[-2000:]
            return said

        yield go_on


def carried_on(world: World) -> list[str]:
    return [each.raise_if_incomplete().state for each in world.store.run_jobs()]


def test_a_person_leaves_a_record_that_another_erasure_wrote_anew(world: World) -> None:
    with about_to_accept(world, "erase", JANE) as accept:
        assert world.acme.ingest([ticket(1, f"lantern: {JANE} and {PETER} called")]).new == 1
        assert accept() == "accepted"
    acme = world.store.tenant("acme")
    acme.erase_subject(PETER).raise_if_incomplete()
    assert carried_on(world) == ["done"]
    for person in (JANE, PETER):
        assert acme.find_subject(person).matches == ()
    assert world.acme.get("T-1").body.count("[ERASED]") == 2
    world.acme.verify().raise_if_wrong()


def test_a_batch_that_was_announced_before_is_not_made_visible_over_the_erasure_of_a_declared_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.acme.ingest([ticket(1, "the lantern was never delivered", customer=NAME)])
    said: list[str] = []
    with about_to_accept(world, "erase", NAME) as accept:
        meanwhile(monkeypatch, ControlStore, "commit_batch", lambda: said.append(accept()))
        with pytest.raises(SubjectErased):
            world.acme.ingest([ticket(1, "nor was the second", customer=NAME)])
    assert said == ["accepted"]
    assert carried_on(world) == ["done"]
    assert world.acme.count() == 0
    assert world.store.tenant("acme").find_subject(NAME).matches == ()


def test_what_was_read_before_an_erasure_is_not_stored_behind_its_short_fence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def fenced_and_over() -> None:
        said.append(accept())
        time.sleep(1.1)

    with about_to_accept(world, "erase", JANE, "1s") as accept:
        meanwhile(monkeypatch, HashEmbedder, "embed", fenced_and_over)
        with pytest.raises(SubjectErased):
            world.acme.ingest([ticket(1, f"{JANE} called")])
    assert said == ["done"]  # there was nothing of her
    assert world.acme.count() == 0
