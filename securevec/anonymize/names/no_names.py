"""What looks like a name and is none: nationalities; in notes of clinics drugs, germs and what is called after people.

Asked of what the model found, so a text without findings pays nothing. "Iraqi" is no place, "Foley" and "Babinski" in a
note about a patient are a tube and a reflex; behind a title or a given name both stay somebody's surname.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import barred, names, places, word_set
from securevec.anonymize.names.foreign import is_untaught
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.known_organisations import is_known
from securevec.anonymize.names.model import Stretch
from securevec.anonymize.names.words import opens_sentence
from securevec.anonymize.rules.matching import ANYWHERE, questioning

_NATIONS: Final = "nationalities.txt"
_TECHNICAL: Final = "technical_words.txt"
_CLINIC: Final = "clinical_words.txt"
_CONTRACT: Final = "contract_words.txt"
_SOFTWARE: Final = "software_words.txt"
_TRADES: Final = word_set("trades_english.txt")
_TOOLS: Final = 3
"""Different programs in a text that make it one about them."""
_TOKEN: Final = re.compile(r"[^\W\d_][\w\-]*")
_VERSION: Final = re.compile(r"[^\W\d_][\w+#\-]* (?:\d{1,2}[a-z]?|\d{1,4}\.(?:\d{1,4}|x)(?:\.\d+)?)")
_AGE_AND_SEX: Final = re.compile(r"\d{1,3} ?[MF]")
_LETTERS_OF_NOBODY: Final = frozenset(
    ["NDA", "KPI", "KPIS", "ROI", "EOD", "COB", "RFP", "RFQ", "SOW", "FAQ", "DIY", "CEO", "CFO", "CTO", "COO", "CMO",
     "SVP", "EVP", "PTO", "WFH", "OOO", "ASAP", "FYI", "EBITDA", "EBIT", "GAAP", "YOY", "QOQ", "GI", "CHF", "COPD",
     "CKD", "DVT", "UTI", "GERD", "HTN", "ICU", "OBGYN", "PCP", "HPI", "PMH", "DOB", "MRN", "SSN", "RSVP"]
)  # fmt: skip
"""What offices and clinics write short."""
_ROMAN: Final = re.compile(r"[IVXL]{2,}")
_CONTRACT_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_JOINS: Final = frozenset({"of", "the", "and", "or", "to", "for"})
_LONGEST: Final = 24
_GOVERNMENT: Final = frozenset(["Government", "Governments"])
_NOTE: Final = re.compile(
    r"\b(?:[Pp]t|PT|[HTSFP]x|y/?o|[Yy]ear[ -]old|HPI|PMH|PSH|ROS|BP|HR|SpO2|MRI|CT|CXR|EKG|ECG|EF|ICU|ER|ED|PCP|RN|NP"
    r"|PRN|BID|TID|QID|mg|mcg|mL|IV|PO|s/p|w/|[Pp]atients?|[Dd]iagnos[ei]s|[Pp]rescribed|[Aa]dmitted|[Dd]ischarged?|[Ss]urgery"
    r"|[Ss]ymptoms?|[Cc]linic(?:al)?|[Hh]ospital|[Nn]urs(?:e|ing)|[Ww]ard|[Dd]ose|[Pp]hysician|[Cc]hest|[Nn]egative"
    r"|[Pp]ositive|[Pp]ain)\b"
)
_MAY_BE_NOTE: Final = questioning(_NOTE.pattern)
_LEAST: Final = 2
"""Different words of such notes that make a text one."""
_BEHIND: Final = re.compile(
    r"(?:'s|s')? (?:disease|syndrome|sign|test|catheter|tube|drain|scale|score|staging|lymphoma|sarcoma|palsy|reflex"
    r"|maneuver|manoeuvre|procedure|fundoplication|classification|criteria|echo|ultrasound|draining|in place)\b"
    r"| to gravity| (?:removed|inserted)(?=[.,;)]| (?:by|on|at|without)\b|\Z)|'s (?:since|dx|diagnosed)\b"
)
"""What is called after somebody: words behind a surname that make a thing of it."""
_LEGAL_BEHIND: Final = re.compile(r",? (?:Inc|Ltd|GmbH|AG|Corp|LLC)\b")
_OF_SCIENCE: Final = re.compile(
    r" (?:chains?|theorem|lemma|conjecture|kernels?|transforms?|filters?|distributions?|equations?|inequality"
    r"|algorithms?"
    r"|matrix|matrices|equilibrium|distances?|cipher|process(?:es)?|sampling|simulations?|methods|integrals?|noise|priors?|paradox"
    r"|hypothesis|polynomials?|sequences?|diagrams?|constant|coefficient|syndrome|disease|machines?)\b"
    r"|['’]s (?:disease|syndrome|law|theorem|algorithm|razor|lemma|paradox|principle|equations?|constant|inequality"
    r"|alpha|kappa|tau|rho|exact test|t-test|chi-squared?|criterion|dementia|contracture|palsy|thyroiditis"
    r"|[eo]esophagus|lymphoma|sarcoma|tumou?r)\b"
)
_WRITTEN_IN_MANUALS: Final = questioning(
    r"(?:^|[^A-Za-z0-9_/@#])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?: [a-z]|\.\s)|\b[A-Za-z0-9_]+\(\)|"
    r"(?:^|[^A-Za-z0-9_\-])--[a-z][a-z\-]+"
    r"|[A-Za-z0-9_]+::[A-Za-z0-9_]|`[^`\n ]{1,40}`|\b(?:import|def|class) [a-z][a-z0-9_]"
    r"|[A-Za-z0-9_]+\.(?:py|so|conf|toml|cfg|rst|md)\b"
)
_LATIN_ENDS: Final = "\u0250"
_OPENER: Final = 4.0
"""The margin up to which the model is not believed about such a word."""
_BEFORE: Final = re.compile(r"(?<![\w@#/\\'’\-])([^\W\d_][\w'’\-]*)(\.?) \Z")


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(map(lookup_key, barred(name)))


def without(
    text: str, stretches: list[Stretch], supported: Sequence[tuple[int, int]] = (), *, abroad: bool = False
) -> list[Stretch]:
    """``stretches`` without those that are no names; of a place a nationality in front is cut off.

    ``supported``: where a rule found somebody, which manuals of programs do not take away. ``abroad``: the text is in
    another language of Europe than English.
    """
    kept: list[Stretch] = []
    values = {lookup_key(text[each.start : each.end]) for each in stretches if each.tag != "ADDRESS"}
    clinical = values & _listed(_CLINIC)
    note = bool(clinical) and _is_note(text, len(clinical) - 1)
    software = values & _listed(_SOFTWARE)
    tools: bool | None = None
    manual: bool | None = None
    for stretch in stretches:
        value = text[stretch.start : stretch.end]
        if stretch.tag == "ADDRESS":
            if not _is_version(value):
                kept.append(stretch)
            continue
        if _is_nationality(text, stretch, value) or _is_word(text, stretch, value):
            continue
        if value in _LETTERS_OF_NOBODY or (value == "PA" and text.startswith("-C", stretch.end)):
            continue
        if manual is not False and _is_code(text, stretch, value):
            manual = _is_manual(text) if manual is None else manual
            if manual and not any(start < stretch.end and stretch.start < end for start, end in supported):
                continue
        if stretch.tag == "PERSON" and _is_eponym(text, stretch, value):
            continue
        if (
            stretch.tag == "PERSON"
            and (value[0] > _LATIN_ENDS or (abroad and is_untaught(text)))
            and _opens_unlisted(text, stretch, value)
            and not any(start < stretch.end and stretch.start < end for start, end in supported)
        ):
            continue
        if stretch.tag != "LOCATION" and _is_contracts(text, stretch, value):
            continue
        key = lookup_key(value)
        if note and key in clinical and _is_thing(text, stretch, value):
            continue
        if key in software and not _somebodys(text, stretch):
            if stretch.tag != "LOCATION" and not _is_listed_name(key):
                continue
            tools = _names_tools(text) if tools is None else tools
            if tools:
                continue
        if stretch.tag == "PERSON" and _ROMAN.fullmatch(value) and not _numbered(text, stretch):
            continue
        kept.append(_without_nationality(stretch, value))
    return [stretch for stretch in kept if stretch.start < stretch.end]


def _is_nationality(text: str, stretch: Stretch, value: str) -> bool:
    """A nationality, a language or a faith and nothing else; as a person only where no list knows it as a name."""
    if len(value) > _LONGEST or not value[0].isupper():
        return False
    key = lookup_key(value)
    if key not in _listed(_NATIONS):
        return False
    if stretch.tag != "PERSON":
        return True
    lists = names()
    named = key in lists.given or key in lists.surnames or key in lists.given_ambiguous
    return not named and not _somebodys(text, stretch)


def _is_word(text: str, stretch: Stretch, value: str) -> bool:
    """Whether a name would be a word of programs and licences that no list knows as a name."""
    key = lookup_key(value)
    if key not in _listed(_TECHNICAL) and key not in _TRADES:
        return False
    return not _is_listed_name(key) and not _somebodys(text, stretch)


def _is_code(text: str, stretch: Stretch, value: str) -> bool:
    """Whether a name would be one word that no list has, as in manuals programs and their parts are: "BytesIO"."""
    if not value.isalnum() or len(value) > _LONGEST:
        return False
    if stretch.tag == "ORG":
        known = is_known(value) or _LEGAL_BEHIND.match(text, stretch.end) is not None
    else:
        key = lookup_key(value)
        known = not value.isascii() or _is_listed_name(key) or key in places()
    return not known and not _somebodys(text, stretch)


def _opens_unlisted(text: str, stretch: Stretch, value: str) -> bool:
    """Whether what would be somebody is one word that no list has, at the beginning of a sentence, and goes on small.

    In languages that no weights learned from that is a verb or a noun as a rule: "Tallenna muutokset", "Удалить файл".
    """
    if not value.isalpha() or stretch.margin > _OPENER or not opens_sentence(text, stretch.start):
        return False
    behind = text[stretch.end : stretch.end + 3]
    if value[0] > _LATIN_ENDS:
        # An imperative of Russian has a comma behind it as often as a name that is called.
        behind = behind.lstrip(",")
    if behind[:1] != " " or not behind[1:2].islower():
        return False
    key = lookup_key(value)
    return not _is_listed_name(key) and not names().looks_surname(value) and not _somebodys(text, stretch)


def _is_manual(text: str) -> bool:
    """Whether three different things stand in a text that only manuals of programs write."""
    data = text.encode("ascii", "replace")
    seen: set[bytes] = set()
    position, size = 0, len(data)
    while len(seen) < _TOOLS:
        start, position = _WRITTEN_IN_MANUALS.Match(ANYWHERE, data, position, size)[0]
        if start < 0:
            return False
        seen.add(data[start:position].split()[0])
    return True


def _is_eponym(text: str, stretch: Stretch, value: str) -> bool:
    """Whether a thing of science is called after somebody: "Markov chains", "Monte Carlo methods"."""
    return (
        (" " not in value or value == "Monte Carlo")
        and _OF_SCIENCE.match(text, stretch.end) is not None
        and not _somebodys(text, stretch)
    )


def _is_contracts(text: str, stretch: Stretch, value: str) -> bool:
    """Whether a person or an organization is made of words of contracts alone: "Borrower", "Independent Board"."""
    words = [lookup_key(word) for word in _CONTRACT_WORD.findall(value)]
    known = _listed(_CONTRACT)
    if not words or words[0] not in known or any(word not in known and word not in _JOINS for word in words):
        return False
    return not any(_is_listed_name(word) for word in words) and not _somebodys(text, stretch)


def _is_listed_name(key: str) -> bool:
    lists = names()
    groups = (lists.given, lists.given_ambiguous, lists.surnames, lists.surnames_ambiguous, lists.given_wide)
    return any(key in group for group in groups) or key in lists.surnames_wide


def _without_nationality(stretch: Stretch, value: str) -> Stretch:
    """Of "Kurdish north", "Portuguese league", "Danish Government" nothing is left; "American Airlines" stays whole."""
    first, _, rest = value.partition(" ")
    nobodys = (rest.islower() and not value.islower()) or rest in _GOVERNMENT
    if not rest or not nobodys or lookup_key(first) not in _listed(_NATIONS):
        return stretch
    return Stretch(stretch.end, stretch.end, stretch.tag, stretch.margin)


def _somebodys(text: str, stretch: Stretch) -> bool:
    """Whether a title, a given name or an initial stands in front."""
    before = _BEFORE.search(text, max(0, stretch.start - _LONGEST), stretch.start)
    if before is None:
        return False
    word = before.group(1)
    key = lookup_key(word)
    if not word[0].isupper():
        return False
    return len(word) == 1 or key in names().titles or (key in names().given and not before.group(2))


def _is_thing(text: str, stretch: Stretch, value: str) -> bool:
    """Of a note: whether a listed word is no person there.

    What lists know as a name needs a word behind it that says so: "Wilson was admitted" is a person, "Foley removed" is
    none.
    """
    if _somebodys(text, stretch):
        return False
    key = lookup_key(value)
    named = _is_listed_name(key)
    return not named or _BEHIND.match(text, stretch.end) is not None


def _is_version(value: str) -> bool:
    """A program with its version, or an age with a sex: "Jenkins 1.6", "Oracle 11g", "55 M"."""
    if _VERSION.fullmatch(value) is not None:
        return lookup_key(value.partition(" ")[0]) in _listed(_SOFTWARE) or "." in value
    return _AGE_AND_SEX.fullmatch(value) is not None


def _numbered(text: str, stretch: Stretch) -> bool:
    """Whether a word with a capital stands in front: "Louis XIV" and "Pius XII" are somebody."""
    before = _BEFORE.search(text, max(0, stretch.start - _LONGEST), stretch.start)
    return before is not None and before.group(1)[0].isupper()


def _names_tools(text: str) -> bool:
    """Whether three different programs stand in a text."""
    return len({match.group().lower() for match in _TOKEN.finditer(text)} & _listed(_SOFTWARE)) >= _TOOLS


def _is_note(text: str, others: int) -> bool:
    """Whether a text is a note of a clinic. ``others``: how many more listed words the model took for names in it."""
    if others >= _LEAST:
        return True
    seen: set[str] = set()
    for match in matches_behind(_MAY_BE_NOTE, _NOTE, text):
        seen.add(match.group())
        if len(seen) + others >= _LEAST:
            return True
    return False
