"""P7: what is planted in a log, or taken from under a crashed or running writer, is found and never signed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from securevec.audit import AuditWriter, Follower, files, read_tail
from securevec.audit.copying import copy_log
from securevec.audit.tree import leaf_hash
from securevec.errors import AuditTampered, AuditUnavailable
from tests.support.audit_edits import (
    RECORD_EDITS,
    Lines,
    expect_tampering,
    filled_log,
    roll_back_writers_log,
    snapshot,
)
from tests.support.waiting import interrupted
from tests.unit.audit.logkit import Log, event


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    return filled_log(tmp_path, monkeypatch)


def foreign_file(root: Path, writer: Path) -> None:
    (writer / "notes.txt").write_text("x")


def foreign_directory(root: Path, writer: Path) -> None:
    (root / "w-other").mkdir()


def link_in_place_of_a_segment(root: Path, writer: Path) -> None:
    segment = writer / files.segment_name(0)
    segment.rename(root.parent / "elsewhere")
    segment.symlink_to(root.parent / "elsewhere")


def copied_writer(root: Path, writer: Path) -> None:
    shutil.copytree(writer, root / ("w-" + "0" * 26))


def extra_segment(root: Path, writer: Path) -> None:
    (writer / files.segment_name(99)).write_bytes(b"")


def records_after_the_end(root: Path, writer: Path) -> None:
    last = sorted(writer.glob("seg-*"))[-1]
    record = orjson.loads(last.read_bytes().splitlines()[-1])
    leaf = leaf_hash(last.read_bytes().splitlines()[-1])
    record["metadata"]["sequence"] += 1
    record["unmapped"]["securevec"]["prev"] = leaf.hex()[:16]
    with last.open("ab") as file:
        file.write(orjson.dumps(record, option=orjson.OPT_SORT_KEYS) + b"\n")


def garbage_after_the_end(root: Path, writer: Path) -> None:
    with sorted(writer.glob("seg-*"))[-1].open("ab") as file:
        file.write(b'{"half')


def unsigned_lines(root: Path, writer: Path) -> None:
    segment = root / "log-of-writers" / files.segment_name(0)
    line = segment.read_bytes().splitlines(keepends=True)[-1]
    with segment.open("ab") as file:
        file.write(line * 2)


@pytest.mark.parametrize(
    "plant",
    [
        foreign_file,
        foreign_directory,
        link_in_place_of_a_segment,
        copied_writer,
        extra_segment,
        records_after_the_end,
        garbage_after_the_end,
        unsigned_lines,
    ],
)
def test_what_does_not_belong_in_the_log_is_found(log: Log, plant: Callable[[Path, Path], None]) -> None:
    plant(log.root, log.writers()[0])
    with pytest.raises(AuditTampered):
        log.verify()


@pytest.mark.parametrize("name", [files.segment_name(0), files.CHECKPOINT, files.CHECKPOINTS_LOG, "lock"])
@pytest.mark.parametrize("whose", ["writer", "log-of-writers"])
def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(log: Log, whose: str, name: str) -> None:
    """A nightly verification that waits for ever alarms nobody."""
    place = (log.writers()[0] if whose == "writer" else log.root / whose) / name
    place.unlink(missing_ok=True)
    os.mkfifo(place, 0o600)
    log_id = log.root.name
    with interrupted():
        with pytest.raises((AuditTampered, AuditUnavailable)):
            log.verify()
        for read in (
            lambda: read_tail(log.root.parent, log_id=log_id, limit=5),
            lambda: Follower(log.root.parent, log_id=log_id).new(),
            lambda: copy_log(log.root.parent, log_id, log.root.parent / "copy"),
            log.open,
        ):
            with contextlib.suppress(AuditTampered, AuditUnavailable):
                read()


def test_two_logs_of_two_installations_mixed_are_found(log: Log, tmp_path: Path) -> None:
    """A whole writer of another installation, with its checkpoints, and one of its lines in the log of writers."""
    other = Log(tmp_path / "other")
    with contextlib.closing(other.open()) as writing:
        writing.record(event())
    shutil.copytree(other.writers()[0], log.root / other.writers()[0].name)
    with pytest.raises(AuditTampered):
        log.verify()
    lines = (other.root / "log-of-writers" / files.segment_name(0)).read_bytes()
    with (log.root / "log-of-writers" / files.segment_name(0)).open("ab") as file:
        file.write(lines)
    with pytest.raises(AuditTampered):
        log.verify()


def test_a_segment_that_was_renamed_is_found(log: Log) -> None:
    writer = next(each for each in log.writers() if len(list(each.glob("seg-*"))) > 1)
    numbers = files.segment_numbers(writer)
    (writer / files.segment_name(numbers[-1])).rename(writer / files.segment_name(numbers[-1] + 1))
    with pytest.raises(AuditTampered):
        log.verify()


@pytest.fixture
def crashed(tmp_path: Path) -> tuple[Log, AuditWriter]:
    """A writer that stopped without closing: 20 records under a checkpoint, 10 after it."""
    made = Log(tmp_path)
    writer = made.open()
    for number in range(30):
        writer.record(event(counts={"hits": number}))
        if number == 19:
            writer.checkpoint()
    writer._files.close()
    return made, writer


def test_a_crashed_writer_is_reported_and_is_not_tampering(crashed: tuple[Log, AuditWriter]) -> None:
    log, writer = crashed
    report = log.verify()
    assert report.crashed == (writer._files.name,)
    assert (report.records, report.checkpointed, report.uncheckpointed) == (30, 20, 10)
    log.open().close()
    recovered = log.verify()
    assert recovered.recovered == (writer._files.name,)
    assert recovered.uncheckpointed == 0


def test_a_tail_cut_after_recovery_is_noticed(crashed: tuple[Log, AuditWriter]) -> None:
    log, writer = crashed
    log.open().close()
    path = log.root / writer._files.name
    lines = Lines(path)
    del lines.segments[0][-1]
    lines.write()
    expect_tampering(log, f"{path.name}:29")


@pytest.mark.parametrize("kind", ["flip", "drop", "swap", "insert", "duplicate"])
def test_recovery_does_not_sign_an_edited_writer(crashed: tuple[Log, AuditWriter], kind: str) -> None:
    log, writer = crashed
    path = log.root / writer._files.name
    lines, chance = Lines(path), random.Random(3)
    lines.segments[0] = lines.segments[0][:]
    index = RECORD_EDITS[kind](lines, chance)
    lines.write()
    before = snapshot(path)
    log.open().close()
    expect_tampering(log, f"{path.name}:{index}")
    log.open().close()
    expect_tampering(log, f"{path.name}:{index}")
    assert snapshot(path) == before


def test_recovery_does_not_cut_readable_records_after_an_unreadable_one(crashed: tuple[Log, AuditWriter]) -> None:
    log, writer = crashed
    path = log.root / writer._files.name
    lines = Lines(path)
    lines.segments[0][25] = b"{}}" + lines.segments[0][25][3:]
    lines.write()
    log.open().close()
    expect_tampering(log, f"{path.name}:25")


def cut_writers_log(log: Log) -> None:
    roll_back_writers_log(log, 1)


def remove_writers_log(log: Log) -> None:
    shutil.rmtree(log.root / "log-of-writers")


def empty_writers_log(log: Log) -> None:
    for path in (log.root / "log-of-writers").iterdir():
        path.write_bytes(b"")


@pytest.mark.parametrize("rewrite", [cut_writers_log, remove_writers_log, empty_writers_log])
def test_a_log_of_writers_rewritten_under_a_running_process_stops_it(
    tmp_path: Path, rewrite: Callable[[Log], None]
) -> None:
    log = Log(tmp_path)
    writer = log.open()
    writer.record(event())
    writer.checkpoint()
    rewrite(log)
    with pytest.raises(AuditUnavailable):
        writer.record(event(action="tenant.delete"))


def test_a_segment_removed_under_a_running_process_stops_it(tmp_path: Path) -> None:
    log = Log(tmp_path)
    writer = log.open()
    writer.record(event())
    (log.writers()[0] / files.segment_name(0)).unlink()
    with pytest.raises(AuditUnavailable):
        writer.record(event())


def test_a_writer_directory_that_is_a_link_is_refused(log: Log) -> None:
    writer = log.writers()[0]
    moved = log.directory / "moved"
    writer.rename(moved)
    os.symlink(moved, writer)
    with pytest.raises(AuditTampered):
        log.verify()
