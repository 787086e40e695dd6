"""The demo, on the first rows of each file: every promise holds, and what it says to try next works."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from securevec.cli.demo.stage import PROMISES
from securevec.cli.main import main

SCRIPT = Path(sys.executable).with_name("securevec")


@dataclass(frozen=True)
class Done:
    """What a command did, in this process or in its own."""

    returncode: int
    stdout: str
    stderr: str


def run(line: list[str], directory: Path) -> Done:
    """A command in this process, which may have loaded the model already; what it writes goes to no terminal."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("SECUREVEC_")]:
            patch.delenv(name)
        patch.chdir(directory)
        code = main(line[1:])
    return Done(code, out.getvalue(), err.getvalue())


def run_apart(line: list[str], directory: Path) -> Done:
    """A command as it is installed, in a process of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SECUREVEC_")}
    done = subprocess.run(line, cwd=directory, env=env, capture_output=True, text=True, timeout=300, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


Demo = tuple[Path, Done]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    directory = tmp_path_factory.mktemp("demo")
    return directory, run([str(SCRIPT), "demo", "--fast", "--keep", "kept"], directory)


@pytest.mark.soak
def test_in_a_process_of_its_own_it_ends_as_well(tmp_path: Path) -> None:
    done = run_apart([str(SCRIPT), "demo", "--fast"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "BROKEN" not in done.stdout


def test_every_promise_holds(demo: Demo) -> None:
    _, result = demo
    assert result.returncode == 0, result.stdout + result.stderr
    assert "BROKEN" not in result.stdout
    held = dict(re.findall(r"^(P\d) .* held (\d+ of \d+)\s*$", result.stdout, re.MULTILINE))
    assert set(held) == set(PROMISES)
    assert all(text.split()[0] == text.split()[2] != "0" for text in held.values())


def test_a_pipe_gets_plain_lines_of_at_most_100_columns(demo: Demo) -> None:
    _, result = demo
    assert "\x1b" not in result.stdout + result.stderr
    too_long = [line for line in result.stdout.splitlines() if len(line) > 100 and " --home " not in line]
    assert [line for line in too_long if "--pubkey" not in line and "demo" not in line] == []
    # On a machine that is busy an ingest says every half minute how far it is.
    assert [line for line in result.stderr.splitlines() if not re.fullmatch(r"\S+: \d+ records, \d+ %", line)] == []


def test_at_least_six_attempts_to_cross_the_wall_were_made(demo: Demo) -> None:
    _, result = demo
    part = result.stdout.partition("5 trying to cross the wall")[2].partition("6 northgate is deleted")[0]
    assert len(re.findall(r"^P[124] ", part, re.MULTILINE)) >= 12


def test_the_key_lies_outside_the_home_and_nothing_is_left_beside_it(demo: Demo) -> None:
    directory, _ = demo
    kept = directory / "kept"
    assert {path.name for path in kept.iterdir()} == {"home", "root.key", "public.pem", "northgate.receipt.json"}
    assert (kept / "root.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", range(3), ids=["search", "audit", "receipt"])
def test_the_three_commands_it_names_work(demo: Demo, number: int) -> None:
    directory, result = demo
    commands = [line.strip() for line in result.stdout.splitlines() if line.startswith("  ") and "securevec" in line]
    assert len(commands) == 3
    done = run(shlex.split(commands[number]), directory)
    assert done.returncode == 0, (commands[number], done.stderr)
    assert done.stdout


def test_a_directory_in_use_is_not_touched(demo: Demo) -> None:
    directory, _ = demo
    before = sorted((directory / "kept").rglob("*"))
    again = run_apart([str(SCRIPT), "demo", "--keep", "kept"], directory)
    assert again.returncode == 2
    assert sorted((directory / "kept").rglob("*")) == before
