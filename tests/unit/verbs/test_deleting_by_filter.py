"""Deletion by ids or by a filter: what is meant, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest

import securevec as sv
from securevec import limits
from securevec.errors import FilterError, UsageError
from tests.support.world import World, ticket

OPEN = sv.F("status") == "open"


def test_what_matches_is_gone_and_read_back_as_gone(filled: World) -> None:
    report = filled.acme.delete(where=OPEN)
    assert (report.deleted, report.missing, report.violations) == (6, 0, 0)
    assert {record.id for record in filled.acme.iter()} == {f"T-{number}" for number in range(2, 13, 2)}
    assert filled.acme.count() == 6
    backend = filled.store.runtime.backend()
    assert backend.count(namespace=filled.acme._scope.namespace) == 6
    assert filled.globex.count() == 1
    assert filled.acme.delete(where=OPEN).deleted == 0


def test_more_than_a_batch_is_deleted_under_several_intents(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securevec.verbs.delete_where.MAX_BATCH", 4)
    report = filled.acme.delete(where=sv.F("status").exists())
    assert report.deleted == 12
    assert len(report.request_ids) == 3
    assert limits.MAX_BATCH == 256


@pytest.mark.parametrize("arguments", [{}, {"where": None}, {"record_ids": None}, {"record_ids": "T-1", "where": OPEN}])
def test_a_deletion_of_nothing_named_is_refused(filled: World, arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        filled.acme.delete(**arguments)
    assert filled.acme.count() == 12


def test_an_empty_list_of_ids_deletes_nothing(filled: World) -> None:
    assert filled.acme.delete([]).deleted == 0
    assert filled.acme.delete(()).deleted == 0
    assert filled.acme.count() == 12


@pytest.mark.parametrize("where", [sv.F("body") == "x", sv.F("status") == 3, "status == open", True, {}])
def test_a_filter_that_cannot_be_judged_deletes_nothing(filled: World, where: Any) -> None:
    with pytest.raises(FilterError):
        filled.acme.delete(where=where)
    assert filled.acme.count() == 12


def test_a_deleted_record_can_be_written_again(filled: World) -> None:
    filled.acme.delete(where=OPEN)
    report = filled.acme.ingest([ticket(1, "back again")])
    assert report.new == 1
    assert filled.acme.get("T-1").body == "back again"
