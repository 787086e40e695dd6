"""Open shards, least recently used out first, never one that is in use.

An open shard costs memory, memory maps or file descriptors, and threads; a process has some 65,000 maps. Each shard is
handed to one caller at a time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from securevec.errors import BackendError


class Closable(Protocol):
    """What the pool needs to know of a shard."""

    def close(self) -> None: ...


S = TypeVar("S", bound=Closable)


class _Slot(Generic[S]):
    """A place for one shard; ``users`` is guarded by the pool's lock, ``shard`` by the slot's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.shard: S | None = None
        self.users = 0


class ShardPool(Generic[S]):
    """Keeps up to ``capacity`` shards open; more only while all of them are in use."""

    def __init__(self, capacity: int, load: Callable[[str], S | None]) -> None:
        self._capacity = capacity
        self._load = load
        self._slots: OrderedDict[str, _Slot[S]] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def hold(self, name: str) -> Generator[Holder[S]]:
        """Exclusive use of the shard ``name``, open or not."""
        with self._lock:
            self._check_open()
            slot = self._slots.setdefault(name, _Slot[S]())
            self._slots.move_to_end(name)
            slot.users += 1
        try:
            with slot.lock:
                self._check_open()
                yield Holder(slot, name, self._load)
        finally:
            with self._lock:
                slot.users -= 1
                self._close_idle()

    def close(self) -> None:
        """Close every shard, also after one failed; the first failure is raised."""
        with self._lock:
            self._closed = True
            slots = list(self._slots.values())
            self._slots.clear()
        failures: list[Exception] = []
        for slot in slots:
            try:
                close_slot(slot)
            except Exception as error:  # noqa: BLE001  # the other shards are closed first, then it is raised
                failures.append(error)
        if failures:
            raise failures[0]

    def _close_idle(self) -> None:
        # Closed with the pool's lock held: a slot let go before its shard is closed would let a second caller open
        # the same files, which damages them.
        for name, slot in list(self._slots.items()):
            if slot.users == 0 and (slot.shard is None or len(self._slots) > self._capacity):
                del self._slots[name]
                close_slot(slot)

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


def close_slot(slot: _Slot[S]) -> None:
    """Close a slot's shard if it is open."""
    with slot.lock:
        shard, slot.shard = slot.shard, None
        if shard is not None:
            shard.close()
