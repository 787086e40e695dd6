"""Writes ``own.jsonl``, the labelled texts of this repository: every template with values of its slots, seed fixed.

python benchmarks/labelled/make.py            write own.jsonl
python benchmarks/labelled/make.py --check    exit 1 when the file is not what the script makes
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import people_kept
import styles
from europe_make import europe_lines, prose_lines
from formats import FORMATS, PLAIN
from people import Cast
from scripts_make import script_lines
from templates import KEPT, TEMPLATES

OWN = Path(__file__).parent / "own.jsonl"
STYLES = Path(__file__).parent / "styles.jsonl"
SCRIPTS = Path(__file__).parent / "scripts.jsonl"
EUROPE = Path(__file__).parent / "europe.jsonl"
PROSE = Path(__file__).parent / "prose.jsonl"
SEED = 6
DRAWS = {"no": 4, "other": 7, "style": 4}
CAST = {
    "person": "PERSON", "given": "PERSON", "surname": "PERSON", "listed": "PERSON", "street": "ADDRESS",
    "postcode": "POSTCODE", "town": "LOCATION", "firm": "ORG", "caps": "PERSON", "initials": "PERSON", "country": "LOCATION", "country.de": "LOCATION", "caps.town": "LOCATION",
}  # fmt: skip
SPOKEN = {"be": "nl", "br": "world"}
"""The country of a template whose people come from another list."""
SLOT = re.compile(r"\{\{|\}\}|\{([a-z0-9.]+)\}")


def drawn(template: str, rng: random.Random, lists: ModuleType | None = None) -> dict[str, Any]:
    """One line of the set: ``text``, ``spans`` of ``[start, end, entity]``, and what kind of text in which language."""
    head, _, body = template.partition(" | ")
    kind, language = head.split()
    cast = Cast(rng, SPOKEN.get(language, language), lists)
    text, spans, at = "", [], 0
    body = body.replace("\\n", "\n")
    for slot in SLOT.finditer(body):
        text += body[at : slot.start()]
        at = slot.end()
        name = slot.group(1)
        if name is None:
            text += slot.group()[0]
        elif name in PLAIN:
            text += PLAIN[name](rng)
        else:
            value = getattr(cast, name.replace(".", "_"))() if name in CAST else FORMATS[name][1](rng)
            spans.append([len(text), len(text) + len(value), CAST.get(name) or FORMATS[name][0]])
            text += value
    text += body[at:]
    if kind == "lower":
        text = text.lower()
    return {"text": text, "spans": spans, "kind": kind, "language": language}


def lines() -> list[str]:
    made = []
    for number, template in enumerate([*TEMPLATES, *KEPT]):
        # A seed of its own for each template: one more template leaves the other texts as they are.
        rng = random.Random(f"{SEED}/{template}")
        draws = DRAWS["no" if template.startswith("no-") else "other"]
        told = {"template": number, "part": "read" if number < len(TEMPLATES) else "kept"}
        made += [json.dumps(drawn(template, rng) | told, ensure_ascii=False) for _ in range(draws)]
    return list(dict.fromkeys(made))


def style_lines() -> list[str]:
    """``styles.jsonl``: the part ``kept`` has people, firms and places of its own."""
    made = []
    for number, template in enumerate([*styles.READ, *styles.KEPT]):
        rng = random.Random(f"{SEED}/{template}")
        kept = number >= len(styles.READ)
        told = {"template": number, "part": "kept" if kept else "read"}
        lists = people_kept if kept else None
        made += [json.dumps(drawn(template, rng, lists) | told, ensure_ascii=False) for _ in range(DRAWS["style"])]
    return list(dict.fromkeys(made))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the labelled texts of this repository.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on a difference")
    check = parser.parse_args().check
    sets = ((OWN, lines()), (STYLES, style_lines()), (SCRIPTS, script_lines()), (EUROPE, europe_lines()))
    for path, made in (*sets, (PROSE, prose_lines())):
        text = "\n".join(made) + "\n"
        if not check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not what this script makes")


if __name__ == "__main__":
    main()
