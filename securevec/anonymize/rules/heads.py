"""Codes that only the name beside them tells: ``passport_no``, ``customerId``, ``Kundennummer`` over ``A1234567``.

A field of a record, a key of JSON and the head of a column name a value more surely than words in front of it do, in
languages whose words no rule knows. The names are ``data/code_labels.txt``. A value has to have the form of its kind,
so ``passport: expired`` and ``customer_id: 7`` are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import list_lines, word_set
from securevec.anonymize.rules.checksums import digits_of
from securevec.anonymize.rules.credentials import placeholder, secret_value
from securevec.anonymize.rules.personal import login_name, plate
from securevec.anonymize.rules.validators import moment

_PRIORITY: Final = 64
"""Below a number with a check of its own, above what looks like a telephone."""
_SECRET_PRIORITY: Final = 81
_FALLBACK_PRIORITY: Final = 43
"""For kinds with rules of their own, where the value fails their check: made up, mistyped or cut."""
_FALLBACK: Final = frozenset({"CARD", "IBAN", "PHONE", "BANK_ACCOUNT"})
_LONGEST_NAME: Final = 60
_MOST_WORDS: Final = 7
_CAMEL: Final = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORDS: Final = re.compile(r"[^a-z\d#]+")
_NUMBERS: Final = frozenset(["no", "nr", "num", "number", "numbers", "numero", "nummer", "numer", "n", "#"])
_IDS: Final = frozenset(
    ["id", "ids", "code", "codigo", "codice", "identifier", "identification", "ident", "identifiant", "kennung", "uid"]
)
_BETWEEN: Final = frozenset(["de", "del", "della", "di", "du", "da", "do", "of", "d", "la", "le", "el", "l", "van"])
_NO_IDS: Final = frozenset({"PHONE", "CARD", "BANK_ACCOUNT", "LICENSE_PLATE"})
""""card id" and "phone id" are ids of rows."""
_JOINED: Final = re.compile(r"([a-z]{3,}?)s?(?:number|nummer|numero|no|nr|num|id|ids|code)")

_CODE: Final = re.compile(r"[^\W_](?:[^\W_]|[ \-/._#](?=[^\W_])){1,39}")
_WORD: Final = re.compile(r"(?:^|[ /])[^\W\d_]{4,}(?=[ /]|$)")
_DATE: Final = re.compile(r"\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}(?:[T ,].*)?")
_GOES_ON: Final = re.compile(r"[^\W\dT_]{2}|[:=]\s")
"""What stands behind a date in a line that goes on: ``14.06.1978, Kundennummer: 4821``."""
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "CARD": re.compile(r"\d(?:[ \-.]?\d){11,18}"),
    "IBAN": re.compile(r"[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z\d]){8,36}"),
    "PHONE": re.compile(r"[+(]{0,2}\d[\d ()\-./]{5,24}\d(?: ?(?:x|ext\.?|#) ?\d{1,6})?"),
    "SORT_CODE": re.compile(r"\d{2}[\- ]?\d{2}[\- ]?\d{2}(?:\d{2})?"),
    "DATE_OF_BIRTH": re.compile(
        r"(?i)\d{1,2}\W{0,3}(?:de |of )?[^\W\d_]{3,12}\W{1,3}(?:de )?\d{2,4}"
        r"|[^\W\d_]{3,12}\W{1,2}\d{1,2}\w{0,2},? \d{4}"
        r"|\d{1,2}[./\- ]{1,2}\d{1,2}[./\- ]{1,2}(?:19|20)\d{2}|(?:19|20)\d{6}"
    ),
    "USERNAME": re.compile(r"@?[^\W_][\w.\-+]{1,63}"),
    "ONE_TIME_CODE": re.compile(r"\d{3,8}"),
    "AGE": re.compile(r"(?:[1-9]\d?|1[01]\d)(?: ?(?:years?(?: old)?|yrs?|y/?o|ans|jahre|anos|jaar))?"),
    "CARD_EXPIRY": re.compile(r"(?:0[1-9]|1[0-2]) ?[/\-] ?(?:20)?\d{2}|20\d{2}[/\-](?:0[1-9]|1[0-2])"),
    "VIN": re.compile(r"(?i)[a-hj-npr-z\d]{11,17}"),
    "IMEI": re.compile(r"\d{2}(?:[ \-]?\d){12,15}"),
}
_OWN_NAMES: Final = ("username", "user_name", "password", "user_id", "loginname")
"""What code writes where a user's name belongs: ``username = self.container_username``."""
_SPACE: Final = re.compile(r"\s")
_PASSWORD: Final = re.compile(r"[^\n]{4,128}")


class Label(NamedTuple):
    """What a name says: the entity, and how many digits a value has at least."""

    entity: str
    digits: int


class _Labels(NamedTuple):
    alone: dict[str, Label]
    numbered: dict[str, Label]
    exact: dict[str, Label]


@lru_cache(maxsize=1)
def _labels() -> _Labels:
    known = _Labels({}, {}, {})
    for line in list_lines("code_labels.txt"):
        kind, *labels = line.split(" | ")
        entity, digits = kind.split()
        for label in labels:
            kinds = known.exact if label.startswith("=") else known.numbered if label.endswith(" #") else known.alone
            kinds.setdefault(label.strip("=# "), Label(entity, int(digits)))
    return known


def spoken(name: str) -> str:
    """A name of a field as words: ``driverLicenseNo`` and ``driver_license_no`` are "driver license no"."""
    return " ".join(_CAMEL.sub(" ", name).replace("_", " ").replace("-", " ").split())


@lru_cache(maxsize=4096)
def label_of(name: str) -> Label | None:
    """What the values under a name are, when the list knows it or what it ends with."""
    if not 2 <= len(name) <= _LONGEST_NAME:
        return None
    words = [word for word in _NOT_WORDS.split(lookup_key(spoken(name).replace("'", " "))) if word]
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    known = _labels()
    if (found := known.exact.get(" ".join(words))) is not None:
        return found
    for start in range(len(words)):
        if (found := _of_words(words[start:])) is not None:
            return found
    return None


def _of_words(words: list[str]) -> Label | None:
    known = _labels()
    whole = " ".join(words)
    if (found := known.alone.get(whole)) is not None:
        return found
    for stem, by_id in _stems(words):
        found = known.alone.get(stem) or known.numbered.get(stem)
        if found is not None and not (by_id and found.entity in _NO_IDS):
            return found
    return None


def _stems(words: list[str]) -> Iterator[tuple[str, bool]]:
    """What a name is without its word for number or id, which it has; and whether that was one for id."""
    if len(words) == 1:
        if (joined := _JOINED.fullmatch(words[0])) is not None:
            by_id = words[0].endswith(("id", "ids", "code"))
            yield joined.group(1), by_id
            yield joined.group(1) + "s", by_id
        return
    if words[-1] in _NUMBERS or words[-1] in _IDS:
        yield " ".join(words[:-1]), words[-1] in _IDS
    if words[0] in _NUMBERS or words[0] in _IDS:
        rest = words[1:]
        while len(rest) > 1 and rest[0] in _BETWEEN:
            rest = rest[1:]
        yield " ".join(rest), words[0] in _IDS


def under_code_head(value: str, name: str, *, declared: bool = False) -> list[Finding]:
    """All of a value, where the name says what it is and the value has the form of it.

    ``declared``: the name is that of a declared field, so that a password is whatever stands in it.
    """
    label = label_of(name)
    if label is None:
        return []
    stripped = value.strip(" \t\"'")
    if label.entity == "SECRET" and name.strip().lower() in stripped.lower():
        return []
    if len(stripped) < 2 or len(digits_of(stripped)) < label.digits or not _fits(label.entity, stripped, declared):
        return []
    priority = _PRIORITY
    if label.entity in _FALLBACK:
        priority = _FALLBACK_PRIORITY
    elif label.entity == "SECRET":
        priority = _SECRET_PRIORITY
    start = value.index(stripped)
    rule = f"head-{label.entity.lower().replace('_', '-')}"
    return [Finding(start, start + len(stripped), label.entity, 0.9, rule, priority)]


def _fits(entity: str, value: str, declared: bool) -> bool:
    """Whether a value has the form of its kind. A date is one of birth or nothing."""
    if entity == "SECRET":
        return (secret_value(value) and not (_SPACE.search(value) or value.endswith(":"))) or (
            declared and _PASSWORD.fullmatch(value) is not None and not _blank(value)
        )
    shape = _SHAPES.get(entity, _CODE)
    if shape is _CODE and (_DATE.fullmatch(value) is not None or _WORD.search(value) is not None):
        return False
    if entity == "DATE_OF_BIRTH" and _DATE.fullmatch(value) is not None:
        return _GOES_ON.search(value) is None and moment(value)
    if shape.fullmatch(value) is None:
        return False
    if entity == "USERNAME":
        named = value.lower().endswith(_OWN_NAMES) or value.startswith("self.")
        return any(map(str.isalpha, value)) and login_name(value) and not (named or _blank(value))
    return entity != "LICENSE_PLATE" or plate(value)


def _blank(value: str) -> bool:
    """What stands in a field and is no value."""
    return placeholder(value) or value.split()[0].lower() in word_set("form_blanks.txt") or value[0] in "$<{%"
