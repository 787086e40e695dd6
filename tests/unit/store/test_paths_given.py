"""A path that no file can have, wherever a caller may hand one in: a typed error that does not repeat it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.errors import UsageError
from securevec.imports.inspect import inspect_source
from securevec.testing.embedders import HashEmbedder


class Page(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


Take = Callable[[sv.SecureStore, str], Any]
PLACES: dict[str, Take] = {
    "a home": lambda store, path: sv.SecureStore.open(path),
    "a key file": lambda store, path: sv.SecureStore.open(store.home.parent / "other", key_file=path),
    "a folder": lambda store, path: pages(store).ingest_files([path]),
    "an export": lambda store, path: pages(store).export(path),
    "a receipt": lambda store, path: store.delete_tenant("acme").save(path),
    "a person's export": lambda store, path: store.tenant("acme").export_subject("jane@example.com").save(path),
    "a source": lambda store, path: inspect_source(f"chroma:{path}"),
    "an import": lambda store, path: store.import_from(
        f"qdrant:{path}", to="page", options=sv.ImportOptions("c", "body", tenant="acme")
    ),
    "a backup": lambda store, path: create_backup(store, path),
    "a list of deletions": lambda store, path: export_tombstones(store, path, since=path),
    "a backup to verify": lambda store, path: verify_backup(path),
    "a backup to restore": lambda store, path: restore_backup(
        path, store.home.parent / "other", newer=Newer(current=path)
    ),
}


def pages(store: sv.SecureStore) -> sv.Collection[Page]:
    return store.tenant("acme", create=True, actor=sv.Actor("svc:acme")).collection(Page)


@pytest.mark.parametrize("path", ["canary\0name", "~canary-nobody/name", "canary\udcff"])
@pytest.mark.parametrize("place", PLACES)
def test_a_path_that_no_file_can_have_is_a_typed_error(tmp_path: Path, place: str, path: str) -> None:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="memory", key_file=key, embedder=HashEmbedder()) as store:
        pages(store)
        with pytest.raises(UsageError, match="path") as refusal:
            PLACES[place](store, path)
    shown: BaseException | None = refusal.value
    while shown is not None:
        assert "canary" not in f"{shown!r}"
        shown = shown.__cause__ or shown.__context__
