"""A process that erases a person who has a key of their own, and dies in the middle of it (:mod:`crash_child`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import securevec as sv
from securevec.control.store import ControlStore
from securevec.keys.keyring import KeyRing
from securevec.keys.keystore import KeyStore
from tests.support.crash_child import ACTOR, PERSON, nursery, open_home
from tests.support.dying import die_at

CALLS: dict[str, tuple[type, str, int]] = {
    "begin job": (ControlStore, "begin_job", 1),
    "ask holds": (ControlStore, "while_unheld", 1),
    "destroy subjects": (KeyRing, "destroy_subjects", 1),
    "bury keys": (KeyStore, "bury", 1),
    "vacuum keys": (KeyStore, "vacuum", 1),
    "clear pending": (KeyStore, "clear_pending", 1),
    "advance job": (ControlStore, "advance_job", 2),
}
"""Each call of the way from the request to the step after the shred, and how often it is made."""


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str, sv.marks.Subject(shred=True)]
    body: sv.Embed[str]


def letters_of(store: sv.SecureStore, tenant: str, *, create: bool = False) -> sv.Collection[Letter]:
    return store.tenant(tenant, create=create, actor=ACTOR).collection(Letter, retention="180d")


def fill(home: str | Path, key_file: str | Path, tenant: str) -> None:
    with open_home(home, key_file) as store:
        rows = [("L-1", PERSON, "the lift was late"), ("L-2", "C-2042", f"{PERSON} wrote about the lift")]
        letters_of(store, tenant, create=True).ingest(
            [{"id": number, "writer": writer, "body": body} for number, writer, body in rows]
        )


def work(order: dict[str, Any], say: Callable[[str], None]) -> None:
    with open_home(order["home"], order["key_file"]) as store:
        store.runtime.backend()
        point, side, nth = order["trap"]
        die_at(*CALLS[point][:2], side, nth)
        say("begin")
        store.tenant(order["tenant"], actor=ACTOR).erase_subject(PERSON)


if __name__ == "__main__":
    nursery(work)
