"""A legal hold that is placed while a job is under way: between what it listed and what it deletes, and between that
and the purge. What lives and is held stays whole; what a hold comes too late for is said to be gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from securevec.control.store import ControlStore
from securevec.errors import LegalHold, SecurevecError, TenantNotFound
from securevec.proof import receipt as receipts
from tests.support.hourglass import RETENTION_DAYS, Hourglass, hourglass
from tests.support.world import ticket

JANE = "jane.doe@example.com"


@pytest.fixture(params=["memory", *(pytest.param(each, marks=pytest.mark.soak) for each in ("edge", "chroma"))])
def glass(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hourglass]:
    with hourglass(tmp_path, str(request.param)) as made:
        made.store._caretaker.stop()
        yield made


@dataclass
class Late:
    """Places a hold in the middle of a job, once."""

    glass: Hourglass
    patch: pytest.MonkeyPatch
    placed: list[str] = field(default_factory=list)
    released: bool = False

    def when_in(self, state: str, **what: Any) -> None:
        """Once a job has come to this state."""
        advance = ControlStore.advance_job

        def then_hold(control: ControlStore, job_id: str, **step: Any) -> Any:
            moved = advance(control, job_id, **step)
            if step["to"] == state:
                self._place(what)
            return moved

        self.patch.setattr(ControlStore, "advance_job", then_hold)

    def release_in(self, state: str) -> None:
        """Release what was placed, once a job has come to this later state."""
        advance = ControlStore.advance_job

        def then_release(control: ControlStore, job_id: str, **step: Any) -> Any:
            moved = advance(control, job_id, **step)
            if step["to"] == state and not self.released:
                self.released = True
                self.glass.acme_operated.release(self.placed[0])
            return moved

        self.patch.setattr(ControlStore, "advance_job", then_release)

    def before_the_purge(self, call: str, **what: Any) -> None:
        """Once everything was deleted, before the store removes bytes."""
        backend = type(self.glass.store.runtime.backend())
        honest = getattr(backend, call)

        def hold_first(*given: Any, **named: Any) -> Any:
            self._place(what)
            return honest(*given, **named)

        self.patch.setattr(backend, call, hold_first)

    def _place(self, what: dict[str, Any]) -> None:
        if self.placed:
            return
        try:
            self.placed.append(self.glass.acme.hold("case 1", **what).id)
        except SecurevecError as error:
            self.placed.append(type(error).__name__)


@pytest.fixture
def late(glass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> Late:
    return Late(glass, monkeypatch)


def predicate_of(glass: Hourglass, receipt: bytes | None) -> Any:
    return receipts.read(receipt or b"", public=glass.store.runtime.keys.signing_key().public).predicate


def require_whole(glass: Hourglass, *numbers: int) -> None:
    """These records live, read and held; nothing else is stored."""
    glass.tickets.verify().raise_if_wrong()
    assert {record.id for record in glass.tickets.iter()} == {f"T-{number}" for number in numbers}
    for number in numbers:
        with pytest.raises(LegalHold):
            glass.tickets.delete([f"T-{number}"])
        assert glass.tickets.get(f"T-{number}").body


WHERE: dict[str, Callable[[Late], None]] = {
    "listed": lambda late: late.when_in("rolled", collection="ticket"),
    "purge": lambda late: late.before_the_purge("purge", collection="ticket"),
}


@pytest.mark.parametrize("moment", WHERE)
def test_what_is_sealed_anew_meanwhile_is_held_as_it_was(glass: Hourglass, late: Late, moment: str) -> None:
    glass.fill(1, 2)
    WHERE[moment](late)
    assert glass.store.reseal("acme", "ticket").state == "done"
    assert [len(each) for each in late.placed] == [32]
    require_whole(glass, 1, 2)


@pytest.mark.parametrize("moment", ["planned", "purge"])
def test_an_erasure_stops_at_a_hold_or_has_deleted_what_it_listed(glass: Hourglass, late: Late, moment: str) -> None:
    glass.tickets.ingest([ticket(1, "the lift", customer=JANE), ticket(2, "another lift", customer="C-2")])
    if moment == "planned":
        late.when_in("planned", collection="ticket", record="T-1")
        with pytest.raises(LegalHold):
            glass.acme_operated.erase_subject(JANE)
        assert {hit.record.id for hit in glass.tickets.search("lift", k=5)} == {"T-2"}, "hidden while it is held"
        assert (glass.tickets.count(), glass.tickets.describe().records) == (1, 1), "and not counted"
        assert glass.stored() == 2
        glass.acme_operated.release(late.placed[0])
        (result,) = glass.store.run_jobs()
        assert (result.state, glass.stored()) == ("done", 1)
        return
    late.before_the_purge("purge", collection="ticket")
    result = glass.acme_operated.erase_subject(JANE)
    assert (result.state, [len(each) for each in late.placed]) == ("done", [32])
    assert predicate_of(glass, result.receipt)["manifest"]["deleted"] == 1
    require_whole(glass, 2)


@pytest.mark.parametrize("moment", ["deleting", "purge"])
def test_a_retention_job_leaves_what_is_held_meanwhile_and_says_so(glass: Hourglass, late: Late, moment: str) -> None:
    glass.fill(1, 2)
    glass.pass_days(RETENTION_DAYS + 30)
    glass.fill(3)
    plan = glass.store.retention_plan(tenant="acme")
    if moment == "deleting":
        late.when_in("deleting", collection="ticket", record="T-1")
    else:
        late.before_the_purge("purge", collection="ticket")
    (result,) = glass.store.apply_retention(plan.digest)
    assert (result.state, [len(each) for each in late.placed]) == ("done", [32])
    said = predicate_of(glass, result.receipt)
    if moment == "deleting":
        assert said["result"]["records"] == 1
        assert said["exceptions"] == [{"kind": "legal-hold", "ref": late.placed[0], "records": 1}]
        assert (glass.named(), glass.stored()) == (2, 2), "the held one is due and hidden, and there"
        glass.acme_operated.release(late.placed[0])
        glass.apply()
        assert (glass.named(), glass.stored()) == (1, 1)
    else:
        assert (said["result"]["records"], said["exceptions"]) == (2, [])
        require_whole(glass, 3)


def test_a_hold_released_before_the_job_ends_takes_nothing_off_its_receipt(glass: Hourglass, late: Late) -> None:
    """The job goes round again for what was held: what it removed and destroyed in the first round is told too."""
    glass.fill(1)
    glass.pass_days(60)
    glass.fill(2)
    buckets = glass.keys()
    glass.pass_days(RETENTION_DAYS + 30)
    glass.fill(3)
    plan = glass.store.retention_plan(tenant="acme")
    late.when_in("deleting", collection="ticket", record="T-2")
    late.release_in("keys_destroyed")
    (result,) = glass.store.apply_retention(plan.digest)
    assert (result.state, glass.named(), glass.stored()) == ("done", 1, 1)
    said = predicate_of(glass, result.receipt)
    assert (said["result"]["records"], said["exceptions"]) == (2, [])
    keys = {entry["artefact"].split()[-1]: entry["verdict"] for entry in said["artefacts"] if "epoch" in str(entry)}
    assert keys == dict.fromkeys({*buckets, f"hold/{late.placed[0]}"}, "removed from live files")
    assert said["manifest"]["keys"] == 2 * len(keys)
    assert [entry["artefact"].split()[0] for entry in said["artefacts"]].count("due") == 2
    assert glass.keys().isdisjoint(keys)


@pytest.mark.parametrize("moment", ["planned", "purge"])
def test_a_hold_on_a_tenant_that_is_being_deleted_is_refused(glass: Hourglass, late: Late, moment: str) -> None:
    """Its fence closed when the deletion was accepted: a hold that was let in then would be over nothing."""
    glass.fill(1)
    if moment == "planned":
        late.when_in("planned")
    else:
        late.before_the_purge("drop")
    result = glass.store.delete_tenant("acme")
    assert result.state == "done"
    assert late.placed == ["TenantUnavailable"]
    with pytest.raises(TenantNotFound):
        glass.acme_operated.holds()
    assert not any(row.released_ms is None for row in glass.store.runtime.control.holds(glass.tickets._scope.tenant))
