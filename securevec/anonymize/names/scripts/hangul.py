"""Korean names: a family name and two syllables that given names are made of, in front of what may stand behind a name.

Words stand apart in Korean and carry particles: "김민수가" is 김민수 and a particle. A name that is also a word
("이상은", the above) or has one syllable behind the family name needs a title, a label or a phrase beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.lexicon import list_lines
from securevec.anonymize.names.scripts.lists import costs, cues

_TWO: Final = frozenset(["남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방"])
_WORD: Final = re.compile("[\uac00-\ud7a3]+")
_ALSO_WORDS: Final = frozenset("이전한주지신하안정양조차구도명기반위인제모은우고성원방공소연")
"""Family names that other words are too: alone they need a title with respect in it, without a space."""
_NAMELIKE: Final = 20
"""Costs of two syllables up to which they are a given name by themselves."""
_MISTAKEN: Final = frozenset(["은", "이", "도", "만", "나", "라", "로", "지", "의", "가", "과", "와"])
"""Last syllables that are a particle behind a word of two, too: "주민은"."""


class _Told(NamedTuple):
    titles: re.Pattern[str]
    respect: re.Pattern[str]
    rest: re.Pattern[str]
    before: re.Pattern[str]
    families: frozenset[str]
    nobody: frozenset[str]


@lru_cache(maxsize=1)
def _given() -> tuple[dict[str, int], dict[str, int], frozenset[str]]:
    words = frozenset(word for line in list_lines("hangul_words.txt") for word in line.split())
    return costs("hangul_first.txt"), costs("hangul_second.txt"), words


@lru_cache(maxsize=1)
def _told() -> _Told:
    told = cues()["hang"]
    titles = "|".join(sorted(map(re.escape, told["titles"]), key=len, reverse=True))
    ends = "|".join(sorted(map(re.escape, (*told["particles"], *told["behind"])), key=len, reverse=True))
    before = "|".join(sorted(map(re.escape, told["before"]), key=len, reverse=True))
    respect = "|".join(title for title in told["titles"] if title.endswith("님") and len(title) > 1)
    return _Told(
        re.compile(f" ?(?:{titles})(?:님|께)?(?:{ends})?(?![\uac00-\ud7a3])"),
        re.compile(f"(?:{respect}|씨)(?:{ends})?(?![\uac00-\ud7a3])"),
        re.compile(f"(?:{ends})?(?![\uac00-\ud7a3])"),
        re.compile(f"(?<![\uac00-\ud7a3])(?:{before})(?:은|는|이|가|인)?[:,]? ?\\Z"),
        frozenset(told["families"]),
        frozenset(told["nobody"]),
    )


def korean_names(text: str) -> list[Finding]:
    """People in offsets of ``text``."""
    found: list[Finding] = []
    families = _told().families
    for match in _WORD.finditer(text):
        if match.group()[0] in families:
            found += _in_word(text, match.start(), match.group())
    return found


def _in_word(text: str, start: int, word: str) -> Iterator[Finding]:
    told, (first, second, words) = _told(), _given()
    family = 2 if word[:2] in _TWO else 1
    if told.respect.match(text, start + family) or (
        word[:family] not in _ALSO_WORDS and len(word) == family and _respected(text, start + family)
    ):
        if word not in words and word not in told.nobody:
            yield _person(start, start + family, "script-title")
        return
    cue: bool | None = None
    for size in (family + 2, family + 1, family + 3):
        if size > len(word) or word[:size] in told.nobody:
            continue
        end = start + size
        titled = told.titles.match(text, end) is not None
        if not titled and told.rest.match(text, end) is None:
            continue
        given = word[family:size]
        if cue is None:
            cue = told.before.search(text, max(0, start - 12), start) is not None
        price = first.get(given[0], 16) + second.get(given[-1], 16)
        if size == family + 2:
            plain = word[:size] not in words and not (word[size - 1] in _MISTAKEN and word[: size - 1] in words)
            likely = price <= _NAMELIKE and plain
            if likely or ((titled or cue) and price <= 30 and (plain or price <= 16)) or (family == 2 and price <= 28):
                yield _person(start, end, "script-hangul")
                return
        elif size == family + 1 and (titled or cue) and word[:size] not in words:
            if (titled and second.get(given, 16) <= 13) or (cue and second.get(given, 16) <= 9):
                yield _person(start, end, "script-hangul")
                return
        elif size == family + 3 and titled and cue and word[:size] not in words:
            yield _person(start, end, "script-hangul")
            return


def _respected(text: str, at: int) -> bool:
    """ "김 과장님": a title of respect behind a space."""
    return text[at : at + 1] == " " and _told().respect.match(text, at + 1) is not None


def _person(start: int, end: int, rule: str) -> Finding:
    return Finding(start, end, "PERSON", 0.8, rule, PERSON_PRIORITY)
