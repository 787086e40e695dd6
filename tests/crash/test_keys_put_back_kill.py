"""kill -9 around the destruction of keys, and the key store of before put in its place: before anybody was told of the
destruction it is made again, and afterwards the older copy is refused."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from securevec.control.store import ControlStore
from securevec.errors import HomeRefused
from securevec.keys.keystore import KeyStore
from tests.support.crash_child import edition, open_collection
from tests.support.crash_home import Home, Nursery, Trap

TENANT = "put-back-desk"


class Shelf:
    """A home with one tenant, and its key store of before the tenant's deletion."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        self.home, self._nursery, self._copy = Home.create(root), nursery, root / "before"
        with self.home.open() as store:
            open_collection(store, TENANT, create=True).ingest(edition(0))
        shutil.copytree(self.home.path / "keys", self._copy)

    def die(self, trap: Trap, *, armed: str = "working") -> None:
        assert self._nursery.run(self.home, "delete tenant", tenant=TENANT, trap=trap, armed=armed).killed

    def put_back(self) -> None:
        shutil.rmtree(self.home.path / "keys")
        shutil.copytree(self._copy, self.home.path / "keys")

    def counts(self) -> tuple[int, int]:
        """The key store's own count of its changes, and the one that is kept of it."""
        with contextlib.closing(KeyStore(self.home.path / "keys")) as keys:
            changes = keys.changes()
        with contextlib.closing(ControlStore.open(self.home.path / "control.db", create=False)) as control:
            return changes, control.key_changes()

    def end(self) -> None:
        with self.home.open() as store:
            store.runtime.backend()
            store.run_jobs()
            (job,) = store.runtime.control.jobs()
            assert job.state == "done"
            assert not [key for key in store.runtime.keys.list_keys() if key.tenant == job.tenant]
            assert len(store.runtime.keys.destroyed_ids()) >= 8


@pytest.fixture
def shelf(tmp_path: Path, nursery: Nursery) -> Shelf:
    return Shelf(tmp_path, nursery)


BEFORE: list[Trap] = [("bury keys", "after", 1), ("vacuum keys", "before", 1), ("clear pending", "after", 1)]
"""Between the commit of the key store and the next one of the control store. Not yet committed at the first."""


@pytest.mark.parametrize("trap", BEFORE)
def test_killed_between_the_two_writes_the_home_opens_and_catches_up(shelf: Shelf, trap: Trap) -> None:
    _, kept = shelf.counts()
    shelf.die(trap)
    assert shelf.counts() == (kept + (trap[0] != "bury keys"), kept)
    shelf.home.open().close()
    changes, caught = shelf.counts()
    assert changes == caught
    shelf.end()
    shelf.put_back()
    with pytest.raises(HomeRefused, match="older than the control store"):
        shelf.home.open()


@pytest.mark.parametrize("trap", BEFORE)
def test_keys_put_back_before_anybody_was_told_are_destroyed_again(shelf: Shelf, trap: Trap) -> None:
    shelf.die(trap)
    shelf.put_back()
    shelf.end()
    shelf.put_back()
    with pytest.raises(HomeRefused, match="older than the control store"):
        shelf.home.open()


def test_keys_put_back_after_the_job_said_that_they_are_gone_are_refused(shelf: Shelf) -> None:
    shelf.die(("advance job", "after", 2))
    changes, kept = shelf.counts()
    assert changes == kept
    shelf.put_back()
    with pytest.raises(HomeRefused, match="older than the control store"):
        shelf.home.open()
