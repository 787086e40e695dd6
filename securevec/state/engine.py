"""The engine of a home: opened at first use, by the one process that holds ``engine.lock``.

An embedded engine damages itself when two processes open its files, so the lock is taken before anything is opened and
kept until :meth:`Engine.close`. Commands that need no engine never take it. Stores reached over a network need no lock.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from securevec import stopping
from securevec.backend import VectorBackend
from securevec.control.database import closed
from securevec.errors import EngineForked, EngineLocked, HomeRefused
from securevec.locks import FileLock

LOCK_NAME: Final = "engine.lock"
_LOOK_S: Final = 0.2
"""Seconds between two looks at a lock that somebody holds."""


class Patience:
    """How long one operation waits for another process, all its waits together. One thread."""

    def __init__(self, seconds: float, tell: Callable[[str], None] = lambda line: None) -> None:
        """``tell`` gets a line at each look, and an empty one when the wait is over, however it ends."""
        self._seconds, self._left = seconds, seconds
        self._tell = tell

    def wait(self, reason: str, *, pause: float = _LOOK_S) -> bool:
        """Wait ``pause`` seconds; false when no time is left. Raises :class:`Stopped` when the operation is to end."""
        stopping.check()
        if self._left <= 0:
            return False
        waited = self._seconds - self._left
        self._tell(f"{reason} Waiting: {waited:.0f} of {self._seconds:.0f} s.")
        before = time.monotonic()
        time.sleep(min(pause, self._left))
        self._left -= time.monotonic() - before
        return True

    def over(self) -> None:
        self._tell("")


PATIENCE: Final[ContextVar[Patience | None]] = ContextVar("securevec_patience", default=None)
"""Set in the context of an operation that may wait for whoever holds an engine; ``None`` asks once."""


@contextlib.contextmanager
def impatient() -> Generator[None]:
    """Nothing inside waits: for who holds something that the other process waits for."""
    token = PATIENCE.set(None)
    try:
        yield
    finally:
        PATIENCE.reset(token)


class Engine:
    """Hands out the backend. ``on_open`` runs once after the backend opened: it resolves what a crash left behind."""

    def __init__(self, *, home: Path, location: str, opener: Callable[[], VectorBackend]) -> None:
        self._home = home
        self._location = location
        self._opener = opener
        self._on_open: Callable[[VectorBackend], None] | None = None
        self._mutex = threading.RLock()
        self._backend: VectorBackend | None = None
        self._lock: FileLock | None = None
        self._closed = False
        self._pid = os.getpid()

    @property
    def needs_lock(self) -> bool:
        """Whether the data lies under the home rather than behind a URL."""
        return "://" not in self._location

    @property
    def is_open(self) -> bool:
        return self._backend is not None

    def on_open(self, callback: Callable[[VectorBackend], None]) -> None:
        self._on_open = callback

    def backend(self) -> VectorBackend:
        """The backend. Raises :class:`EngineLocked` when another process holds this home's engine, and
        :class:`ControlUnavailable` after :meth:`close`: a call that was on its way then must not take the lock anew,
        which nobody would give back."""
        if os.getpid() != self._pid:
            raise EngineForked(
                "This store was opened before a fork.", next_step="Open a SecureStore of its own in each process."
            )
        with self._mutex:
            if self._closed:
                raise closed()
            if self._backend is None:
                if self.needs_lock:
                    self._lock = _take(self._home / LOCK_NAME)
                try:
                    self._backend = self._opener()
                    if self._on_open is not None:
                        self._on_open(self._backend)
                except BaseException:
                    self._give_back()
                    raise
            return self._backend

    def close(self) -> None:
        """Close the backend for good, then give the lock back. Idempotent; a forked child holds neither."""
        with self._mutex:
            self._closed = True
            self._give_back()

    def _give_back(self) -> None:
        backend, self._backend = self._backend, None
        lock, self._lock = self._lock, None
        try:
            if backend is not None and os.getpid() == self._pid:
                backend.close()
        finally:
            if lock is not None:
                lock.close()


def lock_holder_present(home: Path) -> bool:
    """Whether some process holds the engine of ``home`` now (for ``doctor`` and messages; never for a decision)."""
    path = home / LOCK_NAME
    if not path.exists():
        return False
    with contextlib.suppress(EngineLocked):
        _take_now(path).close()
        return False
    return True


@contextlib.contextmanager
def kept_out(home: Path) -> Generator[None]:
    """Keep every process out of the engine of ``home``, which is under no URL. Raises :class:`EngineLocked`."""
    lock = _take(home / LOCK_NAME)
    try:
        yield
    finally:
        lock.close()


def _take(path: Path) -> FileLock:
    """The lock, waited for as long as :data:`PATIENCE` lasts."""
    patience = PATIENCE.get()
    if patience is None:
        return _take_now(path)
    try:
        while True:
            try:
                return _take_now(path)
            except EngineLocked as locked:
                if not patience.wait(locked.message):
                    raise
    finally:
        patience.over()


def _take_now(path: Path) -> FileLock:
    try:
        lock = FileLock(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    except OSError as error:
        raise HomeRefused(
            "The engine lock file cannot be opened.",
            next_step="Check the home's owner, and that its disk is not read-only.",
        ) from error
    try:
        lock.take()
    except BlockingIOError as error:
        holder = _holder(lock.stat())
        lock.close()
        if holder == os.getpid():
            raise EngineLocked(
                "Another store of this process holds the engine of this home.",
                next_step="Use that one, or close it first.",
            ) from error
        raise EngineLocked(
            f"Another process{f' (PID {holder})' if holder else ''} holds the engine of this home.",
            next_step="Stop it, or use a Qdrant or Chroma server when several processes must search.",
        ) from error
    except OSError as error:
        lock.close()
        raise HomeRefused(
            "The file system of the home keeps no locks.", next_step="Put the home on a disk of this machine."
        ) from error
    return lock


def _holder(lock: os.stat_result) -> int:
    """Which process that is, 0 when the kernel does not say: it knows, and nothing has to be written for it."""
    place = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii", errors="replace").splitlines():
            words = line.split()
            # "1: FLOCK ADVISORY WRITE 4163 00:1b:293167 0 EOF". One of another container has no number here.
            if (
                len(words) > 5
                and words[1] == "FLOCK"
                and words[5] == place
                and words[4].isdecimal()
                and words[4] != "0"
            ):
                return int(words[4])
    return 0
