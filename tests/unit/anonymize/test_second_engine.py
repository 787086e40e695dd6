"""Hyperscan beside RE2: the same rules of every text, and a text that it cannot read is refused and not passed on."""

from __future__ import annotations

import json
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.anonymize import BuiltinDetector
from securevec.anonymize.rules import second
from securevec.anonymize.rules.matching import byte_options
from securevec.anonymize.rules.rulebook import RuleBook, builtin_rules
from securevec.anonymize.rules.scan import PatternScanner
from securevec.anonymize.rules.second import Second, require
from securevec.anonymize.rules.sieve import Sieve
from securevec.errors import ConfigError, DetectorError, MissingExtra

_BOOK = builtin_rules()
_IDS = frozenset({"email", "iban", "card", "ipv4", "mrn-field", "aws-access-key", "private-key", "us-ssn"})
_FEW = tuple(rule for rule in _BOOK.rules if rule.id in _IDS)
"""A few rules: all of them take ten seconds of a processor to compile."""
_TEXTS = [text for rule in _FEW for text in (*rule.examples, *rule.counter_examples)]
_ROOT = Path(__file__).parents[3]
LABELLED = sorted((_ROOT / "benchmarks" / "labelled").glob("*.jsonl"))
_SECRET = "jane.doe@example.org"  # what no message may show


def _few() -> RuleBook:
    return RuleBook(_FEW, _BOOK.digest, _BOOK.entities, _BOOK.secrets)


def _patterns(book: RuleBook) -> tuple[tuple[int, bytes], ...]:
    return tuple((number, rule.sieve) for number, rule in enumerate(PatternScanner(book)._compiled))


@pytest.fixture
def own_engine(monkeypatch: pytest.MonkeyPatch) -> Second:
    """An engine of the few rules that no other test has met, and every scanner made meanwhile uses it."""
    pytest.importorskip("hyperscan", reason="the extra hyperscan is not installed")
    made = Second(_patterns(_few()))

    def shared(patterns: tuple[tuple[int, bytes], ...]) -> Second:
        del patterns
        return made

    monkeypatch.setattr("securevec.anonymize.rules.scan.shared", shared)
    return made


def test_an_engine_that_is_not_installed_is_refused_before_there_is_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second, "_PACKAGE", "hyperscan_that_is_nowhere")
    second._tried.cache_clear()
    try:
        with pytest.raises(MissingExtra, match="hyperscan") as refused:
            sv.SecureStore.open(tmp_path / "home", backend="memory", pattern_engine="hyperscan")
        assert "securevec[hyperscan]" in str(refused.value.next_step)
        assert not (tmp_path / "home").exists()
        with pytest.raises(MissingExtra):
            BuiltinDetector(_few(), engine="hyperscan")
    finally:
        second._tried.cache_clear()


def test_an_engine_that_nobody_knows_is_refused() -> None:
    unknown: Any = "pcre"
    with pytest.raises(ConfigError, match="pattern engine"):
        require(unknown)
    with pytest.raises(ConfigError):
        BuiltinDetector(_few(), engine=unknown)


def test_an_engine_that_finds_nothing_is_refused_at_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan", reason="the extra hyperscan is not installed")

    def deaf(*said: object) -> None:
        del said

    monkeypatch.setattr(second, "_noted", deaf)
    second._tried.cache_clear()
    try:
        with pytest.raises(ConfigError, match="does not find"):
            require("hyperscan")
    finally:
        second._tried.cache_clear()


def agreed(engine: Second, first: Sieve, data: bytes) -> int:
    """How many rules both engines name of a text, which must be the same ones."""
    found = engine.numbers(data)
    assert found is not None
    assert sorted(found) == sorted(first.numbers(data))
    return len(found)


def test_both_engines_name_the_same_rules_of_every_text(own_engine: Second) -> None:
    scanner = PatternScanner(_few())
    first = Sieve(_patterns(_few()), byte_options())
    own_engine.compile()
    drawn = random.Random(5)  # texts of a test
    hits = 0
    for _ in range(2_000):
        one, other = drawn.choice(_TEXTS), drawn.choice(_TEXTS)
        text = one[: drawn.randrange(len(one) + 1)] + drawn.choice("\n\x0b\xe9 \u2014") + other
        hits += agreed(own_engine, first, scanner._alphabet.encode(text))
    assert hits > 1_000


def test_re2_answers_until_the_engine_is_there_and_findings_do_not_change(own_engine: Second) -> None:
    plain, other = BuiltinDetector(_few()), BuiltinDetector(_few(), engine="hyperscan")
    assert other.digest == plain.digest
    assert other.engine == "hyperscan"
    wanted = [plain.structured(text) for text in _TEXTS]
    assert sum(map(len, wanted)) > 10
    assert [other.structured(text) for text in _TEXTS] == wanted
    assert not own_engine.ready
    assert not any(thread.name == "securevec-patterns" for thread in threading.enumerate())
    own_engine._read = second.WORTH
    other.structured("x")
    for thread in threading.enumerate():
        if thread.name == "securevec-patterns":
            thread.join()
    assert own_engine.ready
    assert [other.structured(text) for text in _TEXTS] == wanted
    assert other.structured_each([("", text) for text in _TEXTS]) == wanted


def test_an_engine_that_could_not_be_made_refuses_every_text_and_re2_does_not_step_in(own_engine: Second) -> None:
    detector = BuiltinDetector(_few(), engine="hyperscan")
    own_engine._patterns[0] = b"("
    own_engine.compile()
    with pytest.raises(DetectorError, match="could not be made") as refused:
        detector.structured(_SECRET)
    assert "re2" in str(refused.value.next_step)
    assert detector.structured_each([("", _SECRET)]) == [None]


class _Broken:
    """In place of the compiled patterns: what the engine does when it fails, or gives up in silence."""

    def __init__(self, error: Exception | None, seen: tuple[int, ...] = ()) -> None:
        self._error, self._seen = error, seen

    def scan(self, data: bytes, *, match_event_handler: Any, context: list[int], scratch: object) -> None:
        for number in self._seen:
            match_event_handler(number, 0, 0, 0, context)
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("broken", [_Broken(RuntimeError(_SECRET)), _Broken(None), _Broken(None, (0, 1, 2))])
def test_a_scan_that_fails_or_never_reaches_the_end_refuses_the_text(own_engine: Second, broken: _Broken) -> None:
    detector = BuiltinDetector(_few(), engine="hyperscan")
    own_engine.compile()
    assert detector.structured(_SECRET)
    own_engine._database = broken
    with pytest.raises(DetectorError, match="nothing was scanned") as refused:
        detector.structured(_SECRET)
    error: BaseException | None = refused.value
    while error is not None:
        assert _SECRET not in repr(error)
        error = error.__cause__
    assert detector.structured_each([("", _SECRET)]) == [None]


def test_threads_read_at_once_and_none_is_told_what_another_reads(own_engine: Second) -> None:
    own_engine.compile()
    alphabet = PatternScanner(_few())._alphabet
    datas = [alphabet.encode(text * 1_000) for text in _TEXTS]
    wanted = [sorted(own_engine.numbers(data) or ()) for data in datas]
    assert len({*map(tuple, wanted)}) > 3
    right: list[int] = []
    rounds = 4

    def read(begin: int) -> None:
        # The engine leaves the interpreter's lock: one thread that fails here is one that met another.
        for at in [*range(begin, len(datas)), *range(begin)] * rounds:
            if sorted(own_engine.numbers(datas[at]) or ()) == wanted[at]:
                right.append(at)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(right) == len(threads) * rounds * len(datas)


def test_a_process_forked_while_it_is_made_makes_its_own(own_engine: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def start(thread: threading.Thread) -> None:
        begun.append(len(thread.name))

    monkeypatch.setattr(threading.Thread, "start", start)
    own_engine._read = second.WORTH
    assert own_engine.numbers(b"x") is None
    assert own_engine.numbers(b"x") is None
    assert len(begun) == 1
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert own_engine.numbers(b"x") is None
    assert len(begun) == 2


_PLACED = tuple(rule for rule in _BOOK.rules if rule.id in {"fallback-handed-over", "property-set", "command-option"})
"""Their signs once began where Hyperscan passed over them behind the fifteenth character."""


def test_a_value_behind_the_beginning_of_a_text_is_named_by_both_engines() -> None:
    pytest.importorskip("hyperscan", reason="the extra hyperscan is not installed")
    patterns = _patterns(RuleBook(_PLACED, _BOOK.digest, _BOOK.entities, _BOOK.secrets))
    engine, first = Second(patterns), Sieve(patterns, byte_options())
    engine.compile()
    for rule in _PLACED:
        for text in rule.examples:
            assert all(agreed(engine, first, b"x" * by + text.encode()) for by in (0, 16, 24, 40, 300))


@pytest.mark.soak
def test_the_engine_of_all_rules_names_what_re2_names_and_detects_the_same() -> None:
    pytest.importorskip("hyperscan", reason="the extra hyperscan is not installed")
    plain, other = BuiltinDetector(), BuiltinDetector(engine="hyperscan")
    scanner = other._rules._scanner
    engine = scanner._second
    assert engine is not None
    engine.compile()
    # What is like another rule is in no set of either engine: that other one speaks for it.
    in_sets = [(number, scanner._compiled[number].sieve) for number, rule in enumerate(_BOOK.rules) if not rule.like]
    first = Sieve(in_sets, byte_options())
    whole = [text for rule in _BOOK.rules for text in (*rule.examples, *rule.counter_examples)]
    whole += [str(json.loads(line)["text"]) for path in LABELLED for line in path.read_text().splitlines()]
    drawn = random.Random(17)  # texts of a test
    odd = ("\n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\xe9", "\xc9", "\u2014", "\u0130", "\t", ", ")
    mixed: list[str] = []
    for _ in range(6_000):
        one, two = drawn.choice(whole), drawn.choice(whole)
        made = one[: drawn.randrange(len(one) + 1)] + drawn.choice(odd) + two[drawn.randrange(len(two) + 1) :]
        mixed.append(drawn.choice([made, made.upper(), made.lower(), made.replace(" ", drawn.choice(odd))]))
    # From some offset on Hyperscan 5.4 passes over a pattern whose first two places are followed by a run that is empty
    # there and by a word of the run's own signs.
    moved = [fill * by + text for text in whole for fill, by in ((" ", 24), ("x", 40))]
    hits = 0
    for text in whole + mixed + moved:
        hits += agreed(engine, first, scanner._alphabet.encode(text))
    assert hits > 10_000
    for begin in range(0, len(whole), 50):
        texts = [("", text) for text in whole[begin : begin + 50]]
        assert other.detect_each(texts) == plain.detect_each(texts)
        assert [other.detect(text) for _, text in texts[:10]] == [plain.detect(text) for _, text in texts[:10]]
