"""``upgrade``: a home of an earlier build, made one of this release."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.output import pairs
from securevec.cli.session import Session


def register(group: Group) -> None:
    group.command("upgrade")(upgrade)


def upgrade(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    accept_control_store: Annotated[
        bool,
        typer.Option(
            "--accept-control-store",
            help="Go on with a control store that is older than the audit log: what was held, erased or deleted since "
            "is unknown to it. The log is verified first.",
        ),
    ] = False,
) -> None:
    """Upgrade a home that an earlier build wrote. It is tried on copies first, and what is there is counted after.

    Stop everything that uses the home. An upgrade that was interrupted is run again. There is no way back but a
    backup of before: copy the home first, its key store apart from the rest.
    """
    from securevec.backup import upgrading

    if dry_run:
        found = upgrading.look(session.home)
        if found.needed and not accept_control_store:
            upgrading.require_known(found)
    else:
        found = upgrading.upgrade(
            session.home, lambda: session.open_store(create=False), accept_control_store=accept_control_store
        )
    document: dict[str, Any] = {
        "needed": found.needed,
        "done": found.needed and not dry_run,
        "control_store": {"from": found.control_from, "to": found.control_to},
        "key_store": {"from": found.keys_from, "to": found.keys_to},
        "tenants": found.rows["tenant"],
        "collections": found.rows["collection"],
        "records": found.rows["manifest"],
        "keys": found.keys,
    }
    shown = {
        "control store": _step(found.control_from, found.control_to),
        "key store": _step(str(found.keys_from), str(found.keys_to)),
    } | {name: document[name] for name in ("tenants", "collections", "records", "keys")}
    if not found.needed:
        said = "This home needs no upgrade."
    elif dry_run:
        said = "Tried on copies, and nothing was changed. Stop what uses the home, then: securevec upgrade"
    else:
        said = "Upgraded: everything is there, and the audit log says so. Next: securevec doctor"
    session.out.show(document, pairs(shown), said)


def _step(old: str, new: str) -> str:
    return f"revision {new}" if old == new else f"revision {old} to {new}"
