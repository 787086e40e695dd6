"""A cancelled await: the call ends between two steps, before the cancellation is raised, and nothing is half done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from securevec.aio import AsyncCollection, AsyncSecureStore
from securevec.aio.bridge import Bridge
from securevec.testing.embedders import HashEmbedder
from securevec.writing.report import Progress
from tests.support.other_process import until
from tests.support.world import ACME, Ticket, ticket


@pytest.fixture(params=["memory", "edge"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def opened(folder: Path, backend: str) -> AsyncSecureStore:
    return await AsyncSecureStore.open(
        folder / "home", backend=backend, key_file=folder / "root.key", embedder=HashEmbedder()
    )


async def tickets_of(store: AsyncSecureStore) -> AsyncCollection[Ticket]:
    return await (await store.tenant("acme", create=True, actor=ACME)).collection(Ticket)


def finish(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def open_batches(store: AsyncSecureStore) -> int:
    return len(store._sync.runtime.control.open_batches(now_ms=0, expired_only=False))


def test_a_cancelled_ingest_ends_between_batches_and_what_was_acknowledged_stays(tmp_path: Path, backend: str) -> None:
    async def rows(more: asyncio.Event) -> AsyncIterator[dict[str, object]]:
        for number in range(1_000):
            if number == 300:
                await more.wait()  # never set: the source waits, and so does the thread that reads it
            yield ticket(number, f"The refund {number}.")

    async def work() -> None:
        async with await opened(tmp_path, backend) as store:
            tickets = await tickets_of(store)
            reached = asyncio.Event()

            def progress(now: Progress) -> None:
                if now.rows >= 128:
                    reached.set()

            task = asyncio.ensure_future(tickets.ingest(rows(asyncio.Event()), progress=progress))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            stored = await tickets.count()
            assert stored >= 64
            assert stored % 64 == 0
            assert open_batches(store) == 0
            (await tickets.verify()).raise_if_wrong()
            # Nothing runs on behind the caller's back, and the ingest can be repeated.
            assert await tickets.count() == stored
            report = await tickets.ingest([ticket(number, f"The refund {number}.") for number in range(300)])
            assert report.unchanged == stored
            assert await tickets.count() == 300

    finish(work())


def test_a_cancelled_listing_of_many_pages_ends_at_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with await opened(tmp_path, "memory") as store:
            tickets = await tickets_of(store)
            await tickets.ingest([ticket(number, "A refund.") for number in range(600)])
            store_class = type(store._sync.runtime.backend())
            scan, begun, go_on = store_class.scan, threading.Event(), threading.Event()
            calls = []

            def slow(*args: Any, **kwargs: Any) -> Any:
                calls.append(1)
                begun.set()
                assert go_on.wait(30)
                return scan(*args, **kwargs)

            monkeypatch.setattr(store_class, "scan", slow)
            task = asyncio.ensure_future(tickets.verify())
            assert await asyncio.to_thread(begun.wait, 30)
            task.cancel()
            await asyncio.sleep(0.05)
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(calls) == 1

    finish(work())


def test_a_deletion_in_hand_is_carried_out_before_its_cancellation_is_raised(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with await opened(tmp_path, backend) as store:
            tickets = await tickets_of(store)
            await tickets.ingest([ticket(number, "A refund.") for number in range(10)])
            store_class = type(store._sync.runtime.backend())
            delete, begun, go_on = store_class.delete, threading.Event(), threading.Event()

            def slow(*args: Any, **kwargs: Any) -> None:
                begun.set()
                assert go_on.wait(30)
                delete(*args, **kwargs)

            monkeypatch.setattr(store_class, "delete", slow)
            task = asyncio.ensure_future(tickets.delete([f"T-{number}" for number in range(5)]))
            assert await asyncio.to_thread(begun.wait, 30)
            task.cancel()
            for _ in range(3):  # asking again and again does not tear it out of the step it is in
                await asyncio.sleep(0.02)
                task.cancel()
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert open_batches(store) == 0
            assert await tickets.count() == 5
            (await tickets.verify()).raise_if_wrong()

    finish(work())


def test_a_call_that_is_cancelled_while_it_stands_in_line_never_begins() -> None:
    async def work() -> None:
        bridge, go_on = Bridge(1), threading.Event()
        ran: list[int] = []
        first = asyncio.ensure_future(bridge.run(go_on.wait, 30))
        second = asyncio.ensure_future(bridge.run(ran.append, 1))
        await asyncio.sleep(0.02)
        second.cancel()
        await asyncio.sleep(0.02)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await first
        assert ran == []
        bridge.close()

    finish(work())


def test_a_timeout_is_a_cancellation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with await opened(tmp_path, "memory") as store:
            tickets = await tickets_of(store)
            await tickets.ingest([ticket(1, "A refund.")])
            store_class = type(store._sync.runtime.backend())
            limit = asyncio.timeout(0.05)

            def slow(*_: Any, **__: Any) -> list[object]:
                until(limit.expired)
                return []

            monkeypatch.setattr(store_class, "query", slow)
            with pytest.raises(TimeoutError):
                async with limit:
                    await tickets.search("refund")

    finish(work())


def test_an_opening_that_is_cancelled_gives_the_home_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import securevec as sv

    async def work() -> None:
        begun, go_on, opening = threading.Event(), threading.Event(), sv.SecureStore.open
        closed: list[sv.SecureStore] = []
        close = sv.SecureStore.close

        def slow(*args: Any, **kwargs: Any) -> sv.SecureStore:
            made = opening(*args, **kwargs)
            begun.set()
            assert go_on.wait(30)
            return made

        def noted(store: sv.SecureStore) -> None:
            closed.append(store)
            close(store)

        monkeypatch.setattr(sv.SecureStore, "open", slow)
        monkeypatch.setattr(sv.SecureStore, "close", noted)
        task = asyncio.ensure_future(opened(tmp_path, "memory"))
        # One that had not begun would never begin, and leave nothing to close.
        assert await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        await asyncio.sleep(0.02)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(closed) == 1

    finish(work())


def test_an_asynchronous_source_that_fails_loses_nothing_it_gave_before(tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    async def rows() -> AsyncIterator[dict[str, object]]:
        for number in range(100):
            yield ticket(number, "A refund.")
        raise Broken

    async def work() -> None:
        async with await opened(tmp_path, "memory") as store:
            tickets = await tickets_of(store)
            with pytest.raises(Broken):
                await tickets.ingest(rows())
            assert await tickets.count() == 64
            assert open_batches(store) == 0

    finish(work())
