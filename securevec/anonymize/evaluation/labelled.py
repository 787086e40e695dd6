"""Labelled texts: what a person said stands where. One mapping a text, in the shapes that data sets use.

``{"text": str, "spans": [...]}`` where a span is ``[start, end, label]`` or a mapping with ``start``, ``end`` and
``label`` (``type``, ``entity_type`` and ``entity`` are read as well, and presidio-research's ``full_text``,
``start_position`` and ``end_position``). A list under ``entities``, ``labels``, ``label``, ``privacy_mask`` or
``annotations`` is read where there are no ``spans``, and ``source_text`` where there is no ``text``. Offsets count
characters; ``start`` is inside the span, ``end`` behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from securevec.anonymize.evaluation.labels import canonical
from securevec.errors import RecordError

_TEXT: Final = ("text", "full_text", "source_text")
_SPANS: Final = ("spans", "entities", "labels", "label", "privacy_mask", "annotations")
_START: Final = ("start", "start_position")
_END: Final = ("end", "end_position")
_LABEL: Final = ("label", "type", "entity_type", "entity")

Gold = tuple[int, int, str]
"""Start, end, entity."""


@dataclass(frozen=True, slots=True, repr=False)
class Labelled:
    """A text and its spans in our entities. ``read_as``: each label as it came, and the entity it was taken for."""

    text: str
    spans: tuple[Gold, ...]
    read_as: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Labelled({len(self.text)} characters, {len(self.spans)} spans)"


def labelled(value: Mapping[str, object], *, row: int, labels: Mapping[str, str] | None = None) -> Labelled:
    """One labelled text. Raises ``RecordError`` naming the row and the field that cannot be used."""
    text = _first(value, _TEXT)
    if not isinstance(text, str):
        raise RecordError("The line has no text.", row=row, field="text")
    spans = next((value[name] for name in _SPANS if isinstance(value.get(name), list)), None)
    if not isinstance(spans, list):
        raise RecordError("The line has no list of spans; a text without any has an empty one.", row=row, field="spans")
    given = [_span(span, len(text), row) for span in cast("list[object]", spans)]
    read_as = {label: canonical(label, labels) for _, _, label in given}
    return Labelled(text, tuple((start, end, read_as[label]) for start, end, label in given), tuple(read_as.items()))


def _span(span: object, size: int, row: int) -> Gold:
    """Start, end, and the label as it came."""
    start: object = None
    end: object = None
    label: object = None
    if isinstance(span, Mapping):
        described = cast("Mapping[str, object]", span)
        start, end, label = (_first(described, names) for names in (_START, _END, _LABEL))
    elif isinstance(span, list) and len(cast("list[object]", span)) == 3:
        start, end, label = cast("list[object]", span)
    else:
        raise RecordError("A span is neither [start, end, label] nor a mapping of them.", row=row, field="spans")
    if not isinstance(label, str) or not label.strip():
        raise RecordError("A span has no label.", row=row, field="spans")
    if not _is_offset(start) or not _is_offset(end):
        raise RecordError("A span's start or end is not a whole number.", row=row, field="spans")
    begin, finish = cast("int", start), cast("int", end)
    if not 0 <= begin < finish <= size:
        raise RecordError("A span is empty or lies outside the text.", row=row, field="spans")
    return begin, finish, label.strip()


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _first(value: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((value[name] for name in names if name in value), None)
