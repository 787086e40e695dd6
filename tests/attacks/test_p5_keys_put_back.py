"""``keys.db`` put back alone, from a copy made before keys were destroyed or exchanged: the home is refused, whatever
happened in between and whoever has it open, and the message says what to do."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Annotated, Final

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, restore_backup
from securevec.cli.main import main
from securevec.control.rows import JobRow
from securevec.errors import AuditUnavailable, HomeRefused, KeyUnavailable
from securevec.guard import commission
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.world import ACME, GLOBEX, Ticket, ticket

JANE: Final = "jane.doe@example.com"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]


class Place:
    """A home with one collection of each kind of key."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        with self.opened(create=True) as store:
            acme = store.tenant("acme", create=True, actor=ACME)
            acme.collection(Ticket, retention="180d").ingest([ticket(1, f"the lift of {JANE}"), ticket(2, "a lift")])
            acme.collection(Ticket, name="single", key_scope="document").ingest([ticket(1, "lift"), ticket(2, "door")])
            acme.collection(Ticket, name="cloaked", cloak=sv.Cloak()).ingest([ticket(1, "the lift")])
            acme.collection(Letter).ingest([{"id": "L-1", "writer": JANE, "body": "about the lift"}])
            store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket).ingest([ticket(3, "bees")])
        shutil.copytree(self.home / "keys", root / "before")

    def opened(self, *, create: bool = False) -> sv.SecureStore:
        return sv.SecureStore.open(
            self.home, key_file=self.root / "root.key", embedder=HashEmbedder(), create=create, backend="edge"
        )

    def put_back(self) -> None:
        shutil.rmtree(self.home / "keys")
        shutil.copytree(self.root / "before", self.home / "keys")

    def write_over(self) -> None:
        """The same, into the file that others have open: by a process of its own, as an attacker's would be."""
        program = "import sys, pathlib; p = pathlib.Path; p(sys.argv[2]).write_bytes(p(sys.argv[1]).read_bytes())"
        paths = [str(folder / "keys.db") for folder in (self.root / "before", self.home / "keys")]
        warm.run(["-c", program], *paths, check=True)

    @property
    def arguments(self) -> list[str]:
        return ["--home", str(self.home), "--key-file", str(self.root / "root.key")]


@contextlib.contextmanager
def _ending_unsigned(store: sv.SecureStore) -> Generator[sv.SecureStore]:
    """With another key store than before, nothing is signed either."""
    yield store
    with pytest.raises(AuditUnavailable):
        store.close()


def _tickets(store: sv.SecureStore) -> sv.Collection[Ticket]:
    return store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")


EVENTS: Final[dict[str, Callable[[sv.SecureStore], object]]] = {
    "a tenant deleted": lambda store: store.delete_tenant("globex").raise_if_incomplete(),
    "a person erased": lambda store: store.tenant("acme").erase_subject(JANE).raise_if_incomplete(),
    "a record deleted": lambda store: (
        store.tenant("acme", actor=ACME).collection(Ticket, name="single", key_scope="document").delete(["T-1"])
    ),
    "sealed anew": lambda store: store.reseal("acme", "ticket").raise_if_incomplete(),
    "cloaked anew": lambda store: store.recloak("acme", "cloaked").raise_if_incomplete(),
    "indexed anew": lambda store: store.reindex("acme", "ticket").raise_if_incomplete(),
    "tokens anew": lambda store: store.renew_tokens("acme").raise_if_incomplete(),
    "surrogates anew": lambda store: store.renew_surrogates("acme").raise_if_incomplete(),
    "data keys rolled": lambda store: store.roll_keys("acme", "ticket"),
    "a tenant's key exchanged": lambda store: store.rotate_tenant_keys("acme"),
    "root key exchanged": lambda store: store.rotate_root_key(),
    "signing key exchanged": lambda store: store.rotate_signing_key(),
    "a tenant made": lambda store: store.tenant("initech", create=True),
    "a first record in another bucket": lambda store: (
        store.tenant("acme", actor=ACME).collection(Ticket, name="new").ingest([ticket(9, "rain")])
    ),
}
DEFAULT: Final = {"a tenant deleted", "a person erased", "a record deleted", "cloaked anew", "root key exchanged"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    "event", [pytest.param(event, marks=[] if event in DEFAULT else [pytest.mark.soak]) for event in EVENTS]
)
def test_a_key_store_put_back_alone_is_refused(place: Place, event: str, capsys: pytest.CaptureFixture[str]) -> None:
    with place.opened() as store:
        EVENTS[event](store)
    with place.opened() as store:
        assert len(_tickets(store).search("lift", k=2)) > 0
    place.put_back()
    with pytest.raises(HomeRefused, match="older than the control store") as refused:
        place.opened()
    assert "backup restore" in refused.value.next_step
    assert "doctor --accept-key-store" in refused.value.next_step
    assert main(["doctor", *place.arguments]) == 1
    assert "--accept-key-store" in " ".join(capsys.readouterr().out.split())
    if event != "signing key exchanged":  # the audit log names a key that this store does not have
        # Who goes on with it knowingly may.
        assert main(["doctor", "--accept-key-store", *place.arguments]) == 0
        place.opened().close()


def test_what_only_took_messages_from_a_key_does_not_make_an_older_copy_of_it(place: Place) -> None:
    with place.opened() as store:
        _tickets(store).ingest([ticket(1, "the same month"), ticket(7, "one more")])
        assert len(_tickets(store).search("month", k=3)) == 3
    place.put_back()
    with place.opened() as store:
        assert len(_tickets(store).search("month", k=3)) == 3


def test_a_key_store_written_over_while_it_is_open_opens_nothing_more(place: Place) -> None:
    with _ending_unsigned(place.opened()) as store:
        tickets = _tickets(store)
        assert len(tickets.search("lift", k=2)) == 2
        store.delete_tenant("globex").raise_if_incomplete()
        place.write_over()
        for _ in range(2):
            with pytest.raises(HomeRefused, match="older than the control store"):
                tickets.search("lift", k=2)


def test_keys_written_over_before_the_next_commit_open_nothing_in_the_process_that_destroyed_them(place: Place) -> None:
    with place.opened() as store:
        runtime, tenant = store.runtime, store.tenant("globex").id
        runtime.keys.destroy_tenant(tenant)
        assert runtime.control.key_changes() < runtime.keys.changes()
        place.write_over()
        with pytest.raises(HomeRefused, match="older than the control store"):
            runtime.keys.tenant_key(tenant, "id")


def test_whoever_slept_through_the_destruction_notices_the_older_copy_all_the_same(place: Place) -> None:
    with _ending_unsigned(place.opened()) as sleeper:
        tickets = _tickets(sleeper)
        assert len(tickets.search("lift", k=2)) == 2
        sleeper._caretaker.stop()  # it would take the job from who destroys the keys
        with place.opened() as other:
            # The sleeper holds the engine, so the rest of the deletion waits for it; the keys go at once.
            other.delete_tenant("globex")
            assert other.runtime.keys.destroyed_ids()
        place.write_over()
        with pytest.raises(HomeRefused, match="older than the control store"):
            tickets.search("lift", k=2)


@pytest.mark.parametrize("way", ["a deletion", "the ring alone"])
def test_keys_destroyed_in_an_older_copy_do_not_make_it_the_newest(place: Place, way: str) -> None:
    """Whoever slept destroys as many keys in it as it lacks changes: then it would count as many."""
    with _ending_unsigned(place.opened()) as sleeper:
        tickets = _tickets(sleeper)
        tickets.search("lift", k=1)
        with place.opened() as other:
            other.roll_keys("acme", "ticket")
        place.write_over()
        if way == "a deletion":
            with pytest.raises(HomeRefused, match="older than the control store"):
                sleeper.delete_tenant("globex").raise_if_incomplete()
        else:
            sleeper.runtime.keys.expect(sleeper.runtime.control.key_changes())
            with pytest.raises(HomeRefused, match="older than the control store"):
                sleeper.runtime.keys.destroy_tenant(sleeper.tenant("globex").id)
        assert not sleeper.runtime.keys.destroyed_ids()


def test_no_step_of_a_job_is_done_with_an_older_copy(place: Place) -> None:
    """A job runs for hours, and nobody else asks the control store what it knows of the key store meanwhile."""
    with place.opened() as sleeper:
        runtime, tenant = sleeper.runtime, sleeper.tenant("acme").id
        runtime.keys.tenant_key(tenant, "id")
        with place.opened() as other:
            other.roll_keys("acme", "ticket")
        place.write_over()
        job = JobRow("j", "subject.erase", tenant, "accepted", '{"requested":{"by":"x"}}', None, 1, 1, "", 0, "r", "")
        collection = runtime.control.collections(tenant)[0].collection
        commission(runtime, job, permission="subject.erase", action="subject.erase", collection=collection)
        with pytest.raises(HomeRefused, match="older than the control store"):
            runtime.keys.view().tenant_key(tenant, "id")


def test_no_backup_is_made_of_an_older_copy(place: Place, tmp_path: Path) -> None:
    with _ending_unsigned(place.opened()) as sleeper:
        _tickets(sleeper).search("lift", k=1)
        with place.opened() as other:
            other.roll_keys("acme", "ticket")
        place.write_over()
        with pytest.raises(HomeRefused, match="older than the control store"):
            create_backup(sleeper, tmp_path / "backup")


def test_a_file_put_in_the_place_of_an_open_key_store_takes_no_keys(place: Place) -> None:
    with place.opened() as store:
        tickets = _tickets(store)
        place.put_back()
        with pytest.raises(KeyUnavailable, match="put in the key store's place"):
            store.tenant("initech", create=True)
        assert len(tickets.search("lift", k=2)) == 2


def test_a_restore_does_not_take_the_keys_of_a_home_whose_key_store_was_put_back(place: Place, tmp_path: Path) -> None:
    with place.opened() as store:
        create_backup(store, tmp_path / "backup")
        store.delete_tenant("globex").raise_if_incomplete()
    place.put_back()
    with pytest.raises(HomeRefused, match="older than the control store"):
        restore_backup(
            tmp_path / "backup",
            tmp_path / "again",
            newer=Newer(current=place.home),
            key_file=tmp_path / "root.key",
            embedder=HashEmbedder(),
        )


def test_openings_meet_destructions_at_any_moment_and_none_is_refused(place: Place) -> None:
    program = """
import sys
import securevec as sv
from pathlib import Path
from securevec.testing.embedders import HashEmbedder
for _ in range(20):
    sv.SecureStore.open(Path(sys.argv[1]), key_file=Path(sys.argv[2]), embedder=HashEmbedder()).close()
"""
    paths = [str(place.home), str(place.root / "root.key")]
    with place.opened() as store, warm.start(["-c", program], *paths) as others:
        while others.running:
            store.roll_keys("acme", "ticket")
            store.rotate_tenant_keys("acme")
        assert others.wait() == 0, others.errors
