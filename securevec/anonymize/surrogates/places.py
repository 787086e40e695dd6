"""Streets, places, postcodes, firms and dates that look like those they stand for: their language, form and order."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.surrogates.people import NEUTRAL, Speech, script_of, speech_of, surname
from securevec.anonymize.surrogates.stream import Stream, recase

_STREETS: Final = ("Street", "Road", "Lane", "Avenue", "Close")
_ENGLISH: Final = re.compile(
    r"\b(street|st|road|rd|lane|ln|avenue|ave|close|drive|dr|court|ct|way|place|pl|boulevard|blvd|terrace|crescent|square|"
    r"circle|trail|parkway|pkwy|row|gardens|hill|grove|walk|highway|hwy|mews|quay)\b(?!.*\b(?:street|road|lane|avenue)\b)",
    re.IGNORECASE,
)
_COMPOUND: Final = re.compile(
    r"\w{2,}?(?P<end>straße|strasse|str\.|gasse|weg|platz|allee|damm|ufer|ring|stieg|straat|laan|kade|gracht|plein|singel|"
    r"gatan|vägen|gata|veien|vej|gade|katu)(?!\w)",
    re.IGNORECASE,
)
_COMPOUND_OF: Final = {
    **dict.fromkeys(("straat", "laan", "kade", "gracht", "plein", "singel"), "nl"),
    **dict.fromkeys(("gatan", "vägen", "gata", "veien", "vej", "gade", "katu"), "sv"),
}
_LEADING: Final = re.compile(
    r"(?P<fr>\b(?:rue|avenue|boulevard|allée|chemin|impasse|quai|cours|route|place)\b(?=\s+\w+(?:\s|$|,))(?!\s*\d))"
    r"|(?P<es>\b(?:calle|avenida|paseo|plaza|camino|carrera|ronda)\b|\bc/)"
    r"|(?P<it>\b(?:via|viale|corso|piazza|vicolo|largo|strada)\b)|(?P<pt>\b(?:rua|travessa|praça|alameda|estrada)\b)"
    r"|(?P<pl>(?:\bul\.|\bal\.|\bos\.|\bpl\.|\bulica\b|\baleja\b))"
    r"|(?P<cyrl>(?:\bул\.|\bулица\b|\bпр\.|\bпроспект\b|\bпер\.))",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"\s*(?:p\.?\s?o\.?\s?box|box|postfach|apt|apartment|suite|ste|unit|flat|room|floor|building|psc|b\.?p\.?)\b",
    re.IGNORECASE,
)
_FORM: Final = re.compile(
    r"(?:\s|,\s?)(?P<form>(?P<de>gmbh(?: & co\.? kg)?|ag|kg|ohg|e\.\s?v\.?)|(?P<fr>sarl|sas|sasu)|(?P<es>s\.\s?l\.?)"
    r"|(?P<it>s\.r\.l\.?|s\.p\.a\.?|srl|spa)|(?P<nl>b\.v\.?|n\.v\.?|bv|nv)|(?P<pl>sp\. z o\.\s?o\.?)"
    r"|(?P<sv>ab|aps|oy|a/s)|(?P<pt>ltda\.?)"
    r"|(?P<en>inc\.?|ltd\.?|llc|llp|plc|corp\.?|co\.?|s\.a\.?|sa|bank|university|hospital|group))$",
    re.IGNORECASE,
)
_KINDS: Final = ("Group", "Partners", "Works", "Services", "Holdings")

_MONTHS: Final[tuple[tuple[str, ...], ...]] = tuple(
    tuple(row.split())
    for row in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "januari februari mars april maj juni juli augusti september oktober november december",
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    )
)
"""A month of one language becomes another of the same language."""


_ORDINAL: Final = re.compile(r"(?<!\d)(\d{1,2})(st|nd|rd|th)\b", re.IGNORECASE)
_ORDINALS: Final = {"1": "st", "2": "nd", "3": "rd"}


def address(stream: Stream, value: str) -> str:
    """A house number and a street that sounds like one, in the words and order of ``value``; a unit keeps its word."""
    if _UNIT.match(value):
        return stream.shaped_digits(value)
    if not any(map(str.isalpha, value)):
        # A postcode or a house number that stood alone.
        return stream.shaped_digits(value)
    number = str(1 + stream.below(199))
    first = value.lstrip()[:1].isdigit()
    if match := _COMPOUND.search(value):
        end = match["end"]
        name = surname(stream, _COMPOUND_OF.get(end.lower(), "de"))
        return recase(f"{number} {name}{end.lower()}" if first else f"{name}{end.lower()} {number}", value)
    if match := _LEADING.search(value):
        language = match.lastgroup or NEUTRAL
        # A street is feminine where adjectives bend.
        name = surname(stream, language, "f")
        word = match.group()
        if first:
            return recase(f"{number} {word} {name}", value)
        comma = "," if re.search(r",\s*\d+\w?\s*$", value) else ""
        return recase(f"{word} {name}{comma} {number}", value)
    if (script := script_of(value)) != "latn":
        return f"{surname(stream, script)} {number}"
    kind = match.group() if (match := _ENGLISH.search(value)) else stream.choice(_STREETS)
    return recase(f"{number} {surname(stream, NEUTRAL)} {kind}", value)


def place(stream: Stream, value: str) -> str:
    """A place that is on no map, in the script of ``value``."""
    if (script := script_of(value)) != "latn":
        return surname(stream, script)
    heads = ("Old", "New", "Lower", "Upper", "Little")
    return recase(f"{stream.choice(heads)} {surname(stream, NEUTRAL)}", value)


def organisation(stream: Stream, value: str) -> str:
    """A firm of another name; its legal form stays, and with it the language of the name."""
    match = _FORM.search(value)
    if match is None:
        said = Speech(script, "") if (script := script_of(value)) != "latn" else Speech(NEUTRAL, "")
        return recase(f"{surname(stream, said.language)} {stream.choice(_KINDS)}", value)
    language = next((name for name, form in match.groupdict().items() if form and name != "form"), NEUTRAL)
    if language == NEUTRAL:
        language = speech_of(value[: match.start()]).language
    kind = stream.choice(_KINDS) if language == NEUTRAL else ""
    name = f"{surname(stream, language)} {kind}".rstrip()
    return f"{recase(name, value)} {match['form']}"


_UK: Final = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]?(\s?)\d[A-Za-z]{2}")
_CANADA: Final = re.compile(r"[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d")
_DUTCH: Final = re.compile(r"\d{4}\s?[A-Za-z]{2}")


def postcode(stream: Stream, value: str) -> str:
    """A postcode of the same country's shape.

    British, Canadian and Dutch ones begin or end with letters that their post gives to nobody (Q, V, X; D, F, I, O, Q,
    U, W, Z; SA, SD, SS); plain digits may be a town, never a house.
    """
    text = value.strip()
    if _UK.fullmatch(text):
        return recase(stream.choice("QVX") + stream.shaped(value[1:]), value)
    if _CANADA.fullmatch(text):
        return recase(stream.choice("DFIOQUWZ") + stream.shaped(value[1:]), value)
    if _DUTCH.fullmatch(text):
        return stream.shaped_digits(value[:-2]) + recase(stream.choice(("SA", "SD", "SS")), value[-2:])
    return stream.shaped(value)


def bic(stream: Stream, value: str) -> str:
    """Another bank of the same country. A 0 in the eighth place marks a code for tests (ISO 9362)."""
    size = sum(map(str.isalnum, value))
    if size not in {8, 11} or size != len(value):
        return stream.shaped(value)
    return recase(f"{stream.shaped('AAAA')}{value[4:6].upper()}{stream.shaped('A')}0{stream.shaped(value[8:])}", value)


def date(stream: Stream, value: str) -> str:
    """Another date written the same way: months stay months, days 1 to 12 so that either order is a date."""
    groups = re.findall(r"\d+", value)
    short_year = len(groups) == 3 and all(len(group) <= 2 for group in groups)
    seen = 0

    def word(match: re.Match[str]) -> str:
        text = match.group()
        if len(text) < 3:
            return text
        for months in _MONTHS:
            for full in months:
                if full == text.lower() or full[:3] == text.lower() or (full[:4] == text.lower() and len(full) > 4):
                    other = stream.choice(months)
                    made = other if full == text.lower() else other[: len(text)]
                    return made.upper() if text.isupper() else made.capitalize() if text[0].isupper() else made
        return text

    def number(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        text = match.group()
        if len(text) == 4:
            return str(1930 + stream.below(75))
        if len(text) == 2:
            return str(30 + stream.below(70)) if short_year and seen == 3 else f"{1 + stream.below(12):02d}"
        return str(1 + stream.below(9)) if len(text) == 1 else stream.digits(len(text))

    made = re.sub(r"\d+", number, re.sub(r"[^\W\d_]+", word, value))
    return _ORDINAL.sub(lambda match: match[1] + recase(_ORDINALS.get(match[1].lstrip("0"), "th"), match[2]), made)
