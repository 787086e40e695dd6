"""Rules of the house that a machine can hold."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON_ROOTS: Final = ("securevec", "backends", "tests", "benchmarks", "examples")

# Written in pieces, or this file would be its own first finding.
FORBIDDEN: Final = {
    "a machine's path": re.compile("/" + r"(?:work|home|root|tmp/w)/(?:main|shared|\w+/|contracts)", re.ASCII),
    "a registry's host": re.compile(
        "|".join(
            re.escape(".".join(parts))
            for parts in (
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("pytorch", "org", "whl"),
                ("npmjs", "org"),
                ("npmjs", "com"),
                ("crates", "io"),
                ("docker", "io"),
                ("ghcr", "io"),
            )
        ),
        re.IGNORECASE,
    ),
    "a merge that nobody ended": re.compile("^(?:<{7}|>{7}) ", re.MULTILINE),
    "a note to self": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b"),
}


def _listed() -> list[Path]:
    """Files that are tracked or about to be; in a source distribution, all there are."""
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not {".venv", "__pycache__"} & set(path.parts)]


def _texts() -> Iterator[tuple[Path, str]]:
    for path in _listed():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_speaks_of_the_place_it_was_written_in(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path, text in _texts()
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert not found, found


def test_an_ignored_check_carries_its_code_and_a_reason() -> None:
    bare = re.compile(
        r"#\s*(type: ignore|pyright: ignore|noqa)(?P<code>\[[\w, -]+\]|: [A-Z]+\d+(?:, ?[A-Z]+\d+)*)?(?P<rest>.*)"
    )
    found: list[str] = []
    for path, text in _texts():
        if path.suffix != ".py" or path == Path(__file__):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            match = bare.search(line)
            if match and (not match["code"] or len(match["rest"].strip(" #-:")) < 5):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found


def test_test_files_have_names_of_their_own_and_no_package_around_them() -> None:
    files = [path for path in (ROOT / "tests").rglob("*.py") if "__pycache__" not in path.parts]
    assert not [path for path in files if path.name == "__init__.py"]
    repeated = [
        name for name, count in Counter(path.name for path in files if path.name != "conftest.py").items() if count > 1
    ]
    assert not repeated, repeated


def test_no_module_has_grown_past_four_hundred_lines() -> None:
    found = {
        str(path.relative_to(ROOT)): count
        for folder in ("securevec", "backends")
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not found, found


def test_every_module_says_what_it_is_for() -> None:
    for folder in PYTHON_ROOTS:
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert text.lstrip().startswith(('"""', 'r"""', "#!")), path.relative_to(ROOT)
