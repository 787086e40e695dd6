"""What a receipt or a log is checked against: the public key that was pinned, the log it is of, and the head that the
home's control store keeps.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from securevec.cli.named import read_bounded
from securevec.cli.session import Session
from securevec.errors import AuditUnavailable, UsageError

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
