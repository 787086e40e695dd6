"""What an inspection says about a foreign store. Values; counts and names of fields, never a value of a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from securevec.foreign import ForeignVector


@dataclass(frozen=True, slots=True)
class FieldInspection:
    """One field of a collection; nested ones are named with dots.

    ``types`` counts the points by what they have in it (null too), ``share`` is the part of all points that has it
    and not null. ``found`` counts what the detector found, by entity, in the ``sampled`` points that have the field;
    of those, ``too_large`` were not looked into.
    """

    name: str
    types: Mapping[str, int]
    share: float
    sampled: int
    found: Mapping[str, int]
    too_large: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What an import of all points would take on this machine, from ``measured`` records that were anonymized and
    embedded. ``stored_bytes`` is at most; writing to the store and key operations are not in the seconds."""

    measured: int
    detect_seconds: float
    embed_seconds: float
    source_bytes: int
    stored_bytes: int
    chunks: int


@dataclass(frozen=True, slots=True)
class CollectionInspection:
    """One collection.

    ``fields_beyond`` counts values of fields past the number that is told apart. ``tenant_field`` is the likely one,
    for the reason ``tenant_reason``; ``unscoped`` counts the points an import would refuse for want of one tenant, by
    what is in that field. ``missing_tenant_index`` is ``None`` where the store has no such index. ``cost`` is ``None``
    when nothing was measured: no text, no embedder, or not asked for. Of a collection of securevec's own (``ours``)
    nothing is read.
    """

    name: str
    points: int
    vectors: tuple[ForeignVector, ...]
    functions: tuple[str, ...]
    ours: bool
    fields: tuple[FieldInspection, ...]
    fields_beyond: int
    sampled: int
    text_field: str | None
    without_text: int
    tenant_field: str | None
    tenant_reason: str
    tenants: int
    unscoped: Mapping[str, int]
    missing_tenant_index: bool | None
    cost: Cost | None

    @property
    def found(self) -> dict[str, int]:
        """What the detector found in the sample, by entity."""
        total: dict[str, int] = {}
        for field in self.fields:
            for entity, number in field.found.items():
                total[entity] = total.get(entity, 0) + number
        return total


@dataclass(frozen=True, slots=True)
class Inspection:
    """Every collection of a store, or the one that was asked for."""

    source: str
    collections: tuple[CollectionInspection, ...]
