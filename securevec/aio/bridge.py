"""From a coroutine to the synchronous library and back: a thread runs the call, the event loop never waits for it.

What runs is the code that synchronous callers run. Cancelling an await asks the call to end: it does between two of its
steps (batches of an ingest, pages of a listing), never inside one, and the cancellation is raised when it has. So
nothing runs on behind a caller who was told that it ended, and nothing is left half done.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from concurrent.futures import CancelledError as PullCancelled
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Final, Generic, ParamSpec, TypeVar

from securevec.control.database import closed
from securevec.errors import ConfigError, EngineForked, Stopped, Unavailable
from securevec.stopping import STOP
from securevec.types import Uncopied

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

THREADS: Final = 8
"""Calls that run at once, and as many again that are fed by asynchronous sources; more wait in line."""

_PULL: Final = 64
"""Items taken from an asynchronous source at once: as many as a batch holds."""


class Bridge(Uncopied):
    """The threads of one asynchronous store."""

    def __init__(self, threads: int) -> None:
        if not 1 <= threads <= 256:
            raise ConfigError("The number of threads is from 1 to 256.")
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="securevec-aio")
        # Apart: a call holds its thread while it waits for its source, and a few slow uploads must not keep everybody
        # else's calls waiting, nor the end of the store.
        self._fed = ThreadPoolExecutor(threads, thread_name_prefix="securevec-aio-fed")
        self._feeding: set[_Stop] = set()
        self._closed = False
        self._pid = os.getpid()

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """``call(*args, **kwargs)`` on a thread, in a copy of the caller's context.

        Raises what the call raises, and :class:`asyncio.CancelledError` when a cancelled call has ended.
        """
        return await self._carry(self._pool, _Stop(), call, *args, **kwargs)

    async def run_fed(self, call: Callable[[Iterable[T]], U], source: AsyncIterable[T]) -> U:
        """``call`` on a thread, with a plain iterable over ``source``, which is read on the caller's loop."""
        stop = _Stop()
        self._feeding.add(stop)
        try:
            return await self._carry(self._fed, stop, call, _Feed(source, asyncio.get_running_loop(), stop))
        except (Stopped, Unavailable) as error:
            if not stop.is_set():
                raise
            # Asked to end, and so told of whichever part of the store it found closed first. A cancelled caller is told
            # of the cancellation.
            raise closed() from error
        finally:
            self._feeding.discard(stop)

    async def acquire(self, call: Callable[[], T], release: Callable[[T], None]) -> T:
        """:meth:`run` for something that must be given back: it was, when this raises although ``call`` had made it."""
        made: list[T] = []

        def making() -> T:
            made.append(call())
            return made[0]

        try:
            return await self.run(making)
        except asyncio.CancelledError:
            for each in made:
                await self.run(release, each)
            raise

    async def end(self, call: Callable[[], None]) -> None:
        """The last call, behind those that stand in line; who waits for a source is asked to end. Idempotent."""
        if self._closed and os.getpid() == self._pid:
            return
        for stop in tuple(self._feeding):
            stop.set()
        await self.run(call)
        self.close()

    def close(self) -> None:
        """Take no more calls. Those in hand end by themselves."""
        self._closed = True
        self._pool.shutdown(wait=False)
        self._fed.shutdown(wait=False)

    async def _carry(
        self, pool: ThreadPoolExecutor, stop: _Stop, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if os.getpid() != self._pid:
            raise EngineForked("This store was opened before a fork.", next_step="Open a store in each process.")
        context = contextvars.copy_context()
        context.run(STOP.set, stop)
        try:
            future = pool.submit(context.run, functools.partial(call, *args, **kwargs))
        except RuntimeError as error:
            raise closed() from error
        running = asyncio.wrap_future(future)
        try:
            # Shielded: a thread cannot be cancelled, and what it does must not be forgotten.
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not future.cancel():  # unless it still stands in line
                await _ended(stop, running)
            raise


class _Stop(Event):
    """Asks a call to end, also one that waits for an asynchronous source."""

    def __init__(self) -> None:
        super().__init__()
        self.pull: Future[object] | None = None

    def set(self) -> None:
        super().set()
        if self.pull is not None:
            self.pull.cancel()


class _Feed(Generic[T]):
    """An asynchronous source, read from a thread."""

    def __init__(self, source: AsyncIterable[T], loop: asyncio.AbstractEventLoop, stop: _Stop) -> None:
        self._items = aiter(source)
        self._loop = loop
        self._stop = stop
        self._ended = False
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        while not self._ended:
            pull = asyncio.run_coroutine_threadsafe(self._pull(), self._loop)
            self._stop.pull = pull  # type: ignore[assignment]  # only ever cancelled
            if self._stop.is_set():  # asked between the last pull and this one
                pull.cancel()
            try:
                items = pull.result()
            except PullCancelled as error:
                raise Stopped("The caller stopped the operation between two of its steps.") from error
            yield from items
        if self._failure is not None:
            raise self._failure

    async def _pull(self) -> list[T]:
        """Some items. An error of the source is kept until those before it are used."""
        items: list[T] = []
        while len(items) < _PULL:
            try:
                items.append(await anext(self._items))
            except StopAsyncIteration:
                self._ended = True
                break
            except Exception as error:  # noqa: BLE001  # raised in the thread, as a plain iterable would
                self._ended, self._failure = True, error
                break
        return items


async def _ended(stop: _Stop, running: asyncio.Future[T]) -> None:
    """Wait for the end of a call that nobody waits for any more, however often this wait is cancelled too."""
    stop.set()
    while not running.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    if not running.cancelled():
        running.exception()  # looked at: how it ended is in the audit log, and not the loop's to report


def on_loop(progress: Callable[[T], None] | None) -> Callable[[T], None] | None:
    """The same callback, called on the running loop and not on the thread that reports."""
    if progress is None:
        return None
    loop, call = asyncio.get_running_loop(), progress
    return lambda value: (loop.call_soon_threadsafe(call, value), None)[1]
