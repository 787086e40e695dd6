"""What a server answers that is none, or a wrong one: refused by an error of ours, and nothing of it believed.

Of both a stand-in: no Qdrant server ran here, and Chroma's is asked for points in ``test_chroma_server_answers``."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import httpx
import pytest

from securevec.errors import BackendError, BackendTimeout
from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, an_id, fill, held, numbers

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from qdrant_client import models

from securevec_adapters import timed
from securevec_chroma.server import ChromaServerBackend
from securevec_qdrant.server import QdrantServerBackend
from tests.support.qdrant_engine import Recorded, StandIn
from tests.support.qdrant_wire import Wire, line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

MINE = a_namespace("mine")
PLACES = "securevec-places"
Open = Callable[[int], Any]


@pytest.fixture(params=["chroma", "qdrant"])
def opened(request: pytest.FixtureRequest) -> Open:
    def chroma(port: int) -> ChromaServerBackend:
        return ChromaServerBackend(f"chroma://127.0.0.1:{port}")

    def qdrant(port: int) -> QdrantServerBackend:
        return QdrantServerBackend(f"qdrant://127.0.0.1:{port}")

    return chroma if request.param == "chroma" else qdrant


@contextlib.contextmanager
def saying(answer: bytes, heard: list[bytes]) -> Generator[int]:
    """A server that says ``answer`` to every request: its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                heard.append(connection.recv(65536))
                connection.sendall(answer)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):  # wakes who waits in accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def an_answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Connection: close", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def test_an_answer_that_is_packed_is_not_unpacked(opened: Open) -> None:
    """A kilobyte of it can be a megabyte, and so on; nobody who asks for it plain needs to find out."""
    heard: list[bytes] = []
    packed = gzip.compress(b'{"title":"qdrant","version":"1.19.0"}')
    with saying(an_answer(packed, b"Content-Encoding: gzip"), heard) as port:
        backend = opened(port)
        with pytest.raises(BackendError, match="packed its answer") as refused:
            backend.count(namespace=MINE)
        backend.close()
    assert b"accept-encoding: identity" in heard[0].lower()
    assert "compression off" in refused.value.next_step


def test_an_answer_that_does_not_end_is_not_read_to_its_end(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed, "LARGEST", 100_000)
    for size in (100_001, 100_000):
        with saying(an_answer(b" " * size), []) as port:
            backend = opened(port)
            with pytest.raises(BackendError) as failed:
                backend.count(namespace=MINE)
            backend.close()
        assert ("too long" in str(failed.value)) == (size > 100_000)


@pytest.mark.parametrize("body", [gzip.compress(b"{}"), b" " * 1001, b"{}"], ids=["packed", "too long", "taken"])
def test_an_answer_gives_its_connection_back_taken_or_refused(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or, after as many as there may be, every request would wait for one until its time is over."""
    monkeypatch.setattr(timed, "LARGEST", 1000)
    headers = [b"Content-Encoding: gzip"] if body.startswith(b"\x1f") else []
    refused = contextlib.nullcontext() if body == b"{}" else pytest.raises(BackendError, match=r"packed|too long")
    only = timed.Transport(timeout_s=2, limits=httpx.Limits(max_connections=1), verify=None)
    with saying(an_answer(body, *headers), []) as port, httpx.Client(transport=only, timeout=2) as client:
        for _ in range(3):
            with refused:
                client.get(f"http://127.0.0.1:{port}/")


def test_an_answer_that_leads_elsewhere_is_not_followed(opened: Open) -> None:
    """The key or token would go along."""
    elsewhere: list[bytes] = []
    with saying(an_answer(b"{}"), elsewhere) as other:
        there = b"Location: http://127.0.0.1:%d/" % other
        for status in (b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"):
            with saying(an_answer(b"", there, status=status), []) as port:
                backend = opened(port)
                with pytest.raises(BackendError):
                    backend.count(namespace=MINE)
                backend.close()
    assert elsewhere == []


@pytest.mark.parametrize("charset", ["punycode", "utf-16", "utf-7"])
def test_the_head_of_an_answer_tells_the_client_nothing_to_do(charset: str) -> None:
    """How text is read is not the server's to choose: 120 kB of punycode take Python a second, a megabyte minutes, and
    no request's time covers it. What it wants kept would grow with each answer, and be sent with each request."""
    said = '{"straße": "+AG4-"}'
    lines = [b"HTTP/1.1 302 Found", b"Content-Type: application/json; charset=" + charset.encode(), b"Retry-After: 7"]
    lines += [b"Set-Cookie: id=1", b"Location: http://127.0.0.1:1/", b"Connection: close", b"", said.encode()]
    heard: list[bytes] = []
    with (
        saying(b"\r\n".join(lines), heard) as port,
        httpx.Client(transport=timed.Transport(timeout_s=30, limits=httpx.Limits(), verify=None)) as client,
    ):
        for _ in range(2):
            answer = client.get(f"http://127.0.0.1:{port}/")
            assert answer.text == said
            assert (answer.next_request, len(client.cookies)) == (None, 0)
            assert answer.headers["Retry-After"] == "7"
    assert b"cookie" not in heard[1].lower()


@pytest.mark.parametrize("host", ["httpbox", "[::1]", "127.0.0.1"])
@pytest.mark.parametrize("vendor", ["chroma", "qdrant"])
def test_a_request_and_its_key_go_to_the_port_that_was_named(
    monkeypatch: pytest.MonkeyPatch, vendor: str, host: str
) -> None:
    """Chroma's client takes ``httpbox`` for a whole address, and would send the token to whatever is at port 80."""
    asked: list[tuple[str, int]] = []

    def here(name: str, port: int, seconds: float | None) -> list[str]:
        asked.append((name, port))
        return ["127.0.0.1"]

    monkeypatch.setattr(timed._LOOKUPS, "addresses", here)
    heard: list[bytes] = []
    with saying(an_answer(b"{}"), heard) as port:
        named = ["httpbox"]
        backend: Any = (
            ChromaServerBackend(f"chroma://{host}:{port}", "token", plain_http_hosts=named)
            if vendor == "chroma"
            else QdrantServerBackend(f"qdrant://{host}:{port}", "token", plain_http_hosts=named)
        )
        with pytest.raises(BackendError):
            backend.count(namespace=MINE)
        backend.close()
        assert asked == [(host.strip("[]"), port)]
        assert b"host: %s:%d" % (host.encode(), port) in heard[0].lower()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"error":"x"}', b'{"status":{"error":"x"}}', b"<html>"])
def test_success_without_an_answer_is_none(opened: Open, body: bytes) -> None:
    with saying(an_answer(body), []) as port:
        backend = opened(port)
        for call in (
            lambda: backend.count(namespace=MINE),
            lambda: backend.ensure(namespace=MINE, spec=SPEC),
            lambda: list(backend.namespaces()),
        ):
            with pytest.raises(BackendError) as failed:
                call()
            assert not isinstance(failed.value, BackendTimeout)
        backend.close()


@pytest.mark.parametrize("wire", ["rest", "grpc"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"vectors": {"size": 9, "distance": "Cosine"}}, id="another length"),
        pytest.param({"vectors": {"size": 8, "distance": "Dot"}}, id="another measure"),
        pytest.param({"vectors": {"mine": {"size": 8, "distance": "Cosine"}}}, id="vectors by names"),
        pytest.param(
            {"vectors": {"size": 8, "distance": "Cosine", "multivector_config": {"comparator": "max_sim"}}},
            id="many vectors a point",
        ),
        pytest.param({"sparse_vectors": None}, id="no terms"),
        pytest.param({"sparse_vectors": {"terms": {"modifier": "idf"}}}, id="statistics over all tenants"),
        pytest.param({"sharding_method": "custom"}, id="shards of its own"),
    ],
)
def test_a_collection_of_our_name_that_another_program_made_is_refused(wire: Wire, change: dict[str, Any]) -> None:
    ours_is = {"vectors": {"size": 8, "distance": "Cosine"}, "sparse_vectors": {"terms": {"modifier": "none"}}}
    for made, taken in ((ours_is | change, False), (ours_is, True)):
        with line(wire) as at:
            at.stand_in.api_key = None
            at.stand_in.answer(Recorded("create", "securevec-8", {k: v for k, v in made.items() if v}, {}))
            backend = at.open()
            if taken:
                backend.ensure(namespace=MINE, spec=SPEC)
            else:
                with pytest.raises(BackendError, match="made by another program"):
                    backend.ensure(namespace=MINE, spec=SPEC)
                assert not at.stand_in.named("upsert"), "nothing is written into it"
            backend.close()


@pytest.fixture
def qdrant() -> Iterator[tuple[StandIn, QdrantServerBackend]]:
    with line() as at:
        backend = at.open()
        backend.ensure(namespace=MINE, spec=SPEC)
        fill(backend, MINE, range(5))
        yield at.stand_in, backend
        backend.close()


def forgets_deletions(patch: pytest.MonkeyPatch, *, of_places: bool) -> None:
    """The store says that it deleted, and did nothing: of the descriptions of places, or of the points in them."""
    honest = StandIn._delete

    def forgetful(self: StandIn, request: Recorded, held: Any) -> Any:
        if (request.collection == PLACES) == of_places:
            request.body |= {"filter": {"must": [{"has_id": []}]}}
        return honest(self, request, held)

    patch.setattr(StandIn, "_delete", forgetful)


def test_a_place_that_the_store_goes_on_describing_is_not_called_removed(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inserts of other processes go by it: they would be acknowledged in what was dropped."""
    _, backend = qdrant
    forgets_deletions(monkeypatch, of_places=True)
    with pytest.raises(BackendError, match="still describes"):
        backend.drop(namespace=MINE)
    monkeypatch.undo()
    assert backend.drop(namespace=MINE).points == 5


def test_a_drop_whose_deletion_the_store_forgot_is_noticed(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, backend = qdrant
    forgets_deletions(monkeypatch, of_places=False)
    with pytest.raises(BackendError, match="still answers"):
        backend.drop(namespace=MINE)


@pytest.mark.parametrize("shift", [0, -1])
def test_a_page_that_leads_back_ends_the_scan(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    _, backend = qdrant
    assert held(backend, MINE) == set(range(5))
    honest = StandIn._scroll

    def stuck(self: StandIn, request: Recorded, held: Any) -> Any:
        found = honest(self, request, held)
        if found.next_page_offset is not None:
            found.next_page_offset = found.points[shift].id
        return found

    monkeypatch.setattr(StandIn, "_scroll", stuck)
    with pytest.raises(BackendError, match="lead on"):
        backend.scan(namespace=MINE, where=None, cursor=None, limit=2)

    def empty(self: StandIn, request: Recorded, held: Any) -> Any:
        return models.ScrollResult(points=[], next_page_offset=str(an_id(1)))

    monkeypatch.setattr(StandIn, "_scroll", empty)
    with pytest.raises(BackendError, match="lead on"):
        backend.scan(namespace=MINE, where=None, cursor=str(an_id(1)), limit=2)

    def back(self: StandIn, request: Recorded, held: Any) -> Any:
        request.body["offset"] = None
        return models.ScrollResult(points=honest(self, request, held).points[:1], next_page_offset=str(an_id(3)))

    monkeypatch.setattr(StandIn, "_scroll", back)
    with pytest.raises(BackendError, match="lead on"):
        backend.scan(namespace=MINE, where=None, cursor=str(an_id(3)), limit=2)


@pytest.mark.parametrize("tag", ["t", "c"])
@pytest.mark.parametrize("answer", ["_scroll", "_query"])
def test_a_point_of_another_tenant_or_collection_is_not_taken(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch, answer: str, tag: str
) -> None:
    """Whatever the filter of the request was worth to the server."""
    _, backend = qdrant
    honest = getattr(StandIn, answer)

    def foreign(self: StandIn, request: Recorded, held: Any) -> Any:
        found = honest(self, request, held)
        if request.collection != PLACES:
            found.points[-1].payload[tag] = "0" * 32
        return found

    monkeypatch.setattr(StandIn, answer, foreign)
    calls: list[Callable[[], object]] = [
        lambda: backend.scan(namespace=MINE, where=None, cursor=None, limit=3),
        lambda: backend.fetch(namespace=MINE, ids=[an_id(1)]),
    ]
    if answer == "_query":
        calls = [lambda: backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=3)]
    for call in calls:
        with pytest.raises(BackendError, match="another place"):
            call()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number_is_not_ranked_by(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    _, backend = qdrant
    honest = StandIn._query

    def odd(self: StandIn, request: Recorded, held: Any) -> Any:
        found = honest(self, request, held)
        found.points[0].score = score
        return found.model_dump()  # JSON without a number is null; a server writes what it likes

    monkeypatch.setattr(StandIn, "_query", odd)
    with pytest.raises(BackendError):
        backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=3)


def test_more_than_was_asked_for_is_cut(
    qdrant: tuple[StandIn, QdrantServerBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, backend = qdrant
    honest = StandIn._query

    def generous(self: StandIn, request: Recorded, held: Any) -> Any:
        request.body["limit"] = 5
        return honest(self, request, held)

    expected = numbers(backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=5))
    monkeypatch.setattr(StandIn, "_query", generous)
    assert numbers(backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=2)) == expected[:2]
