"""A real key file, a real key store, and ids as the control store makes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing
from securevec.types import CollectionId, TenantId


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def root(tmp_path: Path, home: Path) -> FileRoot:
    return FileRoot.create(tmp_path / "config" / "root.key", home)


@pytest.fixture
def ring(home: Path, root: FileRoot) -> Iterator[KeyRing]:
    opened = KeyRing.create(home / "keys", root, Clock())
    yield opened
    opened.close()


@pytest.fixture
def tenant(ring: KeyRing) -> TenantId:
    identifier = TenantId(os.urandom(16).hex())
    ring.create_tenant(identifier)
    return identifier


@pytest.fixture
def collection() -> CollectionId:
    return CollectionId(os.urandom(16).hex())
