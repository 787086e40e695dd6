"""Chinese and Japanese names among words that nothing keeps apart.

A run of characters is cut into the words that cost least (halves of natural logarithms of odds, the shortest path from
its beginning to its end), with every family name and one or two characters behind it as one word more: "王小明" is
cheaper than its three characters, "王国" and "高中" are cheaper as words than as anybody's name. What stands beside a
name (a title, "my name is", a trade) makes it cheaper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.names.scripts.han_places import Piece, chinese_places, japanese_places
from securevec.anonymize.names.scripts.lists import Lexicon, chinese, cues, japanese, kana_names, simplified

_RUN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff々ヶ]+")
_LONGEST_WORD: Final = 4
_LONGEST_RUN: Final = 400
"""Characters that are cut at once; prose has a sign after some ten."""
_CUED: Final = 10
_CUED_SHORT: Final = 3
"""Behind "and", "to" and their kin, which stand in front of anything."""
_TITLED: Final = 14
_EDGE: Final = 2
_UNKNOWN_GIVEN: Final = 22
_SHORT: Final = 6
"""What a name of two characters costs besides: most that look like one are words."""
_AMOUNTS: Final = frozenset("万千百亿")
"""Family names that are an amount behind a digit."""
_DISTRICTS: Final = frozenset("省市县縣県区區郡駅站")
_AREAS: Final = frozenset("省市县縣県区區州町村郡駅站都府道部峠課室店社寺城港橋坂谷線岳沼家")
"""What makes a place of the family name in front of it."""
_FOREIGN: Final = re.compile("[\u4e00-\u9fff]{1,7}(?:[·•][\u4e00-\u9fff]{1,7}){1,3}")
_SOUNDS: Final = frozenset(
    "阿埃艾安奥巴贝本比彼宾博布查达戴丹德登迪蒂杜敦多顿恩尔法菲费弗福盖格戈贡古哈海汉赫亨华霍基吉加贾杰金卡凯坎康柯科克肯库拉莱兰劳勒雷里理利丽莉廉林琳伦"
    "罗洛卢鲁露马玛麦迈曼梅米密莫姆木穆纳娜奈内尼妮诺欧帕派佩彭皮珀普奇琪恰乔切琼荣瑞若萨塞森莎山什史士斯苏索所塔泰坦汤特提图托瓦万韦维温文沃乌武伍西希夏香肖谢辛"
    "修许雪雅亚扬姚耶伊英尤于约泽扎詹珍治朱佐翰强逊桑朗齐里昂艺勋雯爱绮岛"
)
"""Characters that foreign names are written with."""


def chinese_names(text: str) -> list[Finding]:
    """People in offsets of ``text``, which is Chinese of either kind of characters."""
    plain = text.translate(simplified())
    found = [*_foreign(plain)]
    told = cues()["hani"]
    before = _ends(plain, _pattern((*told["before"], *told["PERSON"]), ending=True))
    titles = _starts(plain, _pattern(told["titles"]))
    for run in _RUN.finditer(plain):
        for low in range(0, len(run.group()), _LONGEST_RUN):
            part = run.group()[low : low + _LONGEST_RUN]
            pieces = _cut(part, run.start() + low, chinese(), before, titles)
            found += _people(pieces)
            found += chinese_places(plain, pieces)
    return [f for f in found if plain[f.start] not in _AMOUNTS or not plain[max(0, f.start - 1) : f.start].isdigit()]


def japanese_names(text: str) -> list[Finding]:
    """People in offsets of ``text``, which is Japanese: full names, and what stands before a title."""
    told = cues()["jpan"]
    before = _ends(text, _pattern((*told["before"], *told["PERSON"]), ending=True))
    titles = _starts(text, _pattern((*told["titles"], *told["behind"])))
    found: list[Finding] = []
    for run in _RUN.finditer(text):
        if len(run.group()) <= _LONGEST_RUN:
            pieces = _cut(run.group(), run.start(), japanese(), before, titles)
            found += _people(pieces)
            found += japanese_places(text, pieces)
    found += _in_kana(text, found)
    found += _before_titles(text)
    return found


def _people(pieces: list[Piece]) -> Iterator[Finding]:
    for start, end, named in pieces:
        if named:
            yield Finding(start, end, "PERSON", 0.8, "script-han", PERSON_PRIORITY)


def _cut(run: str, at: int, lexicon: Lexicon, before: Mapping[int, int], titles: frozenset[int]) -> list[Piece]:
    """The words and names on the cheapest way through ``run``, which begins at ``at`` in the text."""
    size = len(run)
    best: list[float] = [0.0] + [float("inf")] * size
    way: list[tuple[int, bool]] = [(0, False)] * (size + 1)
    words, families = lexicon.words, lexicon.families
    for start in range(size):
        spent = best[start]
        char = run[start]
        price = spent + words.get(char, lexicon.alone)
        if price < best[start + 1]:
            best[start + 1], way[start + 1] = price, (start, False)
        for end in range(start + 2, min(start + _LONGEST_WORD, size) + 1):
            cost = words.get(run[start:end])
            if cost is not None and spent + cost < best[end]:
                best[end], way[end] = spent + cost, (start, False)
        for length in (1, 2, 3):
            family = families.get(run[start : start + length])
            if family is None or start + length > size:
                continue
            cued = before.get(at + start, 0) + _EDGE * (start == 0)
            for end, price in _with_given(run, start + length, lexicon, at, titles, short=length == 1):
                total = spent + lexicon.person + family + price - cued
                if total < best[end]:
                    best[end], way[end] = total, (start, True)
    pieces: list[Piece] = []
    end = size
    while end:
        start, named = way[end]
        pieces.append((at + start, at + end, named))
        end = start
    return pieces[::-1]


def _with_given(
    run: str, begin: int, lexicon: Lexicon, at: int, titles: frozenset[int], *, short: bool
) -> Iterator[tuple[int, float]]:
    """Where a name with its family name up to ``begin`` may end, and what its other part costs."""
    if at + begin in titles:
        yield begin, -_SHORT
    given, price = lexicon.given, 0.0
    for end in range(begin + 1, begin + lexicon.longest + 1):
        if end > len(run) or run[begin] in _DISTRICTS:
            return
        price += given.get(run[end - 1], _UNKNOWN_GIVEN)
        if end == begin + 1 and run[begin] in _AREAS:
            continue
        titled = _TITLED * (at + end in titles) + _EDGE * (end == len(run))
        yield end, price - titled + (_SHORT if short and end == begin + 1 else 0)


def _foreign(text: str) -> Iterator[Finding]:
    """ "约翰·史密斯": the first part from where it begins to sound foreign."""
    for match in _FOREIGN.finditer(text) if "·" in text or "•" in text else ():
        start, end = match.span()
        dot = next(at for at in range(start, end) if text[at] in "·•")
        first = dot
        while first > start and text[first - 1] in _SOUNDS:
            first -= 1
        last = max(text.rfind("·", start, end), text.rfind("•", start, end)) + 1
        stop = last
        while stop < end and text[stop] in _SOUNDS:
            stop += 1
        if first < dot and stop > last:
            yield Finding(first, stop, "PERSON", 0.8, "script-foreign", PERSON_PRIORITY)


_KANA: Final = "\u3041-\u3096\u30a1-\u30fa-"
_PARTICLES: Final = frozenset("とのはがをにもやで")
_GIVEN_KANA: Final = re.compile("[\u3041-\u3096]{2,4}|[\u30a1-\u30fa][\u30a1-\u30fa-]{1,5}")


def whole_japanese(text: str) -> Iterator[Finding]:
    """Runs without any kana that are a Japanese name from end to end, with or without a title: "佐藤花子様"."""
    lexicon, chinese_words = japanese(), chinese().words
    titles = cues()["jpan"]["titles"]
    for run in _RUN.finditer(text):
        name = run.group()
        name = next(
            (name[: -len(title)] for title in titles if name.endswith(title) and len(name) > len(title) + 2), name
        )
        for size in (2, 3):
            given = name[size:]
            if name[:size] not in lexicon.families or name in chinese_words or name[:2] in chinese_words:
                continue
            if not given and name != run.group():
                yield Finding(run.start(), run.start() + size, "PERSON", 0.7, "script-title", PERSON_PRIORITY)
            likely = 1 <= len(given) <= 3 and given[0] not in _AREAS and all(char in lexicon.given for char in given)
            if likely and given not in lexicon.words and given not in chinese_words:
                yield Finding(run.start(), run.start() + len(name), "PERSON", 0.7, "script-han", PERSON_PRIORITY)
                break


def _in_kana(text: str, found: list[Finding]) -> Iterator[Finding]:
    """A family name in kanji and a given name in kana: "佐藤さくら"."""
    families = japanese().families
    for run in _RUN.finditer(text):
        end = run.end()
        kana = _GIVEN_KANA.match(text, end)
        if kana is None:
            continue
        start = next(
            (end - size for size in (3, 2) if text[max(0, end - size) : end] in families and end - size >= run.start()),
            -1,
        )
        if start < 0:
            continue
        size = _kana_size(kana.group())
        if size:
            yield Finding(start, end + size, "PERSON", 0.8, "script-han-kana", PERSON_PRIORITY + 1)


def _kana_size(kana: str) -> int:
    """How much of what follows a family name is a given name: a listed one, or one in front of a particle."""
    names = kana_names()
    for size in range(len(kana), 1, -1):
        if kana[:size] in names:
            return size
    words = frozenset(cues()["jpan"]["kanawords"])
    plain = kana[:-1] if kana[-1] in _PARTICLES else ""
    known = any(kana.startswith(word) for word in words)
    return len(plain) if 2 <= len(plain) <= 3 and plain[0] not in _PARTICLES and not known else 0


@lru_cache(maxsize=1)
def _titled() -> re.Pattern[str]:
    titles = "|".join(sorted(map(re.escape, cues()["jpan"]["titles"]), key=len, reverse=True))
    kana = "|".join(sorted((word for word in kana_names() if len(word) > 2), key=len, reverse=True))
    katakana = "[\u30a1-\u30fa][\u30a1-\u30fa-]{1,9}"
    name = "|".join(
        (
            "[\u4e00-\u9fff々ヶ]{1,6}",
            f"{katakana}(?:[・.= ]{katakana}){{0,3}}",
            f"(?<![{_KANA}])[\u3041-\u3096]{{2,5}}?",
            f"(?<=[\u3041-\u3096\u30a1-\u30fa])(?:{kana})",
        )
    )
    return re.compile(f"({name}) ?(?=(?:{titles}|と申します|ともうします|と名乗|という者))")


def _before_titles(text: str) -> Iterator[Finding]:
    """What stands before "さん" and its kin and is no trade, no relative and no word."""
    nobody = frozenset(cues()["jpan"]["nobody"])
    words = japanese().words
    for match in _titled().finditer(text):
        name = match.group(1)
        if len(name) < 2 or name in nobody or any(name.endswith(word) for word in nobody if len(word) > 1):
            continue
        if "\u4e00" <= name[0] <= "\u9fff" or name[0] == "々":
            known = next((name[-size:] for size in (3, 2) if name[-size:] in japanese().families), "")
            if known:
                name = known
            elif name in words or len(name) > 4 or any(name[-size:] in words for size in (2, 3)):
                continue
        if name[0] in _PARTICLES and name[1:] in kana_names():
            name = name[1:]
        start = match.end(1) - len(name)
        if "\u3041" <= name[0] <= "\u3096":
            families = japanese().families
            start -= next((size for size in (3, 2) if text[max(0, start - size) : start] in families), 0)
        yield Finding(start, match.end(1), "PERSON", 0.8, "script-title", PERSON_PRIORITY)


@lru_cache(maxsize=16)
def _pattern(words: tuple[str, ...], *, ending: bool = False) -> re.Pattern[str]:
    """Any of the words; ``ending``: and the signs that may stand between it and a name."""
    joined = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(f"(?:{joined})[:,! ]{{0,2}}" if ending else f"(?=(?:{joined}))")


def _ends(text: str, pattern: re.Pattern[str]) -> dict[int, int]:
    """Where cues end, and what they take off the cost of a name that begins there."""
    return {
        match.end(): _CUED if len(match.group().rstrip(":,! ")) > 1 else _CUED_SHORT for match in pattern.finditer(text)
    }


def _starts(text: str, pattern: re.Pattern[str]) -> frozenset[int]:
    return frozenset(match.start() for match in pattern.finditer(text))
