"""Places and organizations in Chinese and Japanese, among words that were cut already.

A listed place that is a word on the cheapest way through its line is one ("昨天成都下了雨"), with the word for its kind
behind it. An organization is a listed one, or ends with a word for its kind ("银行", "病院") and begins with a place or
with a word as "national"; a legal form takes what stands beside it. Words that stand in front of organizations and are
no part of one are a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.scripts.lists import either, houses, japanese, listed_places
from securevec.anonymize.names.scripts.overlaps import PLACE_PRIORITY, Spans, found

Piece = tuple[int, int, bool]
"""Start and end of a word in the text, and whether it is somebody's name."""

_KINDS: Final = frozenset(["市", "省", "县", "区", "州", "镇", "乡", "村", "岛", "府"])
_NO_PLACE_BEHIND: Final = frozenset("人语话籍裔式菜队文版")
"""What makes a people, a language or a dish of the country in front."""
_BELOW: Final = re.compile("[一-鿿]{2,4}?[区县镇乡市](?!域|别|长|民|场|政)")
"""A district or town behind the name of what it lies in."""
_FURTHEST: Final = 18
"""Characters of the longest such name but for its last word."""
_MOST: Final = 8
"""Words of it."""
_SHORTEST: Final = 2
_KANJI: Final = "一-鿿々ヶ"
_KATAKANA: Final = "ァ-ヺ"
_WHOLE: Final = f"{_KANJI}{_KATAKANA}A-Za-z0-9&・-"
_NO_PLACE_BEHIND_JAPANESE: Final = re.compile("人(?!口)|語|料理|製|系|軍|流|史|文学|映画|さん|氏|様|君|ちゃん")
_PLACE_BEHIND: Final = re.compile(
    "[市県府都区町村郡州駅港湾]|支店|支社|本社|在住|出身|産|行き|方面|空港|地方|大学|へ|から|まで|で(?!す)|に(?:住|引|行|到|向|移|あ|い)"
)
"""What stands behind a place that is a family name too."""
_KINDS_JAPANESE: Final = frozenset("市県府都区町村郡州島")
_BELOW_JAPANESE: Final = re.compile(f"[{_KANJI}]{{1,4}}?[市区町村郡](?!長|民|内|議|役)")
_LEADS_JAPANESE: Final = ("日本", "全国", "国立", "県立", "市立", "都立", "府立", "国際", "中央", "第一")


@lru_cache(maxsize=1)
def _stops() -> frozenset[str]:
    """Words that stand in front of an organization and are no part of one."""
    return frozenset(houses()["hani"]["stops"])


@lru_cache(maxsize=2)
def _known(script: str) -> re.Pattern[str]:
    more = {"hani": "(?:集团|股份有限公司|有限公司|公司|控股|医院|大学)?", "jpan": "(?:株式会社|グループ|本社)?"}
    return re.compile(either(houses()[script]["known"]) + more[script])


@lru_cache(maxsize=2)
def _ends(script: str) -> re.Pattern[str]:
    return re.compile(either(houses()[script]["ends"]))


@lru_cache(maxsize=1)
def _legal() -> re.Pattern[str]:
    forms = either(houses()["jpan"]["legal"])
    name = f"(?:[{_WHOLE}]{{2,16}}|[ぁ-ん]{{2,6}}[{_WHOLE}]{{1,10}})"
    return re.compile(f"{forms}{name}|[{_WHOLE}]{{2,16}}?(?:株式会社|有限会社|合同会社)")


def chinese_places(text: str, pieces: list[Piece]) -> Iterator[Finding]:
    """Places and organizations in ``text``, of which ``pieces`` are the words of one run in order."""
    if not pieces:
        return
    low, high = pieces[0][0], pieces[-1][1]
    places = _chinese(text, pieces)
    starts = {start for start, _, _ in pieces}
    taken: list[tuple[int, int]] = []
    for known in _known("hani").finditer(text, low, high):
        if known.start() in starts:
            taken.append(known.span())
    for kind in _ends("hani").finditer(text, low, high):
        start = _begins(text, pieces, places, kind)
        if start is not None:
            taken.append((start, kind.end()))
    yield from found(places, Spans(taken))


def _chinese(text: str, pieces: list[Piece]) -> list[tuple[int, int]]:
    listed = listed_places("hani")
    here: list[tuple[int, int]] = []
    for at, (start, end, named) in enumerate(pieces):
        word = text[start:end]
        if named or (here and start < here[-1][1]):
            continue
        if word not in listed and not (word[-1] in _KINDS and word[:-1] in listed and len(word) > _SHORTEST):
            continue
        if word in listed and at + 1 < len(pieces) and text[slice(*pieces[at + 1][:2])] in _KINDS:
            end = pieces[at + 1][1]
        if text[end : end + 1] in _NO_PLACE_BEHIND:
            continue
        here.append((start, end))
        if text[end - 1] in _KINDS and (below := _BELOW.match(text, end, pieces[-1][1])):
            here.append(below.span())
    return here


def _begins(text: str, pieces: list[Piece], places: list[tuple[int, int]], kind: re.Match[str]) -> int | None:
    """Where the organization begins that ends with ``kind``, or ``None``."""
    at = next((place for place, piece in enumerate(pieces) if piece[1] > kind.start()), None)
    if at is None:
        return None
    stops = _stops()
    inside, legal = frozenset(start for start, _ in places), kind.group() in houses()["hani"]["legal"]
    first, begun, sure = kind.start(), kind.start(), False
    for count in range(_MOST):
        place = at - count - (pieces[at][0] >= kind.start())
        if place < 0:
            break
        start, end, named = pieces[place]
        word = text[start : min(end, kind.start())]
        if named or word in stops or kind.start() - start > _FURTHEST:
            break
        first = start
        if start in inside or word in houses()["hani"]["leads"]:
            begun, sure = start, True
    if legal and not sure and kind.start() - first >= _SHORTEST:
        return first
    return begun if sure and begun < kind.start() else None


def japanese_places(text: str, pieces: list[Piece]) -> Iterator[Finding]:
    """Places in the words of one run of kanji in Japanese ``text``. Organizations: :func:`japanese_houses`."""
    listed, families = listed_places("jpan"), japanese().families
    reached = -1
    for start, end, named in pieces:
        word = text[start:end]
        if named or start < reached or word not in listed:
            continue
        ambiguous = word in families and _PLACE_BEHIND.match(text, end) is None
        if ambiguous or _NO_PLACE_BEHIND_JAPANESE.match(text, end):
            continue
        end += text[end : end + 1] in _KINDS_JAPANESE and text[start:end] not in {"日本", "中国", "米国", "英国"}
        yield Finding(start, end, "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
        reached = end
        if text[end - 1] in _KINDS_JAPANESE and (below := _BELOW_JAPANESE.match(text, end)):
            yield Finding(below.start(), below.end(), "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
            reached = below.end()


_KATAKANA_RUN: Final = re.compile(f"[{_KATAKANA}・-]{{2,}}")
_MIXED_RUN: Final = re.compile(f"[{_WHOLE}]{{3,}}")


def japanese_houses(text: str) -> Iterator[Finding]:
    """Organizations in Japanese ``text``, and places in katakana."""
    listed = listed_places("jpan")
    for run in _KATAKANA_RUN.finditer(text):
        if run.group() in listed and not _NO_PLACE_BEHIND_JAPANESE.match(text, run.end()):
            yield Finding(run.start(), run.end(), "LOCATION", 0.8, "script-place", PLACE_PRIORITY)
    taken = [match.span() for match in _legal().finditer(text)]
    for known in _known("jpan").finditer(text):
        start, end = known.span()
        within = _is_katakana(text[start - 1 : start]) and _is_katakana(text[start])
        if not within and not (_is_katakana(text[end : end + 1]) and _is_katakana(text[end - 1])):
            taken.append((start, end))
    for run in _MIXED_RUN.finditer(text):
        for kind in _ends("jpan").finditer(run.group()):
            low = max(0, kind.start() - _FURTHEST)
            begun = _begins_japanese(run.group()[low : kind.start()], listed)
            if begun is not None:
                taken.append((run.start() + low + begun, run.start() + kind.end()))
    yield from found((), Spans(taken))


def _begins_japanese(before: str, listed: frozenset[str]) -> int | None:
    """Where a place or a word as "national" begins that all the rest of ``before`` belongs to."""
    for start in range(len(before)):
        rest = before[start:]
        if rest.startswith(_LEADS_JAPANESE) or any(rest[:size] in listed for size in range(2, min(7, len(rest)) + 1)):
            return start
    return None


def _is_katakana(char: str) -> bool:
    return "ァ" <= char <= "ヺ" or char == "-"
