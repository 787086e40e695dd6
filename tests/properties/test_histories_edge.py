"""A thousand histories on Edge: see ``test_histories``."""

from __future__ import annotations

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from tests.support.history_stage import a_stage, live_through


@pytest.mark.soak
def test_a_thousand_histories_on_edge_keep_what_is_held_and_hide_what_is_due() -> None:
    with a_stage() as stage:
        for seed in range(1000, 2000):
            live_through(stage, "edge", seed)
