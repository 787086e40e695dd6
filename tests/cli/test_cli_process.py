"""What a process shows of itself: its imports, its pipes, its environment, and a lock that another one holds."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from securevec.cli.main import main
from securevec.cli.streams import escape_what_is_missing

PROGRAM = [sys.executable, "-m", "securevec"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = (
        *("torch", "sqlalchemy", "alembic", "presidio_anonymizer", "sentence_transformers", "qdrant_edge"),
        *("numpy", "cryptography", "re2"),
    )
    script = (
        "import sys\n"
        "from securevec.cli.main import main\n"
        "assert main(['--help']) == 0 and main(['tenant', 'delete', '--help']) == 0\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "receipt" in result.stdout


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """A command in this process, in a directory and an environment of its own: its code, and all it wrote."""
    for name in [name for name in os.environ if name.startswith("SECUREVEC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            code = main([*arguments, "--home", "h"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_name_that_the_locale_cannot_write_is_escaped_and_fails_no_command(
    command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("init", SECUREVEC_BACKEND="memory")[0] == 0
    said: dict[str, str] = {}
    for words in ("tenant create \u0141\u00f3d\u017a", "tenant list", "tenant list --json"):
        written = io.BytesIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
            escape_what_is_missing()
            assert main([*words.split(), "--home", "h"]) == 0, words
            said[words] = written.getvalue().decode("ascii" if "--json" in words else "latin-1")
    assert "\\u0141\u00f3d\\u017a" in said["tenant list"]
    assert [each["tenant"] for each in json.loads(said["tenant list --json"])] == ["\u0141\u00f3d\u017a"]


def test_a_passphrase_comes_from_the_environment_or_a_private_file_and_a_wrong_one_opens_nothing(
    tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "phrase").write_text("correct horse battery staple\n", encoding="utf-8")
    (tmp_path / "phrase").chmod(0o600)
    phrase = {"SECUREVEC_PASSPHRASE_FILE": "phrase"}
    code, said = command("init", **phrase, SECUREVEC_KEY_PROVIDER="passphrase")
    assert code == 0, said
    assert command("tenant", "list", **phrase)[0] == 0
    code, said = command("tenant", "list", SECUREVEC_PASSPHRASE="canary-wrong")
    assert code == 4
    assert "canary-wrong" not in said
    code, said = command("tenant", "list")
    assert code == 2
    assert "SECUREVEC_PASSPHRASE" in said
    (tmp_path / "phrase").chmod(0o644)
    assert command("tenant", "list", **phrase)[0] == 2


def test_a_held_engine_is_exit_4_for_who_needs_it_and_5_for_a_deletion(
    tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    assert command("init")[0] == 0
    assert command("tenant", "create", "acme")[0] == 0
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys\n"
            "file = open('h/engine.lock', 'a')\n"
            "fcntl.flock(file, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n",
        ],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        (tmp_path / "schema.py").write_text(
            "import securevec as sv\nclass Note(sv.Record):\n    id: sv.Key[str]\n    body: sv.Embed[str]\n",
            encoding="utf-8",
        )
        (tmp_path / "notes.jsonl").write_text('{"id": "1", "body": "text"}\n', encoding="utf-8")
        into = ["--to", "acme/notes", "--schema", "schema.py:Note"]
        code, said = command("ingest", "notes.jsonl", *into)
        assert code == 4
        assert f"(PID {holder.pid})" in said
        assert command("tenant", "list")[0] == 0
        code, said = command("tenant", "delete", "acme")
        assert code == 5, said
        assert command("jobs", "run", "--once")[0] == 5
    finally:
        holder.communicate("")
    code, said = command("jobs", "run", "--once")
    assert code == 0, said


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECUREVEC_")}
    process = subprocess.Popen(
        [*PROGRAM, "--help"], cwd=tmp_path, env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), error) == (0, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_ingest_that_is_told_to_end_says_so_keeps_what_is_stored_and_goes_on(
    tmp_path: Path, command: Callable[..., tuple[int, str]], number: signal.Signals, code: int
) -> None:
    assert command("init")[0] == 0
    assert command("tenant", "create", "acme")[0] == 0
    (tmp_path / "schema.py").write_text(
        "import securevec as sv\nclass Note(sv.Record):\n    id: sv.Key[str]\n    body: sv.Embed[str]\n",
        encoding="utf-8",
    )
    first = "".join(f'{{"id": "{row}", "body": "text"}}\n' for row in range(40))
    (tmp_path / "notes.jsonl").write_text(first, encoding="utf-8")
    arguments = ["ingest", "notes.jsonl", "--to", "acme/notes", "--schema", "schema.py:Note"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECUREVEC_")}
    process = subprocess.Popen(
        [*PROGRAM, *arguments, "--home", "h"],
        cwd=tmp_path,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs behind it with interrupts ignored, and Python leaves that so.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    assert "acting as" in process.stderr.readline()
    process.send_signal(number)
    _, error = process.communicate(timeout=120)
    assert process.returncode == code, error
    assert "again" in error.splitlines()[-1]
    assert "Traceback" not in error
    code, shown = command(*arguments)
    assert code == 0, shown
    code, shown = command("count", "acme/notes", "--json")
    assert json.loads(shown.splitlines()[0]) == {"records": 40}


def test_a_full_log_keeps_no_deletion_from_being_done_and_changes_no_exit_code(
    command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from cron with its log on a disk that is full, where a deletion has room reserved."""
    assert command("init")[0] == command("tenant", "create", "acme")[0] == 0
    with open("/dev/full", "w", encoding="utf-8") as full, monkeypatch.context() as patch:
        patch.setattr("sys.stderr", full)
        assert command("tenant", "show", "nobody")[0] == 3
        assert command("tenant", "delete", "acme")[0] == 0
    assert command("tenant", "show", "acme")[0] == 3


def test_an_answer_that_cannot_be_written_is_said_so_and_what_was_done_is_done(
    command: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("init")[0] == 0
    with open("/dev/full", "w", encoding="utf-8") as full, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", full)
        code, said = command("tenant", "create", "acme")
    assert code == 4
    assert "The answer cannot be written: No space left on device." in said
    assert "internal error" not in said
    assert command("tenant", "show", "acme")[0] == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_started_with_closed_streams_runs_and_no_file_takes_their_numbers(
    tmp_path: Path, closed: str
) -> None:
    """Whatever a library prints would stand in a store whose file has the number of stdout."""
    script = (
        "import os, sys\n"
        "from securevec.cli import main\n"
        "command = main.main\n"
        "def looked_at(arguments):\n"
        "    assert os.open(os.devnull, os.O_RDONLY) > 2\n"
        "    print('said', file=sys.stderr)\n"
        "    sys.stdin.read()\n"
        "    return command(arguments)\n"
        "main.main = looked_at\n"
        "sys.argv = ['securevec', '--version']\n"
        "main.run()\n"
    )
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", script]
    ended = subprocess.run(shell, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert (b"securevec" in ended.stdout) == (">&-" not in closed.replace("2>&-", ""))
