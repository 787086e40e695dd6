"""The README's example is a test: its CSV, its code, its claims about the output."""

from __future__ import annotations

import io
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest

from securevec import config
from securevec.cli.main import main
from securevec.keyproviders.choosing import VARIABLES as KEY_SERVICES

ROOT = Path(__file__).resolve().parents[2]


def _block(language: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"the README has no {language} block"
    return found[1]


def test_the_readme_example_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, where every warning is an error, and the model may be loaded already."""
    (tmp_path / "tickets.csv").write_text(_block("csv"), encoding="utf-8")
    (tmp_path / "example.py").write_text(_block("python"), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    runpy.run_path("example.py", run_name="__main__")
    lines = capsys.readouterr().out
    assert "2 new, 0 updated, 0 unchanged, 1 refused (rows 3)" in lines
    assert "[PERSON_1]" in lines
    assert "[PHONE_1]" in lines
    restored = lines.splitlines()[-1]
    assert restored == "Please ring Jane Roe on 020 7946 0123 about the refund."
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("It prints,")[2].split("```")[1]
    assert lines == shown.lstrip("\n"), "what the README says it prints"
    assert (tmp_path / "acme.receipt.json").exists()
    assert "jane@example.com" not in lines


def test_the_shell_lines_of_the_readme_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each as written, with the exit code that its comment names."""
    (tmp_path / "tickets.csv").write_text(_block("csv"), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.partition("The same from a shell:")[2].partition("```sh\n")[2].partition("```")[0]
    ran = 0
    for line in block.splitlines():
        typed, _, comment = line.partition("  #")
        if typed.startswith("export "):
            name, _, value = typed.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value)
            continue
        if typed.startswith("echo "):
            piped, _, typed = typed.removeprefix("echo ").partition(" | ")
            monkeypatch.setattr("sys.stdin", io.StringIO(piped + "\n"))
        command, _, target = typed.partition(" > ")
        program, *arguments = shlex.split(command)
        assert program == "securevec"
        expected = re.search(r"exit (\d)", comment)
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        assert code == (int(expected[1]) if expected else 0), (line, said.err)
        if target:
            (tmp_path / target.strip()).write_text(said.out, encoding="utf-8")
        ran += 1
    assert ran > 8


def test_the_extras_of_the_readme_are_those_of_the_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| Extra | Brings |")[2].partition("\n\n")[0]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([a-z0-9]+)`", row.partition("| ")[2].partition(" |")[0])
    }
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert named == set(declared) - {"dev", "demo"}


def test_the_page_of_settings_names_every_setting_and_variable_there_is() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| `(SECUREVEC_[A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert rows == {known.name: known.variable for known in config._KNOWN}
    services = set(KEY_SERVICES)  # in docs/keys.md
    assert {name for name in config._OTHER_VARIABLES if name not in services and name not in page} == set()
