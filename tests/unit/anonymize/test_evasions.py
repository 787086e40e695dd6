"""Values dressed up in Unicode are found all the same, and the span covers the dressed-up original."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from securevec.anonymize import default_detector

VALUES = {
    "EMAIL": "jane.smith@example.com",
    "CARD": "4111 1111 1111 1111",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "SSN": "161-42-3291",
    "IP": "198.51.100.23",
    "PHONE": "+44 20 7946 0958",
    "MAC": "00:1a:2b:3c:4d:5e",
}
INVISIBLE = {
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "arabic letter mark": "\u061c",
    "mongolian vowel separator": "\u180e",
    "right-to-left override": "\u202e",
    "pop directional": "\u202c",
    "first strong isolate": "\u2068",
    "invisible plus": "\u2064",
    "variation selector": "\ufe0f",
    "hangul filler": "\u3164",
    "tag character": "\U000e0041",
}
MARKS = {"underline": "\u0332", "strike": "\u0336", "overline": "\u0305", "dot below": "\u0323", "acute": "\u0301"}
DIGITS = {
    "arabic-indic": 0x660,
    "extended arabic": 0x6F0,
    "devanagari": 0x966,
    "bengali": 0x9E6,
    "thai": 0xE50,
    "fullwidth": 0xFF10,
    "mathematical bold": 0x1D7CE,
    "double-struck": 0x1D7D8,
    "monospace": 0x1D7F6,
    "sans-serif": 0x1D7E2,
}
LOOKALIKE = dict(zip("aceopxyjiABCEHIMOPTX", "асеорхујіАВСЕНІМОРТХ", strict=True))
GREEK = dict(zip("oABEHIKMNOPTXYZ", "οΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _digits(base: int) -> Callable[[str], str]:
    return lambda text: "".join(chr(base + int(char)) if char.isdigit() and char.isascii() else char for char in text)


def _after_each(char: str) -> Callable[[str], str]:
    return lambda text: char.join(text)


def _on_alnum(mark: str) -> Callable[[str], str]:
    return lambda text: "".join(char + mark if char.isalnum() else char for char in text)


def _swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


EVASIONS: dict[str, Callable[[str], str]] = {
    **{name: _after_each(char) for name, char in INVISIBLE.items()},
    **{name: _on_alnum(mark) for name, mark in MARKS.items()},
    **{name: _digits(base) for name, base in DIGITS.items()},
    "fullwidth": _fullwidth,
    "cyrillic": lambda text: "".join(LOOKALIKE.get(char, char) for char in text),
    "greek": lambda text: "".join(GREEK.get(char, char) for char in text),
    "no-break space": _swap(" ", "\u00a0"),
    "thin space": _swap(" ", "\u2009"),
    "narrow no-break space": _swap(" ", "\u202f"),
    "ideographic space": _swap(" ", "\u3000"),
    "en dash": _swap("-", "\u2013"),
    "non-breaking hyphen": _swap("-", "\u2011"),
    "minus sign": _swap("-", "\u2212"),
    "ideographic full stop": _swap(".", "\u3002"),
    "one dot leader": _swap(".", "\u2024"),
    "small commercial at": _swap("@", "\ufe6b"),
    "ratio as colon": _swap(":", "\u2236"),
    "upper case": str.upper,
    "keycaps": lambda text: "".join(f"{char}\ufe0f\u20e3" if char.isdigit() else char for char in text),
    "encircled digits": lambda text: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(char)] if char.isdigit() else char for char in text),
    "decimal entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "named entities": lambda text: text.replace("@", "&commat;").replace(".", "&period;").replace(" ", "&nbsp;"),
    "JSON escapes": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "percent": lambda text: "".join(f"%{ord(char):02X}" for char in text),
    "percent twice": lambda text: "".join(char if char.isalnum() else f"%25{ord(char):02X}" for char in text),
    "tag inside": lambda text: f"{text[:4]}<b>{text[4:9]}</b>{text[9:]}",
    "comment inside": lambda text: f"{text[:6]}<!-- -->{text[6:]}",
    "unit separator": _after_each("\x1f"),
}


@pytest.mark.parametrize("entity", VALUES)
def test_a_dressed_up_value_is_found_whole(entity: str) -> None:
    assert len(EVASIONS) >= 30
    missed: list[str] = []
    for name, dress in EVASIONS.items():
        value = dress(VALUES[entity])
        text = f"please note {value} thanks"
        spans = [(f.start, f.end) for f in default_detector().detect(text) if f.entity == entity]
        start = len("please note ")
        wanted = value.rstrip("".join(INVISIBLE.values()) + "\u20e3\x1f")
        if not any(s <= start and e >= start + len(wanted) for s, e in spans):
            missed.append(name)
    assert len(missed) <= len(EVASIONS) * 0.05, missed


@pytest.mark.parametrize("dress", EVASIONS.values(), ids=EVASIONS)
def test_a_plain_text_stays_without_findings_when_dressed_up(dress: Callable[[str], str]) -> None:
    structured = [
        f for f in default_detector().detect(dress("the lift was out of order in ward 7")) if f.entity in VALUES
    ]
    assert structured == []
