"""What new values are sealed in is a setting of the opening; what is stored in another suite stays readable."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import securevec as sv
from securevec.crypto.armour import from_text
from securevec.errors import ConfigError
from securevec.testing.embedders import HashEmbedder
from securevec.types import Suite
from tests.support.world import ACME, Ticket, ticket


def opened(folder: Path, suite: Suite) -> sv.SecureStore:
    return sv.SecureStore.open(
        folder / "home", backend="edge", key_file=folder / "root.key", embedder=HashEmbedder(), suite=suite
    )


def test_records_of_every_suite_lie_side_by_side_and_are_read_under_each(tmp_path: Path) -> None:
    suites: tuple[Suite, ...] = get_args(Suite)
    for number, suite in enumerate(suites, 1):
        with opened(tmp_path, suite) as store:
            tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
            tickets.ingest([ticket(number, f"Refund {number} of jane{number}@example.com")])
            assert sorted(each.id for each in tickets.iter()) == [f"T-{each}" for each in range(1, number + 1)]
            hits = tickets.search("refund", k=10)
            assert len(hits) == number
            assert "@example.com" in hits.restore(hits.context())
            tickets.verify().raise_if_wrong()
            page = store.runtime.backend().scan(namespace=tickets._scope.namespace, where=None, cursor=None, limit=100)
            sealed = sorted(from_text(point.payload["b"])[3] for point in page.points)
            assert sealed == list(range(1, number + 1))


def test_a_suite_that_does_not_exist_is_refused_before_there_is_a_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suite"):
        opened(tmp_path, "rot13")  # type: ignore[arg-type]  # the wrong type is what is tested
    assert not (tmp_path / "home").exists()
