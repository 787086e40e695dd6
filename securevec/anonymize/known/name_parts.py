"""People a tenant already knows, met in a query by a part of their name: a surname, an initial, a slip of the hand.

A record keeps "Jane Miller" under one token and one surrogate. Whoever asks for ``miller``, ``j. miller`` or ``jane
miler`` has another value, hence another token. So each part of a known full name is remembered under a keyed token of
its own, with the person it belongs to and what stands for that part in the vectors. Slips are looked for the other way
round: all words one edit away from the typed one (Damerau 1964) are looked up, so that nothing more is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from securevec.anonymize import lexicon
from securevec.anonymize.document import meaningful, words_of_name
from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.fold import fold, lookup_key
from securevec.anonymize.keys import TenantKeys, normalize
from securevec.anonymize.surrogates.stream import recase
from securevec.anonymize.surrogates.values import person_parts
from securevec.types import AnonymizedField, Token

KNOWN_PART: Final = "known-part"
"""The rule of a person met by a part of the name."""
_PART: Final = "PERSON_PART"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_RUN: Final = 4
_SHORTEST: Final = 3
_SHORTEST_SLIP: Final = 4
_LONGEST_SLIP: Final = 24
_SLIPS: Final = 6
"""Words of one query that are looked up with their neighbourhood: about 400 tokens each."""
_BETWEEN: Final = frozenset({" ", ", ", ". ", "."})
_PRIORITY: Final = PERSON_PRIORITY + 4


class NamePart(NamedTuple):
    """``part``: token of a part of a name; ``person``: token of the full name; ``stand_in``: what the vectors say."""

    part: Token
    person: Token
    stand_in: str


KnownParts = Callable[[Sequence[bytes]], Mapping[bytes, Mapping[bytes, str]]]
"""Part tokens to the people that have them: person token to stand-in."""


@dataclass(frozen=True, slots=True)
class Met:
    """A known person met in a query: where, and what to write there (empty: what the operator makes of the value)."""

    finding: Finding
    stand_in: str


def name_parts(fields: Iterable[AnonymizedField], keys: TenantKeys, *, surrogates: bool) -> frozenset[NamePart]:
    """The parts of every full name that the fields carried. ``surrogates``: whether people were replaced by some."""
    found: set[NamePart] = set()
    for field in fields:
        for span, original in zip(field.spans, field.originals, strict=True):
            if span.entity == "PERSON":
                found.update(_parts_of(original, span.token, keys, surrogates))
    return frozenset(found)


def _parts_of(name: str, person: Token, keys: TenantKeys, surrogates: bool) -> list[NamePart]:
    words = [key for key in map(lookup_key, words_of_name(name)) if meaningful(key)]
    if len(words) < 2 or person != keys.token_of("PERSON", normalize("PERSON", name)):
        return []
    first, last = person_parts(keys.pseudonym, name) if surrogates else ("", "")
    forms = {words[0]: first}
    for word in words[1:]:
        forms.setdefault(word, last)
        forms.setdefault(f"{words[0][0]} {word}", f"{first[0]}. {last}" if surrogates else "")
        for half in word.split("-") if "-" in word else ():
            if meaningful(half):
                forms.setdefault(half, last)
    return [NamePart(_token(keys, form), person, stand_in) for form, stand_in in forms.items()]


def people_met(
    text: str, words: Sequence[tuple[int, int]], found: Sequence[Finding], *, keys: TenantKeys, known: KnownParts
) -> list[Met]:
    """The tenant's people that ``text`` names by a part. ``words``: where they are; ``found``: what is known of them.

    A part that is also a common word counts beside another part, behind a title, or where the detector saw a person.
    In a query without capitals a surname of the lists is a person, known or not. Of several people with the same part
    the one with the smallest token is meant, always the same.
    """
    typed = [lookup_key(fold(text[start:end], skeleton=False).text) for start, end in words]
    named = [
        any(f.entity == "PERSON" and f.start < end and start < f.end for f in found)
        or (number > 0 and typed[number - 1].strip(".") in lexicon.names().titles)
        for number, (start, end) in enumerate(words)
    ]
    listed = [text.islower() and word in lexicon.names().surnames for word in typed]
    tokens = {word: _token(keys, word) for word in typed if len(word) >= _SHORTEST}
    initials = {
        number: _token(keys, f"{typed[number].strip('.')} {typed[number + 1]}")
        for number in range(len(words) - 1)
        if len(typed[number].strip(".")) == 1 and typed[number].strip(".").isalpha()
    }
    asked = list(dict.fromkeys([*tokens.values(), *initials.values()]))
    answer = known(asked) if asked else {}
    owners = [dict(answer.get(tokens[word], {})) if word in tokens else {} for word in typed]
    _add_slips(typed, [a or b for a, b in zip(named, listed, strict=True)], owners, keys, known)
    met: list[Met] = []
    number = 0
    while number < len(words):
        if number in initials and (people := answer.get(initials[number], {})):
            met.append(_met(text, words, number, number + 2, people[min(people)]))
            number += 2
            continue
        size, stand_in = _run(text, words, owners, number)
        if size == 1 and not named[number] and _common(typed[number]):
            size = 0
        if not size and listed[number] and not named[number]:
            size, stand_in = 1, ""
        if size:
            met.append(_met(text, words, number, number + size, stand_in))
        number += max(size, 1)
    return met


def _run(
    text: str, words: Sequence[tuple[int, int]], owners: Sequence[Mapping[bytes, str]], start: int
) -> tuple[int, str]:
    """How many neighbouring words from ``start`` on are parts of one person's name, and what stands for them."""
    people = set(owners[start])
    size = 1 if people else 0
    while size and size < _RUN and start + size < len(words):
        between = text[words[start + size - 1][1] : words[start + size][0]]
        both = people & set(owners[start + size])
        if between not in _BETWEEN or not both:
            break
        people, size = both, size + 1
    if not size:
        return 0, ""
    person = min(people)
    pieces = dict.fromkeys(owners[number][person] for number in range(start, start + size))
    return size, " ".join(pieces)


def _met(text: str, words: Sequence[tuple[int, int]], first: int, after: int, stand_in: str) -> Met:
    start, end = words[first][0], words[after - 1][1]
    finding = Finding(start, end, "PERSON", 1.0, KNOWN_PART, _PRIORITY)
    return Met(finding, recase(stand_in, text[start:end]))


def _add_slips(
    typed: Sequence[str],
    named: Sequence[bool],
    owners: list[dict[bytes, str]],
    keys: TenantKeys,
    known: KnownParts,
) -> None:
    """Words one edit away from a part: beside a part of the same person, or where the detector saw a person."""
    beside: dict[int, set[bytes]] = {}
    for left, right in pairwise(range(len(typed))):
        for here, other in ((left, right), (right, left)):
            if not owners[here] and owners[other]:
                beside.setdefault(here, set()).update(owners[other])
    wanted = [
        number
        for number, word in enumerate(typed)
        if (number in beside or (named[number] and not owners[number]))
        and _SHORTEST_SLIP <= len(word) <= _LONGEST_SLIP
        and not _common(word)
    ][:_SLIPS]
    near = {number: {_token(keys, form) for form in _one_edit_away(typed[number])} for number in wanted}
    if not near:
        return
    answer = known(list(dict.fromkeys(token for forms in near.values() for token in forms)))
    for number, forms in near.items():
        people = {person: stand_in for form in sorted(forms) for person, stand_in in answer.get(form, {}).items()}
        together = {person: stand_in for person, stand_in in people.items() if person in beside.get(number, ())}
        owners[number] = together or (people if named[number] and len(people) == 1 else {})


def _one_edit_away(word: str) -> set[str]:
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    left_out = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    other = {a + letter + b[1:] for a, b in cuts if b for letter in _LETTERS}
    added = {a + letter + b for a, b in cuts for letter in _LETTERS}
    return {form for form in left_out | swapped | other | added if len(form) >= _SHORTEST and form != word}


def _common(word: str) -> bool:
    lists = lexicon.names()
    return (
        len(word) < _SHORTEST
        or word in lists.stops
        or word in lists.given_ambiguous
        or word in lists.surnames_ambiguous
        or word in lists.verbs
    )


def _token(keys: TenantKeys, form: str) -> Token:
    return keys.token_of(_PART, form)
