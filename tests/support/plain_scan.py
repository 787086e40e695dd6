"""The rules applied one by one in the plainest way, as an oracle for the scanner: no set, no alphabet, no gate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import re2

from securevec.anonymize.findings import Finding
from securevec.anonymize.rules.edges import EDGES
from securevec.anonymize.rules.rulebook import ACCEPT, CONTEXT_BONUS, Rule, engine_options
from securevec.anonymize.rules.validators import EXTENTS, VALIDATORS


def plain_scan(rules: tuple[Rule, ...], text: str, field_name: str = "") -> list[Finding]:
    """Every finding of every rule in a folded text: RE2 over UTF-8, then keywords, words around, and the validator."""
    data = text.encode()
    lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    hint = " ".join(re.split(r"[^a-z0-9]+", field_name.lower()))
    found: list[Finding] = []
    for rule in rules:
        if rule.keywords and not any(word in lowered or word in hint for word in rule.keywords):
            continue
        for begin, finish in _places(rule, data):
            start, end = len(data[:begin].decode()), len(data[:finish].decode())
            if rule.edges and not EDGES[rule.edges](text, start, end, 0, len(text)):
                continue
            window = f"{hint} {lowered[max(0, start - 56) : start]} | {lowered[end : end + 32]}"
            score = rule.score
            if rule.context and _any_word(rule.context).search(window):
                score += CONTEXT_BONUS
            elif rule.veto and _any_word(rule.veto).search(window):
                score -= CONTEXT_BONUS
            if score >= ACCEPT and (not rule.validator or VALIDATORS[rule.validator](text[start:end])):
                found.append(Finding(start, end, rule.entity, min(score, 1.0), rule.id, rule.priority))
    return found


def _places(rule: Rule, data: bytes) -> Iterator[tuple[int, int]]:
    pattern = _pattern(rule.regex)
    extent = EXTENTS.get(rule.validator)
    position = 0
    if extent is None:
        while position <= len(data) and (match := next(pattern.finditer(data, position), None)):
            begin, finish = match.span(rule.group)
            behind = match.end()
            if 0 <= begin < finish:
                yield begin, finish
                # What follows a value may be what the next one begins behind.
                behind = finish
            position = max(behind, position + 1)
        return
    while match := next(pattern.finditer(data, position), None):
        begin, finish = match.span()
        start, end = extent(data[begin:finish].decode())
        if start < end:
            yield begin + start, begin + end
        position = begin + max(end, 1)


@cache
def _pattern(regex: str) -> Any:
    return re2.compile(regex, engine_options())


@cache
def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![a-z])(?:" + "|".join(re.escape(word) for word in ordered) + r")(?![a-z])")
