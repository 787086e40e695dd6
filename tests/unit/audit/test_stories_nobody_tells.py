"""The log of writers and checkpoints that say what no writer of ours ever says, signed or not: an offline verification
refuses the story. Whoever holds a signing key by theft, or a fault of ours, could write it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest

from securevec.audit import files, verify
from securevec.audit.checkpoint import Checkpoint
from securevec.audit.tree import EMPTY_ROOT
from securevec.errors import AuditTampered

ROOT, OTHER = bytes([1]) * 32, bytes([2]) * 32


def line(event: str, size: int, root: bytes = ROOT, writer: str = "w-one") -> bytes:
    said = {"event": event, "writer": writer, "size": size, "root": base64.b64encode(root).decode()}
    return orjson.dumps(said) + b"\n"


def told(*lines: bytes) -> dict[str, verify._Known]:
    known: dict[str, verify._Known] = {}
    for index, raw in enumerate(lines):
        verify._take(raw, index, known)
    return known


OPENED, CLOSED = line("opened", 0, EMPTY_ROOT), line("closed", 3)
STORIES: dict[str, tuple[bytes, ...]] = {
    "a line that is none": (OPENED, b'{"event":"opened"}\n'),
    "opened twice": (OPENED, OPENED),
    "closed and never opened": (CLOSED,),
    "closed twice": (OPENED, CLOSED, CLOSED),
    "recovered after it was closed": (OPENED, CLOSED, line("recovered", 3)),
    "another root at the size it was opened with": (OPENED, line("closed", 0, OTHER)),
    "shorter than it was": (line("opened", 3), line("closed", 2, OTHER)),
}


def test_a_writer_that_opens_and_closes_is_believed() -> None:
    assert (told(OPENED, CLOSED)["w-one"].size, told(OPENED, CLOSED)["w-one"].ended) == (3, "closed")
    assert told(OPENED, line("recovered", 3))["w-one"].ended == "recovered"


@pytest.mark.parametrize("story", STORIES)
def test_a_story_that_no_writer_tells_is_refused(story: str) -> None:
    told(*STORIES[story][:-1])
    with pytest.raises(AuditTampered):
        told(*STORIES[story])


def heads(
    monkeypatch: pytest.MonkeyPatch, listed: Sequence[tuple[int, bytes]], *, newest: bytes | None = None, torn: int = 0
) -> Callable[[], dict[int, bytes]]:
    """What a verification reads of a writer's checkpoints: heads in this order, ``newest`` in the place of the last."""
    notes = {f"{number}".encode(): head for number, head in enumerate(listed)}
    current = list(notes)[-1] if newest is None else newest
    monkeypatch.setattr(files, "read_notes", lambda _: (list(notes), bytes(torn)))  # pyright: ignore[reportUnknownLambdaType]  # a path, not looked at
    monkeypatch.setattr(files, "read_checkpoint", lambda _: current)  # pyright: ignore[reportUnknownLambdaType]  # as above
    return lambda: verify._check_notes(Path(), "w-one", lambda note: Checkpoint("w-one", *notes[note]))


def test_heads_that_grow_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = heads(monkeypatch, [(1, ROOT), (1, ROOT), (3, OTHER)], torn=verify._MAX_TORN_NOTE)()
    assert signed == {0: EMPTY_ROOT, 1: ROOT, 3: OTHER}


def test_a_head_of_less_behind_one_of_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuditTampered, match="not in order"):
        heads(monkeypatch, [(3, ROOT), (1, OTHER)])()


def test_two_heads_of_one_size_that_disagree_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuditTampered, match="not in order"):
        heads(monkeypatch, [(1, ROOT), (1, OTHER)])()


def test_a_head_of_nothing_with_a_root_of_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuditTampered, match="not in order"):
        heads(monkeypatch, [(0, ROOT)])()


def test_an_older_head_in_the_place_of_the_newest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    grown = [(1, ROOT), (2, OTHER), (3, ROOT)]
    assert heads(monkeypatch, grown, newest=b"1")(), "a crash between the two files leaves the one before"
    for older in (b"0", b"", b"none of them"):
        with pytest.raises(AuditTampered, match="not the newest"):
            heads(monkeypatch, grown, newest=older)()


def test_more_than_a_torn_head_behind_the_heads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuditTampered, match="not a checkpoint"):
        heads(monkeypatch, [(1, ROOT)], torn=verify._MAX_TORN_NOTE + 1)()
