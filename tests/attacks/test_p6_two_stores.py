"""Looked at in one store, done in another: what somebody changes in between is not passed over.

Control store, key store, engine and audit log share no transaction. Each attack here stops one operation at the seam
between two of them, lets another one through, and goes on. Nothing waits: the seam is a call that is wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

import securevec as sv
from securevec import ingest as ingesting
from securevec import search as searching
from securevec.control.database import Database
from securevec.control.store import ControlStore
from securevec.errors import (
    ControlUnavailable,
    DeletionIncomplete,
    LegalHold,
    OutcomeUnknown,
    RecordNotFound,
    SubjectErased,
)
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.people import find as finding
from securevec.reading import revealing
from securevec.reading.sheets import Sealed, opened_chunks
from securevec.removing.recover import settle_collection
from securevec.retention import apply as applying
from securevec.retention.rules import hold_epoch
from securevec.verbs import batch, counting, pages, several
from securevec.writing.resealing import reseal
from tests.support.attacks import DAY_MS, Stage
from tests.support.hourglass import RETENTION_DAYS, Hourglass, hourglass
from tests.support.meanwhile import meanwhile
from tests.support.world import ticket

JANE = "jane.doe@example.com"


@pytest.fixture
def stage(still_stage: Stage) -> Stage:
    return still_stage


@pytest.fixture
def glass(tmp_path: Path) -> Iterator[Hourglass]:
    with hourglass(tmp_path, "memory") as made:
        made.store._caretaker.stop()
        yield made


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]


def accept(stage: Stage, value: str, *, lasting_ms: int = DAY_MS) -> None:
    """The first step of an erasure, from which on it is in force."""
    runtime = stage.store.runtime
    admission = admit(runtime, stage.acme._scope, permission="subject.erase", action="subject.erase")
    until_ms = runtime.clock.now_ms() + lasting_ms
    erasing.request_erasure(runtime, admission, (value,), until_ms=until_ms, include_name_matches=False)


def rows_in(store: sv.SecureStore, table: str) -> int:
    database: Database = store.runtime.control._db
    return int(database.rows(f"SELECT COUNT(*) FROM {table}")[0][0])


# -- control store and key store


def test_a_hold_keeps_what_was_moved_under_a_key_that_another_job_was_about_to_destroy(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under two holds a record moves to the key of one. That one is released, its other record deleted, and a job finds
    its key unused; the other process, which had looked the holds up before, moves the record there in this moment."""
    glass.fill(1)
    glass.pass_days(60)
    glass.fill(2)
    wide = glass.acme.hold("case 1", collection="ticket").id
    while (narrow := glass.acme.hold("case 2", collection="ticket", record="T-2").id) < wide:
        glass.acme_operated.release(narrow)
    glass.pass_days(RETENTION_DAYS - 30)
    glass.apply()
    assert {hold_epoch(wide)} <= glass.keys()
    glass.pass_days(90)
    glass.acme_operated.release(wide)
    runtime, scope = glass.store.runtime, glass.tickets._scope
    place = Sealed(scope.tenant, scope.collection, scope.namespace, scope.vault)
    ref = scope.record_ref(runtime, "T-2")

    def move() -> None:
        admission = admit(runtime, glass.acme_operated._scope, permission="retention", action="key.reseal")
        rows = list(runtime.control.current(scope.collection, [ref]).values())
        assert reseal(runtime, admission, place, rows, epochs={row.ref: hold_epoch(wide) for row in rows})

    meanwhile(monkeypatch, applying, "shred", move)
    with pytest.raises(DeletionIncomplete):
        glass.apply()
    assert [job.state for job in runtime.control.jobs(open_only=True)] == ["purged"]
    assert glass.store.run_jobs()[0].state == "done"
    assert {hold_epoch(wide)} <= glass.keys()
    with pytest.raises(LegalHold):
        glass.tickets.delete(["T-2"])
    rows = list(runtime.control.current(scope.collection, [ref]).values())
    assert opened_chunks(runtime, place, rows)[ref][0].body.fields, "evidence is kept, and can be read"


def test_a_minimum_set_after_an_erasure_was_accepted_keeps_the_persons_key(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, retention="180d")
    letters.ingest([{"id": "L-1", "writer": JANE, "body": "the lantern"}])
    accept(stage, JANE)
    stage.store.set_retention(min_age="30d")
    (result,) = stage.store.run_jobs()
    assert (result.failed, result.waiting_for) == (True, "RetentionMinimum")
    assert len(stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")) == 1
    assert len(letters.search("lantern", k=3)) == 0, "it stays hidden"
    stage.time.forward(31 * DAY_MS)
    assert [each.state for each in stage.store.run_jobs()] == ["done"]
    assert stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject") == []


# -- who goes on with a job


def test_a_worker_that_was_too_slow_does_not_take_a_job_back_to_where_it_left_it(glass: Hourglass) -> None:
    """Its lease ended, another one went on with the job. A state that the job has again is no sign that it stood
    still: what was destroyed in between would be in no receipt."""
    glass.fill(1)
    glass.pass_days(RETENTION_DAYS + 30)
    control = glass.store.runtime.control
    admission = glass.store.retention_plan()
    (job,) = applying.request_retention(
        glass.store.runtime,
        admission.digest,
        {
            glass.tickets._scope.tenant: admit(
                glass.store.runtime, glass.acme_operated._scope, permission="retention", action="retention.apply"
            )
        },
        by="actor:00",
    )
    now = glass.time[0]
    assert control.lease_job(job.job_id, owner="w-slow", until_ms=now + 1, now_ms=now)
    seen = control.advance_job(job.job_id, expect="accepted", to="deleting", data=job.data, now_ms=now, owner="w-slow")
    glass.time[0] += 2
    now = glass.time[0]
    assert control.lease_job(job.job_id, owner="w-quick", until_ms=now + 9, now_ms=now)
    further: dict[str, Any] = {"expect": "deleting", "to": "deleting", "data": seen.data, "now_ms": now}
    control.advance_job(job.job_id, **further, owner="w-quick")
    with pytest.raises(ControlUnavailable):
        control.advance_job(job.job_id, **further, owner="w-slow")
    assert control.lease_job(job.job_id, owner="w-quick", until_ms=0, now_ms=now)
    with pytest.raises(ControlUnavailable):
        control.advance_job(job.job_id, **further, owner="w-other")


# -- a batch that is on its way while somebody is erased


def test_a_writer_whose_batch_others_settled_makes_nobody_known(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = stage.pair()

    def settled_by_another_process() -> None:
        runtime = stage.store.runtime
        stage.time.forward(120_000)
        settle_collection(runtime, pair.acme.id)
        stage.acme.erase_subject(JANE).raise_if_incomplete()

    meanwhile(monkeypatch, ControlStore, "add_tokens", settled_by_another_process)
    with pytest.raises(ControlUnavailable):
        pair.acme.ingest([ticket(1, f"Jane Doe of {JANE} has a lantern", customer="C-1")])
    assert rows_in(stage.store, "subject_token") == 0
    assert rows_in(stage.store, "name_part") == 0


def test_a_writer_whose_batch_others_settled_inserts_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed behind its insert, it would leave points that no batch, no manifest and no erasure knows of."""
    pair = stage.pair()
    pair.acme.ingest([ticket(2, f"{JANE} has a bicycle", customer="C-1")])
    inserted: list[int] = []
    honest = stage.trap.insert

    def insert(**given: Any) -> None:
        inserted.append(len(given["points"]))
        honest(**given)

    def settled_by_another_process() -> None:
        stage.time.forward(120_000)
        settle_collection(stage.store.runtime, pair.acme.id)

    monkeypatch.setattr(stage.trap, "insert", insert)
    meanwhile(monkeypatch, ingesting, "switch_over", settled_by_another_process)
    with pytest.raises(OutcomeUnknown):
        pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="C-1")])
    assert inserted == []
    assert pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="C-1")]).new == 1
    pair.acme.verify().raise_if_wrong()


def test_a_slow_writer_keeps_its_batch_while_it_inserts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = stage.pair()
    meanwhile(monkeypatch, ingesting, "switch_over", lambda: stage.time.forward(50_000))

    def almost_a_lease_later() -> None:
        stage.time.forward(50_000)
        settle_collection(stage.store.runtime, pair.acme.id)

    meanwhile(monkeypatch, stage.trap, "insert", almost_a_lease_later)
    assert pair.acme.ingest([ticket(1, "a lantern")]).new == 1
    pair.acme.verify().raise_if_wrong()


def test_a_record_that_was_read_before_a_short_fence_is_not_stored_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone would hide it, and no erasure ever delete it: stored, seen by nobody, kept until its expiry."""
    pair = stage.pair()

    def erase_and_wait() -> None:
        stage.acme.erase_subject(JANE, until="1s").raise_if_incomplete()
        stage.time.forward(2000)

    meanwhile(monkeypatch, ingesting, "_embed", erase_and_wait)
    row = ticket(1, f"{JANE} has a lantern", customer="C-1")
    with pytest.raises(SubjectErased):
        pair.acme.ingest([row])
    assert (pair.acme.count(), rows_in(stage.store, "manifest")) == (0, 0)
    assert pair.acme.ingest([row]).new == 1, "what is brought after the fence is stored"
    assert pair.acme.count() == len(pair.acme.search("lantern", k=3)) == 1


def test_the_rest_of_a_batch_goes_through_behind_a_short_fence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = stage.pair()

    def erase_and_wait() -> None:
        stage.acme.erase_subject(JANE, until="1s").raise_if_incomplete()
        stage.time.forward(2000)

    meanwhile(monkeypatch, ingesting, "without_erased", erase_and_wait)
    report = pair.acme.ingest([ticket(1, f"{JANE} has a lantern"), ticket(2, "a lantern of nobody")])
    assert ([(row.row, row.error) for row in report.refused], report.new) == ([(1, "SubjectErased")], 1)
    assert {record.id for record in pair.acme.iter()} == {"T-2"}


def test_no_digest_is_noted_of_a_file_whose_record_was_erased_meanwhile(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.txt").write_text(f"{JANE} has a lantern")
    (folder / "two.txt").write_text("a bicycle")
    pages = stage.acme.collection(sv.Page, retention="180d")
    meanwhile(
        monkeypatch, ControlStore, "note_source_files", lambda: stage.acme.erase_subject(JANE).raise_if_incomplete()
    )
    pages.ingest_files([folder])
    assert rows_in(stage.store, "source_file") == 1


# -- what falls due while it is read


@pytest.mark.parametrize("way", ["get", "exists", "search", "find", "export"])
def test_what_falls_due_while_it_is_read_is_not_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pair = stage.pair()
    pair.acme.ingest([ticket(1, f"{JANE} has a lantern")])
    module = {"get": searching, "search": searching, "exists": counting}.get(way, finding)
    meanwhile(monkeypatch, module, "erased", lambda: stage.time.forward(181 * DAY_MS))
    if way == "get":
        with pytest.raises(RecordNotFound):
            pair.acme.get("T-1")
    elif way == "search":
        assert len(pair.acme.search("lantern", k=3)) == 0
    elif way == "exists":
        assert not pair.acme.exists("T-1")
    else:
        assert len(stage.acme.find_subject(JANE) if way == "find" else stage.acme.export_subject(JANE)) == 0


@pytest.mark.parametrize("how", ["deleted", "replaced"])
@pytest.mark.parametrize("way", ["get", "exists"])
def test_a_record_is_not_answered_once_its_deletion_was_acknowledged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, way: str, how: str
) -> None:
    """It was read before; the answer had not left."""
    pair = stage.pair()
    pair.acme.ingest([ticket(1, f"{JANE} has a lantern")])

    def gone() -> None:
        if how == "deleted":
            assert pair.acme.delete(["T-1"]).deleted == 1
        else:
            assert pair.acme.ingest([ticket(1, "a lantern")]).updated == 1

    module: Any = searching if way == "get" else counting
    read = module.live_record

    def before(*given: Any) -> Any:
        monkeypatch.setattr(module, "live_record", read)
        body = read(*given)
        gone()
        return body

    monkeypatch.setattr(module, "live_record", before)
    if way == "get":
        with pytest.raises(RecordNotFound):
            pair.acme.get("T-1")
    else:
        assert not pair.acme.exists("T-1")


@pytest.mark.parametrize("way", ["get_many", "page"])
def test_records_deleted_behind_the_reading_of_several_are_not_among_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pair = stage.pair()
    pair.acme.ingest([ticket(1, "a lantern"), ticket(2, "a lamp")])
    meanwhile(monkeypatch, several if way == "get_many" else pages, "still_live", lambda: pair.acme.delete(["T-1"]))
    found = pair.acme.get_many(["T-1", "T-2"]) if way == "get_many" else pair.acme.page().records
    assert [record.id for record in found] == ["T-2"]


def test_a_batch_of_searches_does_not_answer_with_whom_an_erasure_hides_by_then(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record stays, and is redacted by the job: the manifest alone says nothing of it yet."""
    pair = stage.pair()
    pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="Bob Stone")])
    assert [len(found) for found in pair.acme.search_batch(["lantern"], k=1)] == [1]
    meanwhile(monkeypatch, batch, "looked_at_again", lambda: accept(stage, JANE))
    assert [len(found) for found in pair.acme.search_batch(["lantern"], k=1)] == [0]


# -- originals


@pytest.mark.parametrize("how", ["deleted", "replaced", "due", "erased by a name", "erasure accepted"])
def test_originals_are_not_handed_out_once_a_deletion_was_acknowledged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The vault was opened before; the answer had not left."""
    pair = stage.pair()
    pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="Bob Stone")])
    hits = pair.acme.search("lantern", k=1)
    assert JANE in hits.restore(hits.context())

    def erased_meanwhile() -> None:
        if how == "deleted":
            assert pair.acme.delete(["T-1"]).deleted == 1
        elif how == "replaced":
            assert pair.acme.ingest([ticket(1, "a lantern", customer="Bob Stone")]).updated == 1
        elif how == "due":
            stage.time.forward(181 * DAY_MS)
        elif how == "erasure accepted":
            accept(stage, JANE)
        else:
            stage.acme.erase_subject("Bob Stone").raise_if_incomplete()

    meanwhile(monkeypatch, revealing, "decode_vault", erased_meanwhile)
    with pytest.raises(RecordNotFound):
        hits.restore(hits.context())
