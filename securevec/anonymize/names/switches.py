"""Neighbouring tokens that the model takes for different kinds: which of them the whole stretch is.

Each token gets its tag by itself, so one name may come out as two ("Royal", a place, and "Shakespeare Company"). A step
from one kind to another without anything between is rare in texts; what it costs was fitted to the training parts
(``training/names/switches.py``). Only tokens beside one of another kind are looked at: the best path through such a run
(Viterbi), in which steps to and from no name, and addresses, are free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

_COSTS: Final = {
    ("PERSON", "LOCATION"): 1.98, ("PERSON", "ORG"): 2.18, ("LOCATION", "PERSON"): 1.39, ("LOCATION", "ORG"): 1.84,
    ("ORG", "PERSON"): 1.39, ("ORG", "LOCATION"): 1.89,
}  # fmt: skip
"""From one token's tag to the next one's, in the model's units."""

Steps = list[list[float]]
"""``[to][from]``: what each step adds."""


def table(tags: tuple[str, ...], unit: int) -> Steps:
    """What each step adds, in parts of ``unit``; whole numbers, so sums are exact."""
    return [[-float(round(_COSTS.get((before, tag), 0.0) * unit)) for before in tags] for tag in tags]


def settled(
    scores: npt.NDArray[np.float32],
    places: list[int],
    tags: list[int],
    beside: Callable[[int], bool],
    steps: Steps,
    organization: int,
) -> list[int]:
    """``tags`` of the tokens ``places`` (in order, none ``O``), those beside one of another kind by the best path.

    ``beside``: whether a token and the next are two words with one space between; a comma or a tab lets two kinds
    follow each other. Linear in the text.
    """
    found = tags[:]
    begin = 0
    for end in range(1, len(places) + 1):
        if end < len(places) and places[end] == places[end - 1] + 1 and beside(places[end - 1]):
            continue
        if end - begin > 1 and len({tag for tag in tags[begin:end] if any(steps[tag])}) > 1:
            path = _path(scores[places[begin] : places[begin] + end - begin].tolist(), steps)
            # The last word of an English name says what it is; one that is an organization by itself stays one.
            if tags[end - 1] != organization or path[-1] == organization:
                found[begin:end] = path
        begin = end
    return found


def _path(rows: list[list[float]], steps: Steps) -> list[int]:
    """The tags of the best path through ``rows``; of two that are as good the tag that comes first."""
    reached = rows[0]
    came: list[list[int]] = []
    for row in rows[1:]:
        following: list[float] = []
        origins: list[int] = []
        for tag, step in enumerate(steps):
            best, origin = reached[0] + step[0], 0
            for before in range(1, len(step)):
                if (sum_ := reached[before] + step[before]) > best:
                    best, origin = sum_, before
            following.append(best + row[tag])
            origins.append(origin)
        reached = following
        came.append(origins)
    tag = reached.index(max(reached))
    path = [tag]
    for origins in reversed(came):
        tag = origins[tag]
        path.append(tag)
    return path[::-1]
