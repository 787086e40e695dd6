"""What a power cut may find of an embedded engine's root: every file that takes another's place is on disk before it
does, and that it did is on disk before the other is removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from securevec.testing.conformance_case import SPEC, a_namespace, fill, held

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_qdrant.edge import EdgeBackend

PLACE = a_namespace("mine")


class Disk:
    """Keeps count of what was handed to the disk. ``pending``: directories whose entries were changed since."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced: set[Path] = set()
        self.pending: set[Path] = set()
        self.renamed: list[str] = []
        fsync, rename, rmtree = os.fsync, Path.rename, shutil.rmtree

        def on_fsync(descriptor: int) -> None:
            fsync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            self.synced.add(path)
            self.pending.discard(path)

        def on_rename(source: Path, target: Path) -> Path:
            wanted = {source, *source.rglob("*")} if target.name in ("CURRENT", "VERSION", PLACE.shard) else set[Path]()
            if target.name == "CURRENT":
                place = target.parent
                named = place / source.read_text().strip()
                wanted |= {place, named, *named.rglob("*")}
                assert (place / target.read_text().strip()).is_dir(), "what is named until now is gone"
            assert wanted <= self.synced, "it takes a place, and is not on disk"
            self.renamed.append(target.name)
            self.pending.add(target.parent)
            return rename(source, target)

        def on_rmtree(path: Path, *rest: Any, **more: Any) -> None:
            ours = path.name.startswith(("gen-", ".trash-"))
            assert not (ours and self.pending), "what took its place is not on disk"
            rmtree(path, *rest, **more)
            if ours:
                self.pending.add(path.parent)

        patch.setattr(os, "fsync", on_fsync)
        patch.setattr(Path, "rename", on_rename)
        patch.setattr(shutil, "rmtree", on_rmtree)

    def forget(self) -> None:
        """What was on disk long ago says nothing of what is done now."""
        assert self.pending == set(), "acknowledged, and not on disk"
        self.synced.clear()
        self.renamed.clear()


def test_what_takes_a_place_is_on_disk_before_and_the_taking_before_what_was_there_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    backend = EdgeBackend(tmp_path / "edge")
    assert disk.renamed == ["VERSION"]
    disk.forget()
    backend.ensure(namespace=PLACE, spec=SPEC)
    assert disk.renamed[-1] == PLACE.shard
    disk.forget()
    fill(backend, PLACE, range(3))
    disk.forget()
    backend.purge(namespace=PLACE)
    assert disk.renamed[-1] == "CURRENT"
    disk.forget()
    assert held(backend, PLACE) == {0, 1, 2}
    backend.drop(namespace=PLACE)
    assert disk.renamed[-1].startswith(".trash-")
    disk.forget()
    backend.close()
