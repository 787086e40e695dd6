"""The files of one shard are replaced while it is open, as who puts a single collection back from a backup does: what
is open stays in the old ones, so a write to it would be acknowledged and lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_namespace, an_id, fill, held

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

PLACE, OTHER = a_namespace("mine"), a_namespace("theirs")
ENGINES = ("securevec_qdrant.edge:EdgeBackend", "securevec_chroma.persistent:ChromaPersistentBackend")
MOVED = "moved or replaced"


def generation(shard: Path, aside: Path) -> Path:
    return _swapped(shard / "gen-0", aside)


def whole(shard: Path, aside: Path) -> Path:
    return _swapped(shard, aside) / "gen-0"


def pointer(shard: Path, aside: Path) -> Path:
    """Opened again, the shard would be the other generation, and this one be removed."""
    shutil.copytree(shard / "gen-0", shard / "gen-7")
    (shard / "CURRENT").write_bytes(b"gen-7\n")
    return shard / "gen-0"


def gone(shard: Path, aside: Path) -> Path:
    shard.rename(aside)
    return aside / "gen-0"


def _swapped(path: Path, aside: Path) -> Path:
    path.rename(aside)
    shutil.copytree(aside, path)
    return aside


@pytest.mark.parametrize(
    ("name", "replace"),
    [
        *((ENGINES[0], each) for each in (generation, whole, pointer, gone)),
        *((ENGINES[1], each) for each in (generation, gone)),
    ],
)
def test_nothing_is_written_to_a_shard_whose_files_were_replaced(
    tmp_path: Path, name: str, replace: Callable[[Path, Path], Path]
) -> None:
    engine: Callable[[Path], Any] = resolve_name(name)
    root, aside = tmp_path / "root", tmp_path / "aside"
    backend = engine(root)
    for place in (PLACE, OTHER):
        backend.ensure(namespace=place, spec=SPEC)
        fill(backend, place, [1])
    backend.close()
    backend = engine(root)
    assert held(backend, PLACE) == {1}
    replace(root / PLACE.shard, aside)
    for call in (
        lambda: fill(backend, PLACE, [2]),
        lambda: backend.delete(namespace=PLACE, ids=[an_id(1)]),
        lambda: backend.purge(namespace=PLACE),
        lambda: backend.copy_files(namespace=PLACE, target=tmp_path / "copy"),
    ):
        with pytest.raises(BackendError, match=MOVED):
            call()
    fill(backend, OTHER, [2])
    backend.close()
    backend = engine(root)
    assert held(backend, PLACE) == (set() if replace is gone else {1})
    assert held(backend, OTHER) == {1, 2}
    backend.close()


@pytest.mark.parametrize("replace", [generation, whole])
def test_what_was_written_before_is_put_on_disk_nowhere_else_and_is_in_the_files_that_were_moved(
    tmp_path: Path, replace: Callable[[Path, Path], Path]
) -> None:
    edge: Callable[[Path], Any] = resolve_name(ENGINES[0])
    root, aside = tmp_path / "root", tmp_path / "aside"
    backend = edge(root)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, [1])
    old = replace(root / PLACE.shard, aside)
    description = root / PLACE.shard / "gen-0" / "shard.json"
    before = description.stat().st_ino
    with backend._store.hold(PLACE) as slot:
        slot.opened._in_use = True  # as of one with an index, whose description is written at the end
        with pytest.raises(BackendError, match=MOVED):
            slot.opened.flush()
    with pytest.raises(BackendError, match=MOVED):
        backend.close()
    assert description.stat().st_ino == before
    backend = edge(root)
    assert held(backend, PLACE) == {1}, "the engine's log was copied along"
    backend.close()
    shutil.rmtree(root / PLACE.shard / "gen-0")
    old.rename(root / PLACE.shard / "gen-0")
    backend = edge(root)
    assert held(backend, PLACE) == {1}
    backend.close()


@pytest.mark.parametrize("name", ENGINES)
def test_a_shard_whose_files_were_replaced_is_removed_all_the_same(tmp_path: Path, name: str) -> None:
    engine: Callable[[Path], Any] = resolve_name(name)
    root = tmp_path / "root"
    backend = engine(root)
    backend.ensure(namespace=PLACE, spec=SPEC)
    fill(backend, PLACE, [1])
    generation(root / PLACE.shard, tmp_path / "aside")
    assert backend.drop(namespace=PLACE).index_removed
    assert list(backend.namespaces()) == []
    backend.close()
