"""The control store as others hold it: one object over one file, safe between threads, processes and forks."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from securevec.control.batches import Batches
from securevec.control.collections import Collections
from securevec.control.database import IN_HEADER, Database
from securevec.control.holds import Holds
from securevec.control.jobs import Jobs
from securevec.control.keystore import KeyStoreSeen
from securevec.control.leftovers import Leftovers
from securevec.control.migrate import build, require_head, revision
from securevec.control.models import Models
from securevec.control.outbox import Outbox
from securevec.control.placements import Placements
from securevec.control.quotas import Quotas
from securevec.control.records import Records
from securevec.control.replaying import Replays
from securevec.control.retention import Retention
from securevec.control.settling import Settling
from securevec.control.sources import Sources
from securevec.control.subjects import Subjects
from securevec.control.tenant_deletion import TenantDeletions
from securevec.control.tenants import Tenants
from securevec.control.tokens import Tokens
from securevec.errors import ControlUnavailable, HomeRefused

_MOMENTS: Final = "SELECT n.size, h.application_id FROM audit_next n, pragma_application_id h WHERE n.id = 1"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class ControlStore(
    Tenants,
    Collections,
    Records,
    Batches,
    Settling,
    Subjects,
    Tokens,
    Jobs,
    TenantDeletions,
    Holds,
    Leftovers,
    Retention,
    Quotas,
    Models,
    Placements,
    Sources,
    Replays,
    Outbox,
    KeyStoreSeen,
):
    """Every method is one statement or one transaction: it happened whole when it returned, not at all when it raised.

    A :class:`securevec.errors.ControlUnavailable` out of a writing method whose commit was under way leaves open which
    of the two; repeat it, or read.
    """

    @classmethod
    def open(cls, path: Path, *, create: bool) -> ControlStore:
        """Open ``control.db``; with ``create``, make it first if absent (file 0600, directory 0700).

        Raises :class:`HomeRefused` (missing, foreign, of another revision, or open to other users of the machine),
        :class:`ControlUnavailable` (damaged, busy, disk).
        """
        try:
            if create:
                _make(path)
            _require_private(path)
        except OSError as error:
            raise ControlUnavailable("The control store's file cannot be reached.") from error
        database = Database(path)
        try:
            if create and revision(database) is None:
                build(database)
            require_head(database)
            _require_one_moment(database)
            return cls(database)
        except BaseException:
            database.close()
            raise

    def require_head(self) -> None:
        """Raises :class:`HomeRefused` when another release has brought the store up since it was opened."""
        require_head(self._db)

    def scrub(self) -> bool:
        """Remove the bytes of deleted rows from the live files (VACUUM, then empty the write-ahead log).

        False when another process was reading or writing: nothing is lost, call again later. For use after
        :meth:`finish_tenant_deletion`; costs a rewrite of the file.
        """
        return self._db.scrub()

    def close(self) -> None:
        """Release the file. Idempotent. Every later call raises :class:`ControlUnavailable`."""
        self._db.close()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Before SQLite sees it, so that the file and its -wal and -shm, which copy its mode, are private from birth.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _require_one_moment(database: Database) -> None:
    """The file's first page tells of the same moment as its tables: both are written in every commit. Before the first
    write of a process, which would make them agree."""
    row = database.row(_MOMENTS)
    if row is not None and row[1] not in (0, row[0] & IN_HEADER):  # 0: nothing was committed since the header says it
        raise HomeRefused(
            "The control store was put together from two moments: a write-ahead log of before was put beside it.",
            next_step="Restore a backup, which does again what came after it: securevec backup restore",
        )


def _require_private(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise HomeRefused(
            "The home's control store is gone.",
            next_step="Put control.db back, or make a new home from a backup: securevec backup restore --help",
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise HomeRefused("The control store is not a regular file.")
    for suffix in ("-wal", "-shm", "-journal"):  # a pipe in their place would be waited for
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.with_name(f"{path.name}{suffix}").lstat().st_mode):
                raise HomeRefused("A log of the control store is not a regular file.", next_step="Remove it.")
    if found.st_mode & _OTHERS:
        raise HomeRefused("The control store can be read by other users.", next_step="Run: chmod 600 on control.db")
    if path.parent.stat().st_mode & _OTHERS:
        raise HomeRefused("The home can be entered by other users.", next_step="Run: chmod 700 on the home directory")
