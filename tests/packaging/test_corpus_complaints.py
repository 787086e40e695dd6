"""The complaints corpus is what its script makes, its truth is true, and its two parts have nothing in common."""

from __future__ import annotations

import csv
import html
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from securevec.anonymize.rules import national, validators
from securevec.anonymize.rules.checksums import alnum

CORPORA: Final = Path(__file__).resolve().parents[2] / "examples" / "corpora"
COMPLAINTS: Final = CORPORA / "complaints"
LINES: Final = CORPORA.parents[1] / "securevec" / "cli" / "recall" / "lines.jsonl"
LABELS: Final = frozenset(
    {
        *("PERSON", "EMAIL", "PHONE", "CARD", "IBAN", "BANK_ACCOUNT", "SORT_CODE", "BIC", "CUSTOMER_ID"),
        *("COMPLAINT_ID", "DATE_OF_BIRTH", "NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE", "ADDRESS", "POSTCODE"),
        *("IP", "SECRET", "URL_CREDENTIALS", "CRYPTO_WALLET"),
    }
)


def _truth() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (COMPLAINTS / "truth.jsonl").read_text(encoding="utf-8").splitlines()]


TRUTH: Final = _truth()
LETTERS: Final = [line for line in TRUTH if "row" not in line]
ROWS: Final = [line for line in TRUTH if "row" in line]


def _bare(text: str) -> str:
    """Without white space and without the marks that wrapping puts at the start of a line."""
    return re.sub(r"[\s>|]+", "", text)


def _shown(path: Path) -> str:
    """The visible characters of a file, as crudely as can be: this must not lean on the parsers it helps to test."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        body = path.read_text(encoding="utf-8").partition("<body>")[2]
        return html.unescape(re.sub(r"<[^>]*>", "", body))
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as archive:
            main = archive.read("word/document.xml").decode()
        return html.unescape(re.sub(r"<[^>]*>", "", main))
    shown = re.findall(rb"Td \(((?:[^()\\]|\\.)*)\) Tj", path.read_bytes())
    text = b"\n".join(shown).decode("ascii")
    octal = re.sub(r"\\(\d{3})", lambda match: bytes([int(match.group(1), 8)]).decode("cp1252"), text)
    return re.sub(r"\\(.)", r"\1", octal)


def test_the_same_seed_gives_the_committed_bytes(tmp_path: Path) -> None:
    # -S leaves the site packages out: the script has to do with the standard library.
    command = [
        sys.executable,
        "-S",
        str(CORPORA / "make_complaints.py"),
        "--seed",
        "11",
        "--out",
        str(tmp_path / "out"),
    ]
    subprocess.run([*command, "--lines", str(tmp_path / "lines.jsonl")], check=True, capture_output=True)
    made = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    hand_made = {Path("README.md"), Path("schema.py")}
    kept = {path.relative_to(COMPLAINTS) for path in COMPLAINTS.rglob("*") if path.is_file()}
    assert {path for path in kept if "__pycache__" not in path.parts} == made | hand_made
    for path in made:
        assert (tmp_path / "out" / path).read_bytes() == (COMPLAINTS / path).read_bytes(), path
    assert (tmp_path / "lines.jsonl").read_bytes() == LINES.read_bytes()


@pytest.mark.parametrize("split", ["dev", "heldout"])
def test_a_part_holds_every_format_kind_and_label(split: str) -> None:
    mine = [line for line in LETTERS if line["split"] == split]
    assert {line["file"] for line in mine} == {
        path.relative_to(COMPLAINTS).as_posix() for path in (COMPLAINTS / split / "letters").iterdir()
    }
    formats = Counter(line["format"] for line in mine)
    assert all(formats[name] >= 10 for name in ("md", "html", "pdf", "docx")), formats
    assert {line["kind"] for line in mine} == {"letter", "thread", "form", "call", "chat", "log", "memo", "foreign"}
    labels = Counter(label for line in mine for label, _ in line["values"])
    assert set(labels) == LABELS
    assert min(labels.values()) >= 8, labels


@pytest.mark.parametrize("line", LETTERS, ids=lambda line: line["file"])
def test_every_value_stands_in_its_letter_and_no_canary_where_one_reads(line: dict[str, Any]) -> None:
    path = COMPLAINTS / line["file"]
    shown = _shown(path)
    for label, value in line["values"]:
        assert _bare(value) in _bare(shown), (label, value)
    stored = (
        b"".join(zipfile.ZipFile(path).read(n) for n in zipfile.ZipFile(path).namelist())
        if path.suffix == ".docx"
        else path.read_bytes()
    )
    for canary in line["canaries"]:
        assert canary.encode() in stored
        assert canary not in shown


@pytest.mark.parametrize("split", ["dev", "heldout"])
def test_every_span_of_the_register_stands_where_the_truth_says(split: str) -> None:
    with (COMPLAINTS / split / "register.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    mine = [line for line in ROWS if line["split"] == split]
    assert [line["row"] for line in mine] == list(range(1, len(cells) + 1))
    assert sum("malformed" in line for line in mine) == 3
    for line, row in zip(mine, cells, strict=True):
        for name, spans in line["spans"].items():
            for start, end, label, value in spans:
                assert row[name][start:end] == value
                assert label in LABELS


def test_the_parts_share_no_sentence_name_layout_or_merchant() -> None:
    pools = [
        tomllib.loads((CORPORA / "pools" / f"complaints_{split}.toml").read_text(encoding="utf-8"))
        for split in ("dev", "heldout")
    ]

    def strings(node: Any) -> set[str]:
        if isinstance(node, str):
            return {node}
        return set().union(*map(strings, node.values() if isinstance(node, dict) else node), set())

    commands = re.compile(r"(?:(?:> |- )*@\w+(?:\*\d)?(?: |$))+|(?:\W|\{\w+\})*")
    for part in ("people", "neutral", "pools", "pii", "register"):
        # A sentence with no words of its own ("{me}", "@greeting") is no sentence.
        shared = {text for text in strings(pools[0][part]) & strings(pools[1][part]) if not commands.fullmatch(text)}
        assert not shared, (part, shared)
    lines = [{text for layout in pool["layout"] for text in layout["lines"]} for pool in pools]
    assert not {text for text in lines[0] & lines[1] if not commands.fullmatch(text)}


def test_values_pass_the_checks_of_their_kind() -> None:
    values = [(label, value) for line in LETTERS for label, value in line["values"]]
    for label, value in values:
        if label == "IBAN":
            assert validators.iban(value.upper())
        elif label == "CARD":
            assert validators.card(value)
    national_numbers = {alnum(value) for label, value in values if label == "NATIONAL_ID"}
    assert sum(len(number) == 16 and national.codice_fiscale(number) for number in national_numbers) >= 5


def test_nothing_that_must_stay_is_also_planted() -> None:
    for line in TRUTH:
        planted = {value for _, value in line.get("values", ())}
        planted |= {span[3] for spans in line.get("spans", {}).values() for span in spans}
        assert not planted & set(line["near"]), line["file"]


def test_the_sample_of_lines_fits_its_spans_and_holds_every_label() -> None:
    lines = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    assert 200 <= len(lines) <= 400
    labels: Counter[str] = Counter()
    for line in lines:
        for start, end, label in line["spans"]:
            assert 0 <= start < end <= len(line["text"])
            labels[label] += 1
    assert set(labels) == LABELS
    assert min(labels.values()) >= 8, labels


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in COMPLAINTS.rglob("*") if path.is_file()) < 1_500_000
