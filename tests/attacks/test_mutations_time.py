"""The guards of time removed one at a time: holds, minimums, plans, key buckets. What holds with them, and what comes
of it without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from securevec import guard, ingest
from securevec.control import batches, jobs, minimums, retention
from securevec.control.holds import Holds
from securevec.control.retention import Retention
from securevec.control.rows import JobItem, Survey
from securevec.errors import DeletionIncomplete, KeyDestroyed, LegalHold, PlanChanged, RecordNotFound, RetentionMinimum
from securevec.retention import apply, plan
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import CollectionId, TenantId
from tests.support.hourglass import RETENTION_DAYS, Hourglass, hourglass


@pytest.fixture
def glass(tmp_path: Path) -> Iterator[Hourglass]:
    with hourglass(tmp_path, "memory") as made:
        made.fill(1, 2)
        yield made


def nothing(*arguments: object, **named: object) -> None:
    """What stands where a guard stood."""


def none_held(*arguments: object, **named: object) -> dict[bytes, str]:
    return {}


def none_in_use(*arguments: object) -> dict[str, int]:
    return {}


def always_ended(epoch: str, *, now_ms: int) -> bool:
    return True


def its_own(runtime: Runtime, collection: CollectionScope) -> int | None:
    return collection.retention_ms


def all_of_them(
    runtime: Runtime, tenant: TenantId, collection: CollectionId, items: Sequence[JobItem]
) -> list[JobItem]:
    return list(items)


def none_young(*arguments: object, **named: object) -> list[bytes]:
    return []


def test_without_one_look_at_holds_the_next_one_still_keeps_the_record(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.acme.hold("case 1", collection="ticket", record="T-1")
    glass.pass_days(RETENTION_DAYS + 30)
    # The plan no longer sees the hold: what accepts its job does.
    monkeypatch.setattr(retention, "held_among", none_held)
    with pytest.raises(LegalHold):
        glass.apply()
    assert glass.named() == 2
    # Nor does that: the job itself does.
    monkeypatch.setattr(jobs, "require_unheld", nothing)
    glass.apply()
    assert glass.named() == 1
    # Nor does that: the transaction that deletes does.
    monkeypatch.undo()
    monkeypatch.setattr(retention, "held_among", none_held)
    monkeypatch.setattr(jobs, "require_unheld", nothing)
    monkeypatch.setattr(apply, "_still_doomed", all_of_them)
    glass.apply()
    assert glass.named() == 1
    # Nobody does: the record is gone, so each of the looks above was one.
    monkeypatch.setattr(batches, "require_unheld", nothing)
    monkeypatch.setattr(Holds, "held_refs", none_held)
    glass.apply()
    assert glass.named() == 0


def test_without_the_digest_a_plan_does_what_nobody_read(glass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    glass.pass_days(RETENTION_DAYS - 1)
    glass.fill(3)
    made = glass.store.retention_plan()
    glass.store.set_retention(max_age="1d")
    glass.pass_days(1)
    with pytest.raises(PlanChanged):
        glass.store.apply_retention(made.digest)
    assert glass.named() == 3

    def the_old_one(found: Survey, tenant: TenantId | None) -> str:
        return made.digest

    monkeypatch.setattr(plan, "digest_of", the_old_one)
    monkeypatch.setattr(apply, "digest_of", the_old_one)
    glass.store.apply_retention(made.digest)
    assert glass.named() == 1


def acts_at_once(_: object, collection: str, epoch: str, act: Callable[[], object]) -> object:
    return act()


def test_without_the_look_at_records_in_use_a_bucket_takes_a_held_record_with_it(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.acme.hold("case 1", collection="ticket", record="T-1")
    glass.pass_days(RETENTION_DAYS + 30)
    glass.apply()
    keys = [key.key_id for key in glass.store.runtime.keys.list_keys(kind="dek") if key.collection == glass.tickets.id]
    assert keys, "of the hold"
    glass.pass_days(RETENTION_DAYS)
    glass.apply()
    for key in keys:
        glass.store.runtime.keys.key_by_id(bytes.fromhex(key))
    monkeypatch.setattr(Retention, "epochs_in_use", none_in_use)
    glass.fill(5)
    glass.pass_days(RETENTION_DAYS + 30)
    with pytest.raises(DeletionIncomplete, match="waiting for ControlUnavailable"):
        glass.apply()
    for key in keys:
        glass.store.runtime.keys.key_by_id(bytes.fromhex(key))
    # Looked at twice: also in the transaction that destroys.
    monkeypatch.setattr(Retention, "while_unused", acts_at_once)
    glass.store.run_jobs()
    for key in keys:
        with pytest.raises(KeyDestroyed):
            glass.store.runtime.keys.key_by_id(bytes.fromhex(key))


def test_without_the_end_of_a_bucket_a_key_dies_that_a_writer_is_about_to_use(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.tickets.delete(["T-1", "T-2"])
    glass.store.set_retention(max_age="60d")
    glass.fill(3)
    glass.pass_days(60)
    before = glass.keys()
    assert len(before) == 2
    glass.apply()
    assert glass.keys() == before
    monkeypatch.setattr(apply, "may_die", always_ended)
    glass.fill(4)
    glass.pass_days(61)
    glass.apply()
    assert glass.keys() == set()


def test_without_minimums_what_the_law_keeps_is_deleted(glass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> None:
    glass.store.set_retention(min_age="100d")
    with pytest.raises(RetentionMinimum):
        glass.tickets.delete("T-1")
    # The look before the deletion is for the message; the transaction decides.
    monkeypatch.setattr(Retention, "too_young", none_young)
    with pytest.raises(RetentionMinimum):
        glass.tickets.delete("T-1")
    monkeypatch.setattr(minimums, "too_young", none_young)
    assert glass.tickets.delete("T-1").deleted == 1


def test_without_the_rules_at_ingest_a_record_is_shown_past_its_age(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.store.set_retention(max_age="30d")
    glass.fill(3)
    monkeypatch.setattr(ingest, "effective_retention", its_own)
    glass.fill(4)
    glass.pass_days(30)
    with pytest.raises(RecordNotFound):
        glass.tickets.get("T-3")
    assert glass.tickets.get("T-4").id == "T-4"


def test_without_the_hold_in_the_record_a_refusal_does_not_say_which_hold(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = glass.acme.hold("case 1", collection="ticket", record="T-1")
    glass.acme.hold("case 2", collection="ticket", record="T-2")
    with pytest.raises(LegalHold):
        glass.tickets.delete("T-1")
    assert glass.holds_named_in_refusals() == {first.id}
    monkeypatch.setattr(guard, "HEX32", re.compile("never"))
    with pytest.raises(LegalHold):
        glass.tickets.delete("T-2")
    assert glass.holds_named_in_refusals() == {first.id}
