"""``securevec demo``: the steps in order, the verdict, and what to try next."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.session import Session
from securevec.errors import CheckFailed


def register(group: Group) -> None:
    group.command("demo")(demo)


def demo(
    session: Session,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Where to put everything. Default: a new temporary directory."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="A few rows of each file only.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every row of each file; takes longer.")] = False,
) -> None:
    """Show everything once, on an invented help desk. Tries to break every promise. Offline, under a minute.

    Exit 1 when a promise did not hold.
    """
    from securevec.cli.demo import erasure, filling, forgery, log, outage, reading, wall
    from securevec.cli.demo.corpus import FAST_ROWS, USUAL_ROWS, find_corpus
    from securevec.cli.demo.scene import make_places
    from securevec.cli.demo.stage import Stage

    corpus = find_corpus()
    rows = None if every else FAST_ROWS if fast else USUAL_ROWS
    stage = Stage(as_json=session.out.as_json)
    places = make_places(keep)
    with ExitStack() as on_failure:
        # An unfinished demo leaves nothing behind, except where somebody asked for it; the copies to tamper with go.
        unwanted = places.base if keep is None else places.scratch
        on_failure.callback(shutil.rmtree, unwanted, ignore_errors=True)
        scene = filling.make_home(stage, corpus, places, rows=rows)
        with scene.store:
            filling.fill(scene)
            reading.search(scene)
            reading.compare(scene)
            stage.step(5, "trying to cross the wall")
            stage.attempts(wall.through_handles(scene))
            stage.attempts(forgery.inside_the_store(scene))
            stage.attempts([*outage.visibility(scene), *outage.failures(scene)])
            erasure.erase(scene)
            log.tamper(scene)
        shutil.rmtree(places.scratch, ignore_errors=True)
        on_failure.pop_all()
    stage.step(8, "the promises")
    held = stage.promises()
    commands = _commands(places.base)
    stage.document |= {"ok": held, "seconds": round(stage.seconds, 1), "directory": str(places.base)}
    stage.document["commands"] = commands
    stage.note(f"{stage.seconds:.1f} s. Everything lies in {places.base}; remove it when you are done. To try next:")
    if session.out.as_json:
        session.out.show(stage.document)
    else:
        for line in commands:
            typer.echo(f"  {line}")
    if not held:
        raise CheckFailed("A promise did not hold; see the table.")


def _commands(base: Path) -> list[str]:
    """Lines to copy. They run in the shell the demo was started from."""
    program, home = _program(), shlex.quote(str(base / "home"))
    receipt, key = shlex.quote(str(base / "northgate.receipt.json")), shlex.quote(str(base / "public.pem"))
    return [
        f'{program} search larkfield/tickets "hearing aid lost at the scan" -k 3 --home {home}',
        f"{program} audit verify --home {home}",
        f"{program} receipt verify {receipt} --pubkey {key}",
    ]


def _program() -> str:
    """How this program was called, or its bare name where the shell would find the same one."""
    called = Path(sys.argv[0])
    found = shutil.which("securevec")
    if called.name != "securevec" or (found is not None and Path(found).resolve() == called.resolve()):
        return "securevec"
    return shlex.quote(str(called))
