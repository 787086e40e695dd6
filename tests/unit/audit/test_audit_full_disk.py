"""A log that cannot be written refuses, keeps nothing half and goes on by itself: a full disk, a flush that fails."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import pytest

from securevec.audit import files, request_id
from securevec.errors import AuditUnavailable
from tests.unit.audit.logkit import LOG_ID, Log, event, in_child, requests_of


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
