"""The two commands and the one constraints file."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).resolve().parents[2]
MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")


def _make(*arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def pinned() -> dict[str, Version]:
    found: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            assert canonicalize_name(name) not in found, "pinned twice"
            found[canonicalize_name(name)] = Version(version)
    return found


def test_help_lists_every_target() -> None:
    phony = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())  # type: ignore[index]  # always there
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert phony == targets
    assert set(re.findall(r"^  make ([a-z]+) +\S", _make("help"), re.MULTILINE)) == targets


def test_both_commands_can_be_planned_and_check_covers_all_four() -> None:
    assert "securevec demo" in _make("--dry-run", "demo")
    planned = _make("--dry-run", "check")
    for tool in ("ruff format --check", "ruff check", "lint-imports", "mypy", "pyright", "pytest"):
        assert tool in planned


def test_continuous_integration_runs_the_same_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make check"
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_constraints_pin_releases_and_no_builds_or_places() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line


def test_constraints_cover_everything_the_extras_bring_as_it_is_installed(pinned: dict[str, Version]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines: list[str] = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        lines += [line for line in extra if not line.startswith("securevec[")]
    todo = [Requirement(line) for line in lines]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        assert name in pinned, f"{name} is not pinned"
        installed = importlib.metadata.distribution(name)
        public = Version(Version(installed.version).public)
        assert public == pinned[name], f"{name}: tested with {pinned[name]}, installed is {public}"
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in installed.requires or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    todo.append(needed)


def test_lower_bounds_stand_below_the_tested_releases(pinned: dict[str, Version]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for lines in (project["dependencies"], *project["optional-dependencies"].values()):
        for wanted in (Requirement(line) for line in lines if not line.startswith("securevec[")):
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), str(wanted)
