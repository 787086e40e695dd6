"""Ctrl-C and SIGTERM where something has just been taken or is about to be given back: no lock stays behind that the
same process waits for while it closes, and each command ends with its code and its next step."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from securevec.audit.event import Event
from securevec.audit.group import GroupCommit, Ticket
from securevec.errors import AuditUnavailable
from tests.support import warm

COMMAND: Final = """
import atexit, os, signal, sys, time
from securevec.audit.writer import AuditWriter
from securevec.cli.output import Output
from securevec.control import database
from securevec.state.engine import Engine

number = int(sys.argv[1])
ignored = sys.argv[2] == "ignored"
signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)  # whatever the tests were begun with
broken = []
atexit.register(lambda: broken and print("broken off:", *broken, file=sys.stderr))

def tell(owner, name, times):
    honest = getattr(owner, name)
    left = [times]
    def told(*given):
        if left[0]:
            left[0] -= 1
            broken.append(name)
            os.kill(os.getpid(), number)
            honest(*given)
            broken.remove(name)
            return None
        return honest(*given)
    told.__code__ = told.__code__.replace(co_name=name)
    setattr(owner, name, told)

for owner, name in {"leaving": [(database._Side, "__exit__")],
                    "twice": [(database._Side, "__exit__"), (Engine, "close"), (AuditWriter, "close")],
                    "ignored": [(database._Side, "__exit__")]}[sys.argv[2]]:
    tell(owner, name, 1)
del sys.argv[1:3]
if not ignored:
    Output.show = lambda *_: time.sleep(60)  # the signal that waited is heard here at the latest
from securevec.cli.main import run
run()
"""


@pytest.mark.parametrize(
    ("place", "number", "code"),
    [("leaving", signal.SIGINT, 130), ("twice", signal.SIGTERM, 143), ("twice", signal.SIGHUP, 129)],
)
def test_a_command_that_is_ended_where_a_lock_is_given_back_ends_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, number: signal.Signals, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    home = ("--home", "h", "--key-file", "root.key")
    assert warm.run(warm.COMMAND_LINE, "init", *home, environment={}).returncode == 0
    ended = warm.run(("-c", COMMAND), str(int(number)), place, "tenant", "create", "acme", *home, environment={})
    assert "broken off" not in ended.stderr
    assert ended.returncode == code, ended.stderr
    assert "Run the command again" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    again = warm.run(warm.COMMAND_LINE, "tenant", "create", "other", *home, environment={})
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_command_begun_behind_nohup_or_in_the_background_of_a_script_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    home = ("--home", "h", "--key-file", "root.key")
    ended = warm.run(("-c", COMMAND), str(int(number)), "ignored", "init", *home, environment={})
    assert ended.returncode == 0, ended.stderr


LIBRARY: Final = """
import sys
import securevec as sv
from securevec.control import database
from securevec.testing.embedders import HashEmbedder

store = sv.SecureStore.open("h", key_file="root.key", embedder=HashEmbedder())
honest = database._Side.__exit__
def broken_off(side, *raised):
    database._Side.__exit__ = honest
    raise KeyboardInterrupt
database._Side.__exit__ = broken_off
try:
    store.tenant("acme", create=True)
except KeyboardInterrupt:
    store.tenant("other", create=True)
    store.close()
    print("closed")
"""


def test_a_program_that_was_interrupted_with_a_lock_in_hand_can_go_on_and_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = warm.run(("-c", LIBRARY), timeout=30)
    assert (ended.returncode, ended.stdout) == (0, "closed\n"), ended.stderr


@pytest.mark.parametrize("place", ["before it leads", "before it hands over"])
def test_a_leader_of_the_audit_log_that_is_interrupted_leaves_nobody_waiting_and_nothing_taken_for_written(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    written: list[Event | None] = []

    def commit(batch: list[Ticket]) -> None:
        for ticket in batch:
            ticket.written = True
            written.append(ticket.event)

    def interrupted(*_: object) -> None:
        patch.undo()
        raise KeyboardInterrupt

    def ticket() -> Ticket:
        return Ticket(None, 0, waits=True)

    group = GroupCommit(commit, lambda: len(written))
    first, others = ticket(), [ticket() for _ in range(3)]
    patch = pytest.MonkeyPatch()
    patch.setattr(group, "_lead" if place == "before it leads" else "_settle", interrupted)
    refused: list[Ticket] = []

    def submit(each: Ticket) -> None:
        try:
            group.submit(each)
        except AuditUnavailable:
            refused.append(each)

    with pytest.raises(KeyboardInterrupt):
        group.submit(first)
    threads = [Thread(target=submit, args=(each,), daemon=True) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert not refused
    assert all(each.written for each in others)


def test_who_waits_for_a_batch_that_was_broken_off_is_not_told_that_it_is_written() -> None:
    def commit(batch: list[Ticket]) -> None:
        raise AssertionError("nobody writes")

    group = GroupCommit(commit, lambda: 0)
    leader, waiting = Ticket(None, 0, waits=True), Ticket(None, 0, waits=True)
    group._leader, group._in_hand = leader, [leader, waiting]
    group._settle(leader, AuditUnavailable("The writing was broken off."))
    assert waiting.error is not None
    assert not waiting.gate.locked()
    assert group._leader is None
