"""A record class for a foreign collection that nobody has declared one for: from a sample of its points.

The columns are judged as ``schema infer`` judges those of a file: prose is for the text field alone, people are
subjects, labels of few values are filters, everything else is sealed. No value of the sample reaches the answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from securevec import limits
from securevec.anonymize import Detector
from securevec.anonymize.policy import KEPT
from securevec.errors import SourceError
from securevec.foreign import ForeignStore
from securevec.imports.fields import snake
from securevec.imports.options import ImportOptions
from securevec.imports.points import columns_of
from securevec.rows.infer import _collect, _Column, _mark
from securevec.schema import Record, Schema
from securevec.schema.fields import FieldSpec, Kind
from securevec.schema.marks import Keep

SAMPLE: Final = 300
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KINDS: Final[Mapping[str, Kind]] = {"Subject": "subject", "Seal": "seal", "Filter": "filter", "Embed": "seal"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The proposed fields, and the columns that are left out: lists, and those that no field can be called as."""

    schema: Schema
    left_out: tuple[str, ...]


def propose(store: ForeignStore, options: ImportOptions, detector: Detector) -> Proposal:
    """A schema for the collection that ``options`` name, from its first points.

    Raises :class:`SourceError` when none of them has a text, :class:`BackendError`.
    """
    points = (point for page in store.pages(options.collection) for point in page)
    rows = [columns_of(point) for point in islice(points, SAMPLE)]
    return proposed(rows, options, detector)


def proposed(rows: Collection[Mapping[str, object]], options: ImportOptions, detector: Detector) -> Proposal:
    """As :func:`propose`, from columns at hand."""
    if not any(isinstance(row.get(options.text_field), str) for row in rows):
        raise SourceError(
            "No point of the sample has a text in the text field.", next_step="See its fields: securevec inspect URL."
        )
    skipped = {options.text_field, options.tenant_field, options.id_field}
    sample = [
        {name: value for name, value in row.items() if name not in skipped and not name.startswith("_node_content.")}
        for row in rows
    ]

    def findings(column: str, value: str) -> list[str]:
        return [each.entity for each in detector.detect(value, field_name=column) if each.entity not in KEPT]

    text = snake(options.text_field)
    text = text if _is_free(text) and text != "id" else "text"
    fields = [FieldSpec("id", "key", "str", optional=False), FieldSpec(text, "embed", "str", optional=False)]
    left_out: list[str] = []
    for column in _collect(sample, findings):
        if column.listed:
            left_out.append(column.source)
            continue
        name = snake(column.source)
        if not _is_free(name) or name in {each.name for each in fields} or len(fields) >= limits.MAX_FIELDS:
            left_out.append(column.source)
            continue
        fields.append(_field(name, column, len(rows)))
    return Proposal(Schema("Imported", tuple(fields)), tuple(left_out))


def _field(name: str, column: _Column, rows: int) -> FieldSpec:
    kind = _KINDS[_mark(column, rows)]
    # A value that does not fit would refuse its point, so a doubtful column stays text.
    exact = "str" if kind == "subject" or column.misfits else column.type
    # A number that its field's name gives away cannot be replaced: it is refused, or taken as it is.
    keep: Keep = "original" if kind == "seal" and exact == "int" and column.pii else "anonymized"
    return FieldSpec(name, kind, exact, optional=True, keep=keep)  # type: ignore[arg-type]  # one of the names of TYPES


def _is_free(name: str) -> bool:
    """Whether a field of a Record class may be called so."""
    return _NAME.fullmatch(name) is not None and not hasattr(Record, name) and not name.startswith("model_")


def lines(schema: Schema) -> Iterable[str]:
    """The fields for people: ``status: Filter[str | None]``."""
    for field in schema.fields:
        yield f"{field.name}: {field.kind.capitalize()}[{field.type}{' | None' if field.optional else ''}]"
