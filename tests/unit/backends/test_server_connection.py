"""Which server the adapter talks to, and over what: its key, its version, its certificate, no proxy, wrong options.

The requests are those of the vendor's real client, to a stand-in for a server. No Qdrant server ran here."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from securevec.errors import BackendError, BackendTimeout, ConfigError, CredentialRejected, ServerTooOld
from securevec.testing.conformance_case import SPEC, a_namespace
from securevec_qdrant.server import QdrantServerBackend
from tests.support.certificates import a_certificate
from tests.support.qdrant_engine import API_KEY, StandIn
from tests.support.qdrant_rest import rest_server
from tests.support.qdrant_wire import Wire, line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


MINE, THEIRS = a_namespace("mine"), a_namespace("theirs")


@pytest.mark.parametrize("wire", ["rest", "grpc"])
def test_a_wrong_key_is_refused_by_name_and_shown_nowhere(wire: Wire) -> None:
    with line(wire) as at:
        backend = at.open(api_key="canary-wrong-key")
        for call in (
            lambda: backend.count(namespace=MINE),
            lambda: backend.ensure(namespace=MINE, spec=SPEC),
            lambda: list(backend.namespaces()),
        ):
            with pytest.raises(CredentialRejected) as refused:
                call()
            assert "SECUREVEC_QDRANT_API_KEY" in refused.value.next_step
            chain: BaseException | None = refused.value
            while chain is not None:
                assert "canary" not in f"{chain} {chain!r}"
                chain = chain.__cause__ or chain.__context__
        assert "canary" not in repr(backend)
        with pytest.raises(CredentialRejected):
            at.open(api_key=None).count(namespace=MINE)
    for key in ("a key", "schlüssel", "k\n", "\x00"):
        with pytest.raises(ConfigError) as bad:
            QdrantServerBackend("qdrant://127.0.0.1:1", api_key=key)
        assert key not in str(bad.value)


@pytest.mark.parametrize("wire", ["rest", "grpc"])
def test_an_old_server_is_asked_for_its_version_and_for_nothing_else(wire: Wire) -> None:
    with line(wire, version="1.17.0") as at:
        backend = at.open()
        with pytest.raises(ServerTooOld, match=r"1\.17\.1"):
            backend.ensure(namespace=MINE, spec=SPEC)
        with pytest.raises(ServerTooOld):
            backend.count(namespace=MINE)
        assert {each.method for each in at.stand_in.requests} == {"root"}


def test_shards_on_a_server_that_has_none_are_an_error_before_any_point() -> None:
    with line(cluster=False) as at:
        backend = at.open("shard")
        with pytest.raises(BackendError):
            backend.ensure(namespace=MINE, spec=SPEC)
        assert not at.stand_in.named("upsert")


def test_no_proxy_of_the_environment_sees_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    wires: tuple[Wire, ...] = ("rest", "grpc")
    for wire in wires:
        with line(wire) as at:
            assert at.open().count(namespace=MINE) == 0


def test_a_certificate_nobody_vouches_for_is_refused_and_one_that_is_trusted_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = a_certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    stand_in = StandIn()
    with rest_server(stand_in, tls=context) as port:
        address = f"qdrants://127.0.0.1:{port}"
        with pytest.raises(BackendError):
            QdrantServerBackend(address, API_KEY, timeout_s=5).count(namespace=MINE)
        assert not stand_in.requests, "the key was not sent to a server that could not show who it is"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert QdrantServerBackend(address, API_KEY, timeout_s=5).count(namespace=MINE) == 0
        with pytest.raises(BackendError):
            QdrantServerBackend(f"qdrants://localhost:{port}", API_KEY, timeout_s=5).count(namespace=MINE)
    stand_in.close()


def test_grpc_is_under_tls_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grpc

    from tests.support.qdrant_grpc import grpc_server

    certificate, key = a_certificate(tmp_path, "127.0.0.1")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    stand_in = StandIn()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with grpc_server(stand_in, tls=credentials) as port:
        given: dict[str, Any] = {"api_key": API_KEY, "grpc_port": port, "timeout_s": 5}
        with pytest.raises(BackendError):
            QdrantServerBackend("qdrants://127.0.0.1:1", **given).count(namespace=MINE)
        assert not stand_in.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert QdrantServerBackend("qdrants://127.0.0.1:1", **given).count(namespace=MINE) == 0
    stand_in.close()


@pytest.mark.parametrize("wire", ["rest", pytest.param("grpc", marks=pytest.mark.soak)])
def test_a_server_that_never_answers_is_a_typed_error_after_its_time(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        backend = QdrantServerBackend(
            f"qdrant://127.0.0.1:{port}", timeout_s=1, grpc_port=port if wire == "grpc" else None
        )
        with pytest.raises(BackendError) as late:
            backend.count(namespace=MINE)
        backend.close()
    assert isinstance(late.value, BackendTimeout)
    assert "SECUREVEC_SERVER_TIMEOUT=" in late.value.next_step


@pytest.mark.parametrize("options", [{"layout": "own"}, {"grpc_port": 0}, {"grpc_port": 70_000}])
def test_options_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        QdrantServerBackend("qdrant://localhost", **options)
