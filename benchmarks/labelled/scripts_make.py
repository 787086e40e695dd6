"""Makes ``scripts.jsonl``: texts in scripts without capitals with their labels, and plain sentences. ``make.py`` calls it."""

from __future__ import annotations

import json
import random
import re

from scripts_plain import sentences
from scripts_texts import ADDRESSES_KEPT, ADDRESSES_READ, KEPT, PEOPLE_KEPT, PEOPLE_READ, PHONES, READ

SEED = 52
DRAWS = 3
_SLOT = re.compile(r"\{\{|\}\}|\{([pftai])\}")
_ENTITIES = {"p": "PERSON", "f": "PERSON", "t": "PHONE", "a": "ADDRESS", "i": "NATIONAL_ID"}
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _digits(rng: random.Random, form: str) -> str:
    return re.sub("#", lambda _: str(rng.randrange(10)), form)


def identity(language: str, rng: random.Random) -> str:
    """A number by the public rule of its country, of areas or dates that are nobody's: 90th of a district, day zero."""
    if language == "zh":
        body = (
            "119900"
            + str(rng.randrange(1950, 2005))
            + f"{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
            + _digits(rng, "###")
        )
        return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _ID_WEIGHTS, strict=True)) % 11]
    if language == "zt":
        body = "A1" + _digits(rng, "#######")
        total = 1 + sum(int(d) * w for d, w in zip(body[1:], range(8, 0, -1), strict=True))
        return body + str(-total % 10)
    if language == "ko":
        return f"{rng.randrange(50, 99)}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}-1" + _digits(rng, "######")
    if language == "th":
        body = "1" + _digits(rng, "###########")
        return body + str((11 - sum(int(d) * w for d, w in zip(body, range(13, 1, -1), strict=True)) % 11) % 10)
    return _digits(rng, {"ar": "1#########", "he": "#########", "hi": "5### #### ####"}[language])


def _family(name: str, language: str) -> str:
    """The family name of a Chinese, Japanese or Korean name of the lists."""
    if language == "ja":
        return name[:3] if name.startswith(("佐々木", "長谷川", "早乙女", "宇佐美")) else name[:2]
    return name[:2] if name.startswith(("欧阳", "司徒", "钟离", "남궁", "제갈")) else name[0]


def drawn(template: str, language: str, part: str, rng: random.Random) -> dict[str, object]:
    people = (PEOPLE_READ if part == "read" else PEOPLE_KEPT)[language].split("|")
    places = (ADDRESSES_READ if part == "read" else ADDRESSES_KEPT).get(language, "").split("|")
    rng.shuffle(people)
    text, spans, at = "", [], 0
    for slot in _SLOT.finditer(template):
        text += template[at : slot.start()]
        at = slot.end()
        kind = slot.group(1)
        if kind is None:
            text += slot.group()[0]
            continue
        if kind in "pf":
            value = people.pop()
            value = _family(value, language) if kind == "f" else value
        elif kind == "t":
            value = _digits(rng, rng.choice(PHONES[language].split("|")))
        else:
            value = rng.choice(places) if kind == "a" else identity(language, rng)
        entity = "IN_AADHAAR" if kind == "i" and language == "hi" else _ENTITIES[kind]
        spans.append([len(text), len(text) + len(value), entity])
        text += value
    text += template[at:]
    return {"text": text, "spans": spans, "kind": "script", "language": language, "part": part}


def script_lines() -> list[str]:
    made = []
    for part, texts in (("read", READ), ("kept", KEPT)):
        for language, rows in texts.items():
            for template in rows.replace("\n", "|").replace("⏎", "\n").split("|"):
                rng = random.Random(f"{SEED}/{language}/{template}")
                for _ in range(DRAWS):
                    made.append(json.dumps(drawn(template, language, part, rng), ensure_ascii=False))
    for language, part, sentence in sentences():
        row = {"text": sentence, "spans": [], "kind": "plain-script", "language": language, "part": part}
        made.append(json.dumps(row, ensure_ascii=False))
    return list(dict.fromkeys(made))
