"""How far tokens are read by their frequency: the figures, from how often each occurs. Pure.

Whoever knows how often each value occurs puts values and tokens in order of frequency and reads them side by side.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

from securevec.schema import LISTS, FieldSpec

WEAK: Final = 0.5
"""From this share of values read by their frequency alone a token hides next to nothing."""


@dataclass(frozen=True, slots=True)
class FieldLeakage:
    """What the store sees of one tokenized field, over the live records.

    ``values``: how many are held (each of a list counts). ``distinct``: different tokens. ``entropy_bits``: Shannon's,
    of the distribution. ``top_share``: of the most frequent one. ``readable_share``: of the values that somebody who
    knows every frequency exactly, and has nothing else, is expected to name: one of each group of tokens that occur
    equally often. ``alone``: tokens that occur once.
    """

    field: str
    values: int
    distinct: int
    entropy_bits: float
    top_share: float
    readable_share: float
    alone: int

    @property
    def weak(self) -> bool:
        """Whether tokens hide little here: frequencies alone give half of the values away, or there are too few."""
        return self.values > 0 and (self.readable_share >= WEAK or self.distinct <= 2)  # yes and no


def tokenized(spec: FieldSpec) -> bool:
    """Whether the store holds tokens of this field's values: a list gives them in either mode."""
    return spec.kind == "filter" and (spec.mode != "clear" or spec.type in LISTS)


def measured(field: str, counts: Counter[str]) -> FieldLeakage:
    """The figures of one field, from how often each token occurs."""
    total = counts.total()
    if not total:
        return FieldLeakage(field, 0, 0, 0.0, 0.0, 0.0, 0)
    entropy = -sum(count / total * math.log2(count / total) for count in counts.values())
    # Tokens that occur equally often cannot be told apart: put in any order, one of them is expected to be right.
    readable = sum(set(counts.values()))
    alone = sum(count == 1 for count in counts.values())
    return FieldLeakage(field, total, len(counts), entropy + 0.0, max(counts.values()) / total, readable / total, alone)
