"""Anonymizing the texts of one record.

Clear filter values and sealed numbers stay as they are, so a row in which one of them is personal data is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from securevec.anonymize import TenantKeys
from securevec.anonymize.ahead import NOTHING, Found, Text
from securevec.errors import RecordError
from securevec.rows.minimize import Minimized
from securevec.state.runtime import CollectionScope
from securevec.types import AnonymizedField

_READ_AS_TEXT: Final = frozenset({"str", "uuid", "int", "float"})
"""Types of filter fields in which somebody's number could stand. A time is declared as one; of a list the store sees
tokens, whatever its mode."""


_FEWEST_DIGITS: Final = 7
"""Of a number that could be somebody's: the shortest telephone numbers."""
_SAYS_WHAT_IT_IS: Final = re.compile(
    r"(?:\A|_)(?:(?:credit_?)?cards?|pan|(?:kredit)?karte|carte|tarjeta|carta|cartao|kaart"
    r"|(?:tele)?phones?|mobile|cell|tel|fax|telefone?|telefono|telefoon|handy|movil)(?:_|\Z)"
)
"""Names of fields for what the digits alone look like too."""


def anonymize(
    collection: CollectionScope, minimized: Minimized, *, keys: TenantKeys, ahead: Found = NOTHING
) -> dict[str, AnonymizedField]:
    """The texts of one record, anonymized. Raises :class:`RecordError` for a clear filter value the detector knows,
    and for a sealed number that its field's name gives away."""
    refuse_findings_in_clear_filters(collection, minimized, ahead)
    refuse_findings_in_sealed_numbers(collection, minimized)
    subjects = [spec.name for spec in collection.schema.by_kind("subject") if spec.name in minimized.texts]
    return collection.anonymizer.record(minimized.texts, keys=keys, subjects=subjects, ahead=ahead)


def texts_of(collection: CollectionScope, minimized: Minimized) -> Iterator[Text]:
    """The texts of one record that the detector is going to read, to have them read ahead or together."""
    subjects = [spec.name for spec in collection.schema.by_kind("subject")]
    yield from collection.anonymizer.texts(minimized.texts, subjects=subjects)
    for name, value in _clear_filters(collection, minimized):
        yield from collection.anonymizer.texts_in_clear(value, name)


def redactions_of(collection: CollectionScope, anonymized: Mapping[str, AnonymizedField]) -> Counter[str]:
    """How many values of each entity were replaced, where the replacement is what is kept."""
    kept = {spec.name for spec in collection.schema.by_kind("seal") if spec.keep == "original"}
    redactions: Counter[str] = Counter()
    for name, result in anonymized.items():
        if name not in kept:
            redactions.update(span.entity for span in result.spans)
    return redactions


def refuse_findings_in_clear_filters(collection: CollectionScope, minimized: Minimized, ahead: Found = NOTHING) -> None:
    """A clear filter value is readable by the store, so nothing the detector knows may stand in one."""
    for name, value in _clear_filters(collection, minimized):
        findings = collection.anonymizer.findings_in_clear(value, name, ahead)
        if findings:
            raise RecordError(
                f"A clear filter value holds what the detector calls {findings[0].entity}; with "
                'marks.Filter(mode="token") equality filters work and the store reads a token.',
                field=name,
                next_step='Declare the field with marks.Filter(mode="token").',
            )


def _clear_filters(collection: CollectionScope, minimized: Minimized) -> Iterator[tuple[str, str]]:
    """The clear filter values of a record that are to be read as a text, each behind its field's name."""
    for spec in collection.schema.by_kind("filter"):
        value = minimized.filters.get(spec.name)
        if spec.mode != "clear" or value is None or spec.type not in _READ_AS_TEXT:
            continue
        if isinstance(value, float):
            # As a reader would copy it: whole amounts without their fraction.
            value = int(value) if value.is_integer() else value
        yield spec.name, str(value)


def refuse_findings_in_sealed_numbers(collection: CollectionScope, minimized: Minimized) -> None:
    """A sealed number is shown to whoever may search, without the vault's permission: no telephone number or card.

    Only where the field's name says what it is. A number alone proves nothing: every tenth time in milliseconds passes
    for a card, and a surrogate in its place would be a wrong time.
    """
    for spec in collection.schema.by_kind("seal"):
        value = minimized.kept.get(spec.name)
        if value is None or spec.keep == "original" or spec.type != "int":
            continue
        text = str(value)
        if len(text) < _FEWEST_DIGITS:
            continue
        anonymizer = collection.anonymizer
        named = {finding.entity for finding in anonymizer.findings_in_clear(text, spec.name)}
        if not named:
            continue
        spoken = _SAYS_WHAT_IT_IS.search(spec.name.lower())
        told = sorted(named if spoken else named - {finding.entity for finding in anonymizer.findings(text)})
        if told:
            raise RecordError(
                f"A sealed number holds what the detector calls {told[0]}, and a number cannot be replaced; Seal[str] "
                'can, and marks.Seal(keep="original") takes the number as it is.',
                field=spec.name,
                next_step='Declare the field as Seal[str], or as a number with marks.Seal(keep="original").',
            )
