"""Teams and firms by what they do: "Surrey beat Kent by nine wickets", "Nortrex shares fell".

A team is called as its town or county is, a new firm as somebody or nothing else. Countries stay countries, as the
guidelines of most sets have it, and a full name stays somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.fold import lookup_key
from securevec.anonymize.lexicon import names, places
from securevec.anonymize.names.around import COUNTRIES
from securevec.anonymize.names.gates import matches_behind
from securevec.anonymize.names.known_organisations import is_known, is_place
from securevec.anonymize.names.words import UPPER
from securevec.anonymize.rules.matching import ANYWHERE, questioning

TEAM_COUNTS: Final = 16.0
FIRM_COUNTS: Final = 4.0
"""How much each counts, in the model's units."""
_CAP: Final = rf"[{UPPER}][\w'’\-]{{0,30}}\w"
_NAME: Final = rf"(?<![\w'’@#.\-])({_CAP}(?: {_CAP}){{0,2}})"
_FAST_CAP: Final = r"[A-Z?][\w'?\-]{0,31}"
_FAST_NAME: Final = rf"{_FAST_CAP}(?: {_FAST_CAP}){{0,2}}"
"""The same as RE2 reads it in a copy with question marks."""
_BEATS: Final = (
    " (?:beat|beats|thrash|thrashed|edge|edged|defeat|defeated|down|downed|rout|routed|crush|crushed|hosts?|hosted"
    "|faces?|faced|bowled out|bowl out|skittled|dismissed|drew with|draw with|lost to|fell to|outplayed|meet"
    "|v|vs|versus) "
)
_BY: Final = re.compile(
    r"[^\n.]{0,40}? (?:by (?:an innings|\w+ (?:runs?|wickets?|goals?|points?|sets))|(?:out )?for \d{2,3}"
    r"|\d{1,3}-\d{1,3}"
    "|(?:on|after) penalties|in (?:overtime|extra time|the (?:final|semi-?final|quarter-?final|cup|league|play-?offs?))"
    r"|on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|at home|away)\b"
)
"""What makes a match of it."""
_PLAYERS: Final = (
    "coach|manager|striker|midfielder|defender|winger|goalkeeper|keeper|quarterback|pitcher|forward|batsman|bowler"
    "|all-rounder|captain"
)
_PLAYED: Final = (
    "(?: (?:have|has|had))? (?:won the toss|declared (?:on|at)|were (?:all out|bowled out|dismissed)"
    r"|(?:is|are|was|were) \d+ for \d+|(?:need|needed|require|chased|made|reached|posted) \d{1,3}"
    r"(?: for \d+| runs| to win)"
    rf"|(?:signed|released|drafted|traded|waived|sacked|fired) (?:{_PLAYERS}))\b"
)
_DOES: Final = (
    r"(?:(?:['’]s)? (?:(?:shares|stock) (?:fell|rose|slid|jumped|dropped|gained|closed|were|was)"
    "|spokes(?:man|woman|person))"
    "| (?:said it (?:(?:would|will|plans to|has agreed to|had agreed to) (?:buy|sell|cut|close|open|acquire"
    "|launch|hire|recall|lay off|invest|merge)|was (?:in talks|buying|selling))|declined to comment"
    "|agreed to (?:buy|acquire|sell its)"
    "|reported (?:a )?(?:net|quarterly|record|(?:first|second|third|fourth)-quarter)"
    "|posted (?:an? )?(?:net|quarterly|pre-?tax|record) (?:loss|profit|income|earnings)"
    r"|employs \d+|invested heavily|has \d[\d,]* employees|filed for (?:bankruptcy|Chapter)|raised [$€£]\d+"
    r"|is headquartered))\b"
)
_MATCH: Final = re.compile(rf"{_NAME}{_BEATS}({_CAP}(?: {_CAP}){{0,2}})")
_ALONE: Final = re.compile(rf"{_NAME}{_PLAYED}")
_FIRM: Final = re.compile(rf"{_NAME}{_DOES}")
TEAMS_MAY_BE: Final = rf"{_BEATS}[A-Z?]|{_PLAYED}"
FIRMS_MAY_BE: Final = _DOES
_TEAMS: Final = questioning(TEAMS_MAY_BE)
"""Most texts are done here."""
_MATCH_GATE: Final = questioning(rf"{_FAST_NAME}{_BEATS}[A-Z?]")
_ALONE_GATE: Final = questioning(rf"{_FAST_NAME}{_PLAYED}")
_FIRM_GATE: Final = questioning(rf"{_FAST_NAME}{_DOES}")


def teams(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of listed places and clubs that play."""
    data = text.encode("ascii", "replace")
    if _TEAMS.Match(ANYWHERE, data, 0, len(data))[0][1] < 0:
        return
    for match in matches_behind(_MATCH_GATE, _MATCH, text):
        if _BY.match(text, match.end()) is None:
            continue
        sides = _team(text, *match.span(1)), _team(text, *match.span(2))
        if None not in sides:
            yield from filter(None, sides)
    for match in matches_behind(_ALONE_GATE, _ALONE, text):
        if (side := _team(text, *match.span(1))) is not None:
            yield side


def firms(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of what has shares, a spokesman or employees."""
    lists = names()
    for match in matches_behind(_FIRM_GATE, _FIRM, text):
        start, end = match.span(1)
        key = lookup_key(text[start:end].partition(" ")[0])
        while key in lists.stops and " " in text[start:end]:
            start = text.index(" ", start) + 1
            key = lookup_key(text[start:end].partition(" ")[0])
        if key not in lists.stops and not lists.lists_given(key) and key not in lists.given_ambiguous:
            yield start, end


def _team(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The longest end of a name that may be a team: a listed town or club, no country and nobody's given name."""
    while True:
        value = text[start:end]
        key = lookup_key(value)
        town = is_place(value) or (key in places() and key not in names().given)
        if key not in COUNTRIES and (town or is_known(value)):
            return start, end
        space = value.find(" ")
        if space < 0:
            return None
        start += space + 1
