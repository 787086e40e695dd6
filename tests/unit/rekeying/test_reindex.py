"""A new filter key for a collection: what filters find before, during and after, and what is left of the old tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import pytest

import securevec as sv
from securevec.errors import (
    CheckFailed,
    ControlUnavailable,
    KeyRejected,
    LegalHold,
    PolicyDenied,
    WriteNotAcknowledged,
)
from securevec.filters import Expr
from securevec.keys.filterkeys import FilterKeys
from securevec.points.protect import ELEMENT, PREFIX, FilterProtector
from securevec.proof.probe import Needles
from securevec.proof.receipt import read
from securevec.rekeying import rewriting
from securevec.testing.embedders import HashEmbedder
from securevec.types import ProtectedPoint, StoredPoint
from tests.support.world import ACME

MANY = 24


class Parcel(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    depot: Annotated[str, sv.marks.Filter(mode="token")]
    weight: Annotated[int, sv.marks.Filter(mode="bucket", width=10)]
    tags: sv.Filter[list[str]]
    status: sv.Filter[str]


FILTERS: list[Expr] = [
    sv.F("depot") == "D-1",
    sv.F("depot") != "D-1",
    ~(sv.F("depot") == "D-1"),
    sv.F("depot").is_in(["D-0", "D-2"]),
    ~sv.F("depot").is_in(["D-0", "D-2"]),
    (sv.F("weight") >= 5) & (sv.F("weight") < 25),
    sv.F("weight") == 11,
    sv.F("tags") == "red",
    sv.F("tags") != "red",
    sv.F("tags").is_in(["red", "green"]) & (sv.F("depot") == "D-2"),
    sv.F("status") == "open",
]


def parcel(number: int) -> dict[str, object]:
    tags = [tag for tag, step in (("red", 2), ("green", 3), ("blue", 5)) if number % step == 0]
    return {
        "id": f"P-{number}",
        "body": f"Parcel ZX-{4400 + number} for person{number}@example.com came late",
        "depot": f"D-{number % 4}",
        "weight": number * 2,
        "tags": tags,
        "status": "open" if number % 2 else "closed",
    }


@pytest.fixture(params=["edge", *(pytest.param(name, marks=pytest.mark.soak) for name in ("memory", "chroma"))])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sv.SecureStore]:
    home, key = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend=str(request.param), key_file=key, embedder=HashEmbedder()) as made:
        made.runtime.backend()
        made._caretaker.stop()  # it would carry the jobs on by itself
        yield made


@pytest.fixture
def parcels(store: sv.SecureStore) -> sv.Collection[Parcel]:
    hybrid = store.runtime.backend().capabilities.sparse
    made = store.tenant("acme", create=True, actor=ACME).collection(Parcel, hybrid=hybrid)
    assert made.ingest([parcel(number) for number in range(MANY)]).refused == ()
    return made


def points(collection: sv.Collection[Parcel]) -> list[StoredPoint]:
    scope, backend = collection._scope, collection._runtime.backend()
    page = backend.scan(namespace=scope.namespace, where=None, cursor=None, limit=1000)
    return backend.fetch(namespace=scope.namespace, ids=[point.id for point in page.points], with_vectors=True)


def tokens(collection: sv.Collection[Parcel]) -> set[object]:
    """Every token and term that the store holds."""
    found: set[object] = set()
    for point in points(collection):
        found |= {name for name in point.payload if name.startswith(ELEMENT)}
        found |= {value for name, value in point.payload.items() if name in (PREFIX + "depot", PREFIX + "weight")}
        found |= set(point.terms.indices.tolist()) if point.terms is not None else set()
    return found


def keys(collection: sv.Collection[Parcel]) -> FilterKeys:
    return collection._scope.filter_keys(collection._runtime)


def found(collection: sv.Collection[Parcel]) -> list[list[str]]:
    """What each filter finds, by a search and by a count."""
    answers: list[list[str]] = []
    for where in FILTERS:
        hits = collection.search("parcel came late", where=where, k=100)
        assert hits.complete
        assert hits.violations == 0
        ids = sorted(hit.id for hit in hits if isinstance(hit.id, str))
        assert collection.count(where) == len(ids)
        answers.append(ids)
    return answers


def never(*_: object) -> NoReturn:
    pytest.fail("something was embedded or detected again")


def test_a_stolen_filter_key_names_no_stored_value_afterwards(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen, before, answers = keys(parcels), tokens(parcels), found(parcels)
    store.tenant("acme").hold("case 7", collection="parcel", record="P-2")
    vectors = np.vstack([point.vector for point in points(parcels) if point.vector is not None])
    thief = FilterProtector(parcels.schema, collection=parcels.id, key=stolen.key)
    guesses = {value for number in range(MANY) for value in thief.payload({"depot": f"D-{number % 4}"}).values()}
    assert guesses <= before, "the test says nothing when the key names no token"
    monkeypatch.setattr(HashEmbedder, "embed", never)
    monkeypatch.setattr(store.runtime, "embedder", never)
    monkeypatch.setattr(store.runtime, "detector", never)
    seen: list[tuple[int, int | None]] = []
    done = store.reindex("acme", "parcel", progress=lambda step: seen.append((step.rows, step.bytes_total)))
    monkeypatch.undo()

    assert (done.state, done.version, done.records, done.edited) == ("done", 2, MANY, 0)
    assert seen[-1] == (MANY, MANY)
    assert before.isdisjoint(tokens(parcels))
    now = keys(parcels)
    assert (now.version, now.before) == (2, None)
    assert now.key != stolen.key
    listed = [key for key in store.runtime.keys.list_keys() if key.purpose == "filter"]
    assert [key.epoch for key in listed] == ["2"]
    assert found(parcels) == answers
    parcels.verify().raise_if_wrong()
    again = np.vstack([point.vector for point in points(parcels) if point.vector is not None])
    assert np.allclose(np.max(again @ vectors.T, axis=1), 1.0, atol=1e-5), "each is one of those there were"
    assert parcels.ingest([parcel(3)]).unchanged == 1, "what a record says did not change"
    with pytest.raises(LegalHold):
        parcels.delete(["P-2"])
    receipt = read(done.receipt or b"", public=store.runtime.keys.signing_key().public)
    assert (receipt.predicate["kind"], receipt.predicate["manifest"]["records"]) == ("reindex", MANY)
    assert "case 7" not in str(receipt.predicate)


def test_a_filter_finds_records_of_either_key_while_the_job_is_half_done(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, old = found(parcels), keys(parcels)
    monkeypatch.setattr("securevec.reading.sheets.SHEET", 8)
    honest, calls = rewriting._sheet, iter(range(100))

    def once(*given: object) -> object:
        if next(calls):
            raise ControlUnavailable("stopped by the test")
        return honest(*given)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(rewriting, "_sheet", once)
    with pytest.raises(ControlUnavailable):
        store.reindex("acme", "parcel")
    now = keys(parcels)
    assert (now.version, now.before) == (2, old.key)
    of_old = FilterProtector(parcels.schema, collection=parcels.id, key=old.key)
    stale = set(of_old.payload({"depot": "D-1"}).values()) | set(of_old.payload({"depot": "D-2"}).values())
    carrying = [point.payload[PREFIX + "depot"] in stale for point in points(parcels)]
    assert any(carrying)
    assert found(parcels) == answers
    parcels.verify().raise_if_wrong()
    if parcels._scope.hybrid:
        # First by its words, a record is among the first six whatever its vector says (RRF_K is 2).
        for number in range(MANY):
            assert f"P-{number}" in [hit.id for hit in parcels.search(f"ZX-{4400 + number}", hybrid=True, k=6)]
    parcels.ingest([parcel(MANY + 1)])
    under = FilterProtector(parcels.schema, collection=parcels.id, key=now.key).payload({"depot": "D-1"})
    assert any(point.payload[PREFIX + "depot"] == under[PREFIX + "depot"] for point in points(parcels))
    assert parcels.delete(where=sv.F("depot") == "D-3").deleted == MANY // 4
    monkeypatch.undo()
    (done,) = store.run_jobs()
    assert (done.state, done.waiting_for) == ("done", "")
    assert tokens(parcels).isdisjoint(stale)
    parcels.verify().raise_if_wrong()
    left = {f"P-{number}" for number in [*range(MANY), MANY + 1] if number % 4 != 3}
    assert {record.id for record in parcels.iter()} == left


def test_a_search_that_began_before_the_new_key_misses_nothing(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is rewritten after the filter was put in the store's terms and before the store is asked."""
    backend = store.runtime.backend()
    honest = type(backend).query
    ran: list[str] = []

    def late(self: object, **asked: object) -> list[StoredPoint]:
        if not ran:
            ran.append(store.reindex("acme", "parcel").state)
        return honest(self, **asked)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(type(backend), "query", late)
    hits = parcels.search("parcel came late", where=(sv.F("depot") == "D-1") & (sv.F("weight") == 2), k=MANY)
    assert ran == ["done"]
    assert [hit.id for hit in hits] == ["P-1"]
    assert hits.violations == 0


def test_a_write_that_began_before_the_new_key_is_waited_for_and_indexed_too(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = FilterProtector(parcels.schema, collection=parcels.id, key=keys(parcels).key).payload({"depot": "late"})
    monkeypatch.setattr(rewriting, "_PATIENCE_S", 0.05)
    backend = store.runtime.backend()
    honest = type(backend).insert
    stopped: list[str] = []

    def late(self: object, **given: object) -> None:
        if not stopped:
            stopped.append("begun")
            with pytest.raises(ControlUnavailable):
                store.reindex("acme", "parcel")
        honest(self, **given)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(type(backend), "insert", late)
    parcels.ingest([parcel(50) | {"depot": "late"}])
    assert stopped
    assert any(point.payload[PREFIX + "depot"] == old[PREFIX + "depot"] for point in points(parcels))
    (done,) = store.run_jobs()
    assert done.state == "done"
    assert not any(point.payload[PREFIX + "depot"] == old[PREFIX + "depot"] for point in points(parcels))
    assert [hit.id for hit in parcels.search("parcel", where=sv.F("depot") == "late", k=5)] == ["P-50"]


def test_the_old_key_is_not_retired_before_everything_was_read_back_under_the_new_one(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = keys(parcels)

    def nothing(*_: object) -> Needles:
        return Needles((), ())

    monkeypatch.setattr(rewriting, "_passes", nothing)
    with pytest.raises(WriteNotAcknowledged):
        store.reindex("acme", "parcel")
    assert keys(parcels).before == old.key
    assert parcels.count(sv.F("depot") == "D-1") == MANY // 4
    assert len(parcels.search("parcel", where=sv.F("depot") == "D-1", k=MANY)) == MANY // 4


def test_records_with_keys_of_their_own_are_indexed_anew_too(store: sv.SecureStore) -> None:
    tenant = store.tenant("globex", create=True, actor=ACME)
    own = tenant.collection(Parcel, name="own", key_scope="document")
    own.ingest([parcel(number) for number in range(MANY)])
    before, answers = tokens(own), found(own)
    assert store.reindex("globex", "own").records == MANY
    assert before.isdisjoint(tokens(own))
    assert found(own) == answers
    own.verify().raise_if_wrong()
    assert own.delete(["P-1"]).deleted == 1


def test_a_hidden_record_keeps_the_old_key_and_an_edited_copy_is_put_right(
    parcels: sv.Collection[Parcel], store: sv.SecureStore
) -> None:
    backend, place = store.runtime.backend(), parcels._scope.namespace
    victim, hidden = points(parcels)[:2]
    edited = {**victim.payload, PREFIX + "status": "edited"}
    assert victim.vector is not None
    backend.insert(namespace=place, points=[ProtectedPoint(victim.id, victim.vector, edited, victim.terms)])  # type: ignore[arg-type]  # payloads are scalars
    backend.delete(namespace=place, ids=[hidden.id])
    with pytest.raises(CheckFailed):
        store.reindex("acme", "parcel")
    assert keys(parcels).before is not None, "the old key is not retired while a record may be under it"
    assert hidden.vector is not None
    backend.insert(namespace=place, points=[ProtectedPoint(hidden.id, hidden.vector, hidden.payload, hidden.terms)])  # type: ignore[arg-type]  # payloads are scalars
    done = store.reindex("acme", "parcel")
    assert (done.state, done.edited) == ("done", 1)
    assert [job.kind for job in store.runtime.control.jobs()] == ["key.reindex"], "the open job was found again"
    parcels.verify().raise_if_wrong()


def test_who_does_not_manage_tenants_changes_no_key_and_a_key_row_that_is_gone_is_an_error(
    parcels: sv.Collection[Parcel], store: sv.SecureStore, tmp_path: Path
) -> None:
    key = tmp_path / "root.key"
    theirs = sv.SecureStore.open(tmp_path / "home", key_file=key, embedder=HashEmbedder(), actor=ACME)
    with theirs, pytest.raises(PolicyDenied):
        theirs.reindex("acme", "parcel")
    assert keys(parcels).version == 1
    ring = store.runtime.keys
    ring._store._run("DELETE FROM keys WHERE use IN (SELECT use FROM uses WHERE purpose = 'filter')")
    ring._open.forget()
    for use in (
        lambda: parcels.search("parcel", where=sv.F("depot") == "D-1"),
        lambda: parcels.ingest([parcel(90)]),
        lambda: store.reindex("acme", "parcel"),
    ):
        with pytest.raises(KeyRejected):
            use()
    assert parcels.count() == MANY
