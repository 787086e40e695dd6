"""P7: edited, dropped, reordered, inserted, cut and swapped audit records are found, and the first bad one is named."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from securevec.audit import AuditWriter, Head, checkpoint, directory, files
from securevec.audit.tree import Frontier, leaf_hash
from securevec.errors import AuditTampered, AuditUnavailable
from tests.unit.audit.logkit import LOG_ID, Log, event, signing_key

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


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Two closed writers of some 30 records each, several segments and several checkpoints."""
    monkeypatch.setattr(directory, "MAX_SEGMENT_BYTES", 9_000)
    made = Log(tmp_path)
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


def test_a_cut_tail_is_noticed_even_with_the_checkpoints_rolled_back(log: Log) -> None:
    for writer in log.writers():
        before = snapshot(log.root)
        size = roll_back(writer, 1)
        expect_tampering(log, f"{writer.name}:{size}")
        restore(log.root, before)


def test_a_log_of_writers_cut_back_with_everything_else_is_noticed_by_the_anchor(log: Log) -> None:
    writer = log.writers()[1]
    lines = (log.root / "log-of-writers" / files.segment_name(0)).read_bytes().splitlines()
    opened = next(n for n, line in enumerate(lines) if writer.name.encode() in line)
    roll_back(writer, 1)
    roll_back_writers_log(log, opened + 2)
    # Every signature in this log is genuine and every root fits: only what was kept outside it knows better.
    assert log.verify(anchored=False).crashed == (writer.name,)
    expect_tampering(log, f"log-of-writers:{opened + 2}")


def test_a_process_does_not_go_on_from_a_log_behind_its_anchor(log: Log) -> None:
    roll_back_writers_log(log, 2)
    heads = list(log.heads)
    with pytest.raises(AuditTampered):
        log.open()
    assert log.heads == heads


def test_a_log_of_writers_without_its_lines_is_not_continued(log: Log) -> None:
    """With its signed heads still beside it: a new line would be the first one, under a head of many."""
    (log.root / "log-of-writers" / files.segment_name(0)).unlink()
    heads = list(log.heads)
    with pytest.raises(AuditTampered, match="lacks its segment"):
        log.open()
    assert log.heads == heads
    assert not (log.root / "log-of-writers" / files.segment_name(0)).exists()


def test_a_removed_log_is_noticed_by_the_anchor(log: Log) -> None:
    shutil.rmtree(log.root)
    expect_tampering(log, "log-of-writers:0")
    with pytest.raises(AuditTampered):
        log.open()


def rehash(writer: Path, key: str | None) -> None:
    """Change one record and compute every link and every root anew; sign with another key, or keep the signatures."""
    frontier, link, roots = Frontier(), "", {}
    lines = Lines(writer)
    for segment in lines.segments:
        for place, raw in enumerate(segment):
            record = orjson.loads(raw)
            if frontier.size == 10:
                record["unmapped"]["securevec"]["counts"] = {"hits": 0}
            record["unmapped"]["securevec"]["prev"] = link
            line = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
            segment[place] = line + b"\n"
            leaf = leaf_hash(line)
            frontier.append(leaf)
            link = leaf.hex()[:16]
            roots[frontier.size] = frontier.root()
    lines.write()
    forged: list[bytes] = []
    origin = f"securevec/{LOG_ID}/{writer.name}"
    for note in files.read_notes(writer)[0]:
        size = int(note.split(b"\n")[1])
        resigned = checkpoint.sign_note(origin, size, roots[size], signing_key(key or "any"))
        signature = note.partition(b"\n\n")[2]
        forged.append(resigned if key else resigned.partition(b"\n\n")[0] + b"\n\n" + signature)
    (writer / files.CHECKPOINTS_LOG).write_bytes(b"".join(note + b"\n" for note in forged))
    (writer / files.CHECKPOINT).write_bytes(forged[-1])


@pytest.mark.parametrize("key", [None, "another key"])
def test_a_fully_rehashed_writer_is_noticed(log: Log, key: str | None) -> None:
    writer = log.writers()[0]
    rehash(writer, key)
    with pytest.raises(AuditTampered) as found:
        log.verify()
    assert found.value.position.startswith(writer.name)


def test_a_fully_rehashed_writer_without_checkpoints_is_noticed(log: Log) -> None:
    writer = log.writers()[0]
    rehash(writer, None)
    (writer / files.CHECKPOINT).unlink()
    (writer / files.CHECKPOINTS_LOG).unlink()
    with pytest.raises(AuditTampered) as found:
        log.verify()
    assert found.value.position.startswith(writer.name)


def test_a_log_signed_throughout_by_another_key_is_refused(tmp_path: Path) -> None:
    other = Log(tmp_path, key=signing_key("another"))
    with other.open() as writer:
        writer.record(event())
    with pytest.raises(AuditTampered):
        other.verify(key=signing_key(), anchored=False)


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


def test_an_anchor_of_another_log_is_refused(log: Log) -> None:
    good = log.heads[-1]
    log.heads.append(Head(good.size, checkpoint.Head(1, "A" * 43 + "=").root))
    expect_tampering(log, f"log-of-writers:{good.size}")


def test_a_writer_directory_that_is_a_link_is_refused(log: Log) -> None:
    writer = log.writers()[0]
    moved = log.directory / "moved"
    writer.rename(moved)
    os.symlink(moved, writer)
    with pytest.raises(AuditTampered):
        log.verify()
