"""Addresses are judged before anything is sent to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.errors import BackendError, ConfigError
from securevec.testing.conformance_case import SPEC, a_namespace

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from securevec_qdrant.server import QdrantServerBackend
from securevec_qdrant.server_address import acceptable
from securevec_qdrant.server_client import API_KEY_VARIABLE


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("qdrant://localhost", "http://localhost:6333"),
        ("qdrant://127.0.0.1:7000", "http://127.0.0.1:7000"),
        ("qdrant://127.9.9.9", "http://127.9.9.9:6333"),
        ("http://[::1]:6333/", "http://[::1]:6333"),
        ("qdrants://localhost", "https://localhost:6333"),
    ],
)
def test_this_machine_needs_neither_tls_nor_key(location: str, url: str) -> None:
    assert acceptable(location, api_key=None, plain_http_hosts=()).url == url


def test_another_machine_needs_tls_and_a_key() -> None:
    assert acceptable("qdrants://db.example:443", api_key="k", plain_http_hosts=()).url == "https://db.example:443"
    for location, key in (
        ("qdrant://db.example", "k"),
        ("http://10.0.0.5:6333", "k"),
        ("qdrants://db.example", None),
        ("qdrants://db.example", ""),
        ("qdrant://localhost.example", "k"),
        ("qdrant://127.0.0.1.example", "k"),
        ("qdrant://0.0.0.0", "k"),
    ):
        with pytest.raises(ConfigError):
            acceptable(location, api_key=key, plain_http_hosts=())


def test_plain_http_is_allowed_to_the_host_that_was_named_and_to_no_other() -> None:
    assert acceptable("qdrant://db", api_key="k", plain_http_hosts={"db"}).url == "http://db:6333"
    with pytest.raises(ConfigError):
        acceptable("qdrant://db2", api_key="k", plain_http_hosts={"db"})


@pytest.mark.parametrize(
    "location",
    [
        "",
        "localhost:6333",
        "ftp://localhost",
        "qdrant://",
        "qdrant://:6333",
        "qdrant://key@localhost",
        "qdrant://user:canary@localhost",
        "qdrant://localhost?api-key=canary",
        "qdrant://localhost/path",
        "qdrant://localhost#canary",
        "qdrant://localhost:port",
        "qdrant://localhost:99999",
        "qdrant://[::1",
    ],
)
def test_an_address_that_is_more_or_less_than_host_and_port_is_refused(location: str) -> None:
    with pytest.raises(ConfigError) as refused:
        acceptable(location, api_key="k", plain_http_hosts=())
    assert "canary" not in str(refused.value)


def test_the_key_comes_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    with pytest.raises(ConfigError):
        QdrantServerBackend.from_location("qdrants://db.example", root=tmp_path)
    monkeypatch.setenv(API_KEY_VARIABLE, "canary-key")
    backend = QdrantServerBackend.from_location("qdrants://db.example", root=tmp_path)
    assert "canary-key" not in repr(backend)
    backend.close()


def test_a_server_that_does_not_answer_is_an_error_of_ours(tmp_path: Path) -> None:
    backend = QdrantServerBackend("qdrant://127.0.0.1:9", timeout_s=1)
    with pytest.raises(BackendError) as failed:
        backend.ensure(namespace=a_namespace("mine"), spec=SPEC)
    assert "127.0.0.1" not in str(failed.value)
    assert failed.value.__cause__ is not None
    backend.close()
