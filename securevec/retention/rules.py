"""How long a record is kept, and which key epoch seals it. Pure; the rules are those of docs/formats.md section 2.

1. A record expires ``retention`` after its ingestion; expiry is inclusive: at that millisecond it is gone.
2. Keys are shared by the records whose expiry falls in one bucket, so that a key can die when its last record is
   due: a bucket is a tenth of the retention, at least a day, at most thirty.
3. Without retention there is one epoch, ``r0/never``.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.errors import ConfigError

DAY_MS: Final = 86_400_000
MIN_RETENTION_MS: Final = 1000
MAX_RETENTION_MS: Final = 200 * 365 * DAY_MS
NEVER: Final = "r0/never"

_UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS, "y": 365 * DAY_MS}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdwy])\Z")


def parse_retention(text: str) -> int:
    """Milliseconds of ``180d``, ``12h``, ``30m``, ``45s``, ``2w`` or ``7y``. Raises :class:`ConfigError`."""
    match = _DURATION.match(text)
    if match is None:
        raise ConfigError("A retention is a number and a unit.", next_step="For example 180d, 12h, 2w or 7y.")
    retention_ms = int(match[1]) * _UNITS[match[2]]
    if not MIN_RETENTION_MS <= retention_ms <= MAX_RETENTION_MS:
        raise ConfigError("A retention lies between one second and 200 years.")
    return retention_ms


def bucket_ms(retention_ms: int) -> int:
    """Length of a key bucket for this retention."""
    return min(max(retention_ms // 10, DAY_MS), 30 * DAY_MS)


def expiry(retention_ms: int | None, *, ingested_ms: int) -> int | None:
    """When a record ingested now expires, or ``None`` for never."""
    return None if retention_ms is None else ingested_ms + retention_ms


def epoch(retention_ms: int | None, *, expires_ms: int | None) -> str:
    """The key epoch of a record with this retention and expiry."""
    if retention_ms is None or expires_ms is None:
        return NEVER
    length = bucket_ms(retention_ms)
    return f"r{retention_ms}/b{-(-expires_ms // length) * length}"


def expired(expires_ms: int | None, *, now_ms: int) -> bool:
    """Whether a record is due. Inclusive."""
    return expires_ms is not None and now_ms >= expires_ms
