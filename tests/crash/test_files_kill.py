"""kill -9 in the middle of an ingest of files, then the same command again: complete, and nothing done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.files import journey
from securevec.files.pool import ParserPool
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.writing.batching import BATCH
from tests.support import files_child, warm
from tests.support.files_child import open_store, pages_of

COUNT = 2 * BATCH + 20
KILLED = -9


def run(root: Path, step: str, number: int) -> int:
    return warm.run([files_child.__file__], str(root), step, str(number)).returncode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(COUNT):
        (docs / f"{number:03}.md").write_text(f"# Document {number}\n\nIts text is number {number}.")
    return tmp_path


def paths_of(pages: sv.Collection[sv.Page]) -> set[str]:
    return {record.path for record in pages.iter()}


@pytest.mark.parametrize(
    ("step", "number", "stored", "passed_over"),
    [
        pytest.param("parse", 5, 0, 0, marks=pytest.mark.soak),
        pytest.param("embed", 1, 0, 0, marks=pytest.mark.soak),
        pytest.param("embed", 2, BATCH, BATCH, marks=pytest.mark.soak),
        pytest.param("note", 1, BATCH, 0, marks=pytest.mark.soak),
        ("noted", 2, 2 * BATCH, 2 * BATCH),
    ],
)
def test_killed_in_the_middle_a_second_run_completes_and_embeds_only_the_rest(
    root: Path, step: str, number: int, stored: int, passed_over: int
) -> None:
    assert run(root, step, number) == KILLED
    tap = TapEmbedder(HashEmbedder())
    with open_store(root, tap) as store:
        pages = pages_of(store)
        assert pages.count() == stored
        report = pages.ingest_files([root / "docs"])
        assert (report.new, report.unchanged, report.passed_over) == (COUNT - stored, stored, passed_over)
        assert len(tap.texts) == COUNT - stored
        assert paths_of(pages) == {f"{each:03}.md" for each in range(COUNT)}
        again = pages.ingest_files([root / "docs"])
        assert (again.passed_over, len(tap.texts)) == (COUNT, COUNT - stored)


@pytest.mark.parametrize("step", ["delete", pytest.param("forget", marks=pytest.mark.soak)])
def test_killed_in_the_middle_of_a_sync_the_next_one_ends_it(root: Path, step: str) -> None:
    assert run(root, "none", 0) == 0
    for number in range(0, COUNT, 2):
        (root / "docs" / f"{number:03}.md").unlink()
    assert run(root, step, 1) == KILLED
    with open_store(root, HashEmbedder()) as store:
        pages = pages_of(store)
        pages.ingest_files([root / "docs"], options=sv.FileOptions(sync=True))
        assert paths_of(pages) == {f"{each:03}.md" for each in range(1, COUNT, 2)}
        (state,) = store.runtime.control.sources(pages.id)
        assert len(store.runtime.control.source_files(pages.id, state)) == COUNT // 2


def test_an_interrupt_ends_the_parsers_and_keeps_what_was_stored(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[ParserPool] = []

    def remembered(*arguments: Any, **options: Any) -> ParserPool:
        pools.append(ParserPool(*arguments, **options))
        return pools[-1]

    monkeypatch.setattr(journey, "ParserPool", remembered)

    def interrupt(progress: object) -> None:
        if getattr(progress, "rows", 0) > BATCH + 10:
            raise KeyboardInterrupt

    with open_store(root, HashEmbedder()) as store:
        pages = pages_of(store)
        with pytest.raises(KeyboardInterrupt):
            pages.ingest_files([root / "docs"], progress=interrupt)
        assert pages.count() == BATCH
        assert pools[0]._alive == set()
        assert pages.ingest_files([root / "docs"]).passed_over == BATCH
