"""The write-ahead log that an ended process left behind, brought to the disk before it is believed.

A system that could not bring what was written to the disk says so once, to the process that asked, and keeps it in
memory as if it were there. The next process reads it from memory: SQLite takes the commit that failed for one that was
kept, and puts its own behind it. When the memory is given up, at the latest at a restart, the log has a hole, and all
that stands behind the hole is gone, acknowledged or not. So whoever opens the store first writes the log again, as it
is, and asks for it again. Beside another process there is no need: what failed is not in the index that they share, so
that the next commit is written over it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from securevec.disk import write_again


def bring_to_disk(path: Path) -> None:
    """Of the store at ``path``, unless somebody has it open. What else is wrong with it is for others to say.

    Raises ``sqlite3.OperationalError`` when the disk does not keep the log.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        if not log.lstat().st_size:
            return
        alone = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, timeout=0)
    except (OSError, sqlite3.Error):
        return
    try:
        if _is_alone(alone):
            write_again(log)
    except OSError as error:
        raised = sqlite3.OperationalError("the disk does not keep the write-ahead log")
        raised.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise raised from error
    finally:
        alone.close()  # which takes the log into the file, and removes it


def _is_alone(connection: sqlite3.Connection) -> bool:
    try:
        for statement in ("PRAGMA synchronous = FULL", "PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE"):
            connection.execute(statement)
    except sqlite3.Error:
        return False
    return True
