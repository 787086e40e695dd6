"""The one source of time: UTC milliseconds since 1970, never behind what this process has already seen.

Expiry is a security decision, so a clock stepped backwards must not bring expired data back. The control store keeps
the highest time it has seen across processes, the floor; this class keeps it within one.

The rule:

* Forward, the system's clock is believed. After a pause of any length nothing here can tell a right clock from a wrong
  one, and a floor that followed it slowly would let a later step back undo an expiry that was already in force.
* Backward, up to :data:`MAX_AHEAD_MS` behind the floor: time stands still at the floor until the clock has caught up.
* Backward by more: either the clock is wrong now, or an earlier start ran with one far ahead. Standing still would hide
  whatever has an expiry for as long as that clock was ahead, perhaps decades, without a word. So the start is refused
  (:class:`HomeRefused`) until the clock is set, or an operator who knows that the earlier one was wrong takes the floor
  back: ``ControlStore.reset_time_floor``. No automatism may do that; it is what an attacker with a clock would want.
* What a running process saw for a moment only is not kept: when the source no longer stands by the highest time within
  :data:`MAX_AHEAD_MS`, :meth:`Clock.floor_ms` is the source's own time, and a restart recovers. Until then what had
  expired at the highest time stays hidden here, but nothing is removed by that time, or dated with it: a wrong reading
  that passed must not destroy what it hid. A plan and a write ask :meth:`Clock.sure_ms`, which raises; a statutory
  minimum is judged at :meth:`Clock.floor_ms`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from securevec.errors import ConfigError, HomeRefused

MAX_AHEAD_MS: Final = 86_400_000
"""How far a kept time may be ahead of the system's clock: a day, more than a clock that is right is adjusted by."""


LATEST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


class Clock:
    """``now_ms()`` never decreases within a process. ``source`` returns milliseconds and can be replaced in tests."""

    def __init__(self, source: Callable[[], int] | None = None, *, floor_ms: int = 0) -> None:
        self._given = source
        self._highest = floor_ms
        self._lock = threading.Lock()

    def _source(self) -> int:
        if self._given is None:
            return time.time_ns() // 1_000_000
        said: object = self._given()
        if type(said) is not int or not 0 <= said <= LATEST_MS:
            raise ConfigError("The clock's source does not say the milliseconds since 1970, as a whole number.")
        return said

    def now_ms(self) -> int:
        with self._lock:
            self._highest = max(self._highest, self._source())
            return self._highest

    def raise_floor(self, ms: int) -> None:
        """Never answer with less than this kept time from here on.

        Raises :class:`HomeRefused` when it is more than :data:`MAX_AHEAD_MS` ahead of the source.
        """
        with self._lock:
            if ms > self._source() + MAX_AHEAD_MS:
                raise HomeRefused(
                    "The system clock is more than a day behind the time this home has seen.",
                    next_step="Set the clock right. If an earlier one was wrong: securevec doctor --reset-time-floor",
                )
            self._highest = max(self._highest, ms)

    def sure_ms(self) -> int:
        """:meth:`now_ms`, for what is removed by it or dated with it.

        Raises :class:`HomeRefused` while the source is more than :data:`MAX_AHEAD_MS` behind what was seen: one of the
        two is wrong, and nothing here tells which.
        """
        now_ms = self.now_ms()
        if self.floor_ms() < now_ms:
            raise HomeRefused(
                "The system clock has gone back by more than a day since this home was opened.",
                next_step="Set the clock right, then open the home again.",
            )
        return now_ms

    def floor_ms(self) -> int:
        """The time to keep for the next start, and to judge by what may not be removed yet: the highest seen, unless
        the source has gone back on it by more than :data:`MAX_AHEAD_MS`."""
        now_ms = self.now_ms()
        with self._lock:
            source = self._source()
        return source if now_ms > source + MAX_AHEAD_MS else now_ms


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware ``datetime``, rounded down.

    Raises ``ValueError`` on a naive one and on one whose time zone fails: it may be a class of the caller's, and raise
    anything, with anything in it. Raises ``OverflowError`` outside the years 1 to 9999 in UTC.
    """
    delta = None
    try:
        if moment.utcoffset() is not None:
            delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        raise
    except Exception:  # noqa: BLE001, S110  # a class of the caller's; answered below, outside the handler
        pass
    if delta is None:
        raise ValueError("naive datetime")
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_ms(ms: int) -> datetime:
    """The aware UTC ``datetime`` of a millisecond count."""
    return datetime.fromtimestamp(ms // 1000, tz=UTC).replace(microsecond=ms % 1000 * 1000)
