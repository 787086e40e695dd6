"""Tables on terminals of any width: no word is broken that has room, and nothing is left out."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from securevec.cli.fitting import fitted
from securevec.cli.output import shortened, table

_COLUMNS = ["key", "kind", "purpose", "tenant id", "epoch", "state", "created"]
_ROWS = [
    ("5be9e1da5efa", "installation", "namespaces", "-", "-", "active", "2026-11-26T14:53:17Z"),
    ("962d820526d5", "dek", "body", "494cde063593", "r15552000000/b1811808000000", "active", "2026-11-26T14:53:22Z"),
]


def _shown(width: int, columns: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    out = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    out.print(fitted(table(columns, rows), width))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160])
def test_no_word_is_broken_at_any_width(width: int) -> None:
    shown = _shown(width, _COLUMNS, _ROWS)
    for word in {word for row in [_COLUMNS, *_ROWS] for value in row for word in value.split()}:
        assert word in shown.split(), word
    assert max(map(len, shown.splitlines())) <= width


def test_a_table_that_fits_stays_a_table_and_a_long_text_wraps_in_its_column() -> None:
    rows = [("0.5", "T-1", "word " * 60), ("0.4", "T-2", "/a/very/long/path" * 6)]
    lines = _shown(60, ["score", "id", "text"], rows).splitlines()
    assert lines[0].split() == ["score", "id", "text"]
    assert lines[2].startswith("0.5")


@pytest.mark.parametrize("width", [64, 70, 80])
def test_a_name_stays_whole_beside_a_sentence_that_wraps(width: int) -> None:
    rows = [
        ("query-by-foreign-vector", "held", "held", "allowed: 4 rows of another tenant were returned to the caller")
    ]
    shown = _shown(width, ["Path", "Barrier 1", "Verdict", "The server alone"], rows)
    assert "query-by-foreign-vector" in shown.split()
    assert max(map(len, shown.splitlines())) <= width


def test_a_table_without_rows_says_none() -> None:
    assert _shown(80, ["hold", "on"], []).splitlines()[-1] == "none"


def test_a_very_long_path_shows_where_it_begins_and_its_name() -> None:
    path = "/".join(["d" * 60] * 20) + "/letter.pdf"
    assert len(shortened(path)) == 90
    assert shortened(path).startswith("ddd")
    assert shortened(path).endswith("/letter.pdf")
    assert shortened("docs/letter.pdf") == "docs/letter.pdf"
