"""Letters that name people, in records of three kinds, and what is sealed of them under a pseudonym key."""

from __future__ import annotations

from typing import Annotated, Any

import securevec as sv
from securevec.reading.opening import open_body
from securevec.rekeying import resurrogate
from securevec.types import StoredPoint
from tests.support.attacks import Stage, memory_of

JANE, MAIL = "Jane Miller", "olga.brandt@example.net"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    body: sv.Embed[str]
    note: sv.Seal[str | None] = None


class Whole(sv.Record):
    id: sv.Key[str]
    title: sv.Embed[str]
    body: Annotated[str, sv.marks.Embed(keep="original")]


class Kept(sv.Record):
    id: sv.Key[str]
    title: sv.Embed[str]
    body: Annotated[str, sv.marks.Embed(keep="original")]
    note: sv.Seal[str | None] = None


def renew(stage: Stage) -> resurrogate.Resurrogation:
    return stage.store.renew_surrogates(stage.acme_name)


def key_of(stage: Stage) -> bytes:
    return stage.store.runtime.tenant_keys(stage.acme.id).pseudonym


def points_of(stage: Stage, collection: sv.Collection[Any]) -> list[StoredPoint]:
    found = memory_of(stage).scan(namespace=collection._scope.namespace, where=None, cursor=None, limit=1000)
    ids = [point.id for point in found.points]
    return memory_of(stage).fetch(namespace=collection._scope.namespace, ids=ids, with_vectors=True)


def said(stage: Stage, **collections: sv.Collection[Any]) -> dict[tuple[str, str, int], str]:
    """By collection, record and chunk, what is sealed and embedded of it."""
    keys, found = stage.store.runtime.keys, dict[tuple[str, str, int], str]()
    for name, each in collections.items():
        for point in points_of(stage, each):
            body = open_body(keys, each._scope, point)
            found[name, str(body.record_id), body.chunk] = str((body.text, body.fields))
    return found


ROWS: list[dict[str, Any]] = [
    {
        "id": "L-1",
        "writer": MAIL,
        "body": f"{JANE} has the lantern",
        "note": f"<p>ask {JANE}, <b>Jane</b> <i>Miller</i></p>",
    },
    {"id": "L-2", "writer": None, "body": f"write to {MAIL} about {JANE} " + "and on it goes with Miller " * 60},
    {"id": "L-3", "writer": None, "body": "nobody is here"},
]
