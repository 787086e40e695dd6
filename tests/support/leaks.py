"""The leak check on a labelled corpus: ingest it once, gather everything that left the process, score it.

Four places are looked at: what the embedder was given, what opens out of the stored envelopes, what lies in files
and payloads without any key, and (in ``failing_runs``) what is said when things go wrong.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import securevec as sv
from securevec.crypto.armour import from_text
from securevec.points.body import Body
from securevec.points.body_format import decode_body, decode_vault
from securevec.reading.opening import open_envelope
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import AnonymizedText, Span, StoredPoint
from tests.support.corpus import Corpus, Planted, Source, TruthRow
from tests.support.helpdesk import HELPDESK
from tests.support.needles import Hit, Needles

MAX_SHARE: Final = 0.02
MIN_PERSON_F1: Final = 0.60
_BROKEN: Final = re.compile(r"[\s>|*\\]+")
"""What a parser or a wrapped line may put into the middle of a value."""


class RecordTap(TapEmbedder):
    """Also remembers each record's whole anonymized text, which the journey shows the embedder to have it cut.

    Records come in the order of their rows, so embedded texts can be told apart by record.
    """

    def __init__(self) -> None:
        super().__init__(HashEmbedder(max_tokens=80))
        self.joined: list[str] = []

    def token_offsets(self, text: AnonymizedText) -> list[tuple[int, int]]:
        self.joined.append(text.text)
        return super().token_offsets(text)

    def take(self) -> list[list[str]]:
        """The embedded texts of each record since the last call. Raises when a text belongs to no record."""
        given, records = iter(self.texts), []
        for whole in self.joined:
            chunks = [next(given)]
            while not whole.endswith(chunks[-1]):
                chunks.append(next(given))
            if not all(chunk in whole for chunk in chunks):
                raise AssertionError("the embedder was given a text that is not a part of a record")
            records.append(chunks)
        if next(given, None) is not None:
            raise AssertionError("the embedder was given texts beyond the records'")
        self.texts, self.joined = [], []
        return records


@dataclass(slots=True)
class Shares:
    """How many labelled values were planted, and how many came through, by label."""

    planted: Counter[str] = field(default_factory=Counter[str])
    leaked: Counter[str] = field(default_factory=Counter[str])
    missed: list[tuple[str, str, str]] = field(default_factory=list["tuple[str, str, str]"])
    """Label, record id and value of what came through, for the eyes of whoever mends the detector."""

    def add(self, row: TruthRow, planted: Sequence[Planted], texts: Sequence[str]) -> None:
        broken = [_bare(text) for text in texts] if any(item.start < 0 for item in planted) else []
        for item in planted:
            self.planted[item.label] += 1
            if any(item.value in text for text in texts) or any(_bare(item.value) in text for text in broken):
                self.leaked[item.label] += 1
                self.missed.append((item.label, row.id, item.value))

    @property
    def structured(self) -> float:
        """The share of leaked values over all labels but PERSON."""
        planted = sum(number for label, number in self.planted.items() if label != "PERSON")
        return sum(number for label, number in self.leaked.items() if label != "PERSON") / planted

    def share(self, label: str) -> float:
        return self.leaked[label] / self.planted[label]

    def table(self) -> str:
        lines = [f"{'label':16}{'planted':>9}{'leaked':>8}{'share':>9}"]
        for label in sorted(self.planted):
            lines.append(f"{label:16}{self.planted[label]:9}{self.leaked[label]:8}{self.share(label):9.2%}")
        return "\n".join([*lines, f"structured, all: {self.structured:.2%}"])


@dataclass(frozen=True, slots=True)
class Opened:
    """A record as it opens out of the store: all its texts, its span tables and originals, the raw plaintexts."""

    texts: tuple[str, ...]
    spans: Mapping[str, Sequence[Span]]
    originals: Mapping[str, Sequence[str]]
    fields: Mapping[str, str]
    plaintexts: tuple[bytes, ...]


@dataclass(slots=True)
class Evidence:
    """What left the process, gathered in one run over (a part of) the corpus."""

    corpus: Corpus
    rows: list[TruthRow]
    reports: dict[str, sv.IngestReport]
    embedded: dict[tuple[str, int], list[str]]
    queries: list[tuple[TruthRow, list[str]]]
    opened: dict[tuple[str, str], Opened]
    in_payloads: list[Hit]
    in_open_home: list[Hit]
    in_closed_home: list[Hit]
    needles: int
    bytes_scanned: int

    @property
    def well_formed(self) -> list[TruthRow]:
        return [row for row in self.rows if not row.malformed]

    @property
    def live(self) -> list[TruthRow]:
        """The rows that count: of two with one id, the later."""
        return list({(row.file, row.id): row for row in self.well_formed}.values())

    def embedder_shares(self) -> Shares:
        """Part (a): labelled values of embedded fields in what the embedder was given for their record."""
        shares = Shares()
        for row in self.well_formed:
            embedded = self.source(row).embedded
            planted = [item for item in row.planted if item.field in embedded]
            shares.add(row, planted, self.embedded[row.file, row.number])
        return shares

    def source(self, row: TruthRow) -> Source:
        return next(source for source in self.corpus.sources if source.key == row.file)

    def part(self, *keys: str) -> Evidence:
        """The same evidence, of some sources only."""
        return replace(self, rows=[row for row in self.rows if row.file in keys])

    def kept_near(self) -> tuple[int, int]:
        """How many of the strings that only look like values are still as they were, and how many there are."""
        kept = total = 0
        for row in self.live:
            record = self.opened[row.file, row.id]
            replaced = [_bare(original) for originals in record.originals.values() for original in originals]
            total += len(row.near)
            kept += sum(not any(_bare(near) in item or item in _bare(near) for item in replaced) for near in row.near)
        return kept, total

    def query_shares(self) -> Shares:
        shares = Shares()
        for row, texts in self.queries:
            shares.add(row, self.asked(row), texts)
        return shares

    def asked(self, row: TruthRow) -> list[Planted]:
        """What a question about this row is asked with: its subject, or of a document somebody's address."""
        source = self.source(row)
        if source.documents:
            return [item for item in row.planted if item.label == "EMAIL"][:1]
        return [item for item in row.planted if item.field == source.subject]

    def payload_shares(self) -> Shares:
        """Part (b): labelled values of every field in any text of the opened record."""
        shares = Shares()
        for row in self.live:
            shares.add(row, row.planted, self.opened[row.file, row.id].texts)
        return shares

    def person_f1(self) -> dict[str, float]:
        """Names found in running text (not in a declared subject): a find counts when it touches a labelled name."""
        found = touching = gold = recalled = 0
        for row in self.live:
            record, source = self.opened[row.file, row.id], self.source(row)
            for name in record.fields.keys() - {source.subject}:
                field_spans, originals = record.spans.get(name, ()), record.originals.get(name, ())
                places = [place for place in original_places(field_spans, originals) if place[2] == "PERSON"]
                if source.documents:
                    # A parser decided where things stand: names are compared by what they say.
                    names = {_bare(item.value) for item in row.planted if item.label == "PERSON"}
                    ours = [
                        _bare(text)
                        for text, span in zip(originals, field_spans, strict=True)
                        if span.entity == "PERSON"
                    ]
                    found += len(ours)
                    touching += sum(any(text in it or it in text for it in names) for text in ours)
                    gold += len(names) if name == "text" else 0
                    recalled += (
                        sum(any(text in it or it in text for text in ours) for it in names) if name == "text" else 0
                    )
                    continue
                spans = [(it.start, it.end) for it in row.planted if it.label == "PERSON" and it.field == name]
                found += len(places)
                gold += len(spans)
                touching += sum(any(start < e and s < end for s, e in spans) for start, end, _ in places)
                recalled += sum(any(start < e and s < end for start, end, _ in places) for s, e in spans)
        precision, recall = touching / max(found, 1), recalled / max(gold, 1)
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return {"precision": precision, "recall": recall, "f1": f1}


def _bare(text: str) -> str:
    return _BROKEN.sub("", text)


def original_places(spans: Sequence[Span], originals: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Where the replaced values stood in the original text: the span table read backwards."""
    grown = 0
    for span, original in zip(spans, originals, strict=True):
        start = span.start - grown
        yield start, start + len(original), span.entity
        grown += (span.end - span.start) - len(original)


def gather(
    root: Path,
    corpus: Corpus = HELPDESK,
    *,
    backend: str | None = None,
    files: Sequence[str] | None = None,
    limit: int | None = None,
) -> Evidence:
    """Ingest, search, restore, get and delete on a new home below ``root``; then look at everything that left.

    ``files`` are the sources taken (all of them); ``limit`` takes the first rows or documents of each only.
    """
    sources = [source for source in corpus.sources if files is None or source.key in files]
    keys = {source.key for source in sources}
    rows = [row for row in corpus.rows() if row.file in keys and (limit is None or row.number <= limit)]
    needles = corpus.needles()
    tap = RecordTap()
    home = root / "home"
    evidence = Evidence(corpus, rows, {}, {}, [], {}, [], [], [], len(needles), 0)
    with sv.SecureStore.open(home, key_file=root / "keys" / "root.key", embedder=tap, backend=backend) as store:
        for source in sources:
            tenant = _tenant(store, source.tenant, corpus.actor)
            collection = tenant.collection(source.record(), name=source.collection, retention="180d")
            evidence.reports[source.key] = collection.ingest(_part(source.path, root, limit))
            mine = [row for row in evidence.well_formed if row.file == source.key]
            taken = tap.take()
            points = list(every_point(store, collection))
            for record_id, opened in _open_all(store, collection, points):
                evidence.opened[source.key, record_id] = opened
            for row, texts in zip(mine, _in_order(evidence, source, mine, taken), strict=True):
                evidence.embedded[source.key, row.number] = texts
            _use(collection, mine, evidence, tap)
            evidence.in_payloads += _search_payloads(needles, points)
        evidence.in_open_home = needles.find_below(home)
    evidence.in_closed_home = needles.find_below(home)
    evidence.bytes_scanned = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    return evidence


def _tenant(store: sv.SecureStore, name: str, actor: sv.Actor) -> sv.Tenant:
    try:
        return store.tenant(name, actor=actor)
    except sv.errors.TenantNotFound:
        return store.tenant(name, create=True, actor=actor)


def _in_order(evidence: Evidence, source: Source, rows: Sequence[TruthRow], taken: list[list[str]]) -> list[list[str]]:
    """The embedded texts of each row. Documents are parsed side by side: they are told apart by their first text."""
    if not source.documents:
        return taken
    by_id: dict[str, list[str]] = {}
    mine = {key: record for (file, key), record in evidence.opened.items() if file == source.key}
    for texts in taken:
        tail = texts[-1].rstrip()
        for key, record in mine.items():
            text = record.fields["text"].rstrip()
            if text.endswith(tail) or tail.endswith(text):
                by_id[key] = texts
    if len(by_id) != len(mine) or len(taken) != len(mine):
        raise AssertionError("embedded texts and stored documents are not the same")
    return [by_id[row.id] for row in rows]


def every_point(store: sv.SecureStore, collection: sv.Collection[Any]) -> Iterator[StoredPoint]:
    """Every point of a collection, read back through the engine."""
    cursor: str | None = None
    while True:
        namespace = collection._scope.namespace
        page = store.runtime.backend().scan(namespace=namespace, where=None, cursor=cursor, limit=256)
        yield from page.points
        cursor = page.cursor
        if cursor is None:
            return


def _use(collection: sv.Collection[Any], rows: Sequence[TruthRow], evidence: Evidence, tap: RecordTap) -> None:
    """Ask with names and addresses in the question, restore an answer, and read one record."""
    for row in rows[::20]:
        customer = " and ".join(item.value for item in evidence.asked(row))
        if not customer:
            continue
        hits = collection.search(f"What became of the last request of {customer}?", k=3)
        evidence.queries.append((row, tap.texts))
        tap.texts, tap.joined = [], []
        hits.restore(hits.context())
    collection.get(rows[0].id)


def _part(source: Path, root: Path, limit: int | None) -> Path:
    if limit is None:
        return source
    target = root / f"{source.parent.name}-{source.name}"
    if source.is_dir():
        target.mkdir()
        for path in sorted(source.iterdir())[:limit]:
            shutil.copy2(path, target)
        return target
    if source.suffix == ".csv":
        with source.open(newline="", encoding="utf-8") as lines, target.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(itertools.islice(csv.reader(lines), limit + 1))
    else:
        target.write_text("\n".join(source.read_text(encoding="utf-8").splitlines()[:limit]) + "\n", encoding="utf-8")
    return target


def _open_all(
    store: sv.SecureStore, collection: sv.Collection[Any], points: Iterable[StoredPoint]
) -> Iterator[tuple[str, Opened]]:
    runtime, scope = store.runtime, collection._scope
    records: dict[str, list[tuple[Body, bytes, bytes]]] = defaultdict(list)
    for point in points:
        plain = open_envelope(runtime.keys, scope, point, payload_key="b", path="body")
        vault = (
            open_envelope(runtime.keys, scope, point, payload_key="v", path="vault") if "v" in point.payload else b""
        )
        body = decode_body(plain)
        records[str(body.record_id)].append((body, plain, vault))
    for record_id, parts in records.items():
        texts = [body.text for body, _, _ in parts if body.text is not None]
        first, _, vault = next(part for part in parts if part[0].chunk == 0)
        fields = {name: str(value) for name, value in (first.fields or {}).items()}
        yield (
            record_id,
            Opened(
                texts=(*texts, *fields.values()),
                spans=first.field_spans or {},
                originals=decode_vault(vault).fields if vault else {},
                fields=fields,
                plaintexts=tuple(plain for _, body, sealed in parts for plain in (body, sealed)),
            ),
        )


def _search_payloads(needles: Needles, points: Iterable[StoredPoint]) -> list[Hit]:
    """Every payload as it stands, and its sealed values decoded."""
    parts: list[bytes] = []
    for point in points:
        parts.append(json.dumps(dict(point.payload), ensure_ascii=False).encode())
        parts += [from_text(point.payload[key]) for key in ("b", "v") if key in point.payload]
    return needles.find(b"\n".join(parts), "payloads read back")
