"""Keys exchanged by a process that cannot open the engine, since another one holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import securevec as sv
from securevec.jobs import JobResult
from securevec.keys.keyview import KeyInfo
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

EXCHANGES: dict[str, Callable[[sv.SecureStore], JobResult]] = {
    "reseal": lambda store: store.reseal("acme", "ticket"),
    "reindex": lambda store: store.reindex("acme", "ticket"),
    "recloak": lambda store: store.recloak("acme", "ticket"),
    "renewal": lambda store: store.renew_tokens("acme"),
    "resurrogation": lambda store: store.renew_surrogates("acme"),
}


def test_a_process_without_the_engine_leaves_every_key_to_the_one_that_has_it(tmp_path: Path) -> None:
    """A key that it exchanged would stand half exchanged for as long as nobody goes on."""

    def opened() -> sv.SecureStore:
        return sv.SecureStore.open(
            tmp_path / "home", backend="edge", key_file=tmp_path / "root.key", embedder=HashEmbedder()
        )

    with opened() as holder, opened() as other:
        for store in (holder, other):
            store._caretaker.stop()
        tickets = holder.tenant("acme", create=True, actor=ACME).collection(Ticket, cloak="rotate")
        tickets.ingest([ticket(1, "the first lift")])
        before: list[KeyInfo] = holder.runtime.keys.list_keys()
        for name, exchange in EXCHANGES.items():
            assert exchange(other).waiting_for == "the process that holds the engine", name
            assert holder.runtime.keys.list_keys() == before, name
            assert [result.state for result in holder.run_jobs()] == ["done"], name
            before = holder.runtime.keys.list_keys()
        tickets.verify().raise_if_wrong()
