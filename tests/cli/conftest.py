"""One home, filled once, and a copy of it for every test of the command line."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from securevec.cli.main import main
from securevec_adapters.layout import copy_tree

SCHEMA = """
from datetime import datetime
import securevec as sv

class Ticket(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]
    status: sv.Filter[str]
    opened: sv.Filter[datetime]
"""
ROWS = """id,customer,body,status,opened,ssn
T-1,jane.porter@example.com,My refund for the cancelled scan never arrived.,open,2026-01-01T10:00:00Z,canary-1a2b3c
T-2,Ludmila Wieczorek,The portal says my password is wrong.,closed,2026-01-02T10:00:00Z,canary-4d5e6f
T-3,Ludmila Wieczorek,This row has no time zone: canary-7g8h9i.,open,2026-01-03T10:00:00,canary-0j1k2l
"""


@dataclass(frozen=True)
class Answer:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """What ``doctor --json`` said: of each name the first."""
        return {check["name"]: check for check in reversed(self.json)}


@dataclass(frozen=True)
class Shell:
    """Runs commands in this process, on one home."""

    base: Path
    home: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Answer:
        self.capture.readouterr()
        code = main([*arguments])
        captured = self.capture.readouterr()
        return Answer(code, captured.out, captured.err)

    def at_home(self, *arguments: str) -> Answer:
        return self.run(*arguments, "--home", str(self.home))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a schema, a file of records, and a home with the tenants acme, which holds two tickets, and
    beta. The root key lies in it too, and not in the user's own configuration."""
    directory = tmp_path_factory.mktemp("made")
    (directory / "schema.py").write_text(SCHEMA, encoding="utf-8")
    (directory / "tickets.csv").write_text(ROWS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        _move_to(directory, patch)
        place = ["--home", str(directory / "home")]
        assert main(["init", *place]) == 0
        assert main(["tenant", "create", "acme", *place]) == 0
        assert main(["tenant", "create", "beta", *place]) == 0
        assert main(["ingest", "tickets.csv", "--to", "acme/tickets", "--schema", "schema.py:Ticket", *place]) == 0
    return directory


def _move_to(directory: Path, patch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SECUREVEC_")]:
        patch.delenv(name)
    patch.setenv("XDG_CONFIG_HOME", str(directory / "config"))
    patch.chdir(directory)


@pytest.fixture
def base(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that for one test, which is the current directory."""
    directory = tmp_path / "shell"
    copy_tree(made, directory)
    _move_to(directory, monkeypatch)
    return directory


@pytest.fixture
def filled(base: Path) -> Path:
    """The home in it."""
    return base / "home"


@pytest.fixture
def shell(base: Path, filled: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(base, filled, capsys)
