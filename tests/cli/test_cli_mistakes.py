"""What people type a little wrong: each answer says what it was and what to type instead."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from securevec.backup.restore import Newer
from securevec.cli.main import main
from securevec.errors import SourceError
from tests.cli.conftest import Shell


@pytest.mark.parametrize("words", [["-h"], ["tenant", "-h"], ["ingest", "-h"], ["keys", "rotate", "-h"]])
def test_the_short_option_asks_for_help_as_the_long_one_does(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    short = capsys.readouterr().out
    assert main([*words[:-1], "--help"]) == 0
    assert short == capsys.readouterr().out
    assert short.startswith("Usage: securevec")


@pytest.mark.parametrize(
    ("words", "code", "step"),
    [
        (["search", "acme/tickts", "refund"], 3, "securevec tenant show TENANT"),
        (["tenant", "grant", "acme", "bob", "reader"], 2, "For example svc:helpdesk."),
        (["retention", "set", "acme/tickets"], 2, "--max-age 180d"),
        (["ingest", "gone.csv", "--to", "acme/tickets"], 2, "Is the path right"),
        (["ingest", "tickets.csv", "--to", "acme/new", "--schema", "gone.py:Ticket"], 2, "gone.py does not exist"),
        (["ingest", "tickets.csv", "--to", "acme/tickets", "--retention", "31d"], 2, "Leave --retention out"),
        (["update", "acme/tickets", "T-1", "--clear", "status"], 2, "may not be null"),
        (["jobs", "cancel", "nothing"], 2, "securevec jobs list"),
        (["keys", "recloak", "acme/tickets"], 2, "ingest --cloak rotate"),
        (["jobs", "run", "--once", "--watch"], 2, "securevec jobs run --help"),
        (["search", "acme/tickets", "refund", "-k", "5000"], 2, "securevec search --help"),
        (["search", "acme/tickets", "refund", "-k", "many"], 2, "integer. Run: securevec search --help"),
        (["audit", "export", "--out", "a.jsonl", "--since", "24h", "--until", "48h"], 2, "ends before it begins"),
        (["audit", "export", "--out", "a.jsonl", "--until", "9999-12-31T23:00-05:00"], 2, "outside the years"),
        (["audit", "verify", "--audit-dir", "elsewhere"], 2, "elsewhere is not a directory"),
        (["audit", "verify", "--pubkey", "pub.pem"], 2, "pub.pem cannot be read"),
        (["receipt", "verify", "gone.json"], 2, "gone.json cannot be read"),
        (["receipt", "verify", "tickets.csv", "--audit-dir", "elsewhere"], 2, "elsewhere is not a directory"),
        (["demo", "--keep", "tickets.csv/demo"], 2, "where you may write"),
        (["bench", "--work", "tickets.csv/work"], 2, "--work"),
        (["hold", "release", "acme", "0" * 32], 2, "securevec hold list"),
        (["count", "acme/tickets", "--where", "colour=red"], 2, "Declared: "),
        (["count", "acme/tickets", "--where", "opened>2026-05-01"], 2, "For example 2026-01-31T00:00:00Z"),
        (["count", "acme/tickets", "--where", "status>open"], 2, "with its zone: 2026-01-31T00:00:00Z"),
        (["backup", "verify", "elsewhere"], 1, "There is no backup here"),
        (["backup", "restore", "elsewhere", "--nothing-newer"], 1, "There is no backup here"),
    ],
)
def test_a_mistake_is_named_with_what_to_type_instead(shell: Shell, words: list[str], code: int, step: str) -> None:
    answer = shell.at_home(*words, "--json")
    said = json.loads(answer.err.splitlines()[-1])
    assert (answer.code, answer.out) == (code, "")
    assert step in f"{said['message']} {said['next_step']}"
    assert not Path("a.jsonl").exists()


def test_a_role_taken_from_somebody_who_never_had_it_is_not_called_revoked(shell: Shell) -> None:
    assert shell.at_home("tenant", "grant", "acme", "svc:night", "reader").code == 0
    assert "no such role" in shell.at_home("tenant", "revoke", "acme", "svc:nigth", "reader").out
    assert "no such role" in shell.at_home("tenant", "revoke", "acme", "svc:night", "writer").out
    assert shell.at_home("tenant", "revoke", "acme", "svc:night", "reader", "--json").json["had"] is True
    assert shell.at_home("tenant", "revoke", "acme", "svc:night", "reader", "--json").json["had"] is False


def test_a_list_of_nothing_says_none(shell: Shell) -> None:
    assert shell.at_home("jobs", "list", "--open").out.splitlines()[-1] == "none"
    assert shell.at_home("jobs", "list", "--open", "--json").json == []


@pytest.mark.parametrize("text", ["securevec-home 1\n", "securevec-home 2\n"])
def test_a_home_from_before_the_first_release_is_not_sent_to_a_newer_one(
    shell: Shell, tmp_path: Path, text: str
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "VERSION").write_text(text)
    answer = shell.run("tenant", "list", "--home", str(home))
    assert answer.code == 3
    assert "Make a new home" in answer.err


def test_a_deletion_or_erasure_without_a_receipt_says_where_it_lies(shell: Shell) -> None:
    assert shell.at_home("tenant", "create", "short").code == 0
    erased = shell.at_home("subject", "erase", "nobody@example.com", "--tenant", "short", "--yes")
    deleted = shell.at_home("tenant", "delete", "short", "--yes")
    for answer in (erased, deleted):
        (line,) = [line for line in answer.err.splitlines() if line.startswith("Its receipt: securevec jobs show")]
        receipt = shell.base / f"{line.split()[5]}.json"
        assert shell.at_home(*line.split()[3:6], "--receipt", str(receipt)).code == 0
        assert shell.at_home("receipt", "verify", str(receipt)).code == 0


def test_a_file_that_cannot_be_taken_says_what_to_do_with_it(shell: Shell) -> None:
    (shell.base / "bare.csv").write_text("T-9,no header here\n")
    bare = shell.at_home("ingest", "bare.csv", "--to", "acme/tickets")
    assert (bare.code, "schema infer FILE" in bare.err) == (2, True)
    (shell.base / "large.txt").touch()
    os.truncate(shell.base / "large.txt", (64 << 20) + 1)
    for words in (["ingest", "large.txt", "--to", "acme/pages"], ["scan-text", "large.txt"]):
        large = shell.at_home(*words)
        assert large.code == 2
        assert "MiB" in large.err
        assert "parts" in large.err


def test_a_list_of_deletions_that_is_none_is_not_only_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        Newer(tombstones=tmp_path / "none.json").read()
    assert "backup tombstones" in refused.value.next_step


@pytest.mark.parametrize("file", ["elsewhere/file", "x" * 300])
@pytest.mark.parametrize(
    "words",
    [
        ["tenant", "delete", "beta", "--yes", "--receipt"],
        ["jobs", "show", "any", "--receipt"],
        ["subject", "export", "jane@example.com", "--tenant", "acme", "--out"],
        ["keys", "export-public", "--out"],
        ["export", "acme/tickets", "--out"],
        ["audit", "export", "--out"],
        ["audit", "verify", "--audit-dir"],
        ["bench", "--points", "20", "--out"],
        ["receipt", "verify"],
        ["eval"],
        ["ingest", "tickets.csv", "--to", "acme/tickets", "--schema"],
    ],
)
def test_a_file_that_cannot_be_is_refused_before_anything_is_done(shell: Shell, words: list[str], file: str) -> None:
    answer = shell.at_home(*words, f"{file}.py:Ticket" if words[-1] == "--schema" else file)
    assert (answer.code, answer.out) == (2, "")
    assert "internal error" not in answer.err
    assert "beta" in shell.at_home("tenant", "list").out


class Endless(io.TextIOBase):
    """What ``yes`` writes: whoever asks for all of it never gets an answer."""

    def read(self, size: int | None = -1, /) -> str:
        assert size is not None
        assert size >= 0
        return "y" * size


@pytest.mark.parametrize("given", [io.TextIOWrapper(io.BytesIO(b"canary \xff"), encoding="utf-8"), Endless()])
@pytest.mark.parametrize(
    "words",
    [
        ["search", "acme/tickets", "-"],
        ["subject", "find", "-", "--tenant", "acme"],
        ["hold", "add", "acme", "--reason", "-"],
    ],
)
def test_what_is_no_text_on_standard_input_or_never_ends_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str], given: io.TextIOBase
) -> None:
    if given.seekable():
        given.seek(0)
    monkeypatch.setattr("sys.stdin", given)
    answer = shell.at_home(*words)
    assert (answer.code, answer.out) == (2, "")
    assert "Standard input" in answer.err
    assert "canary" not in answer.err
