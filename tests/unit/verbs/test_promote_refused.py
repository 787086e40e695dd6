"""Moves of a tenant that are refused, taken back or overtaken by its deletion: what is not as the manifest says stays.
On qdrant-client's local mode; no Qdrant server ran here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import BackendError, CheckFailed, ControlUnavailable, PolicyDenied, TenantNotFound, UsageError
from securevec.testing.embedders import HashEmbedder
from securevec.types import Layout
from securevec.verbs import moving, promote
from securevec_qdrant.server import QdrantServerBackend
from tests.support.promoting import Home, Local, N, at, filled, tickets, whole
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    client = Local(":memory:")
    return Home(tmp_path, lambda: QdrantServerBackend(client=client))


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


def test_a_point_that_the_new_place_counts_and_does_not_show_keeps_the_tenant_where_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be one that an erasure was told is gone."""
    with home.open() as store:
        store._caretaker.stop()
        acme, _ = filled(store)
        inner: Any = store.runtime.backend()
        honest = inner._inner.count

        def one_more(**asked: Any) -> int:
            held: int = honest(**asked)
            return held + (asked["namespace"].layout == "collection" and held > 0)

        monkeypatch.setattr(inner._inner, "count", one_more)
        with pytest.raises(CheckFailed, match="another number"):
            store.promote_tenant("acme", to="collection")
        assert (at(store, acme, "shared"), store.runtime.control.jobs()[0].state) == (N, "copied")


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

        def slow(runtime: Any, job: Any, layout: Layout, **kept: Any) -> dict[str, int]:
            monkeypatch.setattr(promote, "_emptied", honest)
            control, now_ms = store.runtime.control, store.runtime.clock.now_ms()
            assert control.lease_job(job.job_id, owner=store.runtime.audit.writer_id, until_ms=0, now_ms=now_ms)
            (store.runtime.home / "jobs" / f"{job.job_id}.lock").unlink()  # somebody cleared away: the second barrier
            assert other.run_jobs()[0].state == "done"
            other.promote_tenant("acme", to="shared").raise_if_incomplete()
            return honest(runtime, job, layout, **kept)

        monkeypatch.setattr(promote, "_emptied", slow)
        with pytest.raises(ControlUnavailable):
            store.promote_tenant("acme", to="collection")
        whole(acme, tickets(range(N)))


def test_a_worker_that_is_stopped_between_its_last_look_and_the_drop_has_its_job_to_itself(home: Home) -> None:
    """It looked at its lease, slept longer than that lasts, and goes on with the drop. Had another process finished the
    job and the tenant moved back meanwhile, every record would be gone: the store knows no leases."""
    with home.open() as store, home.open() as other:
        acme, _ = filled(store)
        seen: list[str] = []

        def slept(name: str, namespace: Any) -> None:
            if name != "drop" or seen:
                return
            control, now_ms = store.runtime.control, store.runtime.clock.now_ms()
            (job,) = control.jobs(open_only=True)
            assert control.lease_job(job.job_id, owner=store.runtime.audit.writer_id, until_ms=0, now_ms=now_ms)
            (result,) = other.run_jobs()
            seen.append(result.waiting_for)
            if result.state == "done":
                other.promote_tenant("acme", to="shared").raise_if_incomplete()

        home.on_call = slept
        store.promote_tenant("acme", to="collection").raise_if_incomplete()
        assert seen == ["another process"]
        whole(acme, tickets(range(N)))
        other.promote_tenant("acme", to="shared").raise_if_incomplete()
        whole(acme, tickets(range(N)))
        assert not list((store.runtime.home / "jobs").iterdir()), "a lock is gone with its work"
