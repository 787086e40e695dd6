"""What is asked again inside the transaction that acts: whatever was true when the caller looked, it is refused when it
is not true any more, and then nothing was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from securevec.control import migrate
from securevec.control.copying import copy_control
from securevec.control.database import Database
from securevec.control.leftovers import Leftover
from securevec.control.retention import Intent
from securevec.control.rows import NO_QUOTA, JobRow, NewRecord, RetentionRule, Survey
from securevec.control.store import ControlStore
from securevec.errors import (
    CollectionNotFound,
    ControlUnavailable,
    LegalHold,
    PlanChanged,
    RecordChanged,
    RetentionConflict,
    RetentionMinimum,
    SubjectErased,
    TenantUnavailable,
    UsageError,
)
from securevec.types import TenantId
from tests.unit.control.desk import (
    COLLECTION,
    JANE,
    LEASE,
    NOW,
    OTHER,
    SAM,
    TENANT,
    Desk,
    collection_row,
    erase,
    record,
    ref,
)


class Act:
    """Something that must not happen."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, *_: Any) -> None:
        self.done += 1


def begin(desk: Desk, request: str, *rows: NewRecord, **more: Any) -> None:
    desk.store.begin_batch(
        tenant=TENANT,
        collection=COLLECTION,
        request_id=request,
        writer="w-test",
        fence=1,
        rows=rows,
        lease_until_ms=NOW + LEASE,
        now_ms=NOW,
        **more,
    )


def write(desk: Desk, number: int, **said: Any) -> None:
    begin(desk, f"write {number}", replace(record(number), **said))
    desk.store.commit_batch(request_id=f"write {number}", fence=1)
    desk.store.finish_batch(request_id=f"write {number}")


def test_what_is_made_of_a_record_that_an_erasure_hides_is_not_announced(desk: Desk) -> None:
    write(desk, 1, mentions=(JANE,))
    erase(desk, JANE)
    fresh = replace(record(1), ingested_ms=NOW + 5)
    with pytest.raises(RecordChanged, match="erased meanwhile"):
        begin(desk, "update", fresh, expect={ref(1): 1})
    begin(desk, "redaction", fresh, expect={ref(1): 1}, erasing=True)


def test_no_record_is_sealed_under_a_key_that_an_erasure_is_about_to_destroy(desk: Desk) -> None:
    """Of somebody whom a declared name led to, about whom nothing is fenced."""
    begin(desk, "before", record(1), people=(SAM,))
    job = erase(desk, JANE, shared=(SAM,))
    with pytest.raises(SubjectErased, match="being erased"):
        begin(desk, "after", record(2), people=(SAM,))
    with pytest.raises(SubjectErased, match="being erased"):
        desk.store.commit_batch(request_id="before", fence=1, people=(SAM,))
    assert desk.live(1) is None
    desk.store.advance_job("erasure", expect="accepted", to="shredded", data=job.data, now_ms=NOW, owner="")
    begin(desk, "behind it", record(2), people=(SAM,))
    desk.store.commit_batch(request_id="before", fence=1, people=(SAM,))


def test_a_key_destroyed_since_it_was_asked_for_keeps_what_is_sealed_under_it_from_being_live(desk: Desk) -> None:
    def gone() -> None:
        raise SubjectErased("gone")

    begin(desk, "batch", record(1))
    with pytest.raises(SubjectErased, match="gone"):
        desk.store.commit_batch(request_id="batch", fence=1, alive=gone)
    assert desk.live(1) is None


def test_what_takes_the_place_of_a_record_that_is_going_was_read_after_it_was_said_to_go(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    write(desk, 2, mentions=(JANE,))
    erase(desk, JANE, now_ms=NOW + 5)
    begin(desk, "another record", replace(record(2), ingested_ms=NOW + 5))
    with pytest.raises(SubjectErased, match="being erased"):
        begin(desk, "as old", replace(record(1), ingested_ms=NOW + 5))
    begin(desk, "newer", replace(record(1), ingested_ms=NOW + 6))


def test_tokens_are_not_made_known_for_a_batch_that_others_settled(desk: Desk) -> None:
    begin(desk, "late", replace(record(1), about=(JANE,)))
    desk.store.settle("late", now_ms=NOW, force=True)
    with pytest.raises(ControlUnavailable, match="no longer held"):
        desk.store.add_tokens(TENANT, [(JANE, "PERSON")], fence=1, request_id="late")
    assert desk.store.known_tokens(TENANT, [JANE]) == {}


def hold(desk: Desk, **what: Any) -> None:
    given: dict[str, Any] = {"collection": None, "record_ref": None, "reason_sealed": b"sealed", "now_ms": NOW, **what}
    desk.store.add_hold("hold", TENANT, **given)


COVERED: dict[str, tuple[Callable[[Desk], object], type[Exception]]] = {
    "a tenant that is suspended": (
        lambda desk: desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW),
        TenantUnavailable,
    ),
    "a record that is held": (lambda desk: hold(desk, collection=COLLECTION, record_ref=ref(1)), LegalHold),
    "a person who is held": (lambda desk: hold(desk, subject=[SAM]), LegalHold),
    "a record that a minimum keeps": (
        lambda desk: desk.store.put_rule(
            RetentionRule(TENANT, "", "", b"", None, NOW, NOW), check=lambda rules, collections: None
        ),
        RetentionMinimum,
    ),
}


@pytest.mark.parametrize("what", COVERED)
def test_a_key_is_not_destroyed_beside_what_forbids_it(desk: Desk, what: str) -> None:
    write(desk, 1, about=(JANE,))
    act, refs = Act(), {COLLECTION: [ref(1)]}
    # Nobody's record carries Sam: only a hold on him tells.
    desk.store.while_unheld(TENANT, [JANE, SAM], refs, act, now_ms=1)
    assert act.done == 1
    forbid, error = COVERED[what]
    forbid(desk)
    with pytest.raises(error):
        desk.store.while_unheld(TENANT, [JANE, SAM], refs, act, now_ms=1)
    assert act.done == 1


def test_a_key_under_which_records_came_meanwhile_is_not_destroyed(desk: Desk) -> None:
    act = Act()
    desk.store.while_unused(COLLECTION, "r0/never", act)
    begin(desk, "on its way", record(1))
    with pytest.raises(ControlUnavailable, match="about to be destroyed"):
        desk.store.while_unused(COLLECTION, "r0/never", act)
    desk.store.while_unused(COLLECTION, "another", act)
    assert act.done == 2


HELD: dict[str, tuple[dict[str, Any], set[int]]] = {
    "nothing": ({}, set()),
    "the tenant": ({"collection": None}, {1, 2, 3}),
    "its collection": ({"collection": COLLECTION}, {1, 2, 3}),
    "another collection": ({"collection": OTHER}, set()),
    "the record, in any generation": ({"collection": COLLECTION, "record_ref": ref(1)}, {1}),
    "the same ref of another collection": ({"collection": OTHER, "record_ref": ref(1)}, set()),
    "its person": ({"subject": [JANE]}, {2}),
}


@pytest.mark.parametrize("what", HELD)
def test_points_that_the_manifest_does_not_name_stay_where_they_are_held(desk: Desk, what: str) -> None:
    desk.store.create_collection(replace(collection_row(OTHER, name=b"another name....")))
    found = [Leftover(ref(1), 7), Leftover(ref(2), 7, frozenset({JANE, SAM})), Leftover(b"", 0)]
    numbers = {id(each): number for number, each in enumerate(found, 1)}
    said, kept = HELD[what]
    if said:
        hold(desk, **said)
    removed: list[Leftover] = []
    held = desk.store.while_nobody_holds(TENANT, COLLECTION, 1, found, removed.extend)
    assert {numbers[id(each)] for each in held} == kept
    assert {numbers[id(each)] for each in removed} == {1, 2, 3} - kept
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    for fence in (1, 2):
        with pytest.raises(TenantUnavailable):
            desk.store.while_nobody_holds(TENANT, COLLECTION, fence, found, removed.extend)
    assert len(removed) == 3 - len(kept)


def test_points_are_not_removed_under_a_fence_that_moved(desk: Desk) -> None:
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    desk.store.set_tenant_state(TENANT, "active", now_ms=NOW)
    act = Act()
    with pytest.raises(TenantUnavailable):
        desk.store.while_nobody_holds(TENANT, COLLECTION, 1, [Leftover(ref(1), 7)], act)
    desk.store.while_nobody_holds(TENANT, COLLECTION, 3, [Leftover(ref(1), 7)], act)
    assert act.done == 1


def rule(**said: Any) -> RetentionRule:
    empty = RetentionRule("", "", "", b"", 1_000, None, NOW)
    return replace(empty, **said)


def allow(rules: Any, collections: Any) -> None:
    """A check that finds nothing."""


@pytest.mark.usefixtures("alone")
def test_a_rule_is_on_something_that_is_there(desk: Desk) -> None:
    gone = TenantId("b2" * 16)
    desk.add_tenant(gone, b"globex-name....")
    desk.store.begin_tenant_deletion(tenant=gone, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    for wrong, error in (
        (rule(collection=COLLECTION), UsageError),
        (rule(tenant=gone), TenantUnavailable),
        (rule(tenant=TENANT, collection=OTHER), CollectionNotFound),
    ):
        with pytest.raises(error):
            desk.store.put_rule(wrong, check=allow)
    assert desk.store.retention_rules() == ()


@pytest.mark.usefixtures("alone")
def test_a_rule_that_its_check_refuses_leaves_the_one_there_was(desk: Desk) -> None:
    def refuse(rules: Any, collections: Any) -> None:
        assert [each.max_age_ms for each in rules] == [5]
        raise RetentionConflict("no", scopes=())

    desk.store.put_rule(rule(tenant=TENANT), check=allow)
    with pytest.raises(RetentionConflict, match="this very scope"):
        desk.store.put_rule(rule(tenant=TENANT, max_age_ms=5), check=allow)
    with pytest.raises(RetentionConflict, match="no"):
        desk.store.put_rule(rule(tenant=TENANT, max_age_ms=5), check=refuse, replace=True)
    assert [each.max_age_ms for each in desk.store.retention_rules()] == [1_000]


def apply(desk: Desk, *, digest_of: Callable[[Survey], str] = lambda found: "digest") -> list[JobRow]:
    return desk.store.begin_retention(
        digest="digest",
        as_of_ms=NOW,
        tenant=None,
        ages=lambda row, rules: (None, None),
        digest_of=digest_of,
        intents=lambda found: {TENANT: Intent("retention", "request", "{}")},
        now_ms=NOW,
    )


def test_a_plan_is_applied_once_and_only_as_long_as_it_is_what_was_planned(desk: Desk) -> None:
    write(desk, 1, expires_ms=NOW - 1)
    desk.store.keep_plan("digest", "{}", now_ms=NOW)
    with pytest.raises(PlanChanged, match="changed since"):
        apply(desk, digest_of=lambda found: "another")
    assert desk.store.plan("digest") == "{}", "it may be looked at again"
    assert desk.jobs() == []
    assert [job.job_id for job in apply(desk)] == ["retention"]
    assert [item.ref for item in desk.store.job_items("retention")] == [ref(1)]
    with pytest.raises(PlanChanged, match="meanwhile"):
        apply(desk)
    assert len(desk.jobs()) == 1


def test_a_tenant_that_is_going_gets_no_quota_and_its_collections_no_other_identity(desk: Desk) -> None:
    desk.store.begin_tenant_deletion(tenant=TENANT, job_id="j", request_id="r", manifest="{}", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        desk.store.set_quota(TENANT, max_points=1, max_bytes=None)
    with pytest.raises(TenantUnavailable):
        desk.store.update_identity(COLLECTION, expect='{"model":"m1"}', identity="{}", schema_sealed=b"")
    assert desk.store.quota(TENANT) == NO_QUOTA


def test_a_tenant_is_forgotten_by_its_deletion_alone(desk: Desk) -> None:
    write(desk, 1)
    erase(desk, JANE)
    with pytest.raises(UsageError, match="does not delete a tenant"):
        desk.store.forget_tenant(job_id="erasure", now_ms=NOW)
    with pytest.raises(UsageError, match="does not delete a tenant"):
        desk.store.finish_tenant_deletion(job_id="erasure", receipt=b"", now_ms=NOW)
    assert desk.live(1) == 1


def test_a_deletion_is_repeated_where_it_is_not_under_way(desk: Desk) -> None:
    def again(tenant: TenantId, job_id: str) -> JobRow | None:
        return desk.store.replay_tenant_deletion(tenant, job_id=job_id, request_id="r", data="{}", now_ms=NOW)

    hold(desk)
    job = again(TENANT, "one")
    assert job is not None
    assert (job.kind, job.state, desk.store.fence(TENANT).state) == ("tenant.delete", "accepted", "deleting")
    assert again(TENANT, "two") is None
    assert again(TenantId("b2" * 16), "three") is None
    assert [each.job_id for each in desk.jobs()] == ["one"]


def test_tokens_are_lifted_by_one_version_at_a_time(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))

    def lift(version: int) -> int:
        return desk.store.lift_tokens(
            TENANT, version, lambda token: type(token)(token[::-1]), lambda text, part, lifted: text, now_ms=NOW
        )

    with pytest.raises(UsageError, match="follow each other"):
        lift(3)
    assert desk.store.subject_records(TENANT, [JANE])
    assert lift(2) == lift(2) == 1
    assert desk.store.subject_records(TENANT, [JANE[::-1]])
    with pytest.raises(UsageError, match="follow each other"):
        lift(1)


def test_a_store_that_cannot_be_reached_copied_or_upgraded_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 100)
    with pytest.raises(ControlUnavailable, match="cannot be reached"):
        ControlStore.open(tmp_path / "file" / "control.db", create=True)
    with pytest.raises(ControlUnavailable, match="damaged"):
        copy_control(tmp_path / "file", tmp_path / "copy")
    with pytest.raises(ControlUnavailable, match="damaged"):
        migrate.upgrade(tmp_path / "file")
    with pytest.raises(ControlUnavailable, match="cannot be read"):
        copy_control(tmp_path / "none", tmp_path / "another copy")


def test_a_record_that_a_minimum_keeps_is_not_deleted_by_whoever_looked_before(desk: Desk) -> None:
    write(desk, 1, ingested_ms=NOW)
    desk.store.put_rule(rule(max_age_ms=None, min_age_ms=1_000), check=allow)
    with pytest.raises(RetentionMinimum):
        desk.delete(1, now_ms=NOW + 999)
    assert desk.live(1) == 1
    desk.delete(1, now_ms=NOW + 1_000)
    assert desk.live(1) is None


def test_what_is_held_is_not_forgotten_with_its_tenant(desk: Desk) -> None:
    """In a home that is being restored a deletion is accepted whatever is held; holds are laid down before."""
    write(desk, 1)
    hold(desk)
    desk.store.replay_tenant_deletion(TENANT, job_id="deletion", request_id="r", data="{}", now_ms=NOW)
    with pytest.raises(LegalHold):
        desk.store.forget_tenant(job_id="deletion", now_ms=NOW)
    with pytest.raises(LegalHold):
        desk.store.finish_tenant_deletion(job_id="deletion", receipt=b"", now_ms=NOW)
    assert desk.live(1) == 1
    desk.store.lay_down_authority()
    desk.store.forget_tenant(job_id="deletion", now_ms=NOW)
    assert desk.live(1) is None


def test_tokens_of_a_tenant_that_is_not_active_stay_as_they_are(desk: Desk) -> None:
    write(desk, 1, about=(JANE,))
    desk.store.add_tokens(TENANT, [(JANE, "PERSON")], [(b"part", JANE, b"stand-in")], fence=1)
    act = Act()
    steps: list[Callable[[], object]] = [
        lambda: desk.store.lift_tokens(TENANT, 2, act, act, now_ms=NOW),  # type: ignore[arg-type]  # never called
        lambda: desk.store.refuse_begun(TENANT, now_ms=NOW),
        lambda: desk.store.say_parts(TENANT, [(b"part", JANE, b"another")], fence=1),
        lambda: desk.store.restate_parts(TENANT, act),  # type: ignore[arg-type]  # never called
    ]
    desk.store.set_tenant_state(TENANT, "suspended", now_ms=NOW)
    for step in steps:
        with pytest.raises(TenantUnavailable):
            step()
    desk.store.set_tenant_state(TENANT, "active", now_ms=NOW)
    with pytest.raises(TenantUnavailable):
        steps[2]()  # under a fence of before
    assert act.done == 0
    assert desk.store.fence(TENANT).epoch == 3
    assert desk.store.known_parts(TENANT, [b"part"]) == {b"part": {JANE: b"stand-in"}}


def test_a_damaged_store_is_a_typed_error_to_whoever_asks_for_its_version_or_scrubs_it(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"no database" * 100)
    store = Database(tmp_path / "control.db")
    acts: list[Callable[[], object]] = [store.version, store.scrub, lambda: store.row("SELECT 1")]
    for act in acts:
        with pytest.raises(ControlUnavailable, match="damaged"):
            act()
    store.close()
