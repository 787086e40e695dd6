"""What is decided of one record, person, job or scope is decided of no other: each condition of a statement counts."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from securevec.control.minimums import require_tenant_past_minimum
from securevec.control.rows import JobItem, RetentionRule
from securevec.errors import (
    ControlUnavailable,
    QuotaExceeded,
    RecordNotFound,
    RetentionConflict,
    RetentionMinimum,
    UsageError,
)
from securevec.types import CollectionId
from tests.unit.control.desk import (
    COLLECTION,
    JANE,
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
from tests.unit.control.neighbour import HOUSE, NEIGHBOUR

LABEL = "1a" * 16


def test_a_hold_on_a_person_covers_whose_live_record_says_so_and_nothing_else(desk: Desk) -> None:
    desk.store.create_collection(collection_row(OTHER, name=b"another-name...."))
    due = record(2, expires_ms=NOW), replace(record(5, expires_ms=NOW), about=(SAM,))
    desk.put(replace(record(1), about=(JANE,)), replace(record(3), mentions=(JANE,)), *due)
    desk.put(record(3, expires_ms=NOW), finished=False)  # what it said before is on its way out
    refs = [ref(number) for number in range(1, 10)]
    desk.store.add_hold("h-1", TENANT, None, None, b"sealed", NOW, subject=[JANE])
    assert desk.store.held_refs(TENANT, COLLECTION, refs) == {ref(1): "h-1"}
    for name, place, held in (("h-2", COLLECTION, ref(1)), ("h-3", OTHER, None), ("h-4", OTHER, ref(2))):
        desk.store.add_hold(name, TENANT, place, held, b"sealed", NOW)
    desk.store.add_hold("h-5", TENANT, None, None, b"sealed", NOW)
    desk.store.release_hold("h-5", NOW)
    found = desk.store.survey(as_of_ms=NOW, tenant=TENANT, ages=lambda row, rules: (None, None))
    planned = {each.collection: each for each in found.collections}[COLLECTION]
    assert [(row.ref, row.hold_id) for row in planned.rows] == [(ref(number), "") for number in (2, 3, 5)]
    assert planned.holds == ()
    desk.store.release_hold("h-2", NOW)
    desk.store.release_hold("h-1", NOW)
    assert desk.store.held_refs(TENANT, COLLECTION, refs) == {}
    assert desk.store.while_unheld(TENANT, [JANE], {}, lambda: "done", now_ms=NOW) == "done"


@pytest.mark.parametrize("what", [{"collection": COLLECTION, "record_ref": ref(7)}, {"subject": [SAM]}])
def test_what_only_another_tenant_has_is_not_there_to_be_held(desk: Desk, what: dict[str, Any]) -> None:
    desk.put(replace(record(1), about=(JANE,)))
    place, held = what.get("collection"), what.get("record_ref")
    with pytest.raises(RecordNotFound):
        desk.store.add_hold(
            "h-1", TENANT, place, held, b"sealed", NOW, subject=what.get("subject", ()), known_only=True
        )
    assert desk.store.holds(TENANT) == []


def test_only_a_retention_job_that_nobody_is_at_is_taken_back_and_no_other_with_it(desk: Desk) -> None:
    desk.put(replace(record(1), about=(JANE,)))
    erase(desk, JANE)
    desk.list_for_retention("first")
    desk.list_for_retention("second")
    assert desk.store.lease_job("first", owner="w", until_ms=NOW + 2, now_ms=NOW)
    for job_id in ("erasure", "first"):
        with pytest.raises(UsageError, match="cannot be taken back"):
            desk.store.cancel_job(job_id, now_ms=NOW + 1)
    assert len(desk.store.job_items("erasure")) == 1
    assert desk.store.cancel_job("first", now_ms=NOW + 2).state == "cancelled"
    assert [(job.job_id, job.state) for job in desk.jobs()] == [
        ("erasure", "accepted"),
        ("first", "cancelled"),
        ("second", "accepted"),
    ]
    assert not desk.store.lease_job("first", owner="w", until_ms=NOW + 9, now_ms=NOW + 3)


def test_a_worker_that_lost_its_job_moves_it_no_further_though_it_came_to_the_same_state(desk: Desk) -> None:
    desk.list_for_retention("first")
    desk.list_for_retention("second")
    assert desk.store.lease_job("first", owner="slow", until_ms=NOW + 1, now_ms=NOW)
    assert desk.store.lease_job("first", owner="quick", until_ms=NOW + 9, now_ms=NOW + 1)
    for owner in ("slow", ""):
        with pytest.raises(ControlUnavailable, match="moved this job"):
            desk.store.advance_job("first", expect="accepted", to="deleting", data="{}", now_ms=NOW, owner=owner)
    moved = desk.store.advance_job("first", expect="accepted", to="deleting", data="{}", now_ms=NOW, owner="quick")
    assert (moved.state, moved.owner) == ("deleting", "quick")
    desk.store.note_job_error("first", error="BackendError", now_ms=NOW)
    other = desk.store.job("second")
    assert other is not None
    assert (other.state, other.owner, other.error) == ("accepted", "", "")


SCOPES: dict[str, tuple[dict[str, Any], bool]] = {
    "everything": ({}, True),
    "the tenant": ({"tenant": TENANT}, True),
    "the collection": ({"tenant": TENANT, "collection": COLLECTION}, True),
    "the classification": ({"classification": LABEL}, True),
    "another collection": ({"tenant": TENANT, "collection": OTHER}, False),
    "another classification": ({"classification": "2b" * 16}, False),
    "another tenant": ({}, False),  # the neighbour has one
}


@pytest.mark.parametrize("what", SCOPES)
def test_a_minimum_keeps_what_its_scope_says_until_that_moment_and_nothing_else(desk: Desk, what: str) -> None:
    said, keeps = SCOPES[what]
    desk.sql("UPDATE collection SET classification = ? WHERE collection = ?", LABEL, COLLECTION)
    desk.store.create_collection(replace(collection_row(OTHER, name=b"another-name...."), retention_ms=None))
    desk.put(replace(record(1), ingested_ms=NOW))
    if what != "another tenant":
        rule = replace(RetentionRule("", "", "", b"", None, 10, NOW), **said)
        desk.store.put_rule(rule, check=lambda rules, collections: None)

    def kept(now_ms: int) -> bool:
        young = desk.store.too_young(COLLECTION, [ref(1), ref(2)], now_ms=now_ms)
        assert young in ([], [ref(1)])
        with desk.store._db.write() as tx, pytest.raises(RetentionMinimum) if young else contextlib.nullcontext():
            require_tenant_past_minimum(tx, TENANT, now_ms)
        return bool(young)

    assert (kept(NOW + 9), kept(NOW + 10)) == (keeps, False)
    third = collection_row(CollectionId("c3" * 16), name=b"a-third-name....")
    short = replace(third, retention_ms=9, classification=LABEL)
    if what in ("everything", "the tenant", "the classification"):
        with pytest.raises(RetentionConflict):
            desk.store.create_collection(short)
        short = replace(short, retention_ms=10)
    desk.store.create_collection(short)


def test_a_rule_is_removed_from_its_very_scope(desk: Desk) -> None:
    before = desk.store.retention_rules()
    kept = [("", "", ""), (TENANT, "", ""), (TENANT, COLLECTION, LABEL), (TENANT, "", LABEL)]
    for scope in [*kept, (TENANT, COLLECTION, "")]:
        desk.store.put_rule(RetentionRule(*scope, b"", 10, None, NOW), check=lambda rules, collections: None)
    desk.store.remove_rule(tenant=TENANT, collection=COLLECTION, classification="")
    rules = desk.store.retention_rules()
    assert {(each.tenant, each.collection, each.classification) for each in rules if each not in before} == {*kept}
    assert set(before) <= set(rules)


@pytest.mark.parametrize("erasing", [False, True])
def test_what_a_job_listed_of_a_record_follows_that_record_alone(desk: Desk, erasing: bool) -> None:
    desk.put(record(1), record(2))
    desk.put(record(3))
    listed = [JobItem(COLLECTION, ref(number), desk.live(number) or 0, 2, "delete") for number in (1, 2, 3)]
    desk.list_for_retention("retention", *listed)
    made = desk.store.begin_batch(
        tenant=TENANT,
        collection=COLLECTION,
        request_id="anew",
        writer="w",
        fence=1,
        rows=[record(2)],
        lease_until_ms=NOW + 9,
        now_ms=NOW,
        expect={ref(2): listed[1].generation},
        resealing=not erasing,
        erasing=erasing,
    )
    desk.store.commit_batch(request_id="anew", fence=1, resealing=not erasing, erasing=erasing)
    follows = replace(listed[1], generation=made[ref(2)])
    assert desk.store.job_items("retention") == [listed[0], follows, listed[2]]


def test_a_page_begins_behind_the_last_one_and_shows_what_is_not_due(desk: Desk) -> None:
    desk.put(*(record(number, expires_ms=NOW + number) for number in range(1, 6)), record(6))
    coming, _ = desk.begin(record(7))
    desk.delete(5)
    for after, now_ms, shown in ((2, NOW, [3, 4, 6]), (2, NOW + 3, [4, 6]), (9, NOW, [])):
        page = desk.store.live_after(COLLECTION, ref(after), limit=9, now_ms=now_ms)
        assert [row.ref for row in page] == [ref(number) for number in shown]
    assert [row.ref for row in desk.store.pending(COLLECTION)] == [ref(7)]
    desk.store.abort_batch(request_id=coming)
    assert desk.store.pending(COLLECTION) == []


def test_a_quota_counts_what_its_own_tenant_has_and_what_is_still_coming(desk: Desk) -> None:
    desk.put(replace(record(1, chunks=2), size=20))
    assert desk.store.usage(TENANT, now_ms=NOW) == (2, 20)
    desk.store.set_quota(TENANT, max_points=4, max_bytes=None)
    coming, _ = desk.begin(replace(record(2, chunks=2), size=20), lease=10)
    assert desk.store.usage(TENANT, now_ms=NOW + 9) == (4, 40)
    with pytest.raises(QuotaExceeded):
        desk.begin(record(3, chunks=1), now_ms=NOW + 9)
    assert desk.store.usage(TENANT, now_ms=NOW + 10) == (2, 20)
    desk.begin(record(3, chunks=2), now_ms=NOW + 10)
    with pytest.raises(ControlUnavailable, match="aborted"):
        desk.store.commit_batch(request_id=coming, fence=1)
    gone, _ = desk.delete(1, now_ms=NOW + 10)
    assert desk.store.usage(TENANT, now_ms=NOW + 10) == (2, 0), "what is on its way out takes no room"
    desk.store.finish_batch(request_id=gone)
    desk.put(record(1, chunks=2))
    # Whoever is over it may replace one by less, and its own room counts, nobody else's.
    desk.store.set_quota(TENANT, max_points=1, max_bytes=None)
    desk.begin(record(1, chunks=1), now_ms=NOW + 10)
    with pytest.raises(QuotaExceeded):
        desk.begin(record(5, chunks=1), now_ms=NOW + 10)
    desk.begin(record(1, chunks=1), now_ms=NOW * 1_001)
    everybodys = desk.store.open_batches(now_ms=NOW * 1_001, expired_only=True)
    assert [each.state for each in everybodys if each.tenant == NEIGHBOUR] == ["open"], "only its own are given up"


def test_all_that_is_otherwise_for_the_neighbour_stands_there_and_nothing_of_it_here(desk: Desk) -> None:
    own, theirs = [
        (
            [hold.hold_id for hold in desk.store.holds(tenant)],
            sorted(desk.store.tombstones_among(tenant, [JANE, SAM])),
            (desk.store.erasing(tenant), desk.store.being_shredded(tenant)),
            desk.store.quota(tenant).max_points,
            desk.store.usage(tenant, now_ms=NOW),
            len(desk.store.carrying_in_transit(tenant, [SAM])),
        )
        for tenant in (TENANT, NEIGHBOUR)
    ]
    assert own == ([], [], (False, frozenset()), None, (0, 0), 0)
    assert theirs == (
        ["n-all", "n-house", "n-one", "n-jane"],
        [JANE, SAM],
        (True, frozenset([JANE])),
        1,
        (126, 1260),
        1,
    )


def test_a_collection_has_its_own_label_binding_and_key_epochs(desk: Desk) -> None:
    desk.store.create_collection(replace(collection_row(OTHER, name=b"another-name...."), classification=LABEL))
    labels = [desk.store.classification_of(TENANT, each) for each in (COLLECTION, OTHER, HOUSE)]
    assert labels == ["", LABEL, None], "what no tenant of this name has, has no label a model could be allowed"
    desk.store.update_identity(COLLECTION, expect='{"model":"m1"}', identity="{}", schema_sealed=b"sealed")
    bound = {row.collection: row.identity for row in desk.store.collections(TENANT)}
    assert bound == {COLLECTION: "{}", OTHER: '{"model":"m1"}'}
    desk.put(replace(record(1), epoch="r1/b1"), record(2))
    desk.put(replace(record(3), epoch="r1/b1"))
    assert desk.store.epochs_in_use(COLLECTION) == {"r0/never": 1, "r1/b1": 2}
    assert [row.epoch for row in desk.store.live_after(COLLECTION, b"", limit=9, now_ms=NOW)] == [
        "r1/b1",
        "r0/never",
        "r1/b1",
    ]
