"""Another process on the same home: waited for when asked to, and its records followed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from securevec.cli.main import main
from securevec.errors import EngineLocked
from securevec.state import engine as engine_module
from securevec.state.engine import PATIENCE, Engine, Patience
from tests.support import warm
from tests.support.other_process import until

PROGRAM = [sys.executable, "-c", "from securevec.cli.main import run; run()"]
HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
NOTES = "import securevec as sv\nclass Note(sv.Record):\n    id: sv.Key[str]\n    body: sv.Embed[str]\n"


@contextmanager
def holding(home: Path) -> Generator[subprocess.Popen[str]]:
    """Another process that holds the engine of the home until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(home / "engine.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()  # the lock ends with its process


def let_go(holder: subprocess.Popen[str], when: Callable[[], bool]) -> threading.Thread:
    """A thread that ends the holder once something has happened."""

    def run() -> None:
        until(when)
        assert holder.stdin is not None
        holder.stdin.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("SECUREVEC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SECUREVEC_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.py").write_text(NOTES, encoding="utf-8")
    (tmp_path / "notes.jsonl").write_text('{"id": "1", "body": "a lamp"}\n', encoding="utf-8")
    assert main(["init"]) == 0
    assert main(["tenant", "create", "acme"]) == 0
    return tmp_path / "h"


INGEST = ["ingest", "notes.jsonl", "--to", "acme/notes", "--schema", "schema.py:Note"]


def engine(home: Path) -> Engine:
    class Nothing:
        def close(self) -> None: ...

    return Engine(home=home, location="edge", opener=lambda: Nothing())  # type: ignore[arg-type,return-value]  # only the lock


def test_a_lock_is_waited_for_as_long_as_was_said_and_told_at_each_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with holding(tmp_path) as holder:
        # A clock that only waiting moves: how often there is time to look is otherwise the machine's to say.
        passed = [0.0]

        def sleep(seconds: float) -> None:
            passed[0] += seconds

        token = PATIENCE.set(Patience(0.5, told.append))
        try:
            with monkeypatch.context() as patched:
                patched.setattr(engine_module, "time", SimpleNamespace(monotonic=lambda: passed[0], sleep=sleep))
                with pytest.raises(EngineLocked):
                    engine(tmp_path).backend()
        finally:
            PATIENCE.reset(token)
        assert passed[0] == pytest.approx(0.5)
        assert [f"(PID {holder.pid})" in line for line in told] == [True, True, True, False]
        assert told[-1] == ""
        token = PATIENCE.set(Patience(60, told.append))
        try:
            thread = let_go(holder, lambda: told[-1] != "")
            opened = engine(tmp_path)
            opened.backend()
            opened.close()
        finally:
            PATIENCE.reset(token)
        thread.join()


def test_without_patience_a_lock_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding(tmp_path):
        monkeypatch.setattr(time, "sleep", _no_sleep)
        with pytest.raises(EngineLocked):
            engine(tmp_path).backend()


def test_a_command_waits_for_the_home_and_then_does_its_work(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with holding(home) as holder:
        assert main(INGEST) == 4
        assert "--wait SECONDS" in capfd.readouterr().err
        assert main([*INGEST, "--wait", "0.3"]) == 4
        assert f"(PID {holder.pid})" in capfd.readouterr().err.splitlines()[-2]
        assert main([*INGEST, "--wait", "0.3", "--json"]) == 4
        assert json.loads(capfd.readouterr().err)["error"] == "EngineLocked"
        with warm.start(warm.COMMAND_LINE, *INGEST, "--wait", "100") as waiting:
            until(lambda: f"(PID {holder.pid})" in waiting.errors)
            assert waiting.running
            assert holder.stdin is not None
            holder.stdin.close()
            assert waiting.wait(100) == 0, waiting.errors
    assert main(["count", "acme/notes"]) == 0
    assert capfd.readouterr().out.endswith("1\n")


def test_a_command_that_waits_is_ended_by_an_interrupt_and_leaves_nothing(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with holding(home), warm.start(warm.COMMAND_LINE, *INGEST, "--wait", "100") as waiting:
        until(lambda: "Waiting" in waiting.errors)
        waiting.kill(signal.SIGINT)
        assert waiting.wait(60) == 130
        assert "Traceback" not in waiting.errors
    assert main(INGEST) == 0


def test_a_deletion_that_waits_leaves_its_job_free_and_ends_with_the_receipt(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(INGEST) == 0
    with holding(home) as holder:
        assert main(["tenant", "delete", "acme", "--yes", "--wait", "0.1"]) == 5
        with warm.start(warm.COMMAND_LINE, "jobs", "run", "--once", "--wait", "100") as waiting:
            until(lambda: "Waiting" in waiting.errors)
            assert waiting.running
            assert holder.stdin is not None
            holder.stdin.close()
            assert waiting.wait(60) == 0, waiting.errors
    capfd.readouterr()
    assert main(["jobs", "list", "--json"]) == 0
    (job,) = json.loads(capfd.readouterr().out)
    assert job["state"] == "done"
    assert job["receipt"]


def test_a_deletion_beside_a_service_is_finished_by_the_service_while_it_waits(home: Path, tmp_path: Path) -> None:
    import securevec as sv

    assert main(INGEST) == 0
    receipt = tmp_path / "acme.receipt.json"
    with sv.SecureStore.open(home) as service:
        service.tenant("acme").existing_collection("notes").count()
        service.runtime.backend()
        arguments = ["tenant", "delete", "acme", "--yes", "--receipt", str(receipt), "--wait", "100"]
        done = warm.run(warm.COMMAND_LINE, *arguments)
        assert done.returncode == 0, done.stderr
    assert receipt.stat().st_size > 0


def test_records_of_every_process_are_followed_until_the_follower_is_ended(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "followed.jsonl"
    with out.open("w", encoding="utf-8") as stream:
        following = started(["audit", "tail", "-n", "1", "--follow", "--json"], stdout=stream)
        until(lambda: out.stat().st_size > 0)
        for number in range(3):
            assert main(["tenant", "create", f"more-{number}"]) == 0
        until(lambda: out.read_text(encoding="utf-8").count('"tenant.create"') == 6)
        following.terminate()
        _, said = following.communicate(timeout=60)
    assert following.returncode == 143
    assert "Traceback" not in said
    lines = out.read_bytes().splitlines(keepends=True)
    log = b"".join(path.read_bytes() for path in (home / "audit").glob("*/w-*/*.jsonl"))
    assert all(line in log for line in lines)
    uids = [json.loads(line)["metadata"]["uid"] for line in lines]
    assert len(uids) == len(set(uids))


def _no_sleep(seconds: float) -> None:
    pytest.fail("it waited")


def started(arguments: Sequence[str], *, stdout: int | IO[str] = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [*PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
