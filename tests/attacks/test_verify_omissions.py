"""``verify`` finds what no search can: points the store left out, and each way of adding or altering one. It accuses no
collection that is in order, also while it is written to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

import securevec as sv
from securevec.attack import tamper as forge
from securevec.attack.rows import Vandal
from securevec.errors import AuditUnavailable, CheckFailed, PolicyDenied, TenantUnavailable
from securevec.testing.lying import Lie
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, DAY_MS, Pair, text
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def found(handle: sv.Collection[Ticket]) -> dict[str, int]:
    return {name: count for name, count in handle.verify().findings.items() if count}


def test_a_collection_in_order_is_found_in_order(pair: Pair) -> None:
    pair.acme.ingest([text(1, ACME_MARK, status="closed")])
    pair.acme.delete("T-2")
    result = pair.acme.verify().raise_if_wrong()
    assert (result.records, result.points, result.in_flight) == (7, 7, 0)


def remove_a_point(mine: Vandal, theirs: Vandal) -> None:
    mine.remove(mine.row())


def put_a_foreign_row_under_a_new_id(mine: Vandal, theirs: Vandal) -> None:
    mine.put(replace(theirs.row(), id=uuid4()))


def put_a_foreign_row_over_one_of_mine(mine: Vandal, theirs: Vandal) -> None:
    mine.put(replace(theirs.row(), id=mine.row().id))


def put_one_of_mine_under_a_new_id(mine: Vandal, theirs: Vandal) -> None:
    mine.put(replace(mine.row(), id=uuid4()))


def swap_two_of_mine(mine: Vandal, theirs: Vandal) -> None:
    one, two = mine.row(0), mine.row(1)
    mine.put(one.but(b=two.payload["b"]))
    mine.put(two.but(b=one.payload["b"]))


def flip_a_byte(mine: Vandal, theirs: Vandal) -> None:
    mine.put(mine.row().but(b=forge.flipped(-1)(mine.row().body)))


def name_an_unknown_key(mine: Vandal, theirs: Vandal) -> None:
    mine.put(mine.row().but(b=forge.with_key_id(mine.row().body)))


def edit_a_clear_copy(mine: Vandal, theirs: Vandal) -> None:
    row = mine.row()
    mine.put(row.but(f_status="open" if row.payload["f_status"] == "closed" else "closed"))


def remove_a_clear_copy(mine: Vandal, theirs: Vandal) -> None:
    mine.put(mine.row().but(f_status=None))


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (remove_a_point, {"missing": 1}),
        (put_a_foreign_row_under_a_new_id, {"foreign": 1}),
        (put_a_foreign_row_over_one_of_mine, {"altered": 1}),
        (put_one_of_mine_under_a_new_id, {"foreign": 1}),
        (swap_two_of_mine, {"altered": 2}),
        (flip_a_byte, {"altered": 1}),
        (name_an_unknown_key, {"altered": 1}),
        (edit_a_clear_copy, {"edited": 1}),
        (remove_a_clear_copy, {"edited": 1}),
    ],
)
def test_each_way_of_tampering_is_found_and_named(
    pair: Pair, attack: Callable[[Vandal, Vandal], None], expected: dict[str, int]
) -> None:
    attack(Vandal(pair.stage, pair.acme), Vandal(pair.stage, pair.globex))
    assert found(pair.acme) == expected
    assert pair.stage.audit()[0]["counts"]["violations"] == sum(expected.values())
    with pytest.raises(CheckFailed) as failure:
        pair.acme.verify().raise_if_wrong()
    for name, count in expected.items():
        assert f"{count} {name}" in str(failure.value)
    assert found(pair.globex) == {}


def test_a_generation_that_was_put_back_is_found(pair: Pair) -> None:
    vandal = Vandal(pair.stage, pair.acme)
    replaced, deleted = vandal.row_of("T-1"), vandal.row_of("T-2")
    pair.acme.ingest([text(1, ACME_MARK, status="closed")])
    pair.acme.delete("T-2")
    vandal.put(replaced)
    vandal.put(deleted)
    assert found(pair.acme) == {"old": 2}


def test_a_chunk_that_is_left_out_of_a_long_record_is_found(pair: Pair) -> None:
    pair.acme.ingest([text(30, ACME_MARK) | {"body": "The refund of the case never arrived at all. " * 400}])
    whole = pair.acme.verify().raise_if_wrong()
    assert whole.points > whole.records + 2
    rows = {row.id for row in Vandal(pair.stage, pair.acme).rows()}
    first = Vandal(pair.stage, pair.acme).row_of("T-30")
    singles = {Vandal(pair.stage, pair.acme).row_of(f"T-{number}").id for number in range(1, 9)}
    further = next(row for row in Vandal(pair.stage, pair.acme).rows() if row.id in rows - singles - {first.id})
    Vandal(pair.stage, pair.acme).remove(further)
    assert found(pair.acme) == {"missing": 1}


def test_a_store_that_scans_only_a_part_is_made_up_for_by_reading_ids(pair: Pair) -> None:
    """What it hides from a scan and shows by id is no loss; what it hides from both is missing."""
    pair.stage.trap.lie = Lie.TRUNCATE
    try:
        result = pair.acme.verify()
    finally:
        pair.stage.trap.lie = Lie.HONEST
    assert result.findings["foreign"] == result.findings["altered"] == 0
    hidden = Vandal(pair.stage, pair.acme).row_of("T-3").id

    def hide(points: list[StoredPoint]) -> list[StoredPoint]:
        return [point for point in points if point.id != hidden]

    pair.stage.trap.edit_fetch = hide
    Vandal(pair.stage, pair.acme).remove(Vandal(pair.stage, pair.acme).row_of("T-3"))
    try:
        assert found(pair.acme) == {"missing": 1}
    finally:
        pair.stage.trap.edit_fetch = None


def test_what_is_due_and_not_yet_removed_is_in_order(pair: Pair) -> None:
    other = pair.stage.pair(retention="1d").fill(3)
    pair.stage.time.forward(2 * DAY_MS)
    assert found(other.acme) == {}


def test_a_collection_that_is_written_to_meanwhile_is_not_accused(pair: Pair) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        turn = 0
        try:
            while not stop.is_set():
                turn += 1
                pair.acme.ingest([text(turn % 5 + 1, ACME_MARK, notes=f"turn {turn}")])
                pair.acme.delete(f"T-{turn % 3 + 6}")
                pair.acme.ingest([text(turn % 3 + 6, ACME_MARK)])
        except BaseException as error:  # noqa: BLE001  # shown below
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [found(pair.acme) for _ in range(6)]
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert results == [{}] * 6


def test_verifying_is_fenced_decided_and_audited(lone_pair: Pair) -> None:
    stage = lone_pair.stage
    stranger = sv.Actor("svc:loader")
    stage.acme.grant(stranger, "writer")
    handle = stage.store.tenant("acme", actor=stranger).collection(Ticket, name=lone_pair.name, retention="180d")
    stage.acme.revoke(stranger, "writer")
    with pytest.raises(PolicyDenied):
        handle.verify()
    working: Any = stage.store.runtime.audit
    stage.store.runtime.audit = FailingAudit(working, 0)
    try:
        with pytest.raises(AuditUnavailable):
            lone_pair.acme.verify()
    finally:
        stage.store.runtime.audit = working
    stage.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        lone_pair.acme.verify()
