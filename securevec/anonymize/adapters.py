"""Detectors you bring: your own patterns and functions, Presidio's analyzer, spaCy, GLiNER, transformers pipelines.

Each becomes a :class:`~securevec.anonymize.findings.Detector`; beside the built-in one, overlaps are settled by the
same resolver. Their labels are read through the table of :mod:`securevec.anonymize.evaluation.labels`. Nothing is
imported here: you hand in the object, with the weights you chose. One that fails, or answers with positions outside the
text, fails the record.

A detector's digest is bound into every collection, so each adapter has a ``version``: what you change, you name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, cast

import re2

from securevec.anonymize.evaluation.labels import canonical
from securevec.anonymize.findings import ENTITY, Finding
from securevec.anonymize.fold import fold
from securevec.anonymize.rules.rulebook import engine_options
from securevec.anonymize.windows import scan_windows
from securevec.errors import ConfigError, DetectorError

BROUGHT_PRIORITY: Final = 35
"""Above the built-in names (30), below every structured rule."""
RECOGNIZER_PRIORITY: Final = 60
"""A pattern of your own beats built-in ones that only look like it, and no credential."""

_WINDOW: Final = 100_000
_OVERLAP: Final = 8_192

Spans = Iterable[tuple[int, int]]


class BroughtDetector:
    """A function from text to findings, in windows, with a digest. Thread-safe if the function is."""

    def __init__(
        self,
        find: Callable[[str], list[Finding]],
        *,
        identity: str,
        entities: Collection[str] = (),
        window: int = _WINDOW,
    ) -> None:
        self._find = find
        self._window = window
        self.entities = frozenset(entities)
        """Entities it may report, as far as that is known; an operator policy may name them."""
        self.digest: str = hashlib.sha256(f"securevec-brought 1 {identity}".encode()).hexdigest()

    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        return scan_windows(text, self._found, window=self._window, overlap=min(_OVERLAP, self._window // 2))

    def _found(self, part: str) -> list[Finding]:
        found = self._find(part)
        if any(not 0 <= finding.start < finding.end <= len(part) for finding in found):
            raise DetectorError("The detector answered with positions outside the text.")
        return found


def recognizer(
    entity: str, pattern: str | Callable[[str], Spans], *, version: str = "1", priority: int = RECOGNIZER_PRIORITY
) -> BroughtDetector:
    """A recognizer of your own.

    ``pattern`` is RE2 syntax, searched in the folded text as the built-in rules are (a group named ``value`` narrows
    the finding), or a function from a text to ``(start, end)`` pairs. ``version`` names the state of a function.
    Raises ``ConfigError`` when the entity is no capital-letter name or RE2 refuses the pattern.
    """
    if not ENTITY.fullmatch(entity):
        raise ConfigError(
            "An entity is named in capital letters, digits and underscores.", next_step="For example BADGE."
        )
    rule = f"user-{entity.lower()}"
    if callable(pattern):
        function = pattern

        def called(text: str) -> list[Finding]:
            return [Finding(start, end, entity, 1.0, rule, priority) for start, end in function(text)]

        name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
        return BroughtDetector(called, identity=f"{entity} {priority} {name} {version}", entities={entity})
    try:
        compiled: Any = re2.compile(pattern, engine_options())
    except (re2.error, TypeError, UnicodeEncodeError) as error:
        raise ConfigError("The recognizer's pattern is not RE2 syntax.", next_step="No look-around, no \\1.") from error
    group = int(compiled.groupindex.get("value", 0))

    def searched(text: str) -> list[Finding]:
        view = fold(text, skeleton=True)
        found = [match.span(group) for match in compiled.finditer(view.text)]
        return [Finding(*view.span(s, e), entity, 1.0, rule, priority) for s, e in found if 0 <= s < e]

    return BroughtDetector(searched, identity=f"{entity} {priority} {pattern} {version}", entities={entity})


def from_presidio(
    analyzer: Any, *, version: str, language: str = "en", threshold: float = 0.0, priority: int = BROUGHT_PRIORITY
) -> BroughtDetector:
    """``presidio_analyzer.AnalyzerEngine``. ``version`` names its recognizers and their state."""

    def find(text: str) -> list[Finding]:
        results = analyzer.analyze(text=text, language=language)
        return [
            _finding(r.start, r.end, r.entity_type, r.score, "presidio", priority)
            for r in results
            if r.score >= threshold
        ]

    supported = {canonical(str(name)) for name in analyzer.get_supported_entities(language=language)}
    return BroughtDetector(find, identity=f"presidio {language} {threshold} {priority} {version}", entities=supported)


def from_spacy(nlp: Any, *, version: str = "", priority: int = BROUGHT_PRIORITY) -> BroughtDetector:
    """A spaCy pipeline with named entities. Its name and version are part of the digest."""
    meta = cast("Mapping[str, object]", nlp.meta)

    def find(text: str) -> list[Finding]:
        return [_finding(e.start_char, e.end_char, e.label_, 0.85, "spacy", priority) for e in nlp(text).ents]

    labels = {canonical(str(label)) for name in nlp.pipe_names for label in getattr(nlp.get_pipe(name), "labels", ())}
    identity = f"spacy {meta.get('lang')} {meta.get('name')} {meta.get('version')} {priority} {version}"
    return BroughtDetector(find, identity=identity, entities=labels)


def from_callable(
    call: Callable[[str], Iterable[Mapping[str, Any]]],
    *,
    version: str,
    threshold: float = 0.0,
    priority: int = BROUGHT_PRIORITY,
    entities: Collection[str] = (),
    window: int = _WINDOW,
) -> BroughtDetector:
    """Anything that answers a text with mappings of ``start``, ``end`` and a label.

    That is GLiNER (``lambda text: model.predict_entities(text, labels)``) and transformers' token-classification
    pipelines with an aggregation strategy. The label is read from ``label``, ``entity_group``, ``entity_type`` or
    ``entity``, the score from ``score``. ``window``: characters handed over at once, for models that cut long texts.
    """

    def find(text: str) -> list[Finding]:
        found: list[Finding] = []
        for item in call(text):
            label = next((item[key] for key in ("label", "entity_group", "entity_type", "entity") if key in item), None)
            if label is None or "start" not in item or "end" not in item:
                raise DetectorError("The detector's answer lacks a start, an end or a label.")
            score = float(item.get("score", 1.0))
            if score >= threshold:
                found.append(_finding(item["start"], item["end"], label, score, "callable", priority))
        return found

    identity = f"callable {threshold} {priority} {window} {version}"
    return BroughtDetector(find, identity=identity, entities={canonical(e) for e in entities}, window=window)


def _finding(start: Any, end: Any, label: Any, score: Any, source: str, priority: int) -> Finding:
    entity = canonical(str(label))
    if not ENTITY.fullmatch(entity):
        raise DetectorError("The detector answered with a label that names nothing.")
    return Finding(int(start), int(end), entity, float(score), f"{source}-{entity.lower()}", priority)
