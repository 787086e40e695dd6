"""What the tests of the list of models share: an embedder behind HTTP, one that counts, and a list that was edited."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

import securevec as sv
from securevec.embed.wrapped import WrappedEmbedder
from securevec.errors import ModelNotAllowed
from securevec.integrations.embedding import FunctionEmbedder
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedText, Matrix
from tests.support.attacks import Stage, text
from tests.support.world import Ticket

NAME = "hash"
"""What the counting embedder's identity says."""


class CountingEmbedder(WrappedEmbedder):
    """Counts the characters it was handed, by either of its two doors."""

    def __init__(self) -> None:
        super().__init__(HashEmbedder())
        self.received = 0

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        self.received += sum(len(text.text) for text in texts)
        return super().embed(texts)

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        self.received += len(text.text)
        return super().token_offsets(text)


class Sink:
    """A model behind HTTP on this machine: every byte that arrived on its sockets, and every connection."""

    def __init__(self) -> None:
        self.bytes = 0
        self.connections = 0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                sink.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.bytes += len(self.requestline) + len(bytes(self.headers)) + len(body)
                rows = [[float(len(text) + 1), 1.0, 2.0, 3.0] for text in orjson.loads(body)]
                answer = orjson.dumps(rows)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def embedder(self, name: str = "remote-embed-1") -> FunctionEmbedder:
        address = f"http://127.0.0.1:{self.server.server_port}/embed"

        def ask(texts: list[str]) -> list[list[float]]:
            with urlopen(Request(address, orjson.dumps(texts))) as answer:  # this machine, this test
                rows: list[list[float]] = orjson.loads(answer.read())
                return rows

        return FunctionEmbedder(ask, name=name, dimension=4)


@contextmanager
def http_sink() -> Generator[Sink]:
    sink = Sink()
    thread = threading.Thread(target=sink.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.server.shutdown()
        sink.server.server_close()
        thread.join()


def edit_control(home: Path, statement: str, *values: object) -> None:
    """What whoever can write the control store's file does to it, from another connection."""
    with closing(sqlite3.connect(home / "control.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def every_call_that_embeds(handle: sv.Collection[Ticket]) -> dict[str, Callable[[], object]]:
    return {
        "ingest": lambda: handle.ingest([text(50, "never")]),
        "search": lambda: handle.search("refund"),
        "search in a batch": lambda: handle.search_batch(["refund", "lift"]),
        "a diverse search": lambda: handle.search_diverse("refund"),
        "an update of the text": lambda: handle.update("T-1", body="another body"),
    }


def require_refused(stage: Stage, embedder: CountingEmbedder, handle: sv.Collection[Ticket]) -> None:
    """Each call is refused, recorded as denied, and the model has received nothing."""
    before = embedder.received
    for name, call in every_call_that_embeds(handle).items():
        with pytest.raises(ModelNotAllowed) as refusal:
            call()
        assert NAME not in refusal.value.message.split(), name
        assert refusal.value.next_step, name
        record = stage.audit()[0]
        assert (record["outcome"], record["error"]) == ("denied", "ModelNotAllowed"), name
    assert embedder.received == before
    assert handle.count() == 8
