"""The list of models from the command line, one copy of a home a test; and a service beside it that follows."""

from __future__ import annotations

from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import ModelNotAllowed
from securevec.testing.embedders import HashEmbedder
from tests.cli.conftest import Shell
from tests.support.crash_home import Home
from tests.support.models import edit_control
from tests.support.other_process import command
from tests.support.world import ACME, Ticket, ticket


def test_a_model_is_allowed_checked_denied_and_forgotten(shell: Shell) -> None:
    assert "every model may receive everything" in shell.at_home("models", "list").out
    assert shell.at_home("models", "list", "--json").json is None
    assert shell.at_home("models", "check", "gpt-5", "acme/tickets").code == 0
    first = shell.at_home("models", "allow", "all-MiniLM-L6-v2", "--kind", "embedder", "--class", "internal", "--here")
    assert (first.code, "There is a list now" in first.out) == (0, True)
    again = shell.at_home("models", "allow", "gpt-5", "--class", "internal", "--class", "public", "--region", "eu")
    assert (again.code, "There is a list now" in again.out) == (0, False)
    assert shell.at_home("models", "deny", "gpt-5", "--tenant", "beta").code == 0
    listed = shell.at_home("models", "list", "--json").json
    assert [(each["model"], each["tenant"], each["allow"], each["runs"], each["region"]) for each in listed] == [
        ("all-MiniLM-L6-v2", "", ["internal"], "here", ""),
        ("gpt-5", "", ["internal", "public"], "remote", "eu"),
        ("gpt-5", "beta", [], "remote", ""),
    ]
    assert "nothing" in shell.at_home("models", "list").out


def test_a_collection_is_made_with_a_classification_and_found_by_it(shell: Shell) -> None:
    """Rules name classifications; a command line that makes none could keep nothing apart."""
    into = ("ingest", "tickets.csv", "--schema", "schema.py:Ticket", "--to", "acme/cases")
    assert shell.at_home(*into, "--classification", "restricted").code == 0
    assert shell.at_home("describe", "acme/cases", "--json").json["classification"] == "restricted"
    assert shell.at_home(*into).code == 0  # as it was made
    other = shell.at_home(*into, "--classification", "internal")
    assert (other.code, "Leave --classification out" in other.err) == (2, True)
    assert shell.at_home("models", "allow", "gpt-5", "--class", "internal").code == 0
    checked = shell.at_home("models", "check", "gpt-5", "acme/cases")
    assert (checked.code, "classification" in checked.out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["gpt-5", "acme/tickets", "--region", "eu"], 0, "listed"),
        (["gpt-5", "acme/tickets"], 1, "region"),
        (["gpt-5", "acme/tickets", "--region", "eu", "--originals"], 1, "originals"),
        (["gpt-5", "acme/tickets", "--kind", "embedder"], 1, "kind"),
        (["GPT-5", "acme/tickets", "--region", "eu"], 1, "unlisted"),
        (["g\u0440t-5", "acme/tickets", "--region", "eu"], 1, "unlisted"),
        (["open-one", "acme/tickets"], 1, "classification"),
        (["forbidden", "acme/tickets"], 1, "denied"),
    ],
)
def test_check_says_why_and_by_its_exit_code_whether(
    shell: Shell, arguments: list[str], code: int, reason: str
) -> None:
    shell.at_home("models", "allow", "gpt-5", "--class", "internal", "--region", "eu")
    shell.at_home("models", "allow", "open-one", "--class", "public")
    shell.at_home("models", "deny", "forbidden")
    said = shell.at_home("models", "check", *arguments, "--json")
    assert (said.code, said.json) == (code, {"allowed": code == 0, "reason": reason})
    plain = shell.at_home("models", "check", *arguments)
    assert plain.out.startswith("yes: " if code == 0 else "no: ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["allow", "gpt-5"], 2, "--class"),
        (["allow", "gpt*", "--class", "internal"], 2, "field model"),
        (["allow", "gpt-5", "--class", "internal", "--region", "e u"], 2, "field region"),
        (["allow", "gpt-5", "--class", "internal", "--kind", "any"], 2, "kind"),
        (["allow", "gpt-5", "--class", "internal", "--tenant", "nobody"], 3, "tenant"),
        (["allow", "gpt-5", "--class", "a/b"], 2, "name"),
        (["check", "gpt-5", "acme/nothing"], 3, "collection"),
        (["clear"], 2, "--yes"),
        (["list", "--as", "svc:someone"], 3, "No rule permits"),
        (["allow", "gpt-5", "--class", "internal", "--as", "svc:someone"], 3, "No rule permits"),
        (["deny", "gpt-5", "--as", "svc:someone"], 3, "No rule permits"),
        (["clear", "--yes", "--as", "svc:someone"], 3, "No rule permits"),
    ],
)
def test_what_cannot_be_is_refused_and_said(shell: Shell, arguments: list[str], code: int, says: str) -> None:
    answer = shell.at_home("models", *arguments)
    assert (answer.code, says in answer.err) == (code, True), answer.err
    assert shell.at_home("models", "list", "--json").json is None


def test_a_search_that_the_list_refuses_says_what_to_type(shell: Shell) -> None:
    shell.at_home("models", "deny", "all-MiniLM-L6-v2")
    refused = shell.at_home("search", "acme/tickets", "refund")
    assert refused.code == 3
    assert "securevec models list" in refused.err
    doctor = {each["name"]: each for each in shell.at_home("doctor", "--json").json}
    assert doctor["models"]["status"] == "note"
    assert "cannot be searched or filled" in doctor["models"]["detail"]
    shell.at_home("models", "allow", "all-MiniLM-L6-v2", "--kind", "embedder", "--class", "internal")
    doctor = {each["name"]: each for each in shell.at_home("doctor", "--json").json}
    assert doctor["models"]["status"] == "ok"
    assert shell.at_home("search", "acme/tickets", "refund").code == 0


def test_a_list_that_was_edited_is_found_by_every_command_and_cleared(shell: Shell) -> None:
    shell.at_home("models", "allow", "all-MiniLM-L6-v2", "--kind", "embedder", "--class", "internal")
    edit_control(shell.home, "UPDATE model_list SET sealed = ?", bytes(100))
    for arguments in (["list"], ["deny", "gpt-5"], ["allow", "gpt-5", "--class", "internal"]):
        answer = shell.at_home("models", *arguments)
        assert (answer.code, "model_list.sealed" in answer.err, "models clear" in answer.err) == (1, True, True)
    said = shell.at_home("models", "check", "gpt-5", "acme/tickets", "--json")
    assert (said.code, said.json["reason"]) == (1, "unreadable")
    (check,) = [each for each in shell.at_home("doctor", "--json").json if each["name"] == "models"]
    assert check["status"] == "wrong"
    assert shell.at_home("search", "acme/tickets", "refund").code == 3
    assert shell.at_home("models", "clear", "--yes").code == 0
    assert shell.at_home("search", "acme/tickets", "refund").code == 0


def test_where_a_list_is_required_a_home_without_one_embeds_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_MODELS_REQUIRED", "true")
    refused = shell.at_home("search", "acme/tickets", "refund")
    assert (refused.code, "models.required" in refused.err) == (3, True)
    assert shell.at_home("models", "check", "gpt-5", "acme/tickets").code == 1
    (check,) = [each for each in shell.at_home("doctor", "--json").json if each["name"] == "models"]
    assert check["status"] == "wrong"
    monkeypatch.setenv("SECUREVEC_MODELS_REQUIRED", "perhaps")
    assert shell.at_home("search", "acme/tickets", "refund").code == 2


def test_a_service_that_is_open_follows_what_the_operator_types_beside_it(tmp_path: Path) -> None:
    """Two processes: the service holds the engine, the command line changes the list."""
    path, key_file = tmp_path / "home", tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(path, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        home = Home(path, key_file, store.runtime.installation_id, b"")
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket)
        tickets.ingest([ticket(1, "The refund for the lift never arrived.")])
        hits = tickets.search("refund", k=1)
        assert hits.for_model("gpt-5", purpose="answer").texts
        assert command(home, "models", "allow", "hash", "--kind", "embedder", "--class", "internal").returncode == 0
        assert tickets.search("refund", k=1)
        with pytest.raises(ModelNotAllowed):
            hits.for_model("gpt-5", purpose="answer")
        assert command(home, "models", "allow", "gpt-5", "--class", "internal").returncode == 0
        assert hits.for_model("gpt-5", purpose="answer").texts
        assert command(home, "models", "deny", "hash", "--tenant", "acme").returncode == 0
        with pytest.raises(ModelNotAllowed):
            tickets.search("refund", k=1)
        assert command(home, "models", "check", "gpt-5", "acme/ticket").returncode == 0
