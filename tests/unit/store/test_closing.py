"""A store that is closed while calls are on their way: they end, and nothing is opened behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import securevec as sv
from securevec.audit import AuditWriter
from securevec.errors import Unavailable
from securevec.state.engine import lock_holder_present
from securevec.testing.embedders import HashEmbedder
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME, Ticket, World, open_world, ticket


@pytest.fixture(params=["edge", "chroma"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    pytest.importorskip({"edge": "qdrant_edge", "chroma": "chromadb"}[request.param], exc_type=ModuleNotFoundError)
    store = sv.SecureStore.open(
        tmp_path / "home", backend=request.param, key_file=tmp_path / "root.key", embedder=HashEmbedder()
    )
    made = open_world(store, tmp_path / "home", tmp_path / "root.key")
    made.acme.ingest([ticket(1, "The refund never arrived.")])
    return made


def test_a_call_in_the_midst_of_a_closing_opens_nothing_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def search() -> None:  # the engine is closed by now, the control store and the keys are not
        with pytest.raises(Unavailable, match="closed"):
            world.acme.search("refund", k=1)

    meanwhile(monkeypatch, AuditWriter, "close", search)
    world.store.close()
    assert not lock_holder_present(world.home)  # by a process that believes it gave the engine back
    world.store.close()
    with world.reopen() as again:
        assert len(again.tenant("acme", actor=ACME).collection(Ticket, retention="180d").search("refund")) == 1


def test_who_closes_second_waits_for_the_first_and_takes_no_key_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[BaseException] = []
    second = threading.Thread(target=_kept(world.store.close, raised))

    def while_the_log_is_signed() -> None:
        second.start()
        second.join(0.3)  # as far as it gets: to the end, where nothing keeps it

    meanwhile(monkeypatch, AuditWriter, "close", while_the_log_is_signed)
    world.store.close()
    second.join(30)
    assert raised == []


def _kept(call: Callable[[], object], raised: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001  # looked at by the test
            raised.append(error)

    return run
