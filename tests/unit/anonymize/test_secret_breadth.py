"""Credentials of many vendors are known, and English prose holds none."""

from __future__ import annotations

import ast
import sysconfig
from functools import lru_cache
from pathlib import Path

import pytest

from securevec.anonymize import default_detector
from securevec.anonymize.fold import fold
from securevec.anonymize.rules.rulebook import builtin_rules

BOOK = builtin_rules()


def secrets_in(text: str) -> list[str]:
    found = default_detector()._rules._scanner.scan(fold(text, skeleton=True).text)
    return [finding.rule for finding in found if finding.entity in BOOK.secrets]


@lru_cache(maxsize=1)
def documentation() -> str:
    """Docstrings of the standard library that runs these tests: English, some of it about passwords and keys."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip"}
    pieces: list[str] = []
    for path in sorted(folder.rglob("*.py")):
        if skipped & set(path.parts) or path.stat().st_size < 25_000:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                pieces.append(ast.get_docstring(node) or "")
    return "\n\n".join(pieces)


def test_there_are_rules_for_more_than_eighty_kinds_of_credentials_and_twenty_countries() -> None:
    assert len({rule.entity for rule in BOOK.rules if rule.secret}) >= 80
    assert len({country for rule in BOOK.rules for country in rule.countries}) >= 20
    assert all(rule.examples and rule.counter_examples for rule in BOOK.rules if rule.secret)


def topics() -> str:
    """What Python says of itself under ``help``."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def test_a_third_of_a_megabyte_of_prose_holds_no_secret() -> None:
    prose = topics()
    assert len(prose) > 300_000
    assert secrets_in(prose) == []


@pytest.mark.soak
def test_a_megabyte_of_prose_holds_no_secret() -> None:
    text = documentation()
    assert len(text) + len(topics()) > 1_000_000
    # One docstring shows how to write a password into a call; a detector should say so.
    assert len(secrets_in(text)) <= 2


def test_a_secret_in_that_prose_would_be_seen() -> None:
    text = topics()[:50_000]
    for rule in BOOK.rules:
        if rule.secret and rule.id in {"github-token", "stripe-key", "grafana-token", "password-hash"}:
            assert rule.id in secrets_in(f"{text}\n{rule.examples[0]}\n{text[:100]}")
