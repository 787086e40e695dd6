"""Every request to a server ends when its time is over: whatever the server says, takes or keeps to itself, and
whatever the name service does."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from securevec.errors import BackendError, BackendTimeout
from securevec.testing.conformance_case import a_namespace
from tests.support.certificates import a_certificate
from tests.support.chroma_server import free_port

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)

from securevec_adapters import timed
from securevec_adapters.timed import Moment, Network, Transport
from securevec_chroma.server import ChromaServerBackend
from securevec_qdrant.server import QdrantServerBackend

PLACE = a_namespace("mine")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Open = Callable[[str, int], Any]


def _chroma(host: str, port: int) -> ChromaServerBackend:
    return ChromaServerBackend(f"chroma://{host}:{port}", timeout_s=0.3)


def _qdrant(host: str, port: int) -> QdrantServerBackend:
    return QdrantServerBackend(f"qdrant://{host}:{port}", timeout_s=1)


@pytest.fixture(params=[_chroma, _qdrant], ids=["chroma", "qdrant"])
def opened(request: pytest.FixtureRequest) -> Open:
    made: Open = request.param
    return made


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when a stand-in is to end: by the test, or after 30 seconds, so that without a limit it fails, not hangs."""
    event = threading.Event()
    stop = threading.Timer(30, event.set)
    stop.start()
    yield event
    stop.cancel()
    event.set()


@contextlib.contextmanager
def talking(first: bytes, then: bytes, over: threading.Event) -> Generator[int]:
    """A server that says ``first``, and ``then`` again and again: its port."""

    def talk() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(first)
            while then and not over.wait(0.02):  # each wait of the client is short: only the whole is long
                connection.sendall(then)
            over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"", b"", id="takes the connection and says nothing"),
        pytest.param(HEAD + b"X-Word: ", b"a", id="a head without an end"),
        pytest.param(HEAD + b"Content-Length: 1000000\r\n\r\n", b" ", id="an answer drop by drop"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="pieces without a last one"),
    ],
)
def test_a_server_that_does_not_come_to_an_end_is_waited_for_no_longer_than_said(
    opened: Open, over: threading.Event, first: bytes, then: bytes
) -> None:
    with talking(first, then, over) as port:
        backend = opened("127.0.0.1", port)
        with pytest.raises(BackendTimeout) as late:
            backend.count(namespace=PLACE)
        assert not over.is_set(), "the stand-in ended, and not the request"
        backend.close()
    assert "SECUREVEC_SERVER_TIMEOUT=" in late.value.next_step
    assert "127.0.0.1" not in str(late.value)


def test_under_tls_a_request_ends_too(tmp_path: Path, over: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both where the server drips once it has shown who it is, and where it never comes to that."""
    certificate, key = a_certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def talk(listener: socket.socket) -> None:
        for first, then in ((b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", b"\x03"), (b"", b" ")):
            connection, _ = listener.accept()
            with contextlib.ExitStack() as held, contextlib.suppress(OSError):
                held.callback(connection.close)
                if not first:
                    connection = held.enter_context(context.wrap_socket(connection, server_side=True))
                connection.sendall(first or HEAD + b"Content-Length: 1000000\r\n\r\n")
                while not over.wait(0.02):
                    connection.sendall(then)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk, args=(listener,))
        thread.start()
        for _ in range(2):
            backend = QdrantServerBackend(f"qdrants://127.0.0.1:{listener.getsockname()[1]}", "key", timeout_s=1)
            with pytest.raises(BackendTimeout):
                backend.count(namespace=PLACE)
            assert not over.is_set(), "the stand-in ended, and not the request"
            backend.close()
        over.set()
        thread.join()


def test_an_answer_that_is_read_later_and_elsewhere_is_over_when_its_request_is(over: threading.Event) -> None:
    """As a stream: what is left of the time belongs to the answer, and not to the thread that asked."""
    caught: list[BaseException] = []

    def read(answer: httpx.Response) -> None:
        try:
            answer.read()
        except httpcore.ReadTimeout as late:
            caught.append(late)

    # Time enough for the head, on a busy machine too: it is the answer that must not come to its end.
    transport = Transport(timeout_s=1.5, limits=httpx.Limits(), verify=None)
    with (
        talking(HEAD + b"Content-Length: 1000000\r\n\r\n", b" ", over) as port,
        httpx.Client(transport=transport, timeout=None, trust_env=False) as client,  # ours is asked
        client.stream("GET", f"http://127.0.0.1:{port}/") as answer,
    ):
        reader = threading.Thread(target=read, args=(answer,))
        reader.start()
        reader.join()
        assert not over.is_set()
    assert len(caught) == 1


def test_no_wait_begins_when_the_time_of_a_request_is_over() -> None:
    moment = Moment()
    assert moment.left(5.0, httpcore.ReadTimeout) == 5.0
    with moment.until(time.monotonic() - 1), pytest.raises(httpcore.ReadTimeout):
        moment.left(5.0, httpcore.ReadTimeout)
    assert moment.left(5.0, httpcore.ReadTimeout) == 5.0


def test_a_server_that_takes_a_write_drop_by_drop_is_left_too(over: threading.Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def sip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                while not over.wait(0.02):
                    connection.recv(4096)

        thread = threading.Thread(target=sip)
        thread.start()
        moment = Moment()
        stream = Network(moment).connect_tcp("127.0.0.1", listener.getsockname()[1], 5.0)
        try:
            with moment.until(time.monotonic() + 0.3), pytest.raises(httpcore.WriteTimeout):
                stream.write(bytes(64 * 1024 * 1024), None)  # nothing else ends it: what is cut is the request's
            assert not over.is_set()
        finally:
            over.set()
            stream.close()
        thread.join()


def test_a_name_service_that_does_not_answer_is_waited_for_no_longer_than_said(
    opened: Open, over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is asked once, however many callers wait for it."""
    asked: list[object] = []

    def silent(host: object, *rest: object, **more: object) -> list[Any]:
        asked.append(host)
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    backend = opened("localhost", free_port())
    for _ in range(2):
        with pytest.raises(BackendTimeout):
            backend.count(namespace=PLACE)
    assert not over.is_set(), "the name service answered, and the request did not end"
    assert asked == ["localhost"]
    backend.close()


def test_a_name_that_is_nobodys_is_a_server_that_is_not_there(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: object, *rest: object, **more: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    backend = opened("localhost", free_port())
    with pytest.raises(BackendError) as failed:
        backend.count(namespace=PLACE)
    assert not isinstance(failed.value, BackendTimeout)
    assert "port open" in failed.value.next_step
    backend.close()


def test_a_name_of_several_addresses_is_reached_at_the_first_that_takes_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = socket.getaddrinfo

    def two(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != "two.example":  # of the addresses the connection asks too
            return asked(host, port, *rest, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = Network(Moment()).connect_tcp("two.example", listener.getsockname()[1], 5.0)
        link: socket.socket = stream.get_extra_info("socket")
        assert link.getpeername() == listener.getsockname()
        stream.close()


def test_a_forked_child_does_not_wait_for_a_question_that_its_parent_asked(
    over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*asked: object, **more: object) -> list[Any]:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(httpcore.ConnectTimeout):
        timed._LOOKUPS.addresses("hangs.example", 1, 0.01)
    child = os.fork()
    if child == 0:
        os._exit(len(timed._LOOKUPS._asked) + timed._LOOKUPS._mutex.locked())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(timed._LOOKUPS._asked) >= 1
