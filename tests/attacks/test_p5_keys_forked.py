"""P5: keys over a fork: nothing is shared that is counted, and nothing is damaged."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

from securevec.crypto.envelope import open_sealed
from securevec.keys.leases import BLOCK
from tests.support.keybench import EPOCH, Bench, in_child


def test_a_forked_child_takes_a_lease_of_its_own(bench: Bench) -> None:
    def leased() -> int:
        [info] = [info for info in bench.ring.list_keys() if info.key_id == bench.key_id.hex()]
        return info.leased

    assert leased() == BLOCK

    def work() -> None:
        key = bench.ring.data_key(bench.acme, bench.collection, "body", EPOCH)
        assert key.key_id == bench.key_id
        assert leased() == 2 * BLOCK
        assert open_sealed(bench.ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"

    assert in_child(work) == 0
    assert leased() == 2 * BLOCK
    bench.ring.data_key(bench.acme, bench.collection, "body", EPOCH)
    assert leased() == 2 * BLOCK


def test_a_fork_during_a_write_waits_and_damages_nothing(bench: Bench) -> None:
    started = threading.Event()

    def write() -> None:
        for number in range(10):
            bench.ring.data_key(bench.globex, bench.collection, "body", f"r1/b{number}")
            started.set()

    thread = threading.Thread(target=write)
    thread.start()
    started.wait()
    for _ in range(5):
        assert in_child(lambda: bench.ring.tenant_key(bench.acme, "id")) == 0
    thread.join()
    with closing(sqlite3.connect(bench.path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len([info for info in bench.ring.list_keys() if info.epoch.startswith("r1/")]) == 10


def test_a_child_that_exits_does_not_harm_the_parents_store(bench: Bench) -> None:
    assert in_child(bench.ring.close) == 0
    assert in_child(lambda: bench.ring.destroy_epoch(bench.acme, bench.collection, "r9/b9")) == 0
    assert bench.ring.key_by_id(bench.key_id).key_id == bench.key_id
