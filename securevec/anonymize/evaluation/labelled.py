"""Labelled texts: what a person said stands where. One mapping a text, in the shapes that data sets use.

``{"text": str, "spans": [...]}`` where a span is ``[start, end, label]`` or a mapping of them, under the names below.
The first of :data:`_SPANS` that holds a list is read, also one that is written as a string; where there is none, a tag
for each token (:mod:`securevec.anonymize.evaluation.layouts`). Offsets count characters; ``start`` is inside the span,
``end`` behind it. Spans labelled ``O`` say that nothing is there, and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from securevec.anonymize.evaluation.labels import canonical
from securevec.anonymize.evaluation.layouts import as_list, tagged
from securevec.errors import RecordError

_TEXT: Final = ("text", "full_text", "source_text", "generated_text", "unmasked_text", "content", "document")
_SPANS: Final = (
    *("spans", "entities", "labels", "label", "privacy_mask", "annotations", "span_labels", "pii_spans"),
    *("entity_mentions", "fragments"),
)
_START: Final = ("start", "start_position", "start_offset", "start_char", "begin", "offset")
_END: Final = ("end", "end_position", "end_offset", "end_char")
_LABEL: Final = ("label", "type", "entity_type", "entity", "category", "tag", "entity_group")

_NOTHING: Final = "O"

Gold = tuple[int, int, str]
"""Start, end, entity."""


@dataclass(frozen=True, slots=True, repr=False)
class Labelled:
    """A text and its spans in our entities. ``read_as``: each label as it came, and the entity it was taken for.
    ``given``: the labels as they came, in the order of the spans."""

    text: str
    spans: tuple[Gold, ...]
    read_as: tuple[tuple[str, str], ...] = ()
    given: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Labelled({len(self.text)} characters, {len(self.spans)} spans)"


def labelled(value: Mapping[str, object], *, row: int, labels: Mapping[str, str] | None = None) -> Labelled:
    """One labelled text. Raises ``RecordError`` naming the row and the field that cannot be used."""
    text = _first(value, _TEXT)
    spans = next((found for name in _SPANS if (found := _spans(value.get(name))) is not None), None)
    if spans is None and (tokens := tagged(value, text if isinstance(text, str) else None)) is not None:
        text, spans = tokens
    if not isinstance(text, str):
        raise RecordError("The line has no text.", row=row, field="text")
    if spans is None:
        raise RecordError(
            "The line has no list of spans or of tags with names; a text without any has an empty one.",
            row=row,
            field="spans",
        )
    given = [read for span in spans if (read := _span(span, len(text), row))[2] != _NOTHING]
    read_as = {label: canonical(label, labels) for _, _, label in given}
    return Labelled(
        text,
        tuple((start, end, read_as[label]) for start, end, label in given),
        tuple(read_as.items()),
        tuple(label for _, _, label in given),
    )


def _spans(value: object) -> list[object] | None:
    """A list of spans. One of plain words is tags of tokens, or what a whole text is about."""
    found = as_list(value)
    return None if found and all(isinstance(item, str) for item in found) else found


def _span(span: object, size: int, row: int) -> Gold:
    """Start, end, and the label as it came."""
    start: object = None
    end: object = None
    label: object = None
    if isinstance(span, Mapping):
        described = cast("Mapping[str, object]", span)
        start, end, label = (_first(described, names) for names in (_START, _END, _LABEL))
        if end is None and _is_offset(start) and _is_offset(length := described.get("length")):
            end = cast("int", start) + cast("int", length)
        elif start is None and isinstance(pair := described.get("position"), list):
            start, end = (*cast("list[object]", pair), None, None)[:2]
    elif isinstance(span, list | tuple) and len(cast("Sequence[object]", span)) == 3:
        start, end, label = cast("Sequence[object]", span)
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
