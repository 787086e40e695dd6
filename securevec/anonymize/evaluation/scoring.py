"""Precision, recall and F1 of findings against labelled texts.

*Exact*: entity and both ends agree. *Overlap*: the entity agrees and at least one character is shared; several findings
in one span count as found once for recall and each for precision. *Touched by any*: a labelled span that some finding
of whatever entity reaches, which is what replacing needs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from securevec.anonymize.evaluation.labelled import Gold
from securevec.anonymize.evaluation.labels import counted_as
from securevec.anonymize.findings import Finding


@dataclass(frozen=True, slots=True)
class Ratios:
    """Each 0 to 1; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, *, right: int, predicted: int, recalled: int, gold: int) -> Ratios:
        precision = right / predicted if predicted else 0.0
        recall = recalled / gold if gold else 0.0
        both = precision + recall
        return cls(round(precision, 4), round(recall, 4), round(2 * precision * recall / both if both else 0.0, 4))


@dataclass(frozen=True, slots=True)
class EntityScore:
    """How one entity did. ``gold`` labelled spans, ``predicted`` findings."""

    gold: int
    predicted: int
    exact: Ratios
    overlap: Ratios
    touched_by_any: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How much of one label of the set was found: its spans, and the shares found with the right entity (sharing a
    character, with both ends) and by any finding."""

    gold: int
    recall: float
    exact_recall: float
    touched_by_any: float


class Scorer:
    """Counts text by text. Findings of entities that the set never labels are kept apart: nobody called them wrong."""

    def __init__(self, *, secrets: Collection[str] = ()) -> None:
        """``secrets``: entities that a set which only says SECRET means."""
        self._secrets = frozenset(secrets)
        self._rows: list[tuple[tuple[Gold, ...], tuple[Gold, ...], tuple[str, ...]]] = []

    def add(self, gold: Iterable[Gold], found: Iterable[Finding], *, given: Sequence[str] = ()) -> None:
        """One text. ``given``: the labels of ``gold`` as they came, in its order; without them nothing is counted by
        label."""
        self._rows.append((tuple(gold), tuple((f.start, f.end, f.entity) for f in found), tuple(given)))

    def scores(self) -> tuple[dict[str, EntityScore], dict[str, int]]:
        """Scores of the labelled entities, and how many findings of other entities there were."""
        names, counts = self._names(), self._counts()[0]
        unlabelled = {name: counts[name]["predicted"] for name in sorted(set(counts) - names)}
        return {name: _score(counts[name]) for name in sorted(names)}, unlabelled

    def by_label(self) -> dict[str, LabelScore]:
        """How much of each label of the set was found, by the label as it came. A finding has no label of the set, so
        there is no precision here."""
        return {
            label: LabelScore(c["gold"], *(round(c[part] / c["gold"], 4) for part in ("recalled", "exact", "masked")))
            for label, c in sorted(self._counts()[1].items())
        }

    def _names(self) -> set[str]:
        return {entity for gold, _, _ in self._rows for _, _, entity in gold}

    def _counts(self) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
        names = self._names()
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        labels: dict[str, Counter[str]] = defaultdict(Counter)
        for gold, found, given in self._rows:
            golden = _by_label(gold)
            predicted: list[Gold] = []
            for start, end, entity in found:
                kinds = counted_as(entity, names, secret=entity in self._secrets)
                here = (kind for kind in kinds if kind in golden and golden[kind].meets(start, end))
                predicted.append((start, end, next(here, kinds[0])))
            _count(gold, predicted, golden, given, counts, labels)
        return counts, labels


def _count(
    gold: Sequence[Gold],
    predicted: Sequence[Gold],
    golden: Mapping[str, _Stretches],
    given: Sequence[str],
    counts: Mapping[str, Counter[str]],
    labels: Mapping[str, Counter[str]],
) -> None:
    ours = _by_label(predicted)
    anything = _Stretches((start, end) for start, end, _ in predicted)
    exact, found = set(gold), set(predicted)
    for start, end, entity in predicted:
        counts[entity]["predicted"] += 1
        counts[entity]["exact"] += (start, end, entity) in exact
        counts[entity]["touching"] += entity in golden and golden[entity].meets(start, end)
    for number, (start, end, entity) in enumerate(gold):
        recalled = entity in ours and ours[entity].meets(start, end)
        masked = anything.meets(start, end)
        counts[entity]["gold"] += 1
        counts[entity]["recalled"] += recalled
        counts[entity]["masked"] += masked
        if given:
            row = labels[given[number]]
            row["gold"] += 1
            row["recalled"] += recalled
            row["exact"] += (start, end, entity) in found
            row["masked"] += masked


def _score(c: Counter[str]) -> EntityScore:
    return EntityScore(
        gold=c["gold"],
        predicted=c["predicted"],
        exact=Ratios.of(right=c["exact"], predicted=c["predicted"], recalled=c["exact"], gold=c["gold"]),
        overlap=Ratios.of(right=c["touching"], predicted=c["predicted"], recalled=c["recalled"], gold=c["gold"]),
        touched_by_any=round(c["masked"] / c["gold"], 4) if c["gold"] else 0.0,
    )


def _by_label(spans: Sequence[Gold]) -> dict[str, _Stretches]:
    grouped: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end, label in spans:
        grouped[label].append((start, end))
    return {label: _Stretches(ranges) for label, ranges in grouped.items()}


class _Stretches:
    """Ranges that can say whether another one shares a character with any of them, in logarithmic time."""

    __slots__ = ("_furthest", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._starts = [start for start, _ in ordered]
        self._furthest = list(accumulate((end for _, end in ordered), max))

    def meets(self, start: int, end: int) -> bool:
        before = bisect_left(self._starts, end)
        return before > 0 and self._furthest[before - 1] > start
