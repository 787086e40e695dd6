"""A record on its way to the disk, and what is done meanwhile."""

from __future__ import annotations

import errno
import os
import platform
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from securevec.audit import flushing
from securevec.audit.flushing import Beside
from securevec.errors import AuditUnavailable
from tests.unit.audit.logkit import Log, event, in_child

linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in flushing._NUMBERS, reason="no such call of the kernel here"
)


def saying(said: list[str], word: str) -> Callable[[int], None]:
    def flushed(descriptor: int) -> None:
        said.append(word)

    return flushed


def opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


@linux
def test_the_work_is_done_between_asking_for_the_flush_and_waiting_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    begin, wait = flushing._Ring.begin, flushing._Ring.wait

    def beginning(ring: flushing._Ring, descriptor: int) -> int:
        said.append("begun")
        return begin(ring, descriptor)

    def waiting(ring: flushing._Ring) -> None:
        wait(ring)
        said.append("done")

    monkeypatch.setattr(flushing._Ring, "begin", beginning)
    monkeypatch.setattr(flushing._Ring, "wait", waiting)
    # Without this call of the kernel the flush comes first.
    monkeypatch.setattr(flushing, "flush", saying(said, "fdatasync"))
    file, beside = opened(tmp_path / "file"), Beside()
    for _ in range(3):
        os.write(file, b"line\n")
        beside.flush(file, lambda: said.append("work"))
    os.close(file)
    assert said == ["begun", "work", "done"] * 3
    assert len(beside._free) == 1


def test_where_the_kernel_has_no_such_call_the_flush_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(flushing, "flush", saying(said, "flushed"))
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    Beside().flush(0, lambda: said.append("work"))
    assert said == ["flushed", "work"]


@linux
def test_a_kernel_that_refuses_the_call_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    asked = 0

    def refusing(ring: flushing._Ring, descriptor: int) -> int:
        nonlocal asked
        asked += 1
        return errno.ENOSYS

    monkeypatch.setattr(flushing._Ring, "begin", refusing)
    monkeypatch.setattr(flushing, "flush", saying(said, "flushed"))
    beside = Beside()
    for _ in range(2):
        beside.flush(0, lambda: said.append("work"))
    assert (said, asked) == (["flushed", "work"] * 2, 1)


@linux
def test_what_an_earlier_flush_came_to_is_no_answer_to_this_one(tmp_path: Path) -> None:
    """A signal takes a caller away between asking and waiting."""
    file, beside = opened(tmp_path / "file"), Beside()
    ring = beside._take()
    assert ring is not None
    assert ring.begin(file) == 0
    abandoned = ring._tag
    assert ring.begin(file) == 0
    ring.wait()
    tag, _, result, _ = flushing._EVENT.unpack_from(ring._event)
    assert (tag, result) == (abandoned + 1, 0)
    os.close(file)


@linux
def test_what_the_disk_refuses_is_raised_behind_the_work(tmp_path: Path) -> None:
    file, beside = opened(tmp_path / "file"), Beside()
    ring = beside._take()
    assert ring is not None
    call, done = ring._call, 0

    def failing(number: int, *parameters: int) -> int:
        got = call(number, *parameters)
        if number == ring._getevents:
            flushing._EVENT.pack_into(ring._event, 0, ring._tag, 0, -errno.EIO, 0)
        return got

    def work() -> None:
        nonlocal done
        done += 1

    ring._call = failing
    beside._free.append(ring)
    with pytest.raises(OSError, match="Input/output error"):
        beside.flush(file, work)
    assert done == 1
    os.close(file)


@linux
def test_a_forked_child_flushes_with_a_queue_of_its_own(tmp_path: Path) -> None:
    file = opened(tmp_path / "file")
    flushing.beside.flush(file, lambda: None)
    assert flushing.beside._free

    def child() -> None:
        assert not flushing.beside._free
        flushing.beside.flush(file, lambda: None)
        assert flushing.beside._numbers is not None
        assert flushing.beside._free

    assert in_child(child) == 0
    flushing.beside.flush(file, lambda: None)
    os.close(file)


def test_a_record_that_never_reached_the_disk_is_refused_though_the_work_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, done = Log(tmp_path), [0]

    def work() -> None:
        done[0] += 1

    def broken(descriptor: int, work: flushing.Work) -> None:
        work()
        raise OSError("input/output error")

    with log.open() as audit:
        audit.record(event(), work=work)
        with monkeypatch.context() as patch:
            patch.setattr(flushing.beside, "flush", broken)
            with pytest.raises(AuditUnavailable):
                audit.record(event(), work=work)
        assert audit.record(event(), work=work).index == 1
    assert done == [3]
    assert log.verify().records == 2


def test_each_of_many_callers_does_its_work_once(tmp_path: Path) -> None:
    log, threads, each = Log(tmp_path), 8, 20
    done = [0] * threads
    failures: list[BaseException] = []

    def call(number: int) -> None:
        def work() -> None:
            done[number] += 1

        try:
            for _ in range(each):
                audit.record(event(), work=work)
                audit.record(event(), work=work, wait=False)
        except BaseException as error:  # noqa: BLE001  # shown by the test, whatever it is
            failures.append(error)

    with log.open() as audit:
        callers = [threading.Thread(target=call, args=(number,)) for number in range(threads)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
    assert failures == []
    assert done == [2 * each] * threads
    assert log.verify().records == 2 * each * threads
