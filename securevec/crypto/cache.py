"""A bounded cache of open keys: least recently used leaves first, nothing stays longer than the TTL.

The TTL bounds how long a key stays in memory. It is not what makes a destroyed key unusable: the key ring asks the
store before every use and empties the cache when another process changed it. Not thread-safe; the ring locks.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from securevec.crypto.secret import Secret

MAX_ENTRIES: Final = 1024
TTL_S: Final = 300.0

T = TypeVar("T")


class KeyCache:
    """Values by hashable key. A :class:`Secret` is wiped when it leaves. ``now`` returns seconds and never steps."""

    __slots__ = ("_entries", "_max", "_now", "_ttl")

    def __init__(
        self, *, max_entries: int = MAX_ENTRIES, ttl_s: float = TTL_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries: OrderedDict[Hashable, tuple[float, object]] = OrderedDict()
        self._max = max_entries
        self._ttl = ttl_s
        self._now = now

    def get(self, key: Hashable, kind: type[T]) -> T | None:
        """The value, if it is there, of this type and not too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        kept_until, value = entry
        if kept_until <= self._now():
            _wipe(self._entries.pop(key)[1])
            return None
        self._entries.move_to_end(key)
        return value if isinstance(value, kind) else None

    def put(self, key: Hashable, value: object) -> None:
        replaced = self._entries.pop(key, None)
        if replaced is not None and replaced[1] is not value:
            _wipe(replaced[1])
        self._entries[key] = (self._now() + self._ttl, value)
        while len(self._entries) > self._max:
            _wipe(self._entries.popitem(last=False)[1][1])

    def clear(self) -> None:
        for _, value in self._entries.values():
            _wipe(value)
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


def _wipe(value: object) -> None:
    if isinstance(value, Secret):
        value.wipe()
