"""Which servers a home may be made for and may speak to without TLS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import securevec as sv
from securevec.errors import ConfigError
from securevec.testing.embedders import HashEmbedder

pytest.importorskip("chromadb", reason="needs securevec[chroma]")
pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECUREVEC_BACKEND_API_KEY", "a-key")


def open_home(base: Path, backend: str | None, hosts: list[str] | None = None) -> sv.SecureStore:
    return sv.SecureStore.open(
        base / "home",
        backend=backend,
        key_file=base / "keys" / "root.key",
        embedder=HashEmbedder(),
        plain_http_hosts=hosts or (),
    )


@pytest.mark.parametrize("scheme", ["chroma", "qdrant"])
def test_plain_http_to_another_machine_is_refused_before_a_home_is_made(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(ConfigError, match="Plain HTTP") as refused:
        open_home(tmp_path, f"{scheme}://db.internal:8000")
    assert "plain_http_hosts" in str(refused.value.next_step)
    with pytest.raises(ConfigError, match="Plain HTTP"):
        open_home(tmp_path, f"{scheme}://db.internal:8000", ["other.internal"])
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("scheme", ["chroma", "qdrant"])
def test_a_host_allowed_when_the_home_is_made_stays_allowed(tmp_path: Path, scheme: str) -> None:
    open_home(tmp_path, f"{scheme}://db.internal:8000", ["DB.internal"]).close()
    kept = json.loads((tmp_path / "home" / "installation.json").read_text())
    assert kept["plain_http_hosts"] == ["DB.internal"]
    with open_home(tmp_path, None) as store:
        assert store.runtime.backend().name == scheme


def test_a_host_allowed_later_is_allowed_for_that_opening(tmp_path: Path) -> None:
    open_home(tmp_path, "chroma://db.internal", ["db.internal"]).close()
    described = tmp_path / "home" / "installation.json"
    raw = json.loads(described.read_text())
    del raw["plain_http_hosts"]
    described.write_text(json.dumps(raw))
    with open_home(tmp_path, None) as store, pytest.raises(ConfigError, match="Plain HTTP"):
        store.runtime.backend()
    with open_home(tmp_path, None, ["db.internal"]) as store:
        assert store.runtime.backend().name == "chroma"
    assert "plain_http_hosts" not in described.read_text()


@pytest.mark.parametrize("hosts", [["http://db"], ["db:8000/x"], ["*"], [""], ["a b"]])
def test_what_is_no_host_is_refused(tmp_path: Path, hosts: list[str]) -> None:
    with pytest.raises(ConfigError):
        open_home(tmp_path, "chroma://db.internal", hosts)
    assert not (tmp_path / "home").exists()


def test_a_host_is_a_list_of_hosts_and_not_the_letters_of_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        sv.SecureStore.open(tmp_path / "home", backend="chroma://d", plain_http_hosts="d")


@pytest.mark.parametrize("backend", ["elastic", "elastic://host", "chroma://host/path", "chroma://u:p@localhost"])
def test_no_home_is_made_for_a_store_that_could_never_be_opened(tmp_path: Path, backend: str) -> None:
    with pytest.raises(ConfigError):
        open_home(tmp_path, backend)
    assert not (tmp_path / "home").exists()
