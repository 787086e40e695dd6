"""Attacks by a caller: somebody with a handle of one tenant, and arguments of their choice. Numbers are those of the
list of bypass paths in docs/attacks-on-isolation.md."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

from securevec.attack.callers import Caller, Product, seen_of
from securevec.attack.case import FIRST, SECOND, Attack, NoWayIn, Scene, search_all
from securevec.attack.stage import ACME_MARK, GLOBEX_MARK, Ticket, text
from securevec.errors import CollectionNotFound, LimitExceeded, RecordError, SecurevecError
from securevec.filters import F

FOREIGN: Final = "T-77"
"""A record that only the other tenant holds."""
SAME_SCORE: Final = 1e-5
"""Two scores less than this apart are one, computed twice."""


def with_foreign_record(scene: Scene) -> None:
    scene.pair.acme.ingest([text(77, ACME_MARK)])
    scene.settle()


def read_by_id(scene: Scene, caller: Caller) -> int:
    return len(caller.read([FOREIGN]))


def near_a_foreign_row(scene: Scene, caller: Caller) -> int:
    return scene.wrong(caller.search(near=scene.theirs.row().vector))


def with_a_foreign_text(scene: Scene, caller: Caller) -> int:
    """Another tenant's text, word for word: nothing here is as near to it as it is to itself."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search(near=scene.theirs.row().vector))
    hits = caller.handle.search(scene.pair.acme.get("T-3").body, k=100)
    return scene.wrong([seen_of(hit) for hit in hits]) + sum(hit.score > 0.999 for hit in hits)


def delete_by_id(scene: Scene, caller: Caller) -> int:
    before = len(scene.theirs.rows())
    caller.remove([FOREIGN])
    return before - len(scene.theirs.rows())


def delete_nothing(scene: Scene, caller: Caller) -> int:
    before = len(scene.theirs.rows()) + len(scene.mine.rows())
    with contextlib.suppress(SecurevecError):
        caller.remove([])
    return before - len(scene.theirs.rows()) - len(scene.mine.rows())


def overwrite_by_id(scene: Scene, caller: Caller) -> int:
    """What the owner reads afterwards must be what it stored."""
    before = {row.id: row.payload for row in scene.theirs.rows()}
    for number in (77, 1):  # one that only the other tenant holds, and one that both do
        caller.overwrite(text(number, GLOBEX_MARK))
    after = {row.id: row.payload for row in scene.theirs.rows()}
    return sum(after.get(point) != payload for point, payload in before.items())


def list_everything(scene: Scene, caller: Caller) -> int:
    return scene.wrong(caller.listing())


def count_everything(scene: Scene, caller: Caller) -> int:
    return abs(caller.count() - len(scene.truth))


def argument(*names: str) -> Callable[[Scene, Caller], int]:
    """An argument of the vendor's: each must be unknown here."""

    def attempt(scene: Scene, caller: Caller) -> int:
        taken = 0
        for name in names:
            try:
                caller.with_argument(name, {"collection": "another", "filter": None})
            except TypeError:
                continue
            except SecurevecError:
                continue  # an argument of ours by the same name, which takes no such value
            taken += 1
        if not taken:
            raise NoWayIn("there is no such argument")
        return taken

    return attempt


def reserved_columns(scene: Scene) -> None:
    """A row that carries the payload keys of the format, the other tenant's tags in them."""
    other = scene.theirs.namespace
    scene.pair.globex.ingest(
        [
            text(70, GLOBEX_MARK)
            | {"t": other.tenant_tag, "c": other.collection_tag, "tenant": "acme", "tenant_id": scene.stage.acme.id}
            | {"sv": 2, "b": "e30=", "v": "e30=", "x": 1, "f_status": "elsewhere", "acl": ["everybody"]}
            | {"namespace": other.shard, "collection": "tickets", "vector": [1.0]}
        ]
    )
    scene.settle()


def moved_by_a_column(scene: Scene, caller: Caller) -> int:
    row, own = scene.mine.row_of("T-70"), scene.mine.namespace
    stamped = row.payload["t"] == own.tenant_tag and row.payload["c"] == own.collection_tag
    kept = set(row.payload) == {"t", "c", "b", "v", "x", "f_status", "f_opened"} and row.payload["f_status"] == "closed"
    foreign = scene.pair.acme.count() - len(scene.theirs.rows())
    return int(not stamped) + int(not kept) + abs(foreign) + scene.wrong(caller.search())


def list_as_a_value(scene: Scene, caller: Caller) -> int:
    """Several tenants in one array: a field that is declared as one value takes no list."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search())
    report = caller.handle.ingest([text(71, GLOBEX_MARK, status=["open", scene.theirs.namespace.tenant_tag])])
    return report.new + scene.wrong(caller.search())


def unbounded(scene: Scene, caller: Caller) -> int:
    if not isinstance(caller, Product):
        return 0
    try:
        return len(caller.handle.search("refund", k=1_000_000))
    except LimitExceeded:
        return 0


def batch(scene: Scene, caller: Caller) -> int:
    if not isinstance(caller, Product):
        return scene.wrong(caller.search())
    found = caller.handle.search_batch([f"refund {ACME_MARK}", "case", f"{ACME_MARK} case 3"], k=100)
    return sum(ACME_MARK in hit.text for hits in found for hit in hits)


def grouped(scene: Scene, caller: Caller) -> int:
    if not isinstance(caller, Product):
        return scene.wrong(caller.search())
    return sum(ACME_MARK in hit.text for hit in caller.handle.search(f"refund {ACME_MARK}", k=100, group_by="record"))


def like_a_foreign_record(scene: Scene, caller: Caller) -> int:
    """A point of the other tenant in place of a vector: its distance to one's own rows would be told."""
    if not isinstance(caller, Product):
        return scene.wrong(caller.search(near=scene.theirs.row_of(FOREIGN).vector))
    told = 0
    for reference in (FOREIGN, str(scene.theirs.row_of(FOREIGN).id)):
        try:
            told += len(caller.handle.search(like=reference, k=3))
        except SecurevecError:
            continue
    return told


def by_the_stores_name(scene: Scene, caller: Caller) -> int:
    """The other tenant's collection by what the store calls it: an alias or a path."""
    other, found = scene.theirs.namespace, 0
    for name in (other.shard, other.collection_tag, f"{other.tenant_tag}/{other.collection_tag}", scene.pair.acme.id):
        try:
            scene.stage.globex.existing_collection(name)
        except (CollectionNotFound, RecordError):
            continue
        found += 1
    return found


def names_in_the_store(scene: Scene, caller: Caller) -> int:
    """What a listing of the store's collections tells: opaque names, none of them a tenant's or a collection's."""
    names = list(scene.stage.trap.inner.namespaces())
    other = scene.theirs.namespace
    known = scene.pair.name, "acme", "globex", scene.stage.acme.id
    told = sum(word in name for name in names for word in known)
    return told + sum(part in scene.pair.name for part in (other.shard, other.tenant_tag))


def vectors_out(scene: Scene, caller: Caller) -> int:
    """Vectors can be turned back into text, so no answer carries one."""
    if not isinstance(caller, Product):
        raise NoWayIn("a vector is given for an answer by no reader")
    hits = caller.handle.search("refund", k=3)
    return sum("vector" in name for hit in hits for name in dir(hit) if not name.startswith("_"))


VENDORS: Final = ("qdrant_client", "qdrant_edge", "chromadb", "securevec_qdrant", "securevec_chroma")


def vendor_object(scene: Scene, caller: Caller) -> int:
    """A public attribute that leads to the vendor's client, from a handle or an answer."""
    roots: list[object] = [scene.pair.globex, scene.stage.globex, scene.pair.globex.search("refund", k=1)]
    found = 0
    for root in roots:
        for name in dir(root):
            if not name.startswith("_") and name not in ("schema",):
                value: object = getattr(root, name)
                found += type(value).__module__.partition(".")[0] in VENDORS
    if not found:
        raise NoWayIn("no public attribute leads to the vendor's client")
    return found


def scores(scene: Scene, caller: Caller) -> int:
    """Whether what another tenant stores changes this one's scores: statistics that are shared tell its words."""
    if not isinstance(caller, Product):
        return 0
    handle, asked = caller.handle, f"{ACME_MARK} ledger"

    def told() -> dict[str, float]:
        return {str(hit.id): hit.score for hit in handle.search(asked, k=100)}

    before = told()
    scene.pair.acme.ingest([text(number, f"{ACME_MARK} ledger ledger") for number in range(80, 84)])
    after = told()
    # Not their order: rows that score the same come as the store likes, and one in twenty collections has such rows.
    moved = [each for each in before.keys() & after.keys() if abs(before[each] - after[each]) > SAME_SCORE]
    return len(moved) + len(before.keys() ^ after.keys())


def same_question_in_turn(scene: Scene, caller: Caller) -> int:
    """Both tenants ask the same, in turn: an answer that was kept for one must not be given to the other."""
    wrong = 0
    for _ in range(3):
        scene.pair.acme.search("refund case", k=100)
        scene.pair.acme.get("T-1")
        wrong += scene.wrong(caller.search()) + scene.wrong(caller.read(["T-1"]) if isinstance(caller, Product) else [])
    return wrong


def forget_notes(scene: Scene) -> None:
    """A record with a note, stored again without one."""
    scene.pair.globex.ingest([text(72, GLOBEX_MARK, notes="old note")])
    scene.kept["row"] = scene.mine.row_of("T-72")
    scene.pair.globex.ingest([text(72, GLOBEX_MARK) | {"status": "open"}])
    scene.settle()


def merged(scene: Scene, caller: Caller) -> int:
    before = scene.kept["row"]
    now = [row for row in scene.mine.rows() if row.id == before.id]
    record: Ticket = scene.pair.globex.get("T-72")
    return len(now) + int(record.notes is not None) + scene.wrong(caller.search())


def shrink(scene: Scene) -> None:
    """A record whose filter values change: the old ones must not find it."""
    scene.pair.globex.ingest([text(73, GLOBEX_MARK, status="urgent")])
    scene.pair.globex.update("T-73", status="done")
    scene.settle()


def ghosts(scene: Scene, caller: Caller) -> int:
    found: list[Any] = list(caller.search(F("status") == "urgent"))
    return len(found)


BY_CALLERS: Final[tuple[Attack, ...]] = (
    Attack("read-by-id", "read a record of another tenant by its id", "1, 24; foreign id read", "read_by_id",
           read_by_id, with_foreign_record),
    Attack("query-by-foreign-id", "search near a point of another tenant, named by id", "2", "query_by_id",
           like_a_foreign_record, with_foreign_record),
    Attack("query-by-foreign-vector", "search with a vector that is another tenant's row", "18", "query_by_vector",
           near_a_foreign_row),
    Attack("query-by-foreign-text", "search with another tenant's text, word for word", "18", "query_by_vector",
           with_a_foreign_text),
    Attack("lookup-from", "take the vector from another collection", "3", "lookup_from",
           argument("lookup_from", "using", "query")),
    Attack("group-lookup", "group the answer and look payloads up elsewhere", "4", "group_lookup", grouped),
    Attack("group-lookup-argument", "name the collection to look payloads up in", "4", "group_lookup",
           argument("with_lookup")),
    Attack("prefetch-leaf", "a prefetch whose leaf lacks the filter", "5", "prefetch_leaf",
           argument("prefetch", "query_filter", "filter")),
    Attack("batch-element", "one question of a batch without the filter", "6", "batch_element", batch),
    Attack("unfiltered-query", "search with no filter", "7; query with no filter", "unfiltered_query", search_all),
    Attack("unfiltered-scroll", "list everything", "7, 23", "unfiltered_scroll", list_everything),
    Attack("unfiltered-count", "count everything", "7, 23", "unfiltered_count", count_everything, alone=FIRST,
           judged=FIRST),
    Attack("facet", "ask for the values of the tenant field", "7", "facet", argument("facet", "key", "order_by")),
    Attack("delete-by-id", "delete a point of another tenant", "8, 24; foreign id delete", "delete_by_id",
           delete_by_id, with_foreign_record, changes=True),
    Attack("empty-id-list", "delete an empty list of ids", "8", "empty_selector", delete_nothing, changes=True),
    Attack("overwrite-by-id", "store a record under an id that another tenant holds", "9, 24; foreign id overwrite",
           "overwrite_by_id", overwrite_by_id, with_foreign_record, changes=True),
    Attack("reserved-key", "carry the store's own tenant field as a column", "10; reserved metadata override", "retag",
           moved_by_a_column, reserved_columns, changes=True),
    Attack("array-tenant", "several tenants in one array", "12", "array_tenant", list_as_a_value),
    Attack("snapshot", "a snapshot of the collection holds every tenant", "14", "snapshot",
           argument("snapshot", "snapshot_location")),
    Attack("alias", "another tenant's collection by the store's name for it", "15", "alias", by_the_stores_name),
    Attack("collection-listing", "list the store's collections", "16, 25", "listing", names_in_the_store),
    Attack("shard-key", "choose the shard, or none and reach all", "17", "shard_key",
           argument("shard_key_selector", "shard_key")),
    Attack("vectors-out", "ask for vectors", "18", "vectors_out", vectors_out, judged=SECOND, alone=SECOND),
    Attack("shared-statistics", "learn another tenant's words from one's own scores", "19", "shared_statistics", scores,
           changes=True),
    Attack("unbounded-limit", "ask for a million hits", "20", "unbounded", unbounded),
    Attack("raw-client", "reach the vendor's client from a handle", "21", "raw_client", vendor_object,
           alone=frozenset(), judged=frozenset()),
    Attack("database-switch", "ask in the name of another tenant or database", "25", "database_switch",
           argument("tenant", "database", "collection", "namespace")),
    Attack("cache-bleed", "the same question by two tenants in turn", "cache", "cache", same_question_in_turn),
    Attack("upsert-merge", "store a record again without a field", "27", "upsert_merge", merged, forget_notes,
           alone=SECOND, judged=SECOND, changes=True),
    Attack("list-metadata-ghosts", "find a record by a value it no longer has", "27; lists", "list_ghosts", ghosts,
           shrink, changes=True),
)  # fmt: skip
