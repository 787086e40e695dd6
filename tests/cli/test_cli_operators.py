"""What operators type: ``tenant promote`` at the stand-in for a Qdrant server, and ``backup`` from beginning to end."""

from __future__ import annotations

import json
import shutil
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


def test_a_home_is_backed_up_checked_lost_and_restored_without_what_was_deleted(shell: Shell, base: Path) -> None:
    made = shell.at_home("backup", "create", "b", "--json")
    assert (made.code, made.json["records"], made.json["backend"]) == (0, 2, "edge")
    assert made.err == ""
    assert shell.at_home("backup", "create", "b").code == 3

    checked = shell.run("backup", "verify", "b", "--json")
    assert (checked.code, checked.json["pinned"], checked.json["records_opened"]) == (0, True, 2)
    assert shell.at_home("keys", "export-public", "--out", "pub.pem").code == 0
    pinned = shell.run("backup", "verify", "b", "--pubkey", "pub.pem", "--json")
    assert (pinned.code, pinned.json["records_opened"]) == (5, None)
    shutil.move(base / "b" / "keys", base / "vault")
    assert shell.run("backup", "verify", "b").code == 5
    assert shell.run("backup", "verify", "b", "--keys", "vault").code == 0

    assert shell.at_home("delete", "acme/tickets", "T-1", "--yes").code == 0
    listed = shell.at_home("backup", "tombstones", "later", "--since", "b", "--json")
    assert (listed.code, listed.json["records_gone"]) == (0, 1)

    restore = ["backup", "restore", "b", "--keys", "vault", "--home", "again"]
    refused = shell.run(*restore)
    assert (refused.code, "--tombstones" in refused.err, (base / "again").exists()) == (2, True, False)
    again = shell.run(*restore, "--tombstones", "later", "--json")
    assert (again.code, again.json["records_deleted_again"]) == (0, 1), again.err
    assert shell.run("count", "acme/tickets", "--home", "again", "--json").json["records"] == 1
    assert shell.run("audit", "verify", "--home", "again").code == 0
    assert shell.run(*restore, "--nothing-newer").code == 3
    raw = bytearray((base / "vault" / "keys.db").read_bytes())
    raw[-3000] ^= 1
    (base / "vault" / "keys.db").write_bytes(raw)
    damaged = shell.run("backup", "verify", "b", "--keys", "vault")
    assert damaged.code == 1
    assert damaged.err.splitlines()[-1].startswith("securevec: ")
