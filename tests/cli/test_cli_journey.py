"""The commands on a home with two tickets: what each answers, and with which exit code."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

CANARIES = ("canary-", "jane.porter@example.com", "Wieczorek")


def said_in(receipt: Path) -> bytes:
    """What a receipt says: in the file it stands as base64, in which no word would be found."""
    said = base64.b64decode(json.loads(receipt.read_bytes())["payload"], validate=True)
    assert b"predicate" in said
    return said


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        ("chroma", 0),
        ("memory", 0),
        ("nonsense", 2),
        ("chroma://192.0.2.7:8000", 2),
        ("qdrants://key@host:6333", 2),
        ("../elsewhere", 2),
    ],
)
def test_the_store_of_a_new_home_is_named_when_it_is_made_and_kept(
    shell: Shell, tmp_path: Path, backend: str, code: int
) -> None:
    place = ["--home", str(tmp_path / "new")]
    answer = shell.run("init", "--backend", backend, "--json", *place)
    assert answer.code == code, answer.err
    if code:
        assert "key@host" not in answer.err
        assert not (tmp_path / "new" / "installation.json").exists()
        return
    assert answer.json["backend"] == backend
    assert shell.run("tenant", "create", "acme", *place).code == 0


def test_init_refuses_a_home_that_is_there(shell: Shell) -> None:
    answer = shell.at_home("init")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.count("\n") == 1


def test_the_default_actor_is_said_once_and_a_named_one_is_not(shell: Shell) -> None:
    assert shell.at_home("tenant", "list").err.count("acting as local:") == 1
    answer = shell.at_home("count", "acme/tickets", "--as", "svc:helpdesk")
    assert "acting as" not in answer.err
    assert answer.code == 3


def test_ingest_without_a_schema_names_the_command_to_run(shell: Shell) -> None:
    answer = shell.at_home("ingest", "tickets.csv", "--to", "beta/tickets")
    assert answer.code == 2
    assert "securevec schema infer tickets.csv" in answer.err
    assert shell.at_home("tenant", "show", "beta", "--json").json["collections"] == []


def test_the_collection_remembers_its_schema_and_reports_rows_by_field(shell: Shell) -> None:
    answer = shell.at_home("ingest", "tickets.csv", "--to", "acme/tickets", "--json")
    assert answer.code == 0
    report = answer.json
    assert (report["new"], report["updated"], report["unchanged"]) == (0, 0, 2)
    assert [(row["row"], row["field"]) for row in report["refused"]] == [(3, "opened")]
    assert not any(canary in answer.out + answer.err for canary in CANARIES)


def test_strict_turns_a_refused_row_into_exit_1(shell: Shell) -> None:
    answer = shell.at_home("ingest", "tickets.csv", "--to", "acme/tickets", "--strict")
    assert answer.code == 1
    assert "opened" in answer.out


def test_search_finds_and_shows_no_name(shell: Shell) -> None:
    answer = shell.at_home("search", "acme/tickets", "where is my money", "-k", "1", "--json")
    assert answer.code == 0
    assert [hit["id"] for hit in answer.json["hits"]] == ["T-1"]
    assert "Wieczorek" not in answer.out
    assert "jane.porter@example.com" not in answer.out
    assert answer.json["violations"] == 0


def test_a_condition_narrows_a_search(shell: Shell) -> None:
    answer = shell.at_home("search", "acme/tickets", "refund", "--where", "status=closed", "--json")
    assert [hit["id"] for hit in answer.json["hits"]] == ["T-2"]


def test_get_count_and_their_json(shell: Shell) -> None:
    record = shell.at_home("get", "acme/tickets", "T-2", "--json").json
    assert (record["id"], record["status"]) == ("T-2", "closed")
    assert "Wieczorek" not in record["customer"]
    assert shell.at_home("count", "acme/tickets", "--json").json == {"records": 2}
    assert shell.at_home("count", "acme/tickets").out.strip() == "2"


def test_the_common_options_work_before_and_after_the_command(shell: Shell) -> None:
    home = str(shell.home)
    for line in (
        ["--home", home, "--json", "count", "acme/tickets"],
        ["count", "acme/tickets", "--home", home, "--json"],
        ["--home", "/nowhere", "count", "acme/tickets", "--home", home, "--json"],
    ):
        assert shell.run(*line).json == {"records": 2}
    assert shell.run("--home", home, "tenant", "--json", "list").json[0]["tenant"] == "acme"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["count", "acme"], 2),
        (["count", "nobody/tickets"], 3),
        (["count", "acme/nothing"], 3),
        (["get", "acme/tickets", "../canary-id"], 3),
        (["get", "acme/tickets", "canary-id"], 3),
        (["search", "acme/tickets", " "], 2),
        (["search", "acme/tickets", "canary-" * 20_000], 2),
        (["search", "acme/tickets", "refund", "--where", "ssn=canary-1a2b3c"], 2),
        (["search", "acme/tickets", "refund", "-k", "0"], 2),
        (["search", "acme/tickets", "refund", "-k", "canary-k"], 2),
        (["ingest", "canary-missing.csv", "--to", "acme/tickets"], 2),
        (["ingest", "tickets.csv", "--to", "acme/tickets", "--schema", "schema.py:Absent"], 2),
        (["tenant", "create", "acme"], 2),
        (["tenant", "grant", "acme", "not an actor", "reader"], 2),
        (["tenant", "grant", "acme", "user:maria", "emperor"], 2),
        (["jobs", "show", "0" * 32], 2),
        (["tenant", "list", "--as", "svc:helpdesk"], 3),
        (["keys", "list", "--as", "svc:helpdesk"], 3),
        (["audit", "tail", "--as", "svc:helpdesk"], 3),
        (["count", "acme/tickets", "--as", "local:99999"], 2),
        (["nonsense"], 2),
        (["search", "acme/tickets"], 2),
        (["search", "acme/tickets", "refund", "--canary"], 2),
    ],
)
def test_a_mistake_is_one_line_with_its_exit_code(shell: Shell, line: list[str], code: int) -> None:
    answer = shell.run("--home", str(shell.home), *line)
    assert answer.code == code
    assert answer.out == ""
    lines = [entry for entry in answer.err.splitlines() if not entry.startswith("acting as")]
    assert len(lines) == 1
    assert lines[0].startswith("securevec: ")
    assert "Traceback" not in answer.err
    if line[-1] not in ("canary-k", "--canary"):
        assert "canary" not in answer.err


def test_a_mistake_as_json_is_an_object_on_stderr(shell: Shell) -> None:
    answer = shell.at_home("count", "nobody/tickets", "--json")
    assert (answer.code, answer.out) == (3, "")
    error = json.loads(answer.err.splitlines()[-1])
    assert (error["error"], error["exit_code"]) == ("TenantNotFound", 3)
    assert json.loads(shell.run("nonsense", "--json").err)["exit_code"] == 2


def test_a_reader_reads_and_may_not_write(shell: Shell) -> None:
    assert shell.at_home("tenant", "grant", "acme", "user:maria", "reader").code == 0
    assert shell.at_home("count", "acme/tickets", "--as", "user:maria").out.strip() == "2"
    denied = shell.at_home("delete", "acme/tickets", "T-1", "--as", "user:maria")
    assert denied.code == 3
    assert "securevec tenant grant" in denied.err


def test_a_suspended_tenant_is_refused_until_it_is_resumed(shell: Shell) -> None:
    assert shell.at_home("tenant", "suspend", "acme").code == 0
    assert shell.at_home("count", "acme/tickets").code == 3
    assert shell.at_home("tenant", "show", "acme", "--json").json["state"] == "suspended"
    assert shell.at_home("tenant", "resume", "acme").code == 0
    assert shell.at_home("count", "acme/tickets").code == 0


def test_the_audit_tail_shows_names_and_the_log_does_not(shell: Shell) -> None:
    shell.at_home("count", "acme/tickets", "--as", "user:maria")
    shown = shell.at_home("audit", "tail", "-n", "5")
    assert shown.code == 0
    assert "acme" in shown.out
    records = shell.at_home("audit", "tail", "-n", "5", "--json").out
    assert "acme" not in records
    assert len([json.loads(line) for line in records.splitlines()]) == 5


def test_audit_verify_pins_the_home_and_finds_a_flipped_bit(shell: Shell) -> None:
    whole = shell.at_home("audit", "verify", "--json").json
    shown = shell.at_home("audit", "verify").out
    assert whole["writers"]
    assert not [each for each in whole["writers"] if each["writer"] in shown]  # all ended as they should: counted
    assert f"writers: {len(whole['writers'])}, {len(whole['writers'])} of them closed and signed" in shown
    assert whole["verified"]
    assert whole["anchored"]
    public = shell.base / "audit.pem"
    assert shell.at_home("keys", "export-public", "--out", str(public)).code == 0
    copy = shell.base / "audit-copy"
    shutil.copytree(shell.home / "audit", copy)
    apart = ["--audit-dir", str(copy), "--pubkey", str(public)]
    assert shell.run("audit", "verify", *apart, "--home", str(shell.base / "elsewhere")).code == 0
    segment = max(copy.rglob("w-*/seg-*.jsonl"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(bytes(data))
    tampered = shell.run("audit", "verify", *apart, "--home", str(shell.base / "elsewhere"))
    assert tampered.code == 1
    assert segment.parent.name in tampered.err


def test_audit_verify_without_a_pinned_key_never_succeeds(shell: Shell) -> None:
    copy = shell.base / "audit-unpinned"
    shutil.copytree(shell.home / "audit", copy)
    answer = shell.run("audit", "verify", "--audit-dir", str(copy))
    assert answer.code == 5
    assert "Integrity only" in answer.err


def test_keys_list_shows_no_key(shell: Shell) -> None:
    entries = shell.at_home("keys", "list", "--json").json
    assert {entry["kind"] for entry in entries} == {"installation", "kek", "tenant", "dek"}
    assert {"key", "kind", "purpose", "created"} <= set(entries[0])
    assert all(len(entry["key"]) == 32 for entry in entries)
    shown = shell.at_home("keys", "list").out
    buckets = [entry["epoch"] for entry in entries if entry["kind"] == "dek"]
    assert "dek body" in shown
    assert buckets
    assert not [epoch for epoch in buckets if epoch in shown]  # said as a day, or as never


def test_export_public_prints_pem_and_never_overwrites(shell: Shell) -> None:
    printed = shell.at_home("keys", "export-public")
    assert printed.out.startswith("-----BEGIN PUBLIC KEY-----")
    taken = shell.base / "taken.pem"
    taken.write_text("mine", encoding="ascii")
    assert shell.at_home("keys", "export-public", "--out", str(taken)).code == 2
    assert taken.read_text(encoding="ascii") == "mine"


def test_schema_infer_marks_personal_columns(shell: Shell) -> None:
    answer = shell.run("schema", "infer", "tickets.csv")
    assert answer.code == 0
    assert "id: sv.Key[str]" in answer.out
    assert "sv.Subject[str]" in answer.out
    assert "Wieczorek" not in answer.out
    proposed = Path("proposed.py")
    proposed.write_text(answer.out, encoding="utf-8")
    compile(answer.out, "proposed.py", "exec")


def test_doctor_says_ok_and_names_no_tenant(shell: Shell) -> None:
    answer = shell.at_home("doctor", "--json")
    assert answer.code == 0
    found = {check["name"]: check["status"] for check in answer.json}
    assert found["home"] == found["key file"] == found["stores"] == found["embedding model"] == "ok"
    assert "acme" not in answer.out


def test_doctor_finds_an_open_key_file_and_a_missing_home(shell: Shell) -> None:
    keys = list((shell.base / "config").rglob("*.key"))  # other homes that were made here have theirs there too
    for key in keys:
        key.chmod(0o644)
    try:
        answer = shell.at_home("doctor", "--json")
    finally:
        for key in keys:
            key.chmod(0o600)
    assert answer.code == 1
    assert {check["name"] for check in answer.json if check["status"] == "wrong"} == {"key file", "stores"}
    assert shell.run("doctor", "--home", str(shell.base / "absent")).code == 1


def test_doctor_config_says_where_each_setting_is_from(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECUREVEC_EMBED_THREADS", "2")
    monkeypatch.setenv("SECUREVEC_PASSPHRASE", "canary-passphrase")
    answer = shell.at_home("doctor", "--config", "--json")
    sources = {entry["setting"]: entry["source"] for entry in answer.json["settings"]}
    assert (sources["store.home"], sources["embed.threads"], sources["store.backend"]) == (
        "argument",
        "environment",
        "default",
    )
    assert "canary-passphrase" not in answer.out + answer.err


def test_an_unknown_setting_is_refused_with_the_nearest_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECUREVEC_HOM", "x")
    answer = shell.at_home("tenant", "list")
    assert answer.code == 2
    assert "SECUREVEC_HOME" in answer.err


def test_delete_reads_back_and_counts_what_was_not_there(shell: Shell) -> None:
    assert shell.at_home("delete", "acme/tickets", "T-2", "T-9", "--json").json["deleted"] == 1
    assert shell.at_home("get", "acme/tickets", "T-2").code == 3


def test_a_person_is_found_exported_and_erased_with_a_receipt(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    jane, place = "jane.porter@example.com", ("--tenant", "acme")
    found = shell.at_home("subject", "find", *place, jane, "--json")
    assert found.json["records"] == [{"collection": "tickets", "id": "T-1", "relation": "about"}]
    assert shell.at_home("subject", "find", *place, "nobody@example.com").out.startswith("nothing is found")

    out, receipt = shell.base / "jane.jsonl", shell.base / "jane.receipt.json"
    assert shell.at_home("subject", "export", *place, jane, "--out", str(out)).code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert "My refund" in out.read_text(encoding="utf-8")
    assert shell.at_home("subject", "export", *place, jane, "--out", str(out)).code == 2
    assert jane not in out.read_text(encoding="utf-8")
    assert shell.at_home("subject", "export", *place, jane, "--out", f"{out}2", "--reveal").code == 0
    assert jane in (shell.base / "jane.jsonl2").read_text(encoding="utf-8")
    assert shell.at_home("subject", "find", *place, jane, "--as", "svc:stranger").code == 3

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{jane}\n\n"))
    erased = shell.at_home("subject", "erase", *place, "-", "--yes", "--receipt", str(receipt), "--json")
    assert (erased.code, erased.json["state"], erased.json["about"]) == (0, "done", 1)
    assert shell.at_home("get", "acme/tickets", "T-1").code == 3
    checked = shell.at_home("receipt", "verify", str(receipt), "--json")
    assert (checked.code, checked.json["kind"]) == (0, "subject")
    assert checked.json["manifest"]["deleted"] == 1
    assert b"jane" not in said_in(receipt).lower()
    again = shell.at_home("ingest", "tickets.csv", "--to", "acme/tickets", "--json")
    assert "SubjectErased" in again.out or "erased" in again.out
    assert shell.at_home("subject", "erase", *place, jane, "--until", "soon", "--yes").code == 2


def test_a_deleted_tenant_leaves_a_receipt_that_holds_on_another_machine(shell: Shell) -> None:
    receipt, public = shell.base / "acme.json", shell.base / "acme.pem"
    records = shell.at_home("count", "acme/tickets", "--json").json["records"]
    assert shell.at_home("keys", "export-public", "--out", str(public)).code == 0
    deleted = shell.at_home("tenant", "delete", "acme", "--yes", "--receipt", str(receipt))
    assert deleted.code == 0
    assert "keys export-public > signing.pem" in deleted.err
    assert f"receipt verify {receipt} --pubkey signing.pem" in deleted.err
    assert shell.at_home("count", "acme/tickets").code == 3
    assert {job["state"] for job in shell.at_home("jobs", "list", "--json").json} == {"done"}
    assert shell.at_home("jobs", "run", "--once").out.strip() == "nothing to do"
    assert "acme" not in {entry["tenant"] for entry in shell.at_home("tenant", "list", "--json").json}

    pinned = shell.run("receipt", "verify", str(receipt), "--pubkey", str(public), "--json")
    assert pinned.code == 0
    assert pinned.json["manifest"]["records"] == records > 0
    assert shell.at_home("receipt", "verify", str(receipt)).code == 0
    assert b"acme" not in said_in(receipt).lower()

    unpinned = shell.run("receipt", "verify", str(receipt))
    assert unpinned.code == 5
    assert "no pinned key" in unpinned.err
    forged = bytearray(receipt.read_bytes())
    forged[forged.index(b'"payload": "') + 300] ^= 1
    receipt.write_bytes(bytes(forged))
    assert shell.run("receipt", "verify", str(receipt), "--pubkey", str(public)).code == 1
