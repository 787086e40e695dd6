"""Values behind the labels of a form: ``City: Leeds``, ``Apellidos: Ruiz Gil``, ``"company": "Northway"``.

A label says what follows more surely than any sentence does, in languages whose sentences nobody taught the model.
Labels are ``data/form_labels.txt``. A label of several uses (``State: open``) only counts for its kind; the model
decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from securevec.anonymize.findings import Finding
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import list_lines, names, places, word_set
from securevec.anonymize.names.cues import last_word
from securevec.anonymize.names.ends import is_street
from securevec.anonymize.rules.tables import inserted

LONGEST_VALUE: Final = 80
LABELLED_PRIORITY: Final = 32
_LONGEST_LABEL: Final = 36
_MOST_WORDS: Final = 7
_SIGN: Final = re.compile(r"[:=]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BREAK: Final = re.compile(r"[\n|;\t,(\[{<>]|\s{2}|(?<=\s)[-*•–]\s")
_QUOTES: Final = " \"'*`_#>-"
_ENDS: Final = re.compile(r"[\n|;\t\[{<>]|  |\\n|(?<=\w)[\"'](?!\w)")
_VALUE: Final = {
    "PERSON": re.compile(r"[^\W\d_][^\d_@<>:!?/\\()\[\]{}=+*#\"]*"),
    "LOCATION": re.compile(r"[^\W\d_][^\d_@<>:!?\\\[\]{}=+*#\"]*"),
    "ORG": re.compile(r"[^\W_][^_@<>:!?\\\[\]{}=+*#\"]*"),
    "ADDRESS": re.compile(r"[^\W_][^_@<>!?\\\[\]{}=+*\"]*"),
}
_BEHIND_STREET: Final = re.compile(r",? (?:\d{4,5}(?: [A-Z]{2})?|\d{2}-\d{3}|\d{3} \d{2}|\d{4}-\d{3}),? [^\W\d_]{2}")
_CLAUSE: Final = re.compile(r", (?=[a-z]{3})(?!van |von |del |der )")
"""Where what is said about somebody begins behind the name: "Holder: Ada Okoro, branch Enugu"."""
_STATE: Final = re.compile(
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_CODE: Final = re.compile(r"[a-z]\.[a-z]|\b(?:self|None|True|False|null|str|int|bool|string|request|args)\b|\($")
_STREETS: Final = frozenset(
    ["street", "street name", "street_name", "streetname", "street address", "street_address", "address line 1",
     "address line 2", "address1", "address2", "addr1", "address_line_1", "address_line_2", "straße", "strasse", "rue",
     "calle", "straat", "straatnaam", "rua", "ulica", "gata"]
)  # fmt: skip
"""Labels of a street and of nothing else."""
_NOTHING: Final = word_set("form_blanks.txt")


class Labelled(NamedTuple):
    """A label and its value in a text: their ranges, and what the value is. ``sure``: the label has no other use."""

    label: tuple[int, int]
    value: tuple[int, int]
    entity: str
    sure: bool


@lru_cache(maxsize=1)
def _labels() -> dict[str, tuple[str, bool]]:
    known: dict[str, tuple[str, bool]] = {}
    for line in list_lines("form_labels.txt"):
        kind, *labels = line.split(" | ")
        for label in labels:
            known.setdefault(label, (kind.rstrip("?"), not kind.endswith("?")))
    return known


@lru_cache(maxsize=1)
def _last_words() -> frozenset[str]:
    """The letters that a label of the list ends with, behind its last space or sign."""
    return frozenset(lookup_key(_LETTERS.findall(label)[-1]) for label in _labels())


@lru_cache(maxsize=1)
def _tails() -> frozenset[str]:
    """The last two letters of labels. Most colons are done with them."""
    return frozenset(word[-2:] for word in _last_words())


@lru_cache(maxsize=4096)
def _ends_a_label(word: str) -> bool:
    """Whether a label may end with these letters."""
    return lookup_key(word) in _last_words() or lookup_key(_CAMEL.split(word)[-1]) in _last_words()


@lru_cache(maxsize=4096)
def kind_of(label: str) -> tuple[str, bool] | None:
    """What a value under ``label`` (``billing_city``, ``Nachname``) is, and whether the label has no other use."""
    plain = lookup_key(" ".join(_CAMEL.sub(" ", label).replace("_", " ").replace("-", " ").split()))
    known = _labels()
    found = known.get(plain) or known.get(lookup_key(label.strip().lower()))
    if found is None and 2 <= len(words := plain.split()) <= 4:
        # "Billing city" is a city; a "city code" is none. A name of two words is in the list or nobody's.
        found = known.get(words[-1])
        if found is not None and (found[0] not in {"LOCATION", "ADDRESS"} or not found[1]):
            found = None
    return found


def labelled(text: str) -> Iterator[Labelled]:
    """Every label of the list with a value behind it. Linear in the text."""
    for column, cell in inserted(text):
        if (kind := kind_of(cell.head)) is not None:
            yield Labelled(column, (cell.start, cell.end), *kind)
    tails = _tails()
    for sign in _SIGN.finditer(text):
        at = sign.start()
        tail = text[max(0, at - 5) : at].rstrip(_QUOTES)[-2:]
        if tail.lower() not in tails and tail.isascii():
            continue
        low = max(0, at - _LONGEST_LABEL)
        if not _ends_a_label(last_word(text[low:at])):
            continue
        before = text[low:at]
        breaks = [match.end() for match in _BREAK.finditer(before)]
        if not breaks and low:
            continue
        begin = low + (breaks[-1] if breaks else 0)
        label = text[begin:at]
        stripped = label.strip(_QUOTES)
        if len(stripped) < 2 or (kind := kind_of(stripped)) is None:
            continue
        begin += label.index(stripped)
        start, end = _value(text, sign.end())
        if kind[0] == "ADDRESS" and (town := _BEHIND_STREET.search(text, start, end)) is not None:
            end = town.start()
        if kind[0] == "PERSON" and (clause := _CLAUSE.search(text, start, end)) is not None:
            end = clause.start()
        yield Labelled((begin, begin + len(stripped)), (start, end), *kind)


def _value(text: str, start: int) -> tuple[int, int]:
    """The range of what stands behind a label, without quotes; empty where nothing does."""
    limit = min(len(text), start + LONGEST_VALUE + 4)
    while start < limit and text[start] in " \"'*`":
        start += 1
    found = _ENDS.search(text, start, limit)
    end = found.start() if found else limit
    following = text.find(":", start, end)
    if following >= 0:
        # Another label in the same line: "City: Leeds, Postcode: ..."
        end = max(start, *(text.rfind(sign, start, following) for sign in ",.|"), start)
    while end > start and text[end - 1] in " ,.;\"'*`":
        end -= 1
    return start, end


def can_be(entity: str, value: str, label: str = "") -> bool:
    """Whether a labelled value has the form of its kind, and says something.

    Behind a ``label`` for a street alone capitals are one without a number: "Street: Hoppe Viaduct".
    """
    if len(value) < 2 or len(value) > LONGEST_VALUE or _VALUE[entity].fullmatch(value) is None or _CODE.search(value):
        return False
    words = value.replace(",", " ").split()
    if len(words) > _MOST_WORDS or words[0].lower() in _NOTHING:
        return False
    if entity == "ADDRESS":
        capitals = len(words) > 1 and all(word[0].isupper() for word in words) and label.lower() in _STREETS
        return capitals or any(map(str.isdigit, value)) or is_street(value.partition(",")[0])
    stops = names().stops
    return not all(lookup_key(word.strip(".,'")) in stops for word in words)


def under_head(cell: str, head: str) -> list[Finding]:
    """The whole cell of a table, where the head of its column says what it is and nothing else."""
    kind = kind_of(head)
    value = cell.strip(" \"'")
    if kind is None or kind[0] in {"OTHER", "NOBODY"}:
        return []
    # A state in a column "State" may be "open" too.
    place = kind == ("LOCATION", False) and (lookup_key(value) in places() or _STATE.fullmatch(value) is not None)
    if not (kind[1] and can_be(kind[0], value, head)) and not place:
        return []
    start = cell.index(value)
    return [Finding(start, start + len(value), kind[0], 0.9, f"label-{kind[0].lower()}", LABELLED_PRIORITY)]
