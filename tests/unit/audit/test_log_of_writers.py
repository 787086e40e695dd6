"""The log of writers as a running process meets it: what was cut, rewritten or added under it, or is kept otherwise
outside it, stops every writer; and no line of it is written before whoever keeps its length knows of it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from securevec.audit import AuditWriter, Head, files
from securevec.audit.checkpoint import sign_note
from securevec.audit.keeping import Kept
from securevec.audit.writers import LOCK, NAME, Standing, origin_of, standing_of
from securevec.clock import Clock
from securevec.errors import AuditTampered, AuditUnavailable, HomeRefused
from tests.unit.audit.logkit import LOG_ID, Log, event

OTHER = base64.b64encode(bytes([2]) * 32).decode()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """One writer that recorded an event and closed: two lines in the log of writers."""
    made = Log(tmp_path)
    with made.open() as writer:
        writer.record(event())
    return made


def opened(log: Log, **more: Any) -> AuditWriter:
    return AuditWriter.open(log.directory, log_id=LOG_ID, signing_key=log.key, clock=Clock(), **more)


def place(log: Log) -> Path:
    return log.root / NAME


def state(log: Log) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place(log).iterdir()}


@pytest.mark.parametrize("size", [1, 2])
def test_a_log_whose_history_is_another_than_the_head_kept_outside_is_not_continued(log: Log, size: int) -> None:
    before = state(log)
    with pytest.raises(AuditTampered, match=r"differs from|does not give its signed root"):
        opened(log, anchor=Head(size, OTHER))
    assert state(log) == before
    opened(log, anchor=log.anchor).close()


def newest(log: Log, size: int, root: str = OTHER) -> bytes:
    return sign_note(origin_of(LOG_ID, NAME), size, base64.b64decode(root), log.key)


def _another_head(log: Log) -> None:
    """As many lines, another root, and our own signature."""
    with (place(log) / files.CHECKPOINTS_LOG).open("ab") as notes:
        notes.write(newest(log, 3) + b"\n")


def _never_issued(log: Log) -> None:
    (place(log) / files.CHECKPOINT).write_bytes(newest(log, 4))


def _unsigned(count: int) -> Callable[[Log], None]:
    def add(log: Log) -> None:
        path = place(log) / files.segment_name(0)
        last = path.read_bytes().splitlines(keepends=True)[-1]
        with path.open("ab") as segment:
            segment.write(last * count)

    return add


def _cut(log: Log) -> None:
    for name in (files.CHECKPOINTS_LOG, files.CHECKPOINT):
        (place(log) / name).write_bytes(b"")


def _gone(log: Log) -> None:
    with (place(log) / files.CHECKPOINTS_LOG).open("ab") as notes:
        notes.write(newest(log, 4) + b"\n")


UNDER: dict[str, tuple[Callable[[Log], None], str]] = {
    "another head of as many lines": (_another_head, "does not give its signed root"),
    "a head that was never issued": (_never_issued, "never issued"),
    "two lines that were never signed": (_unsigned(2), "never signed"),
    "its heads taken away": (_cut, "cut back while it was in use"),
    "a head over a line that is not there": (_gone, "lacks a line"),
}


@pytest.mark.parametrize("what", UNDER)
def test_what_is_done_to_the_log_under_a_running_process_stops_it(log: Log, what: str) -> None:
    change, words = UNDER[what]
    with opened(log) as writer:
        change(log)
        with pytest.raises(AuditTampered, match=words), writer._writers.locked():
            pass
        with pytest.raises(AuditUnavailable):
            writer.record(event(action="tenant.create", phase="result", collection=""))
        writer._closed = True  # it cannot end as it should


def test_a_line_without_its_head_is_a_crash_between_the_two_and_is_taken_away(log: Log) -> None:
    before = state(log)[files.segment_name(0)]
    _unsigned(1)(log)
    opened(log).close()
    assert state(log)[files.segment_name(0)].startswith(before + b'{"event":"opened"')
    assert log.verify(anchored=False).records == 1


def test_a_head_that_is_missing_outside_is_given_again_before_anything_is_written(log: Log) -> None:
    heads, announced = [1], [2]

    def keep(size: int, root: str, note: bytes) -> None:
        heads.append(size)

    def kept() -> Kept:
        return Kept(Head(heads[-1], OTHER), announced[-1])

    for _ in range(2):
        opened(log, on_head=keep, kept=kept, announce=announced.append).close()
    assert heads == [1, 2, 3, 4, 5, 6], "the second one, which was missing, once"
    assert announced == [2, 3, 4, 5, 6]


def test_a_log_that_is_longer_than_was_announced_is_not_continued(log: Log) -> None:
    before = state(log)
    for kept in (Kept(None, announced=1), Kept(Head(2, OTHER), announced=1)):
        with pytest.raises(HomeRefused, match="older than the audit log"):
            opened(log, kept=lambda kept=kept: kept)  # pyright: ignore[reportUnknownLambdaType]  # of the loop
    assert state(log) == before


class Lost(Exception):
    """What somebody else's code raises."""


def _lost(*_: Any) -> Any:
    raise Lost


def test_no_line_is_written_that_was_not_announced_and_none_is_acknowledged_whose_head_is_not_kept(log: Log) -> None:
    before = state(log)
    with pytest.raises(AuditUnavailable, match="cannot be announced"):
        opened(log, announce=_lost)
    with pytest.raises(AuditUnavailable, match="cannot be read"):
        opened(log, kept=_lost)
    assert state(log) == before
    announced: list[int] = []
    with pytest.raises(AuditUnavailable, match="cannot be kept"):
        opened(log, announce=announced.append, on_head=_lost)
    assert announced == [3]
    assert len(state(log)[files.segment_name(0)].splitlines()) == 3


def test_a_log_that_cannot_be_written_is_a_typed_refusal(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "no space")

    before = state(log)
    with monkeypatch.context() as disk:
        disk.setattr(files.AppendFile, "append", full)
        with pytest.raises(AuditUnavailable, match="cannot be written"):
            opened(log)
    assert state(log) == before
    opened(log).close()


def test_the_newest_head_is_put_back_where_it_is_missing(log: Log) -> None:
    """A crash between the two files."""
    path = place(log) / files.CHECKPOINT
    before = path.read_bytes()
    path.unlink()
    with opened(log) as writer, writer._writers.locked():
        assert path.read_bytes() != before
    log.verify(anchored=False)


NO_LINES: dict[str, dict[str, Any]] = {
    "an event nobody knows": {"event": "left"},
    "an event that is no word": {"event": ["opened"]},
    "a writer that is no name": {"writer": 5},
    "a size that is no number": {"size": "3"},
    "a size that is true": {"size": True},
    "a root that is none": {"root": None},
}


@pytest.mark.parametrize("what", NO_LINES)
def test_a_line_of_another_form_is_none_of_this_log(what: str) -> None:
    said = {"event": "opened", "writer": "w-one", "size": 0, "root": OTHER}
    assert standing_of(orjson.dumps(said) + b"\n") == ("w-one", Standing("opened", 0, OTHER))
    assert standing_of(orjson.dumps(said | NO_LINES[what]) + b"\n") is None
    assert standing_of(orjson.dumps(said)) is None, "torn"


@pytest.mark.parametrize(("name", "words"), [(LOCK, "cannot be opened"), (files.segment_name(0), "cannot be read")])
def test_a_link_in_the_place_of_a_file_of_the_log_is_a_typed_refusal(log: Log, name: str, words: str) -> None:
    path = place(log) / name
    path.rename(log.directory / "elsewhere")
    path.symlink_to(log.directory / "elsewhere")
    with pytest.raises(AuditUnavailable, match=words):
        opened(log)
