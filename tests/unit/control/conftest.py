"""A control store per test, copied from one that the migrations made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from securevec.control.store import ControlStore
from tests.unit.control.desk import TENANT, Desk, collection_row
from tests.unit.control.neighbour import HOUSE, NEIGHBOUR, move_in


@pytest.fixture(scope="session")
def control_files(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The files copied for each test: one tenant, one collection, no records; with somebody beside it or without."""
    made: dict[bool, Path] = {}
    for beside in (False, True):
        made[beside] = path = tmp_path_factory.mktemp("control") / "control.db"
        store = ControlStore.open(path, create=True)
        if beside:  # first, so that what is looked for without a tenant meets them
            Desk(path, store).add_tenant(NEIGHBOUR, b"neighbours-name!")
            store.create_collection(collection_row(HOUSE, NEIGHBOUR))
        Desk(path, store).add_tenant(TENANT, b"acme-name-token!")
        store.create_collection(collection_row())
        if beside:
            move_in(store)
        store.close()
    return made


@pytest.fixture
def alone() -> None:
    """For tests of what the store lists of everybody: nobody lives beside the tenant."""


@pytest.fixture
def control_file(control_files: dict[bool, Path], request: pytest.FixtureRequest) -> Path:
    return control_files["alone" not in request.fixturenames]


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
