"""What an ingest of folders and files says of itself. Holds paths, so it is for who ran it: no log gets it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from securevec.errors import SecurevecError
from securevec.writing.report import IngestReport, RefusedRow, redactions_in


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not stored, or not wholly. ``error`` is the name of the error's class."""

    path: str
    error: str
    reason: str
    next_step: str = ""

    def __repr__(self) -> str:
        return f"RefusedFile({self.error})"


@dataclass(frozen=True, slots=True, repr=False)
class RowsFile:
    """A file of rows, and what became of them."""

    path: str
    report: IngestReport

    def __repr__(self) -> str:
        return f"RowsFile({self.report})"


@dataclass(frozen=True, slots=True, repr=False)
class FilesReport(IngestReport):
    """Counts over all files; ``refused`` are rows, ``refused_files`` files. ``str()`` shows no path.

    ``documents`` files became one record each; ``passed_over`` of the ``unchanged`` were recognized without being
    parsed. ``skipped`` counts files of other kinds by suffix. ``deleted`` and ``kept`` speak of a sync: records whose
    file or row is gone, and by reason those that stay although it is.
    """

    documents: int = 0
    passed_over: int = 0
    refused_files: tuple[RefusedFile, ...] = ()
    rows_files: tuple[RowsFile, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    deleted: int = 0
    kept: Mapping[str, int] = field(default_factory=dict[str, int])
    holds: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [IngestReport.__str__(self)]
        if self.refused_files:
            reasons = Counter(refused.error for refused in self.refused_files)
            listed = ", ".join(f"{count} {name}" for name, count in sorted(reasons.items()))
            parts.append(f"{len(self.refused_files)} files refused ({listed})")
        if self.deleted:
            parts.append(f"{self.deleted} deleted")
        parts += [f"{count} kept ({reason})" for reason, count in sorted(self.kept.items())]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, repr=False)
class FilePreview:
    """One file: records that would be written, rows that would be refused, and what would be replaced, by entity."""

    path: str
    records: int
    refused: tuple[RefusedRow, ...]
    redactions: Mapping[str, int]

    def __repr__(self) -> str:
        return f"FilePreview({self.records} records)"


@dataclass(frozen=True, slots=True, repr=False)
class FilesPreview:
    """What an ingest would do. ``files`` are those with something to write or to refuse. ``str()`` shows no path."""

    new: int
    updated: int
    unchanged: int
    files: tuple[FilePreview, ...]
    refused_files: tuple[RefusedFile, ...]
    skipped: Mapping[str, int]
    deleted: int
    kept: Mapping[str, int]
    seconds: float

    @property
    def redactions(self) -> Mapping[str, int]:
        """What would be replaced in all files together."""
        return redactions_in(self.files)

    def __str__(self) -> str:
        refused = sum(len(each.refused) for each in self.files)
        parts = [f"would be {self.new} new", f"{self.updated} updated", f"{self.unchanged} unchanged"]
        parts.append(f"{refused} rows and {len(self.refused_files)} files refused")
        if self.deleted:
            parts.append(f"{self.deleted} deleted")
        ranked = sorted(self.redactions.items(), key=lambda item: (-item[1], item[0]))
        if ranked:
            parts.append("replacing " + ", ".join(f"{count} {entity}" for entity, count in ranked))
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"FilesPreview({self})"


@dataclass(slots=True)
class FilesTally:
    """The report while it is being written."""

    documents: int = 0
    passed_over: int = 0
    bytes_read: int = 0
    refused: list[RefusedFile] = field(default_factory=list["RefusedFile"])
    reports: list[IngestReport] = field(default_factory=list["IngestReport"])
    rows_files: list[RowsFile] = field(default_factory=list["RowsFile"])
    skipped: Counter[str] = field(default_factory=Counter[str])
    deleted: int = 0
    kept: Counter[str] = field(default_factory=Counter[str])
    holds: list[str] = field(default_factory=list[str])

    def refuse(self, path: str, error: SecurevecError) -> None:
        self.refused.append(RefusedFile(path, type(error).__name__, error.message, error.next_step))

    def refuse_as(self, path: str, row: RefusedRow) -> None:
        """A document whose record was refused: its one row is the file."""
        self.refused.append(RefusedFile(path, row.error, row.reason))

    def keep(self, reason: str, count: int) -> None:
        """Records of a sync that stay although their source does not show them."""
        if count:
            self.kept[reason] += count

    def counts(self) -> dict[str, int]:
        """For the audit record of the whole."""
        return {
            "files": self.documents + self.passed_over + len(self.rows_files),
            "refused": len(self.refused),
            "unchanged": self.passed_over,
            "deleted": self.deleted,
        }

    def report(self, seconds: float) -> FilesReport:
        every = [*self.reports, *(each.report for each in self.rows_files)]
        return FilesReport(
            new=sum(report.new for report in every),
            updated=sum(report.updated for report in every),
            unchanged=sum(report.unchanged for report in every) + self.passed_over,
            refused=tuple(row for each in self.rows_files for row in each.report.refused),
            chunks=sum(report.chunks for report in every),
            redactions=redactions_in(every),
            bytes_read=self.bytes_read,
            seconds=seconds,
            request_ids=tuple(request for report in every for request in report.request_ids),
            documents=self.documents,
            passed_over=self.passed_over,
            refused_files=tuple(sorted(self.refused, key=lambda refused: refused.path)),
            rows_files=tuple(self.rows_files),
            skipped=dict(self.skipped),
            deleted=self.deleted,
            kept=dict(self.kept),
            holds=tuple(self.holds),
        )
