"""A new cloak key for a collection: what searches find before, during and after, and what is left of the old key."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NoReturn

import numpy as np
import pytest

import securevec as sv
from securevec.backend import VectorBackend
from securevec.crypto.cloak import Cloak, VectorCloak
from securevec.errors import (
    CheckFailed,
    CollectionMismatch,
    ControlUnavailable,
    KeyRejected,
    LegalHold,
    OutcomeUnknown,
    PolicyDenied,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.points.protect import CLOAK_KEY
from securevec.reading.asking import Shown
from securevec.reading.cloaking import taken_off
from securevec.reading.judge import judge
from securevec.reading.opening import fetch_only
from securevec.rekeying import rewriting
from securevec.retention.receipt import read
from securevec.testing.embedders import HashEmbedder
from securevec.types import Matrix, ProtectedPoint, StoredPoint, mint_anonymized
from securevec.verbs.cloak_report import _true_vectors
from securevec.verbs.walk import open_records
from tests.support.world import ACME

MANY = 18
NOISY = Cloak(noise=2.0)


class Parcel(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    depot: Annotated[str, sv.marks.Filter(mode="token")]


GOODS = ("tea", "oil", "rye", "fig", "yam", "nut")


def parcel(number: int) -> dict[str, object]:
    # Different weights of the words of a question: places in a list are then the same whoever sorts.
    rare = f" {'lost ' * (1, 2, 9)[number // 7 % 3]}" if number in (0, 7, 14) else ""
    body = f"Parcel {number + 40} of {GOODS[number % 6]} and {GOODS[number // 6 % 6]} was late{rare}"
    return {"id": f"P-{number}", "body": body, "depot": f"D-{number % 3}"}


PARCELS = [parcel(number) for number in range(MANY)]
MADE: dict[str, dict[str, Any]] = {
    "plain": {},
    "rotate": {"cloak": Cloak()},
    "noise": {"cloak": NOISY},
    "words": {"cloak": Cloak(), "hybrid": True},
}
VECTOR = HashEmbedder().embed([mint_anonymized("Parcel of oil and yam")])[0]
Asked = Callable[[sv.Collection[Parcel]], sv.SearchResult[Parcel]]
WAYS: list[Asked] = [
    lambda at: at.search("parcel of tea and oil", k=5),
    lambda at: at.search("rye and fig was late", k=MANY, min_score=0.4),
    lambda at: at.search(vector=VECTOR, k=4),
    lambda at: at.search(like="P-3", k=3),
    lambda at: at.search("late yam", k=3, where=sv.F("depot") == "D-1"),
    lambda at: at.search_batch(["oil", "tea and fig"], k=2)[1],
    lambda at: at.search_diverse("order about yam", k=2, fetch=6),
]


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    root = tmp_path_factory.mktemp("recloak")
    made = sv.SecureStore.open(
        root / "home", backend=str(request.param), key_file=root / "root.key", embedder=HashEmbedder()
    )
    with made:
        made.runtime.backend()
        made._caretaker.stop()  # it would carry the jobs on by itself
        made.tenant("acme", create=True, actor=ACME)
        yield made


SLOW = [pytest.param(name, marks=pytest.mark.soak) for name in ("memory", "chroma")]
EVERYWHERE = pytest.mark.parametrize("home", ["edge", *SLOW], indirect=True)
EDGE = pytest.mark.parametrize("home", ["edge"], indirect=True)
fresh = itertools.count()
NAMES: dict[str, str] = {}


def made(store: sv.SecureStore, how: str, *, records: int = MANY) -> sv.Collection[Parcel]:
    """A new collection with the first parcels."""
    name = f"{how}{next(fresh)}"
    collection = store.tenant("acme", actor=ACME).collection(Parcel, name=name, **MADE[how])
    NAMES[collection.id] = name
    assert collection.ingest(PARCELS[:records]).refused == ()
    return collection


def name_of(collection: sv.Collection[Parcel]) -> str:
    return NAMES[collection.id]


def answers(result: sv.SearchResult[Parcel]) -> list[tuple[object, float]]:
    assert (result.violations, result.complete) == (0, True)
    return [(hit.id, round(hit.score, 3)) for hit in result]


def points(collection: sv.Collection[Parcel]) -> list[StoredPoint]:
    place, backend = collection._scope.namespace, collection._runtime.backend()
    page = backend.scan(namespace=place, where=None, cursor=None, limit=1000)
    return backend.fetch(namespace=place, ids=[point.id for point in page.points], with_vectors=True)


def versions(collection: sv.Collection[Parcel]) -> dict[str, str]:
    """The ids of the cloak keys, by version."""
    listed = [key for key in collection._runtime.keys.list_keys(kind="tenant") if key.collection == collection.id]
    return {key.epoch: key.key_id for key in listed if key.purpose == "cloak"}


def hints(collection: sv.Collection[Parcel]) -> list[object]:
    return [point.payload.get(CLOAK_KEY, 1) for point in points(collection)]


def cloak_of(collection: sv.Collection[Parcel]) -> VectorCloak:
    cloaks = collection._scope.cloaks(collection._runtime)
    assert cloaks is not None
    return cloaks.newest


def uncovered(collection: sv.Collection[Parcel], cloak: VectorCloak) -> float:
    """How like the model's vectors a thief's are, who has this cloak, every text and a copy of the store."""
    texts = [str(record["body"]) for record in PARCELS[:5]]
    true = HashEmbedder().embed([mint_anonymized(text) for text in texts])
    true = true / np.linalg.norm(true, axis=1, keepdims=True)
    stored = np.vstack([point.vector for point in points(collection) if point.vector is not None])
    best: list[Matrix] = []
    for text, vector in zip(texts, true, strict=True):
        found = taken_off(cloak, stored, [text] * len(stored))
        best.append((found / np.linalg.norm(found, axis=1, keepdims=True) @ vector).max())
    return float(np.mean(best))


def unavailable(*_: object) -> NoReturn:
    raise ControlUnavailable("stopped by the test")


def never(*_: object) -> NoReturn:
    pytest.fail("something was embedded or detected again")


def stopped(store: sv.SecureStore, collection: sv.Collection[Parcel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the job, and stop it after eight records."""
    honest, calls = rewriting._sheet, itertools.count()

    def once(*given: object) -> object:
        if next(calls):
            raise ControlUnavailable("stopped by the test")
        return honest(*given)  # type: ignore[arg-type]  # handed on as it came

    with monkeypatch.context() as patched:
        patched.setattr("securevec.reading.sheets.SHEET", 8)
        patched.setattr(rewriting, "_sheet", once)
        with pytest.raises(ControlUnavailable):
            store.recloak("acme", name_of(collection))


def instead(
    monkeypatch: pytest.MonkeyPatch, backend: VectorBackend, name: str, do: Callable[..., None], *, on: int = 1
) -> None:
    """``do`` something before the n-th call of an operation of the store from now on."""
    honest, calls = getattr(type(backend), name), itertools.count(1)

    def late(self: object, **given: Any) -> object:
        if next(calls) == on:
            do()
        return honest(self, **given)

    monkeypatch.setattr(type(backend), name, late)


@EDGE
@pytest.mark.parametrize("how", ["noise", pytest.param("rotate", marks=pytest.mark.soak)])
def test_a_stolen_cloak_key_takes_nothing_off_afterwards(
    home: sv.SecureStore, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, how)
    stolen, before, old = cloak_of(parcels), [answers(ask(parcels)) for ask in WAYS], versions(parcels)
    hold = home.tenant("acme").hold("case 7", collection=name_of(parcels), record="P-2")
    assert uncovered(parcels, stolen) > 0.999, "the test says nothing when the key takes off nothing"
    seen: list[tuple[int, int | None]] = []
    with monkeypatch.context() as patched:
        patched.setattr(HashEmbedder, "embed", never)
        patched.setattr(home.runtime, "embedder", never)
        patched.setattr(home.runtime, "detector", never)
        done = home.recloak("acme", name_of(parcels), progress=lambda step: seen.append((step.rows, step.bytes_total)))

    assert (done.state, done.version, done.records, done.chunks, done.keys) == ("done", 2, MANY, MANY, 1)
    assert seen[-1] == (MANY, MANY)
    assert uncovered(parcels, stolen) < 0.7
    assert uncovered(parcels, cloak_of(parcels)) > 0.999
    assert list(versions(parcels)) == ["2"]
    assert {bytes.fromhex(key_id) for key_id in old.values()} <= set(home.runtime.keys.destroyed_ids())
    assert [answers(ask(parcels)) for ask in WAYS] == before
    assert parcels.verify().raise_if_wrong().records == MANY
    again = home.tenant("acme", actor=ACME).collection(Parcel, name=name_of(parcels))
    assert again.ingest(PARCELS).unchanged == MANY, "what a record says did not change"
    with pytest.raises(LegalHold):
        parcels.delete(["P-2"])
    home.tenant("acme").release(hold.id)
    receipt = read(done.receipt or b"", public=home.runtime.keys.signing_key().public).predicate
    assert (receipt["kind"], receipt["manifest"]["records"], receipt["manifest"]["keys"]) == ("recloak", MANY, 1)
    assert [each["verdict"] for each in receipt["artefacts"]] == ["removed from live files"] * 2
    assert "1 of 1 keys" in receipt["artefacts"][1]["evidence"]
    assert home.recloak("acme", name_of(parcels)).version == 3
    assert [answers(ask(parcels)) for ask in WAYS] == before


@EVERYWHERE
@pytest.mark.parametrize("how", ["rotate", pytest.param("noise", marks=pytest.mark.soak)])
def test_every_way_of_asking_is_answered_as_before_while_the_job_is_half_done(
    home: sv.SecureStore, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels, plain = made(home, how), made(home, "plain")
    stopped(home, parcels, monkeypatch)
    assert sorted(map(str, hints(parcels))) == ["1"] * (MANY - 8) + ["2"] * 8
    for ask in WAYS:
        assert answers(ask(parcels)) == answers(ask(plain))
    assert parcels.verify().raise_if_wrong().records == MANY
    judged, _ = open_records(home.runtime, parcels._scope, [parcels._scope.record_ref(home.runtime, "P-1")])
    (vector,) = _true_vectors(home.runtime, parcels._scope, list(judged.values()))
    assert float(vector @ HashEmbedder().embed([mint_anonymized(str(PARCELS[1]["body"]))])[0]) > 0.999
    # Beside the largest filter there may be, the version is asked for as well.
    largest = sv.F("depot") != "D-9"
    for number in range(254):
        largest = largest & (sv.F("depot") != f"D-{number + 10}")
    assert answers(parcels.search("late yam", k=MANY, where=largest)) == answers(plain.search("late yam", k=MANY))
    # What is written meanwhile lies under the new key, and what is deleted is gone under either.
    for each in (parcels, plain):
        under = hints(each).count(2)
        each.ingest([parcel(MANY + 1)])
        assert hints(each).count(2) == under + (each is parcels)
        each.update("P-4", depot="D-1")
        assert each.delete(where=sv.F("depot") == "D-2").deleted == MANY // 3
    for each in (parcels, plain):
        each.ingest([parcel(MANY + 2) | {"body": "Parcel for ann.roe@example.com of tea"}])
    erased = home.tenant("acme", actor=ACME).erase_subject("ann.roe@example.com")
    assert erased.raise_if_incomplete().state == "done"
    assert len(versions(parcels)) == 2
    again = cloak_of(parcels)
    done = home.recloak("acme", name_of(parcels))
    assert (done.state, list(versions(parcels))) == ("done", ["2"])
    assert set(hints(parcels)) == {2}
    assert cloak_of(parcels).digest == again.digest
    for ask in WAYS:
        assert answers(ask(parcels)) == answers(ask(plain))
    parcels.verify().raise_if_wrong()


@pytest.mark.parametrize("home", ["edge", SLOW[0]], indirect=True)
def test_a_hybrid_search_over_two_versions_ranks_as_over_one(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "words")

    def ask() -> list[tuple[float, object]]:
        # Equal places may change theirs, as with any new generation.
        return sorted((score, ident) for ident, score in answers(parcels.search("lost", k=6, hybrid=True)))

    before = ask()
    assert len({score for score, _ in before}) > 3
    stopped(home, parcels, monkeypatch)
    assert ask() == before
    assert home.run_jobs()[-1].state == "done"
    assert ask() == before


@EDGE
@pytest.mark.parametrize("when", ["before the new key", "between the versions", "between them, and the old one stays"])
def test_a_search_misses_nothing_that_moves_while_it_asks(
    home: sv.SecureStore, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is brought under the new key before the store is asked, or asked again."""
    parcels = made(home, "rotate", records=10)
    before = answers(parcels.search("parcel of tea", k=10))
    if when != "before the new key":
        stopped(home, parcels, monkeypatch)
    ran: list[str] = []

    def move() -> None:
        with monkeypatch.context() as patched:
            if when.endswith("stays"):
                patched.setattr(rewriting, "purge_with_proof", unavailable)
                with pytest.raises(ControlUnavailable):
                    home.recloak("acme", name_of(parcels))
            else:
                home.recloak("acme", name_of(parcels))
        ran.append(when)

    instead(monkeypatch, home.runtime.backend(), "query", move, on=1 if when == "before the new key" else 2)
    assert answers(parcels.search("parcel of tea", k=10)) == before
    assert ran == [when]
    assert set(hints(parcels)) == {2}
    assert len(versions(parcels)) == (2 if when.endswith("stays") else 1)


@EDGE
def test_a_write_that_began_before_the_new_key_is_waited_for_and_moves_too(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "noise", records=3)
    monkeypatch.setattr(rewriting, "_PATIENCE_S", 0.05)

    def begin() -> None:
        with pytest.raises(ControlUnavailable):
            home.recloak("acme", name_of(parcels))

    instead(monkeypatch, home.runtime.backend(), "insert", begin)
    parcels.ingest([parcel(50)])
    assert set(hints(parcels)) == {1}
    assert len(versions(parcels)) == 2
    done = home.recloak("acme", name_of(parcels))
    assert (done.state, set(hints(parcels))) == ("done", {2})
    assert parcels.search(str(parcel(50)["body"]), k=1)[0].score == pytest.approx(1.0, abs=1e-4)


@EDGE
def test_a_store_that_keeps_the_old_vector_is_found_out_before_the_key_dies(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=3)
    held = points(parcels)[0].vector
    backend = home.runtime.backend()
    honest = type(backend).insert

    def keeps(self: VectorBackend, **given: Any) -> None:
        kept = [ProtectedPoint(each.id, held, each.payload, each.terms) for each in given["points"]]  # type: ignore[arg-type]  # a vector
        honest(self, namespace=given["namespace"], points=kept)

    with monkeypatch.context() as patched:
        patched.setattr(type(backend), "insert", keeps)
        with pytest.raises(OutcomeUnknown) as caught:
            home.recloak("acme", name_of(parcels))
    assert isinstance(caught.value.__cause__, WriteNotAcknowledged)
    assert len(versions(parcels)) == 2
    assert home.recloak("acme", name_of(parcels)).state == "done"


def edited(collection: sv.Collection[Parcel], **changes: object) -> None:
    """The first point, changed in the store. ``None`` takes a payload key away."""
    point = points(collection)[0]
    vector = changes.pop("vector", point.vector)
    payload = {name: value for name, value in (dict(point.payload) | changes).items() if value is not None}
    changed = ProtectedPoint(point.id, vector, payload, point.terms)  # type: ignore[arg-type]  # what a store may do
    collection._runtime.backend().insert(namespace=collection._scope.namespace, points=[changed])


@EDGE
def test_a_point_that_says_another_version_than_its_body_is_found_out(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=12)
    stopped(home, parcels, monkeypatch)
    first = points(parcels)[0]
    edited(parcels, **{CLOAK_KEY: None if CLOAK_KEY in first.payload else 2})
    assert parcels.verify().edited == 1
    found = parcels.search("parcel of tea", k=12)
    assert (found.violations, len(found)) == (1, 11)
    # The job goes by the body, and puts the hint right.
    assert home.recloak("acme", name_of(parcels)).state == "done"
    assert parcels.verify().raise_if_wrong().records == 12
    assert len(parcels.search("parcel of tea", k=12)) == 12


@EDGE
def test_a_point_under_another_version_than_it_was_asked_by_is_no_hit(home: sv.SecureStore) -> None:
    parcels = made(home, "rotate", records=3)
    ids = [point.id for point in points(parcels)]
    judged = judge(home.runtime, parcels._scope, fetch_only(home.runtime, parcels._scope, ids), where=None).accepted
    shown = [(1, [each.point for each in judged[:2]]), (2, [judged[2].point])]
    kept, astray = Shown.of(shown, 3).in_place(judged)
    assert (kept, astray) == (judged[:2], 1)


@EDGE
def test_a_record_that_was_altered_in_the_store_stops_the_job_before_the_key_dies(home: sv.SecureStore) -> None:
    parcels = made(home, "rotate", records=3)
    edited(parcels, b="AAAA")
    with pytest.raises(CheckFailed, match="as it was written"):
        home.recloak("acme", name_of(parcels))
    assert list(versions(parcels)) == ["1", "2"]
    assert parcels.ingest(PARCELS[:3]).updated == 1
    done = home.recloak("acme", name_of(parcels))
    assert done.state == "done"
    assert parcels.verify().raise_if_wrong().records == 3


@EDGE
def test_a_collection_is_bound_to_a_key_in_force_at_every_step_and_to_no_other(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=3)
    name, tenant, control = name_of(parcels), home.tenant("acme", actor=ACME), home.runtime.control
    opened: list[tuple[str, str]] = []
    honest = type(control).advance_job

    def each_step(self: object, job_id: str, **given: Any) -> object:
        tenant.collection(Parcel, name=name)
        row = control.collection(parcels._scope.collection)
        assert row is not None
        opened.append((given["to"], row.identity))
        return honest(self, job_id, **given)  # type: ignore[arg-type]  # handed on as it came

    with monkeypatch.context() as patched:
        patched.setattr(type(control), "advance_job", each_step)
        assert home.recloak("acme", name).state == "done"
    assert [to for to, _ in opened] == ["dual", "recloaked", "doomed", "keys_destroyed", "verified"]
    assert [identity == opened[0][1] for _, identity in opened] == [True, True, False, False, False]
    row = control.collection(parcels._scope.collection)
    assert row is not None
    assert row.identity == opened[-1][1]
    control.update_identity(row.collection, expect=row.identity, identity=opened[0][1], schema_sealed=row.schema_sealed)
    with pytest.raises(CollectionMismatch, match="another cloak key"):
        tenant.collection(Parcel, name=name, accept_new_detector=True)


@EDGE
def test_who_may_not_manage_what_has_no_cloak_and_a_key_that_is_gone_are_refused(home: sv.SecureStore) -> None:
    plain, parcels = made(home, "plain", records=1), made(home, "rotate", records=1)
    with pytest.raises(UsageError, match="without a cloak"):
        home.recloak("acme", name_of(plain))
    assert not any(CLOAK_KEY in point.payload for point in points(plain))
    theirs = sv.SecureStore(home.runtime, actor=ACME)
    with pytest.raises(PolicyDenied):
        theirs.recloak("acme", name_of(parcels))
    assert list(versions(parcels)) == ["1"]
    ring, (key_id,) = home.runtime.keys, versions(parcels).values()
    ring._store._run("DELETE FROM keys WHERE key_id = ?", (bytes.fromhex(key_id),))
    ring._open.forget()
    for use in (
        lambda: parcels.search("parcel"),
        lambda: parcels.ingest([parcel(9)]),
        lambda: home.recloak("acme", name_of(parcels)),
    ):
        with pytest.raises(KeyRejected):
            use()
    assert parcels.count() == 1
