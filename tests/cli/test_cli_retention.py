"""Retention and holds from the command line."""

from __future__ import annotations

import time

import pytest

from tests.cli.conftest import Shell


def test_rules_are_set_listed_replaced_and_removed(shell: Shell) -> None:
    assert shell.at_home("retention", "rules").out == "no rules\n"
    assert shell.at_home("retention", "set", "acme/tickets", "--max-age", "1h").code == 0
    assert shell.at_home("retention", "set", "beta", "--classification", "pii", "--min-age", "6y").code == 0
    again = shell.at_home("retention", "set", "acme/tickets", "--max-age", "2h")
    assert (again.code, "--replace" in again.err, "acme" in again.err) == (2, True, False)
    assert shell.at_home("retention", "set", "acme/tickets", "--max-age", "3h", "--replace").code == 0
    against = shell.at_home("retention", "set", "--max-age", "5y")
    assert against.code == 2
    assert "shorter than the minimum" in against.err
    rules = shell.at_home("retention", "rules", "--json").json
    assert {(rule["tenant"], rule["collection"], rule["classification"]) for rule in rules} == {
        ("acme", "tickets", None),
        ("beta", None, "pii"),
    }
    assert {(rule["max_age_ms"], rule["min_age_ms"]) for rule in rules} == {
        (3 * 3_600_000, None),
        (None, 6 * 31_536_000_000),
    }
    assert "3h" in shell.at_home("retention", "rules").out
    assert shell.at_home("retention", "remove", "acme/tickets").code == 0
    assert shell.at_home("retention", "remove", "beta", "--classification", "pii").code == 0
    assert shell.at_home("retention", "remove", "beta").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["set", "acme"], 2),
        (["set", "acme", "--max-age", "soon"], 2),
        (["set", "nobody", "--max-age", "1d"], 3),
        (["set", "acme/nothing", "--max-age", "1d"], 3),
        (["set", "acme/a/b", "--max-age", "1d"], 2),
        (["set", "/tickets", "--max-age", "1d"], 2),
        (["apply", "--plan", "0" * 64], 1),
        (["apply"], 2),
        (["plan", "--tenant", "nobody"], 3),
    ],
)
def test_what_cannot_be_done_has_its_exit_code_and_no_traceback(shell: Shell, arguments: list[str], code: int) -> None:
    answer = shell.at_home("retention", *arguments)
    assert answer.code == code, answer.err
    assert answer.err.splitlines()[-1].startswith("securevec: ")
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "nobody", "--reason", "case 1"], 3),
        (["add", "acme/nothing", "--reason", "case 1"], 3),
        (["add", "acme/tickets", "--record", "T-99", "--reason", "case 1"], 3),
        (["add", "acme", "--subject", "nobody@example.com", "--reason", "case 1"], 3),
        (["add", "acme", "--record", "T-1", "--reason", "case 1"], 2),
        (["add", "acme/tickets", "--reason", " "], 2),
        (["add", "acme/tickets"], 2),
        (["release", "acme", "0" * 32], 2),
        (["show", "acme", "x"], 2),
    ],
)
def test_a_hold_that_makes_no_sense_has_its_exit_code(shell: Shell, arguments: list[str], code: int) -> None:
    assert shell.at_home("hold", *arguments).code == code


def test_a_held_record_outlives_a_plan_that_is_applied_and_goes_when_released(shell: Shell) -> None:
    time.sleep(1.1)  # what the home was filled with is older than the rule below allows
    hold = shell.at_home("hold", "add", "acme/tickets", "--record", "T-1", "--reason", "case 7", "--json").json
    assert hold["kind"] == "record"
    assert shell.at_home("hold", "show", "acme", hold["hold"], "--json").json["reason"] == "case 7"
    refused = shell.at_home("delete", "acme/tickets", "T-1")
    assert refused.code == 3
    assert shell.at_home("retention", "set", "acme", "--max-age", "1s").code == 0
    plan = shell.at_home("retention", "plan", "--json").json
    (acme,) = [each for each in plan["collections"] if each["tenant"] == "acme"]
    assert (acme["collection"], acme["records"], acme["held"], acme["holds"]) == ("tickets", 1, 1, 1)
    shown = shell.at_home("retention", "plan")
    assert "acme/tickets" in shown.out
    receipts = shell.base / "receipts"
    taken = shell.base / "taken"
    taken.write_text("a file where a directory was named")
    refused = shell.at_home("retention", "apply", "--plan", plan["digest"], "--receipts", str(taken))
    assert (refused.code, "nothing was done" in refused.err) == (2, True)
    # Another plan since has another digest: this one is of an earlier moment, and still matches.
    applied = shell.at_home("retention", "apply", "--plan", plan["digest"], "--receipts", str(receipts), "--json")
    assert applied.code == 0, applied.err
    (receipt,) = receipts.iterdir()
    verified = shell.at_home("receipt", "verify", str(receipt), "--json")
    assert verified.code == 0
    assert verified.json["manifest"]["records"] == verified.json["result"]["records"] == 1
    assert verified.json["exceptions"] == [{"kind": "legal-hold", "ref": hold["hold"], "records": 1}]
    assert f"stayed: 1 records, by legal-hold {hold['hold']}" in shell.at_home("receipt", "verify", str(receipt)).out
    assert shell.at_home("count", "acme/tickets", "--json").json["records"] == 1
    # Whoever was interrupted before the receipts were written asks once more: they are, and nothing else is done.
    whole = receipt.read_bytes()
    receipt.unlink()
    again = shell.at_home("retention", "apply", "--plan", plan["digest"], "--receipts", str(receipts))
    assert (again.code, [each.read_bytes() for each in receipts.iterdir()]) == (0, [whole])
    assert shell.at_home("hold", "release", "acme", hold["hold"]).code == 0
    assert [each["released"] is None for each in shell.at_home("hold", "list", "acme", "--json").json] == [False]
    digest = shell.at_home("retention", "plan", "--tenant", "acme", "--json").json["digest"]
    again = shell.at_home("retention", "apply", "--plan", digest, "--receipts", str(receipts))
    assert (again.code, len(list(receipts.iterdir())), receipts.stat().st_mode & 0o777) == (0, 2, 0o700)
    assert shell.at_home("count", "acme/tickets", "--json").json["records"] == 0
    jobs = shell.at_home("jobs", "list", "--json").json
    assert [(job["kind"], job["state"]) for job in jobs] == [("retention.apply", "done")] * 2
    job = jobs[0]["job"]
    assert shell.at_home("jobs", "cancel", job).code == 2
    assert shell.at_home("jobs", "retry", job).code == 0
    assert shell.at_home("jobs", "retry", "0" * 32).code == 2
    assert shell.at_home("jobs", "run", "--once", "--watch").code == 2
    steps = [step["state"] for step in shell.at_home("jobs", "show", job, "--json").json["steps"]]
    # Begun, what the purge is to leave nothing of written down, deleted.
    assert steps == ["accepted", *["deleting"] * 3, "purged", "keys_destroyed", "verified", "done"]
    altered = bytearray(receipt.read_bytes())
    altered[len(altered) // 2] ^= 1
    (shell.base / "altered.json").write_bytes(altered)
    assert shell.at_home("receipt", "verify", str(shell.base / "altered.json")).code == 1


def test_holds_and_rules_are_not_a_strangers(shell: Shell) -> None:
    for arguments in (
        ["hold", "add", "acme", "--reason", "mine"],
        ["hold", "list", "acme"],
        ["retention", "rules"],
        ["retention", "set", "--max-age", "1d"],
        ["retention", "plan"],
    ):
        assert shell.at_home(*arguments, "--as", "svc:stranger").code == 3
