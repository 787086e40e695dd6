"""What an ingest says of itself: counts, refused rows, redactions, rate. No content, no ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from securevec.errors import DetectorError, RecordError, SecurevecError
from securevec.text import html_table

_SHOWN: Final = 20
"""Refused rows in a notebook's table."""
MAX_FAILURES: Final = 16
"""Rows at which the detector failed, without one between them that it read, from which on an ingest ends."""


class Counted(Protocol):
    """A part of a report that says what was replaced in it, by entity."""

    @property
    def redactions(self) -> Mapping[str, int]: ...


def redactions_in(parts: Iterable[Counted]) -> dict[str, int]:
    """What was replaced in all parts together, by entity."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.redactions)
    return dict(total)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not stored: where it stands in the source, which field, and why. No content."""

    row: int
    field: str | None
    reason: str
    error: str


@dataclass(frozen=True, slots=True, repr=False)
class IngestReport:
    """What an ingest did. ``new + updated + unchanged + len(refused)`` is the number of rows read.

    A notebook shows the first refused rows as a table: row, field and reason, no content.
    """

    new: int
    updated: int
    unchanged: int
    refused: tuple[RefusedRow, ...]
    chunks: int
    redactions: Mapping[str, int]
    bytes_read: int
    seconds: float
    request_ids: tuple[str, ...] = ()

    @property
    def mb_per_second(self) -> float:
        return self.bytes_read / 1e6 / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        parts = [f"{self.new} new", f"{self.updated} updated", f"{self.unchanged} unchanged"]
        rows = ", ".join(str(refused.row) for refused in self.refused[:10])
        more = ", ..." if len(self.refused) > 10 else ""
        parts.append(f"{len(self.refused)} refused" + (f" (rows {rows}{more})" if self.refused else ""))
        replaced = [f"{count} {entity}" for entity, count in sorted(self.redactions.items(), key=lambda item: -item[1])]
        if replaced:
            parts.append("replaced: " + ", ".join(replaced))
        first = f"; row {self.refused[0].row}: {self.refused[0].reason}" if self.refused else ""
        return ", ".join(parts) + first

    def __repr__(self) -> str:
        """On one line, however many rows were refused: all of them are in ``refused``."""
        return f"{type(self).__name__}({self})"

    def _repr_html_(self) -> str:
        shown = [(each.row, each.field or "", each.reason) for each in self.refused[:_SHOWN]]
        more = [("…", "", f"and {len(self.refused) - _SHOWN} more")] if len(self.refused) > _SHOWN else []
        return html_table(str(self), ("row", "field", "refused because"), [*shown, *more])


@dataclass(frozen=True, slots=True)
class Progress:
    """Handed to the progress callback after each batch. An import counts points where others count bytes."""

    rows: int
    bytes_read: int
    bytes_total: int | None


@dataclass(slots=True)
class Tally:
    """The report while it is being written."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    chunks: int = 0
    rows: int = 0
    bytes_read: int = 0
    refused: list[RefusedRow] = field(default_factory=list["RefusedRow"])
    redactions: Counter[str] = field(default_factory=Counter[str])
    request_ids: list[str] = field(default_factory=list[str])
    refused_tokens: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict[str, Counter[str]](Counter)
    )
    """By field, what rows carried that were refused for what their tokens tell."""
    _failed: int = 0
    """Rows at which the detector failed, one behind the other."""
    _failure: DetectorError | None = None
    _works: bool = False

    def read(self, position: int) -> None:
        self.bytes_read = position

    def refuse(self, row: int, error: SecurevecError) -> None:
        name = error.field if isinstance(error, RecordError) else None
        self.refused.append(RefusedRow(row, name, error.message, type(error).__name__))

    def not_detected(self, row: int, error: DetectorError) -> None:
        """Refuse a row at which the detector failed: one text must not keep the others out.

        Raises :class:`DetectorError` when it failed at so many, one behind the other, that it is no text's fault.
        """
        self.refuse(row, error)
        self._failed += 1
        self._failure = DetectorError(
            error.message, next_step=f"Mend the detector; the last row it failed at is {row}."
        )
        if self._failed >= MAX_FAILURES:
            raise self._failure from error

    def detected(self) -> None:
        self._failed, self._works = 0, True

    def require_a_detector(self) -> None:
        """Raises :class:`DetectorError` when the detector failed in this run and never answered."""
        if self._failure is not None and not self._works:
            raise self._failure

    def counts(self) -> dict[str, int]:
        """For the audit record of the whole ingest."""
        return {
            "rows": self.rows,
            "new": self.new,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": len(self.refused),
        }

    def report(self, seconds: float) -> IngestReport:
        return IngestReport(
            new=self.new,
            updated=self.updated,
            unchanged=self.unchanged,
            refused=tuple(sorted(self.refused, key=lambda refused: refused.row)),
            chunks=self.chunks,
            redactions=dict(self.redactions),
            bytes_read=self.bytes_read,
            seconds=seconds,
            request_ids=tuple(self.request_ids),
        )
