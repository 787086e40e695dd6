"""What an import says of itself. Holds names of tenants and ids of points, so it is for who ran it: no log gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from securevec.errors import ImportIncomplete
from securevec.writing.report import redactions_in


@dataclass(frozen=True, slots=True, repr=False)
class RefusedPoint:
    """A point that was not imported. ``row`` counts from 1 in the order of reading; ``key`` is the point's id, or says
    that it is withheld because the detector found something in it."""

    row: int
    key: str
    tenant: str | None
    field: str | None
    error: str
    reason: str

    def __repr__(self) -> str:
        return f"RefusedPoint({self.error})"


@dataclass(frozen=True, slots=True, repr=False)
class TenantImport:
    """One tenant's part. ``points`` of the source named it; ``stored`` of them were found stored, whole and as the
    source shows them, when the source was read again at the end; ``refused`` are listed in the report."""

    tenant: str
    points: int
    new: int
    updated: int
    unchanged: int
    stored: int
    refused: int
    chunks: int
    redactions: Mapping[str, int]

    @property
    def complete(self) -> bool:
        return self.points == self.stored + self.refused

    def __repr__(self) -> str:
        return f"TenantImport({self.points} points, {self.stored} stored, {self.refused} refused)"


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """What an import did. ``changed``: the source was written to meanwhile. ``drop`` is the command with which its
    owner deletes the source, once everything refused is settled; ``residual`` says what that leaves."""

    source: str
    points: int
    tenants: tuple[TenantImport, ...]
    refused: tuple[RefusedPoint, ...]
    changed: bool
    drop: str
    residual: str
    seconds: float

    @property
    def new(self) -> int:
        return sum(each.new for each in self.tenants)

    @property
    def updated(self) -> int:
        return sum(each.updated for each in self.tenants)

    @property
    def unchanged(self) -> int:
        return sum(each.unchanged for each in self.tenants)

    @property
    def stored(self) -> int:
        return sum(each.stored for each in self.tenants)

    @property
    def redactions(self) -> Mapping[str, int]:
        return redactions_in(self.tenants)

    @property
    def complete(self) -> bool:
        """Whether every point of the source is stored or listed as refused."""
        return not self.changed and self.points == self.stored + len(self.refused)

    def raise_if_incomplete(self) -> None:
        """Raises :class:`ImportIncomplete`."""
        if self.changed:
            raise ImportIncomplete(
                "The source was written to while it was read.",
                next_step="Run the import again; it goes on from what is stored.",
            )
        if not self.complete:
            raise ImportIncomplete(
                "Points of the source are neither stored as it shows them nor refused.",
                next_step="Run the import again; what is stored is passed over.",
            )

    def __str__(self) -> str:
        parts = [f"{self.points} points of {len(self.tenants)} tenants", f"{self.new} new", f"{self.updated} updated"]
        parts += [f"{self.unchanged} unchanged", f"{len(self.refused)} refused"]
        parts.append("verified" if self.complete else "NOT complete")
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"ImportReport({self})"


@dataclass(frozen=True, slots=True, repr=False)
class TenantPreview:
    """What an import would do for one tenant. ``exists`` is false for one that would have to be made."""

    tenant: str
    exists: bool
    new: int
    updated: int
    unchanged: int
    refused: int
    redactions: Mapping[str, int]

    def __repr__(self) -> str:
        return f"TenantPreview({self.new} new, {self.refused} refused)"


@dataclass(frozen=True, slots=True, repr=False)
class ImportPreview:
    """What an import would do, and what it would replace. Nothing was stored and nothing embedded."""

    source: str
    points: int
    tenants: tuple[TenantPreview, ...]
    refused: tuple[RefusedPoint, ...]
    seconds: float

    @property
    def redactions(self) -> Mapping[str, int]:
        return redactions_in(self.tenants)

    def __repr__(self) -> str:
        return f"ImportPreview({self.points} points, {len(self.refused)} refused)"
