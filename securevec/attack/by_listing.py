"""Attacks by a caller who pages, exports, restores or writes next to the other tenant, instead of searching."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

import numpy as np

from securevec.attack.callers import MOST, Caller
from securevec.attack.case import SECOND, Attack, Barrier, Scene
from securevec.attack.stage import ACME_MARK, GLOBEX_MARK, RETENTION, text
from securevec.errors import QueryError, SecurevecError
from securevec.filters import F
from securevec.reading.hits import SearchResult
from securevec.schema import Embed, Filter, Key, Record, Seal, marks

NO_BARRIER: Final[frozenset[Barrier]] = frozenset()
ORIGINALS: Final = ("person1@example.com", "person3@example.com", "customer1@example.com", "customer3@example.com")


def foreign_cursors(scene: Scene) -> dict[str, Any]:
    """Places to go on from that are not this collection's, or nobody's."""
    pair = scene.pair
    own = str(pair.globex.page(limit=3).cursor)
    raw = base64.urlsafe_b64decode(own)

    def encoded(changed: bytes) -> str:
        return base64.urlsafe_b64encode(changed).decode()

    return {
        "of another tenant": pair.acme.page(limit=3).cursor,
        "of another collection of the tenant": scene.kept["other"].page(limit=1).cursor,
        "empty": "",
        "text": "T-1",
        "not ASCII": "\u00e9" * 44,
        "a lone surrogate": "\ud800",
        "bytes": own.encode(),
        "a number": 7,
        "cut": own[:-4],
        "longer": own + "AAAA",
        "another version": encoded(b"\x02" + raw[1:]),
        "another place": encoded(raw[:1] + bytes([raw[1] ^ 1]) + raw[2:]),
        "another seal": encoded(raw[:-1] + bytes([raw[-1] ^ 1])),
        "the ordinary alphabet": base64.b64encode(b"\xfb" * 33).decode(),
        "a line break within": own[:20] + "\n" + own[20:],
    }


def with_another_collection(scene: Scene) -> None:
    """A second collection of the attacking tenant, with records of the same ids and one more."""
    other = scene.stage.pair()
    other.globex.ingest([text(number, "elsewhere") for number in (1, 2, 99)])
    scene.kept["other"] = other.globex


def with_cursors(scene: Scene) -> None:
    with_another_collection(scene)
    scene.kept["cursors"] = foreign_cursors(scene)


def cursors(scene: Scene, caller: Caller) -> int:
    """Each must be refused, and say nothing of the record it stands at."""
    told = 0
    for name, cursor in scene.kept["cursors"].items():
        try:
            scene.pair.globex.page(cursor=cursor)
        except QueryError as refused:
            told += scene.through("a cursor in a message", int(bool(cursor) and str(cursor) in str(refused)))
            continue
        told += scene.through(name)
    page = scene.pair.globex.page(limit=1)
    known = page.records[0].id.encode() in base64.urlsafe_b64decode(str(page.cursor))
    return told + scene.through("the record's id", int(known))


def exported(scene: Scene, caller: Caller) -> int:
    """Everything one may take away, in each format: nothing foreign, and no original of what was replaced."""
    told = 0
    for kind in ("jsonl", "csv"):
        stream = io.BytesIO()
        scene.pair.globex.export(stream, format=kind)
        data = stream.getvalue().decode()
        told += scene.through(kind, sum(word in data for word in (ACME_MARK, *ORIGINALS)))
        told += scene.through("an empty export", int(data.count(GLOBEX_MARK) < len(scene.truth)))
    return told


def restored(scene: Scene, caller: Caller) -> int:
    """Places of another tenant's and another collection's result, opened with one's own handle."""
    own, told = scene.pair.globex.search("refund", k=8), 0
    others: Sequence[SearchResult[Any]] = scene.pair.acme.search("refund", k=8), scene.kept["other"].search("x", k=3)
    for foreign in others:
        for place in foreign._places.values():
            try:
                told += scene.through("an original", len(own._restorer([place])))
            except SecurevecError:
                continue
    return told


def elsewhere(scene: Scene, caller: Caller) -> int:
    """Two collections of one tenant share nothing: neither answers with, reads, or deletes what the other holds."""
    other, mine = scene.kept["other"], scene.pair.globex
    told = scene.wrong(caller.search())
    told += scene.through("read by id", int(mine.exists("T-99")))
    told += scene.through("deleted", mine.delete(["T-99"]).deleted)
    told += scene.through("its texts", sum("elsewhere" not in hit.text for hit in other.search("refund", k=100)))
    return told + scene.through("its count", abs(other.count() - 3))


def linkable(scene: Scene, caller: Caller) -> int:
    """One person who is with both tenants stands there under two surrogates, in fields, texts and the store's rows."""
    row = text(60, "both") | {"customer": "same.person@example.com", "body": "ask same.person@example.com"}
    for handle in (scene.pair.acme, scene.pair.globex):
        handle.ingest([row])
    one, other = scene.pair.acme.get("T-60"), scene.pair.globex.get("T-60")
    scene.settle()
    rows = [vandal.row_of("T-60") for vandal in (scene.mine, scene.theirs)]
    return (
        scene.through("a surrogate", int(one.customer == other.customer))
        + scene.through("a surrogate in a text", int(one.body == other.body))
        + scene.through("a point's id", int(rows[0].id == rows[1].id))
    )


def beside_a_foreign_row(scene: Scene, caller: Caller) -> int:
    """A record written with the very vector of another tenant's row: it is this tenant's, and draws nothing near."""
    foreign = scene.theirs.row().vector
    row = text(50, GLOBEX_MARK)
    scene.pair.globex.ingest([row], vectors=np.stack([foreign]), vectors_of="anonymized_text")
    scene.settle()
    # All there is, not the nearest nine: a store that mixes both tenants could answer with mostly foreign ones, and
    # that is refused as a whole, whatever else is broken.
    theirs = scene.pair.acme.search(vector=foreign, k=MOST)
    return scene.wrong(caller.search(near=foreign)) + sum(GLOBEX_MARK in hit.text for hit in theirs)


class Sneaky(Record):
    """Fields named as the format's own payload keys."""

    sv_id: Key[str]
    b: Embed[str]
    v: Seal[str]
    t: Filter[str]
    c: Filter[str]
    x: Filter[int]
    sv: Annotated[str, marks.Filter(mode="token")]


def sneaky(scene: Scene, caller: Caller) -> int:
    """A record class whose fields are named as the format's own keys, holding the other tenant's tags."""
    stage, theirs = scene.stage, scene.theirs.namespace
    handle = stage.globex.collection(Sneaky, name=f"sneaky-{scene.pair.name}", retention=RETENTION)
    row = {"sv_id": "T-1", "b": "refund", "v": "kept", "x": 1, "sv": "2"}
    handle.ingest([{**row, "t": theirs.tenant_tag, "c": theirs.collection_tag}])
    own = handle._scope.namespace
    stored = stage.trap.inner.scan(namespace=own, where=None, cursor=None, limit=10).points
    tagged = [(point.payload["t"], point.payload["c"]) for point in stored] == [(own.tenant_tag, own.collection_tag)]
    found = [hit.record.sv_id for hit in handle.search("refund", where=F("t") == theirs.tenant_tag, k=100)]
    return (
        scene.through("another's tags", int(not tagged))
        + scene.through("what is found by them", int(found != ["T-1"]))
        + scene.wrong(caller.search())
        + sum(hit.id == "T-1" and ACME_MARK not in hit.text for hit in scene.pair.acme.search("refund", k=100))
    )


BY_LISTING: Final[tuple[Attack, ...]] = (
    Attack("foreign-cursor", "go on from another tenant's place in a listing", "7, 23", "ours", cursors, with_cursors,
           alone=NO_BARRIER, judged=NO_BARRIER, changes=True),
    Attack("export", "export a collection, and look for what is not one's own", "7, 23", "unfiltered_scroll", exported,
           alone=SECOND, judged=SECOND),
    Attack("restore-foreign-original", "open another tenant's originals with one's own result", "18", "ours", restored,
           with_another_collection, alone=SECOND, judged=SECOND, changes=True),
    Attack("other-own-collection", "reach one collection of a tenant from another", "15", "copied_row", elsewhere,
           with_another_collection, alone=SECOND, judged=SECOND, changes=True),
    Attack("linkable-surrogates", "find a person again who is with two tenants", "18", "ours", linkable,
           alone=NO_BARRIER, judged=NO_BARRIER, changes=True),
    Attack("write-foreign-vector", "store a record at another tenant's vector", "9, 18", "query_by_vector",
           beside_a_foreign_row, changes=True),
    Attack("reserved-field-names", "declare fields that are named as the store's own", "10; reserved metadata override",
           "retag", sneaky, alone=NO_BARRIER, judged=NO_BARRIER, changes=True),
)  # fmt: skip
