"""The live end: durable before acknowledged, one flush for many, refusal when the disk fails, and forks."""

from __future__ import annotations

import os
import resource
import signal
import stat
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from securevec.audit import AuditRef, AuditWriter, directory, files, group, request_id, vocabulary, writer, writers
from securevec.clock import Clock
from securevec.errors import AuditUnavailable, UsageError
from tests.unit.audit.logkit import LOG_ID, Log, event


class Time:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.ms = 1_795_406_400_000
        self.clock = Clock(lambda: self.ms)


def requests_of(lines: list[bytes]) -> list[str]:
    return [orjson.loads(line)["unmapped"]["securevec"]["request_id"] for line in lines]


def in_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked child; its exit code is 0 when it returned."""
    child = os.fork()
    if child == 0:
        code = 1
        # A child that hangs is ended by the alarm, and its exit code says so.
        signal.alarm(20)
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  # shown here, since nothing of it reaches the parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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


def limit_file_size(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill_the_disk(log: Log) -> None:
    """In a child: write until a real write fails, and go on when there is room again."""
    audit = log.open()
    path = log.root / audit.writer / files.segment_name(0)
    acknowledged = [audit.record(event()).index for _ in range(3)]
    before = path.stat().st_size
    audit.record(event(), wait=False)
    limit_file_size(before + 1_700)
    for _ in range(3):
        with pytest.raises(AuditUnavailable):
            # Half of this batch fits: what was written of it must not stay.
            audit.record(event())
        assert path.stat().st_size == before
    limit_file_size(resource.RLIM_INFINITY)
    # The event nobody waited for was kept and comes first, then the new one.
    assert audit.record(event()).index == len(acknowledged) + 1
    audit.close()


def test_a_full_disk_refuses_keeps_nothing_half_and_recovers_unattended(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert in_child(lambda: fill_the_disk(log)) == 0
    report = log.verify()
    assert (report.records, report.uncheckpointed, report.crashed) == (5, 0, ())


def fill_the_disk_with_threads(log: Log) -> None:
    audit = log.open()
    acknowledged: set[str] = set()
    refused: set[str] = set()

    def call() -> None:
        for _ in range(30):
            request = request_id()
            try:
                audit.record(event(request_id=request))
                acknowledged.add(request)
            except AuditUnavailable:
                refused.add(request)

    callers = [threading.Thread(target=call) for _ in range(16)]
    limit_file_size(200_000)
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert acknowledged
    assert refused
    limit_file_size(resource.RLIM_INFINITY)
    assert set(requests_of(log.lines())) == acknowledged
    audit.close()


def test_on_a_full_disk_exactly_the_acknowledged_records_are_in_the_log(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert in_child(lambda: fill_the_disk_with_threads(log)) == 0
    log.verify()


def fail_the_checkpoint(log: Log) -> None:
    audit = log.open()
    heads = log.root / "log-of-writers"
    limit = max(path.stat().st_size for path in heads.iterdir()) + 1
    limit_file_size(limit)
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            audit.record(event(action="tenant.create"))
    limit_file_size(resource.RLIM_INFINITY)
    audit.record(event(action="tenant.create"))
    audit.close()


def test_a_checkpoint_that_cannot_be_written_refuses_and_leaves_a_sound_log(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert in_child(lambda: fail_the_checkpoint(log)) == 0
    assert log.verify().uncheckpointed == 0


def test_a_record_whose_flush_fails_is_refused_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path)
    audit = log.open()
    audit.record(event())

    def broken(descriptor: int) -> None:
        raise OSError("input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_flush", broken)
        with pytest.raises(AuditUnavailable):
            audit.record(event())
    assert audit.record(event()).index == 1
    audit.close()
    assert log.verify().records == 2


def test_a_log_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOG_ID).write_text("a file where the log should be")
    with pytest.raises(AuditUnavailable):
        Log(tmp_path).open()


def test_an_anchor_that_cannot_be_kept_refuses_the_event(tmp_path: Path) -> None:
    log = Log(tmp_path)
    audit = log.open()

    def broken(size: int, root: str, note: bytes) -> None:
        raise RuntimeError("the control store is gone")

    keep = audit._writers._on_head
    audit._writers._on_head = broken
    with pytest.raises(AuditUnavailable):
        audit.record(event(action="tenant.delete"))
    audit._writers._on_head = keep
    audit.record(event(action="tenant.delete"))
    audit.close()
    assert log.verify().records == 2


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


def test_a_forked_child_writes_to_a_directory_of_its_own(tmp_path: Path) -> None:
    log = Log(tmp_path)
    audit = log.open()
    audit.record(event())
    audit.record(event(), wait=False)

    def child() -> None:
        assert audit.record(event()).index == 0
        audit.close()

    # A lock held by another thread at the moment of the fork must not hang the child.
    with audit._group.lock:
        assert in_child(child) == 0
    assert audit.record(event()).index == 2
    audit.close()
    report = log.verify(anchored=False)
    assert sorted(one.records for one in report.writers) == [1, 3]
    assert {one.state for one in report.writers} == {"closed"}


def test_a_child_that_only_closes_does_not_close_the_parent(tmp_path: Path) -> None:
    log = Log(tmp_path)
    audit = log.open()

    def child() -> None:
        audit.close()
        with pytest.raises(AuditUnavailable, match="closed"):
            audit.record(event())

    assert in_child(child) == 0
    audit.record(event())
    assert log.verify().live == (audit.writer,)
    audit.close()


def test_a_live_writer_is_never_taken_for_crashed(tmp_path: Path) -> None:
    log = Log(tmp_path)
    first, second = log.open(), log.open()
    first.record(event())
    second.record(event(action="tenant.create"))
    first.record(event(action="tenant.create"))
    report = log.verify()
    assert set(report.live) == {first.writer, second.writer}
    first.close()
    second.close()
    assert log.verify().crashed == log.verify().recovered == ()


def test_a_crash_between_directory_and_opened_line_leaves_nothing_behind(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.open().close()
    directory.WriterDirectory(log.root, 0).close()
    assert sorted(one.state for one in log.verify().writers) == ["closed", "unused"]
    log.open().close()
    assert {one.state for one in log.verify().writers} == {"closed"}
    assert len(log.writers()) == 2


@pytest.mark.parametrize("torn", [b'{"half', b"\x00" * 500, b"half\nhalf\n\x00"])
def test_a_torn_tail_is_cut_at_recovery_and_reported_before(tmp_path: Path, torn: bytes) -> None:
    log = Log(tmp_path)
    audit: AuditWriter = log.open()
    for _ in range(3):
        audit.record(event())
    audit._files.close()
    with (log.writers()[0] / files.segment_name(0)).open("ab") as file:
        file.write(torn)
    report = log.verify()
    assert (report.records, report.writers[0].torn_bytes, report.writers[0].state) == (3, len(torn), "crashed")
    log.open().close()
    report = log.verify()
    assert (report.records, report.writers[0].torn_bytes, report.writers[0].state) == (3, 0, "recovered")


@pytest.mark.parametrize("place", ["line", "note", "checkpoint"])
def test_a_crash_inside_a_checkpoint_is_put_right_by_the_next_writer(tmp_path: Path, place: str) -> None:
    log = Log(tmp_path)
    log.open().close()
    heads = log.root / writers.NAME
    notes = files.read_notes(heads)[0]
    if place == "line":
        with (heads / files.segment_name(0)).open("ab") as file:
            file.write((heads / files.segment_name(0)).read_bytes().splitlines(keepends=True)[-1])
    elif place == "note":
        with (heads / files.CHECKPOINTS_LOG).open("ab") as file:
            file.write(notes[-1][:-20])
    else:
        (heads / files.CHECKPOINT).write_bytes(notes[-2])
        (heads / files.CHECKPOINT_NEW).write_bytes(notes[-1][:9])
    log.verify()
    log.open().close()
    report = log.verify()
    assert report.head == log.heads[-1]


def test_a_stuck_lock_holder_refuses_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path)
    audit = log.open()
    monkeypatch.setattr(writers, "LOCK_SECONDS", 0.05)
    other = writers.WriterLog(log.root, log_id=LOG_ID, signers=log.key, clock=Clock(), on_head=None, anchor=None)
    with other.locked(), pytest.raises(AuditUnavailable):
        audit.record(event(action="tenant.create"))
    audit.close()
