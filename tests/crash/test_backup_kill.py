"""kill -9 in the middle of making or restoring a backup: nothing half is taken for a backup, nothing half opens as a
home, and the same call again makes it whole.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.backup import create_backup, export_tombstones, verify_backup
from securevec.errors import BackupRejected, HomeRefused, KeyDestroyed, RecordNotFound, TenantNotFound
from tests.support import backup_child
from tests.support.backup_child import CREATE, RESTORE
from tests.support.crash_child import ACTOR, PERSON, open_collection, open_home
from tests.support.crash_home import Home, Nursery, Trap
from tests.support.killing import traps
from tests.support.world import ticket


class Desk:
    """A home with a backup, what was deleted since, and a list of it; and a nursery whose children die."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        self.home, self.nursery = Home.create(root), nursery
        self.backup, self.ledger = root / "backup", root / "later"
        self.made, self.into = root / "made", root / "into"
        with self.home.open() as store:
            kept = open_collection(store, "kept", create=True)
            kept.ingest([ticket(1, "The lift is late."), ticket(2, "The lift is gone."), ticket(3, f"Ask {PERSON}.")])
            open_collection(store, "gone", create=True).ingest([ticket(1, "Bees.")])
            create_backup(store, self.backup)
            kept.delete(["T-2"])
            store.tenant("kept", actor=ACTOR).erase_subject(PERSON).raise_if_incomplete()
            store.delete_tenant("gone").raise_if_incomplete()
            self.dead = store.runtime.keys.destroyed_ids()
            export_tombstones(store, self.ledger, since=self.backup)

    def order(self, work: str, trap: Trap | None) -> dict[str, Any]:
        return {
            "work": work,
            "home": str(self.home.path),
            "key_file": str(self.home.key_file),
            "backup": str(self.made if work == "create" else self.backup),
            "ledger": str(self.ledger),
            "into": str(self.into),
            "trap": trap,
        }

    def kill_creating(self, chosen: Sequence[Trap], moments: Sequence[float] = ()) -> None:
        for trap, moment in [*((trap, None) for trap in chosen), *((None, moment) for moment in moments)]:
            after = None if moment is None else (1, moment)
            death = self.nursery.carry_out(self.order("create", trap), kill_after=after)
            assert death.killed or moment is not None, (trap, death)
            whole = self._is_whole()
            assert whole == (trap == ("finish", "after", 1)) or moment is not None, trap
            if not whole:
                self._again("create")
                assert self._is_whole()
            shutil.rmtree(self.made)
            with self.home.open() as store:
                store.tenants()  # the first record: it answers the intents of the dead
                self.home.verify_audit(store)

    def kill_restoring(self, chosen: Sequence[Trap], moments: Sequence[float] = ()) -> None:
        for trap, moment in [*((trap, None) for trap in chosen), *((None, moment) for moment in moments)]:
            after = None if moment is None else (1, moment)
            death = self.nursery.carry_out(self.order("restore", trap), kill_after=after)
            assert death.killed or moment is not None, (trap, death)
            if (self.into / "VERSION").exists():
                assert moment is not None or trap in {("finish", "after", 1), ("write", "after", 2)}, trap
            else:
                # In a directory that is still empty, or not there, a new home may be made; that is no half of this one.
                begun = self.into.exists() and any(self.into.iterdir())
                for create in (False, True) if begun else (False,):
                    with pytest.raises(HomeRefused):
                        sv.SecureStore.open(self.into, key_file=self.home.key_file, create=create)
                self._again("restore")
            self._judge()
            shutil.rmtree(self.into)

    def _again(self, work: str) -> None:
        assert self.nursery.carry_out(self.order(work, None)).journal == ["begin", "done"]

    def _is_whole(self) -> bool:
        try:
            return verify_backup(self.made, key_file=self.home.key_file).opened == 2
        except BackupRejected:
            return False

    def _judge(self) -> None:
        with open_home(self.into, self.home.key_file) as store:
            kept = open_collection(store, "kept")
            assert kept.get("T-1").body == "The lift is late."
            assert PERSON not in kept.get("T-3").body
            with pytest.raises(RecordNotFound):
                kept.get("T-2")
            with pytest.raises(TenantNotFound):
                open_collection(store, "gone")
            for key_id in self.dead:
                with pytest.raises(KeyDestroyed):
                    store.runtime.keys.key_by_id(key_id)
            kept.verify().raise_if_wrong()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("backups")
    with Nursery(root, backup_child.__file__) as nursery:
        yield Desk(root, nursery)


def test_kill_at_chosen_steps_of_making_a_backup(desk: Desk) -> None:
    desk.kill_creating(
        [("copy shard", "after", 1), ("mark", "after", 1), ("write", "before", 3), ("finish", "after", 1)]
    )


def test_kill_at_chosen_steps_of_a_restore(desk: Desk) -> None:
    desk.kill_restoring([("copy", "after", 3), ("advance", "after", 1), ("write", "before", 2)])


@pytest.mark.soak
def test_kill_at_every_step_of_making_a_backup(desk: Desk) -> None:
    chance = random.Random(5)
    every = traps({name: calls for name, (_, _, calls) in CREATE.items()})
    desk.kill_creating(every, [chance.uniform(0, 0.3) for _ in range(20)])


@pytest.mark.soak
def test_kill_at_every_step_of_a_restore(desk: Desk) -> None:
    chance = random.Random(6)
    every = traps({name: calls for name, (_, _, calls) in RESTORE.items()})
    desk.kill_restoring(every, [chance.uniform(0, 0.5) for _ in range(20)])
