"""``keys list|export-public``: what is known about keys without opening one, and the key receipts are checked with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.output import moment, table
from securevec.cli.session import Session
from securevec.errors import UsageError


def register(group: Group) -> None:
    group.command("list")(list_keys)
    group.command("export-public")(export_public)


def list_keys(session: Session) -> None:
    """Every key's kind, purpose, epoch and age. No key material is read."""
    session.require_manager()
    entries: list[dict[str, Any]] = [
        {
            "key": key.key_id,
            "kind": key.kind,
            "purpose": key.purpose,
            "tenant_id": key.tenant or None,
            "collection_id": key.collection or None,
            "epoch": key.epoch or None,
            "state": key.state,
            "created": moment(key.created_ms),
            "leased_messages": key.leased,
        }
        for key in session.store.runtime.keys.list_keys()
    ]
    rows = [
        (
            entry["key"][:12],
            entry["kind"],
            entry["purpose"],
            (entry["tenant_id"] or "-")[:12],
            entry["epoch"] or "-",
            entry["state"],
            entry["created"],
        )
        for entry in entries
    ]
    session.out.show(entries, table(["key", "kind", "purpose", "tenant id", "epoch", "state", "created"], rows))


def export_public(
    session: Session,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: stdout.", show_default=False)
    ] = None,
) -> None:
    """The public key that receipts and audit checkpoints are checked with, as PEM.

    Hand it over by another way than the receipts: whoever can replace both can forge both.
    """
    from securevec.retention.receipt import public_key_id

    key = session.store.runtime.keys.signing_key()
    pem = key.public_pem().decode("ascii")
    fingerprint = public_key_id(key.public)
    if out is not None:
        if out.exists():
            raise UsageError("The file exists.", next_step="Name another one.")
        out.write_text(pem, encoding="ascii")
    document = {"key_id": fingerprint, "pem": pem, "file": str(out) if out is not None else None}
    if session.out.as_json or out is not None:
        session.out.show(document, f"key id {fingerprint}")
        return
    typer.echo(pem, nl=False)
    session.out.say(f"key id {fingerprint}")
