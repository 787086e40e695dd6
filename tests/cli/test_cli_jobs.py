"""``jobs run``: what can be done is done, and what only people can end is said and left."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def held(shell: Shell) -> str:
    """A job that waits for a legal hold: a new key for surrogates, and a record that must stay as it is."""
    hold = shell.at_home("hold", "add", "acme/tickets", "--record", "T-1", "--reason", "case 7", "--json").json["hold"]
    assert shell.at_home("keys", "renew", "acme", "--key", "pseudonym").code == 3
    return str(hold)


def attempts(shell: Shell) -> int:
    lines = shell.at_home("audit", "tail", "-n", "500", "--json").out.splitlines()
    return sum(json.loads(line)["metadata"]["event_code"] == "job.advance" for line in lines)


@pytest.mark.parametrize("words", [[], ["--once"]])
def test_a_job_that_a_legal_hold_stops_is_tried_once_and_the_audit_log_is_not_filled(
    shell: Shell, held: str, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def again(_: float) -> None:
        pytest.fail("it waits for somebody to release the hold")

    monkeypatch.setattr("securevec.cli.commands.jobs.time", SimpleNamespace(sleep=again))
    before = attempts(shell)
    answer = shell.at_home("jobs", "run", *words, "--json")
    assert (answer.code, [each["waiting_for"] for each in answer.json]) == (5, ["LegalHold"])
    assert "securevec hold list" in json.loads(answer.err)["next_step"]
    assert 1 <= attempts(shell) - before <= 2  # by the command, and by the opening of the engine before it


def test_doctor_does_not_take_a_job_under_a_legal_hold_for_a_fault(shell: Shell, held: str) -> None:
    (jobs,) = [each for each in shell.at_home("doctor", "--json").json if each["name"] == "jobs"]
    assert (jobs["status"], "hold release" in jobs["next_step"]) == ("note", True)


def test_a_released_hold_lets_the_job_come_to_its_end(shell: Shell, held: str) -> None:
    assert shell.at_home("hold", "release", "acme", held).code == 0
    assert shell.at_home("jobs", "run").code == 0
    assert [job["state"] for job in shell.at_home("jobs", "list", "--json").json] == ["done"]
