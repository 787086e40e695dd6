"""Letters of people, some with keys of their own: what a new version of a token key is tried on."""

from __future__ import annotations

from typing import Annotated, Any

import securevec as sv

JANE, PETER, OLGA = "jane.doe@example.com", "peter.miller@example.org", "olga.brandt@example.net"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    body: sv.Embed[str]


Letters = sv.Collection[Letter]


def letter(number: int, writer: str | None, body: str) -> dict[str, Any]:
    return {"id": f"L-{number}", "writer": writer, "body": body}


LETTERS = [
    letter(1, JANE, "the lantern of the first case"),
    letter(2, JANE, "a second lantern " + "with words that fill a page " * 90 + f"and {PETER} at its end"),
    letter(3, PETER, f"a lantern that {JANE} asked about"),
    letter(4, None, "Dear Martin Kessler, your lantern is ready"),
    letter(5, OLGA, "a lantern that was never paid"),
]
