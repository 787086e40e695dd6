"""A record that is written while a job is accepted: what the job did not list is none of its business, and what it
listed does not get away by being stored again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from securevec import jobs
from securevec.errors import SubjectErased
from securevec.jobs import JobResult
from securevec.proof import receipt as receipts
from securevec.store import lifetimes, tenant
from securevec.store.machines import MACHINES
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.hourglass import Hourglass, hourglass
from tests.support.world import ticket

JANE = "jane.doe@example.com"


@pytest.fixture
def glass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hourglass]:
    """Jobs are accepted and lie there until ``run_jobs``: another process would carry them on."""

    def left_lying(runtime: Any, machines: Any, job: Any, **_: Any) -> JobResult:
        return JobResult(job.job_id, job.state, None, waiting_for="another process")

    with hourglass(tmp_path, "memory") as made:
        made.store._caretaker.stop()
        monkeypatch.setattr(lifetimes, "advance", left_lying)
        monkeypatch.setattr(tenant, "advance", left_lying)
        yield made


def while_it_embeds(glass: Hourglass, patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do this behind the moment at which records are dated and before they are announced, once."""
    embed, done = HashEmbedder.embed, list[object]()

    def slowly(embedder: HashEmbedder, texts: Sequence[AnonymizedText]) -> Matrix:
        if not done:
            done.append(True)
            glass.time[0] += 1_000
            act()
            glass.time[0] += 1_000
        return embed(embedder, texts)

    patch.setattr(HashEmbedder, "embed", slowly)


def apply(glass: Hourglass) -> None:
    assert [each.state for each in glass.store.apply_retention(glass.store.retention_plan().digest)] == ["accepted"]


def carried_on(glass: Hourglass) -> list[dict[str, Any]]:
    """Every open job to its end; what their receipts say was removed."""
    public = glass.store.runtime.keys.signing_key().public
    results = glass.store.run_jobs()
    assert [each.state for each in results] == ["done"] * len(results)
    return [dict(receipts.read(each.receipt or b"", public=public).predicate) for each in results]


def test_a_record_that_comes_again_while_its_old_self_is_due_is_not_deleted_with_it(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.fill(1, 2)
    glass.pass_days(181)
    while_it_embeds(glass, monkeypatch, lambda: apply(glass))
    glass.tickets.ingest([ticket(1, "The lift is late again.")])
    [said] = carried_on(glass)
    assert said["result"]["records"] == 2
    assert glass.tickets.get("T-1").body == "The lift is late again."
    assert glass.named() == glass.stored() == 1
    glass.tickets.verify().raise_if_wrong()


def test_a_record_that_is_changed_while_its_old_self_is_due_is_not_deleted_with_it(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass.fill(1)
    glass.pass_days(20)
    glass.store.set_retention(tenant="acme", max_age="10d")
    while_it_embeds(glass, monkeypatch, lambda: apply(glass))
    glass.tickets.update("T-1", body="The lift is mended.")
    carried_on(glass)
    assert glass.tickets.get("T-1").body == "The lift is mended."


def test_a_due_record_from_which_a_person_is_erased_meanwhile_goes_all_the_same(glass: Hourglass) -> None:
    """It is stored again without them, as old as it was: the job that listed it lists it still."""
    glass.tickets.ingest([ticket(1, f"Ask {JANE} about the lift."), ticket(2, "Another lift.")])
    glass.pass_days(20)
    glass.store.set_retention(tenant="acme", max_age="10d")
    apply(glass)
    glass.acme.erase_subject(JANE)
    retention, erasure = glass.store.runtime.control.jobs(open_only=True)
    assert (retention.kind, erasure.kind) == ("retention.apply", "subject.erase")
    jobs.advance(glass.store.runtime, MACHINES, erasure).raise_if_incomplete()
    assert glass.named() == glass.stored() == 2
    [said] = carried_on(glass)
    assert (said["kind"], said["result"]["records"]) == ("retention", 2)
    assert glass.named() == glass.stored() == 0


def test_what_was_read_before_an_erasure_does_not_take_the_place_of_what_it_deletes(
    glass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be deleted with it, by a write that said it was stored. Read again, it is stored."""
    glass.tickets.ingest([ticket(1, "A late lift.", customer=JANE)])
    while_it_embeds(glass, monkeypatch, lambda: glass.acme.erase_subject(JANE))
    with pytest.raises(SubjectErased):
        glass.tickets.ingest([ticket(1, "Mended.", customer="C-2")])
    glass.tickets.ingest([ticket(1, "Mended.", customer="C-2")])
    carried_on(glass)
    assert glass.tickets.get("T-1").body == "Mended."
    assert glass.named() == glass.stored() == 1
