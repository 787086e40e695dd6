"""Moving a tenant while it is read and written. On qdrant-client's local mode, and for shards on the stand-in that has
them; no Qdrant server ran here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from qdrant_client import QdrantClient

import securevec as sv
from securevec.audit import read_tail
from securevec.backend import VectorBackend
from securevec.errors import BackendError, CheckFailed, ControlUnavailable, PolicyDenied, TenantNotFound, UsageError
from securevec.retention import receipt as receipts
from securevec.state.placement import placed
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout, ProtectedPoint, StoredPoint
from securevec.verbs import moving, promote
from securevec_qdrant.server import QdrantServerBackend
from tests.support.qdrant_wire import Line, line
from tests.support.world import ACME, GLOBEX, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
N = 12


class Killed(BaseException):
    """What stands for the end of a process: nothing of ours catches it."""


class Home:
    """A home on a store that outlives its openings."""

    def __init__(self, base: Path, opener: Callable[[], QdrantServerBackend]) -> None:
        self._base = base
        self._opener = opener
        self.on_call: Callable[[str, Any], None] = lambda name, namespace: None

    def open(self) -> sv.SecureStore:
        store = sv.SecureStore.open(
            self._base / "home",
            backend="qdrant://localhost:1",
            key_file=self._base / "keys" / "root.key",
            embedder=HashEmbedder(),
        )
        control = store.runtime.control
        store.runtime.engine._opener = lambda: placed(self._watched(), control.placement)
        return store

    def _watched(self) -> VectorBackend:
        inner = self._opener()
        for name in ("ensure", "insert", "fetch", "query", "scan", "count", "delete", "drop"):
            setattr(inner, name, self._watch(name, getattr(inner, name)))
        return inner

    def _watch(self, name: str, honest: Callable[..., Any]) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            self.on_call(name, given["namespace"])
            return honest(**given)

        return call


class Local(QdrantClient):
    """Local mode that a home being closed does not end."""

    def close(self, grpc_grace: float | None = None, **kwargs: Any) -> None:
        """Ended by the test."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    client = Local(":memory:")
    return Home(tmp_path, lambda: QdrantServerBackend(client=client))


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[tuple[Home, Line]]:
    with line() as at:
        yield Home(tmp_path, at.open), at


def filled(store: sv.SecureStore) -> tuple[sv.Collection[Ticket], sv.Collection[Ticket]]:
    acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
    globex = store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket)
    acme.ingest([ticket(number, f"brickwork {number}") for number in range(N)])
    globex.ingest([ticket(number, f"lanternfish {number}") for number in range(3)])
    return acme, globex


def whole(collection: sv.Collection[Ticket], wanted: set[str]) -> None:
    """Every way of reading shows exactly these records."""
    assert {record.id for record in collection.iter()} == wanted
    assert {hit.record.id for hit in collection.search("brickwork", k=100)} == wanted
    assert collection.count() == len(wanted)
    collection.verify().raise_if_wrong()


def tickets(numbers: range) -> set[str]:
    return {f"T-{number}" for number in numbers}


def at(store: sv.SecureStore, collection: sv.Collection[Ticket], layout: Layout) -> int:
    """How many points the store holds of the collection in this layout."""
    namespace = replace(collection._scope.namespace, layout=layout)
    return store.runtime.backend().count(namespace=namespace)


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


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_what_is_not_as_the_manifest_says_is_not_moved_and_can_be_taken_back(home: Home, harm: str) -> None:
    with home.open() as store:
        acme, _ = filled(store)
        namespace = acme._scope.namespace
        backend = store.runtime.backend()
        page = backend.scan(namespace=namespace, where=None, cursor=None, limit=1)
        victim = backend.fetch(namespace=namespace, ids=[page.points[0].id], with_vectors=True)[0]
        if harm == "missing":
            backend.delete(namespace=namespace, ids=[victim.id])
        else:
            altered = dict(victim.payload) | {"b": str(victim.payload["b"])[:-8] + "AAAAAAAA"}
            backend.insert(
                namespace=namespace, points=[moving._as_written(type(victim)(victim.id, altered, 0.0, victim.vector))]
            )
        with pytest.raises(CheckFailed, match="as it was written"):
            store.promote_tenant("acme", to="collection")
        job = store.runtime.control.jobs(open_only=True)[0]
        assert (job.state, job.error) == ("doubled", "CheckFailed")
        with pytest.raises(UsageError, match="elsewhere"):
            store.promote_tenant("acme", to="shard")
        store.cancel_job(job.job_id)
        assert (store.runtime.control.job(job.job_id) or job).state == "cancelled"
        assert at(store, acme, "collection") == 0
        acme.ingest([ticket(number, f"brickwork {number}") for number in range(N)])  # repairs what was harmed
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        whole(acme, tickets(range(N)))


def test_a_new_place_that_differs_is_not_switched_to(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that drops a point of the copy, or alters one, after it was read back."""
    with home.open() as store:
        acme, _ = filled(store)
        honest = moving.copy

        def lossy(move: moving.Move) -> int:
            copied = honest(move)
            page = move.runtime.backend().scan(namespace=move.target, where=None, cursor=None, limit=1)
            move.runtime.backend().delete(namespace=move.target, ids=[page.points[0].id])
            return copied

        monkeypatch.setattr("securevec.verbs.promote.copy", lossy)
        with pytest.raises(CheckFailed, match="nothing was switched"):
            store.promote_tenant("acme", to="collection")
        whole(acme, tickets(range(N)))
        assert at(store, acme, "shared") == N


def test_a_tenant_deleted_in_the_middle_of_a_move_is_gone_from_both_places(home: Home) -> None:
    with home.open() as store:
        acme, globex = filled(store)
        namespace = acme._scope.namespace

        def stop(name: str, at: Any) -> None:
            if name == "scan" and at.layout == "collection":
                raise BackendError("The store stopped.")

        home.on_call = stop
        with pytest.raises(BackendError):
            store.promote_tenant("acme", to="collection")
        home.on_call = lambda name, namespace: None
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (N, N)
        store.delete_tenant("acme").raise_if_incomplete()
        assert (at(store, acme, "shared"), at(store, acme, "collection")) == (0, 0)
        assert store.runtime.control.placement(namespace.tenant_tag) is None
        assert not store.runtime.control.jobs(open_only=True)
        whole(globex, tickets(range(3)))
        fresh = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        assert fresh.count() == 0
        assert fresh._scope.namespace.tenant_tag != namespace.tenant_tag


def test_a_collection_made_during_a_move_has_both_places(home: Home) -> None:
    with home.open() as store:
        filled(store)
        tenant = store.tenant("acme", actor=ACME)
        made: list[sv.Collection[Ticket]] = []

        def meanwhile(name: str, namespace: Any) -> None:
            if name == "insert" and namespace.layout == "collection" and not made:
                made.append(tenant.collection(Ticket, name="late"))
                made[0].ingest([ticket(1, "brickwork of another collection")])

        home.on_call = meanwhile
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        home.on_call = lambda name, namespace: None
        whole(made[0], {"T-1"})
        assert (at(store, made[0], "shared"), at(store, made[0], "collection")) == (0, 1)


def test_who_may_not_or_what_cannot_be_moved_is_refused_and_nothing_happens(home: Home, tmp_path: Path) -> None:
    with home.open() as store:
        filled(store)
        with pytest.raises(UsageError, match="already"):
            store.promote_tenant("acme", to="shared")
        with pytest.raises(UsageError, match="no such layout"):
            store.promote_tenant("acme", to=cast("Layout", "own"))
        with pytest.raises(TenantNotFound):
            store.promote_tenant("nobody", to="collection")
        assert not store.runtime.control.jobs()
        stranger = sv.SecureStore(store.runtime, actor=ACME)
        with pytest.raises(PolicyDenied):
            stranger.promote_tenant("acme", to="collection")
    with sv.SecureStore.open(
        tmp_path / "other", backend="memory", key_file=tmp_path / "k" / "key", embedder=HashEmbedder()
    ) as store:
        store.tenant("acme", create=True)
        with pytest.raises(UsageError, match="by itself"):
            store.promote_tenant("acme", to="collection")


def test_a_worker_that_was_too_slow_does_not_empty_the_place_the_tenant_moved_back_to(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was about to drop what the tenant had left. Its lease ended, another process finished the job, and the tenant
    was moved back."""
    with home.open() as store, home.open() as other:
        acme, _ = filled(store)
        honest = promote._emptied

        def slow(runtime: Any, job: Any, layout: Layout) -> dict[str, int]:
            monkeypatch.setattr(promote, "_emptied", honest)
            control, now_ms = store.runtime.control, store.runtime.clock.now_ms()
            assert control.lease_job(job.job_id, owner=store.runtime.audit.writer_id, until_ms=0, now_ms=now_ms)
            assert other.run_jobs()[0].state == "done"
            other.promote_tenant("acme", to="shared").raise_if_incomplete()
            return honest(runtime, job, layout)

        monkeypatch.setattr(promote, "_emptied", slow)
        with pytest.raises(ControlUnavailable):
            store.promote_tenant("acme", to="collection")
        whole(acme, tickets(range(N)))
