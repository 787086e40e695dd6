"""What a bucket may be, and to what a token may be cut: the rules of filter fields of which the store sees less than
equality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securevec.errors import SchemaError

if TYPE_CHECKING:
    from securevec.schema.fields import FieldSpec

_WIDEST: Final = 2**53
MOST_BITS: Final = 32
"""Beyond, tokens of as many values as anybody has are all different, and the cut hides nothing."""


def check_width(field: FieldSpec) -> None:
    """Raises :class:`SchemaError` for a bucket without a width, and a width without a bucket."""
    width: object = field.width
    if field.mode != "bucket":
        if width is not None:
            raise SchemaError(f'Field "{field.name}": only mode="bucket" has a width.')
        return
    if field.kind != "filter" or field.type not in ("int", "float", "date", "datetime"):
        raise SchemaError(f'Field "{field.name}": only numbers, dates and times lie in buckets.')
    if type(width) is not int or not 1 <= width <= _WIDEST:
        raise SchemaError(
            f'Field "{field.name}": a bucket has a width, a whole number of at least 1.',
            next_step='Declare marks.Filter(mode="bucket", width=30): days for dates and times.',
        )


def check_truncation(field: FieldSpec) -> None:
    """Raises :class:`SchemaError` for what is cut and no token of a single value, or cut to no number of bits."""
    bits: object = field.truncate
    if bits is None:
        return
    if field.kind != "filter" or field.mode != "token" or field.type.startswith("list"):
        raise SchemaError(f'Field "{field.name}": only mode="token" is cut, and not of lists.')
    if type(bits) is not int or not 1 <= bits <= MOST_BITS:
        raise SchemaError(
            f'Field "{field.name}": a token is cut to 1 to {MOST_BITS} bits.',
            next_step="Of N different values, about N / 2^bits share a token.",
        )


def check_guard(field: FieldSpec) -> None:
    """Raises :class:`SchemaError` for ``low_entropy="refuse"`` on a field of which the store holds no tokens."""
    guarded: object = field.guarded
    tokens = field.kind == "filter" and (field.mode != "clear" or field.type.startswith("list"))
    if type(guarded) is not bool or (guarded and not tokens):
        raise SchemaError(f'Field "{field.name}": low_entropy="refuse" is for fields the store holds tokens of.')
