"""A writer that uses a shard in turns lets readers in between two of them."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from securevec_adapters.pool import ShardPool

TURNS = 40


class Shard:
    """Nothing but what the pool asks for."""

    dirty = False

    def sync(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_reader_is_let_in_at_the_next_page_of_a_purge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock goes to whoever asks first, which is who just gave it back. So the writer waits a moment when somebody is
    there; the moment lasts here until the reader is in."""
    pool = ShardPool(4, lambda name: Shard())
    taken, entered, seen, waits = [0], threading.Event(), list[int](), list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert entered.wait(10)

    def read() -> None:
        with pool.hold("s"):
            seen.append(taken[0])
            entered.set()

    monkeypatch.setattr("securevec_adapters.pool.time", SimpleNamespace(**{**vars(time), "sleep": wait}))
    reader = threading.Thread(target=read)
    with pool.writing("s") as turns:
        for number in range(TURNS):
            with turns.turn():
                taken[0] += 1
                if number == 2:
                    reader.start()
                    while next(iter(pool._slots.values())).users < 2:
                        time.sleep(0.001)
            turns.give_way()
    reader.join()
    pool.close()
    assert seen == [3]
    assert waits[0] < 0.1
