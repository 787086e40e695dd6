"""A bounded cache of open keys: least recently used leaves first, nothing stays longer than its time or its uses.

The TTL bounds how long a key stays in memory. It is not what makes a destroyed key unusable: the key ring asks the
store before every use and empties the cache when another process changed it.

* ``ttl_s`` 0 keeps nothing, 3,600 is the most; each entry gets up to a tenth less, at random, so that many processes
  that started together do not ask a provider together.
* A key that was handed out ``max_uses`` times leaves too, and is opened again.
* A failure is remembered as well. A destroyed key stays so for the life of the cache; a provider that did not answer
  is left alone for a second, then two, doubling up to a minute.
* :meth:`get` opens what is missing itself, while the caller holds the lock of the ring: of many threads that miss one
  key, one opens it and the others find it.
* A :class:`Secret` is wiped when it leaves. What OpenSSL and Python copied is out of reach.

Never pickled; ``repr`` shows nothing; a forked child begins with an empty one (:class:`OpenKeys`). Not thread-safe; the
ring locks.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple, NoReturn, TypeVar

from securevec.crypto.secret import Secret
from securevec.errors import ConfigError, KeyDestroyed, KeyUnavailable

MAX_ENTRIES: Final = 1024
MAX_USES: Final = 1 << 20
TTL_S: Final = 300.0
MAX_TTL_S: Final = 3600.0
PAUSE_S: Final = 1.0
MAX_PAUSE_S: Final = 60.0
_JITTER: Final = 0.1

R = TypeVar("R")
T = TypeVar("T")


class _Entry(NamedTuple):
    until: float
    value: object
    uses: list[int]


class _Failure(NamedTuple):
    until: float
    pause: float
    error: KeyDestroyed | KeyUnavailable


class KeyCache:
    """Values by hashable key. ``now`` returns seconds and never steps; ``chance`` numbers from 0 to 1.

    Raises :class:`ConfigError` for a TTL outside 0 to 3,600 seconds.
    """

    __slots__ = ("_chance", "_entries", "_failures", "_max", "_now", "_ttl", "_uses")

    def __init__(
        self,
        *,
        max_entries: int = MAX_ENTRIES,
        max_uses: int = MAX_USES,
        ttl_s: float = TTL_S,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not 0 <= ttl_s <= MAX_TTL_S:
            raise ConfigError("Open keys are kept between 0 and 3600 seconds.")
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._failures: OrderedDict[Hashable, _Failure] = OrderedDict()
        self._max = max_entries
        self._uses = max_uses
        self._ttl = ttl_s
        self._now = now
        self._chance = chance

    def get(self, key: Hashable, kind: type[T], find: Callable[[], R], make: Callable[[R], T]) -> T:
        """The value of this type, else what ``make`` opens now of the row that ``find`` finds.

        Raises what they raise. The same is raised without asking: :class:`KeyDestroyed` of either for good,
        :class:`KeyUnavailable` of ``make`` until its pause is over. A store that is busy is asked again at once.
        """
        value = self.peek(key, kind)
        if value is not None:
            return value
        self._refuse(key)
        try:
            row = find()
        except KeyDestroyed as error:
            self._remember(key, error)
            raise
        try:
            value = make(row)
        except (KeyDestroyed, KeyUnavailable) as error:
            self._remember(key, error)
            raise
        self._failures.pop(key, None)
        self.put(key, value)
        return value

    def peek(self, key: Hashable, kind: type[T]) -> T | None:
        """The value, if it is there, of this type, not too old and not used too often."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._now() or entry.uses[0] >= self._uses:
            _wipe(self._entries.pop(key).value)
            return None
        self._entries.move_to_end(key)
        entry.uses[0] += 1
        return entry.value if isinstance(entry.value, kind) else None

    def put(self, key: Hashable, value: object) -> None:
        """Keep a value, in the place of the one there was. With a TTL of 0 it is not kept, nor wiped: it is in use."""
        replaced = self._entries.pop(key, None)
        if replaced is not None and replaced.value is not value:
            _wipe(replaced.value)
        if not self._ttl:
            return
        self._entries[key] = _Entry(self._now() + self._ttl * (1 - _JITTER * self._chance()), value, [0])
        while len(self._entries) > self._max:
            _wipe(self._entries.popitem(last=False)[1].value)

    def expire(self) -> None:
        """Drop what is too old. Without it a key that nobody asks for again would stay until others push it out."""
        now = self._now()
        for key in [key for key, entry in self._entries.items() if entry.until <= now]:
            _wipe(self._entries.pop(key).value)

    def clear(self) -> None:
        """Forget every key, and who did not answer. What was destroyed stays so."""
        for entry in self._entries.values():
            _wipe(entry.value)
        self._entries.clear()
        for key in [key for key, failure in self._failures.items() if isinstance(failure.error, KeyUnavailable)]:
            del self._failures[key]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return "KeyCache(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KeyCache is never pickled or copied")

    def _refuse(self, key: Hashable) -> None:
        failure = self._failures.get(key)
        if failure is not None and failure.until > self._now():
            # A new error each time: one that is raised again grows by a traceback at each.
            raise type(failure.error)(failure.error.message, next_step=failure.error.next_step)

    def _remember(self, key: Hashable, error: KeyDestroyed | KeyUnavailable) -> None:
        # Another one is kept than is raised: that one's frames hold the caller's texts for as long as it lives.
        error = type(error)(error.message, next_step=error.next_step)
        before = self._failures.pop(key, None)
        if isinstance(error, KeyDestroyed):
            self._failures[key] = _Failure(float("inf"), 0.0, error)
        else:
            pause = PAUSE_S if before is None else min(2 * before.pause, MAX_PAUSE_S)
            self._failures[key] = _Failure(self._now() + pause, pause, error)
        while len(self._failures) > self._max:
            self._failures.popitem(last=False)


def _wipe(value: object) -> None:
    if isinstance(value, Secret):
        value.wipe()
