"""The REST stand-in for a Qdrant server, on a free port of this machine, with or without TLS."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.support.qdrant_engine import Recorded, Refusal, StandIn

# Verb, path after /collections/<name>, and what it is called here.
_ROUTES = (
    ("GET", "/exists", "exists"),
    ("GET", "", "info"),
    ("PUT", "", "create"),
    ("DELETE", "", "drop"),
    ("PUT", "/index", "index"),
    ("PUT", "/points", "upsert"),
    ("POST", "/points/delete", "delete"),
    ("POST", "/points/scroll", "scroll"),
    ("POST", "/points/query", "query"),
    ("POST", "/points/count", "count"),
    ("POST", "/facet", "facet"),
    ("GET", "/shards", "shards"),
    ("PUT", "/shards", "create_shard"),
    ("POST", "/shards/delete", "delete_shard"),
)


@contextlib.contextmanager
def rest_server(stand_in: StandIn, *, tls: ssl.SSLContext | None = None) -> Generator[int]:
    """The port it answers on."""

    class Handler(_Handler):
        server_side = stand_in

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_side: ClassVar[StandIn]

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_POST = do_DELETE = do_GET

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            found = self.server_side.answer(self._request(json.loads(body) if body else {}))
        except Refusal as refusal:
            self._say(refusal.status, {"status": {"error": refusal.says}, "time": 0.0})
            return
        plain = found.model_dump(mode="json") if hasattr(found, "model_dump") else found
        root = self.path == "/"
        self._say(200, plain if root else {"result": plain, "status": "ok", "time": 0.0})

    def _request(self, body: dict[str, Any]) -> Recorded:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = dict(parse_qsl(parts.query))
        if parts.path == "/":
            return Recorded("root", "", body, headers, asked)
        if parts.path == "/collections":
            return Recorded("list", "", body, headers, asked)
        place = re.fullmatch(r"/collections/([^/]+)(/.*)?", parts.path)
        for verb, rest, method in _ROUTES:
            if place is not None and self.command == verb and (place[2] or "") == rest:
                return Recorded(method, place[1], body, headers, asked)
        raise Refusal(404, "NOT_FOUND", f"no such route: {self.command} {self.path}")

    def _say(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
