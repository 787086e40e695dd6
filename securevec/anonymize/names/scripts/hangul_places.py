"""Places and organizations in Korean: words with a particle taken off that a list has, or that end with their kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.scripts.lists import cues, either, houses, listed_places
from securevec.anonymize.names.scripts.overlaps import Spans, found

_WORD: Final = re.compile("[가-힣]+")
_KINDS: Final = ("특별자치시", "특별자치도", "특별시", "광역시", "시", "도", "군", "구", "읍", "면", "동", "역")
_BELOW: Final = re.compile("[가-힣]{1,4}[시군구읍면동]")
_LOCATIVE: Final = frozenset(["에서", "까지", "부터", "에서는", "에서도", "으로", "에"])
"""Particles behind a place that is another word too."""
_WORDS: Final = frozenset(["수단", "인도", "세종", "중동", "이란", "파리", "동해"])
"""Countries and regions of the list that are words too."""
_LIVES: Final = re.compile("(?: |시에|에) ?(?:출신|거주|지점|지사|공항|지역|시내|살|사는)")
_WEAK: Final = frozenset(
    ["카드", "산업", "통신", "방송", "신문", "보험", "화재", "생명", "화학", "상사", "물류", "마트", "건설", "증권",
     "항공", "그룹", "전자", "공사", "학회", "재단", "대학", "대학원", "의원", "협회", "법원", "연구소", "연구원",
     "병원", "은행", "백화점", "유치원", "지검", "공단"]
)  # fmt: skip
"""Kinds that stand in many words: in front of them stands a place or a listed organization."""
_GENERIC: Final = re.compile(
    "(?:대형|개인|동네|국립|사립|시립|도립|시중|지방|일반|종합|인근|해당|국내|해외|외국|전국|온라인|인터넷|무료|유명|명문|지역|중앙|전문|관련"
    "|신규|여자|남자|인문계|특성화|외국어|과학|관할|각급|모든|우리|저희|같은|다른|근처)+"
)


class _Told(NamedTuple):
    particles: tuple[str, ...]
    known: re.Pattern[str]
    legal: re.Pattern[str]
    ends: tuple[str, ...]
    nobody: frozenset[str]


@lru_cache(maxsize=1)
def _told() -> _Told:
    told, particles = houses()["hang"], cues()["hang"]["particles"]
    ends = either(particles)
    forms = either(form for form in told["legal"] if form[0] != "(")
    return _Told(
        tuple(sorted(particles, key=len, reverse=True)),
        re.compile(f"(?<![가-힣A-Za-z])({either(told['known'])})(?:{ends})?(?![가-힣A-Za-z])"),
        re.compile(f"(?<![가-힣])(?:{forms} |[(]주[)] ?)[가-힣A-Za-z0-9]{{2,14}}|[가-힣A-Za-z0-9]{{2,14}} ?[(]주[)]"),
        tuple(sorted(told["ends"], key=len, reverse=True)),
        frozenset(told["nobody"]),
    )


def korean_places(text: str) -> Iterator[Finding]:
    """Places and organizations in offsets of ``text``. Linear in the text."""
    told = _told()
    spans = [(match.start(), _bare(text, match.start(), match.end())) for match in told.legal.finditer(text)]
    spans += [match.span(1) for match in told.known.finditer(text)]
    named = Spans(spans)
    places: list[tuple[int, int]] = []
    above = -1
    for match in _WORD.finditer(text):
        start, word = match.start(), match.group()
        if named.touch(start, match.end()):
            continue
        if size := _house(word):
            spans.append((start, start + size))
            continue
        size = _place(text, start, word)
        if not size and above == start and (below := _BELOW.match(text, start)) is not None:
            size = len(below.group()) if _rest(word[len(below.group()) :]) else 0
        if size:
            places.append((start, start + size))
            above = start + size + 1 if text[start + size - 1] in "시도군구" and size == len(word) else -1
    yield from found(places, Spans(spans))


def _stems(word: str) -> Iterator[tuple[str, str]]:
    """The word, and what is left of it when a particle is taken off; and the particle."""
    yield word, ""
    for particle in _told().particles:
        if word.endswith(particle) and len(word) > len(particle) + 1:
            yield word.removesuffix(particle), particle


def _rest(word: str) -> bool:
    return not word or word in _told().particles


def _bare(text: str, start: int, end: int) -> int:
    """Where a name ends without the particle behind it."""
    for stem, particle in _stems(text[start:end].rpartition(" ")[2]):
        if particle and len(stem) > 1:
            return end - len(particle)
    return end


def _place(text: str, start: int, word: str) -> int:
    """How many characters of ``word`` are a place."""
    sure, doubtful = listed_places("hang"), listed_places("hang?")
    for stem, particle in _stems(word):
        for kind in _KINDS:
            base = stem.removesuffix(kind)
            if base != stem and len(base) > 1 and (base in sure or base in doubtful):
                return len(stem)
        if stem in sure and stem not in _WORDS:
            return len(stem)
        if (stem in doubtful or stem in _WORDS) and (
            particle in _LOCATIVE or _LIVES.match(text, start + len(stem)) is not None
        ):
            return len(stem)
    return 0


def _house(word: str) -> int:
    """How many characters of ``word`` are an organization by its last part."""
    told = _told()
    for stem, _ in _stems(word):
        for kind in told.ends:
            base = stem.removesuffix(kind)
            if base == stem or len(base) < 2:
                continue
            if stem in told.nobody or _GENERIC.fullmatch(base):
                break
            if kind not in _WEAK or _names(base):
                return len(stem)
            break
    return 0


def _names(base: str) -> bool:
    """Whether what stands in front of a kind is or begins with a place, or is a listed organization."""
    sure, doubtful = listed_places("hang"), listed_places("hang?")
    if base in houses()["hang"]["known"]:
        return True
    return any(base[:size] in sure or base[:size] in doubtful for size in range(2, len(base) + 1))
