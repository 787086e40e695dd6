"""Writers that end, fork, crash or hang: what the next one finds, and what it puts right."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.audit import AuditWriter, directory, files, writers
from securevec.audit.copying import copy_log
from securevec.clock import Clock
from securevec.errors import AuditUnavailable
from tests.support.waiting import interrupted
from tests.unit.audit.logkit import LOG_ID, Log, event, in_child


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


def test_lines_that_a_crash_left_in_memory_are_on_the_disk_before_they_are_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed first and lost with the memory, they would be missing from a log that nobody has touched."""
    log = Log(tmp_path)
    audit: AuditWriter = log.open()
    audit.record(event())
    audit._files.close()
    left = log.writers()[0] / files.segment_name(0)

    def fails(path: Path) -> None:
        assert path == left
        raise OSError("input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(directory, "write_again", fails)
        with pytest.raises(AuditUnavailable):
            log.open()
    assert log.verify().recovered == ()
    log.open().close()
    assert len(log.verify().recovered) == 1


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
    with other.locked():
        for asked in (
            lambda: audit.record(event(action="tenant.create")),
            lambda: copy_log(log.directory, LOG_ID, tmp_path / "copy"),  # a backup, which holds every writer meanwhile
            lambda: log.verify(anchored=False),
        ):
            with interrupted(), pytest.raises(AuditUnavailable):
                asked()
    audit.close()
