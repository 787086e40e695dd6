"""New records of every writer, each at least once, in the order they were written, whatever the writers do."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from securevec.audit import Follower, directory, files
from securevec.errors import AuditUnavailable
from tests.unit.audit.logkit import LOG_ID, Log, Time, event


def hits(lines: list[bytes]) -> list[int]:
    return [orjson.loads(line)["unmapped"]["securevec"]["counts"]["hits"] for line in lines]


def test_only_what_comes_after_is_given_and_once(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event(counts={"hits": 0}))
        follower = Follower(tmp_path, log_id=LOG_ID)
        assert follower.new() == []
        audit.record(event(counts={"hits": 1}))
        audit.record(event(counts={"hits": 2}))
        given = follower.new()
        assert hits(given) == [1, 2]
        assert given == [line.rstrip(b"\n") for line in log.lines()[1:]]
        assert follower.new() == []


def test_a_log_that_was_never_begun_is_followed_from_its_first_record(tmp_path: Path) -> None:
    follower = Follower(tmp_path, log_id=LOG_ID)
    assert follower.new() == []
    with Log(tmp_path).open() as audit:
        audit.record(event(counts={"hits": 7}))
        assert hits(follower.new()) == [7]


def test_new_segments_and_new_writers_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 3_000)
    log, time = Log(tmp_path), Time()
    follower, given = Follower(tmp_path, log_id=LOG_ID), list[bytes]()
    number = 0
    for _ in range(3):
        with log.open(time.clock) as first, log.open(time.clock) as second:
            for _ in range(20):
                (first if number % 3 else second).record(event(counts={"hits": number}))
                time.ms += 1
                number += 1
                if number % 7 == 0:
                    given += follower.new()
    given += follower.new()
    assert hits(given) == list(range(60))
    assert max(len(files.segment_numbers(path)) for path in log.writers()) > 1


def test_more_than_one_look_reads_at_a_time_comes_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securevec.audit.following._CHUNK", 5_000)
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 12_000)
    follower = Follower(tmp_path, log_id=LOG_ID)
    with Log(tmp_path).open() as audit:
        for number in range(40):
            audit.record(event(counts={"hits": number}))
    looks: list[list[int]] = []
    while fresh := follower.new():
        looks.append(hits(fresh))
    assert [number for look in looks for number in look] == list(range(40))
    assert len(looks) > 3


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event(counts={"hits": 0}))
    segment = log.writers()[0] / files.segment_name(0)
    line = segment.read_bytes()
    follower = Follower(tmp_path, log_id=LOG_ID)
    with segment.open("ab", buffering=0) as file:
        file.write(line[:100])
        assert follower.new() == []
        file.write(line[100:])
        assert hits(follower.new()) == [0]


def test_what_is_written_where_a_record_was_taken_back_is_not_missed(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        for number in range(4):
            audit.record(event(counts={"hits": number}))
    segment = log.writers()[0] / files.segment_name(0)
    lines = segment.read_bytes().splitlines(keepends=True)
    follower = Follower(tmp_path, log_id=LOG_ID)
    for taken_back in (1, 2):
        # A disk that refused: the writer cuts what nobody was told is written, and writes other records there.
        os.truncate(segment, sum(map(len, lines[:-taken_back])))
        again = lines[-taken_back].replace(b'"hits":', b'"hits":1')
        with segment.open("ab") as file:
            file.write(again)
        assert again.rstrip(b"\n") in follower.new()
        with segment.open("ab") as file:
            file.write(lines[-1])
        assert lines[-1].rstrip(b"\n") in follower.new()


def test_bytes_that_are_no_records_stop_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securevec.audit.following._CHUNK", 4_000)
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event(counts={"hits": 0}))
    follower = Follower(tmp_path, log_id=LOG_ID)
    segment = log.writers()[0] / files.segment_name(0)
    line = segment.read_bytes()
    with segment.open("ab") as file:
        file.write(b"x" * 20_000 + b"\n" + b"[1]\n" + b"\xff\xfe\n" + line)
    given: list[bytes] = []
    for _ in range(12):
        given += follower.new()
    assert hits(given) == [0]


def test_a_log_that_cannot_be_read_is_a_typed_error(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event())
    follower = Follower(tmp_path, log_id=LOG_ID)
    segment = log.writers()[0] / files.segment_name(0)
    segment.unlink()
    segment.mkdir()
    with pytest.raises(AuditUnavailable):
        follower.new()
    with pytest.raises(AuditUnavailable):
        Follower(tmp_path, log_id=LOG_ID)
