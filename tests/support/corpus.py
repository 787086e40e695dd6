"""A labelled corpus as the leak check takes it: what is ingested where, and what is true of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import securevec as sv
from tests.support.needles import Needles


@dataclass(frozen=True, slots=True)
class Planted:
    """One labelled value and where it stands in its field; ``start`` is -1 where a parser decides that."""

    field: str
    start: int
    end: int
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What the truth file says of one row or document. ``number`` counts from 1. ``near`` must stay as it is."""

    file: str
    number: int
    id: str
    planted: tuple[Planted, ...]
    canaries: tuple[str, ...]
    malformed: bool
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows or a folder of documents, and the collection it goes to. ``key`` is ``TruthRow.file``."""

    key: str
    path: Path
    tenant: str
    collection: str
    record: Callable[[], type[sv.Record]]
    embedded: frozenset[str]
    subject: str = ""

    @property
    def documents(self) -> bool:
        return self.path.is_dir()


@dataclass(frozen=True, slots=True)
class Corpus:
    """``needles``: every string that may stand nowhere in clear. ``labels``: how many kinds of values are planted."""

    name: str
    actor: sv.Actor
    sources: tuple[Source, ...]
    rows: Callable[[], list[TruthRow]]
    needles: Callable[[], Needles]
    labels: int


def class_of(path: Path, name: str) -> type[sv.Record]:
    """A Record class of a file."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    record: type[sv.Record] = getattr(module, name)
    return record
