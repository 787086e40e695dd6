"""Writes the help desk corpus: two invented tenants, a truth file and queries.

    python examples/corpora/make_helpdesk.py --seed 7 --out examples/corpora/helpdesk

The same seed gives the same bytes. Needs the standard library only. The sentence pools lie in ``pools/``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import helpdesk_values as values
from helpdesk_text import People, Person, Scene, Span, Text, compose, note, sentences

POOLS = Path(__file__).parent / "pools"
COLUMNS = (
    "id",
    "customer",
    "body",
    "notes",
    "status",
    "opened",
    "internal_comment",
    "agent_ip",
    "session_token",
    "ssn_on_file",
)
STATUS = ("open", "open", "waiting", "closed", "closed", "closed")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One file to be written."""

    name: str
    file: str
    prefix: str
    pools: str
    records: int
    agents: tuple[str, ...]


TENANTS = (
    Tenant("larkfield", "larkfield.jsonl", "LGH", "hospital", 430, ("Dana Ormsby", "Piotr Sadowski", "Renata Coyle")),
    Tenant("northgate", "northgate.csv", "NGD", "dental", 190, ("Owen Tarbuck", "Salma Idrissi", "Fenna Woudstra")),
)


@dataclass(slots=True)
class Row:
    """One row of a file: what is written, and what is true about it."""

    cells: dict[str, Any]
    spans: dict[str, list[Span]]
    topic: str
    person: str = ""
    malformed: str = ""
    update: bool = False
    raw: str = ""
    canary: str = ""
    keep_cells: int = len(COLUMNS)
    more_cells: list[str] = field(default_factory=list)


def load(name: str) -> dict[str, Any]:
    """One pool file."""
    return tomllib.loads((POOLS / f"{name}.toml").read_text(encoding="utf-8"))


def label_all(text: Text) -> None:
    """Label every further whole-word appearance of a labelled value, so that the truth misses none."""
    body, covered = text.value, [(start, end) for start, end, _, _ in text.spans]
    for value, label in sorted({(value, label) for _, _, label, value in text.spans}, key=lambda pair: -len(pair[0])):
        for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", body):
            if not any(start < match.end() and match.start() < end for start, end in covered):
                text.spans.append((match.start(), match.end(), label, value))
                covered.append(match.span())
    text.spans.sort()


class Desk:
    """Makes the rows of one tenant."""

    def __init__(self, tenant: Tenant, seed: int, people: People) -> None:
        self._tenant, self._seed, self._people = tenant, seed, people
        self._kinds, self._shared = load(tenant.pools), load("shared")
        self._stories = load("stories")[tenant.name]
        rng = self._rng("patients")
        self._patients = [people.person(rng) for _ in range(tenant.records * 3 // 5)]

    def _rng(self, part: object) -> Random:
        return Random(f"{self._seed}/{self._tenant.name}/{part}")

    def _opened(self, rng: Random) -> tuple[datetime, str]:
        zone = rng.choice([UTC, UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=2))])
        moment = datetime(2025, 9, 1, 7, tzinfo=zone) + timedelta(
            days=rng.randint(0, 300), minutes=rng.randint(0, 600), seconds=rng.randint(0, 59)
        )
        shown = moment.isoformat()
        return moment, shown.replace("+00:00", "Z") if rng.random() < 0.7 else shown

    def _row(self, rng: Random, number: int, me: Person, topic: str, text: Text, notes: Text | None, at: str) -> Row:
        by_mail = rng.random() < 0.4
        customer = Text()
        customer.add(me.email if by_mail else me.full, "EMAIL" if by_mail else "PERSON")
        spans: dict[str, list[Span]] = {"customer": customer.spans}
        for name, part in (("body", text), ("notes", notes)):
            if part is not None:
                label_all(part)
                spans[name] = part.spans
        canary = f"canary-{rng.getrandbits(64):016x}"
        cells = {
            "id": f"{self._tenant.prefix}-{26000 + number}-{values.digits(rng, 4)}",
            "customer": customer.value,
            "body": text.value,
            "notes": None if notes is None else notes.value,
            "status": rng.choice(STATUS),
            "opened": at,
            "internal_comment": rng.choice(
                ["Not for the patient: {}", "handle with care {}", "{} see staff file", "audit marker {}"]
            ).format(canary),
            "agent_ip": f"10.{rng.randint(64, 127)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
            "session_token": f"sess_{rng.getrandbits(128):032x}",
            "ssn_on_file": values.ssn(rng),
        }
        return Row(cells=cells, spans=spans, topic=topic, person=me.full, canary=canary)

    def ticket(self, number: int, *, kind: str, me: Person | None = None) -> Row:
        """One ordinary ticket of a kind."""
        rng = self._rng(number)
        me = me or rng.choice(self._patients)
        opened, shown = self._opened(rng)
        scene = Scene(rng, self._people, me, self._tenant.agents, opened)
        pool = self._kinds[kind]
        text = compose(rng, scene, sentences(rng, pool, self._shared), self._shared)
        while not 60 <= len(text.value.split()) <= 180:
            text = compose(rng, scene, sentences(rng, pool, self._shared), self._shared)
        notes = note(rng, scene, pool["notes"], self._shared)
        return self._row(rng, number, me, kind, text, notes, shown)

    def story(self, number: int, story: Mapping[str, str]) -> Row:
        """A ticket that stands alone."""
        rng = self._rng(number)
        me = rng.choice(self._patients)
        opened, shown = self._opened(rng)
        scene = Scene(rng, self._people, me, self._tenant.agents, opened)
        text = Text()
        scene.write(text, story["body"])
        notes = note(rng, scene, [story["notes"]], self._shared)
        return self._row(rng, number, me, story["topic"], text, notes, shown)

    def rows(self) -> list[Row]:
        """Good rows in a mixed order, then updates and malformed rows strewn in."""
        rng = self._rng("order")
        kinds = list(self._kinds)
        rows = [self.ticket(number, kind=kinds[number % len(kinds)]) for number in range(self._tenant.records)]
        rows += [self.story(900 + index, story) for index, story in enumerate(self._stories)]
        rng.shuffle(rows)
        for index in range(6):
            old = rows[10 + index * 7]
            me = next(person for person in self._patients if person.full == old.person)
            new = self.ticket(1000 + index, kind=old.topic if old.topic in kinds else kinds[index], me=me)
            new.cells["customer"], new.spans["customer"] = old.cells["customer"], old.spans["customer"]
            new.cells["id"], new.update = old.cells["id"], True
            rows.insert(len(rows) - rng.randint(0, 40), new)
        for index, spoil in enumerate(SPOILERS[self._tenant.file.rsplit(".", 1)[1]]):
            bad = self.ticket(2000 + index, kind=kinds[index % len(kinds)])
            spoil(bad)
            rows.insert(20 + index * ((len(rows) - 40) // 12) + rng.randint(0, 5), bad)
        return rows


def _set(column: str, value: object, why: str) -> Callable[[Row], None]:
    def spoil(row: Row) -> None:
        row.cells[column], row.malformed = value, why
        row.spans.pop(column, None)

    return spoil


def _naive(row: Row) -> None:
    row.cells["opened"] = str(row.cells["opened"])[:19]
    row.malformed = "opened has no time zone"


def _nul(row: Row) -> None:
    row.cells["id"] = f"{row.cells['id'][:6]}\x00{row.cells['id'][6:]}"
    row.malformed = "id holds a NUL"


def _no_id(row: Row) -> None:
    del row.cells["id"]
    row.malformed = "id is missing"


def _cut(row: Row) -> None:
    row.raw = json.dumps(row.cells, ensure_ascii=False)[:-90]
    row.malformed = "not JSON: the line is cut"


def _array(row: Row) -> None:
    row.raw = json.dumps(list(row.cells.values()), ensure_ascii=False)
    row.malformed = "an array, not an object"


def _more(row: Row) -> None:
    row.more_cells = ["left over", "by a stray comma"]
    row.malformed = "more cells than columns"


def _fewer(row: Row) -> None:
    row.keep_cells = 4
    row.malformed = "fewer cells than columns"


def _long_id(row: Row) -> None:
    row.cells["id"] = row.cells["id"] + "-" + "9" * 1400
    row.malformed = "id is longer than 1 KiB"


SPOILERS: dict[str, Sequence[Callable[[Row], None]]] = {
    "jsonl": (
        _cut,
        _no_id,
        _naive,
        _set("body", ["a", "list"], "body has the wrong type"),
        _set("body", "", "body is empty"),
        _nul,
        _set("opened", "the day before yesterday", "opened is not a datetime"),
        _array,
        _set("status", None, "status is null"),
        _long_id,
        _set("customer", {"name": "unknown"}, "customer has the wrong type"),
    ),
    "csv": (
        _more,
        _set("id", "", "id is missing"),
        _naive,
        _set("body", "", "body is empty"),
        _set("opened", "31/31/2025", "opened is not a datetime"),
        _set("opened", "", "opened is missing"),
        _fewer,
        _long_id,
        _nul,
    ),
}


def to_jsonl(rows: Sequence[Row]) -> str:
    """One JSON object per line; a spoiled line as it stands."""
    return "".join((row.raw or json.dumps(row.cells, ensure_ascii=False)) + "\n" for row in rows)


def to_csv(rows: Sequence[Row]) -> str:
    """Header and rows; line breaks inside quoted cells stay."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = ["" if row.cells[column] is None else row.cells[column] for column in COLUMNS]
        writer.writerow(cells[: row.keep_cells] + row.more_cells)
    return out.getvalue()


def truth(tenant: Tenant, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What is true about every row. ``row`` counts from 1; a CSV header is not counted."""
    lines: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        cells = row.cells
        line: dict[str, Any] = {"file": tenant.file, "row": number, "id": cells.get("id"), "topic": row.topic}
        if row.malformed:
            line["malformed"] = row.malformed
        if row.update:
            line["update"] = True
        line["spans"] = row.spans
        line["canaries"] = [row.canary, *(cells[name] for name in ("agent_ip", "session_token", "ssn_on_file"))]
        lines.append(line)
    return lines


def queries(desks: Sequence[tuple[Tenant, Sequence[Row]]]) -> list[dict[str, Any]]:
    """Natural questions. ``kind`` says whether any of the ids (topic) or the one id (story, person) is wanted."""
    topics = {
        "larkfield": {
            "refund": "refund for a cancelled examination never arrived",
            "portal": "cannot log in to the patient portal, password reset does not help",
            "prescription": "pharmacy never got the prescription renewal",
            "lab": "blood test results are missing or unexplained",
            "device": "heart monitor at home does not connect to the wireless network",
            "integration": "interface rejects our calls with an authorisation error",
            "records": "copy of my complete medical records",
        },
        "northgate": {
            "crown": "crown came off, temporary filling broke",
            "aligner": "clear aligner tray does not fit, lost retainer",
            "toothache": "terrible toothache after a root canal",
            "child": "first dentist visit for a small child who is afraid",
            "plan": "implant in instalments, monthly rate taken twice",
        },
    }
    wanted: list[dict[str, Any]] = []
    for tenant, rows in desks:
        good = [row for row in rows if not row.malformed]
        latest = {row.cells["id"]: row for row in good}
        for topic, query in topics[tenant.name].items():
            ids = [key for key, row in latest.items() if row.topic == topic]
            wanted.append({"tenant": tenant.name, "kind": "topic", "query": query, "expected": ids})
        for story in load("stories")[tenant.name]:
            ids = [key for key, row in latest.items() if row.topic == story["topic"]]
            wanted.append({"tenant": tenant.name, "kind": "story", "query": story["query"], "expected": ids})
        signed = [row for row in latest.values() if any(span[3] == row.person for span in row.spans["body"])]
        forms = ("what did {} write to us", "tickets of {}", "letter from {} about the last visit")
        for row, form in zip(signed[5::25], forms, strict=False):
            ids = [key for key, one in latest.items() if one.person == row.person]
            wanted.append({"tenant": tenant.name, "kind": "person", "query": form.format(row.person), "expected": ids})
    return wanted


def check(rows: Sequence[Row]) -> None:
    """The truth must fit the text, letter by letter."""
    for row in rows:
        for name, spans in row.spans.items():
            for start, end, label, value in spans:
                if row.cells[name][start:end] != value:
                    raise SystemExit(f"the truth does not fit the text: {label} in {row.cells['id']}")


def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "helpdesk")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    people = People(load("people")["group"])
    desks = [(tenant, Desk(tenant, options.seed, people).rows()) for tenant in TENANTS]
    lines: list[dict[str, Any]] = []
    for tenant, rows in desks:
        check(rows)
        text = to_csv(rows) if tenant.file.endswith(".csv") else to_jsonl(rows)
        (options.out / tenant.file).write_text(text, encoding="utf-8", newline="")
        lines += truth(tenant, rows)
    for name, content in (("truth.jsonl", lines), ("queries.jsonl", queries(desks))):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in content)
        (options.out / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
