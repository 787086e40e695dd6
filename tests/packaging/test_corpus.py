"""The help desk corpus is what its script makes, and its truth file is true."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import phonenumbers
import pytest

CORPORA: Final = Path(__file__).resolve().parents[2] / "examples" / "corpora"
HELPDESK: Final = CORPORA / "helpdesk"
MADE: Final = ("larkfield.jsonl", "northgate.csv", "truth.jsonl", "queries.jsonl")
LABELS: Final = frozenset(
    {
        *("EMAIL", "PHONE", "PERSON", "DATE_OF_BIRTH", "MRN", "NPI", "SSN"),
        *("CARD", "IBAN", "IP", "MAC", "URL_CREDENTIALS", "SECRET"),
    }
)
UNDECLARED: Final = ("internal_comment", "agent_ip", "session_token", "ssn_on_file")


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HELPDESK / name).read_text(encoding="utf-8").splitlines()]


def _rows(name: str) -> list[dict[str, Any] | None]:
    """The rows as a reader sees them; ``None`` where the line holds no object."""
    if name.endswith(".csv"):
        with (HELPDESK / name).open(encoding="utf-8", newline="") as file:
            return [dict(row) for row in csv.DictReader(file)]
    rows: list[dict[str, Any] | None] = []
    for line in (HELPDESK / name).read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        rows.append(value if isinstance(value, dict) else None)
    return rows


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    return _lines("truth.jsonl")


def _of(truth: list[dict[str, Any]], file: str) -> list[dict[str, Any]]:
    return [line for line in truth if line["file"] == file]


def test_the_same_seed_gives_the_committed_bytes(tmp_path: Path) -> None:
    # -S leaves the site packages out: the script has to do with the standard library.
    script = [sys.executable, "-S", str(CORPORA / "make_helpdesk.py"), "--seed", "7", "--out", str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True)
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (HELPDESK / name).read_bytes(), name


@pytest.mark.parametrize(("file", "least"), [("larkfield.jsonl", 400), ("northgate.csv", 150)])
def test_a_file_holds_enough_tickets_updates_and_bad_rows(file: str, least: int, truth: list[dict[str, Any]]) -> None:
    lines = _of(truth, file)
    assert [line["row"] for line in lines] == list(range(1, len(_rows(file)) + 1))
    good = [line for line in lines if "malformed" not in line]
    assert len({line["id"] for line in good}) >= least
    assert len(lines) - len(good) >= 8
    assert len(good) - len({line["id"] for line in good}) == sum("update" in line for line in good) >= 5


@pytest.mark.parametrize("file", ["larkfield.jsonl", "northgate.csv"])
def test_every_span_stands_where_the_truth_says_and_none_is_missed(file: str, truth: list[dict[str, Any]]) -> None:
    for line, row in zip(_of(truth, file), _rows(file), strict=True):
        if row is None:
            continue
        for name, spans in line["spans"].items():
            text = row[name]
            if not isinstance(text, str):
                assert "malformed" in line
                continue
            covered = [(start, end) for start, end, _, _ in spans]
            for start, end, label, value in spans:
                assert text[start:end] == value
                assert label in LABELS
                for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
                    assert any(a < found.end() and found.start() < b for a, b in covered), (line["row"], name)


@pytest.mark.parametrize("file", ["larkfield.jsonl", "northgate.csv"])
def test_good_rows_are_whole_and_their_bodies_of_letter_length(file: str, truth: list[dict[str, Any]]) -> None:
    for line, row in zip(_of(truth, file), _rows(file), strict=True):
        if "malformed" in line:
            continue
        assert row is not None
        assert None not in row, "a cell too many"
        assert row["id"] == line["id"]
        assert 60 <= len(str(row["body"]).split()) <= 180
        assert datetime.fromisoformat(row["opened"]).tzinfo is not None


@pytest.mark.parametrize("file", ["larkfield.jsonl", "northgate.csv"])
def test_canaries_stand_in_undeclared_columns_and_nowhere_else(file: str, truth: list[dict[str, Any]]) -> None:
    for line, row in zip(_of(truth, file), _rows(file), strict=True):
        if row is None or "malformed" in line:
            continue
        undeclared = " ".join(str(row[name]) for name in UNDECLARED)
        declared = " ".join(str(value) for name, value in row.items() if name not in UNDECLARED)
        for canary in line["canaries"]:
            assert canary in undeclared
            assert canary not in declared


def test_every_label_occurs_often_and_every_phone_number_is_possible(truth: list[dict[str, Any]]) -> None:
    spans = [span for line in truth for found in line["spans"].values() for span in found]
    counts = Counter(label for _, _, label, _ in spans)
    assert set(counts) == LABELS
    assert min(counts.values()) >= 20, counts
    for value in {value for _, _, label, value in spans if label == "PHONE"}:
        parsed = phonenumbers.parse(value, "GB" if value.startswith("0") else "US")
        assert phonenumbers.is_possible_number(parsed), value


def test_queries_name_tickets_that_exist(truth: list[dict[str, Any]]) -> None:
    ids = {line["id"] for line in truth if "malformed" not in line}
    queries = _lines("queries.jsonl")
    assert len(queries) >= 20
    for query in queries:
        assert query["expected"]
        assert ids.issuperset(query["expected"])


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in HELPDESK.iterdir() if path.is_file()) < 1_500_000
