"""A control store per test, copied from one that the migrations made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.control.store import ControlStore
from tests.unit.control.desk import TENANT, Desk, collection_row


@pytest.fixture(scope="session")
def control_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file copied for each test: one tenant, one collection, no records."""
    path = tmp_path_factory.mktemp("control") / "control.db"
    store = ControlStore.open(path, create=True)
    Desk(path, store).add_tenant(TENANT, b"acme-name-token!")
    store.create_collection(collection_row())
    store.close()
    return path


@pytest.fixture
def desk(control_file: Path, tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    path = home / "control.db"
    shutil.copyfile(control_file, path)
    os.chmod(path, 0o600)
    store = ControlStore.open(path, create=False)
    yield Desk(path, store)
    store.close()
