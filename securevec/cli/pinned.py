"""What a receipt or a log is checked against: the public key that was pinned, the log it is of, and the head that the
home's control store keeps.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from securevec.cli.session import Session
from securevec.errors import AuditUnavailable, SourceError, UsageError

if TYPE_CHECKING:
    from securevec.audit import Head

MAX_KEYS: Final = 4 * 1024 * 1024
"""A key file with all exchanges: 1 kB each."""

Pubkey = Annotated[
    Path | None,
    typer.Option("--pubkey", metavar="FILE", help="The pinned public key (keys export-public).", show_default=False),
]


def pinned_key(session: Session, pubkey: Path | None) -> bytes | None:
    """The 32-byte key of ``--pubkey``, else of the home at hand, else nothing.

    A home that is there, or was named, and does not open raises: it must not pass for having no key.
    """
    from securevec.crypto.sign import load_public_pem
    from securevec.state import home as homes

    if pubkey is not None:
        return load_public_pem(read_bounded(pubkey, MAX_KEYS))
    if not session.home_was_named and not homes.exists(session.home):
        return None
    return session.store.runtime.keys.signing_key().public


def read_bounded(path: Path, limit: int) -> bytes:
    """A small file that was named. Raises :class:`SourceError`, which repeats the name."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise SourceError(f"{path} cannot be read.", next_step="Is the path right, and the file yours?") from error
    if len(data) > limit:
        raise SourceError(f"{path} is too large to be what it is said to be.")
    return data


def require_directory(path: Path) -> None:
    """A path typed wrong must not pass for a log that was removed. Raises :class:`SourceError`."""
    if not path.is_dir():
        raise SourceError(f"{path} is not a directory.", next_step="Name a copy of a home's directory `audit`.")


def log_id_of(session: Session, directory: Path) -> str:
    """The home's own log; for a copy on another machine, the only log that is there."""
    from securevec.state import home as homes

    if homes.exists(session.home):
        return homes.load(session.home).installation_id
    try:
        logs = sorted(entry.name for entry in directory.iterdir() if entry.is_dir())
    except OSError as error:
        raise AuditUnavailable(
            "There is no audit log here.", next_step="Name its directory: --audit-dir DIR"
        ) from error
    if len(logs) != 1:
        raise UsageError("The audit directory does not hold exactly one log.", next_step="Pass --home as well.")
    return logs[0]


def anchor_of(session: Session) -> Head | None:
    """The head the control store keeps. Reading it takes no key."""
    from securevec.audit import Head
    from securevec.control import ControlStore
    from securevec.state import home as homes

    if not homes.exists(session.home):
        return None
    control = ControlStore.open(session.home / "control.db", create=False)
    try:
        head = control.audit_head()
    finally:
        control.close()
    return Head(*head) if head is not None else None
