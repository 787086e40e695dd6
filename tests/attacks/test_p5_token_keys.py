"""A new version of a tenant's token key: the earlier one matches nothing that is stored afterwards, and everybody is
found, hidden, held and erased as before, at every step of the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from securevec.anonymize import TenantKeys, subject_token
from securevec.control.rows import ManifestRow
from securevec.errors import (
    CheckFailed,
    ControlUnavailable,
    KeyRejected,
    LegalHold,
    PolicyDenied,
    SubjectErased,
    TenantUnavailable,
    WriteNotAcknowledged,
)
from securevec.guard import admit
from securevec.jobs import JobResult
from securevec.people import erase as erasing
from securevec.proof.purging import ProbeOutcome
from securevec.proof.receipt import read
from securevec.reading.opening import open_body
from securevec.rekeying import renewing
from securevec.rekeying.rewriting import rewrite
from securevec.types import StoredPoint
from tests.support.attacks import Stage, memory_of
from tests.support.meanwhile import meanwhile
from tests.support.token_letters import JANE, LETTERS, OLGA, PETER, Letter, Letters, letter
from tests.support.world import ACME

ENTITIES = ("EMAIL", "PERSON", "PERSON_PART")
GUESSES = (JANE, PETER, OLGA, "Martin Kessler", "kessler")


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


@pytest.fixture
def letters(stage: Stage) -> Letters:
    made = stage.acme.collection(Letter, retention="180d")
    assert made.ingest(LETTERS).new == 5
    return made


def stored_tokens(stage: Stage, letters: Letters) -> set[bytes]:
    """Every token that any store holds about the tenant: control store, sealed bodies with all keys at hand, and what
    people's keys are named by."""
    runtime, tenant = stage.store.runtime, stage.acme.id
    found: set[bytes] = set()
    with closing(sqlite3.connect(runtime.home / "control.db")) as control:
        number = "(SELECT tenant_no FROM tenant WHERE tenant = ?)"
        for column in (
            f"token FROM subject_token WHERE tenant_no = {number}",
            f"part FROM name_part WHERE tenant_no = {number}",
            "token FROM tombstone WHERE tenant = ?",
            "token FROM hold_subject WHERE hold_id IN (SELECT hold_id FROM hold WHERE tenant = ?)",
        ):
            found |= {row[0] for row in control.execute(f"SELECT {column}", (tenant,))}
    for point in points_of(stage, letters):
        body = open_body(runtime.keys, letters._scope, point)
        found |= {*body.about, *body.mentions}
        found |= {span.token for spans in (body.field_spans or {}).values() for span in spans}
        found |= {span.token for span in body.spans or ()}
    found |= {bytes.fromhex(key.subject) for key in runtime.keys.list_keys(tenant=tenant, kind="subject")}
    return found


def points_of(stage: Stage, letters: Letters) -> list[StoredPoint]:
    return list(memory_of(stage).scan(namespace=letters._scope.namespace, where=None, cursor=None, limit=1000).points)


def keys_of(stage: Stage) -> TenantKeys:
    return stage.store.runtime.tenant_keys(stage.acme.id)


def guessed(keys: TenantKeys) -> set[bytes]:
    """What somebody who has these keys computes of what he guesses."""
    return {subject_token(keys, entity, value) for entity in ENTITIES for value in GUESSES}


def told(stage: Stage, letters: Letters) -> list[object]:
    """What the library answers about the people, by every way of asking."""
    hits = letters.search("who asked about the lantern of jane.doe@example.com", k=9)
    met = letters.search("the lantern of mr kessler", k=1)
    return [
        *(sorted((each.record_id, each.about) for each in stage.acme.find_subject(value)) for value in (JANE, PETER)),
        sorted(each.record_id for each in stage.acme.find_subject("Martin Kessler")),
        len(stage.acme.export_subject(JANE)),
        sorted((str(hit.id), hit.text) for hit in hits),
        [(str(hit.id), round(hit.score, 5)) for hit in met],
        replace(letters.verify(), request_id=""),
    ]


def receipt(stage: Stage, done: JobResult) -> dict[str, Any]:
    return dict(read(done.receipt or b"", public=stage.store.runtime.keys.signing_key().public).predicate)


def renew(stage: Stage) -> renewing.Renewal:
    return stage.store.renew_tokens(stage.acme_name)


def test_an_earlier_token_key_matches_nothing_that_is_stored_afterwards(stage: Stage, letters: Letters) -> None:
    hold = stage.acme.hold("a claim", subject=PETER)
    stage.acme.erase_subject(OLGA).raise_if_incomplete()
    early, answers = keys_of(stage), told(stage, letters)
    other = stage.globex.collection(Letter, retention="180d")
    other.ingest(LETTERS)
    before = stored_tokens(stage, letters)
    assert len(before & guessed(early)) >= 5, "the attack works before"
    done = renew(stage)
    assert (done.state, done.version, done.records, done.keys) == ("done", 2, 4, 2)
    after = stored_tokens(stage, letters)
    assert len(after) == len(before)
    assert not after & before
    assert not after & guessed(early)
    assert not after & guessed(replace(early, lifts=(bytes(32),))), "how tokens are moved on is no secret, the key is"
    late = keys_of(stage)
    assert not after & guessed(replace(late, lifts=(), token=late.lifts[0])), "the new version alone matches nothing"
    assert len(after & guessed(late)) == len(before & guessed(early))
    assert told(stage, letters) == answers
    assert (late.pseudonym, late.token) == (early.pseudonym, early.token)
    for value in (PETER, JANE):  # her letter about him is held too
        with pytest.raises(LegalHold):
            stage.acme.erase_subject(value)
    assert letters.ingest([letter(9, OLGA, "a lantern for whom we forgot")]).refused
    assert len(stage.globex.find_subject(JANE)) == 3
    for file in (stage.store.runtime.home / "control.db", stage.store.runtime.home / "keys" / "keys.db"):
        assert not [token for token in before if token in file.read_bytes()]
    predicate = receipt(stage, done)
    assert (predicate["kind"], predicate["version"]) == ("renew", 2)
    stage.store.tenant(stage.acme_name).release(hold.id)
    renew(stage)
    assert told(stage, letters) == answers
    erased = stage.acme.erase_subject(JANE)
    erased.raise_if_incomplete()
    assert (erased.about, erased.mentions) == (2, 1)
    assert {str(hit.id) for hit in letters.search("lantern", k=9)} == {"L-3", "L-4"}


class Stopped(ControlUnavailable):
    pass


@pytest.fixture
def halfway(stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tokens of the control store are new, and no sealed record is."""

    def never(*_: object, **__: object) -> object:
        raise Stopped("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(renewing, "rewrite", never)
        with pytest.raises(Stopped):
            renew(stage)
    (job,) = (job for job in stage.store.runtime.control.jobs(open_only=True) if job.tenant == stage.acme.id)
    assert job.state == "switched"
    yield job.job_id
    (last,) = (each for each in stage.store.run_jobs() if each.job_id == job.job_id)
    assert last.state == "done"


def test_between_the_control_store_and_the_sealed_records_everybody_is_found(
    stage: Stage, halfway: str, letters: Letters
) -> None:
    assert {
        open_body(stage.store.runtime.keys, letters._scope, point).tokens for point in points_of(stage, letters)
    } == {1}
    assert [each.about for each in stage.acme.find_subject(JANE)].count(True) == 2
    assert stage.acme.find_subject(JANE).mentions == 1
    assert len(stage.acme.export_subject(JANE)) == 3
    letters.verify().raise_if_wrong()
    assert letters.update("L-1", body=f"the lantern, and {PETER} again").changed
    assert letters.ingest([letter(6, JANE, "one more lantern")]).new == 1
    context = letters.search("lantern", k=9).context()
    assert context.count("[EMAIL_") == 3
    assert "[EMAIL_3]" not in context, "one person has one placeholder, of whatever version the record is"
    letters.verify().raise_if_wrong()
    people = stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")
    assert len(people) == 4, "Jane has a key under either token"


def test_an_erasure_between_the_two_destroys_the_keys_of_both_versions(
    stage: Stage, halfway: str, letters: Letters
) -> None:
    assert letters.ingest([letter(6, JANE, "one more lantern")]).new == 1
    done = stage.acme.erase_subject(JANE)
    done.raise_if_incomplete()
    assert (done.about, done.mentions) == (3, 1)
    assert len(receipt(stage, done)["artefacts"]) > 1
    people = stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")
    assert len(people) == 3, "those of Peter, under either token, and Olga"
    assert {str(hit.id) for hit in letters.search("lantern", k=9)} == {"L-3", "L-4", "L-5"}
    assert JANE not in letters.search("lantern", k=9).restore(letters.search("lantern", k=9).context())


def test_an_erasure_that_was_accepted_before_is_waited_for(stage: Stage, letters: Letters) -> None:
    runtime = stage.store.runtime
    admission = admit(runtime, stage.acme._scope, permission="subject.erase", action="subject.erase")
    until = runtime.clock.now_ms() + 86_400_000
    erasing.request_erasure(runtime, admission, [JANE], until_ms=until, include_name_matches=False)
    before = stored_tokens(stage, letters)
    with pytest.raises(ControlUnavailable):
        renew(stage)
    assert stored_tokens(stage, letters) == before
    assert {each.state for each in stage.store.run_jobs()} == {"done"}
    assert keys_of(stage).version == 2
    assert len(stage.acme.find_subject(JANE)) == 0
    with pytest.raises(SubjectErased):
        runtime.control.begin_batch(**_batch(stage, letters, subject_token(keys_of(stage), "EMAIL", JANE)))


def _batch(stage: Stage, letters: Letters, token: Any) -> dict[str, Any]:
    from securevec.control.rows import NewRecord

    runtime = stage.store.runtime
    now = runtime.clock.now_ms()
    row = NewRecord(bytes(16), 1, bytes(16), None, "r1/never", ingested_ms=now, size=1, about=(token,), mentions=())
    return {
        "tenant": stage.acme.id,
        "collection": letters.id,
        "request_id": "0" * 32,
        "writer": runtime.audit.writer_id,
        "fence": runtime.control.fence(stage.acme.id).epoch,
        "rows": [row],
        "lease_until_ms": now + 1000,
        "now_ms": now,
    }


def test_who_is_at_work_in_the_moment_of_the_switch_stores_and_answers_nothing_of_the_version_before(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them computed its tokens before the switch, and meets the control store after it."""
    control = type(stage.store.runtime.control)
    calls: dict[str, Callable[[], object]] = {
        "begin_batch": lambda: letters.ingest([letter(6, JANE, "one more lantern")]),
        "known_tokens": lambda: letters.search(f"the lantern of {JANE}", k=3),
        "subject_records": lambda: stage.acme.find_subject(JANE),
        "begin_job": lambda: stage.acme.erase_subject(JANE),
        "add_hold": lambda: stage.acme.hold("a claim", subject=JANE),
    }
    for number, (name, call) in enumerate(calls.items(), 2):
        meanwhile(monkeypatch, control, name, partial(renewing.switch, stage.store.runtime, stage.acme.id, number))
        with pytest.raises(TenantUnavailable):
            call()
        assert keys_of(stage).version == number
    assert not stage.acme.holds()
    assert letters.count() == 5
    assert len(stage.acme.find_subject(JANE)) == 3
    assert (renew(stage).version, len(stage.acme.find_subject(JANE))) == (7, 3)


def test_no_key_goes_while_a_live_record_is_sealed_with_older_tokens(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = guessed(keys_of(stage))

    def none(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        return []

    def passes_over_all(*given: Any, **named: Any) -> ProbeOutcome:
        return rewrite(*given, **{**named, "stale": none})

    with monkeypatch.context() as patch:
        patch.setattr(renewing, "rewrite", passes_over_all)
        with pytest.raises(WriteNotAcknowledged):
            renew(stage)
    assert stored_tokens(stage, letters) & early
    assert len(stage.acme.find_subject(JANE)) == 3
    (job,) = (job for job in stage.store.runtime.control.jobs() if job.tenant == stage.acme.id)
    assert job.state == "resealed"


def test_a_record_that_the_store_hides_stops_the_job_and_is_not_passed_over(stage: Stage, letters: Letters) -> None:
    hidden = points_of(stage, letters)[0]
    memory_of(stage).delete(namespace=letters._scope.namespace, ids=[hidden.id])
    with pytest.raises(CheckFailed):
        renew(stage)
    body = open_body(stage.store.runtime.keys, letters._scope, hidden)
    letters.delete([str(body.record_id)])
    done = renew(stage)
    assert (done.state, done.version, done.records) == ("done", 2, 4)


def test_a_version_that_is_missing_or_altered_in_the_key_store_is_an_error_and_no_empty_answer(
    stage: Stage, letters: Letters
) -> None:
    renew(stage)
    runtime = stage.store.runtime
    rows = runtime.keys._store.all_rows(tenant=bytes.fromhex(stage.acme.id), kind="tenant")
    (row,) = (row for row in rows if (row.use.purpose, row.use.epoch) == ("token", "2"))
    with runtime.keys._store.transaction():
        runtime.keys._store.drop(row)
    runtime.keys._open.forget()
    with pytest.raises(KeyRejected):
        stage.acme.find_subject(JANE)
    with pytest.raises(KeyRejected):
        letters.ingest([letter(6, JANE, "a lantern")])
    with runtime.keys._store.transaction():
        runtime.keys._store.insert(row)
    runtime.keys._open.forget()
    assert len(stage.acme.find_subject(JANE)) == 3


def test_only_who_manages_the_installation_renews_a_tenants_key(stage: Stage) -> None:
    own, stage.store._actor = stage.store._actor, ACME
    try:
        with pytest.raises(PolicyDenied):
            renew(stage)
    finally:
        stage.store._actor = own
    assert keys_of(stage).version == 1
