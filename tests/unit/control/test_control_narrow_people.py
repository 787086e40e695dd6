"""What an erasure hides and refuses, and nothing beside it; and nothing that one tenant does moves a row of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from securevec.control.rows import JobItem, NewRecord
from securevec.control.subjects import people_in
from securevec.errors import ControlUnavailable, SubjectErased
from securevec.types import Token
from tests.unit.control.desk import COLLECTION, JANE, LEASE, NOW, OTHER, SAM, TENANT, Desk, collection_row, erase, ref
from tests.unit.control.neighbour import HOUSE, KIM, NEIGHBOUR, PART

EARLY, LATE = NOW - 5, NOW + 5
REFS = [ref(number) for number in range(1, 10)]


def row(number: int, *, about: Sequence[bytes] = (), mentions: Sequence[bytes] = (), at: int = EARLY) -> NewRecord:
    made = NewRecord(ref(number), number, b"d" * 16, None, "r0/never", ingested_ms=at)
    return replace(made, about=tuple(about), mentions=tuple(mentions))


def lists(desk: Desk, *numbers: int) -> None:
    """A job of another kind is to delete these records, in the generation that lives."""
    items = [JobItem(COLLECTION, ref(each), desk.live(each) or 0, each, "delete") for each in numbers]
    desk.list_for_retention("listed", *items)


def filled(desk: Desk) -> None:
    """1 is of nobody, 2 about Jane, 4 and 5 mention her, 6 is about Sam; 3 mentioned her before it was replaced."""
    desk.put(row(1), now_ms=EARLY)
    desk.put(
        row(2, about=[JANE]), row(3, mentions=[JANE]), row(4, mentions=[JANE], at=NOW), row(7), row(8), now_ms=EARLY
    )
    desk.put(row(5, mentions=[JANE]), row(6, about=[SAM]), now_ms=EARLY)


def hidden(desk: Desk) -> set[tuple[int, int]]:
    found = desk.store.hidden_records(TENANT, COLLECTION, REFS)
    return {(int.from_bytes(each, "big"), generation) for each, generation in found}


def test_people_are_found_in_what_lives_and_waited_for_in_what_travels(desk: Desk) -> None:
    filled(desk)
    replaced = desk.put(row(3), finished=False, now_ms=EARLY)
    deleted, _ = desk.delete(7, now_ms=EARLY)
    coming, _ = desk.begin(row(2), now_ms=EARLY)
    found = desk.store.subject_records(TENANT, [JANE])
    assert [(each.ref, each.generation, each.n_chunks, each.about) for each in found] == [
        (ref(2), 2, 2, True),
        (ref(4), 2, 4, False),
        (ref(5), 3, 5, False),
    ]
    assert desk.store.carrying_in_transit(TENANT, [JANE]) == {replaced: COLLECTION}
    assert {deleted, coming} <= {batch.request_id for batch in desk.batches(now_ms=NOW, expired_only=False)}
    tokens = {number: desk.store.record_tokens(COLLECTION, ref(number), desk.live(number) or 0) for number in range(7)}
    assert tokens == {0: {}, 1: {}, 2: {JANE: True}, 3: {}, 4: {JANE: False}, 5: {JANE: False}, 6: {SAM: True}}


def test_an_erasure_hides_what_was_there_of_its_people_and_nothing_else(desk: Desk) -> None:
    filled(desk)
    desk.put(row(3), finished=False, now_ms=EARLY)
    assert hidden(desk) == set(), "the neighbour's erasures name these very records"
    erase(desk, JANE)
    lists(desk, 1)
    assert hidden(desk) == {(2, 2), (4, 2), (5, 3)}
    desk.put(row(8, mentions=[JANE], at=LATE), now_ms=LATE)
    assert hidden(desk) == {(2, 2), (4, 2), (5, 3)}, "what was read since is not hidden"
    desk.put(row(2, at=LATE), now_ms=LATE)
    assert hidden(desk) == {(2, 2), (4, 2), (5, 3)}, "nor what was written in the place of what is deleted"
    redacted = desk.store.begin_batch(
        tenant=TENANT,
        collection=COLLECTION,
        request_id="redacted",
        writer="w",
        fence=1,
        rows=[row(5)],
        lease_until_ms=LATE + LEASE,
        now_ms=LATE,
        expect={ref(5): 3},
        erasing=True,
    )
    desk.store.commit_batch(request_id="redacted", fence=1, erasing=True)
    assert hidden(desk) == {(2, 2), (4, 2), (5, 3)}, "nor what is left of a record without them"
    assert desk.live(5) == redacted[ref(5)]


def test_an_erasure_is_dated_by_the_records_it_lists(desk: Desk) -> None:
    desk.put(row(2, about=[JANE]), now_ms=EARLY)
    assert erase(desk, JANE, now_ms=EARLY).created_ms == EARLY, "the neighbour's records of these refs are newer"


def test_a_batch_is_refused_for_the_people_of_its_own_records_alone(desk: Desk) -> None:
    filled(desk)
    of_jane, _ = desk.begin(row(9, mentions=[JANE], at=NOW))
    of_sam, _ = desk.begin(row(8, mentions=[SAM], at=NOW), row(5, at=NOW))
    in_her_place, _ = desk.begin(row(2, at=NOW))
    erase(desk, JANE, now_ms=NOW)
    for refused in (of_jane, in_her_place):
        with pytest.raises(SubjectErased):
            desk.store.commit_batch(request_id=refused, fence=1)
    assert desk.store.commit_batch(request_id=of_sam, fence=1)
    with pytest.raises(SubjectErased):
        desk.begin(row(1, mentions=[JANE], at=NOW))
    # Read after the erasure was accepted, and written after its fence has ended.
    desk.put(row(1, mentions=[JANE], at=NOW + 1), now_ms=NOW + 1)


def test_a_declared_name_keeps_writers_from_the_records_it_leads_to_and_from_no_others(desk: Desk) -> None:
    desk.store.create_collection(collection_row(OTHER, name=b"another-name...."))
    filled(desk)
    beside, _ = desk.begin(row(7, at=NOW), row(6, at=NOW))
    in_her_place, _ = desk.begin(row(2, at=NOW))
    elsewhere: dict[str, Any] = {"tenant": TENANT, "collection": OTHER, "writer": "w", "fence": 1, "now_ms": NOW}
    desk.store.begin_batch(**elsewhere, request_id="elsewhere", rows=[row(2, at=NOW)], lease_until_ms=LATE)
    erase(desk, shared=(JANE,), now_ms=NOW)
    with pytest.raises(SubjectErased):
        desk.store.commit_batch(request_id=in_her_place, fence=1)
    desk.store.abort_batch(request_id=in_her_place)
    desk.store.commit_batch(request_id=beside, fence=1)
    desk.store.commit_batch(request_id="elsewhere", fence=1)
    with pytest.raises(SubjectErased):
        desk.begin(row(2, at=NOW))
    desk.store.begin_batch(**elsewhere, request_id="again", rows=[row(2, at=NOW)], lease_until_ms=LATE)
    desk.put(row(2, at=NOW + 1), now_ms=NOW + 1)
    desk.store.finish_job("erasure", receipt=b"receipt", now_ms=LATE)
    assert not desk.store.erasing(TENANT)


def test_a_job_that_erases_nobody_hides_and_refuses_nothing(desk: Desk) -> None:
    filled(desk)
    coming, _ = desk.begin(row(1, at=EARLY))
    lists(desk, 1, 2, 7)
    desk.store.commit_batch(request_id=coming, fence=1)
    desk.put(row(7, at=EARLY), now_ms=EARLY)
    assert (hidden(desk), desk.store.erasing(TENANT)) == (set(), False)


TABLES = (
    *("manifest", "transit", "record_subject", "subject_token", "name_part"),
    *("batch", "job", "job_item", "tombstone", "hold"),
)


def everything(desk: Desk) -> dict[str, list[Any]]:
    """Every row of the neighbour."""
    places = {
        "collection_no": f"SELECT collection_no FROM collection WHERE collection = '{HOUSE}'",
        "tenant_no": f"SELECT tenant_no FROM tenant WHERE tenant = '{NEIGHBOUR}'",
        "tenant": f"'{NEIGHBOUR}'",
        "job_id": f"SELECT job_id FROM job WHERE tenant = '{NEIGHBOUR}'",
    }
    found: dict[str, list[Any]] = {}
    for table in TABLES:
        columns = {name for _, name, *_ in desk.sql(f"PRAGMA table_info({table})")}
        column = next(each for each in places if each in columns)
        found[table] = sorted(desk.sql(f"SELECT * FROM {table} WHERE {column} IN ({places[column]})"), key=repr)
    found["people"] = [*desk.store.subject_records(NEIGHBOUR, [JANE, SAM, KIM])]
    return found


def test_nothing_that_one_tenant_does_moves_a_row_of_another(desk: Desk) -> None:
    before = everything(desk)
    assert [len(before[table]) for table in TABLES] == [9, 9, 18, 3, 2, 1, 2, 2, 2, 4]
    filled(desk)
    desk.put(row(3), row(4, mentions=[SAM]), now_ms=EARLY)
    waiting, _ = desk.begin(row(8, about=[SAM]))
    given_up, _ = desk.begin(row(9, about=[JANE]))
    desk.store.abort_batch(request_id=given_up)
    desk.store.finish_batch(request_id=given_up)
    desk.store.extend_lease(waiting, LATE)
    request, rows = desk.delete(1, 2, 4)
    assert [each.ref for each in rows] == [ref(1), ref(2), ref(4)]
    desk.store.finish_batch(request_id=request)
    desk.store.commit_batch(request_id=waiting, fence=1)
    desk.store.finish_batch(request_id=waiting)
    desk.store.forget_tokens(TENANT, [JANE, SAM, KIM])
    lists(desk, 5)
    desk.store.note_job_error("listed", error="BackendError", now_ms=NOW)
    assert desk.store.lease_job("listed", owner="w", until_ms=LATE, now_ms=NOW)
    desk.store.finish_job("listed", receipt=b"receipt", now_ms=NOW)
    assert everything(desk) == before
    assert [number for number in range(1, 10) if desk.live(number)] == [3, 5, 6, 7, 8]
    with pytest.raises(ControlUnavailable):
        desk.store.commit_batch(request_id=given_up, fence=1)


def parts(desk: Desk) -> dict[tuple[bytes, bytes], bytes]:
    found = desk.sql(
        "SELECT p.part, s.token, p.stand_in FROM name_part p JOIN subject_token s ON s.subject_no = p.person_no"
        " JOIN tenant t ON t.tenant_no = p.tenant_no WHERE t.tenant = ?",
        TENANT,
    )
    return {(part, person): text for part, person, text in found}


def test_parts_of_names_are_said_of_one_person_and_tokens_moved_of_one_tenant(desk: Desk) -> None:
    filled(desk)
    before, initial = everything(desk), PART[::-1]
    said = {(PART, JANE): b"jane", (PART, SAM): b"sam", (initial, JANE): b"j"}
    people = [(JANE, "EMAIL"), (SAM, "EMAIL")]
    desk.store.add_tokens(TENANT, people, [(*place, text) for place, text in said.items()], fence=1)
    assert desk.store.token_entities(TENANT) == {"EMAIL"}
    desk.store.say_parts(TENANT, [(PART, SAM, b"said")], fence=1)
    assert parts(desk) == said | {(PART, SAM): b"said"}
    assert desk.store.restate_parts(TENANT, lambda text, part: text.replace(b"said", b"anew")) == 1
    assert parts(desk) == said | {(PART, SAM): b"anew"}

    def lift(token: Token) -> Token:
        return Token(bytes(each ^ 1 for each in token))

    job = erase(desk, JANE)
    desk.store.lift_tokens(TENANT, 2, lift, lambda text, part, following: text, now_ms=NOW, alone=True)
    assert [people_in(each.data) for each in desk.jobs() if each.job_id == job.job_id] == [[lift(Token(JANE))]]
    lifted = {(lift(Token(part)), lift(Token(person))): text for (part, person), text in said.items()}
    assert parts(desk) == lifted | {(lift(Token(PART)), lift(Token(SAM))): b"anew"}
    assert everything(desk) == before


def test_forgetting_a_person_whom_a_record_still_carries_keeps_every_part_of_the_name(desk: Desk) -> None:
    filled(desk)
    gone = b"gone".ljust(16, b".")
    desk.store.add_tokens(TENANT, [(JANE, "PERSON"), (gone, "PERSON")], [(PART, JANE, b"j"), (PART, gone, b"g")])
    assert desk.store.forget_tokens(TENANT, [JANE, gone]) == 1
    assert parts(desk) == {(PART, JANE): b"j"}
