"""The directory of one writer: its lock, its segments, its checkpoints, and the recovery of one left by a crash."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Final

from securevec.audit import files
from securevec.audit.checkpoint import decode_root, sign_note
from securevec.audit.scan import Scanned, Scanner
from securevec.audit.succession import Keychain
from securevec.audit.ulid import PATTERN, ulid
from securevec.audit.writers import Standing, WriterLog, origin_of
from securevec.disk import write_again
from securevec.errors import AuditTampered
from securevec.locks import FileLock

WRITER: Final = re.compile(rf"w-{PATTERN}\Z")
MAX_SEGMENT_BYTES: Final = 64 * 1024 * 1024
MAX_SEGMENT_AGE_MS: Final = 3_600_000


def writer_id() -> str:
    """``w-`` and a ULID, new at every start of a process."""
    return f"w-{ulid()}"


def lock_directory(path: Path, *, wait: bool) -> FileLock | None:
    """The lock of a writer directory; nothing when its writer is alive."""
    lock = FileLock(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        lock.take(wait=wait)
    except BlockingIOError:
        lock.close()
        return None
    except OSError:
        lock.close()
        raise
    return lock


def is_alive(log_directory: Path, writer: str) -> bool:
    """Whether the process of this writer still runs: it keeps its directory locked for as long as it lives."""
    if WRITER.match(writer) is None:
        return False
    try:
        lock = lock_directory(log_directory / writer, wait=False)
    except FileNotFoundError:
        return False
    if lock is None:
        return True
    lock.close()
    return False


class WriterDirectory:
    """The files of the live writer. Not thread-safe: the leader of the moment is its only user."""

    def __init__(self, log_directory: Path, now_ms: int) -> None:
        self.name = writer_id()
        self.path = log_directory / self.name
        self.path.mkdir(mode=0o700)
        lock = lock_directory(self.path, wait=True)
        if lock is None:
            raise OSError("a directory made just now is locked")
        self._lock = lock
        try:
            files.sync_directory(log_directory)
            self._number = 0
            self._segment = files.AppendFile(self.path / files.segment_name(0))
        except OSError:
            self._lock.close()
            raise
        self._opened_ms = now_ms
        self._accepted = 0

    def append(self, data: bytes) -> None:
        """Lines, durable on return. Raises ``OSError`` with the file as it was."""
        self._segment.append(data)

    def cut_unaccepted(self) -> None:
        """Remove lines that :meth:`accept` never confirmed: a signal came between the write and the bookkeeping."""
        if self._segment.size != self._accepted:
            self._segment.cut(self._accepted)

    def accept(self) -> None:
        """What was appended so far is part of the log."""
        self._accepted = self._segment.size

    def rotation_due(self, now_ms: int) -> bool:
        size = self._segment.size
        return size >= MAX_SEGMENT_BYTES or (size > 0 and now_ms - self._opened_ms >= MAX_SEGMENT_AGE_MS)

    def rotate(self, now_ms: int) -> None:
        """Continue in a new segment. Raises ``OSError`` and stays in the old one when that cannot be made."""
        following = files.AppendFile(self.path / files.segment_name(self._number + 1))
        self._segment.close()
        self._segment = following
        self._number += 1
        self._opened_ms = now_ms
        self._accepted = following.size

    def publish(self, note: bytes) -> None:
        files.publish_note(self.path, note)

    def close(self) -> None:
        """Give the descriptors back. A forked child does not free its parent's lock."""
        self._segment.close()
        self._lock.close()


def recover_crashed(log_directory: Path, log_id: str, writers: WriterLog) -> None:
    """Record every writer that ended without ``closed``: cut its torn last line, sign what stands, note its size.

    A directory that fails the checks is left exactly as it is, for ``audit verify`` to report: signing it here
    would turn an edit into evidence. Call with the lock of ``writers`` held. Raises ``OSError``.
    """
    for name in sorted(os.listdir(log_directory)):
        if WRITER.match(name) is None:
            continue
        standing = writers.standings.get(name)
        if standing is not None and standing.event in ("closed", "recovered"):
            continue
        lock = lock_directory(log_directory / name, wait=False)
        if lock is None:
            continue
        try:
            if standing is None:
                _remove_unused(log_directory / name)
            else:
                _recover(log_directory / name, name, log_id, standing, writers)
        finally:
            lock.close()


def _remove_unused(path: Path) -> None:
    """A crash between making the directory and its ``opened`` line leaves one that holds nothing."""
    with contextlib.suppress(OSError):
        if os.listdir(path) in ([], [files.segment_name(0)]):
            segment = path / files.segment_name(0)
            if segment.exists():
                if segment.stat().st_size:
                    return
                segment.unlink()
            path.rmdir()


def _recover(path: Path, name: str, log_id: str, standing: Standing, writers: WriterLog) -> None:
    try:
        scanned = _scan(path, name, log_id, standing, writers.chain)
    except AuditTampered:
        return
    if scanned.torn:
        last = files.AppendFile(path / files.segment_name(files.segment_numbers(path)[-1]))
        try:
            if scanned.torn > last.size:
                return
            last.cut(last.size - scanned.torn)
        finally:
            last.close()
    if scanned.size > standing.size:
        # Lines of a flush that never came, or failed, are read from memory: signed, they have to outlast it.
        write_again(path / files.segment_name(files.segment_numbers(path)[-1]))
    writers.append("recovered", name, scanned.size, scanned.root)
    if scanned.size:
        files.publish_note(path, sign_note(origin_of(log_id, name), scanned.size, scanned.root, writers.signer))


def _scan(path: Path, name: str, log_id: str, standing: Standing, chain: Keychain) -> Scanned:
    """All lines of a writer against its own signed notes and its standing. Raises :class:`AuditTampered`."""
    roots = {standing.size: decode_root(standing.root)}
    for note in files.read_notes(path)[0]:
        signed = chain.open_writers_head(note, origin_of(log_id, name), name)
        if roots.setdefault(signed.size, signed.root) != signed.root:
            raise AuditTampered(f"Two signed heads of writer {name} disagree.", position=f"{name}:{signed.size}")
    return Scanner(path, writer=name, log_id=log_id, roots=roots).run(may_be_torn=True)
