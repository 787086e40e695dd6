"""Values behind the labels of a form in their own script: ``姓名：王小明``, ``이름: 김민수``, ``آدرس: ...``.

A label of a person or an address needs a sign behind it; a number may follow its label bare, as no other word does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.names.forms import LABELLED_PRIORITY
from securevec.anonymize.names.scripts.gate import CYRILLIC
from securevec.anonymize.names.scripts.lists import cues
from securevec.anonymize.names.scripts.thai import name_end
from securevec.anonymize.rules.credentials import secret_value
from securevec.anonymize.rules.personal import login_name

_CODE_PRIORITY: Final = 64
"""As codes under the names of fields: below numbers with a check of their own, above what looks like a telephone."""
_SECRET_PRIORITY: Final = 81
_LETTERS: Final = {
    "hani": "", "jpan": "", "thai": "",
    "hang": "\uac00-\ud7a3", "arab": "\u0620-\u06d3", "hebr": "\u05d0-\u05ea", "deva": "\u0900-\u0963",
    "beng": "\u0980-\u09e3\u09f0\u09f1", "taml": "\u0b80-\u0bd7", "telu": "\u0c00-\u0c63",
    "armn": "\u0531-\u0587", "geor": "\u10a0-\u10ff", "cyrl": "\u0400-\u04ff",
}  # fmt: skip
_SIGN: Final = "[ ]{0,2}(?:[:=】」』\\]՝]|-[ ])[ \"'「『]{0,3}"
_LOOSE_SIGN: Final = (
    "[ :=】」』()（\\]#.՝\t-]{0,4}(?:是|为|為|は|는|은|번호는|है|הוא|היא|هو|هي|คือ|No|это|-)?[ :'\"「『]{0,3}"
)
_CLOSING: Final = {"(": ")", "（": "）"}
_LONGEST_ADDRESS: Final = 120
_CODE: Final = r"[A-Za-z]{0,4}[ -]?\d(?:-?[A-Za-z\d]|[ ](?=[A-Za-z]?\d)[A-Za-z\d]){2,24}"
_SHAPES: Final = {
    "PHONE": re.compile(r"[+(]{0,2}\d[\d ()\-/.]{5,22}\d"),
    "SECRET": re.compile(r"[!#-&(-;=?-~]{5,63}[!#-&(-+\-/-9=?-~]"),
    "USERNAME": re.compile(r"@?[A-Za-z\d][A-Za-z\d._-]{1,40}[A-Za-z\d]"),
    "ONE_TIME_CODE": re.compile(r"\d{3,8}(?![\d/-]|\.\d)"),
    "CARD": re.compile(r"\d(?:[ -]?\d){11,18}"),
    "CARD_EXPIRY": re.compile(r"(?:0[1-9]|1[0-2])/(?:20)?\d{2}(?!\d)"),
    "POSTCODE": re.compile(r"\d{3}[ -]\d{3,4}|\d{5,6}(?!\d)"),
    "PASSPORT": re.compile(
        r"[\u0410-\u042f\u0406\u0407\u0404\u0490]{2} ?\d{6}(?!\d)|"
        rf"\d\d ?\d\d,?(?: (?:номер|No|N))? ?\d{{6}}(?!\d)|{_CODE}"
    ),
    "CASE_NUMBER": re.compile(
        r"(?:[A-Za-z\u0400-\u04ff]?\d{1,4}-)?\d{1,9}/\d{2,4}|[A-Z]{1,6}-?\d{4,12}|\d{5,12}(?!\d)"
    ),
    "AGE": re.compile(r"[1-9]\d?(?![\d:/-]|[.,]\d)"),
    "BIC": re.compile(r"[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?(?![A-Z\d])|\d{9}(?!\d)"),
    "BANK_ACCOUNT": re.compile(r"[A-Za-z]{0,4}\d(?:[ -]?\d){4,24}"),
    "NATIONAL_ID": re.compile(r"\d(?:[ -]?\d){6,18}[Xx]?|[A-Z]{1,2}\d{6,9}(?:\(\w\))?"),
    "IN_AADHAAR": re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{4}"),
    "TAX_ID": re.compile(r"[A-Z]{5}\d{4}[A-Z]|\d(?:[ -]?\d){7,14}"),
    "DATE_OF_BIRTH": re.compile(
        r"(?:昭和|平成|令和|大正|民国|民國|พ\.ศ\. ?)?\d{1,4}[./年년 -]{1,2}\d{1,2}[./月월 -]{1,2}\d{1,4}(?:[日일])?"
        r"|\d{1,2} [^\W\d_]{2,12}\.? (?:[^\W\d_]{2,4}\.? )?\d{4}|(?:19|20)\d{6}|\d{6}"
    ),
    "LICENSE_PLATE": re.compile(
        "[\u4e00-\u9fff][A-Z][ ·]?[A-Z\\d]{5,6}|\\d{2,3}[\uac00-\ud7a3] ?\\d{4}"
        "|[\u4e00-\u9fff]{2,4} ?\\d{2,3} ?[\u3041-\u3096] ?\\d{2}-?\\d{2}"
        "|\\d?[ก-ฮ]{2} ?\\d{1,4}|[A-Z]{2} ?\\d{1,2} ?[A-Z]{1,2} ?\\d{4}|[A-Z]{2,3}[ -]?\\d{3,4}"
        "|[A-Z\u0410-\u042f]\\d{3}[A-Z\u0410-\u042f]{2} ?\\d{2,3}"
        "|[A-Z\u0406\u0410-\u042f]{2} ?\\d{4} ?[A-Z\u0406\u0410-\u042f]{2}"
    ),
}
_ANY_CODE: Final = re.compile(_CODE)
_DIGITS: Final = {"PHONE": 7, "SECRET": 0, "USERNAME": 0, "AGE": 1, "BIC": 0}
_SERIES: Final = re.compile(r"(\d\d ?\d\d),? (?:номер|No|N) ?(\d{6})")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_LATIN_NAME: Final = re.compile(r"[A-Z][A-Za-z'’.\-]+(?:,? [A-Z][A-Za-z'’.\-]*){0,3}")
_HAN: Final = "[\u3400-\u9fff々ヶ\u3041-\u3096\u30a1-\u30fa-]"
_HAN_NAME: Final = re.compile(f"{_HAN}{{1,8}}(?:[·•・=]{_HAN}{{1,8}}){{0,3}}(?: {_HAN}{{1,6}})?")
_HANGUL_NAME: Final = re.compile("[\uac00-\ud7a3]{1,5}(?: [\uac00-\ud7a3]{1,4})?")
_WORDS: Final = {
    "arab": re.compile("[\u0620-\u0652\u0670-\u06d3]+(?:[ -][\u0620-\u0652\u0670-\u06d3]+){0,5}"),
    "hebr": re.compile("[\u05d0-\u05ea][\u05d0-\u05ea'\"׳״]*(?:[ -][\u05d0-\u05ea][\u05d0-\u05ea'׳]*){0,4}"),
    "deva": re.compile("[\u0900-\u0963]+\\.?(?: [\u0900-\u0963]+){0,4}"),
    "beng": re.compile("[\u0980-\u09e3\u09f0\u09f1]+\\.?(?: [\u0980-\u09e3\u09f0\u09f1]+){0,4}"),
    "taml": re.compile("[\u0b80-\u0bd7]+\\.?(?: [\u0b80-\u0bd7]+){0,4}"),
    "telu": re.compile("[\u0c00-\u0c63]+\\.?(?: [\u0c00-\u0c63]+){0,4}"),
    "armn": re.compile("[\u0531-\u0587]+(?: [\u0531-\u0587]+){0,3}"),
    "geor": re.compile("[\u10a0-\u10ff]+(?: [\u10a0-\u10ff]+){0,3}"),
}
_BEHIND: Final = re.compile(r"\s*(?:[,.;|/()<>{}\[\]\"'、，\n\t」』】\u0964\u060c\u061b\d]|\Z|\s[A-Za-z\d+])")
_ADDRESS_END: Final = re.compile(r"[\n;|\t<>{}\"]|  |\u061b|\u0964|。|\.(?=[^\d\s]|\s*\Z)")


class _Labels(NamedTuple):
    person: re.Pattern[str]
    address: re.Pattern[str]
    codes: re.Pattern[str]
    kinds: dict[str, str]
    any: re.Pattern[str]
    titles: tuple[str, ...]
    nobody: frozenset[str]


@lru_cache(maxsize=16)
def _labels(script: str) -> _Labels:
    told = cues()[script]
    kinds = {word: kind for kind, words in told.items() if kind.isupper() for word in words}

    def either(words: list[str]) -> str:
        if not words:
            return "(?!)()"
        longest_first = sorted(words, key=lambda word: len(re.escape(word)), reverse=True)
        if not _LETTERS[script]:
            return f"(?<![㐀-鿿](?=[姓名]))({'|'.join(map(re.escape, longest_first))})"
        # What must not stand in front is looked at behind the first letter, or it would be looked at everywhere.
        rests: dict[str, list[str]] = {}
        for word in longest_first:
            rests.setdefault(word[0], []).append(re.escape(word[1:]))
        begun = (f"{re.escape(first)}(?<![{_LETTERS[script]}].)(?:{'|'.join(rest)})" for first, rest in rests.items())
        return f"({'|'.join(begun)})"

    codes = [word for word, kind in kinds.items() if kind not in {"PERSON", "ADDRESS"}]
    close = f"(?![{_LETTERS[script]}])" if _LETTERS[script] and script not in {"hang"} else ""
    titles = told.get("titles", ()) + told.get("respect", ())
    return _Labels(
        re.compile(either(list(told.get("PERSON", ()))) + _SIGN),
        re.compile(either(list(told.get("ADDRESS", ()))) + _SIGN),
        re.compile(either(codes) + close + _LOOSE_SIGN, re.IGNORECASE if script == CYRILLIC else 0),
        kinds,
        re.compile(either(list(kinds)) + _LOOSE_SIGN),
        tuple(sorted(titles, key=len, reverse=True)),
        frozenset(told.get("nobody", ())),
    )


@lru_cache(maxsize=1)
def _all_labels() -> frozenset[str]:
    return frozenset(
        word for told in cues().values() for kind, words in told.items() if kind.isupper() for word in words
    )


def labelled_values(text: str, script: str) -> Iterator[Finding]:
    """Labelled people, addresses and numbers in offsets of ``text``. ``script``: also ``jpan``, for Japanese labels."""
    labels = _labels(script)
    for label in labels.person.finditer(text):
        start = _behind_titles(text, label.end(), labels) if script not in {"hani", "jpan", "hang"} else label.end()
        end = _person_end(text, start, script, labels)
        if end - start >= 2 and text[start:end] not in _all_labels() and text[start:end] not in labels.nobody:
            yield Finding(start, end, "PERSON", 0.9, "script-label", LABELLED_PRIORITY)
    for label in labels.address.finditer(text):
        end = _address_end(text, label.end(), labels)
        if end - label.end() >= 4:
            yield Finding(label.end(), end, "ADDRESS", 0.9, "script-label", LABELLED_PRIORITY)
    for label in labels.codes.finditer(text):
        kind = labels.kinds[label.group(1).lower() if script == CYRILLIC else label.group(1)]
        closing = _CLOSING.get(text[label.end() - 1], "")
        stop = text.find(closing, label.end()) if closing else -1
        value = _SHAPES.get(kind, _ANY_CODE).match(text, label.end(), stop if stop >= 0 else len(text))
        if value is not None and _counts(kind, value.group()):
            priority = _SECRET_PRIORITY if kind == "SECRET" else _CODE_PRIORITY
            # A word between series and number stays.
            series = _SERIES.match(value.group())
            parts = [series.span(1), series.span(2)] if series else [(0, len(value.group()))]
            for first, last in parts:
                yield Finding(label.end() + first, label.end() + last, kind, 0.9, "script-label", priority)


def _counts(kind: str, value: str) -> bool:
    """Whether a value of the right form is one: a password is made up, a number has digits and is no year."""
    if kind == "SECRET":
        return secret_value(value)
    if kind == "USERNAME":
        return any(map(str.isalpha, value)) and login_name(value)
    if kind != "ONE_TIME_CODE" and _YEAR.fullmatch(value) is not None:
        return False
    return sum(map(str.isdigit, value)) >= _DIGITS.get(kind, 3)


def _behind_titles(text: str, start: int, labels: _Labels) -> int:
    """Where a name begins: behind its title, which is no part of it."""
    for title in labels.titles:
        if text.startswith(title, start):
            after = start + len(title)
            if text[after : after + 1] in {" ", "."} or title.endswith("."):
                return after + 1 if text[after : after + 1] in {" ", "."} else after
            if title in {"นาย", "นาง", "นางสาว", "คุณ"}:
                return after
    return start


def _person_end(text: str, start: int, script: str, labels: _Labels) -> int:
    if latin := _LATIN_NAME.match(text, start):
        return latin.end()
    if script in {"hani", "jpan"}:
        return _han_end(text, start, labels, japanese=script == "jpan")
    if script == "thai":
        return name_end(text, start)
    if script == "hang":
        match = _HANGUL_NAME.match(text, start)
        if match is None:
            return start
        end = match.end()
        for title in labels.titles:
            if text.endswith(title, start, end) and end - len(title) - start >= 2:
                end -= len(title)
                break
        end = start + len(text[start:end].rstrip())
        first = text.find(" ", start, end)
        # "김 민수" is one name, "김민수 서울" is not.
        return end if first < 0 or (first - start == 1 and end - first <= 3) else first
    match = _WORDS[script].match(text, start)
    if match is None:
        return start
    end = match.end()
    following = labels.any.search(text, start + 1, min(len(text), end + 24))
    if following is not None and following.start() <= end:
        end = start + len(text[start : following.start()].rstrip(" ,-"))
    elif _BEHIND.match(text, end) is None:
        return start
    return end


def _han_end(text: str, start: int, labels: _Labels, *, japanese: bool) -> int:
    match = _HAN_NAME.match(text, start)
    if match is None:
        return start
    end = match.end()
    following = labels.any.search(text, start + 1, min(len(text), end + 12))
    if following is not None and following.start() <= end:
        end = following.start()
    value = text[start:end].rstrip(" -")
    for title in labels.titles:
        if value.endswith(title) and len(value) - len(title) >= 1:
            value = value[: -len(title)].rstrip()
            break
    first, _, rest = value.partition(" ")
    if rest and not (len(rest) <= 4 and len(first) <= (4 if japanese else 2)):
        value = first
    foreign = any(sign in value for sign in "·•・=")
    kana = japanese and not re.search("[\u4e00-\u9fff]", value)
    longest = 24 if foreign else 14 if kana else 8 if japanese else 5
    # A longer run holds more than a name; what it holds is cut elsewhere.
    return (
        start + len(value)
        if len(value) <= longest and (japanese or foreign or len(value.replace(" ", "")) <= 4)
        else start
    )


def _address_end(text: str, start: int, labels: _Labels) -> int:
    limit = min(len(text), start + _LONGEST_ADDRESS)
    stop = _ADDRESS_END.search(text, start, limit)
    end = stop.start() if stop else limit
    following = labels.any.search(text, start + 2, end)
    while following is not None and following.start() > start and text[following.start() - 1] not in " ,、;(":
        following = labels.any.search(text, following.end(), end)
    if following is not None:
        end = following.start()
    return start + len(text[start:end].rstrip(" ,、;.(-"))
