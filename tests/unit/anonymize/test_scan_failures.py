"""When detection fails the answer is an error, never "nothing found"."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any, cast

import pytest

from securevec.anonymize import Anonymizer, BuiltinDetector, Finding, MergedDetector, TenantKeys, default_detector
from securevec.anonymize import detectors as detecting
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.anonymize.rules.scan import PatternScanner
from securevec.anonymize.rules.sheet import Across, Part
from securevec.anonymize.rules.structured import Structured
from securevec.errors import DetectorError
from securevec.limits import MAX_TEXT_BYTES

KEYS = TenantKeys(b"p" * 32, b"t" * 32)
SECRET = "jane.smith@example.com"


class _GivesUp:
    """The engine's way of giving up: it reports no rule at all."""

    def Match(self, text: bytes) -> list[int] | None:
        return None


class _ForgetsSentinel:
    def Match(self, text: bytes) -> list[int] | None:
        return [0]


class _Breaks:
    def Match(self, text: bytes) -> list[int] | None:
        raise MemoryError(SECRET)


@pytest.fixture(scope="module")
def scanner() -> PatternScanner:
    """The shipped rules. What is broken in it is whole again after the test."""
    return PatternScanner(builtin_rules())


@pytest.mark.parametrize("engine", [_GivesUp(), _ForgetsSentinel(), _Breaks()])
def test_an_engine_that_gives_up_on_words_or_on_lines_stops_the_scan(
    engine: object, scanner: PatternScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [Part("GB82 WEST 1234 5698 7654 32", "", Across(7, 12), frozenset(range(9)))] * 2
    with monkeypatch.context() as broken:
        broken.setattr(scanner._words, "_engine", engine)
        with pytest.raises(DetectorError) as raised:
            scanner.scan("sort code 12-34-56")
    assert "12-34-56" not in str(raised.value)
    for sieve in (scanner._others, scanner._places):
        with monkeypatch.context() as broken:
            scanner.scan_each(lines)
            broken.setattr(sieve, "_engine", engine)
            with pytest.raises(DetectorError):
                scanner.scan_each(lines)


def test_a_text_that_stops_the_scan_takes_no_other_one_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Chokes:
        def __init__(self, engine: Any) -> None:
            self._engine = engine

        def Match(self, text: bytes) -> list[int] | None:
            return None if b"choke" in text else self._engine.Match(text)

    detector = default_detector()
    others = detector._rules._scanner._others
    monkeypatch.setattr(others, "_engine", Chokes(others._engine))
    texts = [("note", f"write to {SECRET}"), ("note", "choke on 4111 1111 1111 1111"), ("note", "nothing")]
    for found in (detector.structured_each(texts), detector.detect_each(texts)):
        assert found[1] is None
        assert [f.entity for f in found[0] or []] == ["EMAIL"]
        assert found[2] == []


@pytest.mark.parametrize("engine", [_GivesUp(), _ForgetsSentinel(), _Breaks()])
def test_an_engine_that_gives_up_stops_the_scan(
    engine: object, scanner: PatternScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner._others, "_engine", engine)
    with pytest.raises(DetectorError) as raised:
        scanner.scan(f"write to {SECRET}")
    assert SECRET not in str(raised.value)


def test_a_rule_that_breaks_stops_the_scan_and_does_not_quote_the_text(
    scanner: PatternScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def Match(self, anchor: object, data: bytes, *range_: int) -> object:
            raise RuntimeError(data.decode())

    for compiled in scanner._compiled:
        monkeypatch.setattr(compiled, "_match", cast("Any", Broken().Match))
    with pytest.raises(DetectorError) as raised:
        scanner.scan(f"write to {SECRET}")
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None


class _Raises:
    def detect(self, text: str, *, field_name: str = "") -> Sequence[Finding]:
        raise ValueError(text)


class _Lies:
    def __init__(self, *findings: Finding) -> None:
        self._findings = findings

    def detect(self, text: str, *, field_name: str = "") -> Sequence[Finding]:
        return self._findings


@pytest.mark.parametrize(
    "detector",
    [
        _Raises(),
        _Lies(Finding(0, 10_000, "EMAIL", 1.0, "x")),
        _Lies(Finding(-3, 2, "EMAIL", 1.0, "x")),
        MergedDetector([default_detector(), _Raises()]),
    ],
)
def test_a_detector_that_fails_or_lies_about_positions_stops_everything(
    detector: _Raises | _Lies | MergedDetector,
) -> None:
    anonymizer = Anonymizer(detector=detector)
    for work in (
        lambda: anonymizer.field(SECRET, keys=KEYS),
        lambda: anonymizer.record({"body": SECRET}, keys=KEYS, subjects=()),
        lambda: anonymizer.query(SECRET, keys=KEYS, known=lambda tokens: {}),
        lambda: anonymizer.findings(SECRET),
    ):
        with pytest.raises(DetectorError) as raised:
            work()
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("text", ["x" * (MAX_TEXT_BYTES + 1), "\u00e9" * (MAX_TEXT_BYTES // 2 + 1)])
def test_a_text_above_the_limit_is_refused_not_cut(text: str) -> None:
    with pytest.raises(DetectorError):
        default_detector().detect(text)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(DetectorError):
        default_detector().detect("name \ud800 jane@example.com")


def test_merged_detectors_are_settled_by_one_resolver() -> None:
    extra = _Lies(Finding(0, 4, "BADGE", 1.0, "badge", 99))
    found = MergedDetector([default_detector(), extra]).detect("B-17 jane@example.com")
    assert [f.entity for f in found] == ["BADGE", "EMAIL"]


def test_the_digest_names_every_part_of_a_merged_detector() -> None:
    one = MergedDetector([default_detector()]).digest
    two = MergedDetector([default_detector(), _Raises()]).digest
    assert one != two
    assert Anonymizer().digest == default_detector().digest


def test_a_child_that_is_forked_while_another_thread_compiles_the_rules_reads_its_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiling, forked = Event(), Event()

    def slowly(*given: Any) -> Any:
        compiling.set()
        forked.wait(30)
        return Structured(*given)

    monkeypatch.setattr(detecting, "Structured", slowly)
    detector = BuiltinDetector()
    reader = Thread(target=detector.detect, args=(SECRET,), daemon=True)
    reader.start()
    assert compiling.wait(30)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        try:
            setattr(detecting, "Structured", Structured)  # noqa: B010  # nothing undoes it in a child that ends here
            os._exit(0 if detector.detect(SECRET) else 1)
        finally:
            os._exit(2)
    forked.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    reader.join(30)
