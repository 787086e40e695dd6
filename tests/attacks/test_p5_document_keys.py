"""``key_scope="document"``: a record that is deleted, replaced or due takes a key of its own along, and no copy of its
points opens again while its neighbours under the same data key do."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import pytest

import securevec as sv
from securevec import ingest as ingesting
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_ids
from securevec.errors import (
    BoundKeyDestroyed,
    CollectionMismatch,
    ConfigError,
    KeyDestroyed,
    KeyUnavailable,
    OutcomeUnknown,
    RecordNotFound,
)
from securevec.reading.opening import open_body
from securevec.removing.recover import resolve_open_batches
from securevec.testing.embedders import HashEmbedder
from securevec.types import ProtectedPoint, StoredPoint, mint_anonymized
from tests.support.attacks import DAY_MS, Stage, memory_of, open_stage
from tests.support.world import ACME, Ticket, ticket

Tickets = sv.Collection[Ticket]
JANE = "jane.doe@example.com"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("own"), "memory") as made:
        made.store._caretaker.stop()
        yield made


@pytest.fixture
def tickets(stage: Stage) -> Tickets:
    made = stage.acme.collection(Ticket, name=f"own{next(stage._numbers)}", retention="30d", key_scope="document")
    assert made.ingest([ticket(n, f"a lantern, says customer{n}@example.com") for n in (1, 2, 3)]).new == 3
    return made


def copies(stage: Stage, tickets: Tickets) -> list[StoredPoint]:
    scan = memory_of(stage).scan(namespace=tickets._scope.namespace, where=None, cursor=None, limit=1000)
    return [StoredPoint(point.id, dict(point.payload)) for point in scan.points]


def openable(stage: Stage, tickets: Tickets, points: list[StoredPoint]) -> set[str]:
    found: set[str] = set()
    for point in points:
        try:
            found.add(str(open_body(stage.store.runtime.keys, tickets._scope, point).record_id))
        except (BoundKeyDestroyed, KeyDestroyed):  # by the day of the month the bucket's key is dead too
            continue
    return found


def held(stage: Stage, tickets: Tickets) -> set[str]:
    """The keys of the collection's records, by the envelopes that the store shows."""
    alive = {key.key_id for key in stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="document")}
    named = {read_key_ids(from_text(point.payload["b"]))[1].hex() for point in copies(stage, tickets)}
    assert named <= alive
    return named


def artefacts(receipt: bytes | None) -> bytes:
    assert receipt is not None
    return base64.b64decode(orjson.loads(receipt)["payload"])


def test_a_deleted_and_a_replaced_record_take_their_keys_along(stage: Stage, tickets: Tickets) -> None:
    taken = copies(stage, tickets)
    assert (openable(stage, tickets, taken), len(held(stage, tickets))) == ({"T-1", "T-2", "T-3"}, 3)
    tickets.delete(["T-1"])
    tickets.update("T-2", body="no light at all")
    assert openable(stage, tickets, taken) == {"T-3"}
    assert len(held(stage, tickets)) == 2
    assert tickets.get("T-2").body == "no light at all"
    assert {hit.id for hit in tickets.search("lantern", k=5)} == {"T-2", "T-3"}
    hits = tickets.search("lantern", k=5)
    assert "customer3@example.com" in hits.restore(hits.context())
    # The data key of the bucket is alive: it also seals the neighbours.
    assert len({read_key_ids(from_text(point.payload["b"]))[0] for point in (*taken, *copies(stage, tickets))}) == 1
    tickets.verify().raise_if_wrong()
    assert stage.acme.purge().collections >= 1
    assert stage.store.runtime.keys._store.unshown(bytes.fromhex(stage.acme.id), "document") == []


def test_without_the_destruction_a_copy_would_open(
    stage: Stage, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard, seen to fail."""

    def nothing(*_: object) -> int:
        return 0

    taken = copies(stage, tickets)
    monkeypatch.setattr(type(stage.store.runtime.keys), "bury_documents", nothing)
    tickets.delete(["T-1"])
    assert openable(stage, tickets, taken) == {"T-1", "T-2", "T-3"}


def test_a_record_that_is_put_back_is_a_violation(stage: Stage, tickets: Tickets) -> None:
    taken = [point for point in copies(stage, tickets) if openable(stage, tickets, [point]) == {"T-1"}]
    tickets.delete(["T-1"])
    vector = HashEmbedder().embed([mint_anonymized("lantern")])[0]
    payload: Any = taken[0].payload
    memory_of(stage).insert(namespace=tickets._scope.namespace, points=[ProtectedPoint(taken[0].id, vector, payload)])
    assert tickets.search("lantern", k=5).violations == 1
    assert tickets.verify().foreign == 1


def test_a_search_that_a_replacement_overtakes_shows_the_old_record_or_the_new(stage: Stage, tickets: Tickets) -> None:
    def once() -> None:
        stage.trap.on_query = None
        tickets.update("T-1", body="a lantern of another kind")

    stage.trap.on_query = once
    hits = tickets.search("lantern", k=5)
    assert ({hit.id for hit in hits}, hits.violations) == ({"T-1", "T-2", "T-3"}, 0)


def test_an_interrupted_deletion_destroys_the_key_when_it_is_settled(
    stage: Stage, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> int:
        raise KeyUnavailable("The key store is busy.")

    taken = copies(stage, tickets)
    monkeypatch.setattr(type(stage.store.runtime.keys), "bury_documents", busy)
    with pytest.raises(OutcomeUnknown):
        tickets.delete(["T-1"])
    monkeypatch.undo()
    assert openable(stage, tickets, taken) == {"T-1", "T-2", "T-3"}
    assert resolve_open_batches(stage.store.runtime, expired_only=True) == 1
    assert openable(stage, tickets, taken) == {"T-2", "T-3"}


def test_a_collection_that_is_sealed_anew_gives_every_record_a_new_key(stage: Stage) -> None:
    name = f"own{next(stage._numbers)}"
    tickets = stage.acme.collection(Ticket, name=name, key_scope="document")
    tickets.ingest([ticket(number, "a lantern") for number in (1, 2)])
    taken, before = copies(stage, tickets), held(stage, tickets)
    stage.store.reseal("acme", name).raise_if_incomplete()
    after = held(stage, tickets)
    assert (len(before), len(after), before & after) == (2, 2, set())
    alive = {key.key_id for key in stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="document")}
    assert not before & alive
    with pytest.raises(KeyDestroyed):
        open_body(stage.store.runtime.keys, tickets._scope, taken[0])
    tickets.verify().raise_if_wrong()


def test_a_write_that_fails_leaves_no_key_behind(
    stage: Stage, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> Any:
        raise KeyUnavailable("The key store is busy.")

    def count() -> int:
        return len(stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="document"))

    before = count()
    monkeypatch.setattr(ingesting, "seal_points", refused)
    with pytest.raises(KeyUnavailable):
        tickets.ingest([ticket(9, "a lantern")])
    monkeypatch.undo()
    stage.trap.keep = lambda points: points[:0]
    with pytest.raises(OutcomeUnknown):
        tickets.ingest([ticket(9, "a lantern")])
    stage.trap.keep = None
    assert count() == before


def test_due_records_and_erased_people_lose_their_keys_and_the_receipts_say_so(stage: Stage, tickets: Tickets) -> None:
    tickets.ingest([ticket(4, "a lantern for her", customer=JANE), ticket(5, f"{JANE} called")])
    taken = copies(stage, tickets)
    erased = stage.acme.erase_subject(JANE).raise_if_incomplete()
    said = artefacts(erased.receipt)
    assert b"keys of single records" in said
    assert f'"key_id":"{stage.store.runtime.keys.root_id()}"'.encode() in said
    assert b"of 2 generations none has a key of its own left; removed from live files" in said
    assert openable(stage, tickets, taken) == {"T-1", "T-2", "T-3"}
    stage.time.forward(31 * DAY_MS)
    done = stage.store.apply_retention(stage.store.retention_plan(tenant="acme").digest)
    assert b"keys of single records" in b"".join(artefacts(each.receipt) for each in done)
    assert openable(stage, tickets, taken) == set()
    assert held(stage, tickets) == set()
    alive = stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="document")
    assert not [key for key in alive if key.collection == tickets.id]


def test_a_collection_keeps_its_key_scope_and_has_one_kind_of_own_keys(stage: Stage) -> None:
    name = f"own{next(stage._numbers)}"
    shared = stage.acme.collection(Ticket, name=name)
    assert (shared.describe().key_scope, stage.acme.collection(Ticket, name=name).id) == ("bucket", shared.id)
    with pytest.raises(CollectionMismatch, match="key scope"):
        stage.acme.collection(Ticket, name=name, key_scope="document")

    class Letter(sv.Record):
        id: sv.Key[str]
        writer: Annotated[str, sv.marks.Subject(shred=True)]
        body: sv.Embed[str]

    with pytest.raises(ConfigError, match="not both"):
        stage.acme.collection(Letter, name="letters", key_scope="document")
    with pytest.raises(ConfigError, match='"bucket" or "document"'):
        stage.acme.collection(Ticket, name="odd", key_scope="row")  # type: ignore[arg-type]  # a caller without types


def test_a_restored_home_revives_neither_a_deleted_record_nor_a_replaced_one(tmp_path: Path) -> None:
    pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    home, key_file, kept, later = (tmp_path / name for name in ("home", "root.key", "backup", "later"))
    with sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        tickets = store.tenant("acme", create=True, actor=ACME).collection(Ticket, key_scope="document")
        tickets.ingest([ticket(n, f"lantern {n}") for n in (1, 2, 3)])
        create_backup(store, kept)
        assert verify_backup(kept, key_file=key_file).opened == 3
        tickets.delete(["T-1"])
        tickets.update("T-2", body="another")
        export_tombstones(store, later, since=kept)
    again = tmp_path / "again"
    restore_backup(kept, again, newer=Newer(tombstones=later), key_file=key_file, embedder=HashEmbedder())
    with sv.SecureStore.open(again, key_file=key_file, embedder=HashEmbedder(), create=False) as store:
        tickets = store.tenant("acme", actor=ACME).collection(Ticket)
        assert tickets.get("T-3").body == "lantern 3"
        for gone in ("T-1", "T-2"):
            with pytest.raises(RecordNotFound):
                tickets.get(gone)
        tickets.verify().raise_if_wrong()
        assert len(store.runtime.keys.list_keys(kind="document")) == 1
