"""kill -9 while a person's own key is destroyed: either nobody was asked to, or the key dies before anything is deleted
and the next opening says so in the receipt. No copy of the store opens then, and the others' records never notice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

import securevec as sv
from securevec.errors import BoundKeyDestroyed, RecordNotFound
from securevec.reading.opening import open_body
from securevec.types import StoredPoint

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support import shred_child
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.leaks import every_point
from tests.support.shred_child import CALLS, Letter, fill, letters_of

TRAPS = [
    (point, side, nth)
    for point, (_, _, times) in CALLS.items()
    for side in ("before", "after")
    for nth in range(1, times + 1)
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Nursery, Iterator[int]]]:
    with Nursery(tmp_path_factory.mktemp("journals"), shred_child.__file__) as nursery:
        yield Home.create(tmp_path_factory.mktemp("shred")), nursery, itertools.count()


def opens(store: sv.SecureStore, letters: sv.Collection[Letter], copies: list[StoredPoint]) -> set[object]:
    found: set[object] = set()
    for point in copies:
        try:
            found.add(open_body(store.runtime.keys, letters._scope, point).record_id)
        except BoundKeyDestroyed:
            continue
    return found


def die_and_judge(desk: tuple[Home, Nursery, Iterator[int]], trap: Trap) -> bool:
    """Whether the erasure had been accepted."""
    home, nursery, numbers = desk
    tenant = f"desk-{next(numbers)}"
    fill(home.path, home.key_file, tenant)
    with home.open() as store:
        copies = list(every_point(store, letters_of(store, tenant)))
    death = nursery.run(home, "", tenant=tenant, trap=trap)
    assert death.killed, (trap, death)
    with home.open() as store:
        letters = letters_of(store, tenant)
        store.run_jobs()
        jobs = [job for job in store.runtime.control.jobs() if job.tenant == letters._scope.tenant]
        keys = store.runtime.keys.list_keys(tenant=letters._scope.tenant, kind="subject")
        assert letters.get("L-2").id == "L-2"
        if not jobs:
            assert letters.get("L-1").body == "the lift was late"
            assert (len(keys), opens(store, letters, copies)) == (2, {"L-1", "L-2"})
            return False
        assert (len(keys), opens(store, letters, copies)) == (1, {"L-2"})
        with pytest.raises(RecordNotFound):
            letters.get("L-1")
        assert jobs[0].receipt is not None
        said = {entry["artefact"]: entry for entry in home.read_receipt(jobs[0].receipt).predicate["artefacts"]}
        assert said["subject keys"]["verdict"] == "removed from live files"
        assert said["subject keys"]["evidence"].startswith("1 of 1 keys; removed from live files")
        letters.verify().raise_if_wrong()
        home.verify_audit(store)
        return True


def test_killed_before_a_shred_was_asked_for_and_in_the_middle_of_it(desk: tuple[Home, Nursery, Iterator[int]]) -> None:
    assert {die_and_judge(desk, trap) for trap in (TRAPS[0], ("bury keys", "after", 1))} == {True, False}


@pytest.mark.soak
def test_killed_at_every_point_of_a_shred(desk: tuple[Home, Nursery, Iterator[int]]) -> None:
    assert {die_and_judge(desk, trap) for trap in TRAPS} == {True, False}
