"""The one source of time: UTC milliseconds since 1970, never behind what this process has already seen.

Expiry is a security decision, so a clock stepped backwards must not bring expired data back. The control
store keeps the highest time it has seen across processes; this class keeps it within one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """``now_ms()`` never decreases within a process. ``source`` returns milliseconds and can be replaced in tests."""

    def __init__(self, source: Callable[[], int] | None = None, *, floor_ms: int = 0) -> None:
        self._source = source or (lambda: time.time_ns() // 1_000_000)
        self._highest = floor_ms
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        with self._lock:
            self._highest = max(self._highest, self._source())
            return self._highest

    def raise_floor(self, ms: int) -> None:
        """Never answer with less than this from here on."""
        with self._lock:
            self._highest = max(self._highest, ms)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware ``datetime``, rounded down. Raises ``ValueError`` on a naive one."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime")
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_ms(ms: int) -> datetime:
    """The aware UTC ``datetime`` of a millisecond count."""
    return datetime.fromtimestamp(ms // 1000, tz=UTC).replace(microsecond=ms % 1000 * 1000)
