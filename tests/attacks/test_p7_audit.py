"""P7: edited, dropped, reordered, inserted, cut and swapped audit records are found, and the first bad one is named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from securevec.audit import files
from securevec.errors import AuditTampered
from tests.support.audit_edits import (
    RECORD_EDITS,
    Lines,
    expect_tampering,
    filled_log,
    restore,
    snapshot,
)
from tests.unit.audit.logkit import Log


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    return filled_log(tmp_path, monkeypatch)


def edit_records(log: Log, kind: str, trials: int) -> None:
    chance = random.Random(kind)
    before = snapshot(log.root)
    for _ in range(trials):
        writer = chance.choice(log.writers())
        lines = Lines(writer)
        index = RECORD_EDITS[kind](lines, chance)
        lines.write()
        expect_tampering(log, f"{writer.name}:{index}")
        restore(log.root, before)
    log.verify()


@pytest.mark.parametrize("kind", RECORD_EDITS)
def test_an_edited_record_is_found_and_named(log: Log, kind: str) -> None:
    edit_records(log, kind, 100)


@pytest.mark.soak
@pytest.mark.parametrize("kind", RECORD_EDITS)
def test_an_edited_record_is_found_and_named_in_a_thousand_trials(log: Log, kind: str) -> None:
    edit_records(log, kind, 1000)


def first_of(writer: Path, segment: int) -> int:
    return sum(len(lines) for lines in Lines(writer).segments[:segment])


def remove_or_swap_segments(log: Log, trials: int) -> None:
    chance = random.Random("segments")
    before = snapshot(log.root)
    one, other = log.writers()
    shared = min(len(Lines(one).segments), len(Lines(other).segments))
    assert shared >= 3
    for _ in range(trials):
        number = chance.randrange(shared)
        here, there = one / files.segment_name(number), other / files.segment_name(number)
        mine, theirs = here.read_bytes(), there.read_bytes()
        here.write_bytes(theirs)
        there.write_bytes(mine)
        expect_tampering(log, f"{one.name}:{first_of(one, number)}")
        restore(log.root, before)

        writer = chance.choice(log.writers())
        number = chance.randrange(len(Lines(writer).segments))
        index = first_of(writer, number)
        (writer / files.segment_name(number)).unlink()
        expect_tampering(log, f"{writer.name}:{index}")
        restore(log.root, before)

        writer = chance.choice(log.writers())
        shutil.rmtree(writer)
        expect_tampering(log, f"{writer.name}:0")
        restore(log.root, before)
    log.verify()


def test_a_swapped_segment_a_missing_segment_and_a_missing_writer_are_found(log: Log) -> None:
    remove_or_swap_segments(log, 100)


@pytest.mark.soak
def test_swapped_and_missing_segments_and_writers_are_found_in_a_thousand_trials(log: Log) -> None:
    remove_or_swap_segments(log, 1000)


def test_every_edited_byte_of_checkpoints_and_of_the_log_of_writers_is_found(log: Log) -> None:
    chance = random.Random("heads")
    before = snapshot(log.root)
    targets = [path for path in before if not (path.name.startswith("seg-") and path.parent.name.startswith("w-"))]
    targets = [path for path in targets if before[path]]
    for _ in range(150):
        path = chance.choice(targets)
        changed = bytearray(before[path])
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(changed))
        with pytest.raises(AuditTampered) as found:
            log.verify()
        assert found.value.position.startswith(path.parent.name)
        path.write_bytes(before[path])
    log.verify()
