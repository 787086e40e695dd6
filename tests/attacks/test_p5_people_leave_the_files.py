"""Erased people leave every file of the home, in one purge for all of them, and nobody beside them is touched.

A reduced twin of ``benchmarks/bar_erasure.py``, without its times.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.erasure_bar import measure


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_erased_people_leave_the_files_and_their_neighbours_are_not_rewritten(backend: str, tmp_path: Path) -> None:
    if backend == "chroma":
        pytest.importorskip("chromadb")
    seen = measure(tmp_path, backend, records=240, people=24, many=8, purges=3)
    assert seen["needles_before"] > 20, "the probe is blind, so the rest shows nothing"
    assert (seen["found_after_one"], seen["found_after_many"]) == (0, 0)
    assert seen["found_after_each"] == [0, 0, 0]
    assert seen["found_when_purge_is_skipped"] > 20
    assert seen["verdicts"] == ["removed from live files"]
    assert seen["verdicts_when_skipped"] == ["unverified"]
    assert seen["bystanders"] > 0
    assert seen["bystanders_changed"] == 0
