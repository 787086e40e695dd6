"""Streets without a number, named houses, towns with regions, firms of families, bodies, places in capitals, names
that are words, what teams and firms do: one look at a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from securevec.anonymize.names import bodies, casing, doing, firms, plain, regions, streets
from securevec.anonymize.rules.matching import ANYWHERE, questioning

_READERS: Final = (
    (streets.streets, "ADDRESS", streets.COUNTS),
    (streets.flats, "ADDRESS", streets.COUNTS),
    (streets.named, "ADDRESS", streets.COUNTS),
    (streets.corners, "ADDRESS", streets.COUNTS),
    (regions.towns, "LOCATION", regions.COUNTS),
    (firms.firms, "ORG", firms.COUNTS),
    (bodies.bodies, "ORG", bodies.COUNTS),
    (casing.capitals, "LOCATION", casing.COUNTS),
    (plain.plain_words, "PERSON", plain.COUNTS),
    (doing.teams, "ORG", doing.TEAM_COUNTS),
    (doing.firms, "ORG", doing.FIRM_COUNTS),
)
_MAY_BE: Final = questioning(
    "|".join(
        (
            streets.MAY_BE,
            streets.FLATS_MAY_BE,
            streets.NAMED_MAY_BE,
            streets.CORNERS_MAY_BE,
            regions.MAY_BE,
            firms.MAY_BE,
            bodies.MAY_BE,
            casing.MAY_BE,
            plain.MAY_BE,
            doing.TEAMS_MAY_BE,
            doing.FIRMS_MAY_BE,
        )
    )
)


def by_reading(text: str) -> Iterator[tuple[int, int, str, float]]:
    """Start, end, tag, and how much it counts in the model's units. Most texts are done with the one look."""
    data = text.encode("ascii", "replace")
    if _MAY_BE.Match(ANYWHERE, data, 0, len(data))[0][1] < 0:
        return
    for reader, tag, counts in _READERS:
        for start, end in reader(text):
            yield start, end, tag, counts
