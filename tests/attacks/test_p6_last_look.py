"""A tenant that is suspended, or deleted, right after an operation's last look at the store: whatever was read by then
does not leave. Each way of reading, one by one, and an iterator between two of its pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import securevec as sv
from securevec.errors import TenantUnavailable
from tests.support.attacks import Pair, Stage, open_stage

LOOKS: Final = ("query", "fetch", "scan", "count")
"""What a store is asked by, of those that change nothing."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with open_stage(tmp_path, "memory") as stage:
        stage.store._caretaker.stop()
        yield stage.pair().fill()


CUSTOMER: Final = "customer2@example.com"
READS: Final[dict[str, Callable[[Pair], object]]] = {
    "search": lambda pair: pair.acme.search("refund", k=3),
    "search in a batch": lambda pair: pair.acme.search_batch(["refund", "lift"], k=3),
    "a diverse search": lambda pair: pair.acme.search_diverse("refund", k=3),
    "search like": lambda pair: pair.acme.search(like="T-1", k=3),
    "get": lambda pair: pair.acme.get("T-1"),
    "several": lambda pair: pair.acme.get_many(["T-1", "T-2"]),
    "count by a filter": lambda pair: pair.acme.count(sv.F("status") == "open"),
    "page": lambda pair: pair.acme.page(limit=3),
    "iter": lambda pair: list(pair.acme.iter(page_size=3)),
    "export": lambda pair: pair.acme.export(io.BytesIO()),
    "verify": lambda pair: pair.acme.verify(),
    "reveal": lambda pair: pair.acme.reveal(pair.acme.search("refund", k=1)[0].span_ids[0]),
    "restore": lambda pair: pair.acme.search("refund", k=1).restore("[EMAIL_1]"),
    "release": lambda pair: pair.acme.search("refund", k=1).for_model("gpt-5", purpose="answer"),
    "leakage": lambda pair: pair.acme.leakage(),
    "export of a person": lambda pair: list(pair.stage.acme.export_subject(CUSTOMER)),
}


class Watch:
    """Counts what the store is asked, and does something behind the answer of one of these questions."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.behind: int | None = None
        self.act: Callable[[], object] = lambda: None
        for name in LOOKS:
            patch.setattr(stage.trap, name, self._watched(getattr(stage.trap, name)))

    def _watched(self, honest: Callable[..., Any]) -> Callable[..., Any]:
        def look(**given: Any) -> Any:
            answer = honest(**given)
            self.asked += 1
            if self.asked == self.behind:
                self.act()
            return answer

        return look


MEANWHILE: Final[dict[str, Callable[[Stage], object]]] = {
    "suspended": lambda stage: stage.store.suspend_tenant(stage.acme_name),
    "deleted": lambda stage: stage.store.delete_tenant(stage.acme_name),
}


ALWAYS: Final = ("get", "export", "release")
"""Ways that are tried with a deletion in each run; it ends them all alike."""


@pytest.mark.parametrize(
    ("way", "what"),
    [
        pytest.param(way, what, marks=[pytest.mark.soak] if what == "deleted" and way not in ALWAYS else [])
        for way in READS
        for what in MEANWHILE
    ],
)
def test_nothing_leaves_a_tenant_that_was_suspended_or_deleted_behind_the_last_look(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, way: str, what: str
) -> None:
    watch, read = Watch(pair.stage, monkeypatch), READS[way]
    read(pair)
    assert watch.asked, "positive control"
    watch.behind, watch.asked = watch.asked, 0
    watch.act = lambda: MEANWHILE[what](pair.stage)
    with pytest.raises(TenantUnavailable):
        read(pair)


def test_an_iterator_ends_where_the_tenant_is_suspended_or_deleted_between_two_pages(pair: Pair) -> None:
    for meanwhile in (
        lambda: pair.stage.store.suspend_tenant(pair.stage.acme_name),
        lambda: pair.stage.store.delete_tenant(pair.stage.acme_name),
    ):
        records = pair.acme.iter(page_size=2)
        assert [next(records).id, next(records).id]
        meanwhile()
        with pytest.raises(TenantUnavailable):
            next(records)
        if pair.stage.store.runtime.control.fence(pair.stage.acme.id).state == "suspended":
            pair.stage.store.resume_tenant(pair.stage.acme_name)


def test_an_export_writes_nothing_that_it_read_before_the_tenant_was_suspended(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written has left, so the end of the export is too late to look."""
    watch, written = Watch(pair.stage, monkeypatch), io.BytesIO()
    pair.acme.export(io.BytesIO())
    watch.behind, watch.asked = watch.asked, 0
    watch.act = lambda: pair.stage.store.suspend_tenant(pair.stage.acme_name)
    with pytest.raises(TenantUnavailable):
        pair.acme.export(written)
    assert written.getvalue() == b""


def test_an_export_whose_tenant_is_suspended_while_its_last_part_is_written_is_no_success(pair: Pair) -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any, /) -> int:
            if data:
                pair.stage.store.suspend_tenant(pair.stage.acme_name)
            return super().write(data)

    with pytest.raises(TenantUnavailable):
        pair.acme.export(Slow())
    assert pair.stage.audit()[0]["outcome"] != "allowed"
