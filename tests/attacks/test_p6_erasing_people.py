"""An erased person is gone for every reader from the acceptance on, in every process, and nobody else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec import search as searching
from securevec.errors import LegalHold, PolicyDenied, RecordNotFound, SubjectErased
from securevec.people import erase as erasing
from securevec.people import export as exporting
from securevec.people import find as finding
from securevec.proof import receipt as receipts
from securevec.reading import judge as judging
from securevec.types import ProtectedPoint, Scalar
from securevec.verbs import batch as batching
from securevec.verbs import walk as walking
from securevec.writing import stored
from tests.support.attacks import Pair, Stage
from tests.support.models import edit_control
from tests.support.world import ticket

JANE, PETER = "jane.doe@example.com", "peter.miller@example.org"
ABOUT, BOTH, OTHER, NAMED, LONG = "T-1", "T-2", "T-3", "T-4", "T-5"
TAIL = "towards the end the lantern is bright"


@pytest.fixture
def stage(still_stage: Stage) -> Stage:
    return still_stage


@pytest.fixture
def pair(stage: Stage) -> Pair:
    pair = stage.pair()
    for collection in (pair.acme, pair.globex):
        report = collection.ingest(
            [
                ticket(1, "the lantern was never delivered", customer=JANE),
                ticket(2, f"lantern: {JANE} and {PETER} both called", customer="C-2042", notes=f"reply to {JANE}"),
                ticket(3, "lantern of somebody else", customer="C-2043"),
                ticket(4, "lantern for Jane Doe, no address given", customer="C-2044"),
                ticket(5, f"first, {JANE} wrote. " + "then filler words came by. " * 90 + TAIL, customer="C-2045"),
            ]
        )
        assert report.new == 5
    return pair


def _accept(stage: Stage, *values: str, **options: Any) -> str:
    """Only the first step, as where another process holds the engine."""
    from securevec.guard import admit

    runtime, scope = stage.store.runtime, stage.acme._scope
    admission = admit(runtime, scope, permission="subject.erase", action="subject.erase")
    wanted: dict[str, Any] = {"until_ms": runtime.clock.now_ms() + 86_400_000, "include_name_matches": False} | options
    return erasing.request_erasure(runtime, admission, values or (JANE,), **wanted).job_id


def _ids(collection: sv.Collection[Any]) -> set[str]:
    """Every id that any kind of reading shows."""
    shown = {str(hit.id) for hit in collection.search("lantern", k=10)}
    shown |= {str(hit.id) for hit in collection.search(TAIL, k=10)}
    shown |= {record.id for record in collection.iter()}
    for number in range(1, 6):
        try:
            shown.add(collection.get(f"T-{number}").id)
        except RecordNotFound:
            assert not collection.exists(f"T-{number}")
    return shown


def _read(collection: sv.Collection[Any]) -> str:
    hits = collection.search("lantern", k=10)
    return hits.restore(hits.context()) + " ".join(f"{hit.record.body} {hit.record.notes}" for hit in hits)


def test_what_an_erasure_covers_is_hidden_once_it_is_accepted(stage: Stage, pair: Pair) -> None:
    assert _ids(pair.acme) == {ABOUT, BOTH, OTHER, NAMED, LONG}
    before = pair.acme.search("lantern", k=10)
    _accept(stage)
    assert _ids(pair.acme) == {OTHER, NAMED}
    assert len(stage.acme.find_subject(JANE)) == 0
    assert len(stage.acme.export_subject(JANE)) == 0
    with pytest.raises(RecordNotFound):
        before.restore(before.context())


def _nobody(*_: object, **__: object) -> set[tuple[bytes, int]]:
    return set()


def test_rows_taken_away_that_say_where_an_erased_person_is_show_nobody_the_person(stage: Stage, pair: Pair) -> None:
    """The sealed tokens of what was read decide besides."""
    _accept(stage)
    edit_control(stage.home, "DELETE FROM record_subject")
    edit_control(stage.home, "DELETE FROM job_item")
    for record_id in (ABOUT, BOTH):
        with pytest.raises(RecordNotFound):
            pair.acme.get(record_id)
    hits = pair.acme.search("lantern", k=50)
    assert {ABOUT, BOTH}.isdisjoint(hit.id for hit in hits)
    assert {OTHER, NAMED} <= {hit.id for hit in hits}


@pytest.mark.parametrize("guard", [(judging, searching, walking), (searching,)])
def test_without_the_look_at_tombstones_they_would_be_shown(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch, guard: tuple[Any, ...]
) -> None:
    """The guards, seen to fail: without any, everything is shown; the last one alone still holds back a late read."""
    _accept(stage)
    for module in guard:
        monkeypatch.setattr(module, "erased", _nobody)
    assert _ids(pair.acme) == ({ABOUT, BOTH, OTHER, NAMED, LONG} if len(guard) == 3 else {OTHER, NAMED})


def test_a_search_that_began_before_the_erasure_does_not_return_the_person(stage: Stage, pair: Pair) -> None:
    def once() -> None:
        stage.trap.on_query = None
        _accept(stage)

    stage.trap.on_query = once
    assert {str(hit.id) for hit in pair.acme.search("lantern", k=10)} == {OTHER, NAMED}


def test_an_erasure_between_judgement_and_answer_is_seen(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searching._with_first_chunks
    accepted: list[str] = []

    def then_erase(*arguments: Any) -> Any:
        found = first(*arguments)
        if not accepted:
            accepted.append(_accept(stage))
        return found

    monkeypatch.setattr(searching, "_with_first_chunks", then_erase)
    assert {str(hit.id) for hit in pair.acme.search("lantern", k=10)} == {OTHER, NAMED}
    assert accepted


def test_the_first_answer_of_a_batch_is_looked_at_again_when_the_last_is_there(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[int] = []

    def then_erase(*arguments: Any) -> Any:
        found = searching.answer(*arguments)
        answered.append(len(found.hits))
        if len(answered) == 1:
            _accept(stage)
        return found

    monkeypatch.setattr(batching, "answer", then_erase)
    results = pair.acme.search_batch(["lantern", "lantern"], k=10)
    assert answered[0] > answered[1] > 0
    for hits in results:
        assert {str(hit.id) for hit in hits} == {OTHER, NAMED}


def test_afterwards_mentions_are_readable_without_the_person_and_with_everybody_else(stage: Stage, pair: Pair) -> None:
    peters = pair.acme.get(BOTH).body.split(" and ")[1].split(" both")[0]
    result = stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert (result.about, result.mentions, result.by_name_only) == (1, 2, 0)
    assert _ids(pair.acme) == {BOTH, OTHER, NAMED, LONG}
    record = pair.acme.get(BOTH)
    assert record.body == f"lantern: [ERASED] and {peters} both called"
    assert record.notes == "reply to [ERASED]"
    everything = _read(pair.acme)
    assert PETER in everything
    assert JANE not in everything
    assert pair.acme.count() == 4


def test_the_same_address_in_another_tenant_is_untouched_and_cannot_be_linked(stage: Stage, pair: Pair) -> None:
    before = _read(pair.globex)
    result = stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert _read(pair.globex) == before
    assert JANE in before
    other = stage.globex.erase_subject(JANE).raise_if_incomplete()
    public = stage.store.runtime.keys.signing_key().public
    said = [receipts.read(each.receipt or b"", public=public).predicate for each in (result, other)]
    assert not set(said[0]["subjects"]) & set(said[1]["subjects"])


def test_a_name_alone_is_not_erased_without_consent(stage: Stage, pair: Pair) -> None:
    report = stage.acme.find_subject(JANE, "Jane Doe")
    assert {match.record_id for match in report if match.by_name_only} == {NAMED}
    result = stage.acme.erase_subject(JANE, "Jane Doe").raise_if_incomplete()
    assert result.by_name_only == 1
    hits = pair.acme.search("lantern", k=10)
    assert "Jane Doe" in hits.restore(hits.context())
    assert pair.acme.ingest([ticket(9, "another Jane Doe called", customer="C-9")]).new == 1
    result = stage.acme.erase_subject("Jane Doe", include_name_matches=True).raise_if_incomplete()
    assert (result.about, result.mentions) == (0, 2)
    assert pair.acme.get(NAMED).body == "lantern for [ERASED], no address given"


def test_a_declared_name_is_a_subject_and_its_namesakes_are_not(stage: Stage, pair: Pair) -> None:
    pair.acme.ingest([ticket(9, "declared by name", customer="Jane Doe")])
    job = _accept(stage, "Jane Doe")
    with pytest.raises(RecordNotFound):
        pair.acme.get("T-9")
    assert pair.acme.get(NAMED).id == NAMED
    stage.store.run_jobs()
    assert [(each.job_id, each.state) for each in stage.store.runtime.control.jobs()] == [(job, "done")]
    with pytest.raises(RecordNotFound):
        pair.acme.get("T-9")
    assert pair.acme.get(NAMED).id == NAMED


def test_an_old_generation_put_back_into_the_store_is_never_shown(stage: Stage, pair: Pair) -> None:
    backend, namespace = stage.trap, pair.acme._scope.namespace
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=100)
    kept = backend.fetch(namespace=namespace, ids=[point.id for point in page.points], with_vectors=True)
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    points = [ProtectedPoint(p.id, p.vector, _scalars(p.payload)) for p in kept if p.vector is not None]
    backend.insert(namespace=namespace, points=points)
    shown = " ".join(hit.text for hit in pair.acme.search("lantern", k=3))
    assert "never delivered" not in shown
    with pytest.raises(RecordNotFound):
        pair.acme.get(ABOUT)
    assert "[ERASED]" in pair.acme.get(BOTH).body


def _scalars(payload: Any) -> dict[str, Scalar]:
    return {key: value for key, value in payload.items() if isinstance(value, str | int | float | bool)}


def test_a_write_that_races_with_the_erasure_is_refused_and_leaves_nothing(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = stage.trap.insert

    def then_erase(**named: Any) -> None:
        insert(**named)
        monkeypatch.undo()
        _accept(stage)

    monkeypatch.setattr(stage.trap, "insert", then_erase)
    with pytest.raises(SubjectErased):
        pair.acme.ingest([ticket(7, f"late lantern of {JANE}", customer="C-7")])
    stage.store.run_jobs()
    assert "T-7" not in _ids(pair.acme)
    assert stage.acme.find_subject(JANE).matches == ()


def test_writes_about_the_person_are_refused_row_by_row_until_the_fence_ends(stage: Stage, pair: Pair) -> None:
    stage.acme.erase_subject(JANE, until="2d").raise_if_incomplete()
    report = pair.acme.ingest([ticket(7, f"lantern of {JANE}"), ticket(8, "lantern of nobody", customer="C-8")])
    assert (report.new, len(report.refused)) == (1, 1)
    stage.time.forward(3 * 86_400_000)
    assert pair.acme.ingest([ticket(7, f"lantern of {JANE}")]).new == 1
    assert pair.acme.get("T-7").id == "T-7"


def test_the_stored_version_brought_again_is_not_called_unchanged(stage: Stage, pair: Pair) -> None:
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    again = ticket(2, f"lantern: {JANE} and {PETER} both called", customer="C-2042", notes=f"reply to {JANE}")
    report = pair.acme.ingest([again])
    assert (report.unchanged, len(report.refused)) == (0, 1)


def test_nothing_of_the_person_is_left_to_be_looked_up(stage: Stage, pair: Pair) -> None:
    from securevec.people.identify import subject_tokens

    runtime, tenant = stage.store.runtime, stage.acme.id
    tokens = subject_tokens(runtime, tenant, [JANE])
    assert runtime.control.known_tokens(tenant, tokens)
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert not runtime.control.known_tokens(tenant, tokens)
    assert not runtime.control.subject_records(tenant, tokens)
    assert runtime.control.known_tokens(tenant, subject_tokens(runtime, tenant, [PETER]))


def test_a_legal_hold_beats_the_erasure_and_the_refusal_is_recorded(stage: Stage, pair: Pair) -> None:
    control, tenant = stage.store.runtime.control, stage.acme.id
    ref = pair.acme._scope.record_ref(stage.store.runtime, BOTH)
    control.add_hold("a" * 32, tenant, pair.acme.id, ref, b"sealed", stage.store.runtime.clock.now_ms())
    with pytest.raises(LegalHold):
        stage.acme.erase_subject(JANE)
    assert _ids(pair.acme) == {ABOUT, BOTH, OTHER, NAMED, LONG}
    assert not control.jobs()
    (last,) = [own for own in stage.audit(40) if own["action"] == "subject.erase" and own["phase"] == "result"]
    assert (last["outcome"], last["error"], last["detail"]) == ("denied", "LegalHold", {"hold": "a" * 32})


def test_a_hold_on_the_person_beats_their_own_erasure(stage: Stage, pair: Pair) -> None:
    hold = stage.acme.hold("litigation", subject=JANE)
    for who in (JANE, PETER):  # a record that mentions her is held, whoever else is in it
        with pytest.raises(LegalHold):
            stage.acme.erase_subject(who)
    assert {ABOUT, BOTH} <= _ids(pair.acme)
    stage.store.tenant("acme", actor=sv.Actor.local()).release(hold.id)
    assert stage.acme.erase_subject(JANE).raise_if_incomplete().about == 1


def test_an_export_that_began_before_the_erasure_does_not_hold_the_person(
    stage: Stage, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_erase(*arguments: Any, **named: Any) -> Any:
        found = load(*arguments, **named)
        monkeypatch.undo()
        _accept(stage)
        return found

    for module in (finding, exporting):
        load = stored.load
        monkeypatch.setattr(module, "load", then_erase)
    verb = stage.acme.export_subject if stage.engine == "memory" else stage.acme.find_subject
    assert len(verb(JANE)) == 0
    control, now_ms = stage.store.runtime.control, stage.store.runtime.clock.now_ms()
    assert control.count_live(pair.acme._scope.collection, now_ms=now_ms)[0] == 5
    assert pair.acme.count() == len(_ids(pair.acme)) == 2


def test_a_hold_added_after_the_acceptance_stops_the_deletion_and_keeps_it_hidden(stage: Stage, pair: Pair) -> None:
    control, runtime = stage.store.runtime.control, stage.store.runtime
    job = _accept(stage)
    ref = pair.acme._scope.record_ref(runtime, ABOUT)
    control.add_hold("a" * 32, stage.acme.id, pair.acme.id, ref, b"sealed", runtime.clock.now_ms())
    (result,) = stage.store.run_jobs()
    assert (result.failed, result.waiting_for) == (True, "LegalHold")
    assert control.current(pair.acme.id, [ref])
    assert ABOUT not in _ids(pair.acme)
    control.release_hold("a" * 32, runtime.clock.now_ms())
    (result,) = stage.store.run_jobs()
    assert (result.job_id, result.state) == (job, "done")
    assert not control.current(pair.acme.id, [ref])


@pytest.mark.parametrize("verb", ["find_subject", "export_subject", "erase_subject"])
def test_a_writer_may_neither_find_export_nor_erase_people(stage: Stage, pair: Pair, verb: str) -> None:
    writer = sv.Actor("svc:writer")
    stage.acme.grant(writer, "writer")
    with pytest.raises(PolicyDenied):
        getattr(stage.store.tenant("acme", actor=writer), verb)(JANE)
    assert pair.acme.count() == 5


def test_the_local_administrator_erases_and_does_not_reveal(stage: Stage, pair: Pair) -> None:
    local = stage.store.tenant("acme", actor=sv.Actor.local())
    with pytest.raises(PolicyDenied):
        local.export_subject(JANE, reveal=True)
    assert local.erase_subject(JANE).raise_if_incomplete().about == 1
    assert pair.acme.count() == 4


def test_an_export_reveals_the_persons_own_values_and_nobody_elses(stage: Stage, pair: Pair, tmp_path: Path) -> None:
    plain = stage.acme.export_subject(JANE)
    shown = stage.acme.export_subject(JANE, reveal=True)
    assert [record["relation"] for record in shown].count("about") == 1
    assert JANE not in str(list(plain))
    (about,) = [record for record in plain if record["relation"] == "about"]
    assert about["fields"]["opened"] == "2026-01-02T00:00:00.000+00:00"
    assert JANE in str(list(shown))
    assert PETER not in str(list(shown))
    assert "C-2042" not in str([record for record in shown if record["relation"] == "mention"])
    saved = shown.save(tmp_path / "jane.json")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert pair.acme.count() == 5


def test_every_step_is_named_in_the_log_and_the_person_is_not(stage: Stage, pair: Pair) -> None:
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    log = b"".join(path.read_bytes() for path in (stage.home / "audit").rglob("*.jsonl"))
    assert b"subject.erase" in log
    for secret in (JANE.encode(), b"jane", b"T-2"):
        assert secret not in log
    (job,) = stage.store.runtime.control.jobs()
    steps = [step.state for step in stage.store.runtime.control.job_steps(job.job_id)]
    assert steps == ["accepted", "planned", "deleted", "redacted", "purged", "verified", "done"]
    assert pair.acme.count() == 4
