"""Whether a text is written in another language of Europe than English, by its small words.

The names model learned mostly English. Of other text it is sure that a lone name is a word like any other, so what the
lists say has to count for more there. The small words are those that English has not.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.lexicon import word_set

_SMALL: Final = re.compile(r"[^\W\d_]{1,8}")
_FOREIGN: Final = word_set("small_foreign.txt")
_ENGLISH: Final = word_set("small_english.txt")
_FEWEST: Final = 2
_READ: Final = 2000
"""Characters from the beginning that say what a text is written in."""


def is_foreign(lowered: str) -> bool:
    """By more small words that English has not than English ones; by two at least unless there is no English one."""
    words = set(_SMALL.findall(lowered[:_READ]))
    foreign, english = len(words & _FOREIGN), len(words & _ENGLISH)
    return foreign > english and (foreign >= _FEWEST or not english)
