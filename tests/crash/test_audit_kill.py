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


def run_and_kill(log: Log, seconds: float) -> list[list[str]]:
    """Start a child, kill it ``seconds`` after its first sign of life, and return what it reported."""
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
    deadline = time.monotonic() + 20
    killed = False
    with open(reading, "rb", buffering=0) as pipe:
        while True:
            if select.select([pipe], [], [], 0.001)[0]:
                data = pipe.read(65536)
                if not data:
                    break
                if not received:
                    deadline = time.monotonic() + seconds
                received += data
            if not killed and time.monotonic() >= deadline:
                os.kill(child, signal.SIGKILL)
                killed = True
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    lines = bytes(received).decode().split("\n")[:-1]
    return [line.split(" ") for line in lines]


def kill_repeatedly(log: Log, kills: int, chance: random.Random) -> int:
    acknowledged: dict[tuple[str, int], str] = {}
    for _ in range(kills):
        for message in run_and_kill(log, chance.uniform(0.0, 0.12)):
            if message[0] == "head":
                log.heads.append(Head(int(message[1]), message[2]))
            else:
                acknowledged[message[1], int(message[2])] = message[3]
        # None when the kill came while the child was still recording the recovery of the one before it.
        assert len(log.verify().crashed) <= 1
    log.open().close()
    report = log.verify()
    assert (report.crashed, report.uncheckpointed) == ((), 0)
    assert len(report.recovered) >= kills * 3 / 4
    found: dict[tuple[str, int], str] = {}
    for writer in log.writers():
        for index, line in enumerate(log.lines(writer)):
            found[writer.name, index] = orjson.loads(line)["unmapped"]["securevec"]["request_id"]
    lost = [place for place, request in acknowledged.items() if found.get(place) != request]
    assert lost == []
    return len(acknowledged)


def test_no_acknowledged_record_is_lost_over_20_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 60_000)
    assert kill_repeatedly(Log(tmp_path), 20, random.Random(20)) > 200


@pytest.mark.soak
def test_no_acknowledged_record_is_lost_over_200_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 60_000)
    assert kill_repeatedly(Log(tmp_path), 200, random.Random(200)) > 2000
