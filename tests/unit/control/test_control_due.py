"""What is due to the millisecond: at its end, at its maximum age, and not before a minimum has passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from securevec.errors import RetentionConflict
from tests.unit.control.desk import NOW, OTHER, TENANT, Desk, collection_row, record, ref

AGE = 1_000


@pytest.mark.parametrize(
    ("later", "max_age", "min_age", "doomed", "kept"),
    [
        (-1, AGE, None, 0, 0),
        (0, AGE, None, 1, 0),
        (-1, 1, AGE, 0, 1),
        (0, 1, AGE, 1, 0),
    ],
)
def test_a_record_is_due_at_its_maximum_age_and_free_at_its_minimum(
    desk: Desk, later: int, max_age: int, min_age: int | None, doomed: int, kept: int
) -> None:
    request, _ = desk.begin(replace(record(1), ingested_ms=NOW))
    desk.store.commit_batch(request_id=request, fence=1)
    found = desk.store.survey(as_of_ms=NOW + AGE + later, tenant=TENANT, ages=lambda row, rules: (max_age, min_age))
    (due,) = found.collections
    assert ([row.ref for row in due.doomed], due.kept_by_minimum) == ([ref(1)] * doomed, kept)


def test_a_collection_may_keep_its_records_exactly_as_long_as_a_minimum_asks_for(desk: Desk) -> None:
    desk.sql(
        "INSERT INTO retention_rule (tenant, collection, classification, label_sealed, max_age_ms, min_age_ms,"
        " created_ms) VALUES ('', '', '', x'00', NULL, ?, ?)",
        AGE,
        NOW,
    )
    row = collection_row(OTHER, name=b"other-collection")
    with pytest.raises(RetentionConflict):
        desk.store.create_collection(replace(row, retention_ms=AGE - 1))
    desk.store.create_collection(replace(row, retention_ms=AGE))
