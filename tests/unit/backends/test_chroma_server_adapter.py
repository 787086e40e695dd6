"""The Chroma server adapter: which addresses it takes, what it refuses to use, and what it says when a server fails."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from securevec.errors import BackendError, BackendTimeout, ConfigError, EngineForked
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from tests.support.chroma_server import chroma_server, free_port

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from chromadb.errors import InternalError

from securevec_adapters.errors import mapped
from securevec_chroma.client import MARK
from securevec_chroma.place import Place
from securevec_chroma.server import TOKEN_VARIABLE, ChromaServerBackend

CANARY = "canary-5c1f-of-a-dropped-point"
PLACE = a_namespace("mine")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    files = tmp_path_factory.mktemp("chroma") / "files"
    with chroma_server(files) as (url, _):
        yield url, files


@pytest.fixture
def backend(server: tuple[str, Path]) -> Iterator[ChromaServerBackend]:
    opened = ChromaServerBackend(server[0])
    opened.drop(namespace=PLACE)
    opened.ensure(namespace=PLACE, spec=SPEC)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "location",
    [
        "",
        "localhost:8000",
        "chroma://",
        "chroma://token@localhost",
        "chroma://localhost/path",
        "chroma://localhost?x=1",
        "chroma://localhost:port",
        "qdrant://localhost",
        "chroma://db.example",
        "chroma://0.0.0.0",
        "chroma://127.0.0.1.example",
    ],
)
def test_an_address_that_is_unsafe_or_none_is_refused(location: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ChromaServerBackend(location, "token")
    assert "token@" not in str(refused.value)


def test_plain_http_is_allowed_to_the_host_that_was_named_and_to_no_other() -> None:
    ChromaServerBackend("chroma://db", "token", plain_http_hosts={"db"}).close()
    with pytest.raises(ConfigError, match="Plain HTTP"):
        ChromaServerBackend("chroma://db2", "token", plain_http_hosts={"db"})


def test_another_machine_needs_a_token_that_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="no authentication"):
        ChromaServerBackend("chromas://db.example")
    for token in ("two words", "line\nbreak", "é"):
        with pytest.raises(ConfigError, match="token"):
            ChromaServerBackend("chromas://db.example", token)
    monkeypatch.setenv(TOKEN_VARIABLE, "from-the-environment")
    ChromaServerBackend("chromas://db.example").close()


def test_the_token_is_sent_as_a_bearer_token_and_shown_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")

        thread = threading.Thread(target=answer)
        thread.start()
        backend = ChromaServerBackend(f"chroma://127.0.0.1:{listener.getsockname()[1]}", "s3cret-token")
        with pytest.raises(BackendError) as failed:
            backend.count(namespace=PLACE)
        thread.join()
        backend.close()
    assert b"authorization: bearer s3cret-token" in seen[0].lower()
    assert "s3cret" not in f"{failed.value} {backend!r} {vars(backend)!r}"


def test_no_server_and_a_silent_server_are_errors_that_name_nothing() -> None:
    port = free_port()
    absent = ChromaServerBackend(f"chroma://127.0.0.1:{port}")
    with pytest.raises(BackendError) as failed:
        absent.ensure(namespace=PLACE, spec=SPEC)
    assert failed.value.__cause__ is not None
    assert str(port) not in str(failed.value)
    assert not isinstance(failed.value, BackendTimeout)
    assert "port open" in failed.value.next_step
    absent.close()


def test_a_proxy_of_the_environment_is_not_used(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    backend = ChromaServerBackend(server[0])
    assert backend.count(namespace=a_namespace("nobody")) == 0
    backend.close()


@pytest.mark.parametrize("kind", ["embedding function", "no marks", "another tenant", "another measure"])
def test_a_collection_that_is_not_as_we_make_them_is_refused(
    backend: ChromaServerBackend, server: tuple[str, Path], kind: str
) -> None:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction

    marks = {MARK: 1, "dimension": 8, "tenant": PLACE.tenant_tag, "collection": PLACE.collection_tag}
    wanted: dict[str, Any] = {"configuration": {"hnsw": {"space": "cosine"}}, "metadata": marks}
    changes: dict[str, dict[str, Any]] = {
        "embedding function": {
            "configuration": {"hnsw": {"space": "cosine"}, "embedding_function": DefaultEmbeddingFunction()}
        },
        "no marks": {"metadata": None},
        "another tenant": {"metadata": marks | {"tenant": a_namespace("theirs").tenant_tag}},
        "another measure": {"configuration": {"hnsw": {"space": "ip"}}},
    }
    raw = backend._client.api
    raw.delete_collection(PLACE.shard)
    raw.create_collection(PLACE.shard, **(wanted | changes[kind]))
    fresh = ChromaServerBackend(server[0])
    try:
        for call in (
            lambda: fresh.count(namespace=PLACE),
            lambda: fresh.ensure(namespace=PLACE, spec=SPEC),
            lambda: fill(fresh, PLACE, [1]),
            lambda: fresh.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
        ):
            with pytest.raises(BackendError):
                call()
        assert (PLACE.shard in set(fresh.namespaces())) == (kind != "no marks")
    finally:
        fresh.close()
        raw.delete_collection(PLACE.shard)


def test_a_collection_that_another_process_made_anew_is_found_again(
    backend: ChromaServerBackend, server: tuple[str, Path]
) -> None:
    fill(backend, PLACE, range(3))
    other = ChromaServerBackend(server[0])
    other.drop(namespace=PLACE)
    assert held(backend, PLACE) == set()
    with pytest.raises(BackendError, match="no place"):
        fill(backend, PLACE, [1])
    other.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, [7])
    assert held(other, PLACE) == {7}
    other.close()


def test_a_read_that_meets_a_deletion_in_the_server_is_made_again_and_not_for_ever(
    backend: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(backend, PLACE, [1, 2, 3])
    asks: list[tuple[str, Callable[[], int]]] = [
        ("fetch", lambda: len(backend.fetch(namespace=PLACE, ids=[an_id(1)]))),
        ("search", lambda: len(backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1))),
        ("count", lambda: backend.count(namespace=PLACE) - 2),
    ]
    for method, ask in asks:
        honest, left = getattr(Place, method), [3]

        def failing(self: Place, *given: Any, honest: Any = honest, left: list[int] = left, **named: Any) -> Any:
            left[0] -= 1
            with mapped("reading"):
                if left[0] >= 0:
                    raise InternalError("Error executing plan: Internal error: Error finding id")
            return honest(self, *given, **named)

        monkeypatch.setattr(Place, method, failing)
        assert ask() == 1
        left[0] = 10
        with pytest.raises(BackendError):
            ask()
        monkeypatch.undo()


def test_the_report_of_a_removal_says_that_bytes_stay_and_they_do(
    backend: ChromaServerBackend, server: tuple[str, Path]
) -> None:
    backend.insert(namespace=PLACE, points=[a_point(PLACE, 1, {"b": CANARY * 10})])
    backend.delete(namespace=PLACE, ids=[an_id(1)])
    purged, dropped = backend.purge(namespace=PLACE), backend.drop(namespace=PLACE)
    for report in (purged, dropped):
        assert (report.index_removed, report.bytes_removed) == (True, None)
        assert "vectors" in report.residual
    assert not backend.capabilities.can_purge_vectors
    assert any(CANARY.encode() in path.read_bytes() for path in server[1].rglob("*") if path.is_file())


def test_a_forked_child_is_refused(backend: ChromaServerBackend) -> None:
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            with pytest.raises(EngineForked):
                backend.count(namespace=PLACE)
            backend.close()
            verdict = 0
        finally:
            os._exit(verdict)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend.count(namespace=PLACE) == 0
