"""An audit log of two writers, and hands to change it with: lines flipped, dropped, swapped; files put back."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from securevec.audit import directory, files
from securevec.errors import AuditTampered
from tests.unit.audit.logkit import Log, event

Snapshot = dict[Path, bytes]


def snapshot(root: Path) -> Snapshot:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def restore(root: Path, before: Snapshot) -> None:
    for path in root.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    for path, data in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


def filled_log(below: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Two closed writers of some 30 records each, several segments and several checkpoints."""
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 9_000)
    made = Log(below)
    for count in (31, 27):
        writer = made.open()
        for number in range(count):
            writer.record(event(counts={"hits": number}), wait=number % 5 == 0)
        writer.close()
    assert made.verify().uncheckpointed == 0
    return made


class Lines:
    """The lines of one writer, with the segment each lies in, to be edited and written back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.segments = [segment.read_bytes().splitlines(keepends=True) for segment in sorted(path.glob("seg-*"))]
        self.count = sum(map(len, self.segments))

    def at(self, index: int) -> tuple[list[bytes], int]:
        for segment in self.segments:
            if index < len(segment):
                return segment, index
            index -= len(segment)
        return self.segments[-1], len(self.segments[-1])

    def write(self) -> None:
        for number, segment in enumerate(self.segments):
            (self.path / files.segment_name(number)).write_bytes(b"".join(segment))


def flip(lines: Lines, chance: random.Random) -> int:
    index = chance.randrange(lines.count)
    segment, place = lines.at(index)
    changed = bytearray(segment[place])
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    segment[place] = bytes(changed)
    return index


def drop(lines: Lines, chance: random.Random) -> int:
    index = chance.randrange(lines.count)
    segment, place = lines.at(index)
    del segment[place]
    return index


def swap(lines: Lines, chance: random.Random) -> int:
    first, second = sorted(chance.sample(range(lines.count), 2))
    here, place = lines.at(first)
    there, other = lines.at(second)
    here[place], there[other] = there[other], here[place]
    return first


def insert(lines: Lines, chance: random.Random) -> int:
    index = chance.randrange(lines.count + 1)
    source = chance.choice([number for number in range(lines.count) if number != index])
    origin, place = lines.at(source)
    copied = origin[place]
    segment, place = lines.at(index)
    segment.insert(place, copied)
    return index


def duplicate(lines: Lines, chance: random.Random) -> int:
    index = chance.randrange(lines.count)
    segment, place = lines.at(index)
    segment.insert(place, segment[place])
    return index + 1


def cut(lines: Lines, chance: random.Random) -> int:
    index = chance.randrange(lines.count)
    for segment in lines.segments:
        kept = max(0, min(len(segment), index))
        index -= len(segment)
        del segment[kept:]
    return sum(map(len, lines.segments))


RECORD_EDITS: dict[str, Callable[[Lines, random.Random], int]] = {
    "flip": flip,
    "drop": drop,
    "swap": swap,
    "insert": insert,
    "duplicate": duplicate,
    "cut": cut,
}


def expect_tampering(log: Log, position: str) -> None:
    with pytest.raises(AuditTampered) as found:
        log.verify()
    assert found.value.position == position


def roll_back(writer: Path, notes: int) -> int:
    """Cut a writer back to one of its own signed heads, as if nothing later had been written."""
    kept = files.read_notes(writer)[0][:notes]
    (writer / files.CHECKPOINTS_LOG).write_bytes(b"".join(note + b"\n" for note in kept))
    (writer / files.CHECKPOINT).write_bytes(kept[-1])
    size = int(kept[-1].split(b"\n")[1])
    lines, left = Lines(writer), size
    for number, segment in enumerate(lines.segments):
        path = writer / files.segment_name(number)
        if left <= 0:
            path.unlink()
        else:
            path.write_bytes(b"".join(segment[:left]))
        left -= len(segment)
    return size


def roll_back_writers_log(log: Log, lines: int) -> None:
    path = log.root / "log-of-writers"
    kept = files.read_notes(path)[0][:lines]
    (path / files.CHECKPOINTS_LOG).write_bytes(b"".join(note + b"\n" for note in kept))
    (path / files.CHECKPOINT).write_bytes(kept[-1])
    segment = path / files.segment_name(0)
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:lines]))
