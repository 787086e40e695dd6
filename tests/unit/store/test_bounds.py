"""A process that runs for months meets many tenants. What it keeps of each is bounded (docs/service.md)."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
from pathlib import Path

import pytest

import securevec as sv
from securevec import forking
from securevec.errors import SecurevecError
from securevec.keys import leases, openkeys
from securevec.testing.embedders import HashEmbedder
from securevec.testing.memory import InMemoryBackend
from securevec_adapters.recent import Recent
from tests.support.kept import sizes_kept_by
from tests.support.other_process import until
from tests.support.world import ACME, Ticket, ticket

BOUND = 3
"""In the place of the bounds of a service, for keys and leases."""
TENANTS = 6
LEAVES = (sqlite3.Connection, InMemoryBackend)
"""What keeps statements, at most 256, and what keeps rows in memory because that is its use."""


def _visit(store: sv.SecureStore, number: int) -> None:
    """What a service does for one tenant, and what callers do wrong."""
    tenant = store.tenant(f"tenant-{number}", create=True, actor=ACME)
    tickets = tenant.collection(Ticket, retention="180d")
    tickets.ingest([ticket(1, "The refund never arrived."), ticket(2, "The roof leaks.")])
    tickets.update("T-1", status="closed")
    assert len(tickets.search("refund", k=1)) == 1
    tickets.delete(["T-2"])
    if number % 2:
        tenant.erase_subject("customer1@example.com")
    for wrong in (lambda: tickets.get("T-9"), lambda: tickets.search(""), lambda: store.tenant(f"nobody-{number}")):
        with contextlib.suppress(SecurevecError):
            wrong()


@pytest.mark.parametrize(
    ("backend", "tenants"),
    [
        ("memory", TENANTS),
        pytest.param("edge", 100, marks=pytest.mark.soak),
        pytest.param("chroma", 40, marks=pytest.mark.soak),
    ],
)
def test_nothing_that_an_open_store_holds_grows_with_the_tenants_it_has_met(
    tmp_path: Path, backend: str, tenants: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (leases, openkeys):
        monkeypatch.setattr(module, "MOST", BOUND)
    with sv.SecureStore.open(
        tmp_path / "home", backend=backend, key_file=tmp_path / "root.key", embedder=HashEmbedder()
    ) as store:
        store.runtime.keys._open._cache._max = BOUND
        for number in range(tenants):
            _visit(store, number)
        store.delete_tenant("tenant-0")  # here, for it drops all leases
        gc.collect()
        before = sizes_kept_by(store, *LEAVES)
        for number in range(tenants, 2 * tenants):
            _visit(store, number)
        gc.collect()
        grown = [
            (kind, size, each)
            for name, (kind, size, each) in sizes_kept_by(store, *LEAVES).items()
            if name in before and size >= max(BOUND + 1, before[name][1] + tenants // 2)
        ]
        assert grown == []


def test_keys_that_nobody_asks_for_again_leave_memory_when_their_time_is_over(tmp_path: Path) -> None:
    with sv.SecureStore.open(
        tmp_path / "home",
        backend="memory",
        key_file=tmp_path / "root.key",
        embedder=HashEmbedder(),
        key_cache_ttl=0.5,
    ) as store:
        _visit(store, 0)
        cache = store.runtime.keys._open._cache
        assert len(cache) > 0
        until(lambda: len(cache) == 0)
        assert len(store.tenant("tenant-0", actor=ACME).collection(Ticket, retention="180d").search("refund")) == 1


def test_a_cache_of_a_server_s_collections_keeps_those_that_were_asked_for_last() -> None:
    recent = Recent[str, int](2)
    for number, name in enumerate(("a", "b", "a", "c")):
        recent.keep(name, number) if recent.get(name) is None else None
    assert [recent.get(name) for name in "abc"] == [0, None, 3]
    recent.forget("a")
    assert recent.get("a") is None
    assert len(recent) == 1


def test_a_process_that_opens_and_closes_stores_keeps_nothing_for_its_forks(tmp_path: Path) -> None:
    def opened() -> None:
        with sv.SecureStore.open(tmp_path / "home", backend="memory", key_file=tmp_path / "root.key"):
            assert len(forking._members) > before

    gc.collect()
    before = len(forking._members)
    for _ in range(2):
        opened()
        gc.collect()
        assert len(forking._members) == before
