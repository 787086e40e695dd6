"""``cloak report``: what a vector cloak costs and hides, on one's own collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.commands.data import Place
from securevec.cli.output import table
from securevec.cli.session import Session

if TYPE_CHECKING:
    from securevec.verbs.cloak_figures import CloakFigures


def register(group: Group) -> None:
    group.command("report")(report)


def report(
    session: Session,
    place: Place,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", help="Records measured at most, from 100 to 2,000.")
    ] = 2000,
) -> None:
    """Measure each strength of a cloak on a collection's vectors. Recall, time, and who is identified.

    Reads and changes nothing. The attacker of the figures reads the store and has a list of candidate texts.
    """
    from securevec.verbs.cloak_figures import PAIRS

    result = session.collection(place).cloak_report(sample=sample)
    own = result.cloak
    document = {
        "cloak": None if own is None else {"mode": own.mode, "noise": own.noise},
        "records": result.records,
        "dimension": result.dimension,
        "figures": [asdict(each) | {"mode": each.mode} for each in result.figures],
        "request_id": result.request_id,
    }
    headings = ["cloak", "recall@10", "as the store ranks", "us a vector", *_pairs(PAIRS), "no pair", "other texts"]
    rows = [_row(each, PAIRS, own is not None and own.noise == each.noise) for each in result.figures]
    session.out.show(
        document,
        table(headings, rows),
        "",
        f"{result.records} records, {result.dimension} dimensions; identified: among all texts measured, by known "
        "pairs of text and point, by the list of texts alone, by other texts of the same kind.",
        "A cloak is obfuscation and not encryption (docs/threat-model.md)."
        + ("" if own is not None else " This collection has none."),
    )


def _pairs(known: Sequence[int]) -> list[str]:
    return [f"{pairs} pair{'s' if pairs > 1 else ''}" for pairs in known]


def _row(figures: CloakFigures, known: Sequence[int], own: bool) -> tuple[str, ...]:
    name = f"{figures.mode} {figures.noise:g}" if figures.noise else figures.mode
    found = [figures.identified.get(pairs) for pairs in known]
    return (
        name + (" *" if own else ""),
        f"{figures.recall:.3f}",
        f"{figures.recall_of_store:.3f}",
        f"{figures.microseconds:.1f}",
        *("" if share is None else f"{share:.1%}" for share in found),
        f"{figures.identified_without:.1%}",
        f"{figures.identified_by_kind:.1%}",
    )
