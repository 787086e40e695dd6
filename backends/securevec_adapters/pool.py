"""Open shards, least recently used out first, never one that is in use.

An open shard costs memory, memory maps or file descriptors, and threads; a process has some 65,000 maps. Each shard is
handed to one caller at a time, and to one writer at a time: a writer that works in several turns (a purge that copies
page by page) lets readers in between them.

Shards are closed, and what was written is flushed, by a thread of the pool and not by whoever searches next. When that
fails, the next writer of the shard is told, or whoever closes the pool.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Generic, Literal, Protocol, TypeVar

from securevec.errors import BackendError

FLUSH_SECONDS: Final = 5.0
"""What was written longer ago than about this is on disk for good; until then only the engine's log has it."""
_GIVE_WAY: Final = 0.001


class Closable(Protocol):
    """What the pool needs to know of a shard."""

    @property
    def dirty(self) -> bool:
        """Whether something was written since the last flush."""
        ...

    def sync(self) -> None:
        """Wait for the disk as far as that goes beside other callers of the shard."""
        ...

    def flush(self) -> None: ...

    def close(self) -> None:
        """Flush and give the files back."""
        ...


S = TypeVar("S", bound=Closable)
Failed = Literal["raise", "keep", "forget"]
"""What to do about an earlier failure to flush: raise it now, raise it and keep it for the next, or forget it."""


class _Slot(Generic[S]):
    """A place for one shard; ``users`` and ``leaving`` are guarded by the pool's lock, ``shard`` by the slot's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.writer = threading.RLock()
        self.shard: S | None = None
        self.users = 0
        self.leaving = False


class ShardPool(Generic[S]):
    """Keeps up to ``capacity`` shards open; more only while all of them are in use.

    An eighth of them is closed ahead of need by the pool's thread, so that a caller waits for a closing only when
    shards are opened faster than they can be closed. Then whoever made them too many closes the one that is over: the
    thread leaves it alone, or its caller would go on with one too many open while the thread is still at it.
    """

    def __init__(self, capacity: int, load: Callable[[str], S | None], *, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._capacity = capacity
        self._target = capacity - capacity // 8
        self._load = load
        self._flush_seconds = flush_seconds
        self._slots: OrderedDict[str, _Slot[S]] = OrderedDict()
        self._leaving: deque[tuple[str, _Slot[S]]] = deque()
        self._failures: dict[str, Exception] = {}
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def hold(self, name: str) -> Generator[Holder[S]]:
        """Exclusive use of the shard ``name``, open or not, to read it."""
        slot = self._use(name)
        try:
            with slot.lock:
                self._check_open()
                yield Holder(slot, name, self._load)
        finally:
            self._leave(name, slot)

    @contextmanager
    def writing(self, name: str, *, failed: Failed = "raise") -> Generator[Turns[S]]:
        """Keep every other writer of the shard ``name`` out; it is used in turns.

        Raises :class:`BackendError` once, and before anything is done, when what an earlier writer left could not be
        flushed. Who removes the shard forgets such a failure; who is no caller keeps it for the next.
        """
        with self._used(name) as slot, slot.writer:
            with self._lock:
                failure = self._failures.get(name) if failed == "keep" else self._failures.pop(name, None)
                self._start()
            if failure is not None and failed != "forget":
                raise BackendError(
                    "What was written last could not be put on disk; the engine's log has it.",
                    next_step="Check the disk, then try again.",
                ) from failure
            yield Turns(slot, name, self._load, self._check_open)

    def open_names(self) -> set[str]:
        """Shards that are open now."""
        with self._lock:
            return {name for name, slot in self._slots.items() if slot.shard is not None}

    def close(self) -> None:
        """Close every shard, also after one failed; the first failure is raised."""
        with self._lock:
            self._closed = True
            slots = list(self._slots.items())
            self._wake.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        for name, slot in slots:
            try:
                close_slot(slot)
            except Exception as error:  # noqa: BLE001  # the other shards are closed first, then it is raised
                self._failures.setdefault(name, error)
        with self._lock:
            failures = list(self._failures.values())
        if failures:
            raise failures[0]

    @contextmanager
    def _used(self, name: str) -> Generator[_Slot[S]]:
        slot = self._use(name)
        try:
            yield slot
        finally:
            self._leave(name, slot)

    def _use(self, name: str) -> _Slot[S]:
        with self._lock:
            self._check_open()
            slot = self._slots.get(name)
            if slot is None:
                slot = self._slots[name] = _Slot[S]()
            self._slots.move_to_end(name)
            slot.users += 1
            return slot

    def _leave(self, name: str, slot: _Slot[S]) -> None:
        self._let_go(name, slot)
        while self._overfull() and self._close_next():
            pass

    def _let_go(self, name: str, slot: _Slot[S]) -> None:
        with self._lock:
            slot.users -= 1
            if slot.users == 0 and slot.shard is None and self._slots.get(name) is slot:
                del self._slots[name]
            excess = len(self._slots) - self._target
            for other, idle in self._slots.items():
                if excess <= 0:
                    break
                if idle.users == 0:
                    # It keeps its place until it is closed: a second slot would open the same files, which damages
                    # them.
                    idle.leaving, idle.users = True, 1
                    self._leaving.append((other, idle))
                excess -= idle.leaving
            if self._leaving:
                self._start()
                self._wake.notify_all()

    def _overfull(self) -> bool:
        with self._lock:
            return self._is_overfull()

    def _is_overfull(self) -> bool:
        return len(self._slots) > self._capacity

    def _ahead(self) -> bool:
        """Whether there is something for the pool's thread: to be closed, and not by a caller."""
        return bool(self._leaving) and not self._is_overfull()

    def _close_next(self, *, ahead: bool = False) -> bool:
        """Close the shard that has waited longest to be, unless somebody came for it since; ``ahead`` of need, only."""
        with self._lock:
            if not (self._ahead() if ahead else self._leaving):
                return False
            name, slot = self._leaving.popleft()
        try:
            with slot.lock:
                with self._lock:
                    wanted = slot.users > 1
                if not wanted:
                    close_slot(slot)
        except Exception as error:  # noqa: BLE001  # told to the next writer
            with self._lock:
                self._failures[name] = error
        finally:
            with self._lock:
                slot.leaving = False
            self._let_go(name, slot)
        return True

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._tend, name="securevec-shards", daemon=True)
            self._thread.start()

    def _tend(self) -> None:
        due = time.monotonic() + self._flush_seconds
        while True:
            with self._lock:
                self._wake.wait_for(lambda: self._ahead() or self._closed, max(0.0, due - time.monotonic()))
                if self._closed:
                    return
            while self._close_next(ahead=True):
                pass
            if time.monotonic() >= due:
                self._flush_written()
                due = time.monotonic() + self._flush_seconds

    def _flush_written(self) -> None:
        with self._lock:
            written = [
                (name, slot, slot.shard)
                for name, slot in self._slots.items()
                if slot.users == 0 and slot.shard is not None and slot.shard.dirty
            ]
            for _, slot, _ in written:
                slot.users += 1
        for name, slot, shard in written:
            try:
                if not self._closed:
                    shard.sync()
                    with slot.lock:
                        if slot.shard is shard and shard.dirty:
                            shard.flush()
            except Exception as error:  # noqa: BLE001  # told to the next writer
                with self._lock:
                    self._failures[name] = error
            finally:
                self._leave(name, slot)  # as a caller: a shard used meanwhile may be one too many

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError("This store is closed.")


class Holder(Generic[S]):
    """What :meth:`ShardPool.hold` gives: the shard of one slot, opened when first asked for."""

    def __init__(self, slot: _Slot[S], name: str, load: Callable[[str], S | None]) -> None:
        self._slot = slot
        self._name = name
        self._load = load

    @property
    def opened(self) -> S | None:
        """The shard if it is open; nothing is opened for it."""
        return self._slot.shard

    def get(self) -> S | None:
        """The open shard; ``None`` when there is none on disk."""
        if self._slot.shard is None:
            self._slot.shard = self._load(self._name)
        return self._slot.shard

    def close(self) -> None:
        """Close the shard's files before they are replaced or removed."""
        close_slot(self._slot)


class Turns(Generic[S]):
    """What :meth:`ShardPool.writing` gives: the right to write, and the shard for one turn after another."""

    def __init__(
        self, slot: _Slot[S], name: str, load: Callable[[str], S | None], check_open: Callable[[], None]
    ) -> None:
        self._slot = slot
        self._name = name
        self._load = load
        self._check_open = check_open

    @contextmanager
    def turn(self) -> Generator[Holder[S]]:
        """Exclusive use of the shard."""
        with self._slot.lock:
            self._check_open()
            yield Holder(self._slot, self._name, self._load)

    def give_way(self) -> None:
        """Let those in who wait for the shard: a lock goes to who asks first, and that is who just gave it back."""
        if self._slot.users > 1:
            time.sleep(_GIVE_WAY)


def close_slot(slot: _Slot[S]) -> None:
    """Close a slot's shard if it is open."""
    with slot.lock:
        shard, slot.shard = slot.shard, None
        if shard is not None:
            shard.close()
