"""Attacks on what the store may read of a row: clear copies of filter values and expiries edited, and rows taken away.
Whoever does it has write access and knows no key; the sealed values and the manifest must decide."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from securevec.attack.callers import Caller, Product
from securevec.attack.case import Attack, Scene, listed, search_open
from securevec.attack.on_rows import DAY_MS, OPEN, row_attack
from securevec.clock import Clock
from securevec.errors import IsolationViolation
from securevec.filters import F
from securevec.types import Scalar


def edit_status(scene: Scene) -> None:
    scene.settle()
    scene.mine.put(scene.mine.row_of("T-2").but(f_status="open"))
    scene.lies = 1


def edit_date(scene: Scene) -> None:
    scene.settle()
    scene.mine.put(scene.mine.row_of("T-2").but(f_opened=2**45))
    scene.lies = 1


def later(scene: Scene, caller: Caller) -> int:
    # T-3 to T-8 are of the days from then on, so that most of the answer is right.
    found = caller.search(F("opened") > datetime(2026, 1, 3, tzinfo=UTC))
    counted = scene.miscounted(caller.violations, caller.request_id) if isinstance(caller, Product) else 0
    return sum(each.id == "T-2" for each in found) + counted


def hide(scene: Scene) -> None:
    """A row is gone from the store that the manifest names."""
    scene.settle()
    scene.mine.remove(scene.mine.row_of("T-3"))


def missing(scene: Scene, caller: Caller) -> int:
    """What goes by the manifest is an error, and no shorter answer."""
    if not isinstance(caller, Product):
        return listed(scene, caller)
    told, handle, stream = 0, caller.handle, io.BytesIO()
    asked: dict[str, Callable[[], object]] = {
        "a page": lambda: handle.page(limit=100),
        "a listing": lambda: list(handle.iter(page_size=3)),
        "a filtered listing": lambda: list(handle.iter(OPEN, page_size=3)),
        "a filtered count": lambda: handle.count(OPEN),
        "an export": lambda: handle.export(stream),
        "the record": lambda: handle.get("T-3"),
        "what is like it": lambda: handle.search(like="T-3"),
    }
    for name, ask in asked.items():
        try:
            ask()
        except IsolationViolation:
            continue
        told += scene.through(name)
    return told


def edit_four(scene: Scene) -> None:
    """Clear copies that say more, less and something else; what is sealed stays."""
    scene.settle()
    edits: dict[str, dict[str, Scalar | None]] = {
        "T-1": {"f_status": "closed"},
        "T-2": {"f_status": "open"},
        "T-3": {"x": 2**50},
        "T-5": {"f_status": None},
    }
    for record, changes in edits.items():
        scene.mine.put(scene.mine.row_of(record).but(**changes))


def listed_by_filter(scene: Scene, caller: Caller) -> int:
    """Edited copies change no listing, no count and no export, and are counted."""
    if not isinstance(caller, Product):
        return len({each.id for each in caller.search(OPEN)} ^ {"T-1", "T-3", "T-5", "T-7"})
    page, stream = caller.handle.page(where=OPEN), io.BytesIO()
    told = scene.through("a page", len({each.id for each in page.records} ^ {"T-1", "T-3", "T-5", "T-7"}))
    told += scene.through("rows that nobody counted", abs(page.violations - 4))
    told += scene.through("a count", abs(caller.handle.count(OPEN) - 4))
    report = caller.handle.export(stream, where=OPEN)
    return told + scene.through("an export", abs(report.violations - 4) + abs(report.records - 4))


def edit_expiry(scene: Scene) -> None:
    """Expiry hints moved ahead and removed, and one moved back."""
    scene.settle()
    for record in sorted(scene.truth):
        ahead = {"T-2": None, "T-4": None, "T-5": 1}.get(record, 2**50)
        scene.mine.put(scene.mine.row_of(record).but(x=ahead))


def when_due(scene: Scene, caller: Caller) -> int:
    """A hint decides nothing: moved back, it hides no record; moved ahead, it serves none that is due."""
    told, runtime = 0, scene.stage.store.runtime
    if isinstance(caller, Product):
        told += scene.through("a record that is hidden", len(scene.truth) - caller.count())
        told += scene.through("a record that is hidden", 1 - len(caller.read(["T-5"])))
        told += scene.through("a record that is hidden", len(scene.truth) - len(caller.search()))
    today, due = runtime.clock, runtime.clock.now_ms() + 181 * DAY_MS
    runtime.clock = Clock(lambda: due)
    try:
        told += scene.through("a record that is due", len(caller.search()))
        if isinstance(caller, Product):
            told += scene.through("a record that is due", caller.count() + len(caller.read(["T-1", "T-2", "T-5"])))
            told += scene.miscounted(caller.violations, caller.request_id)
    finally:
        runtime.clock = today
    return told


ON_HINTS: Final[tuple[Attack, ...]] = (
    row_attack("hidden-row", "a row that the store does not show any more", "omission", "delete_by_id", hide, missing),
    row_attack("edited-metadata", "the clear copy of a filter value changed to match", "edited clear metadata",
                "edited_metadata", edit_status, search_open(OPEN)),
    row_attack("edited-date", "the clear copy of a date moved into the range", "edited clear metadata",
                "edited_metadata", edit_date, later),
    row_attack("edited-listing", "clear copies changed under a listing by filter", "edited clear metadata",
                "edited_metadata", edit_four, listed_by_filter),
    row_attack("edited-expiry", "expiry hints moved ahead, back, and removed", "edited clear metadata",
                "edited_metadata", edit_expiry, when_due),
)  # fmt: skip
