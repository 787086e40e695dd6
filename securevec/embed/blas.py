"""BLAS held to one thread while the model's own threads compute: more would wait for each other, computing."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Generator
from typing import Any, Final


class _Call:
    """A call that needs it. Dropped with its frame, also where an interrupt keeps it from saying that it is over."""


class OneThread:
    """Process-wide, as BLAS has it: held from the first call that needs it to the end of the last, then put back, by
    whichever thread that is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: weakref.WeakSet[_Call] = weakref.WeakSet()
        self._had: list[tuple[Any, int]] = []
        """Each library with the threads it had before; empty while nothing is held."""

    @contextlib.contextmanager
    def each(self, controller: Any) -> Generator[int]:
        """``controller``: a ``threadpoolctl.ThreadpoolController``. Yields how many threads BLAS had before."""
        call = _Call()
        try:
            with self._lock:
                self._inside.add(call)
                if not self._had:
                    libraries = controller.select(user_api="blas").lib_controllers
                    self._had = [(library, library.num_threads) for library in libraries]
                had = max((threads for _, threads in self._had), default=1)
                _set([(library, 1) for library, _ in self._had])
            yield had
        finally:
            with self._lock:
                self._inside.discard(call)
                if not self._inside:
                    _set(self._had)
                    self._had = []

    def forked(self) -> None:
        """In a child: the threads that were inside are not there, and one of them may have had the lock."""
        self._lock = threading.Lock()
        self._inside = weakref.WeakSet()


def _set(wanted: list[tuple[Any, int]]) -> None:
    """threadpoolctl from 3.8 on heeds one thread of a process, the first that asks, and does nothing, without a word,
    for any other while that one lives. It is told to forget which that is, before and after."""
    for library, threads in wanted:
        forget = getattr(library, "clear_controlling_thread", None)
        if forget is not None:
            forget(force=True)
        library.set_num_threads(threads)
        if forget is not None:
            forget(force=True)


ONE_THREAD: Final = OneThread()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ONE_THREAD.forked)
