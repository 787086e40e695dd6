"""A new pseudonym key while people are erased and shredded, other keys exchanged, and somebody searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from securevec.anonymize.surrogates.values import person_parts, surrogate
from securevec.errors import (
    CheckFailed,
    ControlUnavailable,
    SubjectErased,
)
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.reading.live import first_chunks
from securevec.reading.question import anonymize_query
from securevec.rekeying import renewing, respelling
from securevec.rekeying.respelling import Respelling
from securevec.search import answer
from tests.support.attacks import Stage
from tests.support.meanwhile import meanwhile
from tests.support.named_letters import JANE, MAIL, ROWS, Letter, key_of, points_of, renew, said


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


class Stopped(ControlUnavailable):
    pass


def stopped(*_: object, **__: object) -> NoReturn:
    raise Stopped("killed here")


def test_an_erasure_that_was_accepted_before_is_waited_for_and_one_that_comes_meanwhile_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="erased")
    letters.ingest(ROWS)
    letters.ingest([{"id": "L-4", "writer": "peter@example.org", "body": f"{JANE} asked {MAIL}"}])
    runtime = stage.store.runtime
    admission = admit(runtime, stage.acme._scope, permission="subject.erase", action="subject.erase")
    until = runtime.clock.now_ms() + 86_400_000
    erasing.request_erasure(runtime, admission, ["peter@example.org"], until_ms=until, include_name_matches=False)
    with pytest.raises(ControlUnavailable):
        renew(stage)
    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", stopped)
        results = stage.store.run_jobs()
    assert {(each.state, each.failed) for each in results} >= {("done", False)}
    stage.acme.erase_subject(MAIL).raise_if_incomplete()
    assert {each.state for each in stage.store.run_jobs() if each.failed} == set()
    assert not [job for job in runtime.control.jobs(open_only=True) if job.tenant == stage.acme.id]
    text = str(said(stage, letters=letters))
    assert surrogate(key_of(stage), "PERSON", JANE) in text
    assert (surrogate(key_of(stage), "EMAIL", MAIL) in text, "[ERASED]" in text) == (False, True)
    assert {record.id for record in letters.iter()} == {"L-2", "L-3"}


def test_people_who_are_shredded_while_their_letter_is_written_anew_stay_shredded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="shredded")
    letters.ingest(ROWS[:1])
    write = Respelling.write

    def erased_meanwhile(self: Respelling, admission: Any, rows: Any) -> Any:
        keys = stage.store.runtime.keys
        people = [bytes.fromhex(key.key_id) for key in keys.list_keys(tenant=stage.acme.id, kind="subject")]
        original, calls = keys.require_alive, list[int]()

        def late(ids: Any) -> None:
            if not calls:
                calls.append(keys.destroy_keys(people))
            original(ids)

        monkeypatch.setattr(keys, "require_alive", late)
        return write(self, admission, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", erased_meanwhile)
        with pytest.raises(SubjectErased):
            renew(stage)
    monkeypatch.undo()
    assert not stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")
    assert len(points_of(stage, letters)) == 1
    # No erasure hides the letter whose key is dead: the job passes it over on nobody's word, and goes on without it.
    with pytest.raises(CheckFailed, match="delete it"):
        renew(stage)
    letters.delete(["L-1"])
    assert renew(stage).state == "done"


def test_tokens_and_surrogates_are_not_made_anew_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = stage.acme.collection(Letter, name="both")
    letters.ingest(ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(renewing, "rewrite", stopped)
        with pytest.raises(Stopped):
            stage.store.renew_tokens(stage.acme_name)
        with pytest.raises(ControlUnavailable):
            renew(stage)
    assert not [each for each in stage.store.run_jobs() if each.failed]
    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", stopped)
        with pytest.raises(Stopped):
            renew(stage)
        assert stage.store.renew_tokens(stage.acme_name).state == "done"
    assert renew(stage).version == 3
    keys = stage.store.runtime.tenant_keys(stage.acme.id)
    assert (keys.version, keys.naming, keys.before) == (3, 3, None)
    assert surrogate(keys.pseudonym, "EMAIL", MAIL) in str(said(stage, letters=letters))
    assert len(stage.acme.find_subject(MAIL)) == 2
    asked = anonymize_query(stage.store.runtime, letters._scope, "the miller")
    assert asked.text.text == f"the {person_parts(keys.pseudonym, JANE)[1]}".lower()
    letters.verify().raise_if_wrong()


def test_tokens_that_are_made_anew_between_two_looks_stop_the_job_until_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is named by a part alone is known by a token: under the earlier one nobody would be."""
    letters = stage.acme.collection(Letter, name="between")
    letters.ingest(ROWS)

    def switched() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(renewing, "rewrite", stopped)
            with pytest.raises(Stopped):
                stage.store.renew_tokens(stage.acme_name)

    meanwhile(monkeypatch, respelling, "opened_chunks", switched)
    with pytest.raises(ControlUnavailable, match="made anew meanwhile"):
        renew(stage)
    stage.store.run_jobs()
    assert renew(stage).state == "done"
    letters.verify().raise_if_wrong()


def test_every_other_key_is_exchanged_while_some_records_have_new_surrogates(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="busy", cloak="rotate")
    letters.ingest(ROWS)
    write, name = Respelling.write, stage.acme_name

    def one(self: Respelling, admission: Any, rows: Any) -> NoReturn:
        write(self, admission, rows[:1])
        raise Stopped("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", one)
        with pytest.raises(Stopped):
            renew(stage)
    for exchange in (stage.store.reseal, stage.store.reindex, stage.store.recloak):
        assert exchange(name, "busy").state == "done"
        assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert stage.store.rotate_tenant_keys(name) > 0
    assert stage.store.renew_tokens(name).state == "done"
    assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert renew(stage).version == 2
    assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert surrogate(key_of(stage), "EMAIL", MAIL) in str(said(stage, letters=letters))
    letters.verify().raise_if_wrong()


@pytest.mark.parametrize("how", ["search", "batch", "diverse"])
def test_a_record_that_is_written_anew_while_a_search_looks_at_it_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    letters = stage.acme.collection(Letter, name=f"looked-at-{how}")
    letters.ingest(ROWS[:1])
    calls: list[str] = []
    places: dict[str, tuple[str, Callable[..., Any]]] = {
        "search": ("securevec.search.first_chunks", first_chunks),
        "batch": ("securevec.verbs.batch.answer", answer),
        "diverse": ("securevec.verbs.diverse.answer", answer),
    }
    place, honest = places[how]

    def late(*given: Any) -> Any:
        """Before the last look of a search by itself; behind the answer of one that waits for more."""
        answered = None if how == "search" else honest(*given)
        if len(calls) < 2:
            calls.append(stage.store.reseal(stage.acme_name, f"looked-at-{how}").state)
        return honest(*given) if answered is None else answered

    with monkeypatch.context() as patch:
        patch.setattr(place, late)
        found = {
            "search": lambda: letters.search("lantern", k=1),
            "batch": lambda: letters.search_batch(["lantern"], k=1)[0],
            "diverse": lambda: letters.search_diverse("lantern", k=1),
        }[how]()
    assert (calls, [hit.id for hit in found], found.complete) == (["done", "done"], ["L-1"], True)
