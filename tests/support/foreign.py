"""Stores that some program filled without securevec, made by the vendors' own clients; and a stub of Qdrant's HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Generator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

Points = Sequence[tuple[str | int, Mapping[str, Any]]]
"""Id and payload; the text lies under ``text``, which is Chroma's document."""


def digests(root: Path) -> dict[str, tuple[str, int]]:
    """Content and time of every file."""
    return {
        str(file.relative_to(root)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def chroma_collection(client: Any, name: str, points: Points, **options: Any) -> Any:
    """A collection in an open client."""
    made = client.create_collection(name, **{"embedding_function": None, **options})
    chroma_add(made, points)
    return made


def chroma_add(collection: Any, points: Points) -> None:
    for key, payload in points:
        body = {field: value for field, value in payload.items() if field != "text" and value is not None}
        collection.add(
            ids=[str(key)],
            embeddings=[[0.6, 0.8]],
            documents=[payload["text"]] if payload.get("text") is not None else None,
            metadatas=[body] if body else None,
        )


@contextlib.contextmanager
def chroma_files(directory: Path) -> Generator[Any]:
    """The vendor's persistent client."""
    import chromadb
    from chromadb.config import Settings

    client: Any = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
    try:
        yield client
    finally:
        client.close()


def qdrant_fill(client: Any, name: str, points: Points) -> None:
    from qdrant_client import models

    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE))
    client.upsert(
        name, [models.PointStruct(id=key, vector=[0.6, 0.8], payload=dict(payload)) for key, payload in points]
    )


def qdrant_files(directory: Path, name: str, points: Points) -> Path:
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(directory))
    qdrant_fill(client, name, points)
    client.close()
    return directory


def edge_shard(directory: Path, points: Points) -> Path:
    from uuid import UUID

    from qdrant_edge import Distance, EdgeConfig, EdgeShard, EdgeVectorParams, Point, UpdateOperation

    directory.mkdir(parents=True)
    shard = EdgeShard.create(str(directory), EdgeConfig(vectors=EdgeVectorParams(size=2, distance=Distance.Cosine)))
    made = [Point(UUID(key) if isinstance(key, str) else key, [0.6, 0.8], dict(payload)) for key, payload in points]
    shard.update(UpdateOperation.upsert_points(made))
    shard.flush()
    shard.close()
    return directory


@contextlib.contextmanager
def qdrant_stub(client: Any) -> Generator[tuple[str, list[str]]]:
    """An HTTP server that answers as Qdrant would for four requests, out of a ``:memory:`` client: its address, and
    every request as ``METHOD PATH``. Anything else is answered with 500."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

        do_PUT = do_DELETE = do_PATCH = do_POST

        def _answer(self, body: dict[str, Any]) -> None:
            path = self.path.partition("?")[0]
            requests.append(f"{self.command} {path}")
            match self.command, path.strip("/").split("/"):
                case "GET", ["collections"]:
                    result = client.get_collections().model_dump_json()
                case "GET", ["collections", name]:
                    result = client.get_collection(name).model_dump_json()
                case "POST", ["collections", name, "points", "count"]:
                    result = client.count(name, exact=True).model_dump_json()
                case "POST", ["collections", name, "points", "scroll"]:
                    found, after = client.scroll(name, limit=body["limit"], offset=body.get("offset"))
                    result = json.dumps(
                        {"points": [json.loads(each.model_dump_json()) for each in found], "next_page_offset": after}
                    )
                case _:
                    self.send_error(500)
                    return
            answer = f'{{"result": {result}, "status": "ok", "time": 0.0}}'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{cast('tuple[str, int]', server.server_address)[1]}", requests
    finally:
        server.shutdown()
        server.server_close()
