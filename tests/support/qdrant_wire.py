"""The server adapter at a stand-in for a server, over REST or gRPC."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

from securevec.types import Layout
from securevec_qdrant.server import QdrantServerBackend
from tests.support.qdrant_engine import API_KEY, StandIn
from tests.support.qdrant_rest import rest_server

Wire = Literal["rest", "grpc"]


@dataclass(frozen=True)
class Line:
    """A stand-in that answers, and how to reach it."""

    stand_in: StandIn
    port: int
    grpc_port: int | None

    def open(self, layout: Layout = "shared", **options: Any) -> QdrantServerBackend:
        given: dict[str, Any] = {"api_key": API_KEY, "layout": layout, "grpc_port": self.grpc_port, "timeout_s": 10}
        return QdrantServerBackend(f"qdrant://127.0.0.1:{self.port}", **(given | options))


@contextlib.contextmanager
def line(wire: Wire = "rest", **options: Any) -> Generator[Line]:
    with contextlib.ExitStack() as opened:
        stand_in = StandIn(**options)
        opened.callback(stand_in.close)
        port = opened.enter_context(rest_server(stand_in))
        grpc_port: int | None = None
        if wire == "grpc":
            from tests.support.qdrant_grpc import grpc_server

            grpc_port = opened.enter_context(grpc_server(stand_in))
        yield Line(stand_in, port, grpc_port)
