"""A backup beside what replaces, exchanges and removes while it is made: every part of it is of a state that opens."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

import securevec as sv
from securevec.backup import Newer, create, create_backup, export_tombstones, restore_backup
from securevec.errors import ControlUnavailable, EngineLocked, HomeRefused
from securevec.keys.keycopy import copy_keys
from securevec.rekeying import recloak
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.chroma_server import chroma_server
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME, Ticket, ticket
from tests.support.writer_child import Case, person

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


class Plain(sv.Record):
    """Whose people have no keys of their own."""

    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]
    edition: sv.Filter[str]


class Archive:
    """A home, and what is restored from a backup of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.key_file = root, root / "home", root / "root.key"

    def opened(self, home: Path, *, backend: str | None = None) -> sv.SecureStore:
        return sv.SecureStore.open(home, backend=backend, key_file=self.key_file, embedder=HashEmbedder())

    def restored(
        self, newer: Newer | None = None, progress: Callable[[str], None] = lambda step: None
    ) -> sv.SecureStore:
        again, newer = self.root / "again", newer or Newer(nothing=True)
        restore_backup(
            self.root / "backup",
            again,
            newer=newer,
            key_file=self.key_file,
            embedder=HashEmbedder(),
            progress=progress,
        )
        return self.opened(again)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def if_nobody_waits(store: sv.SecureStore, tickets: sv.Collection[Ticket], act: Callable[[], object]) -> None:
    """What another thread of the process does now, unless it has to wait for the collection."""

    def other() -> None:
        lock = store.runtime.write_lock(tickets._scope.collection)
        if lock.acquire(blocking=False):
            try:
                act()
            finally:
                lock.release()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()


@pytest.mark.parametrize("work", ["update", "reseal"])
def test_a_key_that_dies_while_a_backup_is_made_takes_no_record_out_of_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    with archive.opened(archive.home) as store:
        store._caretaker.stop()
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket, key_scope="document")
        tickets.ingest([ticket(number, f"The lift of house {number}.") for number in range(3)])
        acts: dict[str, Callable[[], object]] = {
            "update": lambda: tickets.update("T-1", body="The stairs of house 1."),
            "reseal": lambda: store.reseal("acme", "ticket"),
        }
        meanwhile(monkeypatch, create, "copy_keys", lambda: if_nobody_waits(store, tickets, acts[work]))
        create_backup(store, archive.root / "backup")
    with archive.restored() as store:
        tickets = store.tenant("acme", actor=ACME).collection(Ticket, key_scope="document")
        tickets.verify().raise_if_wrong()
        assert sorted(record.id for record in tickets.iter()) == ["T-0", "T-1", "T-2"]


def test_a_tenant_that_is_deleted_while_a_backup_is_made_is_in_no_file_of_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the copy of the vector store and that of the control store, which knows nothing of the tenant then."""
    with archive.opened(archive.home) as store:
        store._caretaker.stop()
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        tickets.ingest([ticket(1, "The lift.")])
        shard = tickets._scope.namespace.shard
        meanwhile(monkeypatch, create, "copy_control", lambda: store.delete_tenant("acme").raise_if_incomplete())
        create_backup(store, archive.root / "backup")
    with archive.restored() as store:
        assert shard not in set(store.runtime.backend().namespaces())


@pytest.mark.parametrize(("key", "step"), [("root", "keys"), ("signing", "keys"), ("signing", "manifest")])
def test_a_key_that_is_exchanged_while_a_backup_is_made_leaves_one_that_opens(
    archive: Archive, key: str, step: str
) -> None:
    with archive.opened(archive.home) as store:
        store.tenant("acme", create=True, actor=ACME).collection(Ticket).ingest([ticket(1, "The lift.")])
        left = [step]

        def exchange(at: str) -> None:
            if at in left:
                left.remove(at)
                (store.rotate_root_key if key == "root" else store.rotate_signing_key)()

        create_backup(store, archive.root / "backup", progress=exchange)
    with archive.restored() as store:
        store.tenant("acme", actor=ACME).collection(Ticket).verify().raise_if_wrong()


@pytest.mark.parametrize(
    ("engine", "record", "state"), [("edge", Case, "shredded"), ("edge", Plain, "accepted"), ("server", Case, "done")]
)
def test_a_person_whom_another_process_erases_while_a_backup_is_made_is_erased_in_what_is_restored(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, engine: str, record: type[Case | Plain], state: str
) -> None:
    """Behind the control copy, and reported before the backup is: nobody would look for a list of what came later.
    Where they have a key, it is destroyed at once, and a control copy of before would name what nobody can open."""
    told: list[str] = []
    with contextlib.ExitStack() as running:
        if engine == "server":
            pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]")
            engine, _ = running.enter_context(chroma_server(archive.root / "server"))
        store = running.enter_context(archive.opened(archive.home, backend=engine))
        store._caretaker.stop()
        cases: sv.Collection[Any] = store.tenant("acme", create=True, actor=ACME).collection(record)
        cases.ingest(
            [{"id": f"C-{n}", "customer": person(n), "body": f"Lift {n}.", "edition": "one"} for n in range(2)]
        )
        copies: list[Path] = []
        copy = copy_keys

        def behind_an_erasure(source: Path, target: Path) -> None:
            copies.append(target)
            if len(copies) == 1:
                given = (str(archive.home), str(archive.key_file), "never", "begin_job", "erase", person(0))
                told.append(warm.run(["-m", "tests.support.standing_child"], *given, check=True).stdout)
            copy(source, target)

        monkeypatch.setattr(create, "copy_keys", behind_an_erasure)
        create_backup(store, archive.root / "backup")
        assert told == [f"{state}\n"]
        assert len(copies) == 2
        if engine == "edge":
            store.close()  # the only one that may have what it keeps open
        again = running.enter_context(archive.restored())
        again.runtime.backend()
        assert [job.state for job in again.runtime.control.jobs()] == ["done"]
        cases = again.tenant("acme", actor=ACME).collection(record)
        cases.verify().raise_if_wrong()
        assert [each.id for each in cases.iter()] == ["C-1"]


def test_a_backup_is_of_a_moment_before_what_it_may_not_know_of(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People who are erased one after another, faster than copies are made: up to when erasures are known in what is
    restored is said to whoever restores it."""
    moments: list[int] = []
    copy = copy_keys
    with archive.opened(archive.home, backend="memory") as store:
        tenant = store.tenant("acme", create=True)
        tenant.collection(Ticket).ingest([ticket(n, "A lift.") for n in range(9)])

        def behind_another(source: Path, target: Path) -> None:
            tenant.erase_subject(f"customer{len(moments)}@example.com").raise_if_incomplete()
            moments.append(store.runtime.control.jobs()[-1].created_ms)
            copy(source, target)

        monkeypatch.setattr(create, "copy_keys", behind_another)
        said = create_backup(store, archive.root / "backup").manifest.created_ms
    assert len(moments) == 3
    assert moments[-2] <= said <= moments[-1]


@pytest.mark.parametrize("before", [True, False])
def test_a_list_of_models_that_is_changed_while_a_backup_is_made_is_one_that_can_be_read(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """The list lies in the control store and its number in the key store: of two moments, no model receives anything
    in what is restored."""
    model = HashEmbedder().identity.name
    with archive.opened(archive.home, backend="memory") as store:
        store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        if before:
            store.allow_model(model, ["internal"], kind="embedder")
        changes = iter([lambda: store.allow_model(model, ["internal", "secret"], kind="embedder")] * 2)
        copy = copy_keys

        def and_others_change_it(source: Path, target: Path) -> None:
            next(changes, lambda: None)()
            copy(source, target)

        monkeypatch.setattr(create, "copy_keys", and_others_change_it)
        create_backup(store, archive.root / "backup")
    with archive.restored() as store:
        assert [entry.allow for entry in store.models() or ()] == [("internal", "secret")]
        assert store.tenant("acme", actor=ACME).collection(Ticket).ingest([ticket(2, "The stairs.")]).new == 1


def test_a_cloak_that_is_exchanged_while_a_backup_is_made_is_taken_off_in_what_is_restored(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vectors lie under the new key already; a copy that is bound to the old one has no key of it."""

    def stopped() -> None:
        raise ControlUnavailable("A pause.")

    with archive.opened(archive.home) as store:
        store._caretaker.stop()
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket, cloak="rotate")
        tickets.ingest([ticket(1, "The lift.")])
        with monkeypatch.context() as paused:
            meanwhile(paused, recloak._Turn, "bind", stopped)
            with pytest.raises(ControlUnavailable):
                store.recloak("acme", "ticket")
        end = threading.Thread(target=store.run_jobs)

        def others() -> None:
            end.start()
            end.join(0.5)  # with the backup in its way it waits for that to end

        meanwhile(monkeypatch, create, "copy_keys", others)
        create_backup(store, archive.root / "backup")
        end.join()
        export_tombstones(store, archive.root / "later", since=archive.root / "backup")
    with archive.restored(Newer(tombstones=archive.root / "later")) as store:
        store.tenant("acme", actor=ACME).collection(Ticket, cloak="rotate").verify().raise_if_wrong()


def test_what_is_decided_in_the_old_home_while_it_is_restored_is_not_lost(archive: Archive) -> None:
    """An erasure is accepted there by a process that needs no engine for that, so no lock keeps it out."""
    with archive.opened(archive.home) as store:
        store.tenant("acme", create=True, actor=ACME).collection(Ticket).ingest([ticket(n, "A lift.") for n in (1, 2)])
        create_backup(store, archive.root / "backup")

    def erase(step: str) -> None:
        if step == "replay":
            with archive.opened(archive.home) as other:
                assert other.tenant("acme").erase_subject("customer1@example.com").waiting_for

    newer = Newer(current=archive.home)
    with pytest.raises(HomeRefused, match="used while"):
        archive.restored(newer, progress=erase)
    with archive.restored(newer) as store:
        store.run_jobs()
        assert [each.id for each in store.tenant("acme", actor=ACME).collection(Ticket).iter()] == ["T-2"]


def test_a_deletion_that_forgets_an_erasure_is_another_removal_to_a_backup(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as before are known behind it, and in front of a server no change of a key is looked at."""

    def held() -> NoReturn:
        raise EngineLocked("Another process holds the engine of this home.")

    with archive.opened(archive.home, backend="memory") as store:
        tenant = store.tenant("acme", create=True)
        tenant.collection(Ticket).ingest([ticket(1, "A lift.")])
        monkeypatch.setattr(store.runtime.engine, "backend", held)
        assert tenant.erase_subject("customer1@example.com").state == "accepted"
        monkeypatch.undo()
        _, _, (_, before) = create._looked_at(store.runtime, "server")
        store.delete_tenant("acme").raise_if_incomplete()
        _, _, (_, after) = create._looked_at(store.runtime, "server")
    assert len(before) == len(after) == 1
    assert before != after
