"""Random histories on real stores, with processes killed anywhere in them: no held row is gone, no due row is shown,
and every count is exact, after each step and after each opening.

A history is lived by one process after another, each forked, each opening the home anew; most of them are killed by
SIGKILL in the middle of an operation. What that operation did must be all of it or nothing. Beside them runs a model
(:mod:`tests.support.histories`). The thousand histories of each engine are files of their own, for other workers.
"""

from __future__ import annotations

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

from tests.support.history_stage import a_stage, live_through


@pytest.mark.parametrize(("backend", "histories"), [("edge", 5), ("chroma", 3)])
def test_histories_keep_what_is_held_and_hide_what_is_due(backend: str, histories: int) -> None:
    with a_stage() as stage:
        lived = [live_through(stage, backend, seed) for seed in range(histories)]
    # How many kills fall inside a step is the machine's to say; that some do is what makes these histories.
    assert sum(entry.startswith("killed") for history in lived for entry in history) >= histories // 4
