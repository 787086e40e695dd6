"""``doctor``: whether this installation is as it should be, and which settings apply."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from securevec.cli import checks
from securevec.cli.command import Group
from securevec.cli.output import cell, table
from securevec.cli.session import Session
from securevec.errors import CheckFailed
from securevec.state import home as homes

_STYLES: Final = {"ok": "green", "note": "yellow", "wrong": "red"}


def register(group: Group) -> None:
    group.command("doctor")(doctor)


def doctor(
    session: Session,
    config: Annotated[
        bool, typer.Option("--config", help="Show each setting, its value and where it is from.")
    ] = False,
    reset_time_floor: Annotated[
        bool,
        typer.Option(
            "--reset-time-floor", help="Forget times seen under a clock that was wrong. Stop other processes first."
        ),
    ] = False,
    accept_control_store: Annotated[
        bool,
        typer.Option(
            "--accept-control-store",
            help="Go on with a control store that is older than the audit log. What was held, erased or deleted since "
            "is unknown to it.",
        ),
    ] = False,
    accept_key_store: Annotated[
        bool,
        typer.Option(
            "--accept-key-store",
            help="Go on with a key store that is older than the control store: keys destroyed since are there again, "
            "newer ones are missing. Stop other processes first.",
        ),
    ] = False,
) -> None:
    """Check installation, settings, home, keys, locks and jobs. Exit 1 when one is wrong.

    The detector is measured on labelled lines that ship with the package. Nothing is changed, and a service that runs
    on the home need not stop.
    """
    if config:
        _config(session)
        return
    if reset_time_floor:
        _reset_time_floor(session)
        return
    if accept_control_store:
        _accept_control_store(session)
        return
    if accept_key_store:
        _accept_key_store(session)
        return
    found = checks.run(session)
    rows = [
        (cell(check.status, style=_STYLES[check.status]), check.name, _said(check.detail, check.next_step))
        for check in found
    ]
    session.out.show([asdict(check) for check in found], table(["", "check", "found"], rows))
    wrong = sum(check.status == "wrong" for check in found)
    if wrong:
        raise CheckFailed(f"{wrong} of {len(found)} checks found something wrong; each says what to do next.")


def _reset_time_floor(session: Session) -> None:
    """Take the system's clock as right from here on. Records that expired under the wrong one answer again."""
    from securevec.control.store import ControlStore

    homes.load(session.home)
    now_ms = time.time_ns() // 1_000_000
    with contextlib.closing(ControlStore.open(session.home / "control.db", create=False)) as control:
        control.reset_time_floor(now_ms)
    session.out.show({"time_floor_ms": now_ms}, cell("The home takes the system's clock as right from here on."))


def _accept_control_store(session: Session) -> None:
    """Keep the head of the audit log, which is verified first, as if the control store had followed it."""
    from securevec.backup.upgrading import keep_head

    size = keep_head(session.store.runtime)
    session.require_manager()
    session.out.show({"audit_head": size}, cell("The home goes on with this control store from here on."))


def _accept_key_store(session: Session) -> None:
    """Keep the key store's count as it is, as if it had never been higher."""
    from securevec.control.store import ControlStore
    from securevec.keys.keystore import KeyStore

    homes.load(session.home)
    with contextlib.closing(KeyStore(session.home / "keys")) as keys:
        changes = keys.changes()
    with contextlib.closing(ControlStore.open(session.home / "control.db", create=False)) as control:
        control.accept_key_changes(changes)
    session.require_manager()
    session.out.show({"key_changes": changes}, cell("The home goes on with this key store from here on."))


def _config(session: Session) -> None:
    """Settings by precedence. Of a secret only its place is shown."""
    from securevec.config import API_KEY, PASSPHRASE, PASSPHRASE_FILE

    settings = session.settings
    entries: list[dict[str, Any]] = [
        {"setting": item.name, "value": _as_written(item.value), "source": item.source} for item in settings.explain()
    ]
    entries += [
        {"setting": name, "value": "set, not shown", "source": "environment"}
        for name in (PASSPHRASE, PASSPHRASE_FILE, API_KEY)
        if os.environ.get(name)
    ]
    file = str(settings.config_file) if settings.config_file is not None else None
    document = {"precedence": ["argument", "environment", "file", "default"], "file": file, "settings": entries}
    rows = [(entry["setting"], "-" if entry["value"] is None else entry["value"], entry["source"]) for entry in entries]
    session.out.show(
        document,
        table(["setting", "value", "from"], rows),
        cell(f"argument > environment > file ({file or 'none found'}) > default"),
    )


def _as_written(value: object) -> str | None:
    """A setting as it would stand in the environment."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(detail: str, next_step: str) -> str:
    """What was found and what to do, told apart in one cell, which has no lines."""
    return f"{detail.rstrip('.')}. {next_step}" if next_step else detail
