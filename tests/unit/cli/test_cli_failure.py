"""A failure is one line with the next step; what nobody foresaw is named by its class only."""

from __future__ import annotations

import json

import pytest

from securevec import errors
from securevec.cli.failure import UNEXPECTED, HungUp, Terminated, report, usage
from securevec.cli.main import main
from securevec.policy import Actor
from securevec.policy.rules import BuiltinPolicy, Permission, Request, require

CANARY = "canary-3f9a51"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AuditTampered("The log was edited.", position="w:1"), 1),
        (errors.ConfigError("Unknown setting."), 2),
        (errors.PolicyDenied("No rule permits this."), 3),
        (errors.EngineLocked("Held."), 4),
        (errors.DeletionIncomplete("Not done.", job_id="0" * 32), 5),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    error: errors.SecurevecError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, as_json=False) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"securevec: {error.message}")
    assert captured.err.count("\n") == 1


def test_an_unforeseen_exception_shows_neither_text_nor_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ValueError(f"cannot parse {CANARY}"), as_json=False) == 4
    shown = capsys.readouterr().err
    assert CANARY not in shown
    assert "Traceback" not in shown
    assert "ValueError" in shown


def test_a_traceback_is_shown_on_request_and_announced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECUREVEC_DEBUG", "1")
    report(ValueError(CANARY), as_json=False)
    shown = capsys.readouterr().err
    assert shown.startswith("securevec: the traceback below may contain content")
    assert CANARY in shown


def test_an_error_as_json_has_stable_keys(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.MissingExtra("The package qdrant_edge", extra="edge")
    assert report(error, as_json=True) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "error": "MissingExtra",
        "message": "The package qdrant_edge is not installed.",
        "next_step": "Run: pip install 'securevec[edge]'",
        "exit_code": 2,
    }


def test_advice_for_python_becomes_advice_for_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    report(errors.TenantNotFound("None.", next_step="Create it: tenant(name, create=True)."), as_json=False)
    report(errors.CollectionMismatch("Other.", next_step="Pass accept_new_detector=True."), as_json=False)
    shown = capsys.readouterr().err
    assert "create=True" not in shown
    assert "securevec tenant create NAME" in shown
    assert "accept_new_detector=True" not in shown
    assert "--accept-new-detector" in shown


@pytest.mark.parametrize(
    ("permission", "shell"),
    [
        ("search", "securevec tenant grant TENANT ACTOR ROLE"),
        ("reveal", "securevec tenant grant TENANT ACTOR ROLE"),
        ("tenant.manage", "who is meant without --as and SECUREVEC_AS."),
        ("tenant.delete", "who is meant without --as and SECUREVEC_AS."),
        ("retention", "who is meant without --as and SECUREVEC_AS."),
        ("hold.release", "who is meant without --as and SECUREVEC_AS."),
    ],
)
def test_a_denial_advises_a_role_only_where_a_role_would_help(
    capsys: pytest.CaptureFixture[str], permission: Permission, shell: str
) -> None:
    with pytest.raises(errors.PolicyDenied) as denied:
        require(BuiltinPolicy(), Request(Actor("svc:ops"), permission))
    report(denied.value, as_json=False)
    shown = capsys.readouterr().err
    assert shell in shown
    assert ("grant" in shown) == ("grant" in shell)
    assert ".grant(" not in shown


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("Name another one, or pass overwrite=True.", "--overwrite"),
        ("Ingest into a new one, made with hybrid=True.", "made with ingest --hybrid."),
        ("Use chromas://, or allow the host by its name: plain_http_hosts.", "SECUREVEC_PLAIN_HTTP_HOSTS"),
        ("Stop it, or use a Qdrant or Chroma server when several processes must search.", "--wait SECONDS"),
    ],
)
def test_an_argument_in_an_advice_is_the_option_of_its_command(
    capsys: pytest.CaptureFixture[str], python: str, shell: str
) -> None:
    report(errors.UsageError("No.", next_step=python), as_json=False)
    shown = capsys.readouterr().err
    assert shell in shown
    assert "=True" not in shown
    assert "plain_http_hosts" not in shown


def test_a_line_break_in_a_message_does_not_forge_a_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    usage("No such option: --x\nsecurevec: all is well", as_json=False, advice="")
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyboardInterrupt(), as_json=False) == 130
    shown = capsys.readouterr().err
    assert shown.startswith("securevec: Interrupted. ")
    assert "again" in shown


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (HungUp(), 129)])
def test_a_program_that_asked_for_json_gets_json_of_an_interrupt_too(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, as_json=True) == code
    said = json.loads(capsys.readouterr().err)
    assert said["exit_code"] == code
    assert said["next_step"]


class Panic(BaseException):
    """As a library written in Rust ends."""


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit(None), Panic(CANARY)])
def test_code_of_others_that_ends_the_process_is_no_command_that_was_done(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ending() -> None:
        raise error

    monkeypatch.setattr("securevec.cli.app.program", ending)
    assert main(["tenant", "list"]) == UNEXPECTED
    shown = capsys.readouterr().err
    assert type(error).__name__ in shown
    assert CANARY not in shown
    assert "Traceback" not in shown
