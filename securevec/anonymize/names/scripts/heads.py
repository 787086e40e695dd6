"""Organizations in Arabic, Persian, Hebrew, Hindi and Thai: listed ones, and what stands beside a word for their kind.

In Arabic, Persian, Hebrew and Thai the kind stands in front ("جامعة الملك سعود", "בנק הפועלים"), in Hindi behind
("दिल्ली विश्वविद्यालय"). Such a word stands in front of adjectives too ("a private hospital"), so what is beside it
has an article, is a listed name or place, or, in Persian and Hindi, is no small word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.names.scripts.lists import either, houses
from securevec.anonymize.names.scripts.native_places import towns_of
from securevec.anonymize.names.scripts.overlaps import Spans, found
from securevec.anonymize.names.scripts.spaced import TOKENS, is_listed_name, key_of

_PREFIXES: Final = {
    "arab": ("وبال", "بال", "وال", "ب", "ل", "و"),
    "hebr": ("וב", "שב", "ב", "ל", "מ", "ה", "ו", "ש", "כ"),
}
_ARTICLE: Final = {"arab": "ال", "hebr": "ה"}
_PERSIAN: Final = frozenset(
    ["دانشگاه", "بانک", "شرکت", "بیمارستان", "وزارت", "سازمان", "شهرداری", "باشگاه", "دادگاه", "دبیرستان", "موسسه",
     "روزنامه", "بیمه", "انجمن", "اداره", "کمیسیون", "مجلس"]
)  # fmt: skip
_GOES_ON: Final = frozenset(
    ["ملی", "امام", "شهید", "صنعتی", "آزاد", "علوم", "مرکزی", "توسعه", "حضرت", "آموزش", "امور", "صنایع", "نفت", "تربیت",
     "شهدای"]
)  # fmt: skip
"""What the name of a body in Persian does not end with."""
_CONSTRUCT: Final = frozenset(["אוניברסיטת", "חברת", "עיריית", "מכללת", "קופת", "בנק", "נק"])
"""Kinds in Hebrew that only a name follows, as it stands there without letters of small words in front."""
_LETTERS: Final = "בלמהושכ"
_MOST: Final = 3


class _Told(NamedTuple):
    heads: frozenset[str]
    pairs: frozenset[str]
    """Heads of two words."""
    ends: frozenset[str]
    closed: frozenset[str]
    known: re.Pattern[str] | None


@lru_cache(maxsize=8)
def _told(script: str) -> _Told:
    told = houses()[script]
    heads = told.get("heads", ())
    known = told.get("known")
    letter = TOKENS[script].pattern.partition("]")[0] + "]" if script in TOKENS else ""
    front = f"(?<!{letter})(?:{either(_PREFIXES[script])})?" if script in _PREFIXES else f"(?<!{letter})"
    return _Told(
        frozenset(key_of(head) for head in heads if " " not in head),
        frozenset(" ".join(map(key_of, head.split())) for head in heads if " " in head),
        frozenset(told.get("ends", ())),
        frozenset(key_of(word) for word in told.get("open", ())),
        re.compile(f"{front}({either(known)})(?!{letter})") if known else None,
    )


def houses_by_head(text: str, script: str) -> Iterator[Finding]:
    """Organizations in offsets of ``text``, which holds letters of ``script``. Linear in the text."""
    told = _told(script)
    if script == "thai":
        spans = list(_thai(text))
    else:
        tokens = [match.span() for match in TOKENS[script].finditer(text)]
        spans = list(_behind(text, tokens, script, told) if told.ends else _in_front(text, tokens, script, told))
    if told.known is not None:
        by_head = Spans(spans)
        spans += [match.span(1) for match in told.known.finditer(text) if not by_head.touch(*match.span(1))]
    yield from found((), Spans(spans))


def _in_front(text: str, tokens: Sequence[tuple[int, int]], script: str, told: _Told) -> Iterator[tuple[int, int]]:
    """A kind and the words behind it."""
    at = 0
    while at < len(tokens):
        start, size = _head(text, tokens, at, script, told)
        last = _last(text, tokens, at + size, script, told, two=size > 1) if size else None
        if last is None:
            at += 1
            continue
        yield start, tokens[last][1]
        at = last + 1


def _head(text: str, tokens: Sequence[tuple[int, int]], at: int, script: str, told: _Told) -> tuple[int, int]:
    """Where the kind begins that stands at this word, and of how many words it is; none of 0."""
    start, end = tokens[at]
    for prefix in ("", *_PREFIXES[script]):
        if not text.startswith(prefix, start) or end - start - len(prefix) < _MOST:
            continue
        key = key_of(text[start + len(prefix) : end])
        if at + 1 < len(tokens) and tokens[at + 1][0] == end + 1:
            pair = f"{key} {key_of(text[slice(*tokens[at + 1])])}"
            if pair in told.pairs:
                return start + len(prefix), 2
        if key in told.heads:
            return start + len(prefix), 1
    return start, 0


def _last(text: str, tokens: Sequence[tuple[int, int]], at: int, script: str, told: _Told, *, two: bool) -> int | None:
    """The last word of the name that begins with the word ``at`` behind a kind; ``None`` where none does."""
    if not _follows(text, tokens, at) or key_of(text[slice(*tokens[at])]) in told.closed:
        return None
    towns, article = towns_of(script), _ARTICLE.get(script, "")
    word = text[slice(*tokens[at])]
    if script == "arab" and text[slice(*tokens[at - 1])] in _PERSIAN:
        while word in _GOES_ON and _follows(text, tokens, at + 1):
            following = text[slice(*tokens[at + 1])]
            if key_of(following) in told.closed or lookup_key(following) in towns:
                break
            at, word = at + 1, following
        return at
    pair = f"{word} {text[slice(*tokens[at + 1])]}" if _follows(text, tokens, at + 1) else ""
    if pair and lookup_key(pair) in towns:
        return at + 1
    named = lookup_key(word) in towns or is_listed_name(word, script) or _is_known(word, script)
    if (
        not two
        and not named
        and key_of(text[slice(*tokens[at - 1])]).lstrip(_LETTERS) not in _CONSTRUCT
        and not word.startswith(article)
    ):
        return None
    count = 1
    while count < _MOST and _follows(text, tokens, at + 1):
        following = text[slice(*tokens[at + 1])]
        closed = key_of(following) in told.closed
        joined = following.startswith(article) if script == "arab" else two and count == 1
        if closed or not (joined or (script == "arab" and is_listed_name(following, script))):
            break
        at, count = at + 1, count + 1
    return at


def _behind(text: str, tokens: Sequence[tuple[int, int]], script: str, told: _Told) -> Iterator[tuple[int, int]]:
    """A kind and the words in front of it."""
    towns = towns_of(script)
    for at, (start, end) in enumerate(tokens):
        if text[start:end] not in told.ends:
            continue
        first = at
        while first and at - first < _MOST and _follows(text, tokens, first):
            word = text[slice(*tokens[first - 1])]
            if key_of(word) in told.closed or word in told.ends or is_listed_name(word, script):
                break
            first -= 1
            if lookup_key(word) in towns:
                break
        if first < at:
            yield tokens[first][0], end


def _follows(text: str, tokens: Sequence[tuple[int, int]], at: int) -> bool:
    """Whether a word stands behind the one before it with one space between."""
    return 0 < at < len(tokens) and tokens[at][0] == tokens[at - 1][1] + 1 and text[tokens[at - 1][1]] == " "


def _is_known(word: str, script: str) -> bool:
    return word in houses()[script].get("known", ())


@lru_cache(maxsize=1)
def _thai_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    heads = either(head for head in houses()["thai"]["heads"] if head != "บริษัท")
    name = f"(?:(?!{either(houses()['thai']['open'])})[ก-๎]){{3,24}}"
    return (
        re.compile("(?:บริษัท|ห้างหุ้นส่วนจำกัด) ?[ก-๎A-Za-z0-9.& ]{2,40}? ?จำกัด(?: ?[(]มหาชน[)])?"),
        re.compile(f"{heads} ?{name}"),
    )


def _thai(text: str) -> Iterator[tuple[int, int]]:
    company, named = _thai_patterns()
    reached = -1
    for match in company.finditer(text):
        yield match.span()
        reached = match.end()
    for match in named.finditer(text, max(0, reached)):
        yield match.span()
