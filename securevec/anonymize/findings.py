"""What a detector says, and the door through which other detectors come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from operator import index
from typing import Any, Final, Literal, NamedTuple, Protocol

from securevec.anonymize.fold import Folded
from securevec.errors import DetectorError

Recall = Literal["balanced", "high"]
"""How much to find: ``high`` finds more names and takes more other words for names."""

Names = Literal["small", "contextual"]
"""What reads names: the ``small`` model, or beside it one that reads whole sentences."""

PERSON_PRIORITY: Final = 30
"""Of a name. Below every structured rule: a name inside an e-mail address is part of the address."""


class Finding(NamedTuple):
    """One detected value, in characters of the text that was given to the detector.

    ``score`` is 0 to 1. ``rule`` is the id of the rule that spoke. ``priority`` decides overlaps (larger wins).
    The value itself is not kept here, so a finding can be logged or listed.
    """

    start: int
    end: int
    entity: str
    score: float
    rule: str
    priority: int = 50

    def shifted(self, by: int) -> Finding:
        return Finding(self.start + by, self.end + by, self.entity, self.score, self.rule, self.priority)


ENTITY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
"""How an entity is named. It is counted in reports and stands beside what it replaced, so it is a name and no text."""
_LONGEST_RULE: Final = 200


def sound(answer: Any) -> Finding:
    """One finding of a detector that others bring, made of whole numbers and plain text, as it is going to be stored.

    Raises ``DetectorError``, or what reading the answer raises: it may be anything.
    """
    entity, rule, score = answer.entity, answer.rule, answer.score
    if not isinstance(entity, str) or (named := ENTITY.fullmatch(entity)) is None:
        raise DetectorError("The detector answered with an entity that is not named in capital letters.")
    if not isinstance(rule, str) or len(rule) > _LONGEST_RULE or not rule.isprintable():
        raise DetectorError("The detector answered with a rule that has no name.")
    if not isfinite(score):
        raise DetectorError("The detector answered with a score that is no number.")
    start, end, priority = index(answer.start), index(answer.end), index(answer.priority)
    return Finding(int(start), int(end), named.group(), float(score), str.__str__(rule), int(priority))


def mapped(found: list[Finding], view: Folded) -> list[Finding]:
    """Findings of a folded view in offsets of the text it was made of."""
    if view.is_same or not found:
        return found
    return [Finding(*view.span(f.start, f.end), f.entity, f.score, f.rule, f.priority) for f in found]


class Detector(Protocol):
    """Finds values to replace. Must be thread-safe, and must raise rather than answer with less than it saw.

    One that can say which rules and data it decides by does so as ``digest``, in hex, which is bound into collections.
    ``detect`` returns findings in offsets of ``text``, sorted and not overlapping. ``field_name`` is the declared
    name of the field the text came from, or empty. Raises ``securevec.errors.DetectorError`` when it cannot answer.
    """

    def detect(self, text: str, *, field_name: str = "") -> Sequence[Finding]: ...
