"""A home with a collection of pages, on a backend that needs no model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder, TapEmbedder

ACTOR = sv.Actor("svc:filer", purpose="tests")


@dataclass
class Desk:
    """An open store, its embedder's tap, a folder to fill, and the tenant's collection of pages."""

    store: sv.SecureStore
    tap: TapEmbedder
    folder: Path
    tenant: sv.Tenant
    pages: sv.Collection[sv.Page]

    def write(self, **files: str | bytes) -> None:
        """``a__b_md`` is ``a/b.md``."""
        for name, data in files.items():
            path = self.folder / name.replace("__", "/")
            stem, _, suffix = path.name.rpartition("_")
            path = path.with_name(f"{stem}.{suffix}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)

    def paths(self) -> set[str]:
        """Paths of every stored page."""
        return {str(record.path) for record in self.pages.iter()}

    def ingest(self, **options: Any) -> sv.FilesReport:
        progress = options.pop("progress", None)
        return self.pages.ingest_files([self.folder], options=sv.FileOptions(**options), progress=progress)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "docs"
    folder.mkdir()
    tap = TapEmbedder(HashEmbedder())
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "keys" / "root.key", embedder=tap
    ) as store:
        tenant = store.tenant("acme", create=True, actor=ACTOR)
        yield Desk(store, tap, folder, tenant, tenant.collection(sv.Page, name="docs"))
