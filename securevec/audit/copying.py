"""A copy of the audit log, made beside live writers, that :func:`securevec.audit.verify.verify_log` accepts.

Everything is read in the order in which a verifier reads it: the log of writers first, under its lock, then of each
writer its signed notes before its lines. Writers add in the other order, so no note is ahead of what was copied. What
a live writer had not finished is the torn end of a log whose writer crashed, which recovery knows.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from securevec.audit import files
from securevec.audit.directory import WRITER
from securevec.audit.writers import LOCK, NAME, take_lock
from securevec.errors import AuditUnavailable


def copy_log(directory: Path, log_id: str, target: Path) -> None:
    """Copy ``directory / log_id`` to ``target / log_id``, which must not be there. A log that was never begun gives an
    empty directory. Raises :class:`AuditUnavailable`."""
    source, copy = directory / log_id, target / log_id
    try:
        copy.mkdir(mode=0o700, parents=True)
        if not source.is_dir():
            return
        with files.open_plain(source / NAME / LOCK) as lock:
            take_lock(lock.fileno(), fcntl.LOCK_SH)
            names = sorted(name for name in os.listdir(source) if WRITER.match(name))
            _copy_writer(source / NAME, copy / NAME)
        for name in names:
            _copy_writer(source / name, copy / name)
    except OSError as error:
        raise AuditUnavailable("The audit log could not be copied.") from error


def _copy_writer(source: Path, copy: Path) -> None:
    copy.mkdir(mode=0o700)
    if not source.is_dir():
        return  # a writer that held nothing, and was removed since
    notes = source / files.CHECKPOINTS_LOG
    if notes.exists():
        _copy(notes, copy / files.CHECKPOINTS_LOG)
        issued, _ = files.read_notes(copy)
        if issued:
            (copy / files.CHECKPOINT).write_bytes(issued[-1])
            os.chmod(copy / files.CHECKPOINT, 0o600)
    for number in files.segment_numbers(source):
        _copy(source / files.segment_name(number), copy / files.segment_name(number))


def _copy(source: Path, copy: Path) -> None:
    with files.open_plain(source) as old, open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
        shutil.copyfileobj(old, new)
