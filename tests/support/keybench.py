"""A key store with two tenants, for the attacks on it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from securevec.clock import Clock
from securevec.crypto.context import Place
from securevec.crypto.envelope import seal
from securevec.errors import KeyDestroyed
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing
from securevec.types import CollectionId, TenantId

EPOCH = "r0/never"


@dataclass
class Bench:
    """A key store with two tenants, and one sealed value of the first."""

    ring: KeyRing
    root: FileRoot
    folder: Path
    acme: TenantId
    globex: TenantId
    collection: CollectionId
    place: Place
    blob: bytes

    @property
    def key_id(self) -> bytes:
        return self.blob[8:24]

    @property
    def path(self) -> Path:
        return self.folder / "keys.db"

    def reopen(self, busy_ms: int = 5000) -> KeyRing:
        return KeyRing.open(self.folder, self.root, Clock(), busy_ms=busy_ms)

    def wrapped(self, tenant: TenantId) -> list[bytes]:
        return [row.wrapped for row in self.ring._store.rows_of_tenant(bytes.fromhex(tenant))]

    def edit(self, statement: str, *values: object) -> None:
        """What an attacker with write access to the file does."""
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(statement, values).rowcount > 0
        connection.commit()
        connection.close()


@contextlib.contextmanager
def open_bench(tmp_path: Path) -> Generator[Bench]:
    home = tmp_path / "home"
    root = FileRoot.create(tmp_path / "root.key", home)
    ring = KeyRing.create(home / "keys", root, Clock())
    acme, globex = TenantId(os.urandom(16).hex()), TenantId(os.urandom(16).hex())
    collection = CollectionId(os.urandom(16).hex())
    for tenant in (acme, globex):
        ring.create_tenant(tenant)
        ring.create_filter_key(tenant, collection)
        for purpose in ("body", "vault"):
            ring.data_key(tenant, collection, purpose, EPOCH)
    place = Place(bytes.fromhex(acme), bytes.fromhex(collection), UUID(int=7), "body")
    blob = seal(ring.data_key(acme, collection, "body", EPOCH), b"canary-value", place)
    yield Bench(ring, root, home / "keys", acme, globex, collection, place, blob)
    ring.close()


def use_everything(ring: KeyRing, bench: Bench) -> list[Callable[[], object]]:
    """Every way to get at a key of the first tenant."""
    return [
        lambda: ring.key_by_id(bench.key_id),
        lambda: ring.data_key(bench.acme, bench.collection, "body", EPOCH),
        lambda: ring.data_key(bench.acme, CollectionId(uuid4().hex), "vault", "r1/b1"),
        lambda: ring.tenant_key(bench.acme, "id"),
        lambda: ring.tenant_key(bench.acme, "audit"),
        lambda: ring.filter_keys(bench.acme, bench.collection),
        lambda: ring.create_tenant(bench.acme),
    ]


def refuse_everything(ring: KeyRing, bench: Bench) -> None:
    for attempt in use_everything(ring, bench):
        with pytest.raises(KeyDestroyed):
            attempt()


def forked(work: Callable[[], object]) -> int:
    """The process id of a child that runs ``work`` and ends, with 1 when it raised."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child of a test must not return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def in_child(work: Callable[[], object]) -> int:
    """The wait status of a forked child that ran ``work``."""
    return os.waitpid(forked(work), 0)[1]
