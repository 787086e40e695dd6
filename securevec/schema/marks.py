"""Markers: what may happen to a field. A field without one is never kept.

    Key     the record's own id; names it for replacement, reading and deletion
    Subject whom the record is about; replaced by a surrogate, erasable
    Embed   anonymized, embedded and sealed
    Seal    anonymized and sealed, never embedded
    Filter  readable by the store (``clear``) or as a keyed token (``token``), and sealed

Use the typed aliases of :mod:`securevec.schema.record` (``Key[str]``); the classes here are for parameters::

    status: Annotated[str, marks.Filter(mode="token")]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from securevec.schema.harden import harden

Keep = Literal["anonymized", "original"]
Mode = Literal["clear", "token", "bucket"]
LowEntropy = Literal["warn", "accept", "refuse"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Base of the markers. Tightens pydantic's conversions for the field (see :mod:`securevec.schema.harden`)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return harden(handler(source))


@dataclass(frozen=True, slots=True)
class Key(Mark):
    """The record's id: ``str`` (1 to 1,024 bytes), ``int`` (64 bits) or ``UUID``. Exactly one per Record."""


@dataclass(frozen=True, slots=True)
class Subject(Mark):
    """Whom the record is about: the whole value is replaced by the tenant's surrogate for that person.

    ``shred``: the record is sealed under that person's own key besides the tenant's, so that the person's erasure makes
    all of them unreadable at once, in every copy of the store (docs/keys.md). One field of a Record at most.
    """

    shred: bool = False


@dataclass(frozen=True, slots=True)
class Embed(Mark):
    """Text to search in. ``keep="original"`` seals the original; the vector is of anonymized text always."""

    keep: Keep = "anonymized"


@dataclass(frozen=True, slots=True)
class Seal(Mark):
    """Sealed, never embedded, never readable by the store. ``keep="original"`` seals text as it came, and takes a
    number that its field's name gives away (``phone``, ``card_number``), which is refused without."""

    keep: Keep = "anonymized"


@dataclass(frozen=True, slots=True)
class Filter(Mark):
    """Pushed down to the store: as it is (``clear``), as a keyed token (``token``: equality only), or as the keyed
    token of the bucket its value is in (``bucket``: equality and ranges of numbers, dates and times, decided on the
    sealed value after the store narrowed down).

    Of a list the store gets one keyed token an element, and their number, whatever the mode.
    """

    mode: Mode = "clear"
    width: int | None = None
    """Of a bucket: in days for dates and times, in the field's own unit for numbers."""
    truncate: int | None = None
    """Of a token: to how many bits (1 to 32) it is cut, so that equal tokens need not be equal values. Filters mean the
    same: the sealed value decides on what the store returns too much."""
    low_entropy: LowEntropy = "warn"
    """``accept``: it is known that the few values of this field can be told from how often their tokens occur.
    ``refuse``: rows are refused while that is so, measured on stored records and the rows that come."""


class LowEntropyWarning(UserWarning):
    """A field of very few possible values is tokenized: how often a token occurs tells its value."""
