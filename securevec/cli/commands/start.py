"""``init``: a new home."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.output import pairs
from securevec.cli.session import Session
from securevec.errors import HomeRefused
from securevec.state import home as homes


def register(group: Group) -> None:
    group.command("init")(init)


def init(
    session: Session,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            metavar="edge|chroma|URL",
            help="Where vectors lie, for good: in this process, or a server at chroma://HOST:PORT, "
            "qdrants://HOST:PORT. Also SECUREVEC_BACKEND. Default: edge.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a home: keys, records and the audit log lie there.

    The root key goes to a key file outside the home, or comes from a passphrase (SECUREVEC_KEY_PROVIDER=passphrase).
    Every other setting: `securevec doctor --config`.
    """
    session.backend = backend
    if homes.exists(session.home):
        raise HomeRefused("There is a home here already.", next_step="Look at it with: securevec doctor")
    store = session.open_store(create=True)
    installation = homes.load(session.home)
    document: dict[str, Any] = {
        "home": str(session.home.resolve()),
        "installation": installation.installation_id,
        "backend": installation.backend,
        "key_provider": installation.key_provider.get("kind"),
        "key_file": key_file(session, installation),
    }
    store.close()
    session.out.show(document, pairs({name: value for name, value in document.items() if value is not None}))
    if document["key_file"] is not None:
        session.out.say("Keep a copy of the key file apart from backups of the home: without it nothing opens.")


def key_file(session: Session, installation: homes.Installation) -> str | None:
    """Where the root key lies, for a home that has a key file."""
    from securevec.keyproviders.file import default_key_path

    if installation.key_provider.get("kind") != "file":
        return None
    path = session.settings.key_file or default_key_path(installation.installation_id)
    return os.path.normpath(path)
