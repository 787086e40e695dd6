"""``securevec backup``, as a person types it, in the order it happens to them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)


def test_a_home_is_backed_up_checked_lost_and_restored_without_what_was_deleted(shell: Shell, base: Path) -> None:
    made = shell.at_home("backup", "create", "b", "--json")
    assert (made.code, made.json["records"], made.json["backend"]) == (0, 2, "edge")
    assert "keys ..." in made.err
    assert shell.at_home("backup", "create", "b").code == 3

    checked = shell.run("backup", "verify", "b", "--json")
    assert (checked.code, checked.json["pinned"], checked.json["records opened"]) == (0, True, 2)
    assert shell.at_home("keys", "export-public", "--out", "pub.pem").code == 0
    pinned = shell.run("backup", "verify", "b", "--pubkey", "pub.pem", "--json")
    assert (pinned.code, pinned.json["records opened"]) == (5, None)
    shutil.move(base / "b" / "keys", base / "vault")
    assert shell.run("backup", "verify", "b").code == 5
    assert shell.run("backup", "verify", "b", "--keys", "vault").code == 0

    assert shell.at_home("delete", "acme/tickets", "T-1", "--yes").code == 0
    listed = shell.at_home("backup", "tombstones", "later", "--since", "b", "--json")
    assert (listed.code, listed.json["records gone"]) == (0, 1)

    restore = ["backup", "restore", "b", "--keys", "vault", "--home", "again"]
    refused = shell.run(*restore)
    assert (refused.code, "--tombstones" in refused.err, (base / "again").exists()) == (2, True, False)
    again = shell.run(*restore, "--tombstones", "later", "--json")
    assert (again.code, again.json["records deleted again"]) == (0, 1), again.err
    assert shell.run("count", "acme/tickets", "--home", "again", "--json").json["records"] == 1
    assert shell.run("audit", "verify", "--home", "again").code == 0
    assert shell.run(*restore, "--nothing-newer").code == 3
    raw = bytearray((base / "vault" / "keys.db").read_bytes())
    raw[-3000] ^= 1
    (base / "vault" / "keys.db").write_bytes(raw)
    damaged = shell.run("backup", "verify", "b", "--keys", "vault")
    assert damaged.code == 1
    assert damaged.err.splitlines()[-1].startswith("securevec: ")
