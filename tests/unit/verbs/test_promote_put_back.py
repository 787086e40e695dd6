"""A tenant is moved, and files of before are put back beside what the server holds by now: the home's (a machine that
was restored), or the server's. Whatever the operator does then, no record that lies in one of the places is dropped
with it. On qdrant-client's local mode; no Qdrant server ran here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import CheckFailed, UnknownKey
from securevec.verbs import moving
from securevec_qdrant.server import QdrantServerBackend
from tests.support.promoting import Home, Killed, Local, N, at, filled, tickets, whole
from tests.support.world import ACME, Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    client = Local(":memory:")
    return Home(tmp_path, lambda: QdrantServerBackend(client=client))


def tickets_of(store: sv.SecureStore) -> sv.Collection[Ticket]:
    return store.tenant("acme", actor=ACME).collection(Ticket)


def put_back(path: Path, before: Path) -> None:
    shutil.rmtree(path)
    shutil.copytree(before, path)


def test_a_home_of_before_a_move_gets_its_records_back_by_taking_a_second_move_back(home: Home, tmp_path: Path) -> None:
    """The home says shared, the points lie in the tenant's own collection, and the way back from a move that cannot
    succeed is to empty the new place: which is where they are."""
    with home.open() as store:
        filled(store)
    before, path = tmp_path / "before", tmp_path / "home"
    shutil.copytree(path, before)
    with home.open() as store:
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
    put_back(path, before)
    with home.open() as store:
        with pytest.raises(CheckFailed, match="nothing was switched"):
            store.promote_tenant("acme", to="collection")
        (job,) = store.runtime.control.jobs(open_only=True)
        store.cancel_job(job.job_id)
        whole(tickets_of(store), tickets(range(N)))
        assert at(store, tickets_of(store), "collection") == 0
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        whole(tickets_of(store), tickets(range(N)))


def killed_before(home: Home, name: str, nth: int = 1) -> None:
    """A move that dies before a call to the store."""
    seen: list[str] = []

    def kill(called: str, namespace: Any) -> None:
        seen.extend([called] * (called == name))
        if seen.count(name) == nth:
            raise Killed

    with home.open() as store:
        home.on_call = kill
        with pytest.raises(Killed):
            store.promote_tenant("acme", to="collection")
        home.on_call = lambda name, namespace: None


def test_a_home_of_the_middle_of_a_move_does_not_drop_the_place_the_tenant_moved_back_to(
    home: Home, tmp_path: Path
) -> None:
    """It stands before the drop of the old place, and the tenant lives there again by now."""
    with home.open() as store:
        filled(store)
    killed_before(home, "drop")
    before, path = tmp_path / "before", tmp_path / "home"
    shutil.copytree(path, before)
    with home.open() as store:
        store.run_jobs()
        store.promote_tenant("acme", to="shared").raise_if_incomplete()
    put_back(path, before)
    with home.open() as store:
        assert [result.state for result in store.run_jobs()] in ([], ["done"])
        assert not store.runtime.control.jobs(open_only=True)
        whole(tickets_of(store), tickets(range(N)))


def test_what_the_new_place_lost_since_it_was_compared_is_not_dropped_from_the_old_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's files of the new place were put back between the switch and the drop. Under a key store that does
    not open what the old place holds, the move waits."""
    with home.open() as store:
        acme, _ = filled(store)
        namespace = acme._scope.namespace
    killed_before(home, "drop")
    server, new = home._opener(), replace(namespace, layout="collection")
    lost = server.scan(namespace=new, where=None, cursor=None, limit=5).points
    server.delete(namespace=new, ids=[point.id for point in lost])

    def unknown(*_: Any) -> None:
        raise UnknownKey("There is no such key.")

    with monkeypatch.context() as patch, home.open() as store:
        patch.setattr(moving, "open_body", unknown)
        (job,) = store.runtime.control.jobs(open_only=True)
        with pytest.raises(CheckFailed):
            store.run_job(job.job_id)
        assert at(store, tickets_of(store), "shared") == N
    with home.open() as store:
        store.run_jobs()
        whole(tickets_of(store), tickets(range(N)))
        assert at(store, tickets_of(store), "shared") == 0


def test_a_record_deleted_while_the_lost_are_looked_for_is_not_brought_to_the_new_place(home: Home) -> None:
    """A copy that ended right behind its insert would leave a deleted record's point there for good."""
    with home.open() as store:
        acme, _ = filled(store)
        namespace = acme._scope.namespace
    killed_before(home, "drop")
    server, new = home._opener(), replace(namespace, layout="collection")
    lost = server.scan(namespace=new, where=None, cursor=None, limit=N).points
    server.delete(namespace=new, ids=[point.id for point in lost])
    calls: list[str] = []

    def meanwhile(name: str, namespace: Any) -> None:
        if namespace.layout == "collection":
            calls.append(name)
        if "insert" in calls and name != "insert":
            raise Killed
        if calls == ["ensure", "fetch"]:
            home.on_call = lambda name, namespace: None
            tickets_of(store).delete(["T-3"])
            home.on_call = meanwhile

    with home.open() as store:
        home.on_call = meanwhile
        with pytest.raises(Killed):
            store.run_jobs()
        home.on_call = lambda name, namespace: None
        assert at(store, tickets_of(store), "collection") == N - 1
        store.run_jobs()
        whole(tickets_of(store), tickets(range(N)) - {"T-3"})
