"""The layout of a Qdrant server and its gRPC port, chosen when a home is opened and in settings."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_client", reason="needs securevec[qdrant]")
import securevec as sv
from securevec.config import load_settings
from securevec.errors import ConfigError
from securevec.testing.embedders import HashEmbedder
from tests.support.qdrant_engine import API_KEY
from tests.support.qdrant_wire import line
from tests.support.world import ACME, Ticket, ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def open_home(base: Path, backend: str | None, **options: Any) -> sv.SecureStore:
    return sv.SecureStore.open(
        base / "home", backend=backend, key_file=base / "keys" / "root.key", embedder=HashEmbedder(), **options
    )


def test_a_home_keeps_its_layout_and_speaks_grpc_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECUREVEC_QDRANT_API_KEY", API_KEY)
    with line("grpc") as at:
        address = f"qdrant://127.0.0.1:{at.port}"
        with open_home(tmp_path, address, layout="shard", grpc_port=at.grpc_port) as store:
            store.tenant("acme", create=True, actor=ACME).collection(Ticket).ingest([ticket(1, "brickwork")])
        assert json.loads((tmp_path / "home" / "installation.json").read_text())["layout"] == "shard"
        written = at.stand_in.named("upsert")
        assert {each.collection.split("-")[1] for each in written} == {"places", "shards"}
        assert all("grpc" in each.headers["user-agent"] for each in at.stand_in.requests)
        at.stand_in.requests.clear()
        with open_home(tmp_path, None) as store:
            acme = store.tenant("acme", actor=ACME).collection(Ticket)
            assert [hit.record.id for hit in acme.search("brickwork", k=5)] == ["T-1"]
        assert not any("grpc" in each.headers["user-agent"] for each in at.stand_in.requests)
        with pytest.raises(ConfigError, match="another layout") as refused:
            open_home(tmp_path, None, layout="collection")
        assert "tenant promote" in refused.value.next_step


@pytest.mark.parametrize(
    ("backend", "option"),
    [
        *itertools.product(["memory", "edge", "chroma://localhost:8000"], [{"layout": "shard"}, {"grpc_port": 6334}]),
        *itertools.product(["memory", "chroma://localhost:8000", "qdrant://localhost:6333"], [{"open_shards": 8}]),
        *itertools.product(["memory", "edge"], [{"server_timeout": 8}]),
    ],
)
def test_a_store_without_the_choice_says_so_before_a_home_is_made(
    tmp_path: Path, backend: str, option: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="does not take"):
        open_home(tmp_path, backend, **option)
    with pytest.raises(ConfigError):
        open_home(tmp_path, "qdrant://localhost", layout="own")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("seconds", [0, -1, 3601])
@pytest.mark.parametrize("backend", ["chroma://127.0.0.1:9", "qdrant://127.0.0.1:9"])
def test_a_time_limit_that_is_none_is_refused_before_a_home_is_made(tmp_path: Path, backend: str, seconds: int) -> None:
    with pytest.raises(ConfigError, match="3,600") as refused:
        open_home(tmp_path, backend, server_timeout=seconds)
    assert "SECUREVEC_SERVER_TIMEOUT" in refused.value.next_step
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_how_many_shards_stay_open_is_chosen_at_opening(tmp_path: Path, backend: str) -> None:
    with pytest.raises(ConfigError, match="At least one"), open_home(tmp_path, backend, open_shards=0) as store:
        store.runtime.backend()
    with open_home(tmp_path, backend, open_shards=3) as store:
        assert vars(store.runtime.backend())["_store"]._pool._capacity == 3
    (tmp_path / "securevec.toml").write_text("[store]\nopen_shards = 16\n")
    assert load_settings(env={}, directory=tmp_path).open_shards == 16
    with pytest.raises(ConfigError):
        load_settings(env={"SECUREVEC_OPEN_SHARDS": "0"}, directory=tmp_path)


def test_both_are_settings(tmp_path: Path) -> None:
    (tmp_path / "securevec.toml").write_text('[store]\nlayout = "shard"\ngrpc_port = 6334\n')
    found = load_settings(env={}, directory=tmp_path)
    assert (found.layout, found.grpc_port) == ("shard", 6334)
    over = load_settings(env={"SECUREVEC_LAYOUT": "collection", "SECUREVEC_GRPC_PORT": "7000"}, directory=tmp_path)
    assert (over.layout, over.grpc_port) == ("collection", 7000)
    for env in ({"SECUREVEC_LAYOUT": "own"}, {"SECUREVEC_GRPC_PORT": "0"}, {"SECUREVEC_GRPC_PORT": "65536"}):
        with pytest.raises(ConfigError):
            load_settings(env=env, directory=tmp_path)
