"""Values in disguise: every structured entity in forms that hide it from a pattern and from no reader or parser.

    python benchmarks/bar_evasions.py [--json FILE]

A disguise is Unicode (invisible characters, other digits and scripts, marks, spaces, dashes) or a notation (entities,
escapes, percent-encoding, tags, Markdown, JSON, CSV). One counts for an entity when it changes the value. Found means
that a finding of the entity covers all of it. Beside that, the same disguises of sentences without any value say how
often something is found where nothing is. Exit 1 when an entity's recall is below the bar, or has fewer disguises.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from result import RESULTS, about, report_least, write

from securevec.anonymize import BuiltinDetector

LEAST: Final = 0.95
FEWEST: Final = 30
VALUES: Final = {
    "EMAIL": ["jane.smith@example.com", "o.larsen-berg@mail.example.org"],
    "CARD": ["4111 1111 1111 1111", "5500-0055-5555-5559"],
    "IBAN": ["GB82 WEST 1234 5698 7654 32", "DE89 3704 0044 0532 0130 00"],
    "SSN": ["161-42-3291", "536-90-4399"],
    "IP": ["198.51.100.23", "10.20.30.141"],
    "PHONE": ["+44 20 7946 0958", "+1 202-555-0143"],
    "MAC": ["00:1a:2b:3c:4d:5e", "3c-22-fb-9e-10-a7"],
    "URL": ["https://portal.example.com/u/jane", "https://example.org/a-b/4711"],
    "NHS": ["943 476 5919", "401 023 2137"],
    "CRYPTO_WALLET": ["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"],
}
PROSE: Final = [
    "the lift was out of order in ward 7 until the evening",
    "Please order 12 boxes for room 4, and 3 for the store.",
    "Version 2.4.1 fixes 18 faults; see chapter 9 (pages 101-104).",
]
SENTENCES: Final = ["please note {} thanks", "the NHS number, ssn or address is {} as of today", "{}"]

INVISIBLE: Final = {
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "left-to-right mark": "\u200e",
    "right-to-left override": "\u202e",
    "first strong isolate": "\u2068",
    "Mongolian vowel separator": "\u180e",
    "variation selector": "\ufe0f",
    "variation selector 17": "\U000e0100",
    "tag character": "\U000e0041",
    "Hangul filler": "\u3164",
    "interlinear anchor": "\ufff9",
    "unit separator": "\x1f",
}
MARKS: Final = {"underlined": "\u0332", "struck": "\u0336", "enclosing circle": "\u20dd", "acute": "\u0301"}
DIGITS: Final = {
    "Arabic digits": 0x660,
    "Devanagari digits": 0x966,
    "Thai digits": 0xE50,
    "fullwidth digits": 0xFF10,
    "bold digits": 0x1D7CE,
    "double-struck digits": 0x1D7D8,
}
SIGNS: Final = {
    "no-break space": (" ", "\u00a0"),
    "thin space": (" ", "\u2009"),
    "ideographic space": (" ", "\u3000"),
    "en dash": ("-", "\u2013"),
    "non-breaking hyphen": ("-", "\u2011"),
    "minus sign": ("-", "\u2212"),
    "ideographic full stop": (".", "\u3002"),
    "one dot leader": (".", "\u2024"),
    "middle dot": (".", "\u00b7"),
    "small at": ("@", "\ufe6b"),
    "ratio": (":", "\u2236"),
    "division slash": ("/", "\u2215"),
    "no-break double space": (" ", "\u00a0\u00a0"),
}
CYRILLIC: Final = dict(zip("aceopxyjiABCEHIMOPTX", "асеорхујіАВСЕНІМОРТХ", strict=True))
GREEK: Final = dict(zip("oABEHIKMNOPTXYZ", "οΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))

Disguise = Callable[[str], str]


def _each(write: Callable[[str], str]) -> Disguise:
    return lambda value: "".join(map(write, value))


def _letters(table: dict[str, str]) -> Disguise:
    return _each(lambda char: table.get(char, char))


def _moved(digits: int, small: int, capital: int) -> Disguise:
    """Digits and letters moved to where their likes begin; 0 leaves them."""

    def write(char: str) -> str:
        if "0" <= char <= "9" and digits:
            return chr(digits + int(char))
        if "a" <= char <= "z" and small:
            return chr(small + ord(char) - 97)
        return chr(capital + ord(char) - 65) if "A" <= char <= "Z" and capital else char

    return _each(write)


def _marked(mark: str) -> Disguise:
    return _each(lambda char: char + mark if char.isalnum() else char)


def _signs(old: str, new: str) -> Disguise:
    return lambda value: value.replace(old, new)


def disguises() -> dict[str, Disguise]:
    """Every disguise by its name."""
    made: dict[str, Disguise] = {name: char.join for name, char in INVISIBLE.items()}
    made |= {name: _marked(mark) for name, mark in MARKS.items()}
    made |= {name: _moved(first, 0, 0) for name, first in DIGITS.items()}
    made |= {name: _signs(*pair) for name, pair in SIGNS.items()}
    made |= {
        "fullwidth": _each(lambda char: chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char),
        "Cyrillic look-alikes": _letters(CYRILLIC),
        "Greek look-alikes": _letters(GREEK),
        "bold letters": _moved(0, 0x1D41A, 0x1D400),
        "encircled letters": _moved(0, 0x24D0, 0x24B6),
        "encircled digits": _each(lambda char: "⓪①②③④⑤⑥⑦⑧⑨"[int(char)] if char.isdigit() else char),
        "superscript digits": _each(lambda char: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(char)] if char.isdigit() else char),
        "keycaps": _each(lambda char: f"{char}\ufe0f\u20e3" if char.isdigit() else char),
        "decimal entities": _each(lambda char: f"&#{ord(char)};"),
        "hexadecimal entities": _each(lambda char: f"&#x{ord(char):X};"),
        "entities of signs": _each(lambda char: char if char.isalnum() else f"&#{ord(char)};"),
        "entities escaped twice": _each(lambda char: char if char.isalnum() else f"&amp;#{ord(char)};"),
        "named entities": lambda value: (
            value.replace("@", "&commat;").replace(".", "&period;").replace(":", "&colon;").replace(" ", "&nbsp;")
        ),
        "soft hyphen entity": lambda value: f"{value[:5]}&shy;{value[5:]}",
        "JSON escapes": _each(lambda char: f"\\u{ord(char):04x}"),
        "JSON escapes of signs": _each(lambda char: char if char.isalnum() else f"\\u{ord(char):04X}"),
        "JSON escapes twice": _each(lambda char: char if char.isalnum() else f"\\\\u{ord(char):04x}"),
        "bytes": _each(lambda char: f"\\x{ord(char):02x}"),
        "percent": _each(lambda char: f"%{ord(char):02X}"),
        "percent of signs": _each(lambda char: char if char.isalnum() else f"%{ord(char):02x}"),
        "percent twice": _each(lambda char: char if char.isalnum() else f"%25{ord(char):02X}"),
        "tag inside": lambda value: f"{value[:4]}<b>{value[4:9]}</b>{value[9:]}",
        "comment inside": lambda value: f"{value[:6]}<!-- -->{value[6:]}",
        "break opportunity": lambda value: f"{value[:6]}<wbr>{value[6:]}",
        "stars inside": lambda value: f"{value[:3]}**{value[3:8]}**{value[8:]}",
        "Markdown escapes": lambda value: value.replace(".", "\\.").replace("-", "\\-").replace("@", "\\@"),
        "at and dot in words": lambda value: value.replace("@", " [at] ").replace(".", " [dot] "),
        "spaced out": " ".join,
    }
    return made


def measure(detector: BuiltinDetector) -> dict[str, Any]:
    """Per entity how many disguises were tried and found, which were missed; and what was found in prose."""
    known = disguises()
    rows: dict[str, Any] = {}
    for entity, values in VALUES.items():
        tried = found = 0
        used: set[str] = set()
        missed: set[str] = set()
        for name, dress in known.items():
            for value in values:
                worn = dress(value)
                if worn == value:
                    continue
                used.add(name)
                for sentence in SENTENCES[1:2] if entity == "NHS" else SENTENCES:
                    tried += 1
                    if _covered(detector, sentence.format(worn), sentence.index("{"), worn, entity):
                        found += 1
                    else:
                        missed.add(name)
        rows[entity] = {
            "disguises": len(used),
            "tried": tried,
            "found": found,
            "recall": round(found / tried, 4),
            "missed": sorted(missed),
        }
    dressed = [dress(text) for dress in known.values() for text in PROSE]
    alarms = sum(finding.entity in VALUES for text in dressed for finding in detector.structured(text))
    return {"entities": rows, "disguises": len(known), "prose": {"texts": len(dressed), "findings": alarms}}


def _covered(detector: BuiltinDetector, text: str, start: int, worn: str, entity: str) -> bool:
    wanted = worn.rstrip("".join((*INVISIBLE.values(), *MARKS.values(), "\u20e3")))
    return any(
        finding.entity == entity and finding.start <= start and finding.end >= start + len(wanted)
        for finding in detector.structured(text)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Recall of structured values in disguise.")
    parser.add_argument("--json", type=Path, default=RESULTS / "evasions.json")
    asked = parser.parse_args()
    detector = BuiltinDetector()
    document = about("bar_evasions.py", "google-re2") | measure(detector)
    rows = document["entities"]
    document["bars"] = {entity: {"measured": row["recall"], "least": LEAST} for entity, row in rows.items()} | {
        "fewest disguises of an entity": {"measured": min(row["disguises"] for row in rows.values()), "least": FEWEST}
    }
    document["detector"] = detector.digest
    write(asked.json, document)
    for entity, row in rows.items():
        print(f"{entity}: {row['found']} of {row['tried']}; missed: {', '.join(row['missed']) or 'none'}")
    print(f"prose: {document['prose']['findings']} findings in {document['prose']['texts']} texts")
    return report_least(document["bars"])


if __name__ == "__main__":
    sys.exit(main())
