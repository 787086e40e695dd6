"""A server that stops in the middle is a typed error, and the same command again resumes where it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.errors import BackendError, OutcomeUnknown, SyncRefused
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.writing.batching import BATCH
from securevec.writing.report import Progress
from tests.support.chroma_server import chroma_server, free_port
from tests.support.files_child import open_store, pages_of

COUNT = 3 * BATCH


def test_a_server_that_stops_mid_batch_is_a_typed_error_and_a_second_run_resumes(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(COUNT):
        (docs / f"{number:03}.md").write_text(f"Document number {number}")
    port = free_port()
    with chroma_server(tmp_path / "chroma", port=port) as (address, pid):

        class StopsWith(TapEmbedder):
            """Ends the server when the second batch is embedded: the write that follows finds nobody."""

            def embed(self, texts: object) -> object:  # type: ignore[override]  # passed on as it came
                if len(self.texts) >= BATCH:
                    os.kill(pid, signal.SIGKILL)
                return super().embed(texts)  # type: ignore[arg-type]  # as above

        with open_store(tmp_path, StopsWith(HashEmbedder()), address) as store:
            pages = pages_of(store)
            with pytest.raises((OutcomeUnknown, BackendError)):
                pages.ingest_files([docs], options=sv.FileOptions(sync=True))
            with pytest.raises(sv.SecurevecError):
                pages.ingest_files([docs])
    tap = TapEmbedder(HashEmbedder())
    with chroma_server(tmp_path / "chroma", port=port) as (address, _), open_store(tmp_path, tap, address) as store:
        pages = pages_of(store)
        seen: list[Progress] = []
        report = pages.ingest_files([docs], progress=seen.append)
        assert (report.new, report.passed_over) == (COUNT - BATCH, BATCH)
        assert len(tap.texts) == COUNT - BATCH
        assert pages.count() == COUNT
        assert {hit.id for hit in pages.search("document number 7", k=COUNT)} == {f"{n:03}.md" for n in range(COUNT)}


def test_a_source_that_goes_away_with_its_server_deletes_nothing(tmp_path: Path) -> None:
    """The folder empties while the store is down: neither error turns into a deletion."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("one")
    with open_store(tmp_path, HashEmbedder(), "memory") as store:
        pages = pages_of(store)
        pages.ingest_files([docs])
        (docs / "a.md").unlink()
        with pytest.raises(SyncRefused):
            pages.ingest_files([docs], options=sv.FileOptions(sync=True))
        assert pages.count() == 1
