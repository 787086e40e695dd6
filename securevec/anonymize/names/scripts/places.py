"""Addresses in Chinese, Japanese, Korean, Arabic, Persian, Hebrew, Hindi and Thai, told by their own words.

An address is a street or a block by its word with a number; what stands before it in the order of its country
(province, town, district) belongs to it. The words are ``data/script_cues.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.scripts.gate import lines_of
from securevec.anonymize.names.scripts.lists import cues, either

_PRIORITY: Final = 31
_LOOK_BACK: Final = 48
"""Characters of a Chinese address in front of its number."""
_HAN: Final = "\u4e00-\u9fff"
_KANJI: Final = f"{_HAN}々ヶケノ\u3041-\u3096\u30a1-\u30fa"
_HANGUL: Final = "\uac00-\ud7a3"
_ARABIC: Final = "\u0620-\u06d3"
_HEBREW: Final = "\u05d0-\u05ea\"'׳״"
_DEVANAGARI: Final = "\u0900-\u0963"
_THAI: Final = "\u0e01-\u0e4e"
_ORDINALS: Final = "一二三四五六七八九十"
_AREA: Final = re.compile("[省市区區县縣旗镇鎮乡鄉村]")
_BEFORE_NUMBER: Final = re.compile(f"[{_HAN}A-Z\\d]{{2,48}}\\Z")
_POSTCODE: Final = re.compile(r"〒[ ]?(\d{3}-?\d{4})|우[ )]?[(]?(\d{5})[)]?(?= )")
_ADMIN: Final = re.compile(f"[{_HANGUL}][도시군구읍면][ ]|^[{_HANGUL}]{{2}}[ ]|로\\d|길|로[ ]\\d")
"""What a Korean street is not without: a district in front, or a number that belongs to a road."""


def _chinese_number() -> re.Pattern[str]:
    told = cues()["hani"]
    suffix = r"(?:之\d{1,3})?"
    room = f"[ ]?[A-Z\\d{_ORDINALS}]{{1,5}}{either(told['rooms'])}{suffix}"
    block = f"[ ]?[{_HAN}]{{2,8}}?{either(told['blocks'])}"
    number = r"[甲乙丙丁]?\d{1,5}(?:-\d{1,4})?"
    return re.compile(f"{number}{either(told['numbers'])}{suffix}(?:{room}|{block}){{0,6}}")


def _chinese_street() -> re.Pattern[str]:
    parts = f"(?:[{_ORDINALS}东西南北中\\d]{{1,3}}[段路街条区期巷弄]){{0,3}}"
    return re.compile(f"{either(cues()['hani']['streets'])}{parts}\\Z")


def _japanese(*, whole: bool) -> re.Pattern[str]:
    """``whole``: only with a prefecture in front, as a text without kana may be Chinese."""
    part = "(?:丁目|番地|番|号|-)?"
    block = f"(?:\\d{{1,4}}{part}|[{_ORDINALS}]{{1,3}}(?:丁目|番地|番|号))(?:の?\\d{{1,4}}{part}){{0,4}}"
    behind = f"{block}(?:[ ]?[{_KANJI}A-Za-z-]{{2,16}}[ ]?\\d{{1,4}}(?:号室|号|F|階)?)?"
    prefectures = either(cues()["jpan"]["prefectures"])
    prefecture = f"{prefectures}[ ]?[{_KANJI}]{{1,12}}[市区町村郡][{_KANJI} ]{{0,14}}{behind}"
    town = f"[{_HAN}々ヶケ]{{1,6}}市[{_KANJI}]{{1,12}}?{behind}"
    ward = f"[{_HAN}々]{{1,4}}区[{_KANJI}]{{1,10}}?{behind}"
    return re.compile(prefecture if whole else f"{prefecture}|{town}|{ward}")


def _korean() -> re.Pattern[str]:
    h = _HANGUL
    province = f"(?:{either(cues()['hang']['provinces'])}[ ])?"
    areas = f"(?:[{h}]{{1,5}}[시군구][ ]){{0,2}}(?:[{h}]{{1,5}}[읍면][ ])?"
    number = r"\d{1,4}(?:-\d{1,4})?(?:번지)?"
    lane = r"(?:\d{1,3}번?[가나]?길)?"
    road = f"[{h}\\d]{{1,12}}[로길]{lane}[ ]?{number}(?![\\d%년월일개명원시분만천배차가호])"
    quarter = f"[{h}]{{1,6}}\\d?[동리가][ ]{number}(?=[ ,.]|\\Z|\\n)(?![ ]?[\\d%])"
    flat = f"(?:,?[ ](?:[{h}A-Za-z\\d]{{2,14}}[ ])?(?:\\d{{1,4}}동[ ])?\\d{{1,4}}[호층])?"
    return re.compile(f"{province}{areas}(?:{road}|{quarter}){flat}")


def _arabic() -> re.Pattern[str]:
    told = cues()["arab"]
    number = f"[،,]?[ ](?:{either(told['houses'])}[ ]?)?\\d{{1,5}}"
    name = f"[{_ARABIC}]+(?:[ ][{_ARABIC}]+){{0,3}}?"
    quarter = f"(?:(?:حي|محلة)[ ]{name}[،,][ ])?"
    return re.compile(f"(?<![{_ARABIC}]){quarter}{either(told['streets'])}[ ]{name}(?:{number}){{1,4}}")


def _hebrew() -> re.Pattern[str]:
    told = cues()["hebr"]
    name = f"[{_HEBREW}]+(?:[ -][{_HEBREW}]+){{0,3}}?"
    flat = f"(?:,?[ ]{either(told['houses'])}[ ][\\dא-ד]{{1,4}}){{0,3}}"
    number = r"\d{1,4}[א-ד]?(?:/\d{1,4})?"
    return re.compile(f"(?<![\u05d0-\u05ea])[בלמו]?{either(told['streets'])}[ ]{name}[ ]{number}{flat}")


def _hindi() -> re.Pattern[str]:
    told, d = cues()["deva"], _DEVANAGARI
    house = f"{either(told['houses'])}[ ]{either(told['numbers'])}[ ]?[A-Z]?-?\\d{{1,5}}[A-Z]?(?:/\\d{{1,4}})?"
    rest = f"(?:,[ ][{d}\\d -]{{2,30}}){{0,3}}"
    street = f"\\d{{1,4}}(?:/\\d{{1,4}})?,?[ ](?:[{d}]+[ ]){{1,3}}?{either(told['streets'])}(?![{d}])"
    sector = f"(?:सेक्टर|गली[ ]{either(told['numbers'])})[ -]?\\d{{1,3}}"
    return re.compile(f"{house}{rest}|{street}|{sector}")


def _thai() -> re.Pattern[str]:
    told = cues()["thai"]
    number = r"(?:(?:บ้านเลขที่|เลขที่)[ ]?)?\d{1,4}(?:/\d{1,4})?"
    parts = f"(?:[ ]{either(told['streets'])}[ ]?[{_THAI}\\d]+){{1,8}}"
    return re.compile(f"{number}{parts}(?:[ ]{either(told['provinces'])})?(?:[ ]\\d{{5}}(?!\\d))?")


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        "chinese number": _chinese_number(),
        "chinese street": _chinese_street(),
        "hani": _japanese(whole=True),
        "kana": _japanese(whole=False),
        "hang": _korean(),
        "arab": _arabic(),
        "hebr": _hebrew(),
        "deva": _hindi(),
        "thai": _thai(),
    }


def addresses(text: str, scripts: frozenset[str]) -> Iterator[Finding]:
    """Addresses in offsets of ``text`` (the plain folded view), and postcodes behind their sign."""
    patterns = _patterns()
    if "hani" in scripts:
        yield from _chinese(text)
    for script in scripts & patterns.keys():
        for start, end in lines_of(text, script):
            for match in patterns[script].finditer(text, start, end):
                if script != "hang" or _ADMIN.search(match.group()):
                    yield _address(match.start(), match.end())
    if "〒" in text or "우" in text:
        for match in _POSTCODE.finditer(text):
            group = 1 if match.group(1) else 2
            yield Finding(match.start(group), match.end(group), "POSTCODE", 0.9, "script-postcode", 60)


def _address(start: int, end: int) -> Finding:
    return Finding(start, end, "ADDRESS", 0.85, "script-address", _PRIORITY)


def _chinese(text: str) -> Iterator[Finding]:
    """Streets with a number, and towns and districts in front of them. Read from the number back."""
    patterns, reached = _patterns(), 0
    for number in patterns["chinese number"].finditer(text):
        before = _BEFORE_NUMBER.search(text, max(reached, number.start() - _LOOK_BACK), number.start())
        if before is None or patterns["chinese street"].search(text, before.start(), number.start()) is None:
            continue
        start = _chinese_start(text, before.start(), number.start())
        if number.start() - start >= 2:
            yield _address(start, number.end())
            reached = number.end()


def _chinese_start(text: str, start: int, end: int) -> int:
    """Where an address begins: at its province or great town, behind the word that leads to it, or where its street
    does, which has a name of four characters at most."""
    told = cues()["hani"]
    places = [at for name in told["provinces"] if (at := text.find(name, start, end)) >= 0]
    if places:
        return min(places)
    leads = [at + len(lead) for lead in told["leads"] if (at := text.rfind(lead, start, end - 2)) >= 0]
    if leads:
        return min(leads) if _AREA.search(text, min(leads), end) else max(leads)
    return start if end - start <= 6 or _AREA.search(text, start, end) else end - 5
