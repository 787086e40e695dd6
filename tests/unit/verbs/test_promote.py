"""Moving a tenant while it is read and written. On qdrant-client's local mode, and for shards on the stand-in that has
them; no Qdrant server ran here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.audit import read_tail
from securevec.control.store import ControlStore
from securevec.errors import CheckFailed, KeyUnavailable
from securevec.proof import receipt as receipts
from securevec.types import Layout, ProtectedPoint, StoredPoint
from securevec.verbs import moving
from securevec_qdrant.server import QdrantServerBackend
from tests.support.meanwhile import meanwhile
from tests.support.promoting import Home, Killed, Local, N, at, filled, tickets, whole
from tests.support.qdrant_wire import Line, line
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    client = Local(":memory:")
    return Home(tmp_path, lambda: QdrantServerBackend(client=client))


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[tuple[Home, Line]]:
    with line() as at:
        yield Home(tmp_path, at.open), at


def test_terms_move_with_their_points(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with home.open() as store:
        acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket, hybrid=True)
        acme.ingest([ticket(number, f"brickwork part QX-{number}07") for number in range(N)])
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        assert acme.search("qx-307", hybrid=True, k=1)[0].id == "T-3"
        whole(acme, tickets(range(N)))
        honest = moving._as_written

        def without(point: StoredPoint) -> ProtectedPoint:
            return replace(honest(point), terms=None)

        monkeypatch.setattr(moving, "_as_written", without)
        with pytest.raises(CheckFailed, match="nothing was switched"):
            store.promote_tenant("acme", to="shared").raise_if_incomplete()
        whole(acme, tickets(range(N)))


def test_cloaked_vectors_move_as_they_are_stored(home: Home) -> None:
    with home.open() as store:
        tenant = store.tenant("acme", create=True, actor=ACME)
        made = [tenant.collection(Ticket, name=f"c{noise:g}", cloak=sv.Cloak(noise)) for noise in (0.0, 2.0)]
        for each in made:
            each.ingest([ticket(number, f"brickwork {number}") for number in range(N)])
        before = [[round(hit.score, 4) for hit in each.search("brickwork 7", k=3)] for each in made]
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        assert [[round(hit.score, 4) for hit in each.search("brickwork 7", k=3)] for each in made] == before
        assert before[0] == before[1]
        assert [each.search("brickwork 7", k=1)[0].id for each in made] == ["T-7", "T-7"]


def test_a_tenant_moves_to_its_own_collection_and_back_with_all_it_has(home: Home) -> None:
    with home.open() as store:
        acme, globex = filled(store)
        result = store.promote_tenant("acme", to="collection").raise_if_incomplete()
        whole(acme, tickets(range(N)))
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (0, N)
        assert at(store, globex, "shared") == 3
        acme.ingest([ticket(50, "brickwork after")])
        acme.delete(["T-0"])
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (0, N)
        key = store.runtime.keys.signing_key().public
        said = receipts.read(result.receipt or b"", public=key).predicate
        assert (said["kind"], said["source"], said["target"]) == ("move", "shared", "collection")
        assert said["manifest"] == {"collections": 1, "records": N, "points": N}
        assert f"{N} points of {N} records" in said["artefacts"][0]["evidence"]
        store.promote_tenant("acme", to="shared").raise_if_incomplete()
        whole(acme, tickets(range(1, N)) | {"T-50"})
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (N, 0)
        whole(globex, tickets(range(3)))
    with home.open() as store:
        whole(store.tenant("acme", actor=ACME).collection(Ticket), tickets(range(1, N)) | {"T-50"})
        log = store.runtime.installation_id
        lines: list[Any] = list(read_tail(store.home / "audit", log_id=log, limit=500))
        acts = [line["unmapped"]["securevec"] for line in lines if line["metadata"]["event_code"] == "tenant.promote"]
        phases = [act["phase"] for act in acts]
        assert phases.count("intent") == phases.count("result") == 2


def test_a_tenant_moves_to_its_own_shard_and_every_request_names_it(shards: tuple[Home, Line]) -> None:
    home, at_stand_in = shards
    with home.open() as store:
        acme, globex = filled(store)
        store.promote_tenant("acme", to="shard").raise_if_incomplete()
        at_stand_in.stand_in.requests.clear()
        whole(acme, tickets(range(N)))
        asked = at_stand_in.stand_in.named("scroll", "query", "count")
        tag = acme._scope.namespace.tenant_tag
        assert asked
        assert all(each.collection.endswith("-places") or each.shard_key == tag for each in asked)
        whole(globex, tickets(range(3)))
        store.delete_tenant("acme").raise_if_incomplete()
        assert at_stand_in.stand_in.named("delete_shard")
        assert list(store.runtime.backend().namespaces()) == [globex._scope.namespace.tenant_tag]


def test_reads_and_writes_go_on_through_every_step_and_none_is_lost(home: Home) -> None:
    """At each call to the store during the move: one read of everything, one record more, one less."""
    with home.open() as store:
        acme, _ = filled(store)
        wanted = tickets(range(N))
        busy = threading.local()
        calls: list[str] = []
        mover = threading.current_thread()

        def meanwhile(name: str, namespace: Any) -> None:
            if threading.current_thread() is not mover or getattr(busy, "on", False):
                return
            busy.on = True
            try:
                number = 100 + len(calls)
                calls.append(name)
                acme.ingest([ticket(number, "brickwork meanwhile")])
                wanted.add(f"T-{number}")
                gone = min(wanted)
                assert acme.delete([gone]).deleted == 1
                wanted.discard(gone)
                acme.update(max(wanted), body=f"brickwork changed {number}")
                assert {hit.record.id for hit in acme.search("brickwork", k=100)} == wanted
                assert acme.get(max(wanted)).body.endswith(str(number))
            finally:
                busy.on = False

        home.on_call = meanwhile
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        home.on_call = lambda name, namespace: None
        assert len(calls) > 10
        whole(acme, wanted)
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (0, len(wanted))


def test_a_move_killed_at_any_call_to_the_store_is_finished_by_the_next_process(home: Home) -> None:
    """Before each call in turn; what was promised by then is kept, and the job ends in one place."""
    with home.open() as store:
        filled(store)
    to: Layout = "collection"
    survived = False
    nth = 0
    while not survived:
        nth += 1
        store = home.open()
        calls = iter(range(1, 10_000))

        def kill(name: str, namespace: Any, calls: Iterator[int] = calls, nth: int = nth) -> None:
            if next(calls) == nth:
                raise Killed

        acme = store.tenant("acme", actor=ACME).collection(Ticket)
        home.on_call = kill
        try:
            store.promote_tenant("acme", to=to)
            survived = next(calls) <= nth
        except Killed:
            pass
        home.on_call = lambda name, namespace: None
        whole(acme, tickets(range(N)))  # the dead process's readers would see it whole, too
        store.close()
        with home.open() as again:
            acme = again.tenant("acme", actor=ACME).collection(Ticket)
            acme.ingest([ticket(77, "between")])
            acme.delete(["T-77"])
            for result in again.run_jobs():
                result.raise_if_incomplete()
            assert not again.runtime.control.jobs(open_only=True)
            whole(acme, tickets(range(N)))
            placement = again.runtime.control.placement(acme._scope.namespace.tenant_tag)
            where: Layout = "shared" if placement is None else placement.layout
            other: Layout = "shared" if where == "collection" else "collection"
            assert (at(again, acme, where), at(again, acme, other)) == (N, 0)
            to = other
    assert nth > 10


def test_what_the_copy_brings_back_of_a_deleted_record_is_taken_away_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is deleted after its points were read from the old place and before they reach the new one."""
    with home.open() as store:
        acme, _ = filled(store)
        honest = moving._as_written
        done: list[str] = []

        def late(point: Any) -> Any:
            if not done:
                done.append("T-3")
                acme.delete(["T-3"])
            return honest(point)

        monkeypatch.setattr(moving, "_as_written", late)
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        whole(acme, tickets(range(N)) - {"T-3"})
        assert at(store, acme, "collection") == N - 1


def test_a_read_that_the_switch_overtakes_asks_the_new_place(home: Home) -> None:
    """The whole move happens after a search chose its place and before the store answers it."""
    with home.open() as store:
        acme, _ = filled(store)

        def overtake(name: str, namespace: Any) -> None:
            if name == "query":
                home.on_call = lambda name, namespace: None
                store.promote_tenant("acme", to="collection").raise_if_incomplete()

        home.on_call = overtake
        assert {hit.record.id for hit in acme.search("brickwork", k=100)} == tickets(range(N))


@pytest.mark.parametrize("moment", ["insert", "delete"])
def test_a_write_that_the_whole_move_overtakes_is_in_the_new_place(home: Home, moment: str) -> None:
    with home.open() as store:
        acme, _ = filled(store)

        def overtake(name: str, namespace: Any) -> None:
            if name == moment:
                home.on_call = lambda name, namespace: None
                store.promote_tenant("acme", to="collection").raise_if_incomplete()

        home.on_call = overtake
        if moment == "insert":
            acme.ingest([ticket(60, "brickwork late")])
            whole(acme, tickets(range(N)) | {"T-60"})
        else:
            acme.delete(["T-5"])
            whole(acme, tickets(range(N)) - {"T-5"})
        assert at(store, acme, "shared") == 0


def test_a_record_that_goes_live_once_the_places_were_compared_is_in_the_new_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer had put it into the old place when the move began, and stood still until both places were equal: no
    list of live records had it. It is live a moment before the switch, and acknowledged."""
    with home.open() as store:
        acme, _ = filled(store)

        def all_but_the_switch() -> None:
            with monkeypatch.context() as patch:
                patch.setattr(ControlStore, "switch_placement", killed)
                with pytest.raises(Killed):
                    store.promote_tenant("acme", to="collection")

        def killed(*_: object, **__: object) -> None:
            raise Killed

        meanwhile(monkeypatch, ControlStore, "commit_batch", all_but_the_switch)
        assert acme.ingest([ticket(60, "brickwork late")]).new == 1
        switch, seen = ControlStore.switch_placement, list[str]()

        def looked_at_once(*given: Any, **named: Any) -> Any:
            switched = switch(*given, **named)
            seen.append(acme.get("T-60").id)
            return switched

        monkeypatch.setattr(ControlStore, "switch_placement", looked_at_once)
        assert [result.state for result in store.run_jobs()] == ["done"]
        assert seen == ["T-60"]
        whole(acme, tickets(range(N)) | {"T-60"})
        assert at(store, acme, "shared") == 0


def test_a_key_store_that_does_not_answer_is_no_reason_to_take_a_point_out_of_the_new_place(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is written, to both places, behind the list that the check was made by: only its body tells whose it is.
    Taken out as a stranger, it would be missing at the next look, and the move could neither go on nor be repeated."""
    with home.open() as store:
        acme, _ = filled(store)
        honest = moving._strangers

        def beside_a_writer(*given: Any) -> int:
            monkeypatch.setattr(moving, "_strangers", honest)
            acme.ingest([ticket(N, f"brickwork {N}")])
            with monkeypatch.context() as down:
                down.setattr(moving, "open_body", unavailable)
                return honest(*given)

        def unavailable(*_: Any) -> None:
            raise KeyUnavailable("The key store does not answer.")

        monkeypatch.setattr(moving, "_strangers", beside_a_writer)
        with pytest.raises(KeyUnavailable):
            store.promote_tenant("acme", to="collection")
        assert at(store, acme, "collection") == N + 1
        assert [each.state for each in store.run_jobs()] == ["done"]
        whole(acme, tickets(range(N + 1)))
