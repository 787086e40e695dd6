"""Makes the lines of ``europe.jsonl`` from ``europe_texts.py``. ``make.py`` calls it."""

from __future__ import annotations

import json
import re

from europe_texts import KEPT, READ

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
    made = []
    for part, texts in (("read", READ), ("kept", KEPT)):
        for language, lines in texts.items():
            for line in lines.strip().splitlines():
                text, spans = marked(line)
                row = {"text": text, "spans": spans, "kind": "europe", "language": language, "part": part}
                made.append(json.dumps(row, ensure_ascii=False))
    return made
