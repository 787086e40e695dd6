"""A file of rows is streamed: memory does not grow with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import large_child

MB = 1024 * 1024


def write_csv(path: Path, *, rows: int, filler: int) -> int:
    """Rows with an undeclared column of ``filler`` characters; every thousandth row has a column too many."""
    with path.open("w", encoding="utf-8") as out:
        out.write("id,body,undeclared\n")
        for number in range(rows):
            out.write(f"{number},row {number},{'x' * filler}{',extra' if number % 1000 == 999 else ''}\n")
    return path.stat().st_size


def write_parquet(path: Path, *, rows: int, filler: int) -> int:
    """As :func:`write_csv`, in row groups, with a declared column that is large."""
    arrow = pytest.importorskip("pyarrow", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
    from pyarrow import parquet

    schema = arrow.schema([("id", arrow.string()), ("body", arrow.string()), ("undeclared", arrow.string())])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, 100):
            part = range(start, min(start + 100, rows))
            columns: dict[str, Any] = {
                "id": [str(number) for number in part],
                "body": [f"row {number}" for number in part],
                "undeclared": [f"{number}" + "x" * filler for number in part],
            }
            writer.write_table(arrow.table(columns, schema=schema))
    return path.stat().st_size


def run(root: Path, file: Path, what: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, large_child.__file__, str(root), str(file), what],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    )
    answer: dict[str, int] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", ["a.csv", pytest.param("a.parquet", marks=pytest.mark.soak)])
def test_memory_does_not_grow_with_a_file_of_rows(tmp_path: Path, name: str) -> None:
    write = write_csv if name.endswith("csv") else write_parquet
    peaks: list[int] = []
    sizes: list[int] = []
    for number, rows in enumerate((300, 600)):
        root = tmp_path / str(number)
        root.mkdir()
        sizes.append(write(root / name, rows=rows, filler=100_000))
        answer = run(root, root / name, "preview")
        assert answer["rows"] + answer["refused"] == rows
        peaks.append(answer["peak"])
    assert sizes[1] - sizes[0] > 27 * MB
    assert peaks[1] - peaks[0] < 14 * MB, [peak // MB for peak in peaks]


@pytest.mark.soak
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_five_hundred_megabytes_of_rows_are_stored_in_memory_that_does_not_hold_them(tmp_path: Path, name: str) -> None:
    pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    csv = name.endswith("csv")
    size = (write_csv if csv else write_parquet)(tmp_path / name, rows=60_000, filler=9_000)
    assert size > 500 * MB
    answer = run(tmp_path, tmp_path / name, "ingest")
    print(answer["peak"] // MB, "MB for", size // MB)
    assert (answer["rows"], answer["refused"]) == ((59_940, 60) if csv else (60_000, 0))
    assert answer["peak"] < 350 * MB
