"""A Chroma server that dies in the middle of an ingest: a typed error, nothing half there, and the ingest repeated is
complete and exact. The server is the one from the wheel, killed by its id and started again on its files."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

import securevec as sv
from securevec.clock import Clock
from securevec.errors import BackendError, OutcomeUnknown, SecurevecError
from securevec.testing.embedders import HashEmbedder
from tests.support.chroma_server import chroma_server, free_port
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.place import Place

ROWS = 160  # three batches of the library


def rows() -> Iterator[dict[str, object]]:
    return (ticket(number, f"refund case {number} of its own") for number in range(ROWS))


@contextlib.contextmanager
def opened(base: Path, port: int, *, ahead_ms: int = 0) -> Generator[tuple[sv.SecureStore, sv.Collection[Ticket]]]:
    with sv.SecureStore.open(
        base / "home",
        backend=f"chroma://127.0.0.1:{port}",
        key_file=base / "keys" / "root.key",
        embedder=HashEmbedder(),
        clock=Clock(lambda: time.time_ns() // 1_000_000 + ahead_ms),
    ) as store:
        yield store, store.tenant("acme", create=True, actor=ACME).collection(Ticket, name="tickets")


def killing(monkeypatch: pytest.MonkeyPatch, call: str, turn: int, kill: Callable[[], None]) -> None:
    """Kill the server just before the ``turn``-th time a write reaches ``call``."""
    original = getattr(Place, call)
    seen = [0]

    def counted(self: Place, *given: object, **named: object) -> object:
        seen[0] += 1
        if seen[0] == turn:
            kill()
        return original(self, *given, **named)

    monkeypatch.setattr(Place, call, counted)


@pytest.mark.parametrize(
    ("call", "turn"),
    [
        # Nothing of the second batch is written.
        pytest.param("_remove", 2, marks=pytest.mark.soak),
        ("fetch", 2),  # the second batch is written and not read back
    ],
)
def test_an_ingest_whose_server_died_is_repeated_and_ends_complete_and_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, turn: int
) -> None:
    port = free_port()
    with chroma_server(tmp_path / "files", port=port) as (_, pid), opened(tmp_path, port) as (store, tickets):

        def kill() -> None:
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

        killing(monkeypatch, call, turn, kill)
        with pytest.raises((BackendError, OutcomeUnknown)) as failed:
            tickets.ingest(rows())
        assert "127.0.0.1" not in str(failed.value)
        with pytest.raises(SecurevecError):
            tickets.search("refund case 3", k=3)
        monkeypatch.undo()
        with chroma_server(tmp_path / "files", port=port):
            # The same store goes on: the connection is made anew.
            before = tickets.count()
            assert before < ROWS
            report = tickets.ingest(rows())
            assert report.new + report.updated + report.unchanged == ROWS
            assert tickets.count() == ROWS
    # Later than the lease of the batch that was cut short: opening removes what it had written.
    with (
        chroma_server(tmp_path / "files", port=port),
        opened(tmp_path, port, ahead_ms=3_600_000) as (store, tickets),
    ):
        exact(store, tickets)
        again = tickets.ingest(rows())
        assert (again.new, again.updated, again.unchanged) == (0, 0, ROWS)


def exact(store: sv.SecureStore, tickets: sv.Collection[Ticket]) -> None:
    assert tickets.count() == ROWS
    backend, namespace = store.runtime.backend(), tickets._scope.namespace
    assert backend.count(namespace=namespace) == ROWS, "points that belong to no record are left in the store"
    for number in (0, 63, 64, 127, 128, ROWS - 1):
        assert tickets.get(f"T-{number}").body == f"refund case {number} of its own"
    hits = tickets.search("refund case 100 of its own", k=3)
    assert len(hits) == 3
    assert hits.violations == 0
