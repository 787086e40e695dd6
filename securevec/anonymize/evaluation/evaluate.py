"""A detector against a file of labelled texts. A line that cannot be used is reported; the others count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from securevec.anonymize.detectors import checked
from securevec.anonymize.evaluation.labelled import Labelled, labelled
from securevec.anonymize.evaluation.labels import WIDER
from securevec.anonymize.evaluation.scoring import EntityScore, LabelScore, Scorer
from securevec.anonymize.findings import Detector
from securevec.anonymize.policy import BUILTIN_ENTITIES
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.errors import DetectorError, RecordError, SourceError
from securevec.rows.readers import read_records

Watch = Callable[[int, int], None]
"""Called now and then with lines and bytes read so far."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out. ``unlabelled``: findings of entities that the set never labels, neither right nor wrong.
    ``read_as``: labels of the file as they came, and the entities they were taken for. ``by_label``: how much of each
    label was found. ``not_looked_for``: labels as they came that nothing in the detector is about, with the number of
    their spans and the share that some finding reaches; they are not among ``entities``, where they would be zeros."""

    texts: int
    characters: int
    entities: Mapping[str, EntityScore]
    unlabelled: Mapping[str, int]
    refused: tuple[RecordError, ...]
    read_as: Mapping[str, str] = field(default_factory=dict[str, str])
    by_label: Mapping[str, LabelScore] = field(default_factory=dict[str, LabelScore])
    not_looked_for: Mapping[str, LabelScore] = field(default_factory=dict[str, LabelScore])

    def as_json(self) -> dict[str, Any]:
        """Stable keys. The ratios next to ``gold`` are those of ``overlap``."""
        return {
            "texts": self.texts,
            "characters": self.characters,
            "entities": {
                name: {**asdict(score.overlap), **asdict(score)} for name, score in sorted(self.entities.items())
            },
            "unlabelled": dict(self.unlabelled),
            "labels": dict(sorted(self.read_as.items())),
            "by_label": {
                name: {"entity": self.read_as[name], **asdict(score)} for name, score in self.by_label.items()
            },
            "not_looked_for": {
                name: {"gold": score.gold, "touched_by_any": score.touched_by_any}
                for name, score in self.not_looked_for.items()
            },
            "refused": [{"row": e.row, "field": e.field, "reason": e.message} for e in self.refused],
        }


def evaluate(
    path: Path, detector: Detector, *, labels: Mapping[str, str] | None = None, watch: Watch | None = None
) -> Evaluation:
    """Score ``detector`` on a JSON Lines file (shapes: :mod:`securevec.anonymize.evaluation.labelled`).

    ``labels`` adds to the table of :mod:`securevec.anonymize.evaluation.labels`. Raises ``SourceError`` when the file
    cannot be read as lines at all.
    """
    if path.suffix.lower() == ".csv":
        raise SourceError("Labelled texts are JSON Lines, one object a line.", next_step="Name a .jsonl file.")
    scorer = Scorer(secrets=builtin_rules().secrets)
    refused: list[RecordError] = []
    read_as: dict[str, str] = {}
    texts = characters = rows = read = 0

    def position(reached: int) -> None:
        nonlocal read
        read = reached

    for row in read_records(path, position=position):
        rows += 1
        try:
            if row.error is not None:
                raise row.error
            case = _case(row.value, row.number, labels)
            scorer.add(case.spans, _found(detector, case.text, row.number), given=case.given)
        except RecordError as error:
            refused.append(error)
            continue
        read_as.update(case.read_as)
        texts += 1
        characters += len(case.text)
        if watch is not None and rows % 16 == 0:
            watch(rows, read)
    if watch is not None:
        watch(rows, read)
    scores, unlabelled = scorer.scores()
    known = builtin_rules().entities | BUILTIN_ENTITIES | WIDER | set((labels or {}).values())
    # A detector that was brought may be about what no rule of ours is: what it found once counts.
    entities = {name: score for name, score in scores.items() if name in known or score.predicted}
    labels_found = scorer.by_label()
    ours = {label: score for label, score in labels_found.items() if read_as[label] in entities}
    others = {label: score for label, score in labels_found.items() if label not in ours}
    return Evaluation(texts, characters, entities, unlabelled, tuple(refused), read_as, ours, others)


def read_labelled(path: Path, *, labels: Mapping[str, str] | None = None) -> list[Labelled]:
    """All labelled texts of a file that has no bad line. Raises ``RecordError`` or ``SourceError``."""
    cases: list[Labelled] = []
    for row in read_records(path):
        if row.error is not None:
            raise row.error
        cases.append(_case(row.value, row.number, labels))
    return cases


def _case(value: object, number: int, labels: Mapping[str, str] | None) -> Labelled:
    if not isinstance(value, Mapping):
        raise RecordError("The line is not a JSON object.", row=number)
    return labelled(value, row=number, labels=labels)


def _found(detector: Detector, text: str, number: int) -> list[Any]:
    try:
        return checked(detector, text, "")
    except DetectorError as error:
        raise RecordError(f"The detector refused the text: {error.message}", row=number, field="text") from error
