"""P2: what the store answers is not believed. A row that does not open in its place is dropped, counted, audited and
made up for; reading it by id raises; a key or format nobody knows raises; an answer that is mostly wrong raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import securevec as sv
from securevec.attack import tamper as forge
from securevec.attack.rows import Vandal, stored
from securevec.attack.tamper import Forgery
from securevec.errors import (
    EnvelopeRejected,
    IsolationViolation,
    RecordNotFound,
    SecurevecError,
    UnknownEnvelope,
    UnknownKey,
)
from securevec.testing.lying import Lie
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, DAY_MS, GLOBEX_MARK, Pair, open_stage, text, texts_of
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

FORGERIES: dict[str, Callable[[Pair], Forgery]] = {
    "a foreign row under its own id": forge.copy_under_its_own_id,
    "a foreign row under a new id": forge.copy_under_a_new_id,
    "a foreign row over an own one": forge.copy_over_an_own_row,
    "three foreign rows with the tags of this place": forge.relabel_the_tags,
    "a foreign body in an own row": forge.foreign_body_in_an_own_row,
    "the bodies of two own rows swapped": forge.swap_two_bodies,
    "an own row under a new id": forge.own_row_under_a_new_id,
    "body and vault exchanged": forge.exchange_body_and_vault,
    "an old generation put back": forge.put_an_old_generation_back,
    "an old body in the new row": forge.old_body_in_the_new_row,
    "a deleted record put back": forge.put_a_deleted_record_back,
    "a row of another collection of the tenant": forge.row_of_another_collection_of_the_tenant,
    "a body of another collection of the tenant": forge.body_of_another_collection_of_the_tenant,
}
EDITED_BODIES: dict[str, Callable[[Pair], Forgery]] = {
    "plaintext JSON": forge.edited_body(lambda body: '{"v":1,"r":["s","T-1"],"g":1,"n":0,"of":1}'),
    "no body": forge.edited_body(lambda body: None),
    "an empty body": forge.edited_body(lambda body: ""),
    "a number": forge.edited_body(lambda body: 7),
    "a boolean": forge.edited_body(lambda body: True),
    "garbage": forge.edited_body(lambda body: "\u00e9\u00e9 not base64 \x00"),
    "base64 of garbage": forge.edited_body(lambda body: forge.encoded(b"garbage" * 20)),
    "header only": forge.edited_body(lambda body: forge.encoded(body[:36])),
    "one byte short": forge.edited_body(lambda body: forge.encoded(body[:-1])),
    "one byte more": forge.edited_body(lambda body: forge.encoded(body + b"\x00")),
    "a flipped bit in the nonce": forge.edited_body(forge.flipped(30)),
    "a flipped bit in the text": forge.edited_body(forge.flipped(60)),
    "a flipped bit in the tag": forge.edited_body(forge.flipped(-1)),
    "another magic": forge.edited_body(forge.flipped(0)),
    "another spelling of the same bytes": forge.edited_body(forge.second_spelling),
}
UNREADABLE: dict[str, tuple[type[SecurevecError], Callable[[Pair], Forgery]]] = {
    "a key nobody has": (UnknownKey, forge.edited_body(forge.with_key_id)),
    "version 2": (UnknownEnvelope, forge.edited_body(lambda body: forge.with_version(body, 2))),
    "version 0": (UnknownEnvelope, forge.edited_body(lambda body: forge.with_version(body, 0))),
    "another suite": (UnknownEnvelope, forge.edited_body(lambda body: forge.with_suite(body, 9))),
    "a flag": (UnknownEnvelope, forge.edited_body(forge.with_flags)),
}


def assert_own_and_counted(pair: Pair, done: Forgery) -> None:
    """Only own, unaltered, current records are answered, and the audit log counts the rest."""
    hits = pair.globex.search("refund", k=100)
    assert ACME_MARK not in texts_of(hits)
    assert hits.violations == done.violations
    for hit in hits:
        assert pair.globex.get(hit.id).body == hit.record.body
    assert len({hit.id for hit in hits}) == len(hits)
    searched = next(entry for entry in reversed(pair.stage.audit(50)) if entry["request_id"] == hits.request_id)
    assert searched["counts"]["violations"] == done.violations


@pytest.mark.parametrize("name", FORGERIES)
def test_a_row_that_does_not_belong_is_dropped_counted_and_audited(pair: Pair, name: str) -> None:
    done = FORGERIES[name](pair)
    assert_own_and_counted(pair, done)
    assert {hit.id for hit in pair.acme.search("refund", k=100)} <= {f"T-{number}" for number in range(1, 9)}


@pytest.mark.parametrize("name", EDITED_BODIES)
def test_a_body_that_does_not_open_is_dropped_counted_and_audited(lone_pair: Pair, name: str) -> None:
    assert_own_and_counted(lone_pair, EDITED_BODIES[name](lone_pair))
    lost = {f"T-{number}" for number in range(1, 9)} - {hit.id for hit in lone_pair.globex.search("refund", k=100)}
    assert len(lost) == 1
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get(lost.pop())
    assert lone_pair.stage.audit()[0]["error"] == "IsolationViolation"


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_key_or_a_format_nobody_knows_is_an_error_and_no_shorter_answer(pair: Pair, name: str) -> None:
    error, forgery = UNREADABLE[name]
    forgery(pair)
    with pytest.raises(error):
        pair.globex.search("refund", k=100)
    failed = pair.stage.audit()[0]
    assert (failed["outcome"], failed["error"]) == ("failed", error.__name__)
    assert len(pair.acme.search("refund", k=100)) == 8


# -- edited hints ----------------------------------------------------------------------------------------------------


def test_a_clear_filter_copy_edited_to_match(pair: Pair) -> None:
    globex = Vandal(pair.stage, pair.globex)
    globex.put(globex.row_of("T-2").but(f_status="open"))
    hits = pair.globex.search("refund", where=sv.F("status") == "open", k=100)
    assert {hit.id for hit in hits} == {"T-1", "T-3", "T-5", "T-7"}
    assert hits.violations == 1
    assert pair.globex.get("T-2").status == "closed"


def test_a_clear_date_edited_to_match(pair: Pair) -> None:
    globex = Vandal(pair.stage, pair.globex)
    globex.put(globex.row_of("T-2").but(f_opened=2**45))
    hits = pair.globex.search("refund", where=sv.F("opened") >= datetime(2026, 1, 3, tzinfo=UTC), k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(2, 9)}
    hits = pair.globex.search("refund", where=sv.F("opened") > datetime(2026, 1, 3, tzinfo=UTC), k=100)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(3, 9)}
    assert hits.violations == 1


def test_an_expiry_hint_moved_ahead_does_not_serve_an_expired_record(lone_pair: Pair) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    for row in globex.rows():
        globex.put(row.but(x=2**50))
    lone_pair.stage.time.forward(181 * DAY_MS)
    hits = lone_pair.globex.search("refund", k=100)
    assert (len(hits), hits.violations) == (0, 0)
    with pytest.raises(RecordNotFound):
        lone_pair.globex.get("T-2")
    assert lone_pair.globex.count() == 0


def test_an_expiry_hint_removed_does_not_serve_an_expired_record(lone_pair: Pair) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    for row in globex.rows():
        globex.put(row.but(x=None))
    lone_pair.stage.time.forward(181 * DAY_MS)
    assert len(lone_pair.globex.search("refund", k=100)) == 0


def test_an_expiry_hint_moved_back_does_not_make_a_record_expire(lone_pair: Pair) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    globex.put(globex.row_of("T-2").but(x=1))
    assert lone_pair.globex.get("T-2").id == "T-2"
    assert lone_pair.globex.count() == 8
    # The hint is asked for only where due records stood in the way of an answer, so alone it hides nothing.
    assert len(lone_pair.globex.search("refund", k=100)) == 8


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


# -- answers that lie ------------------------------------------------------------------------------------------------


def foreign_points(pair: Pair, count: int) -> list[StoredPoint]:
    return [stored(row) for row in Vandal(pair.stage, pair.acme).rows()[:count]]


def test_a_point_answered_twice_is_one_hit(lone_pair: Pair) -> None:
    lone_pair.stage.trap.edit = lambda found: [point for point in found for _ in range(3)]
    hits = lone_pair.globex.search("refund", k=100)
    assert (len(hits), hits.violations) == (8, 0)
    assert len(lone_pair.globex.search("refund", k=3)) == 3


def test_half_of_the_answer_foreign_is_dropped_and_made_up_for(pair: Pair) -> None:
    acme, globex = Vandal(pair.stage, pair.acme), Vandal(pair.stage, pair.globex)
    near = globex.row_of("T-1").vector
    for _ in range(4):
        globex.put(replace(acme.row(), id=uuid4(), vector=near))
    hits = pair.globex.search(vector=near, k=8)
    assert len(hits) == 8
    assert hits.violations == 4
    assert ACME_MARK not in texts_of(hits)
    searched = next(entry for entry in reversed(pair.stage.audit(5)) if entry["request_id"] == hits.request_id)
    assert searched["counts"] == {"hits": 8, "violations": 4, "dropped": 0}


def test_more_than_half_of_the_answer_foreign_stops_the_search(lone_pair: Pair) -> None:
    trap = lone_pair.stage.trap
    trap.edit = lambda found: [*foreign_points(lone_pair, 5), *found[:4]]
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=8)
    assert lone_pair.stage.audit()[0]["error"] == "IsolationViolation"
    trap.edit = lambda found: [*foreign_points(lone_pair, 4), *found[:4]]
    assert lone_pair.globex.search("refund", k=8).violations == 4


def test_a_store_that_answers_with_foreign_points_only(lone_pair: Pair) -> None:
    lone_pair.stage.trap.lie = Lie.FOREIGN
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=3)
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get("T-1")
    assert lone_pair.globex.count() == 8


def test_a_store_that_answers_from_every_namespace(lone_pair: Pair) -> None:
    lone_pair.stage.trap.lie = Lie.IGNORE_NAMESPACE
    hits = lone_pair.globex.search(f"refund {GLOBEX_MARK}", k=4)
    assert len(hits) == 4
    assert ACME_MARK not in texts_of(hits)
    assert GLOBEX_MARK in lone_pair.globex.get("T-1").body


def test_a_store_that_ignores_the_filter(lone_pair: Pair) -> None:
    lone_pair.stage.trap.lie = Lie.IGNORE_FILTER
    hits = lone_pair.globex.search("refund", where=sv.F("status") == "open", k=8)
    assert {hit.id for hit in hits} == {"T-1", "T-3", "T-5", "T-7"}
    assert hits.violations == 4


@pytest.mark.parametrize("lie", [Lie.SWAP, Lie.CORRUPT])
def test_a_store_that_alters_every_answer(lone_pair: Pair, lie: Lie) -> None:
    lone_pair.stage.trap.lie = lie
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=8)
    with pytest.raises(IsolationViolation):
        lone_pair.globex.get("T-1")


@pytest.mark.parametrize("lie", [Lie.RELABEL, Lie.DUPLICATE, Lie.RESURRECT])
def test_a_store_that_lies_about_what_is_readable_changes_no_answer(lone_pair: Pair, lie: Lie) -> None:
    honest = [(hit.id, hit.text, hit.record) for hit in lone_pair.globex.search("refund", k=8)]
    lone_pair.stage.trap.lie = lie
    assert [(hit.id, hit.text, hit.record) for hit in lone_pair.globex.search("refund", k=8)] == honest


def test_an_old_answer_repeated_after_the_records_were_deleted(lone_pair: Pair) -> None:
    trap = lone_pair.stage.trap
    assert len(lone_pair.globex.search("refund", k=8)) == 8
    lone_pair.globex.get("T-1")
    lone_pair.globex.delete([f"T-{number}" for number in range(1, 9)])
    trap.lie = Lie.REPLAY
    with pytest.raises(IsolationViolation):
        lone_pair.globex.search("refund", k=8)
    with pytest.raises(RecordNotFound):
        lone_pair.globex.get("T-1")


def test_a_store_that_returns_the_deleted(lone_pair: Pair) -> None:
    lone_pair.globex.delete(["T-1", "T-2"])
    lone_pair.stage.trap.lie = Lie.RESURRECT
    hits = lone_pair.globex.search("refund", k=8)
    assert {hit.id for hit in hits} == {f"T-{number}" for number in range(3, 9)}
    assert hits.violations == 2


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


# -- long records ----------------------------------------------------------------------------------------------------

LONG = " ".join(f"Sentence {number} speaks of the waiting room." for number in range(120))


def test_the_first_chunk_of_a_long_record_replaced_by_another_records(lone_pair: Pair) -> None:
    globex = Vandal(lone_pair.stage, lone_pair.globex)
    lone_pair.globex.ingest([ticket(50, LONG)])
    assert len(lone_pair.globex.search("sentence waiting room", k=2)) == 2
    globex.put(replace(globex.row_of("T-1"), id=globex.row_of("T-50").id))
    hits = lone_pair.globex.search("sentence waiting room", k=50)
    assert "T-50" not in {hit.id for hit in hits}
    assert hits.violations > 1


# -- the vault -------------------------------------------------------------------------------------------------------

VAULTS: dict[str, Callable[[Vandal, Vandal], object]] = {
    "missing": lambda own, foreign: None,
    "of another record": lambda own, foreign: own.row_of("T-2").payload["v"],
    "of another tenant": lambda own, foreign: foreign.row_of("T-1").payload["v"],
    "the body again": lambda own, foreign: own.row_of("T-1").payload["b"],
    "plaintext": lambda own, foreign: '{"v":1,"f":{"body":["eve@example.com"]}}',
}


@pytest.mark.parametrize("name", VAULTS)
def test_a_vault_that_is_not_this_records_restores_nothing(lone_pair: Pair, name: str) -> None:
    own, foreign = Vandal(lone_pair.stage, lone_pair.globex), Vandal(lone_pair.stage, lone_pair.acme)
    hits = lone_pair.globex.search("refund case 1", where=sv.F("opened") == datetime(2026, 1, 2, tzinfo=UTC), k=1)
    assert [hit.id for hit in hits] == ["T-1"]
    assert hits.restore("[EMAIL_1]") == "person1@example.com"
    vault = VAULTS[name](own, foreign)
    assert vault is None or isinstance(vault, str)
    own.put(own.row_of("T-1").but(v=vault))
    with pytest.raises(EnvelopeRejected):
        hits.restore("[EMAIL_1]")


def test_a_vault_of_an_older_generation_restores_nothing(lone_pair: Pair) -> None:
    own = Vandal(lone_pair.stage, lone_pair.globex)
    old = own.row_of("T-1").payload["v"]
    lone_pair.globex.ingest([text(1, GLOBEX_MARK) | {"body": "refund, write to somebody.else@example.com"}])
    hits = lone_pair.globex.search("refund somebody", where=sv.F("opened") == datetime(2026, 1, 2, tzinfo=UTC), k=1)
    own.put(own.row_of("T-1").but(v=old))
    with pytest.raises(EnvelopeRejected):
        hits.restore("[EMAIL_1]")


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
