"""Pages, iteration, counts and existence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import securevec as sv
from securevec.errors import FilterError, LimitExceeded, QueryError
from securevec.filters import Expr
from tests.support.world import Ticket, World, ticket

EVERY = {f"T-{number}" for number in range(1, 13)}
OPEN = {f"T-{number}" for number in range(1, 13, 2)}


@pytest.mark.parametrize("limit", [1, 3, 5, 11, 12, 13, 1000])
def test_pages_of_any_size_show_every_record_once(filled: World, limit: int) -> None:
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        page = filled.acme.page(cursor=cursor, limit=limit)
        assert len(page.records) == limit or page.cursor is None
        assert page.violations == 0
        seen += [record.id for record in page.records]
        cursor, pages = page.cursor, pages + 1
    assert sorted(seen) == sorted(EVERY)
    assert pages == -(-12 // limit)


@pytest.mark.parametrize("limit", [1, 2, 6, 100])
def test_a_filter_on_pages_is_judged_record_by_record(filled: World, limit: int) -> None:
    assert {record.id for record in filled.acme.iter(sv.F("status") == "open", page_size=limit)} == OPEN
    later = datetime(2026, 1, 9, tzinfo=UTC)
    assert {record.id for record in filled.acme.iter((sv.F("opened") >= later) & (sv.F("status") == "closed"))} == {
        "T-8",
        "T-10",
        "T-12",
    }
    assert list(filled.acme.iter(sv.F("status") == "nowhere")) == []


def test_records_come_typed_and_anonymized(filled: World) -> None:
    filled.acme.ingest([ticket(20, "Write to jane.roe@example.com about it.")])
    records = {record.id: record for record in filled.acme.iter()}
    assert isinstance(records["T-1"], Ticket)
    assert records["T-20"].opened == datetime(2026, 1, 21, tzinfo=UTC)
    assert records["T-20"] == filled.acme.get("T-20")
    assert "jane.roe@example.com" not in records["T-20"].body


def test_a_cursor_continues_where_it_stopped_while_others_write(filled: World) -> None:
    first = filled.acme.page(limit=5)
    seen = [record.id for record in first.records]
    waiting = sorted(EVERY - set(seen))
    # Replaced, deleted and added while the listing stands still.
    filled.acme.ingest([ticket(int(name[2:]), "replaced") for name in (*seen, waiting[0])])
    filled.acme.delete(waiting[1])
    filled.acme.ingest([ticket(number, "added") for number in range(100, 120)])
    cursor = first.cursor
    while cursor is not None:
        page = filled.acme.page(cursor=cursor, limit=5)
        seen += [record.id for record in page.records]
        cursor = page.cursor
    assert len(seen) == len(set(seen))
    assert set(seen) >= EVERY - {waiting[1]}
    assert waiting[1] not in seen


def test_a_cursor_outlives_its_record_and_its_process(filled: World) -> None:
    first = filled.acme.page(limit=4)
    filled.acme.delete([record.id for record in first.records])
    rest = filled.acme.page(cursor=first.cursor, limit=100)
    assert {record.id for record in rest.records} == EVERY - {record.id for record in first.records}


def test_iterating_goes_on_when_what_was_shown_is_replaced_or_deleted(filled: World) -> None:
    seen: list[str] = []
    for record in filled.acme.iter(page_size=2):
        seen.append(record.id)
        filled.acme.delete(record.id)
    assert sorted(seen) == sorted(EVERY)
    assert filled.acme.count() == 0
    assert list(filled.acme.iter()) == []


def test_a_page_of_nothing(world: World) -> None:
    page = world.acme.page()
    assert (page.records, page.cursor, page.violations) == ((), None, 0)


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "3", 1001])
def test_a_senseless_page_size_is_refused_before_anything_is_read(filled: World, limit: int) -> None:
    with pytest.raises((QueryError, LimitExceeded)):
        filled.acme.page(limit=limit)
    with pytest.raises((QueryError, LimitExceeded)):
        filled.acme.iter(page_size=limit)


def test_counting_by_a_filter(filled: World) -> None:
    assert filled.acme.count() == 12
    assert filled.acme.count(sv.F("status") == "open") == filled.acme.count(where=sv.F("status") == "open") == 6
    assert filled.acme.count(~(sv.F("status") == "open")) == 6
    assert filled.acme.count(sv.F("status") == "nowhere") == 0
    filled.acme.delete("T-1")
    assert filled.acme.count(sv.F("status") == "open") == 5
    assert filled.globex.count(sv.F("status") == "open") == 1


@pytest.mark.parametrize(
    "where",
    [sv.F("body") == "x", sv.F("nothing") == 1, sv.F("status") == 3, sv.F("opened") == "yesterday"],
    ids=["not a filter field", "undeclared", "another type", "text for a time"],
)
def test_a_filter_that_cannot_be_asked_is_refused(filled: World, where: Expr) -> None:
    with pytest.raises(FilterError):
        filled.acme.count(where)
    with pytest.raises(FilterError):
        filled.acme.page(where=where)
    with pytest.raises(FilterError):
        list(filled.acme.iter(where))


def test_existence_follows_the_record(filled: World) -> None:
    assert filled.acme.exists("T-2")
    assert not filled.globex.exists("T-2")
    assert not filled.acme.exists("T-999")
    filled.acme.delete("T-2")
    assert not filled.acme.exists("T-2")


def test_a_long_record_is_listed_once(world: World) -> None:
    body = " ".join(f"Sentence {number} speaks of the waiting room." for number in range(200))
    world.acme.ingest([ticket(1, body), ticket(2, "short")])
    chunks = world.store.runtime.control.count_live(world.acme.id, now_ms=0)[1]
    assert chunks > 5
    assert sorted(record.id for record in world.acme.iter(page_size=1)) == ["T-1", "T-2"]
    assert world.acme.count(sv.F("status").exists()) == 2


def test_large_records_come_fewer_at_a_time_and_all_come(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [row.size for row in filled.store.runtime.control.live_after(filled.acme.id, b"", limit=100, now_ms=0)]
    for module in ("walk", "pages"):
        monkeypatch.setattr(f"securevec.verbs.{module}.SHEET_BYTES", 3 * max(sizes))
    page = filled.acme.page(limit=12)
    assert 3 <= len(page.records) < 12
    assert page.cursor is not None
    assert sorted(record.id for record in filled.acme.iter()) == sorted(EVERY)
    assert {record.id for record in filled.acme.iter(sv.F("status") == "open")} == OPEN
    assert filled.acme.count(sv.F("status").exists()) == 12
    monkeypatch.setattr("securevec.verbs.walk.SHEET_BYTES", 1)
    assert filled.acme.count(sv.F("status").exists()) == 12
