"""What a set of rules looks for in place of a whole pattern: the piece of it that begins with the rule's word.

``[a-z]{1,20}://...@`` may have begun at any letter of any text, and to a set that reads many patterns at once every
place where it may be multiplies the states of all others. What stands behind it is as telling: who finds ``://...@``
tries the rule, which looks for the whole. A set says which rules are tried, so a rule that is tried for nothing costs
some microseconds; none is tried too seldom, since every match of a sequence holds a match of its end.
"""

from __future__ import annotations

import operator
from typing import Any, Final

from securevec.anonymize.rules.shape import value_of, words_in
from securevec.anonymize.rules.spelled import spelled_items

Item = tuple[Any, Any]
"""A part of a parsed pattern: what it is, and of what."""

_RUN: Final = 8
"""A repeat that goes on for so long is at one of its places in much of a text."""
_ENOUGH: Final = 3
"""Parts of a pattern without the run in front of it."""
_SHORTEST: Final = 3
_MOST: Final = 16
"""Words shorter than this, or more of them, are in too many texts to begin with."""


def gist(regex: bytes) -> bytes:
    """``regex`` (RE2 syntax over an alphabet), or a pattern that occurs wherever it does and perhaps elsewhere."""
    try:
        parsed, flags = value_of(regex.decode("latin-1"))
        items = list(parsed)
        begin = _word(items)
        if any(map(_runs, items[:begin])):
            return spelled_items(items[begin:], flags)
        behind = _behind_lead(items)
        return regex if behind is items else spelled_items(behind, flags)
    except (ValueError, KeyError, RecursionError):
        return regex


def _word(items: list[Item]) -> int:
    """Where the last piece begins that still needs the words which the whole sequence needs; 0 where it needs none."""
    words = words_in(items)
    if not words or len(words) > _MOST or min(map(len, words)) < _SHORTEST:
        return 0
    return max(at for at in range(len(items)) if words_in(items[at:]) == words)


def _behind_lead(items: list[Item]) -> list[Item]:
    """The items without the long run of one kind that they begin with, where a sign of its own follows it and more;
    of a choice each branch so, and what follows the choice."""
    begin = next((at for at, item in enumerate(items) if str(item[0]) != "AT"), len(items))
    lead, rest = items[begin : begin + 1], items[begin + 1 :]
    if not lead:
        return items
    op, args = str(lead[0][0]), lead[0][1]
    if op == "SUBPATTERN":
        inside = list(args[3])
        behind = _behind_lead(inside)
        return items if behind is inside else [(op, (*args[:3], behind)), *rest]
    if op == "BRANCH":
        branches = [list(branch) for branch in args[1]]
        cut = [_behind_lead(branch) for branch in branches]
        return items if all(map(operator.is_, cut, branches)) else [(op, (args[0], cut)), *rest]
    long = op in {"MAX_REPEAT", "MIN_REPEAT"} and int(args[1]) >= _RUN
    return rest if long and len(rest) >= _ENOUGH and _signed(rest[0]) else items


def _signed(item: Item) -> bool:
    """Whether an item begins with one sign and no other."""
    op, args = str(item[0]), item[1]
    if op in {"MAX_REPEAT", "MIN_REPEAT"}:
        return int(args[0]) > 0 and _signed(args[2][0])
    return op == "LITERAL" or (op == "SUBPATTERN" and len(args[3]) > 0 and _signed(args[3][0]))


def _runs(item: Item) -> bool:
    """Whether an item of a pattern holds a long repeat."""
    op, args = str(item[0]), item[1]
    if op == "BRANCH":
        return any(_runs(each) for branch in args[1] for each in branch)
    if op == "SUBPATTERN":
        return any(map(_runs, args[3]))
    return op in {"MAX_REPEAT", "MIN_REPEAT"} and (int(args[1]) >= _RUN or any(map(_runs, args[2])))
