"""P2: what the store answers is not believed. Rows that were moved, swapped, rolled back, edited or damaged, and stores
that lie, are cases of the shipped suite (``test_attack_suite.py``).

Here is what cannot be one: answers are edited within a call (``Trap.edit``, ``edit_fetch``), what the store is asked is
looked at, a second installation is needed, or a thousand rows are written that nobody wants on a server of theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import securevec as sv
from securevec.attack.rows import Vandal, stored
from securevec.crypto.armour import from_text, to_text
from securevec.errors import (
    IsolationViolation,
    RecordNotFound,
    UnknownFormat,
    UnknownKey,
)
from securevec.testing.embedders import HashEmbedder
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, DAY_MS, GLOBEX_MARK, Pair, open_stage, text, texts_of
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def test_due_records_that_stand_in_the_way_are_looked_past(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lone_pair.stage.time.forward(181 * DAY_MS)
    lone_pair.globex.ingest([text(50 + number, GLOBEX_MARK) for number in range(3)])
    asked: list[object] = []
    query = lone_pair.stage.trap.inner.query

    def noted(**named: Any) -> list[StoredPoint]:
        asked.append(named["where"])
        return query(**named)

    monkeypatch.setattr(lone_pair.stage.trap.inner, "query", noted)
    # What was stored first is nearest to its own words, and due.
    hits = lone_pair.globex.search(f"refund {GLOBEX_MARK} case 1, write to person1@example.com", k=3)
    assert {hit.id for hit in hits} == {"T-50", "T-51", "T-52"}
    assert (hits.violations, hits.complete) == (0, True)
    assert asked[0] is None
    assert asked[-1] is not None


def test_a_store_that_shows_nothing_of_records_the_manifest_names_gives_no_empty_answer(lone_pair: Pair) -> None:
    lone_pair.stage.trap.edit = lambda found: []
    with pytest.raises(IsolationViolation, match="shows nothing"):
        lone_pair.acme.search("refund", k=3)
    with pytest.raises(IsolationViolation, match="shows nothing"):
        lone_pair.acme.search_batch(["refund", "invoice"], k=3)
    # Nothing may stand under a filter, and in a collection without records.
    assert not lone_pair.acme.search("refund", where=sv.F("status") == "lost", k=3)
    for record in list(lone_pair.acme.iter()):
        lone_pair.acme.delete(record.id)
    assert not lone_pair.acme.search("refund", k=3)


def test_a_record_written_behind_an_empty_answer_is_asked_for_again(lone_pair: Pair) -> None:
    acme, trap = lone_pair.acme, lone_pair.stage.trap
    for record in list(acme.iter()):
        acme.delete(record.id)

    def written_meanwhile(found: list[StoredPoint]) -> list[StoredPoint]:
        trap.edit = None
        assert not found
        acme.ingest([text(60, ACME_MARK)])
        return found

    trap.edit = written_meanwhile
    assert [hit.id for hit in acme.search("refund", k=3)] == ["T-60"]


def test_an_engine_whose_files_are_gone_gives_no_empty_answer(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def opened() -> sv.SecureStore:
        key_file = tmp_path / "keys" / "root.key"
        return sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder())

    with opened() as store:
        store.tenant("acme", create=True, actor=ACME).collection(Ticket).ingest([ticket(1, "Refund of the tea")])
    shutil.rmtree(home / "engine")
    with opened() as store, pytest.raises(IsolationViolation, match="shows nothing"):
        store.tenant("acme", actor=ACME).collection(Ticket).search("refund")


# -- answers that lie ------------------------------------------------------------------------------------------------


def foreign_points(pair: Pair, count: int) -> list[StoredPoint]:
    return [stored(row) for row in Vandal(pair.stage, pair.acme).rows()[:count]]


def test_more_than_half_of_the_answer_foreign_stops_the_search(lone_pair: Pair) -> None:
    trap = lone_pair.stage.trap
    trap.edit = lambda found: [*foreign_points(lone_pair, 5), *found[:4]]
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=8)
    assert lone_pair.stage.audit()[0]["error"] == "IsolationViolation"
    trap.edit = lambda found: [*foreign_points(lone_pair, 4), *found[:4]]
    assert lone_pair.globex.search("refund", k=8).violations == 4


def test_a_format_that_is_not_known_here_is_told_and_is_no_violation(lone_pair: Pair) -> None:
    """It may be a newer release's: passed over, its records would be missing without a word."""

    def newer(found: list[StoredPoint]) -> list[StoredPoint]:
        first, *others = found
        blob = from_text(first.payload["b"])
        sealed = to_text(blob[:2] + b"\x7f" + blob[3:])  # the version
        return [replace(first, payload={**first.payload, "b": sealed}), *others]

    lone_pair.stage.trap.edit = newer
    with pytest.raises(UnknownFormat):
        lone_pair.acme.search("refund", k=3)
    assert lone_pair.stage.audit()[0]["error"] == "UnknownEnvelope"


def test_another_own_record_in_answer_to_a_record_id(lone_pair: Pair) -> None:
    other = stored(Vandal(lone_pair.stage, lone_pair.globex).row_of("T-2"))
    lone_pair.stage.trap.edit_fetch = lambda found: [other]
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get("T-1")
    assert lone_pair.globex.get("T-2").id == "T-2"


def test_another_own_record_in_answer_to_a_restore(lone_pair: Pair) -> None:
    other = stored(Vandal(lone_pair.stage, lone_pair.globex).row_of("T-2"))
    hits = lone_pair.globex.search("refund", where=sv.F("status") == "open", k=8)
    lone_pair.stage.trap.edit_fetch = lambda found: [other]
    with pytest.raises(RecordNotFound):
        hits.restore("[EMAIL_1]")


def test_nothing_in_answer_to_a_record_id(lone_pair: Pair) -> None:
    lone_pair.stage.trap.edit_fetch = lambda found: []
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get("T-1")


# -- many at once ----------------------------------------------------------------------------------------------------


def test_a_store_flooded_with_a_thousand_foreign_rows_ahead_of_ones_own(lone_pair: Pair) -> None:
    """They are best by score, so that a search that trusted the store would return nothing else."""
    pair = lone_pair
    acme, globex = Vandal(pair.stage, pair.acme), Vandal(pair.stage, pair.globex)
    near = globex.row_of("T-1")
    for _ in range(3):
        globex.put(replace(acme.row(), id=uuid4(), vector=near.vector))
    hits = pair.globex.search(vector=near.vector, k=6)
    assert len(hits) == 6
    assert hits.violations == 3
    assert ACME_MARK not in texts_of(hits)
    for _ in range(1000):
        globex.put(replace(acme.row(), id=uuid4(), vector=near.vector))
    with pytest.raises(IsolationViolation):
        pair.globex.search(vector=near.vector, k=6)


def test_the_same_name_and_id_sealed_for_another_installation(lone_pair: Pair, tmp_path: Path) -> None:
    with open_stage(tmp_path / "other", "memory") as other:
        theirs = other.pair().fill()
        row = Vandal(other, theirs.globex).row_of("T-1")
    own = Vandal(lone_pair.stage, lone_pair.globex)
    own.put(replace(row, id=own.row_of("T-1").id))
    with pytest.raises(UnknownKey):
        lone_pair.globex.search("refund", k=100)
    with pytest.raises(UnknownKey):
        lone_pair.globex.get("T-1")


def test_a_row_of_a_deleted_tenant_put_into_another_one(lone_pair: Pair) -> None:
    acme, globex = Vandal(lone_pair.stage, lone_pair.acme), Vandal(lone_pair.stage, lone_pair.globex)
    row = acme.row()
    lone_pair.stage.store.delete_tenant("acme").raise_if_incomplete()
    globex.put(row)
    hits = lone_pair.globex.search("refund", k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(1, 9)}
    reborn = lone_pair.stage.store.tenant("acme", create=True, actor=ACME).collection(Ticket, name=lone_pair.name)
    reborn.ingest([text(number, "reborn") for number in range(1, 4)])
    Vandal(lone_pair.stage, reborn).put(row)
    hits = reborn.search("refund", k=100)
    assert (len(hits), ACME_MARK in texts_of(hits)) == (3, False)
    assert reborn.count() == 3


# -- points under keys that are destroyed ----------------------------------------------------------------------------


def kill_keys(pair: Pair) -> None:
    """Destroy the data keys of one tenant's collection, whose records are not due."""
    keys, scope = pair.stage.store.runtime.keys, pair.acme._scope
    epochs = {
        each.epoch for each in keys.list_keys(tenant=scope.tenant, kind="dek") if each.collection == scope.collection
    }
    for epoch in epochs:
        assert keys.destroy_epoch(scope.tenant, scope.collection, epoch).key_ids


def test_the_id_of_a_dead_key_on_a_record_that_is_not_due_is_a_violation_and_not_an_absence(quiet: Pair) -> None:
    """A store could hide any record by giving it the id of a key that died, and nobody would count it."""
    kill_keys(quiet)
    with pytest.raises(IsolationViolation):
        quiet.acme.search("refund", k=3)
    with pytest.raises(IsolationViolation):
        quiet.acme.get("T-1")


def test_a_point_whose_key_died_while_it_was_read_and_that_is_gone_is_no_violation(quiet: Pair) -> None:
    """Sealed anew under another key, replaced or deleted by another process: the store had answered before."""
    trap, namespace = quiet.stage.trap, quiet.acme._scope.namespace
    held = trap.inner.scan(namespace=namespace, where=None, cursor=None, limit=100).points
    kill_keys(quiet)
    trap.inner.delete(namespace=namespace, ids=[point.id for point in held])
    trap.edit = lambda found: list(held)
    hits = quiet.acme.search("refund", k=3)
    assert (len(hits), hits.violations) == (0, 0)


def test_a_due_record_under_a_dead_key_is_passed_over(quiet: Pair) -> None:
    quiet.stage.time.forward(181 * DAY_MS)
    kill_keys(quiet)
    hits = quiet.acme.search("refund", k=3)
    assert (len(hits), hits.violations) == (0, 0)


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Pair]:
    with open_stage(tmp_path, "memory") as stage:
        stage.store._caretaker.stop()
        yield stage.pair().fill()
