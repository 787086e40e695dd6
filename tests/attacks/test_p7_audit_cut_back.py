"""P7: a log cut back, computed anew or signed by another key is noticed, by what was kept outside it where need be."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from securevec.audit import Head, checkpoint, files
from securevec.audit.tree import Frontier, leaf_hash
from securevec.errors import AuditTampered
from tests.support.audit_edits import (
    Lines,
    expect_tampering,
    filled_log,
    restore,
    roll_back,
    roll_back_writers_log,
    snapshot,
)
from tests.unit.audit.logkit import LOG_ID, Log, event, signing_key


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    return filled_log(tmp_path, monkeypatch)


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


def test_an_anchor_of_another_log_is_refused(log: Log) -> None:
    good = log.heads[-1]
    log.heads.append(Head(good.size, checkpoint.Head(1, "A" * 43 + "=").root))
    expect_tampering(log, f"log-of-writers:{good.size}")
