"""Tenant deletion as a job: accepted once, effective at once, resumable, and nothing of the tenant left at its end."""

from __future__ import annotations

import json
import random
import sqlite3

import pytest

from securevec.control import database as database_module
from securevec.control.jobs import ACCEPTED, DONE
from securevec.control.rows import JobRow, NewRecord
from securevec.control.store import ControlStore
from securevec.errors import ControlUnavailable, TenantNotFound, UsageError
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, collection_row, record, ref

OTHER = TenantId("b2" * 16)


def _begin(desk: Desk, job_id: str = "j-1", tenant: TenantId = TENANT) -> JobRow:
    return desk.store.begin_tenant_deletion(
        tenant=tenant, job_id=job_id, request_id="r-1", manifest='{"records":2}', now_ms=NOW
    )


def test_acceptance_closes_the_tenant_writes_the_job_and_owes_the_event_together(desk: Desk) -> None:
    job = _begin(desk)
    assert (job.state, job.kind, job.tenant, job.data) == (ACCEPTED, "tenant.delete", TENANT, '{"records":2}')
    assert (desk.store.fence(TENANT).state, desk.store.fence(TENANT).epoch) == ("deleting", 2)
    owed = [json.loads(row.payload) for row in desk.store.outbox_pending()]
    assert [(event["action"], event["job_id"], event["state"]) for event in owed] == [
        ("tenant.delete", "j-1", "accepted")
    ]
    assert desk.jobs(open_only=True) == [job] == [desk.store.job("j-1")]


def test_asking_twice_gives_the_first_job(desk: Desk) -> None:
    first = _begin(desk)
    moved = desk.store.advance_job("j-1", expect=ACCEPTED, to="keys_gone", data="{}", now_ms=NOW + 1, owner="")
    assert _begin(desk, "j-2") == moved
    assert moved.job_id == first.job_id
    assert desk.store.fence(TENANT).epoch == 2
    done = desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW + 2)
    assert _begin(desk, "j-3") == done


def test_a_deletion_is_not_finished_like_another_job_with_the_tenant_still_there(desk: Desk) -> None:
    _begin(desk)
    with pytest.raises(UsageError):
        desk.store.finish_job("j-1", receipt=b"nothing was deleted", now_ms=NOW)
    assert [job.state for job in desk.jobs(open_only=True)] == [ACCEPTED]


def test_a_job_needs_a_tenant_and_an_id_of_its_own(desk: Desk) -> None:
    with pytest.raises(TenantNotFound):
        _begin(desk, tenant=OTHER)
    _begin(desk)
    desk.add_tenant(OTHER, b"other-name-token")
    with pytest.raises(UsageError):
        _begin(desk, tenant=OTHER)
    assert desk.store.fence(OTHER).state == "active"


def test_of_two_workers_one_moves_the_job(desk: Desk) -> None:
    _begin(desk)
    moved = desk.store.advance_job("j-1", expect=ACCEPTED, to="keys_gone", data='{"a":1}', now_ms=NOW + 1, owner="")
    assert (moved.state, moved.data, moved.updated_ms) == ("keys_gone", '{"a":1}', NOW + 1)
    with pytest.raises(ControlUnavailable):
        desk.store.advance_job("j-1", expect=ACCEPTED, to="keys_gone", data='{"b":1}', now_ms=NOW + 2, owner="")
    assert desk.store.job("j-1") == moved
    assert [(step.step, step.state) for step in desk.store.job_steps("j-1")] == [(0, ACCEPTED), (1, "keys_gone")]
    assert len(desk.store.outbox_pending()) == 2


def test_a_job_is_not_done_without_its_receipt(desk: Desk) -> None:
    _begin(desk)
    with pytest.raises(UsageError):
        desk.store.advance_job("j-1", expect=ACCEPTED, to=DONE, data="{}", now_ms=NOW, owner="")
    with pytest.raises(UsageError):
        desk.store.advance_job("j-9", expect=ACCEPTED, to="x", data="{}", now_ms=NOW, owner="")
    with pytest.raises(sqlite3.IntegrityError):
        desk.sql("UPDATE job SET state = 'done'")


def test_a_job_done_stays_done(desk: Desk) -> None:
    _begin(desk)
    done = desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"first", now_ms=NOW)
    assert (done.state, done.receipt) == (DONE, b"first")
    assert desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"second", now_ms=NOW) == done
    with pytest.raises(ControlUnavailable):
        desk.store.advance_job("j-1", expect=DONE, to="x", data="{}", now_ms=NOW, owner="")
    desk.store.note_job_error("j-1", error="BackendError", now_ms=NOW)
    assert not desk.store.lease_job("j-1", owner="w", until_ms=NOW + 1, now_ms=NOW)
    assert desk.store.job("j-1") == done
    assert desk.jobs(open_only=True) == []
    with pytest.raises(UsageError):
        desk.store.finish_tenant_deletion(job_id="j-9", receipt=b"", now_ms=NOW)


def test_a_lease_is_held_by_one_owner_until_it_ends(desk: Desk) -> None:
    _begin(desk)

    def lease(owner: str, now_ms: int, until_ms: int) -> bool:
        return desk.store.lease_job("j-1", owner=owner, until_ms=until_ms, now_ms=now_ms)

    assert lease("a", NOW, NOW + 10)
    assert not lease("b", NOW + 9, NOW + 20)
    assert lease("a", NOW + 9, NOW + 12)
    assert lease("b", NOW + 12, NOW + 30)
    assert lease("b", NOW + 12, 0)
    assert lease("a", NOW + 13, NOW + 20)
    assert not desk.store.lease_job("j-9", owner="a", until_ms=NOW, now_ms=NOW)


def test_an_error_is_kept_until_the_next_step(desk: Desk) -> None:
    _begin(desk)
    desk.store.note_job_error("j-1", error="BackendError", now_ms=NOW)
    job = desk.store.job("j-1")
    assert job is not None
    assert job.error == "BackendError"
    assert desk.store.advance_job("j-1", expect=ACCEPTED, to="x", data="{}", now_ms=NOW, owner="").error == ""


def _fill(desk: Desk, tenant: TenantId, collection: CollectionId, mark: bytes) -> list[bytes]:
    """Rows in every table that knows tenants; returns byte strings that stand for them."""
    marks = [mark + bytes([number]) * 8 for number in range(8)]
    desk.store.create_tenant(tenant=tenant, name_token=marks[0], name_sealed=marks[1] * 20, now_ms=NOW)
    row = collection_row(collection, tenant, name=marks[2])
    desk.store.create_collection(row)
    desk.store.grant(tenant, marks[3], "reader", NOW)
    desk.store.add_tokens(tenant, [(marks[4] + bytes([number]), "EMAIL") for number in range(200)])
    desk.store.add_hold(f"hold-{tenant}", tenant, collection, marks[5], marks[6] * 20, NOW)
    desk.store.release_hold(f"hold-{tenant}", NOW)
    for number in range(6):
        desk.store.begin_batch(
            tenant=tenant,
            collection=collection,
            request_id=f"{tenant}-{number}",
            writer="w",
            fence=1,
            rows=[NewRecord(marks[7] + bytes([number, at]), 1, b"d" * 16, None, "r0/never") for at in range(100)],
            lease_until_ms=NOW + 1,
            now_ms=NOW,
        )
        if number < 4:
            desk.store.commit_batch(request_id=f"{tenant}-{number}", fence=1)
        if number < 2:
            desk.store.finish_batch(request_id=f"{tenant}-{number}")
    desk.store.begin_delete(
        tenant=tenant,
        collection=collection,
        request_id=f"{tenant}-delete",
        writer="w",
        fence=1,
        refs=[marks[7] + bytes([0, at]) for at in range(50)],
        lease_until_ms=NOW + 1,
        now_ms=NOW,
    )
    return [*marks, collection.encode()]


def _found(desk: Desk, marks: list[bytes]) -> int:
    """How many of ``marks`` stand in any live file of the store."""
    files = [path.read_bytes() for path in desk.path.parent.iterdir()]
    return sum(any(mark in data for data in files) for mark in marks)


def test_after_the_end_no_row_and_no_byte_of_the_tenant_is_left(desk: Desk) -> None:
    gone = _fill(desk, OTHER, CollectionId("c2" * 16), b"goes-away-")
    stays = _fill(desk, TenantId("d4" * 16), CollectionId("c4" * 16), b"stays-here")
    assert _found(desk, gone) == len(gone), "the search must find them before it may find nothing"
    _begin(desk, tenant=OTHER)
    desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW)
    row = desk.store.tenant(OTHER)
    assert row is not None
    assert (row.state, row.name_token, row.name_sealed, row.fence) == ("deleted", None, None, 3)
    tables = [name for (name,) in desk.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = {
        table
        for table in tables
        for column in [found[1] for found in desk.sql(f"PRAGMA table_info({table})")]
        if desk.sql(f"SELECT 1 FROM {table} WHERE CAST({column} AS TEXT) LIKE ?", f"%{OTHER}%")
    }
    assert kept == {"tenant", "job", "outbox"}
    assert desk.store.scrub()
    assert _found(desk, gone) == 0
    assert _found(desk, stays) == len(stays)
    assert desk.store.count_live(CollectionId("c4" * 16), now_ms=NOW)[0] > 0


def test_copies_left_behind_by_page_splits_are_scrubbed_too(desk: Desk) -> None:
    """Rows of growing size at random places split pages; zeroing deleted cells alone leaves stale copies of some."""
    chance = random.Random(1)
    places = [(TENANT, COLLECTION, b"stays-"), (OTHER, CollectionId("c2" * 16), b"goes--")]
    desk.add_tenant(OTHER, b"other-name-token")
    desk.store.create_collection(collection_row(places[1][1], OTHER))
    for turn in range(40):
        tenant, collection, mark = places[turn % 2]
        desk.store.begin_batch(
            tenant=tenant,
            collection=collection,
            request_id=f"r-{turn}",
            writer="w",
            fence=1,
            rows=[
                NewRecord(mark + chance.randbytes(10), 1, b"d" * 16, None, "r0/" + "x" * chance.randrange(30))
                for _ in range(200)
            ],
            lease_until_ms=NOW,
            now_ms=NOW,
        )
        desk.store.commit_batch(request_id=f"r-{turn}", fence=1)
        desk.store.finish_batch(request_id=f"r-{turn}")
    _begin(desk, tenant=OTHER)
    desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW)
    assert desk.store.scrub()
    data = b"".join(path.read_bytes() for path in desk.path.parent.iterdir())
    assert data.count(b"stays-") == 20 * 200
    assert data.count(b"goes--") == 0


def test_scrubbing_says_so_when_another_process_still_reads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_MS", 30)
    store = ControlStore.open(desk.path, create=False)
    reader = sqlite3.connect(desk.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM tenant").fetchall()
    _begin(desk)
    desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW)
    assert not store.scrub()
    assert _found(desk, [b"acme-name-token!"]) == 1
    reader.execute("COMMIT")
    reader.close()
    assert store.scrub()
    assert _found(desk, [b"acme-name-token!"]) == 0
    store.close()


def test_work_in_flight_cannot_bring_rows_back_after_the_end(desk: Desk) -> None:
    desk.write(1)
    request, _ = desk.begin(record(2))
    _begin(desk)
    desk.store.finish_tenant_deletion(job_id="j-1", receipt=b"receipt", now_ms=NOW)
    with pytest.raises(ControlUnavailable):
        desk.store.commit_batch(request_id=request, fence=1)
    desk.store.finish_batch(request_id=request)
    assert desk.store.states(COLLECTION, [ref(1), ref(2)]) == {}
    assert desk.store.collections(TENANT) == []
