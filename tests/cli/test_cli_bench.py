"""``bench`` as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from securevec.cli.main import main

SMALL = ["bench", "--points", "60", "--queries", "5", "--model-points", "0", "--dim", "32", "--k", "3"]


def test_bench_answers_with_a_table_a_document_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    page = tmp_path / "page.html"
    assert main([*SMALL, "--json", "--work", str(work), "--out", str(page)]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["backend"], document["points"], document["k"]) == ("edge", 60, 3)
    assert [row["same"] for row in document["search"]] == [1.0] * 7
    assert "Asking 5 questions" in said.err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    # Nothing stays: no store, no home, no key.
    assert list(work.iterdir()) == []
    assert not (tmp_path / "config").exists()
    assert main([*SMALL, "--work", str(work)]) == 0
    shown = capsys.readouterr().out
    for word in ("vendor", "re-check", "audit, waited", "records/s", "Ratios travel"):
        assert word in shown


@pytest.mark.parametrize(
    ("wrong", "about"),
    [
        (["--backend", "memory"], "chroma and edge"),
        (["--points", "3"], "at least"),
        (["--points", "20000000"], "at most"),
        (["--out", "/nonexistent-folder/page.html"], "--out"),
    ],
)
def test_a_mistake_is_said_before_anything_is_measured(
    wrong: list[str], about: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *wrong]) == 2
    said = capsys.readouterr()
    assert about in said.err
    assert "Traceback" not in said.err
    assert "Writing" not in said.err
