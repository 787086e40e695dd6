"""Who a record speaks of, tombstones, holds on subjects, jobs with items, quotas: judged where races cannot pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from securevec.control.jobs import SUBJECT_ERASE, Erasure
from securevec.control.rows import JobItem, JobRow, SubjectRow
from securevec.control.subjects import records_of
from securevec.errors import (
    ControlUnavailable,
    LegalHold,
    QuotaExceeded,
    SubjectErased,
    TenantUnavailable,
    UsageError,
)
from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, LEASE, NOW, OTHER, TENANT, Desk, collection_row, record, ref

JANE, SAM = b"jane".ljust(16, b"."), b"sam".ljust(16, b".")


def write(desk: Desk, number: int, *, about: tuple[bytes, ...] = (), mentions: tuple[bytes, ...] = ()) -> None:
    request, _ = desk.begin(replace(record(number), about=about, mentions=mentions))
    desk.store.commit_batch(request_id=request, fence=1)
    desk.store.finish_batch(request_id=request)


def erase(desk: Desk, *tokens: bytes, job_id: str = "job-1", now_ms: int = NOW, until_ms: int = NOW + 1000) -> JobRow:
    return desk.store.begin_job(
        kind=SUBJECT_ERASE,
        tenant=TENANT,
        job_id=job_id,
        request_id=f"request of {job_id}",
        fence=1,
        data="{}",
        items=lambda tx: [
            JobItem(row.collection, row.ref, row.generation, row.n_chunks, "delete" if row.about else "redact")
            for row in records_of(tx, TENANT, tokens)
        ],
        now_ms=now_ms,
        erase=Erasure(tokens, until_ms),
    )


def test_the_live_generation_of_a_record_says_whom_it_is_about_and_mentions(desk: Desk) -> None:
    write(desk, 1, about=(JANE,), mentions=(SAM,))
    write(desk, 2, mentions=(JANE,))
    assert desk.store.subject_records(TENANT, [JANE]) == [
        SubjectRow(COLLECTION, ref(1), 1, 2, True),
        SubjectRow(COLLECTION, ref(2), 2, 2, False),
    ]
    assert desk.store.record_tokens(COLLECTION, ref(1), 1) == {JANE: True, SAM: False}


@pytest.mark.usefixtures("alone")
def test_a_replaced_generation_speaks_of_nobody_any_more(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    write(desk, 1, about=(SAM,))
    assert desk.store.subject_records(TENANT, [JANE]) == []
    assert desk.sql("SELECT COUNT(*) FROM record_subject") == [(1,)]


@pytest.mark.usefixtures("alone")
def test_a_deleted_and_an_aborted_record_leave_no_subject_behind(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    request, _ = desk.delete(1)
    desk.store.finish_batch(request_id=request)
    aborted, _ = desk.begin(replace(record(2), about=(SAM,)))
    desk.store.abort_batch(request_id=aborted)
    desk.store.finish_batch(request_id=aborted)
    assert desk.sql("SELECT COUNT(*) FROM record_subject") == [(0,)]
    assert desk.sql("SELECT token FROM subject_token") == []


@pytest.mark.usefixtures("alone")
def test_a_token_is_known_once_it_was_made_known_and_one_that_was_not_goes_with_its_record(desk: Desk) -> None:
    request, _ = desk.begin(replace(record(1), about=(JANE,), mentions=(SAM,)))
    assert desk.store.known_tokens(TENANT, [JANE, SAM]) == {}
    assert desk.store.token_entities(TENANT) == frozenset()
    desk.store.add_tokens(TENANT, [(JANE, "PERSON")], [(b"surname".ljust(16, b"."), JANE, b"sealed")])
    assert desk.store.known_tokens(TENANT, [JANE, SAM]) == {JANE: "PERSON"}
    assert desk.store.known_parts(TENANT, [b"surname".ljust(16, b".")]) == {
        b"surname".ljust(16, b"."): {JANE: b"sealed"}
    }
    desk.store.abort_batch(request_id=request)
    assert desk.store.forget_tokens(TENANT, [JANE, SAM]) == 0, "a generation on its way out still names them"
    desk.store.finish_batch(request_id=request)
    assert desk.sql("SELECT token FROM subject_token") == [(JANE,)]
    assert desk.store.forget_tokens(TENANT, [JANE, SAM]) == 1
    assert desk.sql("SELECT COUNT(*) FROM name_part") == [(0,)]


def test_one_token_in_two_tenants_is_two_people(desk: Desk) -> None:
    other, its = TenantId("b2" * 16), CollectionId("c2" * 16)
    desk.add_tenant(other, b"globex-name-tkn!")
    desk.store.create_collection(collection_row(its, other, name=b"another-name-of!"))
    write(desk, 1, about=(JANE,))
    desk.store.add_tokens(other, [(JANE, "PERSON")])
    desk.store.add_hold("hold-1", other, None, None, b"sealed", NOW, subject=[JANE])
    assert desk.store.subject_records(other, [JANE]) == []
    assert desk.store.known_tokens(TENANT, [JANE]) == {}
    desk.store.add_tokens(other, [(SAM, "PERSON")], [(b"part".ljust(16, b"."), SAM, b"sealed")])
    assert desk.store.known_parts(TENANT, [b"part".ljust(16, b".")]) == {}
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1)]) == {}
    erase(desk, JANE)
    assert desk.store.hidden_records(TENANT, COLLECTION, [ref(1)]) == {(ref(1), 1)}
    assert desk.store.hidden_records(other, its, [ref(1)]) == set()
    assert desk.store.forget_tokens(other, [JANE]) == 1
    assert desk.store.subject_records(TENANT, [JANE]) == [SubjectRow(COLLECTION, ref(1), 1, 2, True)]


def test_one_ref_in_two_collections_is_two_records(desk: Desk) -> None:
    """Numbers of collections keep apart what their ids kept apart."""
    its = CollectionId("c2" * 16)
    desk.store.create_collection(collection_row(its, TENANT, name=b"another-name-of!"))
    write(desk, 1, about=(JANE,))
    assert desk.store.current(its, [ref(1)]) == {}
    assert desk.store.live(its, [ref(1)]) == {}
    assert desk.store.generations(its, [ref(1)]) == {}
    assert desk.store.states(its, [ref(1)]) == {}
    assert desk.store.count_live(its, now_ms=NOW) == (0, 0)
    assert desk.store.live_after(its, b"", limit=9, now_ms=NOW) == []
    assert desk.store.epochs_in_use(its) == {}
    assert desk.store.epochs_in_use(COLLECTION) == {"r0/never": 1}
    desk.store.note_source_files(its, b"source", [(ref(1), b"read from", b"d" * 16)])
    assert desk.store.sources(COLLECTION) == desk.store.sources(its) == []
    desk.store.note_source_files(COLLECTION, b"source", [(ref(1), b"read from", b"d" * 16)])
    assert (desk.store.sources(COLLECTION), desk.store.sources(its)) == ([b"source"], [])
    desk.store.add_hold("hold-1", TENANT, its, None, b"sealed", NOW)
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1)]) == {}
    desk.store.release_hold("hold-1", NOW)
    desk.store.add_hold("hold-2", TENANT, None, None, b"sealed", NOW, subject=[JANE])
    assert desk.store.held_refs(TENANT, its, [ref(1)]) == {}
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1)]) == {ref(1): "hold-2"}
    desk.store.release_hold("hold-2", NOW)
    desk.store.reset_volatile(its)
    assert desk.live(1) == 1
    assert desk.store.record_tokens(COLLECTION, ref(1), 1) == {JANE: True}
    erase(desk, JANE)
    assert desk.store.hidden_records(TENANT, its, [ref(1)]) == set()
    assert desk.store.hidden_records(TENANT, COLLECTION, [ref(1)]) == {(ref(1), 1)}


def test_an_erasure_fixes_its_items_and_its_tombstones_in_one_commit(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    write(desk, 2, mentions=(JANE,))
    write(desk, 3, about=(SAM,))
    job = erase(desk, JANE)
    assert (job.state, job.kind) == ("accepted", SUBJECT_ERASE)
    assert [(item.ref, item.action) for item in desk.store.job_items("job-1")] == [
        (ref(1), "delete"),
        (ref(2), "redact"),
    ]
    assert desk.store.tombstones_among(TENANT, [JANE, SAM]) == {JANE: (NOW, NOW + 1000)}
    assert desk.store.fence(TENANT).tombstoned
    assert b"subject.erase" in desk.store.outbox_pending()[-1].payload


def test_nothing_is_written_about_an_erased_subject_until_its_fence_ends(desk: Desk) -> None:
    erase(desk, JANE)
    for late in ({"about": (JANE,)}, {"mentions": (SAM, JANE)}):
        with pytest.raises(SubjectErased):
            desk.begin(replace(record(1), **late))
    desk.begin(replace(record(1), about=(SAM,)))
    with pytest.raises(SubjectErased):
        desk.begin(replace(record(2), about=(JANE,), ingested_ms=NOW), now_ms=NOW + 1000)
    desk.begin(replace(record(2), about=(JANE,), ingested_ms=NOW + 1000), now_ms=NOW + 1000)


def test_a_write_that_began_before_the_erasure_is_refused_at_its_switch(desk: Desk) -> None:
    request, _ = desk.begin(replace(record(1), mentions=(JANE,)))
    erase(desk, JANE, now_ms=NOW + 5)
    with pytest.raises(SubjectErased):
        desk.store.commit_batch(request_id=request, fence=1)
    assert desk.live(1) is None


def test_a_second_erasure_never_shortens_a_fence(desk: Desk) -> None:
    erase(desk, JANE, until_ms=NOW + 9000)
    erase(desk, JANE, job_id="job-2", now_ms=NOW + 1, until_ms=NOW + 10)
    assert desk.store.tombstones_among(TENANT, [JANE]) == {JANE: (NOW + 1, NOW + 9000)}


def test_a_hold_on_a_subject_covers_what_speaks_of_it_and_nothing_else(desk: Desk) -> None:
    write(desk, 1, mentions=(JANE,))
    write(desk, 2, about=(SAM,))
    hold = desk.store.add_hold("h-1", TENANT, None, None, b"sealed", NOW, subject=[JANE])
    assert hold.of_subject
    assert desk.store.held_refs(TENANT, COLLECTION, [ref(1), ref(2)]) == {ref(1): "h-1"}
    with pytest.raises(LegalHold):
        desk.delete(1)
    desk.delete(2)
    # Written later, and held all the same.
    write(desk, 3, about=(JANE,))
    held = desk.store.held_refs(TENANT, COLLECTION, [ref(1), ref(2), ref(3)])
    assert held == {ref(1): "h-1", ref(3): "h-1"}


def test_a_hold_refuses_the_erasure_of_what_it_covers_and_nothing_is_kept(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    desk.store.add_hold("h-1", TENANT, COLLECTION, ref(1), b"sealed", NOW)
    with pytest.raises(LegalHold) as refusal:
        erase(desk, JANE)
    assert refusal.value.hold_id == "h-1"
    assert desk.jobs() == []
    assert not desk.store.fence(TENANT).tombstoned


def test_a_hold_on_a_subject_keeps_the_whole_tenant(desk: Desk) -> None:
    desk.store.add_hold("h-1", TENANT, None, None, b"sealed", NOW, subject=[JANE])
    with pytest.raises(LegalHold):
        desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)


def test_a_hold_on_a_subject_names_no_collection(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.store.add_hold("h-1", TENANT, COLLECTION, None, b"sealed", NOW, subject=[JANE])


def test_a_job_is_accepted_under_the_fence_its_caller_read(desk: Desk) -> None:
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        erase(desk, JANE)


def test_a_finished_job_keeps_its_receipt_and_forgets_its_items(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    erase(desk, JANE)
    assert desk.store.finish_job("job-1", receipt=b"signed", now_ms=NOW).receipt == b"signed"
    assert desk.store.job_items("job-1") == []
    assert desk.store.finish_job("job-1", receipt=b"another", now_ms=NOW).receipt == b"signed"


@pytest.mark.usefixtures("alone")
def test_deleting_the_tenant_ends_its_other_jobs_and_forgets_its_people(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    erase(desk, JANE)
    desk.store.set_quota(TENANT, max_points=5, max_bytes=None)
    desk.store.note_source_files(COLLECTION, b"source", [(ref(1), b"digest", b"d" * 16)])
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j-2", request_id="r", manifest="{}", now_ms=NOW)
    desk.store.finish_tenant_deletion(job_id="j-2", receipt=b"signed", now_ms=NOW)
    for table in ("record_subject", "tombstone", "job_item", "quota", "source_file", "hold_subject"):
        assert desk.sql(f"SELECT COUNT(*) FROM {table}") == [(0,)], table
    assert [job.job_id for job in desk.jobs()] == ["j-2"]


def test_a_quota_of_points_refuses_the_batch_that_would_pass_it(desk: Desk) -> None:
    desk.store.set_quota(TENANT, max_points=4, max_bytes=None)
    write(desk, 1)
    pending, _ = desk.begin(record(2))
    with pytest.raises(QuotaExceeded) as refusal:
        desk.begin(record(3))
    assert refusal.value.limit == "points"
    desk.store.abort_batch(request_id=pending)
    desk.begin(record(3))


def test_the_room_of_a_writer_that_died_is_given_to_who_needs_it_and_not_to_both(desk: Desk) -> None:
    desk.store.create_collection(collection_row(OTHER, name=b"other-collection"))
    desk.store.set_quota(TENANT, max_points=4, max_bytes=None)
    died, _ = desk.begin(record(1), lease=0)
    living, _ = desk.begin(record(2), now_ms=NOW - LEASE)
    assert desk.store.usage(TENANT, now_ms=NOW - 1) == (4, 0)
    assert desk.store.usage(TENANT, now_ms=NOW) == (0, 0)
    desk.store.extend_lease(living, NOW + 1)
    with pytest.raises(QuotaExceeded):
        desk.begin(record(3, chunks=3))
    assert {desk.store.batch(each).state for each in (died, living)} == {"open"}  # type: ignore[union-attr]  # both are there
    desk.begin(record(3))
    with pytest.raises(ControlUnavailable, match="aborted"):
        desk.store.commit_batch(request_id=died, fence=1)
    desk.store.commit_batch(request_id=living, fence=1)
    assert desk.store.usage(TENANT, now_ms=NOW) == (4, 0)


def test_a_replaced_record_counts_once_and_bytes_are_counted_too(desk: Desk) -> None:
    desk.store.set_quota(TENANT, max_points=None, max_bytes=100)
    for _ in range(3):
        request, _ = desk.begin(replace(record(1), size=90))
        desk.store.commit_batch(request_id=request, fence=1)
        desk.store.finish_batch(request_id=request)
    assert desk.store.usage(TENANT, now_ms=NOW) == (2, 90)
    with pytest.raises(QuotaExceeded) as refusal:
        desk.begin(replace(record(2), size=11))
    assert refusal.value.limit == "bytes"
    desk.store.set_quota(TENANT, max_points=None, max_bytes=None)
    desk.begin(replace(record(2), size=11))


@pytest.mark.parametrize(("chunks", "size", "limit"), [(2, 91, "bytes"), (3, 90, "points")])
def test_a_record_may_not_grow_beyond_a_quota_and_may_stay_or_shrink_above_one(
    desk: Desk, chunks: int, size: int, limit: str
) -> None:
    def written(number: int, chunks: int, size: int) -> None:
        request, _ = desk.begin(replace(record(number, chunks=chunks), size=size))
        desk.store.commit_batch(request_id=request, fence=1)
        desk.store.finish_batch(request_id=request)

    written(1, 2, 90)
    desk.store.set_quota(TENANT, max_points=1, max_bytes=10)
    written(1, 2, 90)
    with pytest.raises(QuotaExceeded):
        desk.begin(replace(record(1, chunks=chunks), size=size))
    desk.store.set_quota(TENANT, max_points=2, max_bytes=90)
    with pytest.raises(QuotaExceeded) as refusal:
        desk.begin(replace(record(1, chunks=chunks), size=size))
    assert refusal.value.limit == limit
    written(1, 1, 20)
    assert desk.store.usage(TENANT, now_ms=NOW) == (1, 20)


def test_the_files_of_a_source_are_remembered_apart(desk: Desk) -> None:
    write(desk, 1)
    write(desk, 2)
    stored = b"d" * 16
    desk.store.note_source_files(COLLECTION, b"one", [(ref(1), b"a", stored), (ref(2), b"b", stored)])
    desk.store.note_source_files(COLLECTION, b"two", [(ref(1), b"c", stored), (ref(2), b"c", b"another version.")])
    desk.store.note_source_files(COLLECTION, b"one", [(ref(2), b"B", stored)])
    desk.store.forget_source_files(COLLECTION, b"one", [ref(1)])
    assert desk.store.source_files(COLLECTION, b"one") == {ref(2): b"B" + stored}
    assert desk.store.source_files(COLLECTION, b"two") == {ref(1): b"c" + stored}


@pytest.mark.usefixtures("alone")
def test_a_store_of_the_first_revision_with_records_is_refused_whole(desk: Desk) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from securevec.control import migrate
    from securevec.errors import HomeRefused

    desk.store.grant(TENANT, b"actor", "reader", NOW)
    engine = create_engine(f"sqlite:///{desk.path}")
    config = Config()
    config.set_main_option("script_location", "securevec.control:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    engine.dispose()
    desk.sql("INSERT INTO manifest VALUES (?, ?, 1, 1, ?, NULL, 'r0/never')", COLLECTION, ref(1), b"d")
    before = desk.sql("SELECT name, sql FROM sqlite_master ORDER BY name")
    with pytest.raises(HomeRefused):
        migrate.upgrade(desk.path)
    assert desk.sql("SELECT name, sql FROM sqlite_master ORDER BY name") == before
    desk.sql("DELETE FROM manifest")
    migrate.upgrade(desk.path)
    assert desk.jobs() == []
    assert [row.collection for row in desk.store.collections(TENANT)] == [COLLECTION]
    assert desk.store.roles(TENANT, b"actor") == {"reader"}
    assert desk.sql("PRAGMA foreign_key_check") == []
    write(desk, 1, about=(JANE,))
    assert desk.store.record_tokens(COLLECTION, ref(1), 1) == {JANE: True}
