"""Where findings are replaced, and how a replacement is written there so that the text stays what it was.

A finding that reaches over several places (two columns, words on either side of a tag) is replaced in each. A number
of JSON becomes a string when its replacement is no number. What stands for a value reads as that value in its place:
escaped as the value was, or as the place demands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Final, NamedTuple
from urllib.parse import quote

import orjson

from securevec.anonymize.findings import Finding
from securevec.anonymize.written.csv_text import BARE, QUOTED
from securevec.anonymize.written.json_text import KEY, NUMBER, STRING, Leaf, is_number
from securevec.anonymize.written.reading import Reading

Encode = Callable[[str], str]

_BEFORE: Final = 256
_GAP: Final = 24
_FEW_DIGITS: Final = 2
_DIGITS: Final = frozenset("0123456789-")
_MEMBER: Final = re.compile(r'((?:\\+)?")\s*:\s*(-?)\Z')
_BEHIND: Final = re.compile(r"[0-9.eE+-]*(?=\s*(?:[,}\]\n]|\Z))")
_TARGET: Final = re.compile(r"\]\(<?[^()\s<>]*\Z")
_WORD: Final = re.compile(r"\s*[A-Za-z_$][A-Za-z0-9_$ .:-]*\s*\Z")
_MARKED: Final = re.compile(r"\]\(|\||\"\s*:\s*[-0-9]")
"""Without one of these there is no link, no row of a table and no key with a number behind it."""
_FEW: Final = 16
"""So few values are asked where they stand without looking through the text first."""
_UNQUOTED: Final = re.compile(r"[\s\"'=<>`]")
_UNSAFE: Final = re.compile(r"[\s()<>]")
_SPOKEN_OF: Final = frozenset({"PERSON", "ADDRESS", "LOCATION", "ORG"})
"""Findings of several words: each of them says something. A number's piece of one digit does not."""


class Part(NamedTuple):
    """A range of the text to be replaced. ``value`` is what it stands for; ``rest``: of a value replaced already."""

    start: int
    end: int
    value: str
    finding: Finding
    encode: Encode | None = None
    rest: bool = False

    def within(self, start: int, end: int) -> Part | None:
        """What of it lies in ``[start, end)``: a number that is cut there goes on beside it, and stays digits."""
        left, right = max(start, self.start), min(end, self.end)
        if left >= right:
            return None
        if (left, right) == (self.start, self.end):
            return self
        return self._replace(start=left, end=right, encode=_digits_only if self.encode is not None else None)


def placed(text: str, found: Iterable[Finding], reading: Reading | None) -> list[Part]:
    """The parts of a text that its findings are replaced in, in order and apart. ``found``: sorted, not overlapping."""
    if reading is None:
        ordered = list(found)
        marked = len(ordered) <= _FEW or _MARKED.search(text) is not None
        return [
            Part(f.start, f.end, text[f.start : f.end], f, _nearby(text, f.start, f.end) if marked else None)
            for f in ordered
        ]
    parts: list[Part] = []
    position = 0
    for given in found:
        finding = reading.whole_escapes(given)
        for piece in _pieces(text, finding, reading):
            part = piece
            if part.end <= position:
                continue
            start = max(part.start, position)
            parts.append(
                part if start == part.start else part._replace(start=start, value=reading.value(start, part.end))
            )
            position = part.end
    return parts


def spoken(start: int, end: int, reading: Reading) -> str:
    """What a range of the text stands for, without the tags in it."""
    return "".join(reading.value(*piece) for piece in _between_tags(start, end, reading))


def _pieces(text: str, finding: Finding, reading: Reading) -> list[Part]:
    ranges = _in_leaves(text, finding, reading)
    if not ranges:
        # Between the places of a container: replaced all the same, whatever becomes of the container.
        ranges = [(finding.start, finding.end, None)]
    parts: list[Part] = []
    for start, end, leaf in ranges:
        pieces = _between_tags(start, end, reading)
        value = "".join(reading.value(*piece) for piece in pieces)
        for number, (left, right) in enumerate(pieces):
            part = Part(left, right, value, finding, None, rest=number > 0)
            parts.append(_written(text, part, leaf, reading))
    return parts


def _in_leaves(text: str, finding: Finding, reading: Reading) -> list[tuple[int, int, Leaf | None]]:
    """The finding cut at the container's own signs. A key between two values is no part of either."""
    start, end = finding.start, finding.end
    touched = reading.leaves_in(start, end)
    if not touched:
        return [(start, end, None)]
    pieces: list[tuple[int, int, Leaf | None]] = []
    several = len(touched) > 1
    for leaf in touched:
        left, right = max(start, leaf.start), min(end, leaf.end)
        if left >= right:
            continue
        body = text[left:right]
        if several and (
            (leaf.kind == KEY and finding.entity != "PERSON" and _WORD.match(body))
            or not any(map(str.isalnum, body))
            or (leaf.kind == NUMBER and len(body) <= _FEW_DIGITS)
            or (finding.entity not in _SPOKEN_OF and sum(map(str.isalnum, body)) < 2)
        ):
            continue
        pieces.append((left, right, leaf))
    first, last = touched[0].start, touched[-1].end
    outside = (start, min(first, end)), (max(last, start), end)
    for left, right in outside:
        # A container inside a text: what stands before and behind it is a place too.
        if left < right and sum(map(str.isalnum, text[left:right])) > 1:
            pieces.append((left, right, None))
    return sorted(pieces, key=lambda piece: piece[0])


def _between_tags(start: int, end: int, reading: Reading) -> list[tuple[int, int]]:
    """The range without the tags in it. Where it begins or ends inside a tag, what of it lies there counts."""
    tags = reading.tags_in(start, end)
    if not tags or (tags[0].start < start and end < tags[0].end):
        return [(start, end)]
    pieces: list[tuple[int, int]] = []
    position = start
    for tag in tags:
        if tag.start < position:
            inside = reading.attribute_at(position)
            pieces.append((position, inside.end if inside is not None else tag.end - 1))
        elif position < tag.start:
            pieces.append((position, tag.start))
        if end < tag.end and (inside := reading.attribute_at(end - 1)) is not None:
            pieces.append((inside.start, end))
        position = max(position, tag.end)
    if position < end:
        pieces.append((position, end))
    return [piece for piece in pieces if piece[0] < piece[1]] or [(start, end)]


def _written(text: str, part: Part, leaf: Leaf | None, reading: Reading) -> Part:
    """The part with its encoding: that of the value's own escapes inside, that of the container outside."""
    steps: list[Encode] = []
    used = reading.escapes_in(part.start, part.end)
    if "%" in used:
        steps.append(lambda made: quote(made, safe=""))
    attribute = reading.attribute_at(part.start) if reading.attributes else None
    if reading.tags or "&" in used:
        steps.append(escape)
    if attribute is not None and reading.text[attribute.start - 1] not in "\"'":
        steps.append(lambda made: _UNQUOTED.sub("-", made))
    if leaf is None:
        if "\\" in used:
            steps.append(_in_string)
        if not part.rest and (near := _nearby(text, part.start, part.end)) is not None:
            steps.append(near)
    elif leaf.kind in {STRING, KEY}:
        if (member := _after_key(text, part.start, part.end)) is not None:
            # JSON in a string of JSON: its quotes are escaped already.
            steps.append(member)
        else:
            steps += [_in_markdown(text, part.start) or _same, _in_string]
    elif leaf.kind == NUMBER:
        return _number(text, part, leaf)
    elif leaf.kind == QUOTED:
        steps.append(lambda made: made.replace('"', '""'))
    elif leaf.kind == BARE:
        whole = (part.start, part.end) == (leaf.start, leaf.end)
        steps.append(lambda made: _bare(made, reading.delimiter, whole=whole))
    return part._replace(encode=_chained(steps)) if steps else part


def _chained(steps: list[Encode]) -> Encode:
    def encode(made: str) -> str:
        for step in steps:
            made = step(made)
        return made

    return encode


def _number(text: str, part: Part, leaf: Leaf) -> Part:
    """All of the number is replaced, so that its sign or fraction does not stand beside a string."""
    before, behind = text[leaf.start : part.start], text[part.end : leaf.end]
    if sum(map(str.isdigit, before + behind)) > _FEW_DIGITS:
        # As much as could be another value, which this part now covers.
        before = behind = ""

    def encode(made: str) -> str:
        whole = f"{before}{made}{behind}"
        return whole if is_number(whole) else _quoted(made)

    return part._replace(start=leaf.start, end=leaf.end, encode=encode)


def _nearby(text: str, start: int, end: int) -> Encode | None:
    """For a text that is no container."""
    return _after_key(text, start, end) or _in_markdown(text, start)


def _after_key(text: str, start: int, end: int) -> Encode | None:
    """A number behind ``"key":``, as in JSON that was cut off or stands in the middle of something else."""
    if text[start] not in _DIGITS:
        return None
    before = text[max(0, start - _GAP) : start]
    if ":" not in before or (member := _MEMBER.search(before)) is None:
        return None
    behind = _BEHIND.match(text, end)
    if behind is None:
        return None
    mark, sign, rest = member.group(1), member.group(2), behind.group()
    return lambda made: made if is_number(f"{sign}{made}{rest}") else _member(made, mark, alone=not (sign or rest))


def _in_markdown(text: str, start: int) -> Encode | None:
    """The target of a link, which holds no space, and a row of a table, which a bar would divide."""
    before = text[max(0, start - _BEFORE) : start]
    if "](" in before and _TARGET.search(before):
        return lambda made: _UNSAFE.sub(lambda sign: f"%{ord(sign.group()):02X}", made)
    if "|" in before and before.rpartition("\n")[2].lstrip().startswith("|"):
        return lambda made: made.replace("|", "\\|")
    return None


def _digits_only(made: str) -> str:
    return re.sub(r"[^0-9]", "", made) or "0"


def _same(made: str) -> str:
    return made


def _member(made: str, mark: str, *, alone: bool) -> str:
    """A string for a number, in quotes as the key's. A number of which a part stays keeps its digits' shape."""
    if not alone:
        return _digits_only(made)
    inner = made
    for _ in range(1 + (len(mark) > 1)):
        inner = _in_string(inner)
    return f"{mark}{inner}{mark}"


def _in_string(made: str) -> str:
    return orjson.dumps(made).decode()[1:-1]


def _quoted(made: str) -> str:
    return orjson.dumps(made).decode()


def _bare(made: str, delimiter: str, *, whole: bool) -> str:
    """In a field without quotes: in quotes where the field is all replaced, else without what would end the field."""
    if whole:
        special = any(sign in made for sign in (delimiter, '"', "\n", "\r"))
        return '"' + made.replace('"', '""') + '"' if special else made
    return re.sub(f'[{re.escape(delimiter)}"\r\n]', " ", made)
