"""``doctor`` in front of a server: it asks one that says nothing no longer than it said, and tells what to look at."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.cli import checks
from securevec.testing.embedders import HashEmbedder
from tests.cli.conftest import Shell


class Examined:
    """A home in front of a server, and what doctor says of that."""

    def __init__(self, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._key = place / "root.key"
        self._shell = Shell(place, place / "home", capsys)

    def made(self, url: str) -> None:
        with sv.SecureStore.open(self._shell.home, backend=url, key_file=self._key, embedder=HashEmbedder()):
            pass

    def vector_store(self) -> dict[str, Any]:
        answer = self._shell.at_home("doctor", "--json", "--key-file", str(self._key))
        assert answer.code == 1
        (found,) = (check for check in answer.json if check["name"] == "vector store")
        assert found["status"] == "wrong"
        return dict(found)


@pytest.fixture
def examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Examined:
    return Examined(tmp_path, capsys)


def test_a_server_that_does_not_answer_is_wrong(examined: Examined) -> None:
    examined.made("chroma://127.0.0.1:9")
    assert examined.vector_store()["next_step"] == "Is its server running, and its port open?"


def test_a_server_that_takes_connections_and_never_answers_is_wrong(
    examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_REACH_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        examined.made(f"chroma://127.0.0.1:{silent.getsockname()[1]}")
        assert "did not answer within" in examined.vector_store()["detail"]


def test_a_name_service_that_hangs_does_not_hold_the_check(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver takes no limit of time, so it may be asked on a thread of its own alone."""
    examined.made("chroma://localhost:8000")
    over = threading.Event()

    def silent(*asked: object, **how: object) -> list[object]:
        if threading.current_thread() is threading.main_thread():
            pytest.fail("asked where nothing ends the wait")
        over.wait(60)
        return []

    monkeypatch.setattr(checks, "_REACH_S", 1)
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    found = examined.vector_store()
    over.set()
    assert "did not answer within" in found["detail"]
