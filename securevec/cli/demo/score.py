"""How many labelled values reached the embedder: the tap hands over the texts, the truth says what was planted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from securevec.cli.demo.corpus import Labelled

NAMES: Final = "PERSON"

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reached:
    """Labelled values of one entity in embedded fields, and how many of them stood in what the embedder was given."""

    entity: str
    labelled: int
    reached: int

    @property
    def share(self) -> float:
        return self.reached / self.labelled if self.labelled else 0.0


def score(rows: Sequence[Labelled], bodies: Mapping[int, str], embedded: Sequence[str]) -> list[Reached]:
    """By entity. ``rows`` are the accepted rows in the order they were read, ``embedded`` the texts in that order."""
    labelled: dict[str, int] = {}
    reached: dict[str, int] = {}
    own = _texts_by_row([bodies[row.row] for row in rows], embedded)
    for row, text in zip(rows, own, strict=True):
        for entity, value in row.values.get("body", ()):
            labelled[entity] = labelled.get(entity, 0) + 1
            if _stands_in(value, text):
                reached[entity] = reached.get(entity, 0) + 1
    return [Reached(entity, labelled[entity], reached.get(entity, 0)) for entity in sorted(labelled)]


def structured_share(scores: Sequence[Reached]) -> tuple[int, int]:
    """Values other than names: how many were labelled, and how many reached the embedder."""
    others = [entry for entry in scores if entry.entity != NAMES]
    return sum(entry.labelled for entry in others), sum(entry.reached for entry in others)


def _stands_in(value: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE) is not None


def _texts_by_row(bodies: Sequence[str], embedded: Sequence[str]) -> list[str]:
    """The embedded text of each row. A row has one chunk or more, in order, so a chunk belongs to the row of the one
    before it or to the next, whichever shares more words. When that does not come out even, every row is held against
    everything that was embedded, which can only count too much."""
    words = [set(_WORD.findall(body.lower())) for body in bodies]
    parts: list[list[str]] = [[] for _ in bodies]
    row = -1
    for text in embedded:
        seen = set(_WORD.findall(text.lower()))
        here = len(seen & words[row]) if row >= 0 else -1
        following = len(seen & words[row + 1]) if row + 1 < len(words) else -1
        row += following > here
        parts[row].append(text)
    if row != len(bodies) - 1:
        return ["\n".join(embedded)] * len(bodies)
    return ["\n".join(part) for part in parts]
