"""P2, the body of a live record put out of reach by a body whose key died with its bucket: what the store says of when
that is due is a hint, and does not make a record that the manifest names as live one that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.attack.rows import Row, Vandal
from securevec.errors import IsolationViolation
from securevec.points.protect import EXPIRY_KEY
from tests.support.attacks import ACME_MARK, DAY_MS, Pair, open_stage, text


@pytest.fixture
def aged(tmp_path: Path) -> Iterator[tuple[Pair, Row]]:
    """A collection of one live record, T-2, and the row of one that is gone with its key."""
    with open_stage(tmp_path, "memory") as stage:
        pair = stage.pair(retention="1d")
        pair.acme.ingest([text(1, ACME_MARK)])
        gone = Vandal(stage, pair.acme).row_of("T-1")
        stage.time.forward(30 * DAY_MS)
        for result in stage.store.apply_retention(stage.store.retention_plan().digest):
            result.raise_if_incomplete()
        assert pair.acme.ingest([text(2, ACME_MARK)]).refused == ()
        assert not pair.acme.exists("T-1")
        yield pair, gone


def test_a_live_record_under_a_dead_key_is_altered_and_not_absent_whatever_its_hint_says(
    aged: tuple[Pair, Row],
) -> None:
    pair, gone = aged
    vandal = Vandal(pair.stage, pair.acme)
    vandal.put(vandal.row_of("T-2").but(b=gone.payload["b"], **{EXPIRY_KEY: gone.payload[EXPIRY_KEY]}))
    with pytest.raises(IsolationViolation):
        pair.acme.get("T-2")
    assert pair.acme.verify().findings["altered"] == 1


NEVER = 2**53


@pytest.mark.parametrize(
    "hint", ["soon", 1.5, True, None, NEVER], ids=["a word", "a fraction", "a truth", "none", "a time to come"]
)
def test_a_hint_that_is_no_time_explains_no_dead_key(aged: tuple[Pair, Row], hint: object) -> None:
    pair, gone = aged
    vandal = Vandal(pair.stage, pair.acme)
    row = vandal.row_of("T-2")
    vandal.put(row.but(b=gone.payload["b"]))
    # A store may answer with anything.
    pair.stage.trap.edit_fetch = pair.stage.trap.edit = lambda points: [
        type(point)(point.id, {**point.payload, EXPIRY_KEY: hint}, point.score, point.vector, point.terms)
        for point in points
    ]
    with pytest.raises(IsolationViolation):
        pair.acme.get("T-2")
    with pytest.raises(IsolationViolation):
        pair.acme.search("refund", k=1)
