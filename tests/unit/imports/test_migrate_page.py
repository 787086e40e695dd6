"""docs/migrate.md: its commands, one after the other, carry a Chroma directory over and change no byte of it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

from securevec.cli.main import main
from securevec.cli.session import Session
from securevec.testing.embedders import HashEmbedder
from tests.support.foreign import chroma_add, chroma_files, digests

PAGE = Path(__file__).parents[3] / "docs" / "migrate.md"


def hashing(_session: Session) -> HashEmbedder:
    return HashEmbedder()


def test_the_commands_of_the_page_carry_a_store_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("SECUREVEC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("securevec.cli.session.Session.embedder", hashing)
    monkeypatch.chdir(tmp_path)
    points = [(f"n{at}", {"text": f"Case {at} of jane{at}@example.com.", "tenant": "acme"}) for at in range(5)]
    with chroma_files(tmp_path / "old-chroma") as client:
        chroma_add(client.create_collection("notes", embedding_function=None), points)
    before = digests(tmp_path / "old-chroma")

    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert [shlex.split(line)[1] for line in commands] == ["inspect", "init", "import", "import", "verify"]
    shown: list[str] = []
    for line in commands:
        program, *arguments = shlex.split(line)
        assert (program, main(arguments)) == ("securevec", 0), line
        shown.append(capsys.readouterr().out)
    assert "5 EMAIL" in shown[0]
    assert "5 points read; would be replaced in all: 5 EMAIL" in shown[2]
    assert "5 points read, 5 verified as stored, 0 refused" in shown[3]
    assert "in order" in shown[4]
    assert digests(tmp_path / "old-chroma") == before
