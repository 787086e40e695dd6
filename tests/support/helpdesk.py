"""The help desk corpus as tests see it: its rows' truth, its Record class, the names tests give its tenants, and every
string of it that may stand nowhere in clear. The truth file is read for scoring alone.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import securevec as sv
from tests.support.corpus import Corpus, Planted, Source, TruthRow, class_of
from tests.support.needles import Needles

CORPUS: Final = Path(__file__).parents[2] / "examples" / "corpora" / "helpdesk"
TENANTS: Final = {"larkfield.jsonl": "larkfield-general-hospital", "northgate.csv": "northgate-dental-reception"}
COLLECTION: Final = "patient-desk-tickets"
ACTOR: Final = sv.Actor("svc:reception-software", purpose="answering patients")


def read_truth() -> list[TruthRow]:
    rows: list[TruthRow] = []
    for line in (CORPUS / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        raw: dict[str, Any] = json.loads(line)
        planted = tuple(Planted(name, *span) for name, spans in raw["spans"].items() for span in spans)
        rows.append(
            TruthRow(
                raw["file"],
                raw["row"],
                raw["id"] or "",
                planted,
                tuple(raw["canaries"]),
                raw.get("malformed") is not None,
            )
        )
    return rows


@cache
def all_needles() -> Needles:
    """Everything that may stand nowhere in clear: canaries, values, full names, record ids, and the names we chose."""
    values: list[tuple[str, str]] = [("tenant name", name) for name in TENANTS.values()]
    values += [("collection name", COLLECTION), ("actor", ACTOR.name), ("purpose", ACTOR.purpose)]
    for row in read_truth():
        values += [("canary", canary) for canary in row.canaries]
        values.append(("record id", row.id))
        # A single name is an ordinary word often enough; a full one is not.
        values += [(item.label, item.value) for item in row.planted if item.label != "PERSON" or " " in item.value]
    return Needles(values)


def ticket_class() -> type[sv.Record]:
    """The Record class the corpus comes with."""
    return class_of(CORPUS / "schema.py", "Ticket")


HELPDESK: Final = Corpus(
    name="helpdesk",
    actor=ACTOR,
    sources=tuple(
        Source(
            key=file,
            path=CORPUS / file,
            tenant=tenant,
            collection=COLLECTION,
            record=ticket_class,
            embedded=frozenset({"body"}),
            subject="customer",
        )
        for file, tenant in TENANTS.items()
    ),
    rows=read_truth,
    needles=all_needles,
    labels=13,
)
