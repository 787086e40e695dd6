"""docs/map.md names every place at the top of the package once, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_map_names_every_place_once() -> None:
    rows = [line.split("|")[1] for line in (ROOT / "docs/map.md").read_text("utf-8").splitlines() if line[:3] == "| `"]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    there = {
        entry.name + "/" * entry.is_dir()
        for entry in (ROOT / "securevec").iterdir()
        if entry.suffix == ".py" or (entry / "__init__.py").is_file()
    }
    assert sorted(named) == sorted(there)
