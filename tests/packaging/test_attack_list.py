"""The page of attacks on keys says what is true: each row names tests, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"\| (\d+) \|.*\|([^|]*)\|$")


@cache
def defined_in(name: str) -> set[str]:
    found = ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8")))
    return {node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_attack_on_keys_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "attacks-on-keys.md").read_text(encoding="utf-8")
    rows = {int(match[1]): match[2].split() for line in page.splitlines() if (match := ROW.match(line))}
    assert sorted(rows) == list(range(1, 27))
    for number, named in rows.items():
        assert named, f"row {number} names no test"
        for each in named:
            path, separator, test = each.strip("`").partition("::")
            assert separator, each
            assert test in defined_in(path), f"row {number}: {each}"
