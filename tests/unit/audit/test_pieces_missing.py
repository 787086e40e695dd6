"""Logs with a piece missing, changed or too much, and exchanges of keys that nobody could have made: each is told as
what it is, by a typed error, whoever signed it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from securevec.audit import AuditWriter, Head, Keychain, abandoned, files, reading, succession, verify
from securevec.audit.checkpoint import sign_note, sign_text
from securevec.audit.succession import chain_in, from_pem, line_of, open_succession, sign_succession, succession_in
from securevec.audit.tree import EMPTY_ROOT
from securevec.audit.writers import LOCK, NAME, origin_of
from securevec.clock import Clock
from securevec.crypto.sign import SUCCESSION, SigningKey
from securevec.errors import AuditTampered, AuditUnavailable, UsageError
from tests.unit.audit.logkit import LOG_ID, Log, event, signing_key

OLD, NEW = signing_key("old"), signing_key("new")
OTHER = bytes([2]) * 32


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """One writer that recorded three events and closed."""
    made = Log(tmp_path / "audit")
    with made.open() as writer:
        for number in range(3):
            writer.record(event(counts={"hits": number}))
    assert made.verify().records == 3
    return made


def segment(log: Log, name: str) -> Path:
    return log.root / name / files.segment_name(0)


def test_no_log_is_no_evidence_of_anything_and_one_that_was_empty_is_not_missed(tmp_path: Path) -> None:
    empty = Head(0, base64.b64encode(EMPTY_ROOT).decode())
    for anchor in (None, empty):
        with pytest.raises(AuditUnavailable, match="no audit log"):
            verify.verify_log(tmp_path, log_id=LOG_ID, public_key=OLD.public, anchor=anchor)
    with pytest.raises(AuditTampered, match="is gone"):
        verify.verify_log(tmp_path, log_id=LOG_ID, public_key=OLD.public, anchor=Head(1, empty.root))


def test_a_log_without_its_log_of_writers_is_not_believed(log: Log) -> None:
    for path in (log.root / NAME).iterdir():
        path.unlink()
    (log.root / NAME).rmdir()
    for anchored in (True, False):
        with pytest.raises(AuditTampered, match="log of writers is gone"):
            log.verify(anchored=anchored)


def test_a_log_that_cannot_be_read_is_not_called_sound_and_not_called_altered(log: Log) -> None:
    lock = log.root / NAME / LOCK
    lock.unlink()
    lock.symlink_to(lock)
    with pytest.raises(AuditUnavailable, match="cannot be read"):
        log.verify()


def test_a_line_cut_from_the_log_of_writers_is_missed_by_the_head_that_was_signed_over_it(log: Log) -> None:
    path = segment(log, NAME)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    path.write_bytes(lines[0])
    for anchored in (True, False):
        with pytest.raises(AuditTampered, match="shorter than a signed checkpoint"):
            log.verify(anchored=anchored)


def test_a_last_line_that_does_not_end_is_not_the_line_that_was_signed(log: Log) -> None:
    """Its hash leaves the end out."""
    path = segment(log, NAME)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(AuditTampered, match="Line 1 of the log of writers was edited"):
        log.verify()


def test_a_writer_with_a_head_of_its_own_beside_that_of_the_log_of_writers_is_refused(log: Log) -> None:
    [writer] = log.writers()
    note = sign_note(origin_of(LOG_ID, writer.name), 3, OTHER, log.key)
    (writer / files.CHECKPOINTS_LOG).write_bytes(note + b"\n")
    (writer / files.CHECKPOINT).write_bytes(note)
    with pytest.raises(AuditTampered, match="Two signed heads"):
        log.verify()


PLANTED: dict[str, Callable[[Path], bytes]] = {
    "records": lambda path: path.read_bytes(),
    "half a record": lambda path: path.read_bytes()[:40],
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_writer_that_the_log_of_writers_never_opened_has_nothing_to_say(log: Log, tmp_path: Path, what: str) -> None:
    """Made by a process of the same installation elsewhere, in a log of writers of its own."""
    elsewhere = Log(tmp_path / "elsewhere")
    with elsewhere.open() as writer:
        writer.record(event())
    [stranger] = elsewhere.writers()
    (log.root / stranger.name).mkdir()
    assert log.verify().records == 3, "a process that died before it was heard of"
    segment(log, stranger.name).write_bytes(PLANTED[what](segment(elsewhere, stranger.name)))
    with pytest.raises(AuditTampered, match="never opened"):
        log.verify()


@pytest.mark.parametrize("said", [b"", b"not a number", b"-1", b"9" * 17, "\u0663".encode()])
def test_a_newest_head_that_says_no_size_is_a_typed_refusal(tmp_path: Path, said: bytes) -> None:
    """``doctor`` and ``upgrade`` look at it without a signature."""
    assert reading.issued(tmp_path, log_id=LOG_ID) == 0
    place = tmp_path / LOG_ID / NAME
    place.mkdir(parents=True)
    (place / files.CHECKPOINTS_LOG).write_bytes(b"somebody\n" + said + b"\nroot\n\n" + "— a b\n\n".encode())
    with pytest.raises(AuditTampered):
        reading.issued(tmp_path, log_id=LOG_ID)


@pytest.mark.parametrize(
    "said", [b'{"metadata":{},"unmapped":{}', b'{"metadata":1,"unmapped":[]', b'{"metadata":{"event_code":"ingest"}']
)
def test_an_intent_without_what_every_record_has_is_a_typed_refusal(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "w-one").mkdir()
    line = said + b',"phase":"intent","request_id":"' + b"0" * 26 + b'"}\n'
    (tmp_path / "w-one" / files.segment_name(0)).write_bytes(line)
    with pytest.raises(AuditTampered):
        abandoned.abandoned_intents(tmp_path, "w-two", {"w-two": ["w-one"]})


READERS: dict[str, Callable[[Path], object]] = {
    "the newest": lambda path: reading.read_tail(path, log_id=LOG_ID, limit=5),
    "a time": lambda path: list(reading.read_between(path, log_id=LOG_ID)),
    "open intents": lambda path: reading.find_open_intents(path, log_id=LOG_ID),
    "keys": lambda path: reading.read_chain(path, log_id=LOG_ID, pinned=OLD.public),
}


@pytest.mark.parametrize("what", READERS)
def test_a_segment_that_cannot_be_read_is_a_typed_refusal_and_no_empty_answer(log: Log, what: str) -> None:
    if what != "keys":
        READERS[what](log.directory)
    for path in (segment(log, NAME), segment(log, log.writers()[0].name)):
        path.unlink()
        path.mkdir()
    with pytest.raises(AuditUnavailable, match="cannot be read"):
        READERS[what](log.directory)


def test_a_pipe_in_the_place_of_the_newest_head_is_not_no_head(log: Log) -> None:
    assert files.read_checkpoint(log.root / NAME)
    (log.root / NAME / files.CHECKPOINT).unlink()
    assert files.read_checkpoint(log.root / NAME) == b""
    os.mkfifo(log.root / NAME / files.CHECKPOINT)
    with pytest.raises(OSError, match="not a file"):
        files.read_checkpoint(log.root / NAME)


def between(first: Any = OLD, second: Any = NEW, **changes: Any) -> bytes:
    said: dict[str, Any] = {"number": 1, "size": 4, "root": bytes(32), "time_ms": 9, "compromised": False}
    return sign_succession(LOG_ID, old=first, new=second, **{**said, **changes})


def signed_by_both(change: Callable[[list[str]], list[str]]) -> bytes:
    """An exchange with other words in it, under both keys."""
    lines = change(between().partition(b"\n\n")[0].decode().split("\n"))
    text, name = "".join(f"{each}\n" for each in lines).encode(), lines[0]
    return sign_text(text, name, OLD) + sign_text(text, name, NEW).rpartition(b"\n\n")[2]


def put(place: int, word: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[:place], word, *lines[place + 1 :]]


UNREADABLE: dict[str, Callable[[list[str]], list[str]]] = {
    "a line more": lambda lines: [*lines, "retired"],
    "a line less": lambda lines: lines[:-1],
    "another reason": put(7, "lost"),
    "a number with a zero before it": put(1, "01"),
    "a size below nothing": put(4, "-4"),
    "a size in other digits": put(4, "\u0664"),
    "a time that is none": put(6, "now"),
    "a root that is none": put(5, "AAAA"),
    "a name of something else": put(0, f"securevec/{LOG_ID}/log-of-writers"),
}


def test_an_exchange_as_it_is_written_is_read() -> None:
    assert open_succession(signed_by_both(lambda lines: lines)) == open_succession(between())


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_exchange_that_two_readers_could_read_otherwise_is_refused_under_both_signatures(what: str) -> None:
    with pytest.raises(AuditTampered):
        open_succession(signed_by_both(UNREADABLE[what]))


def test_a_key_hands_over_to_no_key_that_was_in_force_before() -> None:
    third = signing_key("third")
    # The pinned key may be the newer one of the first exchange: nobody had heard of the one before it.
    assert Keychain(LOG_ID, NEW.public, [open_succession(between())]).keys == [OLD.public, NEW.public]
    with pytest.raises(AuditTampered, match="brings a key back"):
        Keychain(LOG_ID, OLD.public, [open_succession(between(OLD, OLD))])
    with pytest.raises(AuditTampered, match="brings a key back"):
        Keychain(
            LOG_ID, third.public, [open_succession(each) for each in (between(), between(NEW, NEW, number=2, size=8))]
        )


def test_a_line_of_another_kind_that_spells_an_exchange_is_none() -> None:
    line = line_of(between(), time_ms=9)
    read = succession_in(line + b"\n")
    assert read is not None
    assert read.new == NEW.public
    assert succession_in(line) is None, "torn"
    inside = orjson.dumps({"event": "opened", "writer": {"event": "succession"}})
    assert succession.MARK in inside
    assert succession_in(inside + b"\n") is None


@pytest.mark.parametrize("change", [{"more": 1}, {"note": 5}, {"note": None}])
def test_a_line_of_an_exchange_that_says_more_or_less_is_refused(change: dict[str, Any]) -> None:
    said = {**orjson.loads(line_of(between(), time_ms=9)), **change}
    with pytest.raises(AuditTampered):
        succession_in(orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n")


def test_a_key_file_without_exchanges_has_no_chain() -> None:
    assert chain_in(OLD.public_pem(), pinned=OLD.public) is None


def test_a_head_of_a_stranger_is_no_head_of_a_writer() -> None:
    chain, origin = Keychain(LOG_ID, NEW.public, [open_succession(between())]), origin_of(LOG_ID, "w-one")
    assert chain.open_writers_head(sign_note(origin, 0, EMPTY_ROOT, NEW), origin, "w-one").size == 0
    with pytest.raises(AuditTampered, match="not signed"):
        chain.open_writers_head(sign_note(origin, 0, EMPTY_ROOT, signing_key("stranger")), origin, "w-one")


class Ring:
    """Both keys, as a key ring holds them."""

    def in_force(self, public: bytes | None) -> SigningKey:
        return NEW if public == NEW.public else OLD


def test_a_log_whose_exchanges_never_lead_to_the_pinned_key_is_not_believed(tmp_path: Path) -> None:
    """Sound in itself: somebody else's, put in the place of ours."""
    theirs = Log(tmp_path, key=OLD)
    with AuditWriter.open(tmp_path, log_id=LOG_ID, signing_key=Ring(), clock=Clock()) as writer:
        writer.record(event())
        writer.exchange_key(NEW, compromised=False)
    ours = signing_key("ours")
    for pinned in (OLD, NEW):
        assert theirs.verify(key=pinned).records == 1
    with pytest.raises(AuditTampered, match="pinned"):
        theirs.verify(key=ours)
    assert reading.read_chain(tmp_path, log_id=LOG_ID, pinned=NEW.public).keys == [OLD.public, NEW.public]
    with pytest.raises(AuditTampered, match="pinned"):
        reading.read_chain(tmp_path, log_id=LOG_ID, pinned=ours.public)


@pytest.mark.parametrize("block", ["no base64!", "AAA", "ä"])
def test_a_block_of_a_key_file_that_is_no_exchange_is_a_typed_refusal(block: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        from_pem(f"{SUCCESSION}\n{block}\n".encode())
