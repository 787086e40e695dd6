"""Propose a Record class for a CSV or JSONL file: Python source to read, correct and keep.

Pure: types and cardinality come from a sample of rows; what is PII comes from the caller's ``anonymizer_findings``
(the detector lies in an outer room) and from column names. No value of the file reaches the answer.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from securevec import limits
from securevec.errors import SourceError
from securevec.rows.readers import read_records
from securevec.schema.record import Record

Findings = Callable[[str, str], list[str]]
"""``(column name, value) -> entities found``, for example ``["EMAIL"]``."""

_ID_NAME: Final = re.compile(r"(^|[\W_])(id|key|uuid|guid|no|nr|number|ref|reference|code)$", re.IGNORECASE)
_BARE_ID: Final = re.compile(r"(id|uuid|guid|key)$", re.IGNORECASE)
_SUBJECT_NAME: Final = re.compile(
    r"(.*[_ ])?(customer|client|patient|person|member|user|contact|employee|subject|guest|applicant)"
    r"([_ ]?(name|id|e[_-]?mail))?|(full|first|last|given|family)?[_ ]?name|surname|(.*[_ ])?e[_-]?mail([_ ]address)?",
    re.IGNORECASE,
)
_SUBJECT_ENTITIES: Final = frozenset({"PERSON", "EMAIL", "EMAIL_ADDRESS", "PHONE", "PHONE_NUMBER"})
_LONG_WORDS: Final = 6
"""Words, on average, from which a text column counts as prose."""
_FEW: Final = 20
"""Distinct values up to which a text column counts as a label."""
_RESERVED: Final = frozenset({"sv", "date", "datetime", "str", "int", "float", "bool"})
"""Names the proposed class itself uses."""
_MOSTLY: Final = 0.5
_NEARLY: Final = 0.95
_HALF: Final = 0.5
"""Real files have bad rows; they should not decide what the good ones look like."""
_MIN_SHARE: Final = 0.02
"""Share of a column's values in which an entity must be found to count for its marker."""
_MAX_TYPED: Final = 64
_OTHERS: Final = {"datetime": " with a time zone; the others are not", "date": "; the others are not"}
"""What is said of a column of text that holds mostly this type."""
_TYPES: Final = ("bool", "int", "float", "uuid", "date", "datetime")


@dataclass(slots=True)
class _Column:
    source: str
    name: str
    seen: int = 0
    words: int = 0
    distinct: set[str] = field(default_factory=set[str])
    fits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_TYPES, 0))
    texts: int = 0
    entities: dict[str, int] = field(default_factory=dict[str, int])
    listed: bool = False
    """Rows hold lists, and what is counted are the values in them."""
    rows: int = 0

    def add(self, value: object, findings: Findings | None) -> None:
        text = value if isinstance(value, str) else str(value)
        self.seen += 1
        self.words += len(text.split())
        self.distinct.add(text if len(text) <= _MAX_TYPED else str(hash(text)))
        for kind in self.fits:
            self.fits[kind] += _fits(kind, value, text)
        self.texts += isinstance(value, str)
        for entity in sorted(set(findings(self.source, text))) if findings is not None else ():
            self.entities[entity] = self.entities.get(entity, 0) + 1

    @property
    def nearly(self) -> str | None:
        """The type that most values of a text column have, where the others decided against it: worth a look."""
        kinds = (kind for kind in _OTHERS if self.seen < 2 * self.fits[kind] < 2 * self.seen)
        return next(kinds, None) if self.type == "str" else None

    @property
    def type(self) -> str:
        """The narrowest type that nearly all values have. Numbers with PII in a CSV stay text, to be anonymized."""
        kind = next((kind for kind in _TYPES if self.fits[kind] >= _NEARLY * self.seen), "str")
        return "str" if kind in ("int", "float") and self.pii and self.texts == self.seen else kind

    @property
    def misfits(self) -> int:
        """Sampled values that are not of the proposed type."""
        return self.seen - (self.texts if self.type == "str" else self.fits[self.type])

    @property
    def pii(self) -> list[str]:
        """Entities found often enough to decide how the column is marked; ``entities`` holds every one found."""
        return [name for name, count in sorted(self.entities.items()) if count >= max(1, self.seen * _MIN_SHARE)]


def infer(
    path: Path,
    *,
    sample_rows: int = 1000,
    anonymizer_findings: Findings | None = None,
    encoding: str | None = None,
) -> str:
    """Python source of a proposed Record class, from the first ``sample_rows`` rows that can be read.

    The source imports and runs as it is; each column with findings carries ``# PII: EMAIL, PHONE``. ``encoding`` is
    the file's, when it is not UTF-8. Raises :class:`SourceError` when the file holds no readable row, or no column
    that could be a key or be embedded.
    """
    rows: list[Mapping[str, object]] = []
    for row in islice(read_records(path, encoding=encoding), sample_rows):
        if isinstance(row.value, Mapping):
            rows.append(row.value)
    if not rows:
        raise SourceError(
            "The file holds no row that can be read.", next_step="One that is not UTF-8 is named with --encoding."
        )
    columns = _collect(rows, anonymizer_findings)
    key = _key(columns, len(rows))
    marked = {column.name: _mark(column, len(rows)) for column in columns if column is not key}
    if "Embed" not in marked.values():
        _promote(columns, marked)
    return _source(path.stem, columns, key, marked, len(rows))


def _collect(rows: Iterable[Mapping[str, object]], findings: Findings | None) -> list[_Column]:
    columns: dict[str, dict[bool, _Column]] = {}
    for row in rows:
        for source, value in row.items():
            listed = isinstance(value, list)
            members = cast("list[object]", value) if listed else [value]
            if not members or any(each is None or each == "" or isinstance(each, list | dict) for each in members):
                continue
            column = columns.setdefault(source, {}).setdefault(listed, _Column(source, "", listed=listed))
            column.rows += 1
            for each in members:
                column.add(each, findings)
    found = [max(kinds.values(), key=lambda column: column.rows) for kinds in columns.values()]
    # Only a filter may be a list, of texts or whole numbers.
    kept = [
        column
        for column in found
        if not column.listed or (column.type in ("str", "int") and _mark(column, column.rows) == "Filter")
    ]
    taken: set[str] = set()
    for column in kept:
        column.name = _identifier(column.source, taken)
    return kept[: limits.MAX_FIELDS]


def _identifier(source: str, taken: set[str]) -> str:
    """A field name for a column: snake case, a Python identifier that pydantic takes, unique in the class."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", source).strip("_").lower()[:56] or "column"
    if name[0].isdigit():
        name = f"column_{name}"
    if keyword.iskeyword(name) or hasattr(Record, name) or name in _RESERVED or name.startswith("model_"):
        name = f"field_{name}"
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    taken.add(unique)
    return unique


def _key(columns: list[_Column], rows: int) -> _Column:
    def rank(column: _Column) -> tuple[int, int]:
        named = 0 if _BARE_ID.fullmatch(column.source) else 1 if _ID_NAME.search(column.source) else 2
        return (named, columns.index(column))

    def short(share: float) -> list[_Column]:
        return [
            column
            for column in columns
            if not column.listed
            and min(column.seen, len(column.distinct)) >= share * rows
            and column.type in ("str", "int", "uuid")
            and column.words <= column.seen
        ]

    # What is called an id is one, also where rows lack it or repeat it: the proposal says how many do.
    candidates = short(_NEARLY) or [column for column in short(_HALF) if _ID_NAME.search(column.source)]
    if not candidates:
        raise SourceError(
            "No column could be the key: none has one short, different value in every row.",
            next_step="Add an id column, or write the Record class by hand.",
        )
    return min(candidates, key=rank)


def _mark(column: _Column, rows: int) -> str:
    if column.type not in ("str", "uuid"):
        return "Seal" if column.pii and column.type != "datetime" else "Filter"
    prose = column.words >= _LONG_WORDS * column.seen
    if prose:
        return "Embed"
    people = sum(column.entities.get(entity, 0) for entity in _SUBJECT_ENTITIES)
    if _SUBJECT_NAME.fullmatch(column.source) or people >= column.seen * _MOSTLY:
        return "Subject" if column.type == "str" else "Seal"
    if column.pii or column.type == "uuid":
        return "Seal"
    few = (column.listed or len(column.distinct) <= _FEW) and (len(column.distinct) < column.seen or rows == 1)
    return "Filter" if few else "Seal"


def _promote(columns: list[_Column], marked: dict[str, str]) -> None:
    """No prose: embed the text column with the most words, so that the class is complete."""
    texts = [column for column in columns if column.type == "str" and not column.listed and column.name in marked]
    if not texts:
        raise SourceError("No column holds text that could be embedded.")
    order = ("Seal", "Filter", "Subject")
    best = min(texts, key=lambda column: (order.index(marked[column.name]), -column.words / column.seen))
    marked[best.name] = "Embed"


def _source(stem: str, columns: list[_Column], key: _Column, marked: Mapping[str, str], rows: int) -> str:
    lines: list[str] = []
    for column in columns:
        kind = column.type if column is key or marked[column.name] in ("Filter", "Seal") else "str"
        optional = column is not key and column.rows < rows
        python = {"uuid": "UUID"}.get(kind, kind)
        python = (f"list[{python}]" if column.listed else python) + (" | None" if optional else "")
        mark = "Key" if column is key else marked[column.name]
        # A number that its field's name gives away cannot be replaced: refused, or asked for as it is.
        number = mark == "Seal" and kind == "int" and bool(column.pii)
        typed = f'Annotated[{python}, sv.marks.Seal(keep="original")]' if number else f"sv.{mark}[{python}]"
        default = _default(column, optional=optional)
        notes = [f"PII: {', '.join(sorted(column.entities))}"] if column.entities else []
        if column is key and column.seen < rows:
            notes.append(f"missing in {rows - column.seen} of {rows} rows, such rows are refused")
        if column is key and len(column.distinct) < column.seen:
            notes.append(f"{column.seen - len(column.distinct)} of {rows} rows repeat one, the last of them is kept")
        if kind == column.type and column.misfits:
            notes.append(f"{column.misfits} of {column.seen} sampled values are no {kind}, such rows are refused")
        elif kind == "str" and (near := column.nearly):
            notes.append(f"{column.fits[near]} of {column.seen} sampled values are a {near}{_OTHERS[near]}")
        comment = f"  # {'; '.join(notes)}" if notes else ""
        lines.append(f"    {column.name}: {typed}{default}{comment}")
    body = "\n".join(lines)
    imports = ["import securevec as sv"]
    if "Field(" in body:
        imports.insert(0, "from pydantic import Field\n")
    used = set(re.findall(r"\[(\w+)", body))
    times = ", ".join(name for name in ("date", "datetime") if name in used)
    standard = [f"from datetime import {times}"] if times else []
    standard += ["from typing import Annotated"] if "Annotated[" in body else []
    standard += ["from uuid import UUID"] if "UUID" in used else []
    head = "\n".join(standard) + "\n\n" if standard else ""
    return (
        f'"""Proposed by `securevec schema infer` from {rows} rows. Correct it, delete what you do not need.\n\n'
        "Key: the record's id. Subject: whom it is about, replaced by a surrogate. Embed: searchable, anonymized.\n"
        'Seal: kept, encrypted. Filter: readable by the store. A column that is not named here is dropped.\n"""\n\n'
        f"{head}" + "\n".join(imports) + f"\n\n\nclass {_class_name(stem)}(sv.Record):\n{body}\n"
    )


def _default(column: _Column, *, optional: bool) -> str:
    alias = f"alias={_quoted(column.source)}" if column.source != column.name else ""
    if alias:
        return f" = Field({'None, ' if optional else ''}{alias})"
    return " = None" if optional else ""


def _quoted(text: str) -> str:
    """A Python string literal of a column name, in ASCII."""
    return json.dumps(text)


def _class_name(stem: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", stem.removesuffix("s") if stem.isascii() else "")
    name = "".join(word[:1].upper() + word[1:] for word in words)[:40]
    return name if name and not name[0].isdigit() and not keyword.iskeyword(name) else f"Row{name}"


def _fits(kind: str, value: object, text: str) -> bool:
    if len(text) > _MAX_TYPED:
        return False
    match kind:
        case "bool":
            return isinstance(value, bool) or text.lower() in ("true", "false")
        case "int":
            # A leading zero is part of a code (postal code, phone), which a number would lose.
            whole = re.fullmatch(r"-?(0|[1-9]\d{0,17})", text, re.ASCII) is not None
            return whole and not isinstance(value, bool | float)
        case "float":
            return re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,2})?", text, re.ASCII) is not None
        case "uuid":
            return "-" in text and _parses(UUID, text)
        case "date":
            return len(text) == len("2026-01-31") and "-" in text and _parses(date.fromisoformat, text)
        case _:
            # Without a zone a time is refused, so such a column is proposed as text.
            return _parses(_aware, text)


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _parses(read: Callable[[str], UUID | datetime | date], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
