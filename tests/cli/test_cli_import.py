"""``inspect`` and ``import`` at the command line: what they print, what they exit with, what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec.embed.minilm import MiniLM
from tests.cli.conftest import Shell
from tests.support.foreign import chroma_add, chroma_files

POINTS = [
    ("n1", {"text": "Jane Porter (jane1@example.com) asks for a refund.", "tenant": "acme"}),
    ("n2", {"text": "The portal says my password is wrong.", "tenant": "newcomer"}),
    ("lost", {"text": "Nobody's note."}),
]
NAMED = ("--collection", "notes", "--text-field", "document", "--tenant-field", "tenant", "--to", "notes")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("shell-import") / "old"
    with chroma_files(directory) as client:
        chroma_add(client.create_collection("notes", embedding_function=None), POINTS)
    return f"chroma:{directory}"


def test_inspect_counts_what_it_finds_and_shows_no_value(shell: Shell, source: str) -> None:
    answer = shell.run("inspect", source, "--json")
    assert answer.code == 0
    (notes,) = answer.json["collections"]
    assert (notes["name"], notes["points"], notes["tenant_field"]) == ("notes", 3, "tenant")
    assert notes["found"]["EMAIL"] == 1
    assert sum(notes["unscoped"].values()) == 1
    table = shell.run("inspect", source)
    assert "tenant field" in table.out
    assert "jane1@example.com" not in answer.out + table.out + table.err


def test_where_a_list_of_models_is_required_an_inspection_asks_no_model(
    shell: Shell, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.run("inspect", source, "--json").json["collections"][0]["cost"] is not None
    monkeypatch.setenv("SECUREVEC_MODELS_REQUIRED", "true")

    def handed(self: MiniLM, texts: object) -> None:
        pytest.fail("a model was handed texts")

    monkeypatch.setattr(MiniLM, "embed", handed)
    assert shell.run("inspect", source, "--json").json["collections"][0]["cost"] is None
    assert "models.required" in shell.run("inspect", source).out


def test_a_dry_run_an_import_and_a_second_one(shell: Shell, source: str) -> None:
    assert "--create-tenants" in shell.at_home("import", source, *NAMED, "--dry-run").out
    tried = shell.at_home("import", source, *NAMED, "--create-tenants", "--dry-run", "--json")
    assert tried.code == 0
    assert {each["tenant"]: each["new"] for each in tried.json["tenants"]} == {"acme": 1, "newcomer": 1}
    assert shell.at_home("tenant", "show", "newcomer").code == 3
    first = shell.at_home("import", source, *NAMED, "--create-tenants")
    assert first.code == 0
    assert "3 points read, 2 verified as stored, 1 refused" in first.out
    assert "delete_collection(" in first.out
    assert "jane1" not in first.out + first.err
    again = shell.at_home("import", source, *NAMED, "--strict", "--json")
    assert again.code == 1  # a point was refused
    assert (again.json["complete"], sum(each["unchanged"] for each in again.json["tenants"])) == (True, 2)
    assert [each["error"] for each in again.json["refused"]] == ["UnscopedPoint"]
    hits = shell.at_home("search", "acme/notes", "who wants money back", "-k", "1", "--json")
    assert hits.code == 0
    assert "jane1" not in hits.out


def test_without_tenants_to_go_to_nothing_is_stored_and_the_exit_says_so(shell: Shell, source: str) -> None:
    answer = shell.at_home("import", source, *NAMED[:-1], "elsewhere", "--tenant-field", "absent", "--json")
    assert answer.code == 1
    assert {each["error"] for each in answer.json["refused"]} == {"UnscopedPoint"}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (("--tenant", "acme"), 2, "tenant"),
        (("--tenants", "absent.csv"), 2, "CSV"),
        (("--collection", "absent"), 2, "collection"),
        (("--schema", "absent.py:X"), 2, ""),
    ],
)
def test_mistakes_are_answered_with_a_sentence(
    shell: Shell, source: str, change: tuple[str, str], code: int, says: str
) -> None:
    answer = shell.at_home("import", source, *NAMED, *change)
    assert answer.code == code
    assert says in answer.err
    assert "Traceback" not in answer.err


def test_a_source_that_is_not_there_is_said_to_be(shell: Shell, tmp_path: Path) -> None:
    for command in (("inspect", f"chroma:{tmp_path / 'absent'}"), ("import", f"chroma:{tmp_path / 'absent'}", *NAMED)):
        answer = shell.at_home(*command)
        assert answer.code == 2
        assert "Traceback" not in answer.err


def test_a_mapping_of_tenants_is_read_and_a_broken_one_named_by_line(shell: Shell, source: str, tmp_path: Path) -> None:
    good, broken = tmp_path / "good.csv", tmp_path / "broken.csv"
    good.write_text("acme,beta\nnewcomer,beta\n", encoding="utf-8")
    broken.write_text("acme,beta\nnewcomer\n", encoding="utf-8")
    mapped = shell.at_home("import", source, *NAMED[:-1], "mapped", "--tenants", str(good), "--json")
    assert [(each["tenant"], each["new"]) for each in mapped.json["tenants"]] == [("beta", 2)]
    refused = shell.at_home("import", source, *NAMED, "--tenants", str(broken))
    assert (refused.code, "Line 2" in refused.err) == (2, True)
