"""The first half of a thousand histories on Chroma: see ``test_histories``."""

from __future__ import annotations

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from tests.support.history_stage import a_stage, live_through


@pytest.mark.soak
def test_the_first_five_hundred_histories_on_chroma_keep_what_is_held_and_hide_what_is_due() -> None:
    with a_stage() as stage:
        for seed in range(1000, 1500):
            live_through(stage, "chroma", seed)
