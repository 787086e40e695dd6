"""Which process works on a job: a lock that its kernel keeps for as long as the process is at it.

A lease in the control store says how long a worker may be silent. It cannot say that a worker is gone: one that was
stopped (a paused machine, a debugger, a long wait for a disk) between its last look at the lease and what it then does
at a store goes on with it when it wakes, whoever has done what since. A compare-and-set in the control store comes too
late for that, and a store knows no leases. So whoever works on a job holds ``flock(2)`` on a file of the home: a
stopped process keeps it, a killed one does not, and nobody goes on with a job while another may still be at it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

from securevec.errors import ControlUnavailable
from securevec.locks import FileLock

DIRECTORY: Final = "jobs"


@contextlib.contextmanager
def process_lock(home: Path, job_id: str) -> Generator[bool]:
    """Whether this call has the job's lock; it does not wait. Only for a ``job_id`` of the control store's making.

    Raises :class:`ControlUnavailable` when the lock's file cannot be made.
    """
    path = home / DIRECTORY / f"{job_id}.lock"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        lock = _taken(path)
    except OSError as error:
        raise ControlUnavailable(
            "A job's lock cannot be made in the home.", next_step="Run: securevec doctor. It looks at the disk."
        ) from error
    if lock is None:
        yield False
        return
    try:
        yield True
    finally:
        if lock.held:  # a forked child that comes here would take its parent's file away
            with contextlib.suppress(OSError):
                path.unlink()  # while it is locked: whoever opened it meanwhile sees that it is no longer the file
        lock.close()


def _taken(path: Path) -> FileLock | None:
    """The lock of the file at ``path``; nothing when somebody else has it."""
    while True:
        lock = FileLock(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            lock.take()
            if lock.stands_at(path):
                return lock
        except BlockingIOError:
            lock.close()
            return None
        except BaseException:
            lock.close()
            raise
        lock.close()
