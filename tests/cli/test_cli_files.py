"""``ingest`` on folders, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.documents import pdf

MAIL = "Ask jane.porter@example.com about it."


@pytest.fixture
def folder(base: Path) -> Path:
    """Documents, and one of each kind of trouble."""
    docs = base / "docs"
    (docs / "sub").mkdir(parents=True)
    (docs / "guide.md").write_text(f"# Guide\n\n{MAIL}", encoding="utf-8")
    (docs / "sub" / "page.html").write_text("<title>Portal</title><p>How to log in.", encoding="utf-8")
    (docs / "letter.pdf").write_bytes(pdf(["Dear customer, thank you."]))
    (docs / "broken.pdf").write_bytes(b"garbage")
    (docs / "tickets.csv").write_text("id,body\n1,x\n", encoding="utf-8")
    (docs / "logo.png").write_bytes(b"x")
    (docs / "link.md").symlink_to(docs / "guide.md")
    return docs


def test_a_folder_of_which_nothing_could_be_read_is_not_called_empty(shell: Shell, base: Path) -> None:
    (base / "links").mkdir()
    (base / "links" / "guide.md").symlink_to(base / "schema.py")
    answer = shell.at_home("ingest", "links", "--to", "beta/docs")
    assert answer.code == 2
    assert "A symbolic link is not followed." in answer.err


def test_a_dry_run_shows_what_would_be_replaced_and_makes_no_collection(shell: Shell, folder: Path) -> None:
    answer = shell.at_home("ingest", str(folder), "--to", "beta/docs", "--dry-run", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["dry_run"] is True
    assert (answer.json["new"], answer.json["redactions"]) == (3, {"EMAIL": 1})
    assert shell.at_home("tenant", "show", "beta", "--json").json["collections"] == []
    shown = shell.at_home("ingest", str(folder), "--to", "beta/docs", "--dry-run")
    assert "1 EMAIL" in shown.out
    assert "jane.porter" not in shown.out + shown.err


def test_a_folder_is_ingested_without_a_schema_and_every_refused_file_is_named(shell: Shell, folder: Path) -> None:
    answer = shell.at_home("ingest", str(folder), "--to", "acme/docs", "--json")
    assert answer.code == 0, answer.err
    report = answer.json
    assert (report["new"], report["documents"], report["passed_over"]) == (3, 3, 0)
    assert {each["file"]: each["error"] for each in report["refused_files"]} == {
        "broken.pdf": "FileCorrupt",
        "link.md": "FileUnsafe",
        "tickets.csv": "FileMismatch",
    }
    assert report["skipped"] == {".png": 1}
    again = shell.at_home("ingest", str(folder), "--to", "acme/docs", "--strict")
    assert again.code == 1
    for told in ("broken.pdf", "FileCorrupt", "symbolic link", "not read: 1 .png"):
        assert told in again.out
    hit = shell.at_home("search", "acme/docs", "how do I log in", "-k", "1", "--json").json["hits"][0]
    assert (hit["id"], hit["record"]["title"]) == ("sub/page.html", "Portal")


def test_a_sync_deletes_what_is_gone_and_refuses_an_empty_folder(shell: Shell, base: Path) -> None:
    folder = base / "synced"
    folder.mkdir()
    (folder / "a.md").write_text("one", encoding="utf-8")
    (folder / "b.md").write_text("two", encoding="utf-8")
    into = ["ingest", str(folder), "--to", "acme/synced"]
    assert shell.at_home(*into).code == 0
    (folder / "a.md").unlink()
    assert shell.at_home(*into, "--sync", "--dry-run", "--json").json["deleted"] == 1
    answer = shell.at_home(*into, "--sync", "--json")
    assert (answer.code, answer.json["deleted"]) == (0, 1)
    (folder / "b.md").unlink()
    refused = shell.at_home(*into, "--sync", "--json")
    assert (refused.code, refused.out) == (3, "")
    assert json.loads(refused.err.splitlines()[-1])["error"] == "SyncRefused"
    assert shell.at_home("count", "acme/synced", "--json").json == {"records": 1}
    assert shell.at_home(*into, "--sync", "--allow-empty", "--json").json["deleted"] == 1


def test_the_one_file_named_that_cannot_be_read_is_exit_2_on_one_line(shell: Shell, folder: Path) -> None:
    answer = shell.at_home("ingest", str(folder / "broken.pdf"), "--to", "acme/docs", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert json.loads(answer.err.splitlines()[-1])["error"] == "FileCorrupt"


@pytest.mark.parametrize("name", ["docs/logo.png", "no-such-folder", "/dev/null"])
def test_a_source_that_is_none_is_exit_2_before_anything_is_opened(shell: Shell, folder: Path, name: str) -> None:
    assert folder.is_dir()
    answer = shell.at_home("ingest", name, "--to", "acme/elsewhere")
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_folder_without_documents_needs_a_schema_or_holds_nothing(shell: Shell, base: Path) -> None:
    folder = base / "rows"
    folder.mkdir()
    answer = shell.at_home("ingest", str(folder), "--to", "beta/rows")
    assert answer.code == 2
    (folder / "tickets.csv").write_text("id,body\n1,x\n", encoding="utf-8")
    answer = shell.at_home("ingest", str(folder), "--to", "beta/rows")
    assert answer.code == 2
    assert "securevec schema infer" in answer.err


def test_a_table_in_another_encoding_is_answered_with_the_option_that_names_it(shell: Shell, base: Path) -> None:
    path = base / "table.csv"
    path.write_bytes(
        "id;customer;body;status;opened\nU-1;a@example.com;Ein Café;open;2026-01-01T10:00:00Z\n".encode("cp1252")
    )
    into = ["ingest", str(path), "--to", "beta/tables", "--schema", "schema.py:Ticket"]
    for words in (into, [*into, "--dry-run"]):
        assert "--encoding cp1252" in shell.at_home(*words).out
    answer = shell.at_home(*into, "--encoding", "cp1252", "--json")
    assert answer.json["new"] == 1
    assert "Café" in shell.at_home("get", "beta/tables", "U-1").out
    proposed = shell.at_home("schema", "infer", str(path), "--encoding", "cp1252")
    assert "customer: sv.Subject[str]" in proposed.out
