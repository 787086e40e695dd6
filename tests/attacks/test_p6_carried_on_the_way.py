"""An erasure and the generations that no list of it holds: on their way into the store, or on their way out. It is done
when none of them is left there, and nobody is known by them any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.errors import BackendError, ControlUnavailable, OutcomeUnknown, SubjectErased
from securevec.people import carriers
from securevec.writing import inserting
from tests.support.attacks import Pair, Stage, open_stage
from tests.support.world import ticket

JANE = "jane.doe@example.com"


class Killed(BaseException):
    """What stands for the end of a process: nothing of ours catches it."""


@pytest.fixture(params=["memory", "edge"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(carriers, "PATIENCE_S", 0.0)
    with open_stage(tmp_path, str(request.param)) as made:
        made.store._caretaker.stop()
        yield made


def stored(stage: Stage, pair: Pair) -> int:
    """Points in the engine."""
    return stage.store.runtime.backend().count(namespace=pair.acme._scope.namespace)


def rows_in(stage: Stage, *tables: str) -> dict[str, int]:
    database = stage.store.runtime.control._db
    return {table: int(database.rows(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in tables}


def test_an_erasure_is_not_done_while_a_replaced_record_of_the_person_lies_in_the_store(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store did not remove it, and the manifest does not name it any more."""
    pair = stage.pair()
    pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="C-1")])

    def refusing(**_: Any) -> None:
        raise BackendError("The store does not answer.")

    with monkeypatch.context() as down:
        down.setattr(stage.trap, "delete", refusing)
        with pytest.raises(OutcomeUnknown):
            pair.acme.ingest([ticket(1, "a lantern", customer="C-1")])
        assert stored(stage, pair) == 2
        with pytest.raises(BackendError):
            stage.acme.erase_subject(JANE)
    assert [each.state for each in stage.store.run_jobs()] == ["done"]
    assert stored(stage, pair) == pair.acme.count() == 1
    assert rows_in(stage, "transit") == {"transit": 0}


def test_an_erasure_waits_for_a_batch_of_another_process_that_carries_the_person(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed behind its insert: its points lie in the store, and its batch is left alone until its lease is over."""
    pair = stage.pair()

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    def nothing(*_: Any) -> None:
        """What a process that was killed takes back."""

    with monkeypatch.context() as dying:
        dying.setattr(type(stage.store.runtime.control), "commit_batch", killed)
        dying.setattr(inserting, "_give_up", nothing)
        with pytest.raises(Killed):
            pair.acme.ingest([ticket(1, f"{JANE} has a lantern", customer="C-1")])
    assert stored(stage, pair) == 1
    with pytest.raises(ControlUnavailable):
        stage.acme.erase_subject(JANE)
    stage.time.forward(120_000)
    assert [each.state for each in stage.store.run_jobs()] == ["done"]
    assert stored(stage, pair) == 0
    assert rows_in(stage, "transit", "record_subject") == {"transit": 0, "record_subject": 0}


@pytest.mark.parametrize(("by", "names"), [(JANE, False), ("Jane Doe", True)])
def test_a_refused_batch_leaves_no_token_of_whom_an_erasure_forgot(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, by: str, names: bool
) -> None:
    """The pending record carried the person when the erasure came to forget what nobody carries."""
    pair, insert = stage.pair(), stage.trap.insert

    def then_erase(**given: Any) -> None:
        insert(**given)
        monkeypatch.setattr(stage.trap, "insert", insert)
        with pytest.raises(ControlUnavailable):
            stage.acme.erase_subject(by, include_name_matches=names)

    monkeypatch.setattr(stage.trap, "insert", then_erase)
    row = ticket(1, f"Jane Doe of {JANE} has a lantern", customer="C-1")
    with pytest.raises(SubjectErased):
        pair.acme.ingest([row])
    assert [each.state for each in stage.store.run_jobs()] == ["done"]
    runtime = stage.store.runtime
    gone = [bytes(token) for (token,) in runtime.control._db.rows("SELECT token FROM tombstone")]
    assert gone
    assert runtime.control.known_tokens(stage.acme.id, gone) == {}
    held = "SELECT COUNT(*) FROM name_part WHERE person_no NOT IN (SELECT subject_no FROM subject_token)"
    assert runtime.control._db.rows(held) == [(0,)]
    assert (rows_in(stage, "name_part")["name_part"] == 0) is (by != JANE)
