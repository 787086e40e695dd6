"""How long a record is kept, and which key epoch seals it. Pure; the rules are those of docs/formats.md section 2.

1. A record expires ``retention`` after its ingestion; expiry is inclusive: at that millisecond it is gone. The
   retention is the collection's own, or, if that is shorter, the strictest maximum age of the rules that apply when it
   is ingested.
2. Keys are shared by the records whose expiry falls in one bucket, so that a key can die when its last record is
   due: a bucket is a tenth of the retention, at least a day, at most thirty.
3. Without retention there is one epoch, ``r0/never``. What a legal hold keeps beyond the end of its bucket moves to the
   hold's epoch, ``hold/<hold id>``, so that the bucket's keys die on time.
4. A rule applies to a collection when its tenant, collection and classification each are the collection's, or any.
   Of several maximum ages the shortest counts, of several minimums the longest.
5. Precedence: legal hold, statutory minimum, erasure, maximum age.
6. Rules that cannot both be kept are refused when the second is set, not when a record is caught between them: a
   maximum below a minimum where both can apply, and a collection whose own retention is shorter than a minimum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from securevec.control.rows import CollectionRow, RetentionRule
from securevec.errors import ConfigError, RetentionConflict

DAY_MS: Final = 86_400_000
MIN_RETENTION_MS: Final = 1000
MAX_RETENTION_MS: Final = 200 * 365 * DAY_MS
NEVER: Final = "r0/never"
HOLD: Final = "hold/"

_UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS, "y": 365 * DAY_MS}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdwy])\Z")
_EPOCH = re.compile(r"r[1-9][0-9]{0,14}/b([0-9]{1,15})\Z")


def parse_retention(text: str) -> int:
    """Milliseconds of ``180d``, ``12h``, ``30m``, ``45s``, ``2w`` or ``7y``. Raises :class:`ConfigError`."""
    given: Any = text  # callers may be untyped
    match = _DURATION.match(text) if isinstance(given, str) else None
    if match is None:
        raise ConfigError("A retention is a number above 0 and a unit.", next_step="For example 180d, 12h, 2w or 7y.")
    retention_ms = int(match[1]) * _UNITS[match[2]]
    if not MIN_RETENTION_MS <= retention_ms <= MAX_RETENTION_MS:
        raise ConfigError("A retention lies between one second and 200 years.")
    return retention_ms


def show_retention(retention_ms: int) -> str:
    """A duration as :func:`parse_retention` reads it, in its largest whole unit; odd milliseconds as such."""
    for unit in ("y", "w", "d", "h", "m", "s"):
        if retention_ms % _UNITS[unit] == 0:
            return f"{retention_ms // _UNITS[unit]}{unit}"
    return f"{retention_ms} ms"


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


def bucket_end(epoch: str) -> int | None:
    """When the last record of an epoch is due, or ``None`` for never; never also for a name that is not one of ours."""
    match = _EPOCH.match(epoch)
    return int(match[1]) if match else None


def hold_epoch(hold_id: str) -> str:
    """The key epoch of what this hold (32 hex digits) keeps beyond the end of its bucket."""
    return HOLD + hold_id


def may_die(epoch: str, *, now_ms: int) -> bool:
    """Whether the keys of an epoch go once no row names it: its bucket has ended, or it is a hold's. Never for
    ``r0/never``, nor for a name that is not one of ours."""
    end = bucket_end(epoch)
    return epoch.startswith(HOLD) or (end is not None and now_ms >= end)


def expired(expires_ms: int | None, *, now_ms: int) -> bool:
    """Whether a record is due. Inclusive."""
    return expires_ms is not None and now_ms >= expires_ms


def ages(collection: CollectionRow, rules: Sequence[RetentionRule]) -> tuple[int | None, int | None]:
    """The shortest maximum age and the longest minimum of the rules that apply to a collection, in milliseconds."""
    place = (collection.tenant, collection.collection, collection.classification)
    minimums = [rule.min_age_ms for rule in rules if rule.min_age_ms is not None and _applies(rule, *place)]
    return maximum_age(rules, *place), max(minimums, default=None)


def maximum_age(rules: Sequence[RetentionRule], tenant: str, collection: str, classification: str) -> int | None:
    """The shortest maximum age of the rules that apply to a place, in milliseconds."""
    applying = (rule for rule in rules if _applies(rule, tenant, collection, classification))
    return min((rule.max_age_ms for rule in applying if rule.max_age_ms is not None), default=None)


def shortest(own_ms: int | None, max_age_ms: int | None) -> int | None:
    """A collection's own retention, or the maximum age that applies to it, whichever ends first."""
    return min((each for each in (own_ms, max_age_ms) if each is not None), default=None)


def require_consistent(rules: Sequence[RetentionRule], collections: Sequence[CollectionRow]) -> None:
    """Raises :class:`RetentionConflict` when not all of it can be kept; see rule 6."""
    for low in rules:
        if low.min_age_ms is None:
            continue
        for high in rules:
            if high.max_age_ms is not None and high.max_age_ms < low.min_age_ms and _overlap(low, high):
                raise RetentionConflict(
                    f"A maximum age on {_kind(high)} is shorter than the minimum on {_kind(low)} that it meets.",
                    scopes=(_kind(high), _kind(low)),
                    next_step="Lengthen the maximum, or narrow one of the scopes.",
                )
        for row in collections:
            too_short = row.retention_ms is not None and row.retention_ms < low.min_age_ms
            if too_short and _applies(low, row.tenant, row.collection, row.classification):
                raise RetentionConflict(
                    f"A collection's own retention is shorter than the minimum on {_kind(low)}.",
                    scopes=("collection", _kind(low)),
                    next_step="A collection's own retention cannot change; narrow the minimum's scope.",
                )


def _applies(rule: RetentionRule, tenant: str, collection: str, classification: str) -> bool:
    return (
        rule.tenant in ("", tenant)
        and rule.collection in ("", collection)
        and rule.classification in ("", classification)
    )


def _overlap(one: RetentionRule, other: RetentionRule) -> bool:
    """Whether some collection can come under both: now, or one that is made later."""
    sides = (
        (one.tenant, other.tenant),
        (one.collection, other.collection),
        (one.classification, other.classification),
    )
    return all(mine == theirs or "" in (mine, theirs) for mine, theirs in sides)


def _kind(rule: RetentionRule) -> str:
    """The kinds of a rule's scope, in words. Never a name."""
    scope = {"tenant": rule.tenant, "collection": rule.collection, "classification": rule.classification}
    return " and ".join(name for name, value in scope.items() if value) or "everything"
