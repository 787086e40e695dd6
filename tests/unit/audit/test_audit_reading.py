"""The newest records, and intents whose result never came."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.audit import directory, files, find_open_intents, read_tail, request_id, summarize
from tests.unit.audit.logkit import LOG_ID, Log, Time, event


def test_the_tail_is_merged_over_writers_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 3_000)
    log, time = Log(tmp_path), Time()
    first, second = log.open(time.clock), log.open(time.clock)
    for number in range(20):
        (first if number % 3 else second).record(event(counts={"hits": number}))
        time.ms += 1
    tail = read_tail(tmp_path, log_id=LOG_ID, limit=12)
    assert [summarize(record)["counts"] for record in tail] == [f"{number} hits" for number in range(8, 20)]
    assert len(read_tail(tmp_path, log_id=LOG_ID, limit=100)) == 20
    assert read_tail(tmp_path, log_id=LOG_ID, limit=0) == []
    first.close()
    second.close()


def test_records_of_one_moment_keep_their_order(tmp_path: Path) -> None:
    log, time = Log(tmp_path), Time()
    with log.open(time.clock) as audit:
        for number in range(10):
            audit.record(event(counts={"hits": number}))
    tail = read_tail(tmp_path, log_id=LOG_ID, limit=5)
    assert [summarize(record)["counts"] for record in tail] == [f"{number} hits" for number in range(5, 10)]


def test_a_tail_longer_than_a_block_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securevec.audit.reading._BLOCK", 100)
    log = Log(tmp_path)
    with log.open() as audit:
        for number in range(7):
            audit.record(event(counts={"hits": number}))
    with (log.writers()[0] / files.segment_name(0)).open("ab") as file:
        file.write(b'{"torn')
    tail = read_tail(tmp_path, log_id=LOG_ID, limit=100)
    assert [summarize(record)["counts"] for record in tail] == [f"{number} hits" for number in range(7)]


def test_only_intents_without_a_result_are_open(tmp_path: Path) -> None:
    log = Log(tmp_path)
    done, recovered, lost, other = (request_id() for _ in range(4))
    with log.open() as audit:
        for request in (done, recovered, lost):
            audit.record(event(action="ingest", phase="intent", request_id=request))
        audit.record(event(action="ingest", phase="result", request_id=done))
        audit.record(event(action="search", phase="single", request_id=other))
    with log.open() as audit:
        audit.record(event(action="recover", phase="result", outcome="recovered", request_id=recovered))
    assert find_open_intents(tmp_path, log_id=LOG_ID) == [lost]


def test_there_is_nothing_to_read_before_the_first_record(tmp_path: Path) -> None:
    assert read_tail(tmp_path, log_id=LOG_ID, limit=5) == []
    assert find_open_intents(tmp_path, log_id=LOG_ID) == []
