"""What a hold keeps beyond the end of its key bucket is sealed anew under a key of the hold, and the bucket's key dies
on time for everybody else."""

from __future__ import annotations

import pytest

from securevec.errors import KeyDestroyed, RecordNotFound
from securevec.retention.rules import hold_epoch
from securevec.verbs.holding import reseal_held
from tests.support.hourglass import RETENTION_DAYS, Hourglass


def _deks(glass: Hourglass) -> list[str]:
    return [key.key_id for key in glass.store.runtime.keys.list_keys() if key.kind == "dek"]


def test_the_key_of_a_bucket_dies_on_time_though_a_record_of_it_is_held(glass: Hourglass) -> None:
    glass.fill(1, 2, 3)
    old, keys = glass.keys(), _deks(glass)
    hold = glass.acme.hold("case 1", collection="ticket", record="T-2")
    glass.pass_days(RETENTION_DAYS)
    glass.apply()
    assert glass.keys() == old, "the bucket has not ended, and nothing was sealed anew"
    glass.pass_days(30)
    plan = glass.store.retention_plan()
    (acme,) = [each for each in plan.collections if each.tenant == glass.acme.id]
    assert (acme.records, acme.held, set(acme.key_buckets)) == (0, 1, old)
    (receipt,) = glass.apply()
    assert receipt.predicate["exceptions"] == [{"kind": "legal-hold", "ref": hold.id, "records": 1}]
    verdicts = {entry["artefact"].split()[0]: entry["verdict"] for entry in receipt.artefacts}
    assert verdicts["keys"] == "removed from live files"
    for key in keys:
        with pytest.raises(KeyDestroyed):
            glass.store.runtime.keys.key_by_id(bytes.fromhex(key))
    assert glass.keys() == {hold_epoch(hold.id)}
    assert (glass.stored(), glass.named()) == (1, 1)
    assert glass.store.retention_plan().nothing_to_do, "what is under the hold's key already stays there"

    glass.acme_operated.release(hold.id)
    with pytest.raises(RecordNotFound):
        glass.tickets.get("T-2")
    glass.apply()
    assert (glass.stored(), glass.named(), glass.keys()) == (0, 0, set())


def test_a_held_record_that_cannot_be_sealed_anew_keeps_its_buckets_key(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that shows something else must cost neither the record nor the retention of the others."""
    quick.fill(1, 2)
    quick.acme.hold("case 1", collection="ticket", record="T-2")
    old = quick.keys()
    quick.pass_days(RETENTION_DAYS + 30)
    backend = quick.store.runtime.backend()
    honest = type(backend).fetch

    def no_vectors(self: object, **asked: object) -> object:
        return [] if asked.get("with_vectors") else honest(self, **asked)  # type: ignore[arg-type]  # passed on

    with monkeypatch.context() as lying:
        lying.setattr(type(backend), "fetch", no_vectors)
        quick.apply()
    assert (quick.named(), quick.keys()) == (1, old)
    assert [each["error"] for each in quick.audit(outcome="failed")] == ["CheckFailed"]
    quick.apply()
    assert (quick.named(), len(quick.keys())) == (1, 1)
    assert quick.keys().isdisjoint(old)


def test_a_record_nobody_holds_is_not_taken_along_under_a_holds_key(quick: Hourglass) -> None:
    """While something else is left in the bucket its key lives anyway, and nothing is sealed anew."""
    quick.fill(1, 2)
    quick.acme.hold("case 1", collection="ticket", record="T-2")
    quick.pass_days(RETENTION_DAYS + 30)
    control = quick.store.runtime.control
    job = control.begin_job(
        kind="retention.apply",
        tenant=quick.acme.id,
        job_id="a" * 32,
        request_id="01" * 13,
        fence=control.fence(quick.acme.id).epoch,
        data='{"requested": {"by": "", "ms": 0}}',
        items=lambda tx: [],
        now_ms=quick.time[0],
    )
    before = control.epochs_in_use(quick.tickets.id)
    reseal_held(quick.store.runtime, job)
    assert control.epochs_in_use(quick.tickets.id) == before
