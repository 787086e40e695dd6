"""Words of a query that the tenant knows as somebody's name, number or address, whatever a detector makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.fold import fold, lookup_key
from securevec.anonymize.keys import TenantKeys, subject_token
from securevec.anonymize.lexicon import names
from securevec.anonymize.names.scripts.gate import scripts_in

_NGRAM: Final = 4
_LOOKED_UP: Final = ("PERSON", "SUBJECT_ID")
_LOOKED_UP_ALONE: Final = (
    "EMAIL",
    "PHONE",
    "MRN",
    "MEMBER_ID",
    "NPI",
    "SSN",
    "NHS",
    "PASSPORT",
    "BANK_ACCOUNT",
    "DRIVER_LICENSE",
    "CUSTOMER_ID",
    "CASE_NUMBER",
)
"""What a value may have been found as that stands alone now: some kinds are only told by the words around them."""
_QUERY_WORD: Final = re.compile(r"\S+")
_EDGE: Final = " \t\r\n.,;:!?\"'()[]{}<>"
_KNOWN: Final = "known"
_TOGETHER: Final = frozenset({"hani", "kana", "hang"})
_LONGEST_RUN: Final = 32
_LONGEST_PIECE: Final = 6
KNOWN_PRIORITY: Final = 93
_KNOWN_PERSON_PRIORITY: Final = PERSON_PRIORITY + 5


def known_values(
    text: str,
    words: Sequence[tuple[int, int]],
    found: Iterable[Finding],
    keys: TenantKeys,
    known: Callable[[Sequence[bytes]], Mapping[bytes, str]],
) -> list[Finding]:
    """One to four neighbouring words of a query that are a value of the tenant's: ``known`` is asked once, by token,
    and answers with the entity of each token it knows."""
    candidates: dict[tuple[int, int, str], bytes] = {}
    for index in range(len(words)):
        for size in range(1, min(_NGRAM, len(words) - index) + 1):
            start, end = words[index][0], words[index + size - 1][1]
            if size == 1 and _too_common(text[start:end]):
                continue
            for entity in _LOOKED_UP + (_LOOKED_UP_ALONE if size == 1 else ()):
                candidates[(start, end, entity)] = subject_token(keys, entity, text[start:end])
        start, end = words[index]
        if end - start <= _LONGEST_RUN and not _TOGETHER.isdisjoint(scripts_in(text[start:end])):
            # Where words stand together a name is a piece of what stands between two spaces.
            for low in range(start, end - 1):
                for high in range(low + 2, min(low + _LONGEST_PIECE, end) + 1):
                    candidates[(low, high, "PERSON")] = subject_token(keys, "PERSON", text[low:high])
    if not candidates:
        return []
    answer = known(list(dict.fromkeys(candidates.values())))
    structured = [f for f in found if f.entity != "PERSON"]
    hits: list[Finding] = []
    for (start, end, entity), token in candidates.items():
        if answer.get(token) != entity:
            continue
        inside = any(f.start <= start and end <= f.end and (f.start, f.end) != (start, end) for f in structured)
        if not inside:
            priority = _KNOWN_PERSON_PRIORITY if entity == "PERSON" else KNOWN_PRIORITY
            hits.append(Finding(start, end, entity, 1.0, _KNOWN, priority))
    return hits


def known_by_one_word(text: str, finding: Finding) -> bool:
    """Whether a person was known here by one word alone."""
    return finding.rule == _KNOWN and finding.entity == "PERSON" and " " not in text[finding.start : finding.end]


def query_words(text: str) -> list[tuple[int, int]]:
    """Where the words of a query begin and end, without the punctuation around them."""
    words: list[tuple[int, int]] = []
    for match in _QUERY_WORD.finditer(text):
        start, end = match.span()
        while start < end and text[start] in _EDGE:
            start += 1
        while end > start and text[end - 1] in _EDGE:
            end -= 1
        if end - start > 3 and text[end - 2 : end] in {"'s", "’s"}:
            end -= 2
        if start < end:
            words.append((start, end))
    return words


def _too_common(word: str) -> bool:
    return lookup_key(fold(word, skeleton=False).text) in names().stops
