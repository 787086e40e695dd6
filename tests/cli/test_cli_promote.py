"""``tenant promote`` and what it prints, at the stand-in for a Qdrant server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]")
from tests.cli.conftest import Shell
from tests.support.qdrant_engine import API_KEY
from tests.support.qdrant_wire import line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def test_a_tenant_is_promoted_shown_and_moved_back(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_QDRANT_API_KEY", API_KEY)
    receipt = tmp_path / "move.json"
    with line() as at:
        monkeypatch.setenv("SECUREVEC_BACKEND", f"qdrant://127.0.0.1:{at.port}")
        home = ("--home", str(tmp_path / "home"), "--key-file", str(tmp_path / "keys" / "root.key"))

        def run(*words: str) -> tuple[int, str]:
            answer = shell.run(*words, *home)
            return answer.code, answer.out + answer.err

        assert run("init")[0] == 0
        assert run("tenant", "create", "acme")[0] == 0
        moved = shell.run("tenant", "promote", "acme", "--to", "collection", "--receipt", str(receipt), "--json", *home)
        assert (moved.code, moved.json["state"], moved.json["layout"]) == (0, "done", "collection")
        assert json.loads(receipt.read_text())["payloadType"] == "application/vnd.in-toto+json"
        assert shell.run("tenant", "show", "acme", "--json", *home).json["layout"] == "collection"
        code, said = run("tenant", "promote", "acme", "--to", "collection")
        assert (code, "already" in said) == (2, True)
        assert run("tenant", "promote", "acme", "--to", "elsewhere")[0] == 2
        assert run("tenant", "promote", "acme", "--to", "shared")[0] == 0
        assert run("receipt", "verify", str(receipt))[0] == 0


def test_an_embedded_store_has_nothing_to_promote_to(shell: Shell) -> None:
    answer = shell.at_home("tenant", "promote", "acme", "--to", "collection")
    assert answer.code == 2
    assert "by itself" in answer.err
