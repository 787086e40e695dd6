"""``bench``: what the protection costs on this machine, against the vendor's own client. Needs no home."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.output import console, pairs, table
from securevec.cli.session import Session
from securevec.errors import SourceError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from securevec.bench.figures import Figures, IngestRow, SearchRow
    from securevec.bench.measure import SoFar


def register(group: Group) -> None:
    group.command("bench")(bench)


def bench(
    session: Session,
    backend: Annotated[str, typer.Option("--backend", metavar="NAME", help="edge or chroma.")] = "edge",
    points: Annotated[int, typer.Option("--points", metavar="N", help="Records on each side.")] = 5_000,
    dim: Annotated[
        int, typer.Option("--dim", metavar="N", help="Dimensions; the part with the model needs 384.")
    ] = 384,
    k: Annotated[int, typer.Option("-k", "--k", metavar="N", help="Hits of each search.")] = 10,
    queries: Annotated[int, typer.Option("--queries", metavar="N", help="Searches of each side that count.")] = 200,
    model_points: Annotated[
        int, typer.Option("--model-points", metavar="N", help="Records to embed; 0 leaves the model out.")
    ] = 256,
    vectors: Annotated[
        Path | None,
        typer.Option(
            "--vectors", metavar="FILE", help="Vectors of your own, .npy or .parquet: their number and dimension count."
        ),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Question vectors; without, the last of --vectors are asked."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="Write a page with plots too.", show_default=False)
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option("--work", metavar="DIR", help="Where the stores are made, and removed.", show_default=False),
    ] = None,
) -> None:
    """Measure overhead beside the vendor's own client. Both interleaved, a row per control switched on.

    The data is made up, but for --vectors and --questions; nothing of a home is read. 5,000 points take about a
    minute, 50,000 about ten on Chroma. Ctrl-C ends it with what was measured by then.
    """
    from securevec.bench.given import read_vectors
    from securevec.bench.measure import Options, SoFar, measure
    from securevec.bench.page import conditions, page
    from securevec.newfile import write_file

    if out is not None and not _may_be_made(out):
        raise SourceError("The page of --out cannot be made.", next_step="Name a file in a folder that is there.")
    if questions is not None and vectors is None:
        raise UsageError("Questions of your own are asked of vectors of your own.", next_step="Give --vectors too.")
    options = Options(
        backend=backend,
        points=points,
        dimension=dim,
        k=k,
        questions=queries,
        model_points=model_points if vectors is None else 0,  # a model has no part in vectors that are given
        vectors=None if vectors is None else read_vectors(vectors),
        asked_for=None if questions is None else read_vectors(questions),
    )
    so_far = SoFar()
    try:
        with _telling(quiet=session.out.as_json) as say:
            figures = measure(options, say=say, below=work, so_far=so_far)
    except KeyboardInterrupt:
        if so_far.ingest:
            said = f"Interrupted after {so_far.ingest[0].records:,} records and {so_far.questions:,} questions."
            session.out.show(so_far.document(), *_measured(so_far), said)
        raise
    if out is not None:
        write_file(out, page(figures).encode(), what="page", overwrite=True)
    session.out.show(figures.document(), *_shown(figures), conditions(figures))


def _may_be_made(page: Path) -> bool:
    """Asked before minutes are spent on what goes there."""
    try:
        return page.parent.is_dir() and not page.is_dir()
    except OSError:  # too long a name
        return False


def _measured(so_far: SoFar) -> list[RenderableType]:
    found = _searches(so_far.search, "A search, vector given") if so_far.search else []
    return [*found, *_writes(so_far.ingest)]


@contextmanager
def _telling(*, quiet: bool) -> Generator[Callable[[str], None]]:
    """What is being done, on stderr: a spinner on a terminal, lines elsewhere, and nothing with ``--json``."""
    if quiet:
        yield lambda line: None
        return
    if not sys.stderr.isatty():
        yield lambda line: print(line, file=sys.stderr)
        return
    with console(stderr=True).status("Preparing") as status:
        yield status.update


def _shown(figures: Figures) -> list[RenderableType]:
    shown = _searches(figures.search, "A search, vector given: each row adds one control to the row above it")
    if figures.model_search:
        shown += _searches(figures.model_search, "A search behind the model")
    shown += _writes([*figures.ingest, *figures.model_ingest])
    sizes = [(f"disk, {name}", size) for name, size in figures.disk.items()]
    sizes += [(f"memory, {name}", size) for name, size in figures.memory.items()]
    return [*shown, table(["Bytes", ">MiB"], [(name, f"{size / 2**20:,.1f}") for name, size in sizes]), ""]


def _searches(rows: Sequence[SearchRow], title: str) -> list[RenderableType]:
    figures = table(
        ["Row", ">p50 ms", ">p95 ms", ">ratio", ">added ms", ">recall", ">same answer"],
        [
            (
                row.name,
                f"{row.p50_ms:.2f}",
                f"{row.p95_ms:.2f}",
                f"{row.ratio:.2f}x",
                f"{row.added_ms:+.2f}",
                "" if row.recall is None else f"{row.recall:.3f}",
                f"{row.same:.0%}",
            )
            for row in rows
        ],
        title=title,
    )
    return [figures, "", _legend(rows), ""]


def _writes(rows: Sequence[IngestRow]) -> list[RenderableType]:
    figures = table(
        ["Row", ">records", ">records/s", ">time"],
        [(row.name, f"{row.records:,}", f"{row.per_second:,.0f}", f"{row.ratio:.2f}x") for row in rows],
        title="Writing, vectors given; where it says model, embedded too",
    )
    return [figures, "", _legend(rows), ""]


def _legend(rows: Sequence[SearchRow | IngestRow]) -> Table:
    """What each row is. In a column of the table it left the figures no room on 80 columns."""
    return pairs({row.name: row.says for row in rows})
