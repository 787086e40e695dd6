"""``securevec keys rotate | test-provider`` on homes whose root key lies in a file, a token or KMS."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from securevec.state import home as homes
from tests.cli.conftest import Shell
from tests.support.keyservices import NEEDS_TOKEN, kms_server, softhsm_token

KMS_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def _exchange_everything(shell: Shell, *, evidence: str) -> None:
    assert shell.run("tenant", "create", "acme").code == 0
    before = shell.run("keys", "test-provider", "--json").json
    assert before["in_use"]
    kept = shell.run("keys", "rotate", "root", "--json").json
    assert kept["rewrapped"] == 5
    assert kept["kept"] == [before["key"]]
    assert kept["retired"] == []
    done = shell.run("keys", "rotate", "root", "--keep", "0", "--json").json
    assert [each["key_id"] for each in done["retired"]] == [kept["key"], before["key"]][::-1]
    assert all(each["evidence"].startswith(evidence) for each in done["retired"])
    assert shell.run("keys", "rotate", "acme", "--json").json == {"rotated": "tenant", "rewrapped": 5}
    assert shell.run("keys", "rotate", "tenants", "--json").json == {"rotated": "tenants", "tenants": 1, "rewrapped": 5}
    after = shell.run("keys", "test-provider", "--json").json
    assert after["in_use"]
    assert not after["rotation_unfinished"]
    assert after["key"] == done["key"] != before["key"]
    listed = shell.run("keys", "list", "--json").json
    assert {key["kind"] for key in listed} == {"installation", "kek", "tenant"}


@NEEDS_TOKEN
def test_a_home_whose_root_key_a_service_keeps_opens_with_it_and_not_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = softhsm_token()
    with kms_server() as address:
        services = (
            ("pkcs11", token, "destroyed (provider evidence)", "SECUREVEC_PKCS11_PIN"),
            ("aws-kms", KMS_ENVIRONMENT | {"AWS_ENDPOINT_URL": address}, "effective at 20", "AWS_ENDPOINT_URL"),
        )
        for kind, environment, evidence, needed in services:
            home = tmp_path / kind
            shell = Shell(tmp_path, home, capsys)
            monkeypatch.setenv("SECUREVEC_HOME", str(home))
            monkeypatch.setenv("SECUREVEC_KEY_PROVIDER", kind)
            monkeypatch.delenv("SECUREVEC_KEY_FILE", raising=False)
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            assert shell.run("init").code == 0
            _exchange_everything(shell, evidence=evidence)
            text = (home / "installation.json").read_text()
            for name in ("SECUREVEC_PKCS11_PIN", "SECUREVEC_PKCS11_MODULE", "AWS_SECRET_ACCESS_KEY"):
                assert environment.get(name, "absent") not in text
            assert homes.load(home).key_provider["kind"] == kind
            monkeypatch.setenv(needed, "0000" if needed.endswith("PIN") else "http://127.0.0.1:1")
            assert shell.run("keys", "list").code == 4
            monkeypatch.setenv(needed, "")
            if kind == "pkcs11":
                assert shell.run("keys", "list").code == 2


def test_the_keys_of_a_home_with_a_key_file_are_exchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("SECUREVEC_HOME", str(home))
    monkeypatch.setenv("SECUREVEC_KEY_FILE", str(tmp_path / "root.key"))
    shell = Shell(tmp_path, home, capsys)
    assert shell.run("init").code == 0
    _exchange_everything(shell, evidence="removed from live files")
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("root.key")] == ["root.key"]
    assert shell.run("keys", "rotate", "nobody").code == 3
    receipt = str(tmp_path / "receipt.json")
    for key, renamed in (("pseudonym", {"chunks": 0}), ("token", {"tokens": 0, "keys_renamed": 0})):
        done = shell.run("keys", "renew", "acme", "--key", key, "--receipt", f"{receipt}.{key}", "--json").json
        assert {name: done[name] for name in ("state", "key", "version", "records", *renamed)} == {
            "state": "done",
            "key": key,
            "version": 2,
            "records": 0,
            **renamed,
        }
        assert shell.run("receipt", "verify", f"{receipt}.{key}").code == 0
    assert shell.run("keys", "renew", "nobody", "--key", "pseudonym").code == 3
    assert shell.run("keys", "renew", "acme", "--key", "cloak").code == 2


def test_a_new_signing_key_checks_what_the_old_one_signed_here_and_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("SECUREVEC_HOME", str(home))
    monkeypatch.setenv("SECUREVEC_KEY_FILE", str(tmp_path / "root.key"))
    monkeypatch.delenv("SECUREVEC_KEY_PROVIDER", raising=False)
    monkeypatch.setenv("SECUREVEC_BACKEND", "memory")
    shell = Shell(tmp_path, home, capsys)
    assert shell.run("init").code == 0
    old, new, receipt = tmp_path / "old.pem", tmp_path / "new.pem", tmp_path / "receipt.json"
    assert shell.run("keys", "export-public", "--out", str(old)).code == 0
    assert shell.run("tenant", "create", "acme").code == 0
    assert shell.run("tenant", "delete", "acme", "--yes", "--receipt", str(receipt)).code == 0
    assert shell.run("keys", "rotate", "root", "--compromised").code == 2
    done = shell.run("keys", "rotate", "signing", "--compromised", "--json").json
    assert (done["number"], done["compromised"]) == (1, True)
    assert shell.run("keys", "export-public", "--out", str(new)).code == 0
    here = shell.run("receipt", "verify", str(receipt), "--json").json
    assert (here["key_id"], here["anchored"]) == (done["retired"], True)
    assert [each["key_id"] for each in shell.run("audit", "verify", "--json").json["signing_keys"]] == [
        done["retired"],
        done["key_id"],
    ]
    assert shell.run("doctor", "--json").code in (0, 1)
    # On a machine that never saw the home: with the log it is dated, without it a compromised key proves nothing.
    log = tmp_path / "audit"
    shutil.copytree(home / "audit", log)
    away = ["--home", str(tmp_path / "nowhere"), "--json"]
    for pin in (["--pubkey", str(new)], ["--pubkey", str(old), "--chain", str(new)]):
        assert shell.run("receipt", "verify", str(receipt), *pin, "--audit-dir", str(log), *away).json["anchored"]
        assert shell.run("receipt", "verify", str(receipt), *pin, *away).code == 1
        assert shell.run("audit", "verify", *pin[:2], "--audit-dir", str(log), *away).code == 0
    assert shell.run("receipt", "verify", str(receipt), "--pubkey", str(old), *away).code == 0  # nobody told it


def test_a_filter_key_is_shown_to_be_gone_also_where_no_point_carried_a_token(shell: Shell, base: Path) -> None:
    """A receipt that says `unverified` for ever is one that nobody reads again."""
    (base / "docs").mkdir(exist_ok=True)
    (base / "docs" / "page.md").write_text("The portal opens at nine.\n", encoding="utf-8")
    assert shell.at_home("ingest", "docs", "--to", "acme/pages").code == 0
    receipt = base / "reindex.receipt.json"
    assert shell.at_home("keys", "reindex", "acme/pages", "--receipt", str(receipt)).code == 0
    told = shell.run("receipt", "verify", str(receipt), "--home", str(shell.home), "--json").json
    assert {artefact["verdict"] for artefact in told["artefacts"]} == {"removed from live files"}
