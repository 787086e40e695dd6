"""A home of an earlier build made one of this release: the command ``securevec upgrade``.

    looked at     home, control store and key store say of which format they are; what no step leads from is refused,
                  and so is a home that another process uses
    rehearsed     both stores are upgraded as copies and read there: a home that would not come through is not touched
    marked        ``.upgrading`` stands in the home; nobody else opens it until the end
    upgraded      each store in its place, in one transaction of its own
    verified      rows are compared with those before; the home is opened as ever, keys that had no number get theirs,
                  and what was done is in the audit log
    unmarked

Each step may be repeated, so an upgrade that was interrupted is run again. Embedded data is not read: its format is
that of the home, which has not changed since format 3.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securevec.audit import Head, is_alive, verify_log
from securevec.audit.reading import issued
from securevec.backup.scope import admit_manager
from securevec.control import migrate
from securevec.control.database import connect, failure
from securevec.errors import CheckFailed, EngineLocked, HomeRefused
from securevec.keys import keyupgrade
from securevec.keys.keytables import USER_VERSION
from securevec.state import home as homes
from securevec.state.engine import kept_out

if TYPE_CHECKING:
    from securevec.state.runtime import Runtime
    from securevec.store.secure_store import SecureStore

FIRST: Final = "0004"
"""The control store's revision when homes of today's format began to be written; older ones lie in older homes."""
_COUNTED: Final = (
    *("tenant", "collection", "manifest", "hold", "tombstone", "job", "principal_grant", "retention_rule", "quota"),
    *("source_file", "name_part", "record_subject", "transit", "placement"),
)
"""Tables whose rows are as many after as before."""

Opened = Callable[[], "SecureStore"]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What there is to do, or was done. Revisions are of the control store, versions of the key store."""

    control_from: str
    control_to: str
    keys_from: int
    keys_to: int
    unfinished: bool
    """An earlier attempt changed the home, and its verification or its audit record is missing."""
    rows: Mapping[str, int]
    """Rows by table, as they were found."""
    keys: int
    ahead: int
    """Lines of the log of audit writers that the control store never heard of."""

    @property
    def needed(self) -> bool:
        return self.unfinished or (self.control_from, self.keys_from) != (self.control_to, self.keys_to)


def look(home: Path) -> Upgrade:
    """What an upgrade would do. Rehearses it on copies, which are removed again; the home is not changed.

    Raises :class:`HomeRefused` for a home that no step leads from, and what reading it raises.
    """
    installation = homes.load(home)
    control, keys = _revision(home), keyupgrade.version_of(home / "keys")
    if not control.isdecimal() or not FIRST <= control <= migrate.HEAD or not keyupgrade.FIRST <= keys <= USER_VERSION:
        raise HomeRefused(
            "The home is of a build that no upgrade leads from, or of a newer release.",
            next_step="Open it with the release that wrote it, or make a new home, and ingest again.",
        )
    with _copied(home) as copy:
        before = _rows(copy)
        if keys < USER_VERSION and before.get("key_store"):
            # Such a control store was never beside such a key store.
            raise HomeRefused(
                "The key store is older than the control store: an earlier copy was put in its place.",
                next_step="Put the newest keys.db back, then run it again.",
            )
        migrate.upgrade(copy)
        _require_same(before, _rows(copy))
        ahead = max(0, issued(home / "audit", log_id=installation.installation_id) - _announced(copy))
    return Upgrade(
        control_from=control,
        control_to=migrate.HEAD,
        keys_from=keys,
        keys_to=USER_VERSION,
        unfinished=homes.upgrade_begun(home),
        rows={table: before.get(table, 0) for table in _COUNTED},
        keys=keyupgrade.rehearse(home / "keys"),
        ahead=ahead,
    )


def upgrade(home: Path, opened: Opened, *, accept_control_store: bool = False) -> Upgrade:
    """Bring the home to this release. ``opened`` opens it afterwards, as the actor in whose name this is recorded.
    ``accept_control_store``: also when its audit log is longer than the control store knows (:func:`require_known`);
    the log is verified and goes on from its end.

    Raises :class:`EngineLocked` when another process uses the home, :class:`HomeRefused` as :func:`look`,
    :class:`CheckFailed` when rows are missing afterwards, and what opening a home raises. Run it again then.
    """
    homes.load(home)  # before a lock file is made in what is no home
    with kept_out(home):
        found = look(home)
        if not found.needed:
            return found
        if not accept_control_store:
            require_known(found)
        homes.begin_upgrade(home)
        try:
            _require_alone(home)  # behind the mark: who comes from now on is refused by it
        except EngineLocked:
            if not found.unfinished:
                homes.end_upgrade(home)
            raise
        migrate.upgrade(home / "control.db")
        keyupgrade.upgrade(home / "keys")
        _require_same(found.rows, _rows(home / "control.db"))
    token = homes.UPGRADING.set(True)
    try:
        with opened() as store:
            if found.ahead:
                keep_head(store.runtime)
            admission = admit_manager(store.runtime, store.actor, "config")
            store.runtime.keys.number_pseudonyms()
            kept = {"tenants": found.rows["tenant"], "collections": found.rows["collection"]}
            detail: dict[str, str | int | bool] = {
                "target": "home",
                "change": "updated",
                "generation": int(migrate.HEAD),
            }
            admission.note(counts=kept | {"records": found.rows["manifest"], "keys": found.keys}, detail=detail)
    finally:
        homes.UPGRADING.reset(token)
    homes.end_upgrade(home)
    return found


def _require_alone(home: Path) -> None:
    """Raises :class:`EngineLocked` while another process has an audit log open here: in front of a server no lock of an
    engine tells of it, and a process of the earlier build would go on writing into stores that it does not know."""
    log = home / "audit" / homes.load(home).installation_id
    with contextlib.suppress(FileNotFoundError):
        if any(is_alive(log, entry.name) for entry in log.iterdir()):
            raise EngineLocked("Another process uses this home.", next_step="Stop it, then run it again.")


def require_known(found: Upgrade) -> None:
    """Raises :class:`HomeRefused` when the audit log is longer than the control store knows. Builds before revision
    0008 did not announce a line, so one that was killed behind it cannot be told from an older control store that was
    put back: which it is only the operator knows."""
    if found.ahead:
        raise HomeRefused(
            f"The audit log is longer than the control store knows, by {found.ahead} of its lines: either the earlier "
            "build was killed while it wrote, or an older copy of control.db was put back.",
            next_step="If none was put back, go on: securevec upgrade --accept-control-store. Else put the newest "
            "control.db back first: an older one does not know what was held, erased or deleted since.",
        )


def keep_head(runtime: Runtime) -> int:
    """Keep the head of the audit log, which is verified first, as if the control store had followed it, and return how
    long the log is. Raises :class:`AuditTampered`."""
    control, audit = runtime.control, runtime.home / "audit"
    kept, public = control.audit_head(), runtime.keys.signing_key().public
    anchor = None if kept is None else Head(size=kept[0], root=kept[1])
    head = verify_log(audit, log_id=runtime.installation_id, public_key=public, anchor=anchor).head
    control.set_audit_head(head.size, head.root, head.note)
    return head.size


def _announced(path: Path) -> int:
    """How long the log may be, of an upgraded copy."""
    with _reading(path) as connection:
        row = connection.execute("SELECT size FROM audit_next WHERE id = 1").fetchone()
    return int(row[0]) if row else 0


def _revision(home: Path) -> str:
    with _reading(home / "control.db") as connection:
        try:
            return str(connection.execute(migrate.SELECT_REVISION).fetchone()[0])
        except (sqlite3.Error, TypeError) as error:
            raise HomeRefused("This file is not a securevec control store.") from error


@contextlib.contextmanager
def _copied(home: Path) -> Generator[Path]:
    """The control store as it is now, in a directory of the home of its own. It holds no key and no clear name."""
    place = home / homes.REHEARSAL
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        path = place / "control.db"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with _reading(home / "control.db") as source, contextlib.closing(sqlite3.connect(path)) as target:
            source.backup(target)
        yield path
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _reading(path: Path) -> Generator[sqlite3.Connection]:
    try:
        with contextlib.closing(connect(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise failure(error) from error


def _rows(path: Path) -> dict[str, int]:
    """Rows by table of a sound control store."""
    with _reading(path) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise HomeRefused("The control store is damaged.", next_step="Restore it from a backup.")
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        counted = [table for table in (*_COUNTED, "key_store") if table in there]
        return {table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in counted}  # noqa: S608  # from the list above


def _require_same(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    lost = [table for table in _COUNTED if before.get(table, 0) != after.get(table, 0)]
    if lost:
        raise CheckFailed(
            f"The upgraded control store has not as many rows as before: {', '.join(lost)}.",
            next_step="Restore the home from a backup, or open it with the release that wrote it.",
        )
