"""A Chroma server of another version than ours: a typed error, and nothing is sent but the question for the version."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from securevec.errors import BackendError, ServerTooOld
from securevec.testing.conformance_case import a_namespace, every_call

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from chromadb.api.fastapi import FastAPI

from securevec_adapters.address import Address
from securevec_chroma.client import connect
from securevec_chroma.server import ChromaServerBackend

PLACE = a_namespace("mine")


@contextmanager
def answering(version: str, *, status: int = 200) -> Generator[tuple[str, list[str]]]:
    """Something that speaks HTTP, has one answer for everything, and remembers what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(version.encode())))
            self.end_headers()
            self.wfile.write(version.encode())

        do_GET = do_POST = do_DELETE = do_PUT = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"chroma://127.0.0.1:{cast('tuple[str, int]', server.server_address)[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        pytest.param('"0.6.3"', 200, ServerTooOld, id="0.6"),
        pytest.param('"0.10.0"', 200, ServerTooOld, id="0.10"),
        # What has no second version of the interface: 0.5 and older.
        pytest.param('{"detail": "Not Found"}', 404, BackendError, id="0.5"),
        pytest.param('"10.0.0"', 200, BackendError, id="10"),
        pytest.param('"2.0.0"', 200, BackendError, id="2"),
        pytest.param('""', 200, BackendError, id="nothing"),
        pytest.param('"one"', 200, BackendError, id="a word"),
        pytest.param('{"version": "1.5.0"}', 200, BackendError, id="an object"),
        pytest.param("<html>1.</html>", 200, BackendError, id="another service"),
    ],
)
def test_a_server_of_another_version_is_asked_for_its_version_and_for_nothing_else(
    answer: str, status: int, said: type[BackendError]
) -> None:
    with answering(answer, status=status) as (location, asked):
        backend = ChromaServerBackend(location)
        assert asked == []
        calls = every_call(backend, PLACE)
        calls.append(lambda: list(backend.namespaces()))
        for call in calls:
            before = len(asked)
            with pytest.raises(BackendError) as refused:
                call()
            assert type(refused.value) is said
            assert len(asked) > before, "a server that was upgraded meanwhile is found by the next call"
        backend.close()
    assert set(asked) == {"GET /api/v2/version"}


def test_a_server_of_our_version_is_asked_further() -> None:
    with answering('"1.0.0"') as (location, asked):
        backend = ChromaServerBackend(location)
        with pytest.raises(BackendError):
            backend.count(namespace=PLACE)
        backend.close()
    assert asked[0] == "GET /api/v2/version"
    assert len(asked) > 1


@pytest.mark.parametrize("host", ["http-db.example", "::1"])
def test_a_server_is_asked_at_the_port_that_was_named_whatever_its_host_is_called(host: str) -> None:
    """The vendor takes a host that begins with "http" for a whole address: the token would go to another service."""
    address = Address("http", host, 9000)
    client = connect(address, token="t", timeout_s=1.0)
    assert cast("FastAPI", client.api)._api_url == f"{address.url}/api/v2"
    client.close()
