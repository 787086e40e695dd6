"""Where rooms meet: an erasure and an update, two erasures at once, over one and the same record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import securevec as sv
from securevec.errors import PolicyDenied, RecordChanged, RecordNotFound, SubjectErased
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.people import export as exporting
from securevec.people import find as finding
from securevec.people import manifest, places
from securevec.policy import BuiltinPolicy, Decision, Request
from securevec.proof.receipt import unverified
from securevec.verbs import update as updating
from securevec.writing import stored
from tests.support.attacks import Pair, Stage, open_stage
from tests.support.meanwhile import meanwhile
from tests.support.world import ticket

JANE, PETER, NAME = "jane.doe@example.com", "peter.miller@example.org", "Bob Stone"


@pytest.fixture
def stage(still_stage: Stage) -> Stage:
    return still_stage


@pytest.fixture
def pair(stage: Stage) -> Pair:
    pair = stage.pair()
    report = pair.acme.ingest(
        [
            ticket(1, "the lantern was never delivered", customer=NAME),
            ticket(2, f"lantern: {JANE} and {PETER} both called", customer="C-2042", notes=f"reply to {JANE}"),
            ticket(3, f"lantern: {JANE} asked for it", customer=NAME),
        ]
    )
    assert report.new == 3
    return pair


def _accept(stage: Stage, value: str, *, lasting_ms: int = 86_400_000) -> str:
    """Only the first step, as where another process holds the engine."""
    runtime = stage.store.runtime
    admission = admit(runtime, stage.acme._scope, permission="subject.erase", action="subject.erase")
    until_ms = runtime.clock.now_ms() + lasting_ms
    return erasing.request_erasure(runtime, admission, (value,), until_ms=until_ms, include_name_matches=False).job_id


def _after_loading(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    load = stored.load_live

    def loading(*arguments: Any, **named: Any) -> Any:
        found = load(*arguments, **named)
        monkeypatch.undo()
        then()
        return found

    monkeypatch.setattr(updating, "load_live", loading)


def _shown(collection: sv.Collection[Any]) -> set[str]:
    return {str(hit.id) for hit in collection.search("lantern", k=10)} | {record.id for record in collection.iter()}


def _all_done(stage: Stage) -> None:
    stage.store.run_jobs()
    stage.store.run_jobs()
    assert [job.state for job in stage.store.runtime.control.jobs()] == ["done"] * len(
        stage.store.runtime.control.jobs()
    )


def test_an_update_in_flight_does_not_carry_a_record_over_the_erasure_of_a_declared_name(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _after_loading(monkeypatch, lambda: _accept(stage, NAME))
    with pytest.raises(RecordNotFound):
        pair.acme.update("T-1", status="closed")
    assert _shown(pair.acme) == {"T-2"}
    _all_done(stage)
    assert _shown(pair.acme) == {"T-2"}


def test_an_update_in_flight_does_not_carry_a_person_over_a_fence_that_ended(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erase_and_wait() -> None:
        _accept(stage, PETER, lasting_ms=1000)
        stage.time.forward(2000)

    _after_loading(monkeypatch, erase_and_wait)
    with pytest.raises(RecordNotFound):
        pair.acme.update("T-2", status="open")
    assert _shown(pair.acme) == {"T-1", "T-3"}
    _all_done(stage)
    assert "[ERASED]" in pair.acme.get("T-2").body


def test_an_update_that_is_announced_is_not_made_visible_over_the_erasure_of_a_declared_name(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = stage.trap.insert

    def then_erase(**named: Any) -> None:
        insert(**named)
        monkeypatch.undo()
        _accept(stage, NAME)

    monkeypatch.setattr(stage.trap, "insert", then_erase)
    with pytest.raises(SubjectErased, match="replaces is being erased") as refused:
        pair.acme.update("T-1", status="closed")
    assert refused.value.next_step == "Try again."
    assert _shown(pair.acme) == {"T-2"}
    _all_done(stage)
    assert _shown(pair.acme) == {"T-2"}


def test_two_people_of_one_record_erased_at_once_both_leave_it(stage: Stage, pair: Pair) -> None:
    _accept(stage, JANE)
    _accept(stage, PETER)
    assert _shown(pair.acme) == {"T-1"}
    _all_done(stage)
    assert pair.acme.get("T-2").body == "lantern: [ERASED] and [ERASED] both called"
    assert pair.acme.count() == 3


def test_the_second_of_two_erasures_of_one_person_claims_nothing_that_the_first_one_did(
    stage: Stage, pair: Pair
) -> None:
    pair.acme.ingest([ticket(4, "lantern of mine", customer=JANE)])
    first, second, other = _accept(stage, JANE), _accept(stage, JANE), _accept(stage, PETER)
    _all_done(stage)
    said: dict[str, list[str]] = {}
    for job_id in (first, second, other):
        job = stage.store.runtime.control.job(job_id)
        assert job is not None
        assert job.receipt is not None
        said[job_id] = [each["evidence"] for each in unverified(job.receipt)["predicate"]["artefacts"]]
    assert not any("others" in words for words in said[first])
    assert not any("by others" in words for words in said[other]), "who is in the same record is another person"
    points, mentions = said[second][:2]
    assert "3 of the records others had dealt with before" in points
    assert "2 of these by others, before this erasure came to them" in mentions


def test_a_redaction_does_not_carry_a_record_over_another_erasure_that_deletes_it(stage: Stage, pair: Pair) -> None:
    _accept(stage, JANE)
    _accept(stage, NAME)
    assert _shown(pair.acme) == set()
    _all_done(stage)
    assert _shown(pair.acme) == {"T-2"}
    assert stage.acme.find_subject(NAME).matches == ()


def test_a_job_that_fails_in_a_way_nobody_foresaw_does_not_stop_the_others(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _accept(stage, JANE)
    second = _accept(stage, PETER)
    plan = manifest.plan

    def unreadable(runtime: Any, job: Any, tokens: Any) -> Any:
        if job.job_id == first:
            raise PermissionError(13, JANE)
        return plan(runtime, job, tokens)

    monkeypatch.setattr(manifest, "plan", unreadable)
    failed, done = stage.store.run_jobs()
    assert (failed.job_id, failed.failed, done.job_id, done.state) == (first, True, second, "done")
    row = stage.store.runtime.control.job(first)
    assert row is not None
    assert row.error
    assert JANE not in f"{row.error} {failed}"
    assert _shown(pair.acme) == {"T-1"}


def test_a_record_that_is_sealed_anew_while_an_erasure_deletes_it_goes_all_the_same(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another process does: what was read to be deleted is another generation by then, and still the job's."""
    meanwhile(monkeypatch, erasing, "delete_part", lambda: stage.store.reseal("acme", pair.name))
    assert stage.acme.erase_subject(NAME).raise_if_incomplete().about == 2
    assert _shown(pair.acme) == {"T-2"}
    pair.acme.verify().raise_if_wrong()


def test_a_long_redaction_keeps_the_job_to_itself(stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.acme.ingest([ticket(number, f"lantern of {JANE}", customer="C-7") for number in range(10, 14)])
    job = _accept(stage, JANE)
    control, insert = stage.store.runtime.control, stage.trap.insert
    taken: list[bool] = []

    def slowly(**named: Any) -> None:
        insert(**named)
        stage.time.forward(50_000)
        now_ms = stage.store.runtime.clock.now_ms()
        taken.append(control.lease_job(job, owner="w-other", until_ms=now_ms + 1000, now_ms=now_ms))

    monkeypatch.setattr(erasing, "BATCH", 1)
    monkeypatch.setattr(stage.trap, "insert", slowly)
    (result,) = stage.store.run_jobs()
    assert (result.state, taken) == ("done", [False] * 6)


@pytest.mark.parametrize("read", [exporting, finding])
def test_whoever_asks_for_a_person_is_given_no_record_that_became_somebody_elses_and_misses_none_that_stayed(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch, read: ModuleType
) -> None:
    """The record about the person is replaced by one about somebody else once it was looked up, the one that mentions
    them by another one once it was read."""
    about, mention = (
        ticket(1, "lantern of others", customer="C-7"),
        ticket(2, f"lantern: {JANE} rang", customer="C-2042"),
    )
    pair.acme.ingest([ticket(1, "lantern", customer=JANE)])
    ask = stage.acme.export_subject if read is exporting else stage.acme.find_subject
    meanwhile(monkeypatch, places, "reopen", lambda: pair.acme.ingest([about]))
    meanwhile(monkeypatch, read, "hidden_in", lambda: pair.acme.ingest([mention]))
    found: Any = ask(JANE)
    listed = [(each["relation"], each["id"]) if read is exporting else (each.about, each.record_id) for each in found]
    relation = "mention" if read is exporting else False
    assert sorted(listed) == [(relation, "T-2"), (relation, "T-3")]
    assert found.unreadable == 0
    monkeypatch.setattr(places, "_ATTEMPTS", 1)
    meanwhile(monkeypatch, places, "reopen", lambda: pair.acme.ingest([ticket(3, "lantern", customer="C-7")]))
    with pytest.raises(RecordChanged):
        ask(JANE)


class _Narrowed(BuiltinPolicy):
    """Reveals what is open, and to nobody any more once ``over``."""

    over = False

    def decide(self, request: Request) -> Decision:
        if request.permission == "reveal":
            return Decision(not self.over, "role-owner", row_filter=sv.F("status") == "open")
        return super().decide(request)


def test_an_export_with_originals_shows_what_the_permission_to_reveal_covers_and_no_longer_than_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = _Narrowed()
    with open_stage(tmp_path, "memory", policy=policy) as stage:
        pair = stage.pair()
        pair.acme.ingest([ticket(1, f"to {JANE}", status="open"), ticket(2, f"from {JANE}", status="closed")])
        assert len(stage.acme.export_subject(JANE)) == 2
        assert [record["id"] for record in stage.acme.export_subject(JANE, reveal=True)] == ["T-1"]
        load = stored.load

        def then_revoke(*arguments: Any, **named: Any) -> Any:
            policy.over = True
            return load(*arguments, **named)

        monkeypatch.setattr(exporting, "load", then_revoke)
        with pytest.raises(PolicyDenied):
            stage.acme.export_subject(JANE, reveal=True)


def test_no_digest_of_the_file_an_erased_record_came_from_is_left(stage: Stage, pair: Pair) -> None:
    control, scope, source = stage.store.runtime.control, pair.acme._scope, b"s" * 16
    refs = {name: scope.record_ref(stage.store.runtime, name) for name in ("T-1", "T-2", "T-3")}
    live = control.current(pair.acme.id, list(refs.values()))
    control.note_source_files(pair.acme.id, source, [(ref, b"d" * 16, row.content_digest) for ref, row in live.items()])
    assert len(control.source_files(pair.acme.id, source)) == 3
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert control.source_files(pair.acme.id, source) == {refs["T-1"]: b"d" * 16 + live[refs["T-1"]].content_digest}


def test_whoever_may_see_a_part_does_not_learn_by_a_verification_how_much_there_is(
    lone_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lone_pair.acme.verify().records == 8
    decide = BuiltinPolicy.decide

    def narrowed(self: BuiltinPolicy, request: Request) -> Decision:
        return replace(decide(self, request), row_filter=sv.F("status") == "open")

    monkeypatch.setattr(BuiltinPolicy, "decide", narrowed)
    with pytest.raises(PolicyDenied):
        lone_pair.acme.verify()
    assert lone_pair.stage.audit()[0]["outcome"] == "denied"
