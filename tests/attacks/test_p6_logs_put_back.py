"""A log of SQLite from another moment, or anything else, in the place of the log of control or key store. SQLite plays
back what it finds there. Nothing deleted comes back by it, nothing newer is lost unnoticed, nobody is kept waiting."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.audit.checkpoint import Head
from securevec.audit.keeping import Kept, lags
from securevec.errors import (
    AuditUnavailable,
    ControlUnavailable,
    HomeRefused,
    KeyRejected,
    KeyUnavailable,
    SecurevecError,
    UnknownKey,
)
from securevec.keys.keyfile import KeyFile
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.world import ACME, Ticket, ticket

JOURNAL: Final = "keys/keys.db-journal"
LOGS: Final = (JOURNAL, "control.db-wal", "control.db-shm", "control.db-journal")


class House:
    """A home with a collection whose records have keys of their own, and what lies beside it."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.key_file = root, root / "home", root / "root.key"
        root.mkdir(exist_ok=True)
        with self.opened(backend="edge") as store:
            self.tickets(store).ingest([ticket(number, f"lift {number}") for number in range(3)])

    def opened(self, **named: Any) -> sv.SecureStore:
        store = sv.SecureStore.open(self.home, key_file=self.key_file, embedder=HashEmbedder(), **named)
        store._caretaker.stop()
        return store

    def tickets(self, store: sv.SecureStore) -> sv.Collection[Ticket]:
        tenant = store.tenant("acme", create=True, actor=ACME)
        return tenant.collection(Ticket, retention="180d", key_scope="document")

    def ids(self, store: sv.SecureStore) -> set[str]:
        return {record.id for record in self.tickets(store).iter()}

    def put(self, name: str, log: bytes) -> None:
        (self.home / name).write_bytes(log)
        (self.home / name).chmod(0o600)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def journal_of_a_lease(house: House, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The journal of a transaction that changes no key, whole, as a kill in the middle of its commit leaves it."""
    caught: list[Path] = []
    run = KeyFile._run

    def link_first(store: KeyFile, statement: str, *given: Any) -> Any:
        journal = house.home / JOURNAL
        if statement == "COMMIT" and not store._changed and journal.exists():
            caught.append(house.root / f"journal-{len(caught)}")
            os.link(journal, caught[-1])  # what is written to it before it goes is in this one too
        return run(store, statement, *given)

    monkeypatch.setattr(KeyFile, "_run", link_first)
    with house.opened() as store:
        house.tickets(store).ingest([ticket(9, "lift 9")])
    monkeypatch.undo()
    assert caught, "a lease was written"
    return caught[-1].read_bytes()


def test_a_journal_of_before_does_not_bring_destroyed_keys_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = journal_of_a_lease(house, monkeypatch)
    with house.opened() as store:
        house.tickets(store).delete(["T-0"])
    house.put(JOURNAL, journal)
    with pytest.raises(HomeRefused, match=r"two moments|older"), house.opened() as store:
        house.ids(store)


def test_a_journal_of_before_is_noticed_by_who_has_the_key_store_open(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_of_a_lease(house, monkeypatch)
    store = house.opened()
    house.tickets(store).delete(["T-0"])
    house.put(JOURNAL, journal)
    with pytest.raises(HomeRefused, match=r"two moments|older"):
        house.tickets(store).get("T-1")
    with pytest.raises(AuditUnavailable):  # it signs nothing more either
        store.close()


def test_a_journal_that_a_kill_left_is_played_back_and_the_home_opens(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put(JOURNAL, journal_of_a_lease(house, monkeypatch))
    with house.opened() as store:
        assert house.ids(store) == {"T-0", "T-1", "T-2", "T-9"}


@pytest.mark.parametrize("engine", ["as it is", "put back"])
def test_a_write_ahead_log_of_before_brings_no_record_back(house: House, tmp_path: Path, engine: str) -> None:
    """With the engine's files of that moment, everything that it names would open."""
    with house.opened() as store:
        house.ids(store)  # its line in the log of writers is written before the log of the store begins anew
        control = store.runtime.control
        with control._db._writer as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        house.tickets(store).ingest([ticket(7, "lift 7 of the lantern")])
        log = (house.home / "control.db-wal").read_bytes()
        shutil.copytree(house.home / "engine", tmp_path / "engine")
        house.tickets(store).ingest([ticket(8, "lift 8, later")])
        house.tickets(store).delete(["T-7"])
    assert not (house.home / "control.db-wal").exists()
    house.put("control.db-wal", log)
    if engine == "put back":
        shutil.rmtree(house.home / "engine")
        shutil.copytree(tmp_path / "engine", house.home / "engine")
    for _ in range(2):  # playing it back has put it into the file itself
        with pytest.raises(HomeRefused, match="two moments"):
            house.opened()


def test_a_head_that_was_never_announced_is_of_another_moment() -> None:
    """The log of the store was copied between the two commits around a line of the audit log."""
    assert not lags(Kept(Head(8, "root"), announced=8), 8)
    with pytest.raises(HomeRefused, match="older than the audit log"):
        lags(Kept(Head(8, "root"), announced=5), 8)


def test_a_write_ahead_log_that_a_kill_left_is_played_back_and_the_home_opens(house: House, tmp_path: Path) -> None:
    with house.opened() as store:
        house.tickets(store).delete(["T-0"])
        house.tickets(store).ingest([ticket(8, "lift 8")])
        shutil.copytree(house.home, tmp_path / "killed")
    (tmp_path / "killed" / "control.db-shm").unlink()
    house.home = tmp_path / "killed"
    with house.opened() as store:
        assert house.ids(store) == {"T-1", "T-2", "T-8"}


def _garbage(_: bytes) -> bytes:
    return os.urandom(8192)


def _cut(log: bytes) -> bytes:
    return log[:700]


@pytest.mark.parametrize("change", [_garbage, _cut, bytes])
def test_the_journal_of_another_home_or_of_none_says_nothing(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    """What it spoils is an error; whatever is answered is right."""
    other = House(tmp_path / "other")
    house.put(JOURNAL, change(journal_of_a_lease(other, monkeypatch)))
    said: object
    try:
        with house.opened() as store:
            said = house.ids(store)
    except SecurevecError as error:
        said = type(error)
    wrong = (HomeRefused, KeyRejected, KeyUnavailable, UnknownKey)
    assert said in wrong if change is bytes else said in (*wrong, {"T-0", "T-1", "T-2"})


PROGRAM: Final = """
import sys
from pathlib import Path
import securevec as sv
from securevec.errors import SecurevecError
from securevec.testing.embedders import HashEmbedder
try:
    sv.SecureStore.open(Path(sys.argv[1]), key_file=Path(sys.argv[2]), embedder=HashEmbedder()).close()
except SecurevecError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("name", LOGS)
def test_a_pipe_in_the_place_of_a_log_is_refused_and_not_waited_for(house: House, name: str) -> None:
    """SQLite would wait for its other end where nothing interrupts it."""
    os.mkfifo(house.home / name)
    done = warm.run(["-c", PROGRAM], str(house.home), str(house.key_file), check=True, timeout=60)
    assert done.stdout.split() == [HomeRefused.__name__]


@pytest.mark.parametrize("name", LOGS)
def test_a_link_in_the_place_of_a_log_leads_nowhere(house: House, tmp_path: Path, name: str) -> None:
    """Pages with wrapped keys would be written to where it leads, and stay there."""
    (house.home / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises((HomeRefused, ControlUnavailable)):
        house.opened()
    assert not (tmp_path / "elsewhere").exists()
