"""The README's example is a test: its CSV, its code, its claims about the output."""

from __future__ import annotations

import io
import json
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


def test_the_leak_figures_are_those_of_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "leak_check.json").read_text(encoding="utf-8"))
    # Both stores see the same texts; names may differ by what a random key makes of them.
    for run in (run for run in results["runs"] if run["backend"] == "edge"):
        for part in run["parts"].values():
            labels = part["embedder"]["labels"]
            structured = [label for label in labels if label != "PERSON"]
            leaked, planted = (sum(labels[label][key] for label in structured) for key in ("leaked", "planted"))
            assert f"structured {leaked} of {planted:,} (" in readme
            assert f"names {labels['PERSON']['leaked']} of {labels['PERSON']['planted']:,} (" in readme
    needles = {run["corpus"]: run["at_rest"]["needles"] for run in results["runs"]}
    assert f"{sum(needles.values()):,} planted values" in readme
    for run in results["runs"]:
        assert not run["at_rest"]["open_home"] | run["at_rest"]["closed_home"] | run["at_rest"]["payloads"]


def test_the_erasure_figures_are_those_of_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "erasure.json").read_text(encoding="utf-8"))
    edge, chroma = results["runs"]
    (row,) = [line for line in readme.splitlines() if "bar_erasure.py` |" in line]
    assert f"{edge['one_cpu_seconds']:.1f} s and {chroma['one_cpu_seconds']:.1f} s of processor time" in row
    assert f"{chroma['one_over_raw_copy']:.1f}x the vendor" in row
    assert f"in one job {edge['many_over_one']:.1f}x and {chroma['many_over_one']:.1f}x of one" in row
    for run in (edge, chroma):
        found = (run["found_after_one"], run["found_after_many"], *run["found_after_each"], run["bystanders_changed"])
        assert set(found) == {0}
        assert run["found_when_purge_is_skipped"] > 0
        assert run["many_over_one"] <= results["bars"]["many_over_one"]
    assert chroma["one_over_raw_copy"] <= results["bars"]["chroma_one_over_raw_copy"]


def test_the_figures_of_many_tenants_are_those_of_the_committed_run_and_a_missed_bar_is_said() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "tenants.json").read_text(encoding="utf-8"))
    (row,) = [line for line in readme.splitlines() if "bar_tenants.py` |" in line]
    figures, bars = results["figures"], results["bars"]
    missed = {name: f" (**missed**: {most:g})" if figures[name] > most else "" for name, most in bars.items()}
    assert f"{figures['tenants']:,} tenants of {figures['points']} points" in row
    assert f"under a load of {results['machine']['load']}" in row
    assert f"| {figures['open_ratio']:.2f}x{missed['open_ratio']}; p50 {figures['cold_p50_ms']:.0f} ms" in row
    assert f"{figures['cold_p50_ms']:.0f} ms{missed['cold_p50_ms']}" in row
    assert f"{figures['resident_mib']:.0f} MiB, {figures['memory_ratio']:.2f}x{missed['memory_ratio']} |" in row
    assert row.count("missed") == sum(figures[name] > most for name, most in bars.items())


def test_the_deletion_figures_are_those_of_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    results = json.loads((ROOT / "benchmarks" / "results" / "deletion.json").read_text(encoding="utf-8"))
    (row,) = [line for line in readme.splitlines() if "bar_deletion.py` |" in line]
    figures = [results["deletion"][points] for points in ("1000", "100000")]
    said = "; ".join(f"{each['reads_refused_ms']:.0f} and {each['keys_gone_ms']:.0f} ms" for each in figures)
    assert said in row
    for each in figures:
        assert each["reads_refused_ms"] <= results["bars"]["reads_refused_ms"]
        assert each["keys_gone_ms"] <= results["bars"]["keys_gone_ms"]
