"""kill -9 of a writing process, at random moments: nothing acknowledged is lost, and the log verifies."""

from __future__ import annotations

import os
import random
import select
import signal
import threading
import time
from pathlib import Path

import orjson
import pytest

from securevec.audit import AuditWriter, Head, directory, request_id
from securevec.clock import Clock
from tests.unit.audit.logkit import LOG_ID, Log, event

THREADS = 4
PATIENCE = 60.0
"""Seconds for what takes a few hundredths."""


def write_until_killed(log: Log, pipe: int) -> None:
    """The child: every acknowledgement goes to the parent before the next call is made, and so does every head."""

    def kept(size: int, root: str, note: bytes) -> None:
        os.write(pipe, f"head {size} {root}\n".encode())

    audit = AuditWriter.open(
        log.directory, log_id=LOG_ID, signing_key=log.key, clock=Clock(), on_head=kept, anchor=log.anchor
    )

    def call(seed: int) -> None:
        chance = random.Random(seed)
        while True:
            request = request_id()
            action = "delete" if chance.random() < 0.02 else "search"
            ref = audit.record(event(action=action, request_id=request))
            os.write(pipe, f"ack {ref.writer} {ref.index} {request}\n".encode())

    for seed in range(THREADS):
        threading.Thread(target=call, args=(seed,), daemon=True).start()
    while True:
        time.sleep(1)


def run_and_kill(log: Log, enough: int, seconds: float) -> list[list[str]]:
    """Start a child, kill it ``seconds`` after it has acknowledged ``enough`` records, and return what it reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_until_killed(log, writing)
        finally:
            os._exit(1)
    os.close(writing)
    received = bytearray()
    patience = time.monotonic() + PATIENCE
    with open(reading, "rb", buffering=0) as pipe:
        # Counted, not timed: how much is written in a while is the machine's to say.
        while not received or received.count(b"ack ") < enough:
            assert select.select([pipe], [], [], max(0.0, patience - time.monotonic()))[0], "the child writes nothing"
            received += pipe.read(65536)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        while data := pipe.read(65536):
            received += data
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    lines = bytes(received).decode().split("\n")[:-1]
    return [line.split(" ") for line in lines]


def kill_repeatedly(log: Log, kills: int, chance: random.Random) -> None:
    acknowledged: dict[tuple[str, int], str] = {}
    began = 0
    for _ in range(kills):
        # Also at the first sign of life, which may be that the one before it is found to have crashed.
        enough = chance.choice([0, 1, 2, chance.randrange(100)])
        began += enough > 0
        for message in run_and_kill(log, enough, chance.uniform(0.0, 0.01)):
            if message[0] == "head":
                log.heads.append(Head(int(message[1]), message[2]))
            else:
                acknowledged[message[1], int(message[2])] = message[3]
        # None when the kill came while the child was still recording the recovery of the one before it.
        assert len(log.verify().crashed) <= 1
    log.open().close()
    report = log.verify()
    assert (report.crashed, report.uncheckpointed) == ((), 0)
    assert len(report.recovered) >= began
    found: dict[tuple[str, int], str] = {}
    for writer in log.writers():
        for index, line in enumerate(log.lines(writer)):
            found[writer.name, index] = orjson.loads(line)["unmapped"]["securevec"]["request_id"]
    lost = [place for place, request in acknowledged.items() if found.get(place) != request]
    assert lost == []


def test_no_acknowledged_record_is_lost_over_20_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 60_000)
    kill_repeatedly(Log(tmp_path), 20, random.Random(20))


@pytest.mark.soak
def test_no_acknowledged_record_is_lost_over_200_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 60_000)
    kill_repeatedly(Log(tmp_path), 200, random.Random(200))
