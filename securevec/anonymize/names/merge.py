"""Names from both sides: what can be read off the text (titles, greetings, labels, lists), and the trained model.

What a rule finds lifts the model's score of PERSON there, by how sure the rule is; the model then decides with both in
hand. So a known surname in front of "Street" is no person any more, and one behind "Dear" is one whatever the model
thinks. A field that holds a name, and a name behind a title, need no second opinion.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import chain
from typing import Final

from securevec.anonymize.findings import PERSON_PRIORITY, Finding, Recall
from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places
from securevec.anonymize.names.around import lifts, people_by_letters
from securevec.anonymize.names.beside import by_words_beside
from securevec.anonymize.names.bodies_abroad import bodies_abroad, bodies_in_cyrillic
from securevec.anonymize.names.casing import in_speech
from securevec.anonymize.names.context import find_names
from securevec.anonymize.names.declined import declined
from securevec.anonymize.names.edges import tidy
from securevec.anonymize.names.ends import mended
from securevec.anonymize.names.extents import whole
from securevec.anonymize.names.forms import LABELLED_PRIORITY, can_be, labelled
from securevec.anonymize.names.inverted import inverted_names
from securevec.anonymize.names.known_organisations import by_kind, by_list, small_by_list
from securevec.anonymize.names.known_places import by_list as places_by_list
from securevec.anonymize.names.known_places import by_own_name, in_small_letters
from securevec.anonymize.names.lower import SPOKEN
from securevec.anonymize.names.marked import marked
from securevec.anonymize.names.model import Stretch, Tagging
from securevec.anonymize.names.no_names import without
from securevec.anonymize.names.organisations import by_legal_form
from securevec.anonymize.names.readers import by_reading
from securevec.anonymize.names.repeated import repeated
from securevec.anonymize.names.scripts.native_places import with_capitals
from securevec.anonymize.names.titled import behind_callings, behind_small_titles
from securevec.anonymize.names.tongues import Tagger
from securevec.anonymize.names.words import UPPER

_CERTAIN: Final = frozenset({"name-field", "name-title", "name-syllables"})
_CERTAIN_OF_TWO: Final = frozenset({"name-cue", "name-signature"})
_GIVEN_SURNAME: Final = "name-given-surname"
_SURE_PAIR: Final = 0.9
_DOUBT: Final = 0.4
_LIFT: Final = 8.0
"""A rule's score above ``_DOUBT`` counts ``_LIFT`` times in the model's units (natural logarithms of odds)."""
_FULL_NAME: Final = 6.0
"""What a listed given name with a capitalized word behind it counts besides: the model is sure of foreign text."""
_GIVEN: Final = frozenset({"name-given", _GIVEN_SURNAME})
_LONE_NAME: Final = 8.0
"""What a listed given name alone counts besides in a text of another language than English."""
_TITLES_IN_LETTERS: Final = frozenset({"M.", "Me"})
"""Titles in French that are initials or words elsewhere."""
_SMALL_TITLE: Final = 10.0
"""What a title in small letters counts in such a text for the word behind it."""
_BONUS: Final[dict[Recall, float]] = {"balanced": 0.0, "high": 1.5}
_SURE: Final = 2.5
"""The margin from which a doubtful stretch is believed."""
_SURE_PLACE: Final = 1.0
"""The margin from which a place is believed that no list knows."""
_LETTERS_OF_PLACE: Final = 4
"""Of the abbreviation of a place: UK, NYC."""
_NO_KIND: Final = frozenset({"OTHER", "NOBODY"})
_SHORT_VALUE: Final = 24
"""Characters of a colour, a trade or a sum; more may hold a name."""
_NO_NAME: Final = 6.0
_BEHIND_SURE: Final = 6.0
_BEHIND_LABEL: Final = 2.5
"""How much the label of a form counts, in the model's units."""
_BUILT: Final = 6.0
_WORD: Final = re.compile(r"([^\W\d_]+)\.?[ \t]+")
_UNDER_FLAT: Final = re.compile(
    r"\b(?:Apt|Apartment|Suite|apt|suite)\.? ?\d{1,5}[A-Za-z]?,?\n"
    r"[>?|*# ]{0,6}([^\W\d_][^\d\n,:@]{1,40})(?=[\n,])"
)
"""The line under a flat's number in an address: a town."""
_A_WORD: Final = re.compile(r"[^\W\d_]{3}|[^\W\d_]{2}\W")
"""What an address has beside numbers; a code of letters and digits has none."""
_UNIT: Final = re.compile(
    r"[\d.,]+ ?(?:[kcm]?m|[kmc]?g|ha|km[2²]|[Kk]ilom[eè]t(?:ers?|res?|ern)|[Kk]il[oóô]metros?|[Cc]hilometri"
    r"|[Mm]eter[ns]?|[Mm]etres?|[Mm]etros?|[Mm]etri|[Mm]iles?|[Mm]eilen|[Mm]illas|[Ss]eiten|[Pp]ages|[Pp]áginas"
    r"|[Jj]ahren?|[Yy]ears?|años|anos|ans|anni|jaar|[Ee]uros?|[Dd]ollars?|[Pp]rozent|[Pp]ercent|[Kk]ilogramm|[Kk]ilos?"
    r"|[Ll]iter|[Ll]itres?|[Ll]itros)\b"
)
"""A measure, which the model takes for the number of a house now and then."""
_POSTCODE: Final = re.compile(
    r"\d{4,6}|\d{5}-\d{4}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[AC-FHKNPRTV-Y]\d[\dW] ?[\dAC-FHKNPRTV-Y]{4}"
)
_BESIDE: Final = frozenset({" ", ", ", " - ", "-", "\n"})
_PART_BEFORE: Final = re.compile(r"(?:\d[-/.,:]|[€$£¥]\s?)\Z")
_SCORE: Final = re.compile(r"\d{1,3}-\d{1,2}")
"""A result of a match, which is no house unless a street or a place stands right beside it."""
_YEAR: Final = re.compile(r"(?:1[5-9]|20)\d\d")
_YEAR_BEFORE: Final = re.compile(
    r"(?:^|[\s(])(?:in|since|until|till|from|by|year|before|after|around|during|late|early|mid|spring|summer|autumn|fall"
    r"|winter|im jahr|im jahre|seit|bis|ab|en|depuis|desde|hasta|nel|dal|dans|sinds|w|roku|em)[ ]\Z",
    re.IGNORECASE,
)
_PART_BEHIND: Final = re.compile(r"[-/.,:]\d|\s?[€$£%]")
_NAME_WORD: Final = rf"[{UPPER}]\w+(?:['\-]\w+)*"
_OF_SOMEBODY: Final = re.compile(rf".*\b(?:of|for)[ ]({_NAME_WORD})(?:[ ][{UPPER}]\.)?[ ]({_NAME_WORD})")
_TWO_WORDS: Final = re.compile(rf"({_NAME_WORD})[ ]({_NAME_WORD})")
_GIVEN_BEFORE: Final = re.compile(rf"(?<![\w@#/\\'-])({_NAME_WORD})[ ]\Z")
_GIVEN_LONGEST: Final = 24
_TITLE: Final = 7
"""Characters of a title behind a name that a slash gives away, which says nothing of the word behind it."""
_IN_OTHER: Final = "name-in-organization"
"""The rule of a full name in what the model took for an organization or a place."""
_NEAR: Final = 40
"""Characters between a postcode or house number and the street or place it belongs to."""
_ENDS: Final = frozenset([".", ":", ";", ")", '"'])
_TAGS: Final = ("@", "#", "http")
_PLACE_OR_HOUSE: Final = frozenset({"LOCATION", "ORG"})
_PRIORITY: Final = {"PERSON": PERSON_PRIORITY, "ADDRESS": 31, "LOCATION": 26, "ORG": 25}


def find_entities(
    text: str, model: Tagger, *, field_name: str = "", recall: Recall = "balanced", tagging: Tagging | None = None
) -> list[Finding]:
    """People, places, organizations and addresses in offsets of ``text`` (the plain folded view).

    ``tagging``: the model's of this text where it was asked already; it is used up.
    """
    by_rule = find_names(text, field_name=field_name)
    if len(by_rule) == 1 and by_rule[0].rule == "name-field":
        return by_rule
    if marks := list(marked(text)):
        booked = [end for start, end in marks if "/" in text[start:end]]
        by_rule = [finding for finding in by_rule if not any(0 < finding.start - end < _TITLE for end in booked)]
    houses, known, built = list(by_kind(text)), list(by_list(text)), []
    listed_places = [(start, end, -counts) for start, end, counts in known if counts < 0]
    known = [listed for listed in known if listed[2] > 0]
    if houses or known:
        sure = [(start, end) for start, end, counts in known if counts >= _BUILT]
        by_rule = [finding for finding in by_rule if not _in_house(finding, sure) and not _is_house(finding, sure)]
        by_rule = [finding for finding in by_rule if not _in_house(finding, houses)]
        built = sorted({*houses, *sure})
    tagging = tagging or model.tag(text)
    if bonus := _BONUS[recall]:
        tagging.lift(0, len(text), "PERSON", bonus)
    found = [finding for finding in by_rule if recall == "high" or _is_certain(text, finding)]
    lone = [finding for finding in by_rule if finding.rule in _GIVEN and " " not in text[finding.start : finding.end]]
    if tagging.abroad:
        for finding in lone:
            tagging.lift(finding.start, finding.end, "PERSON", _LONE_NAME)
        for start, end in chain(behind_small_titles(text), behind_callings(text)):
            tagging.lift(start, end, "PERSON", _SMALL_TITLE)
    for finding in by_rule:
        tagging.lift(finding.start, finding.end, "PERSON", _lift(finding))
    found += _behind_labels(text, tagging)
    for block in _UNDER_FLAT.finditer(text) if "Apt" in text or "apt." in text or "uite " in text else ():
        tagging.lift(*block.span(1), "LOCATION", _BEHIND_LABEL)
    for start, end in by_legal_form(text):
        tagging.lift(start, end, "ORG", _BEHIND_SURE)
        found.append(Finding(start, end, "ORG", 0.85, "org-legal-form", LABELLED_PRIORITY))
    for start, end, counts in chain(known, small_by_list(text) if text.islower() else ()):
        tagging.lift(start, end, "ORG", counts)
    small = in_small_letters(text) if text.islower() else ()
    abroad = chain(by_own_name(text), declined(text)) if tagging.abroad else ()
    bodies = bodies_abroad(text) if tagging.abroad else () if text.isascii() else bodies_in_cyrillic(text)
    for start, end, counts in bodies:
        tagging.lift(start, end, "ORG", counts)
    native = () if text.isascii() else with_capitals(text)
    for start, end, counts in chain(listed_places, places_by_list(text), abroad, small, native):
        tagging.lift(start, end, "LOCATION", counts)
    for start, end in houses:
        tagging.lift(start, end, "ORG", _BUILT)
    speech = in_speech(text) if text.islower() else ()
    for start, end, tag, counts in chain(by_reading(text), lifts(text), by_words_beside(text), speech):
        if tag == "ORG" or not any(start < house[1] and house[0] < end for house in houses):
            tagging.lift(start, end, tag, counts)
    for start, end in people_by_letters(text):
        found.append(Finding(start, end, "PERSON", 0.8, "name-letters", _PRIORITY["PERSON"]))
    found += [Finding(start, end, "PERSON", 0.8, "name-marked", _PRIORITY["PERSON"]) for start, end in marks]
    found += inverted_names(text)
    supported = [(finding.start, finding.end) for finding in by_rule]
    stretches = tidy(text, tagging.stretches(), abroad=tagging.abroad)
    if recall == "balanced" and stretches:
        stretches = without(text, stretches, supported, abroad=tagging.abroad)
    stretches = whole(text, mended(text, stretches), built, abroad=tagging.abroad)
    anchors = [place for place, stretch in enumerate(stretches) if _is_anchor(text, stretch)]
    for place, stretch in enumerate(stretches):
        if recall == "balanced" and (
            _doubtful(text, stretch, supported)
            or _unknown_place(text, stretch)
            or _alone(text, stretches, place, anchors)
        ):
            continue
        score = round(min(0.99, 0.5 + stretch.margin / 20), 3)
        rule = f"model-{stretch.tag.lower()}"
        start = _behind_title(text, stretch, abroad=tagging.abroad) if stretch.tag == "PERSON" else stretch.start
        if stretch.tag == "PERSON":
            start = _with_given_name(text, start)
        elif (person := _full_name_in(text, stretch)) is not None:
            found.append(Finding(person, stretch.end, "PERSON", score, _IN_OTHER, _PRIORITY["PERSON"]))
        kind = "POSTCODE" if _is_postcode(text, stretches, place) else stretch.tag
        found.append(Finding(start, stretch.end, kind, score, rule, _PRIORITY[stretch.tag]))
    found += [*repeated(text, found)]
    return found


def _in_house(finding: Finding, houses: list[tuple[int, int]]) -> bool:
    """What a phrase took for a name and is the beginning of a house: "referred to Lakeshore Physical Therapy"."""
    return finding.rule == "name-cue" and any(start == finding.start and finding.end <= end for start, end in houses)


def _is_house(finding: Finding, sure: list[tuple[int, int]]) -> bool:
    """A firm of several words that a list has, and that lists of names made somebody of: "joined Arthur Andersen"."""
    return finding.rule == _GIVEN_SURNAME and (finding.start, finding.end) in sure


def _lift(finding: Finding) -> float:
    """How much a rule's finding counts, in the model's units."""
    full = finding.rule == _GIVEN_SURNAME and finding.score >= _SURE_PAIR
    return (finding.score - _DOUBT) * _LIFT + (_FULL_NAME if full or finding.rule == SPOKEN else 0.0)


def _behind_labels(text: str, tagging: Tagging) -> list[Finding]:
    """Values behind labels that have no other use; other labels lift the model's score, and no label is a name."""
    found: list[Finding] = []
    for label, (start, end), entity, sure in labelled(text):
        if text[label[0]].isupper():
            tagging.lift(*label, "O", _NO_NAME)
        if entity == "NOBODY" and end - start <= _SHORT_VALUE:
            tagging.lift(start, end, "O", _BEHIND_LABEL)
        if entity in _NO_KIND or not can_be(entity, text[start:end], text[slice(*label)]):
            continue
        tagging.lift(start, end, entity, _BEHIND_SURE if sure else _BEHIND_LABEL)
        if sure:
            found.append(Finding(start, end, entity, 0.9, f"label-{entity.lower()}", LABELLED_PRIORITY))
    return found


def _with_given_name(text: str, start: int) -> int:
    """Where a name begins whose given name the model took for another's end: "the university of Maria" and "Ortega"."""
    before = _GIVEN_BEFORE.search(text, max(0, start - _GIVEN_LONGEST), start)
    return before.start(1) if before is not None and lookup_key(before.group(1)) in names().given else start


def _full_name_in(text: str, stretch: Stretch) -> int | None:
    """Where a full name begins that ends an organization ("the bank of Kamala Siddiqui") or is the whole place.

    Places and organizations are kept, so a person taken for one would stay in the text.
    """
    match = (_OF_SOMEBODY if stretch.tag == "ORG" else _TWO_WORDS).fullmatch(text, stretch.start, stretch.end)
    if match is None:
        return None
    lists, given, last = names(), lookup_key(match.group(1)) in names().given, match.group(2)
    if stretch.tag == "ORG":
        # A bank in small letters is somebody's; with a capital it may be one that is called so.
        somebodys = lists.is_surname(last) and text[stretch.start].islower()
        known = lookup_key(last) not in lists.organizations if given else somebodys
    else:
        known = given and lists.is_surname(last)
    return match.start(1) if known else None


def _is_certain(text: str, finding: Finding) -> bool:
    """A title or a field, or several words that a phrase introduces or a letter ends with."""
    if finding.rule in _CERTAIN:
        return True
    return finding.rule in _CERTAIN_OF_TWO and " " in text[finding.start : finding.end]


def _behind_title(text: str, stretch: Stretch, *, abroad: bool) -> int:
    """Where the name begins: a title is no part of it, or "Dr Patel" would be somebody else than "Patel"."""
    start = stretch.start
    titles = names().titles
    while (match := _WORD.match(text, start)) and match.end() < stretch.end:
        if lookup_key(match.group(1)) not in titles and not (abroad and match.group().rstrip() in _TITLES_IN_LETTERS):
            break
        start = match.end()
    return start


def _doubtful(text: str, stretch: Stretch, supported: list[tuple[int, int]]) -> bool:
    """A title or a letter alone, a name in small letters that no rule supports, or an address without a number.

    Most such words are words.
    """
    value = text[stretch.start : stretch.end]
    if stretch.tag == "PERSON" and (len(value) == 1 or lookup_key(value) in names().titles):
        return True
    if stretch.tag == "ADDRESS" and (lookup_key(value) in names().stops or _UNIT.match(text, stretch.start)):
        return True
    if stretch.tag in _PLACE_OR_HOUSE and _part_of_word(text, stretch, value):
        return True
    if stretch.margin >= _SURE:
        return False
    if stretch.tag == "ORG" and value.islower() and " " not in value:
        return lookup_key(value) in names().stops or _edited(text)
    if stretch.tag == "PERSON":
        return value.islower() and not any(s < stretch.end and stretch.start < e for s, e in supported)
    return stretch.tag == "ADDRESS" and not any(map(str.isdigit, value))


def _edited(text: str) -> bool:
    """Whether a text is written with care, from a capital to a full stop and without tags: its names have capitals."""
    return text[0].isupper() and text.rstrip()[-1:] in _ENDS and not any(sign in text for sign in _TAGS)


def _part_of_word(text: str, stretch: Stretch, value: str) -> bool:
    """A number, one letter with no dot beside it (``L.A.``), or what follows a hyphen in small letters (``-based``)."""
    before = text[stretch.start - 1 : stretch.start]
    if not any(map(str.isalpha, value)):
        return True
    if len(value) == 1:
        return before != "." and text[stretch.end : stretch.end + 1] != "."
    return before == "-" and value.islower()


def _unknown_place(text: str, stretch: Stretch) -> bool:
    """A place that the model is not sure of and no list knows."""
    if stretch.tag != "LOCATION" or stretch.margin >= _SURE_PLACE:
        return False
    return not _known_place(text[stretch.start : stretch.end])


def _known_place(value: str) -> bool:
    """Whether a list knows a place, or its first or last word as one, or it is an abbreviation."""
    if len(value) <= _LETTERS_OF_PLACE and value.isupper():
        return True
    first, _, rest = value.partition(" ")
    known = places()
    return lookup_key(value) in known or bool(
        rest and (lookup_key(first) in known or lookup_key(rest.rpartition(" ")[2]) in known)
    )


def _is_anchor(text: str, stretch: Stretch) -> bool:
    """Part of an address by its words."""
    if stretch.tag == "LOCATION":
        return True
    return stretch.tag == "ADDRESS" and any(map(str.isalpha, text[stretch.start : stretch.end]))


def _is_postcode(text: str, stretches: list[Stretch], place: int) -> bool:
    """A bare number beside a place: "50667 Köln", "Duluth, Minnesota 55802"."""
    stretch = stretches[place]
    if stretch.tag != "ADDRESS" or not _POSTCODE.fullmatch(text, stretch.start, stretch.end):
        return False
    before, after = stretches[max(0, place - 1)], stretches[min(place + 1, len(stretches) - 1)]
    return (before.tag == "LOCATION" and text[before.end : stretch.start] in _BESIDE) or (
        after.tag == "LOCATION" and text[stretch.end : after.start] == " "
    )


def _alone(text: str, stretches: list[Stretch], place: int, anchors: list[int]) -> bool:
    """A bare number or code taken for an address: part of a date or an amount, or with no street or place near."""
    stretch = stretches[place]
    if stretch.tag != "ADDRESS" or _A_WORD.search(text, stretch.start, stretch.end):
        return False
    if _PART_BEFORE.search(text, max(0, stretch.start - 3), stretch.start) or _PART_BEHIND.match(text, stretch.end):
        return True
    if _YEAR.fullmatch(text, stretch.start, stretch.end) and _YEAR_BEFORE.search(
        text, max(0, stretch.start - 12), stretch.start
    ):
        return True
    if _SCORE.fullmatch(text, stretch.start, stretch.end) and not _beside_place(text, stretches, place):
        return True
    after = bisect_left(anchors, place)
    near = [stretches[anchor] for anchor in anchors[max(0, after - 1) : after + 1]]
    return not any(other.end > stretch.start - _NEAR and other.start < stretch.end + _NEAR for other in near)


def _beside_place(text: str, stretches: list[Stretch], place: int) -> bool:
    """Whether a street or a place is the next word, and a line, a comma or a capital goes on behind the number."""
    stretch = stretches[place]
    for other in stretches[max(0, place - 1) : place + 2]:
        if other is stretch or other.tag not in {"ADDRESS", "LOCATION"}:
            continue
        between = text[min(other.end, stretch.end) : max(other.start, stretch.start)]
        if between in {" ", ", ", "\n"}:
            behind = text[stretch.end : stretch.end + 2].strip()
            return other.start > stretch.start or not behind[:1].islower()
    return False
