"""A Chroma server that takes requests and answers none: it is stopped by a signal, so the kernel still takes
connections for it. Search and ingest end with a typed error, and go on when the server does."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import BackendTimeout, OutcomeUnknown, SecurevecError
from securevec.testing.embedders import HashEmbedder
from tests.support.chroma_server import chroma_server
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)


@contextlib.contextmanager
def stopped(pid: int) -> Generator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.soak  # its reduced twin: test_a_server_that_does_not_come_to_an_end_is_waited_for_no_longer_than_said
def test_a_server_that_never_answers_holds_nobody_and_what_was_cut_short_is_run_again(tmp_path: Path) -> None:
    with (
        chroma_server(tmp_path / "files") as (url, pid),
        sv.SecureStore.open(
            tmp_path / "home",
            backend=url,
            key_file=tmp_path / "keys" / "root.key",
            embedder=HashEmbedder(),
            server_timeout=1,
        ) as store,
    ):
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket, name="tickets")
        tickets.ingest([ticket(1, "a refund that is late")])
        with stopped(pid):
            with pytest.raises(BackendTimeout, match="SECUREVEC_SERVER_TIMEOUT=") as late:
                tickets.search("refund")
            assert late.value.exit_code == 4
            with pytest.raises(SecurevecError) as cut:
                tickets.ingest([ticket(1, "a refund that is late"), ticket(2, "a parking garage")])
            assert isinstance(cut.value, BackendTimeout | OutcomeUnknown)
            assert "127.0.0.1" not in f"{late.value} {cut.value}"
        report = tickets.ingest([ticket(1, "a refund that is late"), ticket(2, "a parking garage")])
        assert report.new + report.unchanged + report.updated == 2
        assert {hit.id for hit in tickets.search("refund parking", k=5)} == {"T-1", "T-2"}
