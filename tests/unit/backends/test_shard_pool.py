"""The pool of open shards: how many there are, who closes and who flushes them."""

from __future__ import annotations

import threading
import time

import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import a_namespace
from tests.support.other_process import until

pytest.importorskip("securevec_qdrant.edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
from securevec_adapters.pool import ShardPool

PLACE = a_namespace("mine")


class Paper:
    """A shard that keeps count of what is done to it."""

    def __init__(self, journal: list[str], name: str) -> None:
        self.journal, self.name, self.dirty, self.closed = journal, name, False, False
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def sync(self) -> None:
        self.journal.append(f"sync {self.name}")

    def flush(self) -> None:
        if self.broken:
            raise BackendError("no space")
        self.dirty = False
        self.journal.append(f"flush {self.name} {threading.current_thread().name}")

    def close(self) -> None:
        assert self.gate.wait(60)
        self.journal.append(f"close {self.name} {threading.current_thread().name}")
        self.closed = True
        if self.broken:
            raise BackendError("no space")


class Desk:
    def __init__(self, capacity: int, *, flush_seconds: float = 3600) -> None:
        self.journal: list[str] = []
        self.opened: dict[str, list[Paper]] = {}
        self.pool = ShardPool[Paper](capacity, self.load, flush_seconds=flush_seconds)

    def load(self, name: str) -> Paper:
        assert all(paper.closed for paper in self.opened.get(name, [])), "opened twice: the engine's files are damaged"
        self.opened.setdefault(name, []).append(Paper(self.journal, name))
        return self.opened[name][-1]

    @property
    def open_now(self) -> int:
        return sum(not paper.closed for papers in self.opened.values() for paper in papers)

    def read(self, name: str) -> Paper:
        with self.pool.hold(name) as holder:
            paper = holder.get()
            assert paper is not None
            return paper

    def write(self, name: str) -> None:
        with self.pool.writing(name) as turns, turns.turn() as holder:
            paper = holder.get()
            assert paper is not None
            paper.dirty = True


def test_no_more_shards_are_open_than_allowed_and_the_least_used_one_goes() -> None:
    desk = Desk(16)
    most = 0
    for number in range(200):
        desk.read(str(number))
        desk.read("favourite")
        most = max(most, len(desk.pool.open_names()))
    assert most <= 16
    assert len(desk.opened["favourite"]) == 1
    until(lambda: len(desk.pool.open_names()) <= 14)
    desk.pool.close()
    assert desk.open_now == 0


def test_a_shard_is_closed_by_the_pool_and_not_by_who_searches_next() -> None:
    desk = Desk(8)
    slow = desk.read("slow")
    slow.gate.clear()
    for number in range(7):
        desk.read(str(number))
    until(lambda: not desk.pool._leaving)
    assert not slow.closed, "positive control: its closing takes long"
    slow.gate.set()
    until(lambda: slow.closed)
    assert any(entry == "close slow securevec-shards" for entry in desk.journal)
    desk.pool.close()


def test_a_shard_in_use_is_never_closed_and_never_opened_twice() -> None:
    desk = Desk(2)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for number in range(150):
                with desk.pool.hold(str((seed * 7 + number * number) % 6)) as holder:
                    paper = holder.get()
                    assert paper is not None
                    time.sleep(0.0002)
                    assert not paper.closed
        except (AssertionError, BackendError) as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    desk.pool.close()
    assert desk.open_now == 0


@pytest.mark.parametrize("capacity", [1, 2, 8])
def test_whoever_opens_one_too_many_goes_on_when_no_more_are_open_than_allowed(
    capacity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool's thread may be quicker to take up the closing; then its caller would not wait for it."""
    looks = ShardPool[Paper]._overfull

    def late(self: ShardPool[Paper]) -> bool:
        time.sleep(0.01)  # the thread has its chance
        return looks(self)

    monkeypatch.setattr(ShardPool, "_overfull", late)
    desk = Desk(capacity)
    shut = Paper.close

    def slowly(self: Paper) -> None:
        if threading.current_thread().name == "securevec-shards":
            time.sleep(0.02)
        shut(self)

    monkeypatch.setattr(Paper, "close", slowly)
    for number in range(12):
        desk.read(str(number))
        assert desk.open_now <= capacity
    desk.pool.close()
    assert desk.open_now == 0


def test_what_could_not_be_flushed_is_told_to_the_next_writer_once_and_to_no_reader() -> None:
    desk = Desk(2, flush_seconds=0.02)
    # Broken before there is something to flush: the pool's thread could be quicker than the next line.
    paper = desk.read("a")
    paper.broken = True
    desk.write("a")
    until(lambda: "a" in desk.pool._failures)
    desk.read("a")
    desk.write("b")
    paper.broken = False
    with pytest.raises(BackendError, match="put on disk"):
        desk.write("a")
    desk.write("a")
    paper.broken = True
    paper.dirty = True
    until(lambda: "a" in desk.pool._failures)
    paper.broken = False
    with pytest.raises(BackendError, match="no space"):
        desk.pool.close()


def test_what_was_written_is_flushed_by_and_by_without_a_caller() -> None:
    desk = Desk(4, flush_seconds=0.02)
    desk.write("a")
    until(lambda: "flush a securevec-shards" in desk.journal)
    assert desk.journal.index("sync a") < desk.journal.index("flush a securevec-shards")
    desk.pool.close()


def test_closing_waits_for_who_is_at_a_shard_and_lets_nobody_in_behind_them() -> None:
    """The lock of the directory is given back when it is closed: what were opened now would be open beside another."""
    desk, entered, over = Desk(4), threading.Event(), threading.Event()
    found: list[bool] = []

    def work() -> None:
        with desk.pool.hold("a") as holder:
            paper = holder.get()
            entered.set()
            assert over.wait(60)
            found.append(paper is not None and paper.closed)

    def come(late: str) -> None:
        with pytest.raises(BackendError, match="closed"):
            desk.read("a") if late == "reader" else desk.write("a")

    threads = [threading.Thread(target=work)]
    threads[0].start()
    assert entered.wait(60)
    for late in ("reader", "writer"):
        threads.append(threading.Thread(target=come, args=(late,)))
        threads[-1].start()
    until(lambda: desk.pool._slots["a"].users == 3)
    closing = threading.Thread(target=desk.pool.close)
    closing.start()
    until(lambda: desk.pool._closed)
    closing.join(0.1)
    assert closing.is_alive()
    over.set()
    for thread in (*threads, closing):
        thread.join()
    assert found == [False]
    assert len(desk.opened["a"]) == 1
    assert desk.open_now == 0


def test_nothing_is_written_any_more_when_the_pool_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = threading.Event(), threading.Event()

    def slowly(self: Paper) -> None:
        begun.set()
        assert over.wait(60)

    monkeypatch.setattr(Paper, "sync", slowly)
    desk = Desk(4, flush_seconds=0.02)
    desk.write("a")
    assert begun.wait(60)
    closing = threading.Thread(target=desk.pool.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive(), "closed while the pool's own thread writes"
    over.set()
    closing.join()
    assert desk.journal[-1].startswith("close a")
