"""Thai names: behind a title ("คุณสมชาย ใจดี"), or a listed given name with a family name behind a space.

Thai puts no space between words, and one between a given name and a family name. A name ends where a listed one does,
or where a word begins that stands behind names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import PERSON_PRIORITY, Finding
from securevec.anonymize.names.scripts.lists import cues, spaced

_LETTER: Final = "\u0e01-\u0e4e"
_RUN: Final = re.compile(f"[{_LETTER}]+")
_WEAK: Final = frozenset(["พี่", "น้อง", "ลุง", "ป้า", "น้า", "อา", "ครู", "หมอ", "ทนาย", "อาจารย์"])
_GLUED: Final = ("ขอบ", "พระ", "เจ้า", "มี", "สรรพ", "บุญ", "เป็น", "เดิน")
"""What makes another word of a title behind it: "ขอบคุณ", thanks."""
_INSIDE: Final = frozenset(["รับ", "ส่ง", "ยัง", "ของ", "คือ", "ซื้อ", "สั่ง"])
"""Small words that stand inside family names as well."""
_CLOSED: Final = re.compile(r"[ ]?(?:[.,;:!?)\n|/]|\Z)")
_PEOPLE: Final = (
    "ลูกค้า",
    "ผู้ป่วย",
    "คนไข้",
    "พนักงาน",
    "ผู้แจ้ง",
    "ผู้ติดต่อ",
    "กับ",
    "ของ",
    "โดย",
    "ให้",
    "จาก",
    "ถึง",
    "และ",
    "เรียน",
    "สวัสดี",
    "คือ",
    "แพทย์",
    "อาจารย์",
)
_LONGEST: Final = 24
_SHORTEST_PLAIN: Final = 5
_FURTHEST: Final = 2 * _LONGEST
"""Characters that are looked at for a name: a text is one run of letters where nobody puts a space."""


class _Told(NamedTuple):
    titles: re.Pattern[str]
    before: re.Pattern[str]
    intro: re.Pattern[str]
    nobody: tuple[str, ...]
    stops: re.Pattern[str]
    given: frozenset[str]
    family: frozenset[str]


@lru_cache(maxsize=1)
def _told() -> _Told:
    told = cues()["thai"]
    given, family = spaced("thai")

    def either(words: tuple[str, ...]) -> str:
        return "|".join(sorted(map(re.escape, words), key=len, reverse=True))

    return _Told(
        re.compile(f"({either(told['titles'])}) ?(?=[{_LETTER}])"),
        re.compile(f"(?:{either(told['before'])})[: ]? ?\\Z"),
        re.compile("(?:ผม|ดิฉัน|ฉัน|หนู|เขา|เธอ|กระผม|ข้าพเจ้า)ชื่อ(?:ว่า)? ?"),
        told["nobody"],
        re.compile(either(tuple(word for word in told["stops"] if len(word) > 2 and word not in _INSIDE))),
        given | frozenset(told["sure"]),
        family,
    )


def thai_names(text: str) -> list[Finding]:
    """People in offsets of ``text``."""
    told = _told()
    found: list[Finding] = []
    at = 0
    while (title := told.titles.search(text, at)) is not None:
        at = title.end(1)
        end = _behind_title(text, title)
        if end:
            found.append(Finding(title.end(), end, "PERSON", 0.8, "script-title", PERSON_PRIORITY))
            at = end
    for phrase in told.intro.finditer(text):
        start = phrase.end()
        if title := told.titles.match(text, start):
            start = title.end()
        if end := name_end(text, start):
            found.append(Finding(start, end, "PERSON", 0.8, "script-intro", PERSON_PRIORITY))
    for run in _RUN.finditer(text):
        if not any(f.start <= run.start() < f.end for f in found[-200:]) and (end := _alone(text, run)):
            found.append(Finding(run.start(), end, "PERSON", 0.8, "script-thai", PERSON_PRIORITY))
    return found


def name_end(text: str, start: int) -> int:
    """Where a given name that begins at ``start`` ends, with its family name; 0 where none begins."""
    end = _given_end(text, start)
    return _with_family(text, end) if end else 0


def _behind_title(text: str, title: re.Match[str]) -> int:
    told = _told()
    inside = title.start() > 0 and _RUN.match(text, title.start() - 1, title.start()) is not None
    inside = inside and not text.endswith(_PEOPLE, max(0, title.start() - 12), title.start())
    weak = title.group(1) in _WEAK
    start = title.end()
    if text.endswith(_GLUED, max(0, title.start() - 6), title.start()) or text.startswith(told.nobody, start):
        return 0
    listed = _listed(text, start)
    if listed:
        return _with_family(text, listed)
    if weak or inside:
        return 0
    return name_end(text, start)


def _listed(text: str, start: int) -> int:
    """Where the longest listed given name that begins here ends."""
    given = _told().given
    run = _RUN.match(text, start, start + _FURTHEST)
    if run is None:
        return 0
    for end in range(min(run.end(), start + _LONGEST), start + 2, -1):
        if text[start:end] in given and (
            end == run.end()
            or text[end]
            not in "\u0e30\u0e31\u0e32\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e4d"
        ):
            return end
    return 0


def _given_end(text: str, start: int) -> int:
    if listed := _listed(text, start):
        return listed
    return _cut(text, start)


def _cut(text: str, start: int) -> int:
    """The run from ``start``, up to a word that stands behind names."""
    run = _RUN.match(text, start, start + _FURTHEST)
    if run is None:
        return 0
    stop = _told().stops.search(text, start + 2, run.end())
    end = stop.start() if stop else run.end()
    if _told().stops.match(text, start) or not 2 <= end - start <= _LONGEST:
        return 0
    return end


def _with_family(text: str, end: int) -> int:
    if text[end : end + 1] != " ":
        return end
    run = _RUN.match(text, end + 1, end + 1 + _FURTHEST)
    if run is None:
        return end
    for stop in range(run.end(), end + 4, -1):
        known = text[end + 1 : stop] in _told().family
        if known and (stop == run.end() or _told().stops.match(text, stop) is not None):
            return stop
    cut = _cut(text, end + 1)
    return cut if cut - end > 3 else end


def _alone(text: str, run: re.Match[str]) -> int:
    """A listed given name that is a word of its own, with a family name behind it or a phrase in front."""
    told = _told()
    start = run.start()
    cued = told.before.search(text, max(0, start - 16), start)
    if cued is None:
        if run.group() not in told.given or len(run.group()) < _SHORTEST_PLAIN:
            return 0
        end = _with_family(text, run.end())
        closed = end > run.end() and _CLOSED.match(text, end) is not None
        return end if closed or text[run.end() + 1 : end] in told.family else 0
    end = _listed(text, start)
    return _with_family(text, end) if end else 0
