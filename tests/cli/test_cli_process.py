"""What only a process of its own shows: imports, locks, pipes, and a passphrase."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = [sys.executable, "-c", "from securevec.cli.main import run; run()"]


def run(
    *arguments: str, directory: Path, env: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SECUREVEC_")}
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=directory,
        env={**kept, "XDG_CONFIG_HOME": str(directory / "config"), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("torch", "sqlalchemy", "alembic", "presidio_anonymizer", "sentence_transformers", "qdrant_edge")
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


def test_a_passphrase_comes_from_the_environment_or_a_private_file_and_a_wrong_one_opens_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "phrase").write_text("correct horse battery staple\n", encoding="utf-8")
    (tmp_path / "phrase").chmod(0o600)
    phrase = {"SECUREVEC_PASSPHRASE_FILE": "phrase"}
    made = run("init", "--home", "h", directory=tmp_path, env={"SECUREVEC_KEY_PROVIDER": "passphrase", **phrase})
    assert made.returncode == 0, made.stderr
    assert run("tenant", "list", "--home", "h", directory=tmp_path, env=phrase).returncode == 0
    wrong = run("tenant", "list", "--home", "h", directory=tmp_path, env={"SECUREVEC_PASSPHRASE": "canary-wrong"})
    assert wrong.returncode == 4
    assert "canary-wrong" not in wrong.stdout + wrong.stderr
    none = run("tenant", "list", "--home", "h", directory=tmp_path)
    assert none.returncode == 2
    assert "SECUREVEC_PASSPHRASE" in none.stderr
    (tmp_path / "phrase").chmod(0o644)
    assert run("tenant", "list", "--home", "h", directory=tmp_path, env=phrase).returncode == 2


def test_a_held_engine_is_exit_4_for_who_needs_it_and_5_for_a_deletion(tmp_path: Path) -> None:
    assert run("init", "--home", "h", directory=tmp_path).returncode == 0
    assert run("tenant", "create", "acme", "--home", "h", directory=tmp_path).returncode == 0
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
        into = ["--to", "acme/notes", "--schema", "schema.py:Note", "--home", "h"]
        assert run("ingest", "notes.jsonl", *into, directory=tmp_path).returncode == 4
        assert run("tenant", "list", "--home", "h", directory=tmp_path).returncode == 0
        deleting = run("tenant", "delete", "acme", "--home", "h", directory=tmp_path)
        assert deleting.returncode == 5, deleting.stderr
        assert run("jobs", "run", "--once", "--home", "h", directory=tmp_path).returncode == 5
    finally:
        holder.communicate("")
    finished = run("jobs", "run", "--once", "--home", "h", directory=tmp_path)
    assert finished.returncode == 0, finished.stderr


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
    process.wait(timeout=60)
    assert "Traceback" not in error
    assert "BrokenPipe" not in error
