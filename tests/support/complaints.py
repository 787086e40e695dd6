"""The complaints corpus as tests see it. A tenant for the part the detector's author may read, and one for the rest."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import securevec as sv
from tests.support.corpus import Corpus, Planted, Source, TruthRow, class_of
from tests.support.needles import Needles

CORPUS: Final = Path(__file__).parents[2] / "examples" / "corpora" / "complaints"
TENANTS: Final = {"dev": "merrowby-complaints-office", "heldout": "merrowby-ombudsman-office"}
LETTERS: Final = "letters-of-customers"
REGISTER: Final = "register-of-complaints"
ACTOR: Final = sv.Actor("svc:complaint-handling", purpose="answering complaints")


@cache
def read_truth() -> list[TruthRow]:
    rows: list[TruthRow] = []
    for line in (CORPUS / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        raw: dict[str, Any] = json.loads(line)
        if "row" in raw:
            planted = tuple(Planted(name, *span) for name, spans in raw["spans"].items() for span in spans)
            key, number, id_ = raw["file"], raw["row"], raw["id"]
        else:
            folder, _, id_ = raw["file"].rpartition("/")
            planted = tuple(Planted("text", -1, -1, label, value) for label, value in raw["values"])
            key, number = folder, int(id_[:3])
        rows.append(
            TruthRow(
                key, number, id_, planted, tuple(raw["canaries"]), raw.get("malformed") is not None, tuple(raw["near"])
            )
        )
    return rows


@cache
def all_needles() -> Needles:
    """Everything that may stand nowhere in clear: canaries, values, full names, ids and paths, the names we chose."""
    values: list[tuple[str, str]] = [("tenant name", name) for name in TENANTS.values()]
    values += [("collection name", LETTERS), ("collection name", REGISTER)]
    values += [("actor", ACTOR.name), ("purpose", ACTOR.purpose)]
    for row in read_truth():
        values += [("canary", canary) for canary in row.canaries]
        values.append(("record id", row.id))
        # A single name is an ordinary word often enough; a full one is not.
        values += [(item.label, item.value) for item in row.planted if item.label != "PERSON" or " " in item.value]
    return Needles(values)


def complaint_class() -> type[sv.Record]:
    """The Record class the register comes with."""
    return class_of(CORPUS / "schema.py", "Complaint")


COMPLAINTS: Final = Corpus(
    name="complaints",
    actor=ACTOR,
    sources=tuple(
        source
        for split, tenant in TENANTS.items()
        for source in (
            Source(
                key=f"{split}/letters",
                path=CORPUS / split / "letters",
                tenant=tenant,
                collection=LETTERS,
                record=lambda: sv.Page,
                embedded=frozenset({"text"}),
            ),
            Source(
                key=f"{split}/register.csv",
                path=CORPUS / split / "register.csv",
                tenant=tenant,
                collection=REGISTER,
                record=complaint_class,
                embedded=frozenset({"summary"}),
                subject="customer",
            ),
        )
    ),
    rows=read_truth,
    needles=all_needles,
    labels=20,
)
