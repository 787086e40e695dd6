"""``attack``: every known way around the wall, replayed on your own store in temporary tenants."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.output import cell, console, table
from securevec.cli.session import Session
from securevec.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from securevec.attack.case import Cell, Outcome


def register(group: Group) -> None:
    group.command("attack")(attack)


def attack(
    session: Session,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            metavar="NAME|URL",
            help="memory, edge, chroma, or the address of a server. Default: the home's, or the configured one.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="PATH", help="One path by its name; may be repeated.")
    ] = None,
) -> None:
    """Try every known way around tenant isolation. On your own store; says which barrier held.

    Temporary tenants with keys of their own are made and removed; no home is read or written. Beside each path: what
    the server alone allows, tried with the vendor's client on copies of the same rows. Exit 1 when anything came
    through.
    """
    from securevec.attack import ATTACKS
    from securevec.attack import attack as carry_out

    known = {each.name for each in ATTACKS}
    if only and not known.issuperset(only):
        raise UsageError("There is no path of this name.", next_step="Run it without --only to see all names.")
    with _telling(quiet=session.out.as_json) as say:
        chosen = backend or _configured(session)
        outcomes = carry_out(chosen, plain_http_hosts=session.settings.plain_http_hosts, say=say, only=only or ())
    leaks = sum(each.leaked for each in outcomes)
    failed = sum(each.failed for each in outcomes)
    allowed = sum(each.server_alone.word == "passed" for each in outcomes)
    document = {
        "backend": chosen.partition("://")[0],
        "paths": [each.document() for each in outcomes],
        "leaks": leaks,
        "failed": failed,
        "allowed_by_the_server_alone": allowed,
    }
    summary = f"{len(outcomes)} paths, {leaks} leaks, {failed} not known. The server alone allowed {allowed} of them."
    columns = ["Path", "Barrier 1", "Barrier 2", "Verdict", "The server alone"]
    session.out.show(document, table(columns, [_row(each) for each in outcomes]), summary)
    if leaks:
        raise typer.Exit(1)
    if failed:
        raise typer.Exit(5)


def _configured(session: Session) -> str:
    from securevec.state import home as homes

    return homes.load(session.home).backend if homes.exists(session.home) else session.settings.backend


def _row(outcome: Outcome) -> Sequence[object]:
    alone = outcome.server_alone
    said = {"passed": "allowed", "held": "not allowed"}.get(alone.word, alone.word)
    return (
        outcome.name,
        _word(outcome.barrier_1),
        _word(outcome.barrier_2),
        _word(outcome.verdict),
        f"{said}: {alone.says}" if alone.says else said,
    )


def _word(given: Cell) -> Text:
    return cell(given.word, style="bold red" if given.word in ("LEAK", "failed") else "")


@contextmanager
def _telling(*, quiet: bool) -> Generator[Callable[[int, int, str], None]]:
    """What is being tried, on stderr: a spinner on a terminal, every tenth as a line elsewhere, and nothing with
    ``--json``."""
    if quiet:
        yield lambda number, total, name: None
        return
    if not sys.stderr.isatty():

        def line(number: int, total: int, name: str) -> None:
            if number % 10 == 1:
                print(f"{number}/{total} {name}", file=sys.stderr)

        yield line
        return
    with console(stderr=True).status("Preparing") as status:
        yield lambda number, total, name: status.update(f"{number}/{total} {name}")
