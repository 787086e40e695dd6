"""What was measured, as values and as a JSON document. Milliseconds, bytes and records per second throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from securevec.bench.paired import Paired

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One side's searches. ``ratio`` and ``added_ms`` compare medians with the first row of the same block."""

    name: str
    says: str
    p50_ms: float
    p95_ms: float
    ratio: float
    added_ms: float
    recall: float | None
    """Share of the exact top k that was answered; absent where the vectors are not those of the questions."""
    same: float
    """Share of the questions whose whole answer, in order, is the first row's."""


@dataclass(frozen=True, slots=True)
class IngestRow:
    """One side's writes. ``ratio`` is time against the first row of the same block."""

    name: str
    says: str
    records: int
    per_second: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Figures:
    backend: str
    points: int
    dimension: int
    k: int
    questions: int
    flush_p50_ms: float
    """A durable append as long as an audit record, measured between the searches."""
    search: Sequence[SearchRow]
    paired: Paired | None
    """The product against the vendor's client in pairs, which says more than the medians of their rows."""
    paired_scan: Paired | None
    """The product against the vendor's client without a vector index, where the product has built one."""
    breadth: int | None
    """Candidates a search looks at in that index: 0 where the scan was found better, absent without an index."""
    ingest: Sequence[IngestRow]
    model_search: Sequence[SearchRow]
    model_ingest: Sequence[IngestRow]
    disk: dict[str, int]
    """Allocated bytes: ``vendor``, ``engine`` (the same store with sealed points) and ``home`` (with keys, control and
    audit)."""
    memory: dict[str, int]
    """Resident bytes of a process of its own that opened the store and searched; empty when not measured."""
    machine: dict[str, str | int | float]
    """``load`` is the mean number of running processes in the last minute, at the end: well above ``cpus``, the medians
    say more about the others than about the sides."""
    versions: dict[str, str]

    def document(self) -> dict[str, object]:
        return {"format": FORMAT, **asdict(self)}


def search_rows(
    named: Sequence[tuple[str, str]],
    times_ms: Sequence[Sequence[float]],
    answers: Sequence[Sequence[list[str]]],
    exact: Sequence[list[str]] | None,
) -> list[SearchRow]:
    """Rows of one block, in the order of its sides; times and answers by side and question."""
    wanted = sum(len(best) for best in exact) if exact else 0
    medians = [float(np.median(times)) for times in times_ms]
    rows: list[SearchRow] = []
    for at, (name, says) in enumerate(named):
        hits = sum(len(set(answer) & set(best)) for answer, best in zip(answers[at], exact or (), strict=bool(exact)))
        same = sum(answer == first for answer, first in zip(answers[at], answers[0], strict=True))
        rows.append(
            SearchRow(
                name=name,
                says=says,
                p50_ms=medians[at],
                p95_ms=float(np.percentile(times_ms[at], 95)),
                ratio=medians[at] / medians[0],
                added_ms=medians[at] - medians[0],
                recall=hits / wanted if wanted else None,
                same=same / len(answers[0]),
            )
        )
    return rows


def ingest_rows(named: Sequence[tuple[str, str]], seconds: Sequence[float], records: int) -> list[IngestRow]:
    return [
        IngestRow(name, says, records, records / took, took / seconds[0])
        for (name, says), took in zip(named, seconds, strict=True)
    ]
