"""The texts of one record, anonymized; and the clear values beside them, in which nothing may stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from securevec.anonymize import TenantKeys
from securevec.anonymize.ahead import NOTHING, Found, Text
from securevec.errors import RecordError
from securevec.minimize import Minimized
from securevec.runtime import CollectionScope
from securevec.types import AnonymizedField

_READ_AS_TEXT: Final = frozenset({"str", "uuid", "int", "float"})
"""Types of filter fields in which somebody's number could stand. A time is declared as one; of a list the store sees
tokens, whatever its mode."""


def anonymize(
    collection: CollectionScope, minimized: Minimized, *, keys: TenantKeys, ahead: Found = NOTHING
) -> dict[str, AnonymizedField]:
    """The texts of one record, anonymized. Raises :class:`RecordError` for a clear filter value the detector knows."""
    refuse_findings_in_clear_filters(collection, minimized)
    subjects = [spec.name for spec in collection.schema.by_kind("subject") if spec.name in minimized.texts]
    return collection.anonymizer.record(minimized.texts, keys=keys, subjects=subjects, ahead=ahead)


def texts_of(collection: CollectionScope, minimized: Minimized) -> Iterator[Text]:
    """The texts of one record that the detector is going to read, to have them read ahead."""
    subjects = [spec.name for spec in collection.schema.by_kind("subject")]
    return collection.anonymizer.texts(minimized.texts, subjects=subjects)


def redactions_of(collection: CollectionScope, anonymized: Mapping[str, AnonymizedField]) -> Counter[str]:
    """How many values of each entity were replaced, where the replacement is what is kept."""
    kept = {spec.name for spec in collection.schema.by_kind("seal") if spec.keep == "original"}
    redactions: Counter[str] = Counter()
    for name, result in anonymized.items():
        if name not in kept:
            redactions.update(span.entity for span in result.spans)
    return redactions


def refuse_findings_in_clear_filters(collection: CollectionScope, minimized: Minimized) -> None:
    """A clear filter value is readable by the store, so nothing the detector knows may stand in one."""
    for spec in collection.schema.by_kind("filter"):
        value = minimized.filters.get(spec.name)
        if spec.mode != "clear" or value is None or spec.type not in _READ_AS_TEXT:
            continue
        if isinstance(value, float):
            # As a reader would copy it: whole amounts without their fraction.
            value = int(value) if value.is_integer() else value
        findings = collection.anonymizer.findings_in_clear(str(value), spec.name)
        if findings:
            raise RecordError(
                f"A clear filter value holds what the detector calls {findings[0].entity}.",
                field=spec.name,
                next_step='Declare the field with marks.Filter(mode="token").',
            )
