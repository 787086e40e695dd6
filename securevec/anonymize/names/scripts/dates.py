"""Days and ages in scripts of their own: months have names there, or signs for year, month and day follow numbers.

A day beside a word for birth is somebody's birthday. The rules read texts over one byte a character, which has no room
for these words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from securevec.anonymize.findings import Finding

_DAY_PRIORITY: Final = 33
_BIRTH_PRIORITY: Final = 71
_AGE_PRIORITY: Final = 2
_REACH: Final = 24
_NEAR: Final = 8

_YEAR: Final = r"(?:19|20)\d\d(?!\d)"
_RUSSIAN: Final = "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
_UKRAINIAN: Final = "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня"
_SOUTH_SLAVIC: Final = (
    "януари|февруари|март|април|май|юни|юли|август|септември|октомври|ноември|декември|"
    "јануара?|фебруара?|марта|априла?|маја|јуна|јула|августа|септембра|октобра|новембра|децембра"
)
_GREEK_MONTHS: Final = (
    "Ιανουαρ[ίι]ου|Φεβρουαρ[ίι]ου|Μαρτ[ίι]ου|Απριλ[ίι]ου|Μα[ΐϊίι]ου|Ιουν[ίι]ου|Ιουλ[ίι]ου|Αυγο[ύυ]στου|"
    "Σεπτεμβρ[ίι]ου|Οκτωβρ[ίι]ου|Νοεμβρ[ίι]ου|Δεκεμβρ[ίι]ου"
)
_ARABIC: Final = "يناير|فبراير|مارس|[اأإ]بريل|مايو|يونيو|يوليو|[اأ]غسطس|سبتمبر|[اأ]كتوبر|نوفمبر|ديسمبر"
_PERSIAN: Final = "فروردین|اردیبهشت|خرداد|تیر|مرداد|شهریور|مهر|آبان|آذر|دی|بهمن|اسفند"
_HEBREW: Final = "ינואר|פברואר|מרץ|מרס|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר"
_HINDI: Final = "जनवरी|फ़रवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|सितम्बर|अक्टूबर|अक्तूबर|नवंबर|नवम्बर|दिसंबर|दिसम्बर"
_BENGALI: Final = "জানুয়ারি|ফেব্রুয়ারি|মার্চ|এপ্রিল|মে|জুন|জুলাই|আগস্ট|সেপ্টেম্বর|অক্টোবর|নভেম্বর|ডিসেম্বর"
_THAI: Final = "มกราคม|กุมภาพันธ์|มีนาคม|เมษายน|พฤษภาคม|มิถุนายน|กรกฎาคม|สิงหาคม|กันยายน|ตุลาคม|พฤศจิกายน|ธันวาคม"
_HAN_DAY: Final = (
    r"(?:(?:19|20)\d\d|(?:昭和|平成|令和|大正|民国|民國) ?(?:\d{1,3}|元)) ?年 ?\d{1,2} ?月 ?\d{1,2} ?[日号號](?!\d)"
)


def _days(behind: str) -> re.Pattern[str]:
    """A day of one or two digits, with what follows. What may not stand in front of it is asked behind its first digit:
    ``re`` passes quickly over a text in search of a pattern that begins with a character."""
    return re.compile(rf"(?i)\d(?<![\d.,]\d)\d?(?:{behind})")


_DAYS: Final[Mapping[str, re.Pattern[str]]] = {
    "cyrl": _days(rf"\.? (?:{_RUSSIAN}|{_UKRAINIAN}|{_SOUTH_SLAVIC})\.? {_YEAR}"),
    "grek": _days(rf"(?:η|ης)? (?:{_GREEK_MONTHS}) (?:του )?{_YEAR}"),
    "arab": _days(rf" (?:(?:من )?(?:{_ARABIC})،? {_YEAR}|(?:{_PERSIAN}) 1[34]\d\d(?!\d))"),
    "hebr": _days(rf" ב?(?:{_HEBREW}) {_YEAR}"),
    "deva": _days(rf" (?:{_HINDI}),? {_YEAR}"),
    "beng": _days(rf" (?:{_BENGALI}),? {_YEAR}"),
    "thai": _days(rf" (?:{_THAI}) (?:พ\.ศ\. ?|ค\.ศ\. ?)?(?:25|19|20)\d\d(?!\d)"),
    "hani": re.compile(rf"(?<![\d.,])(?:{_HAN_DAY})"),
    "hang": re.compile(r"(?<![\d.,])(?:19|20)\d\d ?년 ?\d{1,2} ?월 ?\d{1,2} ?일"),
}
_BORN_WORDS: Final = (
    r"родил|рожден|рождён|рожд\.|д\. ?р\.|народи(?:вся|лася|вс)|народжен|роден|рођен|γενν[ήη]|生年月日|出生|"
    r"生于|生於|誕生|생년월일|출생|태어|مواليد|ولد|الميلاد|متولد|تولد|נולד|לידה|जन्म|जन्मतिथि|জন্ম|เกิด"
)
_BORN: Final = re.compile(rf"(?i){_BORN_WORDS}")
_NUMERIC: Final = re.compile(
    r"\d(?<!\w\d)(?:\d?[./-]\d{1,2}[./-](?:19|20)\d\d|(?:(?<=1)9|(?<=2)0)\d\d[./-]\d{1,2}[./-]\d{1,2})(?![\d./-])"
)
_BORN_ON: Final = re.compile(rf"(?i)(?:{_BORN_WORDS})\w{{0,6}}(?: \w{{1,4}})?\W{{1,4}}\Z")
_LONGEST_WORD: Final = 32
_BORN_BEHIND: Final = re.compile(
    r" ?(?:г(?:ода|\.)? ?р(?:ожд|\.)|р(?:оку|\.)? ?н(?:арод|\.)|生まれ|出生|生(?![產产])|생(?!산))"
)

_AGES: Final[Mapping[str, re.Pattern[str]]] = {
    "cyrl": re.compile(
        r"(?i)(?:\b(?:ему|ей|мне|нам|возраст[еа]?|исполнилось|йому|їй|мені|виповнилося|віком|у віці|на възраст|на) "
        r"{0,2}:? {0,2}|, )([1-9]\d?|1[01]\d)(?: полных)? (?:лет|года?|років|роки|рік|години)\b(?! назад| тому)"
        r"|\b([1-9]\d?|1[01]\d)-(?:летн|річн|годишн)\w{1,4}"
    ),
    "grek": re.compile(r"\b([1-9]\d?|1[01]\d) (?:ετών|ετων|χρονών|χρόνων)"),
    "arab": re.compile(r"(?:عمره|عمرها|عمري|العمر:?) {0,2}([1-9]\d?|1[01]\d)(?!\d)|\b([1-9]\d?) ساله"),
    "hebr": re.compile(r"(?<![\u05d0-\u05ea])(?:בן|בת|בגיל|גיל:?) ([1-9]\d?|1[01]\d)(?![\d.,:/])"),
    "deva": re.compile(r"(?:उम्र|आयु):? ([1-9]\d?|1[01]\d)(?!\d)|\b([1-9]\d?|1[01]\d)[ -]वर्षीय"),
    "thai": re.compile(r"อายุ ?([1-9]\d?|1[01]\d) ?ปี"),
    "hani": re.compile(r"(?<![\d.])([1-9]\d?|1[01]\d) ?(?:岁|歲|歳|周岁|才(?=[、。,.のでに]|\Z))"),
    "hang": re.compile(r"(?<![\d.])([1-9]\d?|1[01]\d) ?(?:세(?![기대계금])|살(?![\uac00-\ud7a3]{2,3}해))"),
}
_NEEDED: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "cyrl": ((), ("лет", "год", "рок", "рік", "річн")),
    "grek": ((), ("ετών", "ετων", "χρονών", "χρόνων")),
    "arab": ((), ("عمر", "ساله")),
    "hebr": ((), ("בן", "בת", "גיל")),
    "deva": ((), ("उम्र", "आयु", "वर्षीय")),
    "hani": (("年",), ("岁", "歲", "歳", "才")),
    "hang": (("년",), ("세", "살")),
}
"""One of these stands in small letters in each text with a day, and with an age."""


def days_and_ages(text: str, scripts: frozenset[str]) -> Iterator[Finding]:
    """Findings in offsets of ``text``, the plain folded view."""
    for day in _NUMERIC.finditer(text):
        # The days are fewer than the places where a word might begin.
        if _BORN_ON.search(text, max(0, day.start() - _LONGEST_WORD), day.start()) is not None:
            yield Finding(*day.span(), "DATE_OF_BIRTH", 0.8, "script-date", _BIRTH_PRIORITY)
    small = text.lower()
    wanted = scripts | {"hani"} if "kana" in scripts else scripts
    for script, days in _DAYS.items():
        if script not in wanted:
            continue
        of_days, of_ages = _NEEDED.get(script, ((), ()))
        if _has(small, of_days):
            for match in days.finditer(text):
                start, end = match.span()
                born = _BORN.search(text, max(0, start - _REACH), start) or _BORN_BEHIND.match(text, end, end + _NEAR)
                kind, priority = ("DATE_OF_BIRTH", _BIRTH_PRIORITY) if born else ("DATE", _DAY_PRIORITY)
                yield Finding(start, end, kind, 0.8, "script-date", priority)
        if (ages := _AGES.get(script)) is not None and _has(small, of_ages):
            for match in ages.finditer(text):
                place = match.span(1) if match.group(1) else match.span(match.lastindex or 1)
                yield Finding(*place, "AGE", 0.7, "script-age", _AGE_PRIORITY)


def _has(small: str, words: tuple[str, ...]) -> bool:
    return not words or any(word in small for word in words)
