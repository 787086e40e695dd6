"""``Record``, the base of a caller's record classes, and the marker aliases.

    class Ticket(sv.Record):                    # a column not named here is dropped
        id: sv.Key[str]
        customer: sv.Subject[str]
        body: sv.Embed[str]
        notes: sv.Seal[str | None] = None
        status: sv.Filter[str]
        opened: sv.Filter[datetime]

An annotation without a marker is a field of the class like any other, but nothing of it is kept: it is not
stored, and a record read back does not have the attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from securevec.schema import marks

T = TypeVar("T")

Key = Annotated[T, marks.Key()]
"""The record's own id: ``Key[str]``, ``Key[int]`` or ``Key[UUID]``. Exactly one."""

Subject = Annotated[T, marks.Subject()]
"""Whom the record is about: ``str`` or ``str | None``. Replaced by a surrogate, erasable."""

Embed = Annotated[T, marks.Embed()]
"""Text to search in: ``str`` or ``str | None``. Anonymized, embedded, sealed. At least one."""

Seal = Annotated[T, marks.Seal()]
"""Kept sealed, never embedded. Text in it is anonymized."""

Filter = Annotated[T, marks.Filter()]
"""The store may read this one. A value the detector knows as PII is refused here."""


class Record(BaseModel):
    """Base class of records. Frozen; undeclared input is dropped; ``repr`` and errors show no values.

    Raises :class:`pydantic.ValidationError` when built directly; :func:`securevec.rows.validate.validate` maps it
    to :class:`securevec.errors.RecordError`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Names without values: a record in a log line or a traceback must not spill what it holds."""
        for name in type(self).model_fields:
            yield name, _HIDDEN


class _Hidden:
    def __repr__(self) -> str:
        return "…"


_HIDDEN = _Hidden()
