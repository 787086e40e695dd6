"""The live end: durable before acknowledged, one flush for many, checkpoints and segments in time."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from securevec.audit import AuditRef, directory, files, group, request_id, vocabulary, writer
from securevec.errors import AuditUnavailable, UsageError
from tests.unit.audit.logkit import Log, Time, event, requests_of


def test_records_are_numbered_and_on_disk_when_record_returns(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        for number in range(5):
            request = request_id()
            assert audit.record(event(request_id=request)) == AuditRef(audit.writer, number)
            assert requests_of(log.lines())[number] == request


def test_nobody_else_can_read_the_log(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = Log(tmp_path / "audit")
        log.open().close()
    finally:
        os.umask(before)
    for path in [tmp_path / "audit", *(tmp_path / "audit").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name


def test_a_checkpoint_follows_at_once_on_destructive_and_administrative_results(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event())
        assert log.verify().checkpointed == 0
        for number, action in enumerate(sorted(vocabulary.SEALING)):
            # Not even the caller's wish not to wait postpones it.
            audit.record(event(action=action), wait=False)
            assert log.verify().checkpointed == number + 2
        audit.record(event(action="delete", phase="intent"))
        assert log.verify().uncheckpointed == 1


def test_a_checkpoint_comes_after_sixty_seconds_and_after_so_many_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, time = Log(tmp_path), Time()
    monkeypatch.setattr(writer, "CHECKPOINT_EVENTS", 10)
    with log.open(time.clock) as audit:
        audit.record(event())
        time.ms += 59_999
        audit.record(event())
        assert log.verify().checkpointed == 0
        time.ms += 1
        audit.record(event())
        assert log.verify().checkpointed == 3
        for _ in range(10):
            audit.record(event())
        assert log.verify().checkpointed == 13


def test_segments_rotate_by_size_and_by_age_under_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, time = Log(tmp_path), Time()
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 3_000)
    with log.open(time.clock) as audit:
        for _ in range(4):
            audit.record(event())
        assert len(list(log.writers()[0].glob("seg-*"))) == 2
        time.ms += 3_600_000
        audit.record(event())
        assert len(list(log.writers()[0].glob("seg-*"))) == 3
        assert log.verify().checkpointed == 4
    assert log.verify().records == 5


def test_an_event_nobody_waits_for_is_on_disk_within_a_second_of_calls(tmp_path: Path) -> None:
    log, time = Log(tmp_path), Time()
    with log.open(time.clock) as audit:
        refs = [audit.record(event(), wait=False) for _ in range(3)]
        assert log.lines() == []
        time.ms += 1_000
        refs.append(audit.record(event(), wait=False))
        assert [ref.index for ref in refs] == [0, 1, 2, 3]
        assert len(log.lines()) == 4
        audit.record(event(), wait=False)
        audit.checkpoint()
        assert len(log.lines()) == 5
        audit.record(event(), wait=False)
    assert log.verify().records == 6


def test_events_nobody_waits_for_do_not_pile_up(tmp_path: Path) -> None:
    log, time = Log(tmp_path), Time()
    with log.open(time.clock) as audit:
        for _ in range(group.MAX_UNFLUSHED):
            audit.record(event(), wait=False)
        assert len(log.lines()) == group.MAX_UNFLUSHED


@pytest.mark.parametrize("threads", [16, 32])
def test_callers_share_flushes_and_each_finds_its_own_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    log, each, flushes = Log(tmp_path), 20, 0
    flush = files._flush

    def counted(descriptor: int) -> None:
        nonlocal flushes
        flushes += 1
        time.sleep(0.002)  # as a disk takes it: the directory may lie in memory
        flush(descriptor)

    audit = log.open()
    monkeypatch.setattr(files, "_flush", counted)
    acknowledged: dict[int, str] = {}
    failures: list[BaseException] = []
    start = threading.Barrier(threads)

    def call() -> None:
        try:
            start.wait()
            for _ in range(each):
                request = request_id()
                acknowledged[audit.record(event(request_id=request)).index] = request
        except BaseException as error:  # noqa: BLE001  # shown by the test, whatever it is
            failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert failures == []
    assert requests_of(log.lines()) == [acknowledged[index] for index in range(threads * each)]
    assert flushes < threads * each / 2
    audit.close()
    assert log.verify().records == threads * each


def test_a_closed_writer_refuses_and_closing_twice_is_allowed(tmp_path: Path) -> None:
    log = Log(tmp_path)
    audit = log.open()
    audit.record(event())
    audit.close()
    audit.close()
    with pytest.raises(AuditUnavailable, match="closed"):
        audit.record(event())
    assert "closed" in repr(audit)


def test_an_event_that_is_refused_leaves_no_trace(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        with pytest.raises(UsageError):
            audit.record(event(actor="Jane Doe"))
        assert audit.record(event()).index == 0
