"""A store for coroutines beside sources that let it wait, and its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from securevec.aio import AsyncSecureStore
from securevec.aio.bridge import Bridge
from securevec.errors import ControlUnavailable, KeyUnavailable, Stopped
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, ticket


def test_uploads_that_stall_hold_up_neither_others_calls_nor_the_end_of_the_store(tmp_path: Path) -> None:
    begun: list[int] = []

    async def stalled(number: int) -> AsyncIterator[dict[str, object]]:
        begun.append(number)
        yield ticket(number, "The refund never arrived.")
        await asyncio.Event().wait()  # a client that sends no more

    async def work() -> None:
        store = await AsyncSecureStore.open(
            tmp_path / "home", backend="memory", key_file=tmp_path / "root.key", embedder=HashEmbedder(), threads=2
        )
        tickets = await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)
        uploads = [asyncio.create_task(tickets.ingest(stalled(number))) for number in range(3)]
        while len(begun) < 2:  # each of as many as there are threads for
            await asyncio.sleep(0.01)
        assert await tickets.count() == 0
        await store.close()
        for ended in await asyncio.gather(*uploads, return_exceptions=True):
            assert isinstance(ended, ControlUnavailable), repr(ended)
        await store.close()
        with pytest.raises(ControlUnavailable, match="closed"):
            await tickets.count()

    asyncio.run(asyncio.wait_for(work(), 30))


def test_an_upload_that_the_end_found_in_the_middle_is_told_that_the_store_is_closed() -> None:
    """Whichever of its parts was closed first says so in its own name; what fails by itself keeps its own."""
    begun = threading.Event()

    async def stalled() -> AsyncIterator[int]:
        begun.set()
        await asyncio.Event().wait()
        yield 1

    def fed(items: Iterable[int]) -> None:
        try:
            list(items)
        except Stopped:
            raise KeyUnavailable("The key store is closed.") from None

    def failing(items: Iterable[int]) -> None:
        raise KeyUnavailable("The provider did not answer.")

    async def work() -> None:
        bridge = Bridge(1)
        with pytest.raises(KeyUnavailable, match="provider"):
            await bridge.run_fed(failing, stalled())
        upload = asyncio.create_task(bridge.run_fed(fed, stalled()))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        await bridge.end(lambda: None)
        with pytest.raises(ControlUnavailable, match="closed"):
            await upload

    asyncio.run(asyncio.wait_for(work(), 30))
