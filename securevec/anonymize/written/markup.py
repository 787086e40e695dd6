"""Tags of HTML and XML: what stands between them, and what stands inside them.

Tags of HTML's own names count, and others that are closed somewhere in the text; ``a < b`` and ``<someone>`` do not.
Inside a line tags stand for nothing (``j<b>ane</b>@example.com`` is an address), others end it, and what stands between
two cells of a row is a tab, so that a table is read as one; an element of XML names
what it holds. Attributes are a view of their own, each value under its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from securevec.anonymize.written.layers import Unit

_INLINE: Final = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rp rt ruby s samp small span"
    " strike strong sub sup time tt u var wbr"
)
_BLOCK: Final = (
    "address area article aside audio base blockquote body br button canvas caption center col colgroup datalist dd"
    " details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head"
    " header hgroup hr html iframe img input label legend li link main map menu meta meter nav noscript object ol"
    " optgroup option output p param picture pre progress script section select slot source style summary svg table"
    " tbody td template textarea tfoot th thead title tr track ul video"
)
INLINE: Final = frozenset(_INLINE.split())
BLOCK: Final = frozenset(_BLOCK.split())
_TAG: Final = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:_.-]*+)([^<>]*+)>|<!--[\s-]{0,64}?-->|<!--|-->|<![^<>]*+>|<\?[^<>]*+>"
)
_GAP: Final = re.compile(
    r"</t[dh]\s*+>((?:\s*+</?(?:tr|thead|tbody|tfoot)\b[^<>]*+>)*+)\s*+<t[dh]\b[^<>]*+>\s*+", re.IGNORECASE
)
"""From a cell of a table to the next one: that of its row, or the first of another row."""
_OPEN: Final = re.compile(r"<[/!?A-Za-z]")
_CLOSERS: Final = re.compile(r"</([A-Za-z][A-Za-z0-9:_.-]*+)\s*+>")
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w:.@-])([A-Za-z_:@][\w:.-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'=<>`]++))"""
)
_LONGEST_NAME: Final = 40
_CELLS: Final = frozenset(["td", "th"])


class Attribute(NamedTuple):
    """Where an attribute's value stands, without its quotes."""

    start: int
    end: int
    name: str


def has_tags(text: str) -> bool:
    """Whether there is a tag to be read."""
    return "<" in text and _OPEN.search(text) is not None and next(tags(text), None) is not None


def tags(text: str) -> Iterator[Unit]:
    """Every tag, as what it stands for."""
    closers = {name.lower() for name in _CLOSERS.findall(text)} if "</" in text else set[str]()
    commented = False
    passed = 0
    for match in _TAG.finditer(text):
        if match.start() < passed:
            continue
        name = match.group(2)
        if name is None:
            given = match.group()
            if given == "-->" and not commented:
                continue
            commented = given == "<!--"
            yield Unit(*match.span(), "" if given.startswith("<!--") and given != "<!--" else "\n", tag=True)
            continue
        name = name.lower()
        if name in _CELLS and match.group(1) and (gap := _GAP.match(text, match.start())) is not None:
            passed = gap.end()
            yield Unit(match.start(), passed, "\n" if gap.group(1) else "\t", tag=True)
            continue
        inside = match.group(3)
        if inside and not (inside[0].isspace() or inside == "/"):
            continue
        if name in INLINE:
            yield Unit(*match.span(), "", tag=True)
        elif name in BLOCK:
            yield Unit(*match.span(), "\n", tag=True)
        elif name in closers:
            opened = not match.group(1) and len(name) <= _LONGEST_NAME
            yield Unit(*match.span(), f"\n{name.rpartition(':')[2]}: " if opened else "\n", tag=True)


def attributes(text: str, tag: Unit) -> Iterator[Attribute]:
    """The attributes of one tag that have a value."""
    for match in _ATTRIBUTE.finditer(text, tag.start + 1, tag.end - 1):
        group = 2 if match.group(2) is not None else 3 if match.group(3) is not None else 4
        if match.start(group) < match.end(group):
            yield Attribute(*match.span(group), match.group(1))
