"""Random records and filters for the question whether every store decides as the oracle does: 200 filters a dataset.

The values are those on which engines differ: 0, False, 1, True, 1.0 and "1"; numbers around 2^53 and 2^63; minus zero;
empty strings, strings that differ only by normalization or case; null and missing; one moment in several time zones.

Beside them two list fields, of texts and of whole numbers, which a store holds and is asked as keyed tokens
(``FilterProtector``): ``stored`` and ``lowered`` say what the store is given, the oracles see the lists themselves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import securevec as sv
from securevec.clock import to_ms
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or, map_leaves
from securevec.points.protect import FilterProtector
from securevec.schema import describe
from securevec.types import CollectionId, FilterValue, Scalar

ROWS: Final = 30
FILTERS: Final = 200
KEYS: Final = ("f_a", "f_b", "f_c", "f_d")
TEXTS: Final = "tags"
COUNTS: Final = "counts"
LISTS: Final = (TEXTS, COUNTS)

_L: Final = 2**53
_NUMBERS: Final[tuple[int | float, ...]] = (
    *(0, 1, 2, -1, 7, _L - 1, _L, _L + 1, _L + 2, -_L, -_L - 1, 2**60 + 1, 2**62 + 1, 2**63 - 1, 2**63 - 513, -(2**63)),
    *(0.0, -0.0, 1.0, 0.5, 1.5, -1.0, 5e-324, -5e-324, 0.1, 0.30000000000000004, float(_L), float(_L + 2), 2.0**60),
    *(2.0**62, 2.0**63, -(2.0**63), 2.0**64, 1e300, -1e300, 1.7976931348623157e308),
)
_WORDS: Final = ("", " ", "a", "A", "1", "true", "é", "e\u0301", "ß", "ss", "\u202e", "日本", "a\u0000b", "x" * 1200)
_NOON: Final = datetime(2026, 3, 29, 12, tzinfo=UTC)
_ZONES: Final = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11)))
_MOMENTS: Final = tuple(
    (_NOON + timedelta(milliseconds=step)).astimezone(zone) for step in (0, 1, 3_600_000) for zone in _ZONES
)

Said = Scalar | datetime
Draw = Callable[[str], Said]

PlainValue = Said | list[str] | list[int] | None
PlainRow = Mapping[str, PlainValue]
"""A record as a caller has it: null and missing are two things, a moment has a zone, a list is a list."""


class _Tagged(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    tags: sv.Filter[list[str] | None] = None
    counts: sv.Filter[list[int] | None] = None


_PROTECTOR: Final = FilterProtector(describe(_Tagged), collection=CollectionId("0" * 32), key=b"k" * 32)
_ELEMENTS: Final[Mapping[str, Sequence[str | int]]] = {
    TEXTS: _WORDS[:-1],  # an element is at most 1,024 bytes long
    COUNTS: tuple(number for number in _NUMBERS if isinstance(number, int)),
}


@dataclass(frozen=True)
class Dataset:
    rows: Sequence[PlainRow]
    filters: Sequence[Expr]


def dataset(seed: int) -> Dataset:
    """What follows from ``seed``. A quarter of the keys hold values of one kind, as a declared field would."""
    rng = random.Random(seed)
    pools = {key: rng.choice([_NUMBERS, _WORDS, (True, False), _MOMENTS, None, None]) for key in KEYS}

    def value(key: str) -> Said:
        pool: Sequence[Said] | None = pools[key]
        if pool is None or rng.random() < 0.1:
            pool = rng.choice([_NUMBERS, _NUMBERS, _WORDS, (True, False, 0, 1, "1", 1.0), _MOMENTS])
        return rng.choice(pool)

    rows: list[dict[str, PlainValue]] = []
    for _ in range(ROWS):
        row: dict[str, PlainValue] = {}
        for key in KEYS:
            turn = rng.random()
            if turn < 0.7:
                row[key] = value(key)
            elif turn < 0.8:
                row[key] = None
        for key in LISTS:
            row |= _list(rng, key)
        rows.append(row)
    return Dataset(rows, [_filter(rng, value, depth=rng.randint(0, 4)) for _ in range(FILTERS)])


def judged(row: PlainRow) -> dict[str, Any]:
    """The row as its sealed copy holds it: moments in milliseconds, nothing for null."""
    return {
        key: to_ms(value) if isinstance(value, datetime) else value for key, value in row.items() if value is not None
    }


def stored(row: PlainRow) -> dict[str, Scalar]:
    """The row as a store is given it: of a list the count, and a token of each value."""
    held = judged(row)
    lists: dict[str, FilterValue] = {key: held.pop(key) for key in LISTS if key in held}
    return held | _PROTECTOR.payload(lists)


def lowered(expr: Expr) -> Expr:
    """The filter as a store is asked: what names a list in terms of tokens, the rest as it is."""
    return map_leaves(expr, lambda leaf: _PROTECTOR.lower(leaf) if leaf.key in LISTS else leaf)


def said(expr: Expr) -> str:
    """A filter in words; its ``repr`` hides the values."""
    match expr:
        case Compare(key=key, op=op, value=value):
            return f"{key} {op} {value!r}"
        case In(key=key, values=values):
            return f"{key} in {values!r}"
        case Exists(key=key):
            return f"{key} exists"
        case And(parts=parts):
            return "(" + " & ".join(map(said, parts)) + ")"
        case Or(parts=parts):
            return "(" + " | ".join(map(said, parts)) + ")"
        case Not(part=part):
            return f"~{said(part)}"
        case _:
            return "?"


def _list(rng: random.Random, key: str) -> dict[str, PlainValue]:
    """A list of a record, with repetitions, now and then empty, null or missing. Few values, so that filters meet."""
    turn = rng.random()
    if turn < 0.75:
        made: Any = rng.choices(_ELEMENTS[key][:6] if turn < 0.5 else _ELEMENTS[key], k=rng.randrange(5))
        return {key: made}
    return {key: None} if turn < 0.85 else {}


def _filter(rng: random.Random, value: Draw, *, depth: int) -> Expr:
    turn = rng.random()
    if depth == 0 or turn < 0.2:
        return _leaf(rng, value)
    if turn < 0.45:
        return Not(_filter(rng, value, depth=depth - 1))
    parts = tuple(_filter(rng, value, depth=depth - 1) for _ in range(rng.randint(1, 3)))
    return And(parts) if turn < 0.72 else Or(parts)


def _on_list(rng: random.Random, key: str) -> Expr:
    """``==``, ``!=``, any of several, all of several (as one writes it: a conjunction), or presence."""
    values: list[Said] = [
        *rng.choices(_ELEMENTS[key][:6] if rng.random() < 0.6 else _ELEMENTS[key], k=rng.randint(1, 4))
    ]
    if key == COUNTS and rng.random() < 0.2:
        values = [float(each) if isinstance(each, int) and abs(each) < _L else each for each in values]
    field = F(key)
    match rng.randint(0, 6):
        case 0:
            return field.exists()
        case 1 | 2:
            return field == values[0]
        case 3:
            return field != values[0]
        case 4 | 5:
            return field.is_in(values)
        case _:
            return And(tuple(field == each for each in values))


def _leaf(rng: random.Random, value: Draw) -> Expr:
    if rng.random() < 0.25:
        return _on_list(rng, rng.choice(LISTS))
    field = F(key := rng.choice(KEYS))
    match rng.randint(0, 9):
        case 0:
            return field.exists()
        case 1 | 2:
            return field.is_in([value(key) for _ in range(rng.randint(1, 5))])
        case 3 | 4:
            return field == value(key)
        case 5:
            return field != value(key)
        case way:
            bound = value(key)
            while isinstance(bound, bool | str):
                bound = rng.choice([*_NUMBERS, *_MOMENTS])
            return (field < bound, field <= bound, field > bound, field >= bound)[way - 6]
