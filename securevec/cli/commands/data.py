"""``search``, ``get``, ``count``, ``delete``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from securevec.cli.command import Group
from securevec.cli.named import read_stdin
from securevec.cli.output import cell, confirm, pairs, table
from securevec.cli.records import conditions, record_id
from securevec.cli.session import Session
from securevec.errors import UsageError
from securevec.limits import MAX_TEXT_BYTES

Place = Annotated[str, typer.Argument(metavar="TENANT/COLLECTION", show_default=False)]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="FIELD=VALUE", help="A condition on a filter field; repeat to add more."),
]


def register(group: Group) -> None:
    group.command("search")(search)
    group.command("get")(get)
    group.command("count")(count)
    group.command("delete")(delete)


def search(
    session: Session,
    place: Place,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What to look for; - reads stdin.", show_default=False)
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many hits.")] = 10,
    where: Where = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="ID", help="A record instead of a text: what is near to it.")
    ] = None,
    min_score: Annotated[
        float | None, typer.Option("--min-score", metavar="S", help="The least similarity, from -1 to 1.")
    ] = None,
    by_record: Annotated[bool, typer.Option("--by-record", help="The best part of each record only.")] = False,
    hybrid: Annotated[
        bool, typer.Option("--hybrid", help="Rank by the words of the text too; the collection must be made for it.")
    ] = False,
) -> None:
    """The records nearest to a text, among this tenant's only. The text itself is anonymized before it is embedded.

    A text on the command line is seen by whoever lists processes, and stays in the shell's history: ``-`` avoids both.
    """
    if (text is None) == (like is None):
        raise UsageError("A search takes a text, or a record with --like.", next_step="Name one of them.")
    if text == "-":
        text = read_stdin(MAX_TEXT_BYTES).strip()
    collection = session.collection(place)
    found = collection.search(
        text,
        where=conditions(collection.schema, where or []),
        k=k,
        like=None if like is None else record_id(collection.schema, like),
        min_score=min_score,
        group_by="record" if by_record else None,
        hybrid=hybrid,
    )
    document = {
        "hits": [
            {
                "id": hit.id,
                "score": round(hit.score, 4),
                "text": hit.text,
                "chunk": hit.chunk,
                "chunks": hit.chunks,
                "record": hit.record.model_dump(mode="json"),
            }
            for hit in found
        ],
        "violations": found.violations,
        "complete": found.complete,
        "request_id": found.request_id,
    }
    rows = [(f"{hit.score:.3f}", hit.id, cell(hit.text, limit=240)) for hit in found]
    session.out.show(document, table([">score", "id", "text, anonymized"], rows))
    if found.violations:
        session.out.say(
            f"securevec: {found.violations} stored points did not belong here and were dropped. "
            "See: securevec audit tail"
        )


def get(session: Session, place: Place, identifier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One record by its id, anonymized as stored.

    Originals are shown by Python alone, to who has the permission ``reveal``: ``SearchResult.restore``,
    ``Collection.reveal``.
    """
    collection = session.collection(place)
    record = collection.get(record_id(collection.schema, identifier)).model_dump(mode="json")
    session.out.show(record, pairs(record))


def count(session: Session, place: Place, where: Where = None) -> None:
    """How many records there are, or meet every condition. Deleted and expired ones do not count."""
    collection = session.collection(place)
    number = collection.count(conditions(collection.schema, where or []))
    session.out.show({"records": number}, str(number))


def delete(
    session: Session,
    place: Place,
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="ID", show_default=False)] = None,
    where: Where = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --where on a terminal: do not ask.")] = False,
) -> None:
    """Delete records by id, or all that meet every condition. It is read back that they are gone."""
    if bool(identifiers) == bool(where):
        raise UsageError(
            "A deletion names record ids or conditions, and not both.", next_step="For example --where status=closed."
        )
    session.frees = True
    collection = session.collection(place)
    if identifiers:
        report = collection.delete([record_id(collection.schema, identifier) for identifier in identifiers])
    else:
        chosen = conditions(collection.schema, where or [])
        if not yes and sys.stdin.isatty():
            confirm("Delete every record that meets the conditions? It cannot be undone")
        report = collection.delete(where=chosen)
    document = {
        "deleted": report.deleted,
        "missing": report.missing,
        "violations": report.violations,
        "request_ids": list(report.request_ids),
    }
    session.out.show(document, f"{report.deleted} deleted, {report.missing} not there")
