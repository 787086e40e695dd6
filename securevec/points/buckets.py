"""Filters on bucketed fields, and on tokens that are cut. The store knows the bucket of a value, or a token that others
share, and not the value, so it is asked for more than is wanted: for every bucket that may hold it. What it returns too
much is passed over when it is judged on its sealed copy.

Pure, and in the caller's terms: a bucket is named by its least value, of which :mod:`securevec.points.protect` makes a
token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from securevec import limits
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or, Value
from securevec.schema import FieldSpec

_DAY_MS: Final = 86_400_000


def step(field: FieldSpec) -> int:
    """How wide a bucket is, in the unit of canonical values: those of dates and times are milliseconds."""
    return (field.width or 1) * (_DAY_MS if field.type in ("date", "datetime") else 1)


def bucket(field: FieldSpec, value: Value) -> int:
    """The number of the bucket a value is in. Exact for every 64-bit integer and double."""
    return math.floor(Fraction(value) / step(field))


def around(expr: Expr, fields: Mapping[str, FieldSpec], *, wide: bool = True) -> Expr:
    """What holds at least (``wide``) or at most where ``expr`` does and a store that knows buckets alone can decide.

    A negation turns one into the other. A range is narrowed to its buckets where both of its ends stand in one ``&``;
    one that is open, or wider than 1,000 buckets, is asked of all that hold a value.
    """
    match expr:
        case And(parts=parts) if wide:
            return And(tuple(_ranges(parts, fields)))
        case And(parts=parts):
            return And(tuple(around(part, fields, wide=False) for part in parts))
        case Or(parts=parts):
            return Or(tuple(around(part, fields, wide=wide) for part in parts))
        case Not(part=part):
            return Not(around(part, fields, wide=not wide))
        case Compare(key=key, op=op, value=value) if _is_coarse(fields, key):
            if op not in ("eq", "ne") and fields[key].mode != "bucket":
                return expr  # refused where it is put in the store's terms: a token has no order
            if op == "eq":
                return expr if wide else _nowhere(key)
            if op == "ne" and not wide:
                # In another bucket, or under another token, is another value.
                return And((Exists(key), Not(Compare(key, "eq", value))))
            return Exists(key) if wide else _nowhere(key)
        case In(key=key) if _is_coarse(fields, key) and not wide:
            return _nowhere(key)
        case _:
            return expr


def _ranges(parts: tuple[Expr, ...], fields: Mapping[str, FieldSpec]) -> list[Expr]:
    """The parts of a conjunction, the two ends of a range as the buckets between them."""
    bounds: dict[str, dict[bool, list[Value]]] = {}
    for part in parts:
        if isinstance(part, Compare) and part.op not in ("eq", "ne") and _is_bucketed(fields, part.key):
            bounds.setdefault(part.key, {True: [], False: []})[part.op in ("gt", "gte")].append(part.value)
    asked = [around(part, fields) for part in parts]
    for key, ends in bounds.items():
        field = fields[key]
        numbers = {lower: [bucket(field, value) for value in values] for lower, values in ends.items()}
        if not numbers[True] or not numbers[False]:
            continue
        first, last = max(numbers[True]), min(numbers[False])
        if first <= last < first + limits.MAX_FILTER_VALUES:
            asked.append(In(key, tuple(number * step(field) for number in range(first, last + 1))))
    return asked


def _is_coarse(fields: Mapping[str, FieldSpec], key: str) -> bool:
    field = fields.get(key)
    return field is not None and field.coarse


def _is_bucketed(fields: Mapping[str, FieldSpec], key: str) -> bool:
    field = fields.get(key)
    return field is not None and field.mode == "bucket"


def _nowhere(key: str) -> Expr:
    return And((Exists(key), Not(Exists(key))))
