"""The commands about whole collections."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def interrupted(*_: object) -> str:
    """Ctrl-C in the place of an answer."""
    raise KeyboardInterrupt


def test_count_by_conditions(shell: Shell) -> None:
    assert shell.at_home("count", "acme/tickets", "--where", "status=open").out.strip() == "1"
    assert shell.at_home("count", "acme/tickets", "--where", "status=open", "--where", "status=closed").out == "0\n"
    assert shell.at_home("count", "acme/tickets", "--where", "body=x").code == 2


def test_describe_shows_fields_and_counts(shell: Shell) -> None:
    answer = shell.at_home("describe", "acme/tickets", "--json")
    assert answer.code == 0
    assert answer.json["records"] == 2
    assert {"name": "status", "kind": "filter", "type": "str", "optional": False, "mode": "clear"} in answer.json[
        "fields"
    ]
    shown = shell.at_home("describe", "acme/tickets").out
    assert "opened" in shown
    assert "Wieczorek" not in shown


def test_leakage_of_a_collection_without_tokens(shell: Shell) -> None:
    answer = shell.at_home("leakage", "acme/tickets", "--json")
    assert (answer.code, answer.json["fields"], answer.json["records"]) == (0, [], 2)
    assert "no tokens" in shell.at_home("leakage", "acme/tickets").out
    assert shell.at_home("leakage", "acme/nothing").code == 3


def test_export_to_a_file_and_to_standard_output(shell: Shell) -> None:
    path = shell.base / "export.jsonl"
    answer = shell.at_home("export", "acme/tickets", "--out", str(path), "--json")
    assert (answer.code, answer.json["records"]) == (0, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["id"] for row in rows} == {"T-1", "T-2"}
    assert "Wieczorek" not in path.read_text(encoding="utf-8")
    assert shell.at_home("export", "acme/tickets", "--out", str(path)).code == 2
    assert shell.at_home("export", "acme/tickets", "--out", str(path), "--overwrite").code == 0
    assert shell.at_home("export", "acme/tickets", "--json").code == 2
    assert shell.at_home("export", "acme/tickets", "--format", "xml").code == 2


def test_update_changes_what_is_named(shell: Shell) -> None:
    answer = shell.at_home("update", "acme/tickets", "T-2", "--set", "status=waiting", "--json")
    assert (answer.code, answer.json["changed"], answer.json["embedded"]) == (0, ["status"], 0)
    assert shell.at_home("get", "acme/tickets", "T-2", "--json").json["status"] == "waiting"
    assert shell.at_home("update", "acme/tickets", "T-2", "--set", "status=waiting").out.strip() == "nothing to change"
    for wrong in (["--set", "status"], [], ["--set", "ssn=1"], ["--clear", "status"], ["--set", "id=T-9"]):
        assert shell.at_home("update", "acme/tickets", "T-2", *wrong).code == 2
    assert shell.at_home("update", "acme/tickets", "T-9", "--set", "status=x").code == 3
    assert shell.at_home("update", "acme/tickets", "T-2", "--set", "status=closed").code == 0


def test_search_like_a_record_and_by_record(shell: Shell) -> None:
    answer = shell.at_home("search", "acme/tickets", "--like", "T-1", "--json")
    assert [hit["id"] for hit in answer.json["hits"]] == ["T-2"]
    assert (
        shell.at_home("search", "acme/tickets", "refund", "--min-score", "1", "--by-record", "--json").json["hits"]
        == []
    )
    assert shell.at_home("search", "acme/tickets", "refund", "--like", "T-1").code == 2
    assert shell.at_home("search", "acme/tickets").code == 2


def test_a_quota_is_set_shown_and_lifted(shell: Shell) -> None:
    answer = shell.at_home("tenant", "quota", "acme", "--points", "2", "--bytes", "1G", "--json")
    assert answer.code == 0
    assert (answer.json["points"], answer.json["max_points"], answer.json["max_bytes"]) == (2, 2, 1 << 30)
    row = shell.base / "more.csv"
    row.write_text("id,customer,body,status,opened\nT-7,a.b@example.com,more,open,2026-01-01T10:00:00Z\n")
    refused = shell.at_home("ingest", str(row), "--to", "acme/tickets", "--json")
    assert (refused.code, refused.json["refused"][0]["error"]) == (1, "QuotaExceeded")
    assert shell.at_home("tenant", "quota", "acme", "--points", "none", "--json").json["max_bytes"] == 1 << 30
    assert shell.at_home("tenant", "quota", "acme", "--bytes", "none", "--json").json["max_points"] is None
    assert shell.at_home("tenant", "quota", "acme", "--bytes", "much").code == 2
    assert shell.at_home("tenant", "quota", "acme", "--points", "5", "--as", "svc:helpdesk").code == 3


def test_keys_of_a_tenant_are_exchanged_and_told_in_words_and_to_machines(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = shell.at_home("keys", "renew", "acme", "--key", "token")
    assert shown.code == 0, shown.err
    for words in ("key token", "version 2", "state done"):
        assert words in " ".join(shown.out.split())
    receipt = shell.base / "renewed.json"
    again = shell.at_home("keys", "renew", "acme", "--key", "token", "--json", "--receipt", str(receipt))
    assert again.code == 0, again.err
    records = again.json["records"]
    assert again.json | {"job": "", "tokens": 0} == {
        "job": "",
        "state": "done",
        "waiting_for": None,
        "key": "token",
        "version": 3,
        "tokens": 0,
        "records": records,
        "keys_renamed": 0,
    }
    assert again.json["tokens"] >= records > 0
    assert shell.at_home("receipt", "verify", str(receipt), "--json").json["kind"] == "renew"
    monkeypatch.setattr("sys.stdin", io.StringIO(receipt.read_text(encoding="utf-8")))
    assert shell.at_home("receipt", "verify", "-", "--json").json["kind"] == "renew"
    found = shell.at_home("subject", "find", "--tenant", "acme", "jane.porter@example.com", "--json")
    assert [each["id"] for each in found.json["records"]] == ["T-1"]
    for command, seen in (("reseal", "keys_destroyed"), ("reindex", "edited")):
        document = shell.at_home("keys", command, "acme/tickets", "--json").json
        assert (document["state"], document["records"]) == ("done", records)
        assert seen in document


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["renew", "nobody", "--key", "token"], 3, "tenant"),
        (["renew", "acme", "--key", "body"], 2, "--key"),
        (["renew", "acme"], 2, "--key"),
        (["renew", "acme", "--key", "token", "--receipt", "tickets.csv"], 2, "exists"),
        (["reseal", "acme/nothing"], 3, "collection"),
        (["reseal", "acme/tickets", "--key", "zz"], 2, "key"),
    ],
)
def test_keys_that_cannot_be_exchanged_have_their_exit_code(
    shell: Shell, arguments: list[str], code: int, words: str
) -> None:
    answer = shell.at_home("keys", *arguments)
    assert answer.code == code, answer
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_deleting_by_condition_asks_on_a_terminal_only(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.at_home("delete", "acme/tickets", "T-1", "--where", "status=open").code == 2
    assert shell.at_home("delete", "acme/tickets").code == 2
    assert shell.at_home("count", "acme/tickets").out.strip() == "2"
    answer = shell.at_home("delete", "acme/tickets", "--where", "status=open", "--json")
    assert (answer.code, answer.json["deleted"]) == (0, 1)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert shell.at_home("delete", "acme/tickets", "--where", "status=closed").code == 2
    with monkeypatch.context() as patch:
        patch.setattr(Terminal, "readline", interrupted, raising=False)
        assert shell.at_home("delete", "acme/tickets", "--where", "status=closed").code == 130
    assert shell.at_home("count", "acme/tickets").out.strip() == "1"
    assert shell.at_home("delete", "acme/tickets", "--where", "status=closed", "--yes").code == 0


def test_a_cloak_is_not_measured_on_too_few_records(shell: Shell) -> None:
    answer = shell.at_home("cloak", "report", "acme/tickets", "--json")
    assert answer.code == 2
    assert "100" in answer.err
    assert shell.at_home("describe", "acme/tickets", "--json").json["cloak"] is None
    page = shell.base / "page.md"
    page.write_text("The kettle is warm.\n")
    made = shell.at_home("ingest", str(page), "--to", "acme/pages", "--cloak", "2")
    assert made.code == 0, made.err
    assert shell.at_home("describe", "acme/pages", "--json").json["cloak"] == {"mode": "rotate+noise", "noise": 2.0}
    assert shell.at_home("ingest", str(page), "--to", "acme/pages", "--cloak", "rotate").code == 2
    receipt = shell.base / "recloak.json"
    moved = shell.at_home("keys", "recloak", "acme/pages", "--receipt", str(receipt), "--json").json
    assert (moved["state"], moved["version"], moved["records"], moved["keys_destroyed"]) == ("done", 2, 1, 1)
    assert shell.at_home("receipt", "verify", str(receipt), "--json").json["kind"] == "recloak"
    assert shell.at_home("keys", "recloak", "acme/pages", "--receipt", str(receipt)).code == 2
    refused = shell.at_home("keys", "recloak", "acme/tickets")
    assert (refused.code, "without a cloak" in refused.err) == (2, True)
    for wrong in ("encrypt", "4", "nan"):
        assert shell.at_home("ingest", str(page), "--to", "acme/pages", "--cloak", wrong).code == 2


def test_a_role_is_given_shown_and_taken_back(shell: Shell) -> None:
    def roles() -> list[dict[str, str]]:
        return list(shell.at_home("tenant", "show", "beta", "--json").json["roles"])

    before = roles()
    assert shell.at_home("tenant", "grant", "beta", "svc:desk", "reader").code == 0
    *others, granted = roles()
    assert (others, granted["actor"], granted["role"]) == (before, "svc:desk", "reader")
    assert "svc:desk" in shell.at_home("tenant", "show", "beta").out
    taken = shell.at_home("tenant", "revoke", "beta", "svc:desk", "reader", "--json")
    assert (taken.code, taken.json["revoked"]) == (0, "reader")
    assert roles() == before
    assert shell.at_home("tenant", "show", "beta", "--as", "svc:desk").code == 3


def test_who_and_which_tenant_a_line_of_the_log_is_about_can_be_looked_up(shell: Shell) -> None:
    """The log names neither; somebody who looks after the home has to find them in it all the same."""
    assert shell.at_home("tenant", "grant", "acme", "user:maria", "reader").code == 0
    assert shell.at_home("search", "acme/tickets", "refund", "--as", "user:maria").code == 0
    assert shell.at_home("search", "acme/tickets", "refund").code == 0
    known = shell.at_home("tenant", "show", "acme", "--json").json
    (maria,) = [each["ref"] for each in known["roles"] if each["actor"] == "user:maria"]
    lines = [json.loads(line) for line in shell.at_home("audit", "tail", "--json").out.splitlines()]
    hers = [line for line in lines if line["actor"]["user"]["uid"] == maria]
    assert [line["metadata"]["event_code"] for line in hers] == ["collection.open", "search"]
    assert {line["metadata"]["tenant_uid"] for line in hers} == {known["id"]}


def test_a_text_to_search_for_is_read_from_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("where is my refund\n"))
    answer = shell.at_home("search", "acme/tickets", "-", "--json")
    assert answer.code == 0
    typed = shell.at_home("search", "acme/tickets", "where is my refund", "--json")
    assert answer.json["hits"] == typed.json["hits"]
    monkeypatch.setattr("sys.stdin", io.StringIO("  \n"))
    assert shell.at_home("search", "acme/tickets", "-", "--json").code == 2


def test_the_audit_log_is_written_for_another_system_by_time_and_as_it_stands(shell: Shell, base: Path) -> None:
    assert shell.at_home("count", "acme/tickets").code == 0
    out = base / "audit.jsonl"
    answer = shell.at_home("audit", "export", "--out", str(out), "--json")
    assert answer.code == 0, answer.err
    lines = out.read_bytes().splitlines(keepends=True)
    assert len(lines) == answer.json["records"] > 5
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    log = b"".join(path.read_bytes() for path in (shell.home / "audit").glob("*/w-*/*.jsonl"))
    assert all(line in log for line in lines)
    times = [json.loads(line)["time"] for line in lines]
    assert times == sorted(times)
    assert b"jane" not in b"".join(lines)
    assert b"acme" not in b"".join(lines)
    assert shell.at_home("audit", "export", "--out", str(out)).code == 2
    assert out.read_bytes() == b"".join(lines)
    assert shell.at_home("audit", "export", "--out", str(out), "--overwrite").code == 0
    assert out.read_bytes().startswith(b"".join(lines))
    piped = shell.at_home("audit", "export", "--out", "-")
    assert piped.out.encode().startswith(b"".join(lines))
    assert f"{len(piped.out.splitlines())} records" in piped.err
    refused = shell.at_home("keys", "renew", "acme", "--key", "token", "--receipt", "-")
    assert (refused.code, "not to stdout" in refused.err) == (2, True), refused
    assert shell.at_home("audit", "export", "--out", "-", "--json").code == 2
    assert len(shell.at_home("export", "acme/tickets", "--out", "-").out.splitlines()) == 2
    assert not Path("-").exists()


def test_one_record_of_the_audit_log_is_proven_to_whoever_has_the_key_and_not_the_home(
    shell: Shell, base: Path
) -> None:
    assert shell.at_home("count", "acme/tickets").code == 0
    newest = json.loads(shell.at_home("audit", "tail", "-n", "2", "--json").out.splitlines()[0])
    key, out = base / "signing.pub", base / "proof.jsonl"
    assert shell.at_home("keys", "export-public", "--out", str(key)).code == 0
    assert shell.at_home("audit", "prove", newest["metadata"]["uid"], "--out", str(out)).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    away = ("--home", str(base / "elsewhere"), "--pubkey", str(key))
    answer = shell.run("audit", "verify-proof", str(out), *away, "--json")
    assert (answer.code, [each["record"] for each in answer.json["proofs"]]) == (0, [newest]), answer
    shown = shell.run("audit", "verify-proof", str(out), *away)
    assert newest["metadata"]["event_code"] in shown.out
    out.write_bytes(out.read_bytes().replace(b"allowed", b"granted"))
    assert shell.run("audit", "verify-proof", str(out), *away).code == 1
    assert shell.run("audit", "verify-proof", str(base / "empty"), *away).code == 2
    (base / "empty").touch()
    assert shell.run("audit", "verify-proof", str(base / "empty"), *away).code == 1
    assert shell.at_home("audit", "prove", "T-1", "--out", str(base / "x")).code == 2
    assert (
        shell.at_home("audit", "prove", newest["metadata"]["uid"], "--out", str(base / "x"), "--as", "svc:a").code == 3
    )


@pytest.mark.parametrize(("form", "start"), [("syslog", "<110>1 "), ("cef", "CEF:0|securevec|securevec|")])
def test_a_collector_gets_the_log_in_its_own_format_a_record_a_line(
    shell: Shell, base: Path, form: str, start: str
) -> None:
    assert shell.at_home("count", "acme/tickets").code == 0
    out = base / f"audit.{form}"
    answer = shell.at_home("audit", "export", "--out", str(out), "--format", form, "--json")
    assert answer.code == 0, answer.err
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == answer.json["records"] > 5
    assert all(line.startswith(start) for line in lines if "allowed" in line)
    assert "jane" not in "".join(lines)
    newest = shell.at_home("audit", "tail", "-n", "2", "--format", form).out.splitlines()
    assert len(newest) == 2
    assert newest[0] not in lines[:-1]
    assert shell.at_home("audit", "tail", "--format", "leef").code == 2


@pytest.mark.parametrize(("window", "some"), [(("--since", "1h"), True), (("--until", "2020-01-01"), False)])
def test_a_window_of_the_audit_log_holds_what_lies_in_it(
    shell: Shell, base: Path, window: tuple[str, str], some: bool
) -> None:
    out = base / f"{window[0]}.jsonl"
    answer = shell.at_home("audit", "export", "--out", str(out), *window, "--json")
    assert answer.code == 0
    assert bool(answer.json["records"]) is some
    assert shell.at_home("audit", "export", "--out", str(base / "x.jsonl"), "--since", "yesterday").code == 2
    assert shell.at_home("audit", "export", "--out", str(base / "x.jsonl"), "--as", "svc:desk").code == 3


@pytest.mark.parametrize("width", [80, 160])
def test_the_newest_audit_records_fit_the_terminal_they_are_shown_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    assert shell.at_home("count", "acme/tickets").code == 0
    monkeypatch.setattr("securevec.cli.output.PLAIN_WIDTH", width)
    shown = shell.at_home("audit", "tail", "-n", "1").out.splitlines()
    assert len(shown) == 3, shown
    assert max(map(len, shown)) <= width


def test_on_a_terminal_too_narrow_for_the_table_an_audit_record_is_a_line_a_value(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securevec.cli.output.PLAIN_WIDTH", 40)
    shown = shell.at_home("audit", "tail", "-n", "1").out.splitlines()
    assert [line.split()[0] for line in shown] == ["time", "action", "outcome", "actor", "tenant", "counts"]
    assert max(map(len, shown)) <= 40


@pytest.mark.parametrize("words", [["tenant", "list"], ["describe", "acme/tickets"], ["audit", "tail"]])
def test_no_line_of_a_pipe_ends_in_spaces(shell: Shell, words: list[str]) -> None:
    shown = shell.at_home(*words).out
    assert shown.count("\n") > 2
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []
