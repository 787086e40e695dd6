"""``audit tail``: the newest records as a table or as lines for a collector, and those to come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from securevec.cli.fitting import fitted
from securevec.cli.output import console, table, written
from securevec.cli.session import Session
from securevec.cli.streams import answering

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.state.runtime import Runtime

Format = Literal["json", "syslog", "cef"]
"""Those of the audit room, said here as well: what is read for a command's help must not load the library."""

_COLUMNS: Final = ("time", "action", "outcome", "actor", "tenant", "counts", "request")

_WIDE: Final = 120
"""Columns from which on a row has room for all. Below, times have no year and request ids are left out, so that a row
is one on 80 columns: --json has both."""

_POLL_S: Final = 0.5
"""Seconds between two looks for new records."""


def tail(
    session: Session,
    number: Annotated[int, typer.Option("-n", metavar="N", min=0, help="How many records.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then go on with every new record, until Ctrl-C or SIGTERM.")
    ] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Lines for a collector instead of a table; json is --json.", show_default=False),
    ] = None,
) -> None:
    """The newest records, oldest first. ``--json`` prints them as they stand in the log, one a line.

    The log holds keyed references; names are shown in the table where this home can resolve them. ``--follow`` reads
    the records of every process on this home, also of those that start later. A record may come twice after a full
    disk or another run of this command: its `metadata.uid` (CEF: externalId) is its own.
    """
    from securevec.audit import FORMATS, Follower, read_tail
    from securevec.audit.ocsf import encode

    session.require_manager()
    runtime = session.store.runtime
    directory, log_id = runtime.home / "audit", runtime.installation_id
    follower = Follower(directory, log_id=log_id) if follow else None
    newest = [encode(record) for record in read_tail(directory, log_id=log_id, limit=number)]
    shown = FORMATS["json" if form is None else form] if form is not None or session.options.json else None
    columns = None if shown is not None else _Columns(runtime, session)
    if shown is not None:
        _print_lines(map(shown, newest))
    elif columns is not None:
        with answering():
            written(console(), columns.table(newest))
    already = set(newest)
    while follower is not None:
        fresh = [raw for raw in follower.new() if raw not in already]
        if shown is not None:
            _print_lines(map(shown, fresh))
        elif columns is not None and fresh:
            with answering():
                written(console(), columns.table(fresh, head=False))
        if not fresh:
            time.sleep(_POLL_S)


def _print_lines(lines: Iterable[str]) -> None:
    """Each at once, whatever stands behind the pipe."""
    with answering():
        for line in lines:
            print(line)


class _Columns:
    """Records as rows of a table: as wide as a terminal allows, and named where this home knows names."""

    def __init__(self, runtime: Runtime, session: Session) -> None:
        self._runtime, self._session = runtime, session
        self._names = _names(runtime, session)
        self._narrow = console().width < _WIDE

    def table(self, lines: Sequence[bytes], *, head: bool = True) -> RenderableType:
        from securevec.audit import summarize
        from securevec.audit.scan import parse_line

        records = [parse_line(raw + b"\n") or {} for raw in lines]
        rows = [self._row(summarize(record)) for record in records]
        made = table(_COLUMNS[:-1] if self._narrow else _COLUMNS, rows)
        part = fitted(made, console().width)
        made.show_header = head
        return part

    def _row(self, summary: Mapping[str, str]) -> tuple[str, ...]:
        if summary["tenant"] and summary["tenant"] not in self._names:
            # Made since, while this command was following.
            self._names = _names(self._runtime, self._session)
        phase, narrow = summary["phase"], self._narrow
        return (
            summary["time"][5:19] if narrow else summary["time"][:23],
            summary["action"] if phase == "single" else f"{summary['action']} ({phase})",
            summary["outcome"],
            self._names.get(summary["actor"], summary["actor"][-12:]),
            self._names.get(summary["tenant"], summary["tenant"][:12] or "-"),
            summary["counts"] or "-",
            *([] if narrow else [summary["request"]]),
        )


def _names(runtime: Runtime, session: Session) -> Mapping[str, str]:
    """Actors and tenants by what the log calls them. A deleted tenant has no name any more."""
    from securevec.policy import Actor

    known = {runtime.names.actor_ref(actor): actor.name for actor in (Actor.local(), session.actor)}
    for token, sealed in runtime.control.principals().items():
        known[f"hmac-sha256:actors:{token.hex()}"] = runtime.names.open_text(sealed, row=token, kind="actor-name")
    for row in runtime.control.tenants():
        if row.name_sealed is not None:
            raw = bytes.fromhex(row.tenant)
            known[row.tenant] = runtime.names.open_text(row.name_sealed, row=raw, kind="tenant-name")
    return known
