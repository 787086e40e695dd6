"""The built-in detector, and the door for further ones."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from securevec.anonymize import lexicon
from securevec.anonymize.findings import Detector, Finding, Names, Recall, mapped, sound
from securevec.anonymize.fold import fold
from securevec.anonymize.names.choice import models_of, require_names
from securevec.anonymize.names.model import Tagging
from securevec.anonymize.names.tongues import Tagger
from securevec.anonymize.resolve import resolve
from securevec.anonymize.rules.addresses import joined_addresses
from securevec.anonymize.rules.postcodes import behind_streets
from securevec.anonymize.rules.rulebook import RuleBook, builtin_rules
from securevec.anonymize.rules.second import PatternEngine, require
from securevec.anonymize.rules.structured import Structured
from securevec.anonymize.rules.tables import LONGEST_CELL
from securevec.anonymize.windows import WINDOW
from securevec.anonymize.written import Reading, View, read
from securevec.errors import ConfigError, DetectorError
from securevec.errors.tree import ENDING
from securevec.limits import MAX_TEXT_BYTES

DETECTOR_VERSION: Final = 22
"""Raised with every change of code that changes findings; part of the digest bound into collections."""

_INSIDE: Final = 100

_MOST: Final = 8
"""Findings of a detector that others bring, for each character of the text."""


class BuiltinDetector:
    """Rules on the skeleton view, names on the plain view, one resolver. Thread-safe, linear in the text."""

    def __init__(
        self,
        book: RuleBook | None = None,
        *,
        recall: Recall = "balanced",
        model: Tagger | None = None,
        engine: PatternEngine = "re2",
        names: Names = "small",
    ) -> None:
        """``recall="high"`` finds more names and takes more other words for names. ``model``: other weights.

        ``engine``: what says which rules occur; findings and digest do not depend on it. ``names``: what reads names.
        Raises ``MissingExtra`` or ``ConfigError`` for one of either that cannot be had.
        """
        require_recall(recall)
        require_names(names)
        require(engine)
        self._book = book or builtin_rules()
        self._engine: PatternEngine = engine
        self._compiled: Structured | None = None
        self._recall: Recall = recall
        self._names: Names = names
        self._model = model or models_of(names)
        parts = (DETECTOR_VERSION, self._book.digest, lexicon.digest(), self._model.digest, recall)
        self._digest = hashlib.sha256(f"securevec-detector {' '.join(map(str, parts))}".encode()).hexdigest()

    @property
    def _rules(self) -> Structured:
        # A sixth of the time that a command takes, and who counts, reads by id or deletes has no text to scan. Without
        # a lock: a child forked while another thread holds one would wait for good. Compiled twice is as right as once.
        if self._compiled is None:
            self._compiled = Structured(self._book, self._engine)
        return self._compiled

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def recall(self) -> Recall:
        return self._recall

    @property
    def engine(self) -> PatternEngine:
        return self._engine

    @property
    def names(self) -> Names:
        return self._names

    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        """Findings in offsets of ``text``, sorted, not overlapping. Raises ``DetectorError``."""
        if not text:
            return []
        _check_size(text)
        reading = read(text)
        if reading is not None:
            return self._detect_written(text, field_name, reading)
        return self._detect(text, field_name)

    def _detect(
        self, text: str, field_name: str, tagging: Tagging | None = None, found: list[Finding] | None = None
    ) -> list[Finding]:
        """``tagging``: the model's of the text's plain view, ``found``: what the rules find, if known already."""
        if found is None:
            found = self._rules.find(text, field_name)
        plain = fold(text, skeleton=False)
        # What this compiles is a third of the time that a command takes to start, and most commands read no text.
        from securevec.anonymize.names.passes import names_in

        found += mapped(names_in(text, plain.text, field_name, self._model, self._recall, tagging), plain)
        return joined_addresses(resolve([*found, *behind_streets(text, found)], text), text)

    def _detect_written(self, text: str, field_name: str, reading: Reading) -> list[Finding]:
        """The rules on the text as it stands, and everything on what it reads as."""
        found = self._rules.find(text, field_name) if reading.sure else self._detect(text, field_name)
        found = [reading.whole_escapes(finding) for finding in found]
        for view in reading.views:
            read_here = self._detect(view.text, field_name)
            read_here += [f for cell in view.cells for f in self._in_named_cell(view, *cell)]
            # What stands inside a tag is not covered by a name that goes on behind the tag.
            found += [view.mapped(finding, raised=_INSIDE * view.inside) for finding in read_here]
        return [finding for finding in resolve(found, text) if reading.counts(finding)]

    def _in_named_cell(self, view: View, start: int, end: int, head: str) -> list[Finding]:
        cell = view.text[start:end]
        if len(cell) > LONGEST_CELL:
            return []
        from securevec.anonymize.names.passes import names_in_cell  # as above

        return [f.shifted(start) for f in (*self._rules.in_cell(cell, head), *names_in_cell(cell, head))]

    def detect_each(self, texts: Iterable[tuple[str, str]]) -> list[list[Finding] | None]:
        """:meth:`detect` on each ``(field name, text)``, many of them together; ``None`` where it raises."""
        given = list(texts)
        found: list[list[Finding] | None] = [None] * len(given)
        plain: list[int] = []
        for at, (field_name, text) in enumerate(given):
            with contextlib.suppress(DetectorError):
                _check_size(text)
                if text and (reading := read(text)) is not None:
                    found[at] = self._detect_written(text, field_name, reading)
                else:
                    plain.append(at)
        by_rule = self._by_rule([given[at] for at in plain])
        views = {at: fold(given[at][1], skeleton=False).text for at in plain}
        short = [at for at in plain if len(views[at]) <= WINDOW]
        taggings = dict(zip(short, self._model.tag_each([views[at] for at in short]), strict=True))
        for at, rules in zip(plain, by_rule, strict=True):
            if rules is not None:
                field_name, text = given[at]
                with contextlib.suppress(DetectorError):
                    found[at] = self._detect(text, field_name, taggings.pop(at, None), rules) if text else []
        return found

    def structured(self, text: str, *, field_name: str = "") -> list[Finding]:
        """What the rules alone find: numbers, addresses of all kinds and credentials, no names by the model."""
        _check_size(text)
        return self._as_read(text, field_name, self._rules.find(text, field_name))

    def structured_each(self, texts: Iterable[tuple[str, str]]) -> list[list[Finding] | None]:
        """:meth:`structured` on each ``(field name, text)``, many of them together; ``None`` where it raises."""
        given = list(texts)
        found: list[list[Finding] | None] = [None] * len(given)
        kept: list[int] = []
        for at, (_, text) in enumerate(given):
            with contextlib.suppress(DetectorError):
                _check_size(text)
                kept.append(at)
        for at, rules in zip(kept, self._by_rule([given[at] for at in kept]), strict=True):
            if rules is not None:
                field_name, text = given[at]
                with contextlib.suppress(DetectorError):
                    found[at] = self._as_read(text, field_name, rules)
        return found

    def _as_read(self, text: str, field_name: str, found: list[Finding]) -> list[Finding]:
        """What the rules found in a text, and what they find in what it reads as."""
        if (reading := read(text)) is not None:
            found = [reading.whole_escapes(finding) for finding in found]
            found += [view.mapped(f) for view in reading.views for f in self._rules.find(view.text, field_name)]
        return resolve(found, text)

    def _by_rule(self, texts: Sequence[tuple[str, str]]) -> list[list[Finding] | None]:
        """What the rules find in each text; ``None`` where they fail."""
        try:
            return [*self._rules.find_each(texts)]
        except DetectorError:
            # One of them, then: each by itself.
            return [self._alone(*text) for text in texts]

    def _alone(self, field_name: str, text: str) -> list[Finding] | None:
        with contextlib.suppress(DetectorError):
            return self._rules.find(text, field_name)
        return None


def require_recall(recall: Recall) -> None:
    """Raises ``ConfigError`` for another word."""
    if recall not in ("balanced", "high"):
        raise ConfigError("recall is balanced or high.")


def require_detector(given: object) -> None:
    """Raises ``ConfigError`` for what is no detector. One that fails when it is asked has an error of its own."""
    if isinstance(given, type) or not callable(getattr(given, "detect", None)):
        raise ConfigError(
            "A recognizer has a method detect(text, *, field_name); one of those given has none.",
            next_step='A pattern or a function becomes one: securevec.recognizer("BADGE", r"B-[0-9]{5}").',
        )


def builtin_detector(recall: Recall, engine: PatternEngine = "re2", names: Names = "small") -> BuiltinDetector:
    """The built-in detector with the shipped rules, compiled once per process.

    Raises ``ConfigError``, or ``MissingExtra`` where the engine, or what reads names, is not installed.
    """
    return _builtin(recall, engine, names)


@lru_cache(maxsize=8)
def _builtin(recall: Recall, engine: PatternEngine, names: Names) -> BuiltinDetector:
    return BuiltinDetector(recall=recall, engine=engine, names=names)


def default_detector() -> BuiltinDetector:
    """:func:`builtin_detector` as it is used unless somebody says otherwise."""
    return builtin_detector("balanced")


class MergedDetector:
    """Several detectors as one; overlaps are settled by the same resolver. One that fails fails all."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        if not detectors:
            raise DetectorError("A merged detector needs at least one detector.")
        self._detectors = tuple(detectors)

    @property
    def digest(self) -> str:
        return hashlib.sha256("|".join(map(digest_of, self._detectors)).encode()).hexdigest()

    @property
    def entities(self) -> frozenset[str]:
        """Entities of the detectors that name theirs."""
        return frozenset().union(*map(entities_of, self._detectors))

    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        found: list[Finding] = []
        for detector in self._detectors:
            found.extend(checked(detector, text, field_name))
        return resolve(found, text)


def checked(detector: Detector, text: str, field_name: str) -> list[Finding]:
    """The detector's findings, or ``DetectorError``: an exception, or offsets outside the text, is never "nothing"."""
    found = _answer(detector, text, field_name)
    if isinstance(detector, BuiltinDetector | MergedDetector) or (reading := read(text)) is None:
        return found
    found = [reading.whole_escapes(finding) for finding in found]
    found += [view.mapped(finding) for view in reading.views for finding in _answer(detector, view.text, field_name)]
    return resolve(found, text)


def _answer(detector: Detector, text: str, field_name: str) -> list[Finding]:
    try:
        answer = detector.detect(text, field_name=field_name)
        if isinstance(detector, BuiltinDetector | MergedDetector):
            found = list(answer)
        else:
            # One more than there may be, of an answer that may never end.
            found = list(map(sound, islice(answer, _MOST * len(text) + _MOST)))
    except (DetectorError, *ENDING):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever failed, the answer is not "nothing found"
        # The cause is named and not chained: its message may quote the text.
        raise DetectorError(f"The detector failed ({type(error).__name__}); nothing was stored.") from None
    if any(not 0 <= finding.start <= finding.end <= len(text) for finding in found):
        raise DetectorError("The detector answered with positions outside the text.")
    if len(found) >= _MOST * (len(text) + 1):
        raise DetectorError(f"The detector answered with more than {_MOST} findings for each character.")
    return found


def digest_of(detector: Detector) -> str:
    """The detector's own digest, or that of its class name when it has none."""
    # Asked for each chunk that is sealed; an isinstance check against a protocol takes fifty times as long.
    digest: object = getattr(detector, "digest", None)
    if digest is not None:
        return str(digest)
    kind = type(detector)
    return hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode()).hexdigest()


def entities_of(detector: Detector) -> frozenset[str]:
    """The entities a detector names as its own, which an operator policy may then name too."""
    return frozenset(getattr(detector, "entities", ()))


def _check_size(text: str) -> None:
    try:
        large = len(text) > MAX_TEXT_BYTES or (len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES)
        if not large and not text.isascii():
            text.encode()
    except UnicodeEncodeError as error:
        raise DetectorError("The text holds characters that are not Unicode text.") from error
    if large:
        raise DetectorError("The text is larger than the detector takes.")
