"""A copy of ``control.db`` as of one moment, made while other processes write.

SQLite's online backup in one step: it reads one snapshot of the write-ahead log, so writers are not held up and none
of them is seen half. The copy is one file, without a log of its own.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from securevec.control.database import connect, failure


def copy_control(source: Path, target: Path) -> None:
    """Copy the control store at ``source`` to the new file ``target`` (0600). Raises :class:`ControlUnavailable`."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        reader = connect(source)
        try:
            writer = sqlite3.connect(target, isolation_level=None)
            try:
                reader.backup(writer)
                writer.execute("PRAGMA journal_mode = DELETE")
            finally:
                writer.close()
        finally:
            reader.close()
    except sqlite3.Error as error:
        raise failure(error) from error
