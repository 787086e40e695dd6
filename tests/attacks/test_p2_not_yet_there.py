"""P2: what was stored and is not announced yet is nobody's to read, and tokens are never moved back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.errors import QueryError
from securevec.reading.judge import judge
from securevec.reading.lifting import lifted
from securevec.reading.live import live_record
from securevec.types import StoredPoint
from tests.support.attacks import ACME_MARK, DAY_MS, open_stage, text
from tests.support.world import Ticket


def stored(handle: sv.Collection[Ticket]) -> list[StoredPoint]:
    backend, namespace = handle._runtime.backend(), handle._scope.namespace
    page = backend.scan(namespace=namespace, where=None, cursor=None, limit=100)
    return list(backend.fetch(namespace=namespace, ids=[point.id for point in page.points]))


def test_a_record_in_flight_is_no_hit_and_is_one_once_it_is_announced(tmp_path: Path) -> None:
    with open_stage(tmp_path, "memory") as stage:
        handle = stage.pair().acme
        seen: list[tuple[int, int]] = []

        def judged() -> tuple[int, int]:
            """How many stored points are accepted, and how many are passed over."""
            verdicts = judge(handle._runtime, handle._scope, stored(handle), where=None)
            assert not verdicts.violations
            return len(verdicts.accepted), verdicts.passed_over

        def look() -> None:
            stage.trap.on_fetch = None  # the points of the batch were stored, and are being read back
            assert not handle.search("refund", k=5)
            seen.append(judged())

        stage.trap.on_fetch = look
        handle.ingest([text(1, ACME_MARK)])
        assert seen == [(0, 1)]
        assert [hit.id for hit in handle.search("refund", k=5)] == ["T-1"]
        assert judged() == (1, 0)
        stage.time.forward(400 * DAY_MS)
        assert judged() == (0, 1), "due, and not removed yet"


def test_a_search_for_no_hits_or_for_half_a_hit_is_refused(tmp_path: Path) -> None:
    with open_stage(tmp_path, "memory") as stage:
        handle = stage.pair().acme
        counts: tuple[Any, ...] = (0, -1, True, 1.5, "3", None)
        for k in counts:
            with pytest.raises(QueryError, match="at least 1"):
                handle.search("refund", k=k)


def test_an_answer_without_hits_releases_nothing_and_says_so(tmp_path: Path) -> None:
    with open_stage(tmp_path, "memory") as stage:
        released = stage.pair().acme.search("refund", k=3).for_model("m", purpose="answer")
        assert (released.texts, released.prompt) == ((), "")


def test_a_body_with_newer_tokens_than_are_asked_for_stays_as_it_is(tmp_path: Path) -> None:
    with open_stage(tmp_path, "memory") as stage:
        handle = stage.pair().acme
        handle.ingest([text(1, ACME_MARK)])
        runtime, scope = handle._runtime, handle._scope
        body = live_record(runtime, scope, scope.record_ref(runtime, "T-1"))._replace(tokens=2)
        assert lifted(runtime.keys, scope.tenant, body, 1) is body
        assert lifted(runtime.keys, scope.tenant, body, 2) is body
