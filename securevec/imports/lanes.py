"""Points on their way to their tenants: read in pages, sorted by tenant, handed on in batches of one tenant's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from securevec.anonymize import Detector
from securevec.errors import RecordError, Refused, SchemaError, SecurevecError, SourceError
from securevec.foreign import ForeignCollection, ForeignStore, PointKey
from securevec.imports.options import ImportOptions
from securevec.imports.points import Fingerprint, RowMaker, columns_of, tenant_of, text_of
from securevec.imports.report import RefusedPoint
from securevec.schema import Record

LANE: Final = 256
"""Points of one tenant that wait before they are handed on."""
_ALL: Final = 4096
"""Points of all tenants together that wait at most: a source may name any number of tenants."""
_ALL_BYTES: Final = 32 * 1024 * 1024
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class Point:
    """A point with a tenant and a row."""

    number: int
    key: PointKey
    row: dict[str, object]


class Lane(Protocol):
    """One tenant's part of the import."""

    @property
    def name(self) -> str: ...

    @property
    def record_class(self) -> type[Record]: ...

    def take(self, points: Sequence[Point]) -> Refused | None:
        """Carry points on. What it answers closes the tenant: every later point of it is refused with that."""
        ...


L = TypeVar("L", bound=Lane)


class Refusals:
    """The list of what is not imported. A point that is refused once stays refused."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.listed: list[RefusedPoint] = []
        self._numbers: set[int] = set()
        self._by_tenant: Counter[str | None] = Counter()

    def add(self, number: int, key: PointKey, tenant: str | None, error: SecurevecError, named: str = "") -> None:
        """``named`` is the name of the error's class, where a report has only that left of it."""
        if number in self._numbers:
            return
        self._numbers.add(number)
        self._by_tenant[tenant] += 1
        name = error.field if isinstance(error, RecordError) else None
        self.listed.append(
            RefusedPoint(
                number, shown_key(self._detector, key), tenant, name, named or type(error).__name__, error.message
            )
        )

    def of(self, tenant: str) -> int:
        """How many points of a tenant."""
        return self._by_tenant[tenant]

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def sorted(self) -> tuple[RefusedPoint, ...]:
        return tuple(sorted(self.listed, key=lambda each: each.row))


def shown_key(detector: Detector, key: PointKey) -> str:
    """A point's id, for the list of refusals; withheld when it is long or itself something the detector finds."""
    if isinstance(key, int):
        return str(key)
    found = sorted({finding.entity for finding in detector.detect(key)}) if len(key) <= _SHOWN else ["too long"]
    return f"(withheld: {', '.join(found)})" if found else key


@dataclass(slots=True)
class Sorter(Generic[L]):
    """Reads a collection once. ``lane`` makes a tenant's lane at its first point; an error of it refuses the tenant's
    points. Points in ``skipped`` are passed over."""

    options: ImportOptions
    refusals: Refusals
    lane: Callable[[str], L]
    advanced: Callable[[int], None]
    skipped: Refusals | None = None
    lanes: dict[str, L] = field(default_factory=dict[str, L])
    points: dict[str, int] = field(default_factory=dict[str, int])
    """Points that name each tenant, refused ones too."""
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    _makers: dict[str, RowMaker] = field(default_factory=dict[str, RowMaker])
    _closed: dict[str, SecurevecError] = field(default_factory=dict[str, SecurevecError])
    _waiting: dict[str, list[Point]] = field(default_factory=dict[str, list[Point]])
    _held: int = 0
    _held_bytes: int = 0

    def read(self, store: ForeignStore, name: str) -> None:
        """Hand every point to its lane. Raises :class:`BackendError` when the source fails."""
        number = 0
        for page in store.pages(name):
            for point in page:
                number += 1
                self.fingerprint.add(point)
                self._sort(number, point.key, columns_of(point))
            if self._held >= _ALL or self._held_bytes >= _ALL_BYTES:
                self.flush()
            self.advanced(number)
        self.flush()
        self.advanced(number)

    def begin(self, tenant: str) -> None:
        """Make a tenant's lane before its first point. Raises what would have refused its points."""
        self._maker(tenant)

    def flush(self) -> None:
        for tenant in list(self._waiting):
            self._hand_on(tenant)
        self._held_bytes = 0

    def _sort(self, number: int, key: PointKey, columns: dict[str, object]) -> None:
        tenant: str | None = None
        try:
            tenant = tenant_of(columns, self.options)
            self.points[tenant] = self.points.get(tenant, 0) + 1
            if self.skipped is not None and number in self.skipped:
                return
            # Looked at first: a tenant is not made for points that hold nothing.
            text = text_of(columns, self.options)
            row = self._maker(tenant).row(key, text, columns)
        except (RecordError, Refused, SchemaError) as error:
            self.refusals.add(number, key, tenant, error)
            return
        waiting = self._waiting.setdefault(tenant, [])
        waiting.append(Point(number, key, row))
        self._held += 1
        self._held_bytes += sum(len(value) for value in columns.values() if isinstance(value, str))
        if len(waiting) >= LANE:
            self._hand_on(tenant)

    def _maker(self, tenant: str) -> RowMaker:
        """Raises what refuses the tenant."""
        if tenant in self._closed:
            raise self._closed[tenant]
        if tenant not in self._makers:
            try:
                lane = self.lane(tenant)
                self._makers[tenant] = RowMaker(lane.record_class, self.options)
                self.lanes[tenant] = lane
            except (RecordError, Refused, SchemaError) as error:
                self._closed[tenant] = error
                raise
        return self._makers[tenant]

    def _hand_on(self, tenant: str) -> None:
        points = self._waiting.pop(tenant, [])
        self._held -= len(points)
        closed = self.lanes[tenant].take(points) if points else None
        if closed is not None:
            self._closed[tenant] = closed


def find(store: ForeignStore, options: ImportOptions) -> ForeignCollection:
    """The collection to read. Raises :class:`SourceError` when it is not there, or is one of securevec's own."""
    for each in store.collections():
        if each.name == options.collection:
            if each.ours:
                raise SourceError(
                    "This collection was made by securevec: it is sealed, and there is nothing to import.",
                    next_step="Use the home it belongs to: securevec export.",
                )
            return each
    raise SourceError("The source has no collection of this name.", next_step="List them: securevec inspect URL.")
