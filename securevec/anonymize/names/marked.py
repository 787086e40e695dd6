"""People that a sign gives away: "@Grace" where a chat calls somebody, "SMITH/JOHN MR" as airlines write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names
from securevec.anonymize.names.words import UPPER

_CALLED: Final = re.compile(
    rf"(?<![\w.@])@([{UPPER}][a-zß-ÿ]+(?:['’\-][{UPPER}]?[^\W\d_]+)?)((?: (?:[{UPPER}]\.|[{UPPER}][^\W\d_]+"
    rf"(?:['’\-][{UPPER}]?[^\W\d_]+)*)){{0,2}})(?![\w@])(?!\.\w)"
)
_CAPITALS: Final = rf"[{UPPER}]['’]?[{UPPER}]+(?:-[{UPPER}]+)*"
_BOOKED: Final = re.compile(
    rf"(?<![\w/])({_CAPITALS}(?: {_CAPITALS})?)/({_CAPITALS}(?: (?!(?:MRS?|MS|MISS|MSTR|MX|DR)\b){_CAPITALS})?)"
    r"( ?(?:MRS?|MS|MISS|MSTR|MX|DR|CHD|INF)\b)?(?![\w/])"
)
_LONGEST: Final = 48
_TITLE_LAST: Final = re.compile(r"(?:MRS?|MISS|MSTR)\Z")


def marked(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each. A handle ("@grace_h", "@GraceH") is no name, nor is one that no list has."""
    if "@" in text:
        yield from _called(text)
    if "/" in text:
        yield from _booked(text)


def _called(text: str) -> Iterator[tuple[int, int]]:
    lists = names()
    at = -1
    while (at := text.find("@", at + 1)) >= 0:
        match = _CALLED.match(text, at)
        if match is None:
            continue
        key = lookup_key(match.group(1))
        if not (lists.lists_given(key) or lists.lists_given(key.partition("-")[0]) or key in lists.given_ambiguous):
            continue
        end = match.end(1)
        for word in re.finditer(r" (\S+)", match.group(2)):
            if lookup_key(word.group(1)) in lists.stops:
                break
            end = match.start(2) + word.end()
        yield match.start(1), end


def _booked(text: str) -> Iterator[tuple[int, int]]:
    """Family and given name in capitals: with a title behind, or where lists know both."""
    lists = names()
    at, reached = -1, 0
    while (at := text.find("/", at + 1)) >= 0:
        if not text[at - 1 : at].isupper() or not text[at + 1 : at + 2].isupper():
            continue
        match = _BOOKED.search(text, max(reached, at - _LONGEST), at + _LONGEST)
        if match is None or match.end(1) != at:
            continue
        reached = match.end()
        family, given, title = match.groups()
        first, _, second = family.partition(" ")
        start = match.start(1)
        if second and not (lists.is_surname(first) or lookup_key(first) in lists.surnames_wide):
            start += len(first) + 1
        key, glued = lookup_key(given.partition(" ")[0]), _TITLE_LAST.search(given)
        listed = lists.lists_given(key) and lists.lists_surname(lookup_key(family.rpartition(" ")[2]))
        if title is not None or listed or (glued is not None and lists.lists_given(key[: glued.start() - glued.end()])):
            yield start, match.end(2)
