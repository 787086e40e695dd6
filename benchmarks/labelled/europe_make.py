"""Makes the lines of ``europe.jsonl`` from ``europe_texts.py``, and of ``prose.jsonl`` from ``prose_texts.py``. ``make.py`` calls it."""

from __future__ import annotations

import json
import re

import europe_texts
import prose_texts

_MARK = re.compile(r"\[([PLOAZ])\|([^\]]+)\]")
_ENTITIES = {"P": "PERSON", "L": "LOCATION", "O": "ORG", "A": "ADDRESS", "Z": "POSTCODE"}


def marked(line: str) -> tuple[str, list[list[object]]]:
    """The text of a line without its marks, and ``[start, end, entity]`` of what they marked."""
    text, spans, at = "", [], 0
    line = line.replace("⏎", "\n")
    for mark in _MARK.finditer(line):
        text += line[at : mark.start()]
        at = mark.end()
        spans.append([len(text), len(text) + len(mark.group(2)), _ENTITIES[mark.group(1)]])
        text += mark.group(2)
    return text + line[at:], spans


def europe_lines() -> list[str]:
    return _lines("europe", {"read": europe_texts.READ, "kept": europe_texts.KEPT})


def prose_lines() -> list[str]:
    return _lines("prose", {"read": prose_texts.READ, "kept": prose_texts.KEPT})


def _lines(name: str, parts: dict[str, dict[str, str]]) -> list[str]:
    """One line of JSON a text: its group is a language (``europe``) or a style (``prose``, all English)."""
    made = []
    for part, texts in parts.items():
        for group, lines in texts.items():
            kind, language = (name, group) if name == "europe" else (f"{name}-{group}", "en")
            for line in lines.strip().splitlines():
                text, spans = marked(line)
                row = {"text": text, "spans": spans, "kind": kind, "language": language, "part": part}
                made.append(json.dumps(row, ensure_ascii=False))
    return made
