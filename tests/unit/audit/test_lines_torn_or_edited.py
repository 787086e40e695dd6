"""What a reader of one writer's lines makes of each that is wrong: an unfinished write is no edit, and no edit passes
for an unfinished write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from securevec.audit import directory, files
from securevec.audit.checkpoint import sign_note
from securevec.audit.directory import WriterDirectory, is_alive
from securevec.audit.scan import LINK, Scanned, Scanner, parse_line
from securevec.audit.tree import Frontier, leaf_hash
from securevec.audit.writers import NAME as NAME_OF_LOG
from securevec.audit.writers import origin_of
from securevec.errors import AuditTampered
from tests.unit.audit.logkit import LOG_ID, Log, event

NAME = "w-one"


def lines_of(count: int, *, edited: int = -1) -> list[bytes]:
    """Whole lines of a writer, each linked to the one before. From ``edited`` on everything is computed anew over other
    words in that one."""
    made: list[bytes] = []
    link = ""
    for index in range(count):
        line = orjson.dumps(
            {
                "hits": 99 if index == edited else index,
                "metadata": {"log_name": f"audit/{LOG_ID}/{NAME}", "sequence": index},
                "unmapped": {"securevec": {"prev": link}},
            },
            option=orjson.OPT_SORT_KEYS,
        )
        link = leaf_hash(line).hex()[:LINK]
        made.append(line + b"\n")
    return made


def root_of(lines: list[bytes]) -> bytes:
    frontier = Frontier()
    for line in lines:
        frontier.append(leaf_hash(line[:-1]))
    return frontier.root()


def scan(path: Path, segments: dict[int, bytes], *, signed: int, may_be_torn: bool = True) -> Scanned:
    """The lines in these segments, where a root over the first ``signed`` of :func:`lines_of` was signed."""
    for number, data in segments.items():
        (path / files.segment_name(number)).write_bytes(data)
    roots = {signed: root_of(lines_of(signed))}
    return Scanner(path, writer=NAME, log_id=LOG_ID, roots=roots).run(may_be_torn=may_be_torn)


def test_an_unfinished_write_behind_the_signed_lines_is_told_and_no_edit(tmp_path: Path) -> None:
    lines = lines_of(4)
    seen = scan(tmp_path, {0: b"".join(lines[:3]) + lines[3][:20]}, signed=3)
    assert (seen.size, seen.root, seen.torn) == (3, root_of(lines[:3]), 20)


WRONG: dict[str, tuple[Callable[[list[bytes]], dict[int, bytes]], bool, str, int]] = {
    "a signed line made unreadable, and nothing behind it": (
        lambda lines: {0: b"".join(lines[:2]) + b"x" * 20 + b"\n"},
        True,
        "is not a record",
        2,
    ),
    "a signed line cut in its middle": (lambda lines: {0: b"".join(lines[:2]) + lines[2][:20]}, True, "is not a", 2),
    "an unfinished write of a writer that closed": (
        lambda lines: {0: b"".join(lines[:3]) + lines[3][:20]},
        False,
        "is not a record",
        3,
    ),
    "what looks unfinished, where a segment is missing behind it": (
        lambda lines: {0: b"".join(lines[:3]) + lines[3][:20], 2: lines[3]},
        True,
        "is not a record",
        3,
    ),
    "a record behind what looks unfinished": (
        lambda lines: {0: b"".join(lines[:3]) + b"x" * 20 + b"\n" + lines[3]},
        True,
        "records follow it",
        3,
    ),
    "a missing segment": (lambda lines: {0: b"".join(lines[:3]), 2: lines[3]}, True, "a segment is missing", 3),
    "fewer lines than were signed": (lambda lines: {0: b"".join(lines[:2])}, True, "shorter than a signed", 2),
    "another line in the place of one": (
        lambda lines: {0: lines[0] + lines[2] + lines[2]},
        True,
        "belongs there",
        1,
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_unfinished_write_does_not_pass_for_one(tmp_path: Path, what: str) -> None:
    change, may_be_torn, words, index = WRONG[what]
    with pytest.raises(AuditTampered, match=words) as caught:
        scan(tmp_path, change(lines_of(4)), signed=3, may_be_torn=may_be_torn)
    assert caught.value.position == f"{NAME}:{index}"


UNSIGNED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "an edited record": (lambda lines: [*lines[:2], lines[2].replace(b'"hits":2', b'"hits":7'), lines[3]], 2),
    "a record of another log": (lambda lines: [*lines[:2], lines[2].replace(b"/w-one", b"/w-two")], 2),
    "a record taken out, and the next one numbered anew": (
        lambda lines: [*lines[:2], lines[3].replace(b'"sequence":3', b'"sequence":2')],
        1,
    ),
    "the last record with another link": (lambda lines: [*lines[:3], lines[3].replace(b'"prev":"', b'"prev":"z')], 3),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_records_that_no_root_covers_yet_hold_together_by_their_links(tmp_path: Path, what: str) -> None:
    lines = lines_of(4)
    assert scan(tmp_path, {0: b"".join(lines)}, signed=1).size == 4
    change, index = UNSIGNED[what]
    with pytest.raises(AuditTampered) as caught:
        scan(tmp_path, {0: b"".join(change(lines))}, signed=1)
    assert caught.value.position == f"{NAME}:{index}"


def test_an_edit_under_a_root_is_told_from_everything_computed_anew(tmp_path: Path) -> None:
    lines, forged = lines_of(4), lines_of(4, edited=1)
    with pytest.raises(AuditTampered, match=r"record 2 .* was edited\.") as one:
        scan(tmp_path, {0: b"".join(lines[:2]) + lines[2].replace(b'"hits":2', b'"hits":7') + lines[3]}, signed=3)
    with pytest.raises(AuditTampered, match="does not give the signed root") as anew:
        scan(tmp_path, {0: b"".join(forged)}, signed=3)
    with pytest.raises(AuditTampered, match="does not give the signed root") as last:
        scan(tmp_path, {0: b"".join(lines[:2]) + lines[2].replace(b'"hits":2', b'"hits":7')}, signed=3)
    assert {each.value.position for each in (one, anew, last)} == {f"{NAME}:2"}


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"a":1}X', b"[1]\n", b"nothing\n"])
def test_what_is_no_whole_line_of_one_object_is_no_record(raw: bytes) -> None:
    assert parse_line(raw) is None
    assert parse_line(b'{"a":1}\n') == {"a": 1}


def test_only_a_writer_that_holds_its_directory_is_alive(tmp_path: Path) -> None:
    writer = WriterDirectory(tmp_path, 0)
    assert is_alive(tmp_path, writer.name)
    # The name comes from a row of a job: it leads to no other directory that somebody holds.
    (tmp_path / "held").mkdir()
    lock = directory.lock_directory(tmp_path / "held", wait=False)
    assert lock is not None
    for name in ("held", f"../{tmp_path.name}/{writer.name}", "", f"{writer.name}\n"):
        assert not is_alive(tmp_path, name)
    writer.close()
    assert not is_alive(tmp_path, writer.name)


def test_what_does_not_belong_in_the_log_stops_no_writer_and_is_left_as_it_is(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with log.open() as writer:
        writer.record(event())
    (log.root / "notes.txt").write_text("somebody's")
    with log.open() as writer:
        writer.record(event())
    assert (log.root / "notes.txt").read_text() == "somebody's"
    with pytest.raises(AuditTampered, match="not a writer"):
        log.verify()


def died(log: Log) -> Path:
    """The directory of a writer whose process died behind its third record and a checkpoint."""
    writer = log.open()
    for number in range(3):
        writer.record(event(counts={"hits": number}))
    writer.checkpoint()
    writer._files.close()
    return log.root / writer.writer


def said_of(log: Log, writer: Path) -> list[str]:
    said = [orjson.loads(line) for line in (log.root / NAME_OF_LOG / files.segment_name(0)).read_bytes().splitlines()]
    return [line["event"] for line in said if line["writer"] == writer.name]


def test_a_crashed_writer_whose_heads_disagree_is_not_signed_as_recovered(tmp_path: Path) -> None:
    log = Log(tmp_path)
    sound, other = died(log), died(log)
    note = sign_note(origin_of(LOG_ID, other.name), 3, bytes(32), log.key)
    (other / files.CHECKPOINTS_LOG).write_bytes(note + b"\n")
    log.open().close()
    assert said_of(log, sound) == ["opened", "head", "recovered"]
    assert said_of(log, other) == ["opened", "head"]
    with pytest.raises(AuditTampered):
        log.verify()


def test_a_crashed_writer_that_is_torn_over_more_than_a_segment_is_left_as_it_is(tmp_path: Path) -> None:
    log = Log(tmp_path)
    writer = died(log)
    with (writer / files.segment_name(0)).open("ab") as segment:
        segment.write(b"half a record")
    (writer / files.segment_name(1)).write_bytes(b"half")
    before = {path.name: path.read_bytes() for path in writer.iterdir()}
    log.open().close()
    assert said_of(log, writer) == ["opened", "head"]
    assert {path.name: path.read_bytes() for path in writer.iterdir()} == before


def test_a_directory_that_was_never_opened_goes_only_if_nothing_is_in_it(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.open().close()
    empty, full = log.root / f"w-{'0' * 26}", log.root / f"w-{'1' * 26}"
    for place in (empty, full):
        place.mkdir()
        (place / files.segment_name(0)).touch()
    (full / files.segment_name(0)).write_bytes(b"half a record")
    log.open().close()
    assert not empty.exists()
    assert (full / files.segment_name(0)).read_bytes() == b"half a record"
    with pytest.raises(AuditTampered, match="never opened"):
        log.verify()
