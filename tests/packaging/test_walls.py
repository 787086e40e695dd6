"""The walls between rooms: who may import what. ``make lint`` checks the checkout; here each wall is seen to hold."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LINT: Final = Path(sys.executable).with_name("lint-imports")


def _speaking_of(word: str) -> Iterator[tuple[str, ast.Module]]:
    """Our modules in which the word stands, parsed."""
    for base in (ROOT, ROOT / "backends"):
        for path in sorted(base.glob("securevec*/**/*.py")):
            if word in (text := path.read_text(encoding="utf-8")):
                yield ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"), ast.parse(text)


def test_only_the_anonymizer_can_mint_anonymized_text() -> None:
    users: set[str] = set()
    for name, tree in _speaking_of("mint_anonymized"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and "mint_anonymized" in {alias.name for alias in node.names}:
                users.add(name)
            reached = isinstance(node, ast.Attribute) and node.attr == "mint_anonymized"
            assert not reached, f"{name} reaches it as an attribute of the module"
    assert users, "nothing mints it: the name has changed and this test guards nothing"
    assert all(f"{name}.".startswith("securevec.anonymize.") for name in users), sorted(users)


def test_every_room_is_on_one_side_of_the_walls_or_the_other() -> None:
    """A new room that nobody puts on a list would be open to adapters, or free to call ciphers."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    walls = {contract["id"]: contract for contract in contracts}
    rooms = {
        f"securevec.{entry.stem}"
        for entry in (ROOT / "securevec").iterdir()
        if entry.suffix == ".py" or (entry / "__init__.py").is_file()
    } - {"securevec.__init__"}
    contract = {
        f"securevec.{name}"
        for name in ("backend", "clock", "disk", "errors", "filters", "foreign", "limits", "locks", "text", "types")
    }
    assert {*walls["adapters"]["forbidden_modules"]} - {"cryptography"} == rooms - contract
    assert {*walls["cryptography"]["source_modules"]} == rooms - {"securevec.crypto"}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy in which every wall has been breached once."""
    copy = tmp_path_factory.mktemp("breached")
    for part in ("securevec", "backends"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    breaches = {
        "securevec/limits.py": "import securevec.ingest\n",
        "securevec/search.py": "import qdrant_client\n",
        "securevec/audit/event.py": "import cryptography\n",
        "backends/securevec_qdrant/edge.py": "import securevec.crypto.secret\n",
        "backends/securevec_chroma/place.py": "import securevec.crypto.secret\n",
        "backends/securevec_adapters/pool.py": "import chromadb\n",
    }
    for name, line in breaches.items():
        path = copy / name
        path.write_text(path.read_text(encoding="utf-8") + f"\n{line}", encoding="utf-8")
    (copy / "securevec" / "stray.py").write_text('"""A room nobody placed."""\n', encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "backends")])}
    done = subprocess.run(
        [str(LINT), "--no-cache"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("wall", "evidence"),
    [
        ("Rooms of securevec, outermost first", "securevec.limits is not allowed to import securevec.ingest"),
        ("Rooms of securevec, outermost first", "securevec.stray"),
        ("The core never imports a vendor client", "securevec is not allowed to import qdrant_client"),
        ("Adapters see only the contract", "securevec_qdrant is not allowed to import securevec.crypto"),
        ("Adapters see only the contract", "securevec_chroma is not allowed to import securevec.crypto"),
        ("What adapters share knows no vendor", "securevec_adapters is not allowed to import chromadb"),
        ("Only the crypto room imports cryptography", "securevec.audit is not allowed to import cryptography"),
    ],
)
def test_a_breached_wall_is_reported(verdict: str, wall: str, evidence: str) -> None:
    broken = [line for line in verdict.splitlines() if line.startswith(wall)]
    assert any(line.rstrip().endswith("BROKEN") for line in broken), verdict
    assert evidence in verdict, verdict
