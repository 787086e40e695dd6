"""After an update with another detector: nothing answers, what to do is said, and done without any data at hand."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def home(base: Path, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(filled, copy)
    key = tmp_path / "root.key"
    shutil.copy(next((base / "config").rglob("*.key")), key)
    monkeypatch.setenv("SECUREVEC_KEY_FILE", str(key))
    return copy


@pytest.fixture
def at(home: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(base, home, capsys)


def filled_under(home: Path, **changes: Any) -> None:
    """As if the home's collections had been filled under something else."""
    connection = sqlite3.connect(home / "control.db")
    for name, value in changes.items():
        connection.execute("UPDATE collection SET identity = json_set(identity, ?, ?)", (f"$.{name}", value))
    connection.commit()
    connection.close()


def identity(home: Path) -> Mapping[str, Any]:
    connection = sqlite3.connect(home / "control.db")
    (row,) = connection.execute("SELECT identity FROM collection").fetchall()
    connection.close()
    found: Mapping[str, Any] = orjson.loads(row[0])
    return found


def test_a_search_under_another_detector_says_which_command_lets_it_go_on(at: Shell, home: Path) -> None:
    now = identity(home)
    filled_under(home, detector="an older one")
    for refused in (["search", "acme/tickets", "refund"], ["count", "acme/tickets"], ["get", "acme/tickets", "T-1"]):
        answer = at.at_home(*refused)
        assert answer.code == 2
        assert "securevec accept-detector TENANT/COLLECTION" in answer.err
    assert identity(home)["detector"] == "an older one"
    answer = at.at_home("accept-detector", "acme/tickets", "--json")
    assert answer.code == 0, answer.err
    assert answer.json == [{"tenant": "acme", "collection": "tickets", "state": "accepted"}]
    assert identity(home) == now
    assert at.at_home("search", "acme/tickets", "refund").code == 0
    assert "accept" not in at.at_home("accept-detector", "--all").out


def test_every_tenant_is_accepted_at_once_and_a_second_time_nothing_is_done(at: Shell, home: Path) -> None:
    filled_under(home, detector="an older one")
    step = next(check for check in at.at_home("doctor", "--json").json if check["name"] == "collections")["next_step"]
    assert "securevec accept-detector --all" in step
    assert [row["state"] for row in at.at_home("accept-detector", "--all", "--json").json] == ["accepted"]
    assert [row["state"] for row in at.at_home("accept-detector", "--all", "--json").json] == ["as it was"]
    assert at.at_home("accept-detector", "beta", "--json").json == []
    assert at.at_home("count", "acme/tickets").out == "2\n"


def test_another_model_is_not_accepted_with_the_detector(at: Shell, home: Path) -> None:
    filled_under(home, detector="an older one", model="another model")
    answer = at.at_home("accept-detector", "acme")
    assert answer.code == 2
    assert "another embedding model" in answer.err
    assert identity(home)["detector"] == "an older one"


def test_a_detector_is_accepted_by_who_may_make_collections_and_by_nobody_else(at: Shell, home: Path) -> None:
    assert at.at_home("tenant", "grant", "acme", "svc:reader", "reader").code == 0
    filled_under(home, detector="an older one")
    assert at.at_home("accept-detector", "acme/tickets", "--as", "svc:reader").code == 3
    assert identity(home)["detector"] == "an older one"
    assert at.at_home("accept-detector", "acme/tickets", "--as", "svc:nobody").code == 3
    newest = at.at_home("audit", "tail", "-n", "4", "--json").out
    assert '"denied"' in newest


def test_an_ingest_accepts_it_too_without_the_schema(at: Shell, home: Path) -> None:
    filled_under(home, detector="an older one")
    assert at.at_home("ingest", "tickets.csv", "--to", "acme/tickets").code == 2
    answer = at.at_home("ingest", "tickets.csv", "--to", "acme/tickets", "--accept-new-detector", "--json")
    assert answer.code == 0, answer.err
    assert at.at_home("count", "acme/tickets").out == "2\n"


@pytest.mark.parametrize("arguments", [(), ("acme", "--all"), ("a/b/c",)])
def test_what_is_to_be_accepted_is_named(at: Shell, arguments: tuple[str, ...]) -> None:
    assert at.at_home("accept-detector", *arguments).code == 2
