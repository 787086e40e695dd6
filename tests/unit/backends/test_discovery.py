"""Finding a vector store by name."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from securevec import discovery
from securevec.discovery import known_backends, open_backend
from securevec.errors import ConfigError, MissingExtra
from securevec.testing.memory import InMemoryBackend


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, discovery.GROUP)


MEMORY = entry("memory", "securevec.testing.memory:InMemoryBackend")


def test_the_shipped_stores_are_registered() -> None:
    assert {"chroma", "edge", "memory", "qdrant"} <= set(known_backends())


def test_the_embedded_engine_keeps_its_files_under_the_home(tmp_path: Path) -> None:
    pytest.importorskip("qdrant_edge")
    backend = open_backend("edge", home=tmp_path)
    assert backend.name == "edge"
    assert (tmp_path / "engine" / "edge" / "VERSION").read_text() == "securevec-edge 1\n"
    backend.close()


def test_chroma_is_a_directory_or_a_server(tmp_path: Path) -> None:
    pytest.importorskip("chromadb")
    for location in ("chroma://localhost:8000", "chromas://127.0.0.1"):
        backend = open_backend(location, home=tmp_path)
        assert (backend.name, backend.capabilities.embedded) == ("chroma", False)
        backend.close()
    assert list(tmp_path.iterdir()) == []
    backend = open_backend("chroma", home=tmp_path)
    assert (backend.name, backend.capabilities.embedded) == ("chroma", True)
    assert (tmp_path / "engine" / "chroma" / "VERSION").read_text() == "securevec-chroma 2\n"
    backend.close()


def test_a_server_is_found_by_the_scheme_of_its_address(tmp_path: Path) -> None:
    pytest.importorskip("qdrant_client")
    for location in ("qdrant://localhost:6333", "qdrants://127.0.0.1"):
        backend = open_backend(location, home=tmp_path)
        assert backend.name == "qdrant"
        backend.close()
    with pytest.raises(ConfigError):
        open_backend("qdrant", home=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("location", ["", "elastic", "memorys", "edges", "://", "elastics://host", "EDGE"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(tmp_path: Path, location: str) -> None:
    with pytest.raises(ConfigError, match="chroma, edge, memory, qdrant"):
        open_backend(location, home=tmp_path)


def test_memory_and_the_engine_take_no_address(tmp_path: Path) -> None:
    for location in ("memory://host", "memory://"):
        with pytest.raises(ConfigError):
            open_backend(location, home=tmp_path, found=[MEMORY])


def test_a_name_claimed_twice_is_refused(tmp_path: Path) -> None:
    rival = entry("memory", "elsewhere:Backend")
    with pytest.raises(ConfigError, match="claim"):
        open_backend("memory", home=tmp_path, found=[MEMORY, rival])
    assert isinstance(open_backend("memory", home=tmp_path, found=[MEMORY, MEMORY]), InMemoryBackend)


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("qdrant_edge", "securevec_qdrant.edge:EdgeBackend", "edge"),
        ("qdrant_client", "securevec_qdrant.server:QdrantServerBackend", "qdrant"),
        ("chromadb", "securevec_chroma.opening:ChromaBackend", "chroma"),
    ],
)
def test_a_missing_vendor_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, module: str, extra: str
) -> None:
    for loaded in [
        name for name in sys.modules if name.partition(".")[0] in (package, "securevec_qdrant", "securevec_chroma")
    ]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as missing:
        open_backend("any", home=tmp_path, found=[entry("any", module)])
    assert missing.value.extra == extra
    assert f"securevec[{extra}]" in str(missing.value)


@pytest.mark.parametrize(
    "value", ["no_such_module_anywhere:Backend", "securevec.errors:NoSuchName", "securevec.errors:UsageError"]
)
def test_a_registration_that_is_not_a_backend_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError):
        open_backend("any", home=tmp_path, found=[entry("any", value)])
