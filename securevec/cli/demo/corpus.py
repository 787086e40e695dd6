"""The help desk corpus: where it lies, and its labelled truth, which is read for scoring and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from securevec.errors import SourceError

_FILES: Final = ("larkfield.jsonl", "northgate.csv", "truth.jsonl", "queries.jsonl", "schema.py")
FAST_ROWS: Final = 60
"""Rows of each file that the fast demo takes."""

USUAL_ROWS: Final = 300
"""Rows of each file that the demo takes unless told otherwise: about 500 in all, embedded in half a minute."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was planted in one row: values by field and label, and values of undeclared columns."""

    row: int
    id: str | None
    values: Mapping[str, tuple[tuple[str, str], ...]]
    canaries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A question in plain words, what kind it is, and the ids of the records that answer it."""

    kind: str
    text: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The files of the corpus."""

    directory: Path

    @property
    def schema(self) -> str:
        """The record class, as ``--schema`` takes it."""
        return f"{self.directory / 'schema.py'}:Ticket"

    def source(self, name: str, *, rows: int | None, copy_in: Path) -> Path:
        """A source file, or a copy of its first ``rows`` rows."""
        path = self.directory / name
        if rows is None:
            return path
        target = copy_in / name
        with path.open("rb") as whole, target.open("wb") as part:
            is_csv = path.suffix == ".csv"
            part.writelines(islice(_csv_rows(whole) if is_csv else whole, rows + is_csv))
        return target

    def truth(self, name: str) -> dict[int, Labelled]:
        """Row number to what was planted there."""
        rows: dict[int, Labelled] = {}
        for entry in self._lines("truth.jsonl"):
            if entry["file"] == name:
                values = {
                    field: tuple((str(label), str(value)) for _, _, label, value in spans)
                    for field, spans in entry["spans"].items()
                }
                row = int(entry["row"])
                rows[row] = Labelled(row, entry["id"], values, tuple(entry["canaries"]))
        return rows

    def queries(self, tenant: str) -> list[Query]:
        return [
            Query(entry["kind"], entry["query"], frozenset(entry["expected"]))
            for entry in self._lines("queries.jsonl")
            if entry["tenant"] == tenant
        ]

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        with (self.directory / name).open("rb") as lines:
            yield from map(orjson.loads, lines)


def _csv_rows(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, joined where a quoted cell goes on in the next one. The header is the first."""
    row = b""
    for line in lines:
        row += line
        if row.count(b'"') % 2 == 0:
            yield row
            row = b""


def find_corpus() -> Corpus:
    """The corpus of this installation, or of this checkout. Raises :class:`SourceError` when neither has it."""
    here = Path(__file__).resolve()
    for directory in (here.parents[1] / "corpora" / "helpdesk", here.parents[3] / "examples" / "corpora" / "helpdesk"):
        if all((directory / name).is_file() for name in _FILES):
            return Corpus(directory)
    raise SourceError(
        "The help desk corpus is not here.", next_step="Run the demo from a checkout, or reinstall securevec."
    )
