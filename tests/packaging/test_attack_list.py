"""The pages of attacks say what is true: each row names tests or paths of ``securevec attack``, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

from securevec.attack import ATTACKS
from securevec.attack.server import NOWHERE
from securevec_chroma.attack import ServerAlone as Chroma
from securevec_qdrant.attack_edge import ServerAlone as Edge
from securevec_qdrant.attack_server import ServerAlone as Qdrant

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"\| (\d+) \|.*\|([^|]*)\|$")
CASES = {case.name: case for case in ATTACKS}
ABSENT = {"Edge": Edge.absent, "Qdrant": Qdrant.absent, "Chroma": Chroma.absent}
BYPASS_PATHS = 28
"""As many ways around the tenant filter are known of Qdrant and Chroma."""
OTHERS = 11
"""And as many more kinds of attack on caches, names, rows, answers and traces."""

BAD_INPUTS = 9


@cache
def defined_in(name: str) -> set[str]:
    found = ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
    return {
        node.name
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def assert_there(row: str, named: list[str]) -> None:
    assert named, f"{row} names no test"
    for each in named:
        path, separator, test = each.strip("`").partition("::")
        if path.startswith("attack/"):
            assert path.removeprefix("attack/") in CASES, f"{row}: {each}"
            continue
        assert separator, each
        assert test in defined_in(path), f"{row}: {each}"


def rows_of(part: str) -> list[list[str]]:
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines][1:]


def test_every_attack_on_keys_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "attacks-on-keys.md").read_text(encoding="utf-8")
    rows = {int(match[1]): match[2].split() for line in page.splitlines() if (match := ROW.match(line))}
    assert sorted(rows) == list(range(1, 27))
    for number, named in rows.items():
        assert_there(f"row {number}", named)


def test_every_attack_on_isolation_names_its_paths_and_every_path_is_named() -> None:
    page = (ROOT / "docs" / "attacks-on-isolation.md").read_text(encoding="utf-8")
    ways, _, inputs = page.partition("## Bad input")
    assert len(rows_of(inputs)) == BAD_INPUTS
    for wrong, tried in rows_of(inputs):
        assert_there(wrong, tried.split())
    rows = rows_of(ways)
    assert [row[0] for row in rows] == [*map(str, range(1, BYPASS_PATHS + 1)), *[""] * OTHERS]
    named: set[str] = set()
    for number, way, paths, vendors in rows:
        cases = [CASES[path] for path in re.findall(r"`([^`]+)`", paths)]
        assert cases, f"{way} has no path"
        named |= {case.name for case in cases}
        having = [
            vendor
            for vendor, absent in ABSENT.items()
            if any(case.server not in NOWHERE and case.server not in absent for case in cases)
        ]
        assert vendors == (", ".join(having) or "none"), way
        if number:
            assert any(number in re.findall(r"\d+", case.source.partition(";")[0]) for case in cases), way
    assert named == set(CASES)
