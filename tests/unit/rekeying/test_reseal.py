"""Data keys rolled, and collections sealed anew: what is written, what stays readable, what dies, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import pytest

import securevec as sv
from securevec.control.rows import JobItem
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.envelope import read_key_id, read_key_ids
from securevec.crypto.header import read_header
from securevec.errors import (
    CheckFailed,
    KeyDestroyed,
    LegalHold,
    PolicyDenied,
    UnknownKey,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.proof.probe import Needles
from securevec.proof.receipt import read
from securevec.rekeying import reseal, rewriting
from securevec.testing.embedders import HashEmbedder
from securevec.types import StoredPoint
from tests.support.world import ACME, Ticket, World, open_world, ticket


# Chroma in the long runs, as everywhere.
@pytest.fixture(params=["edge", *(pytest.param(name, marks=pytest.mark.soak) for name in ("memory", "chroma"))])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend=str(request.param), key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home, key_file)


def _never(*_: object) -> NoReturn:
    pytest.fail("something was embedded again")


def _points(collection: sv.Collection[Any]) -> list[StoredPoint]:
    scope, backend = collection._scope, collection._runtime.backend()
    page = backend.scan(namespace=scope.namespace, where=None, cursor=None, limit=1000)
    return backend.fetch(namespace=scope.namespace, ids=[point.id for point in page.points], with_vectors=True)


def _keys(collection: sv.Collection[Ticket]) -> set[str]:
    """The ids of the keys that stored values are sealed under."""
    return {
        read_key_id(from_text(point.payload[name])).hex()
        for point in _points(collection)
        for name in ("b", "v")
        if name in point.payload
    }


def _revealed(collection: sv.Collection[Ticket]) -> list[str]:
    """Of every record, in no order: under a random key another record may stand nearer by chance."""
    hits = collection.search("Mira Okonkwo", k=50)
    return sorted(hits.restore(hits.context()).splitlines())


def _listed(world: World) -> dict[str, str]:
    """State by id of the DEKs of acme's collection."""
    return {
        key.key_id: key.state
        for key in world.store.runtime.keys.list_keys()
        if key.kind == "dek" and key.collection == world.acme.id
    }


def test_a_rolled_key_seals_nothing_more_and_opens_what_it_sealed(filled: World) -> None:
    before = _keys(filled.acme)
    assert filled.store.roll_keys("acme", "ticket") == len(before) == 2
    assert {_listed(filled)[key] for key in before} == {"rolled"}
    filled.acme.ingest([ticket(13, "The refund number 13 never arrived: mail Mira Okonkwo, mira@example.org.")])
    assert filled.acme.get("T-1").id == "T-1"
    assert filled.acme.get("T-13").id == "T-13"
    after = _keys(filled.acme)
    assert before < after
    assert len(after - before) == 2, "one body and one vault key, made for what was written since"
    filled.acme.verify().raise_if_wrong()
    assert filled.store.roll_keys("acme", "ticket") == 4, "what was rolled stays so"


def test_a_collection_sealed_anew_says_what_it_said_and_its_old_keys_are_dead(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, acme = filled.store, filled.acme
    acme.ingest([ticket(13, "Mail Mira Okonkwo, mira@example.org, about refund 13.")])
    store.roll_keys("acme", "ticket")
    acme.ingest([ticket(14, "The refund number 14 never arrived.")])
    store.tenant("acme").hold("case 7", collection="ticket", record="T-2")
    revealed = _revealed(acme)
    listed = sorted((record.id, record.body) for record in acme.iter())
    vectors = np.vstack([point.vector for point in _points(acme) if point.vector is not None])
    old = _keys(acme)
    assert len(old) == 4
    monkeypatch.setattr(HashEmbedder, "embed", _never)
    monkeypatch.setattr(store.runtime, "embedder", _never)

    seen: list[tuple[int, int | None]] = []
    done = store.reseal("acme", "ticket", progress=lambda step: seen.append((step.rows, step.bytes_total)))
    monkeypatch.undo()
    assert (done.state, done.records, done.keys) == ("done", 14, 4)
    assert seen[-1] == (14, 14)

    assert old.isdisjoint(_keys(acme))
    assert set(_listed(filled).values()) == {"active"}
    for key in old:
        with pytest.raises(KeyDestroyed):
            store.runtime.keys.key_by_id(bytes.fromhex(key))
    assert sorted((record.id, record.body) for record in acme.iter()) == listed
    assert _revealed(acme) == revealed
    assert any("Mira Okonkwo" in line for line in revealed)
    again = np.vstack([point.vector for point in _points(acme) if point.vector is not None])
    assert np.allclose(np.max(again @ vectors.T, axis=1), 1.0, atol=1e-5), "each is one of those there were"
    acme.verify().raise_if_wrong()
    with pytest.raises(LegalHold):
        acme.delete(["T-2"])
    assert acme.ingest([ticket(14, "The refund number 14 never arrived.")]).unchanged == 1, "the digest is the same"

    receipt = read(done.receipt or b"", public=store.runtime.keys.signing_key().public)
    assert receipt.predicate["kind"] == "reseal"
    assert receipt.predicate["manifest"]["keys"] == 4
    verdicts = {each["artefact"].split()[0]: each["verdict"] for each in receipt.artefacts}
    assert verdicts["data"] == "removed from live files"
    if store.runtime.backend().name == "edge":
        assert verdicts["old"] == "removed from live files", "the old sealed values are gone from the engine's files"


def test_only_the_bucket_of_the_named_key_is_sealed_anew(world: World) -> None:
    store = world.store
    other = store.tenant("acme").collection(Ticket, name="other", retention="30d")
    for collection in (world.acme, other):
        collection.ingest([ticket(1, "One of acme.")])
    kept = _keys(other)
    with pytest.raises(UsageError):
        store.reseal("acme", "ticket", key="nonsense")
    with pytest.raises(UnknownKey):
        store.reseal("acme", "ticket", key=next(iter(kept)))
    old = sorted(_keys(world.acme))
    done = store.reseal("acme", "ticket", key=old[0])
    assert (done.records, done.keys) == (1, len(old))
    assert _keys(other) == kept
    with pytest.raises(KeyDestroyed):
        store.reseal("acme", "ticket", key=old[0])


def test_another_suite_comes_with_sealing_anew(tmp_path: Path) -> None:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        world = open_world(store, home, key_file)
        world.acme.ingest([ticket(1, "Mail Mira Okonkwo, mira@example.org.")])
        held = store.quota("acme").bytes
        store.set_quota("acme", points=1, bytes=held)
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), suite="aes-256-gcm-committing") as store:
        acme = store.tenant("acme", actor=ACME).collection(Ticket)
        assert store.reseal("acme", "ticket").records == 1, "a quota does not keep records under a leaked key"
        suites = {read_header(from_text(point.payload[name])).suite for point in _points(acme) for name in ("b", "v")}
        assert suites == {2}
        assert store.quota("acme").bytes > held
        acme.verify().raise_if_wrong()


def test_a_record_the_store_hides_or_withholds_the_vault_of_keeps_its_key_alive(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.acme.ingest([ticket(13, "Mail Mira Okonkwo, mira@example.org, about refund 13.")])
    old = _keys(filled.acme)
    backend = filled.store.runtime.backend()
    honest = type(backend).fetch
    with_vault = next(point.id for point in _points(filled.acme) if "v" in point.payload)

    def hides(self: object, **asked: object) -> list[StoredPoint]:
        return [point for point in honest(self, **asked) if point.id != with_vault]  # type: ignore[arg-type]  # passed on

    def withholds(self: object, **asked: object) -> list[StoredPoint]:
        return [
            StoredPoint(point.id, {k: v for k, v in point.payload.items() if k != "v"}, 0.0, point.vector, point.terms)
            for point in honest(self, **asked)  # type: ignore[arg-type]  # passed on
        ]

    for lie in (hides, withholds):
        monkeypatch.setattr(type(backend), "fetch", lie)
        with pytest.raises(CheckFailed):
            filled.store.reseal("acme", "ticket")
        assert not filled.store.runtime.keys.destroyed_ids()
        monkeypatch.undo()
    results = filled.store.run_jobs()
    assert [result.state for result in results] == ["done"]
    assert old.isdisjoint(_keys(filled.acme))
    filled.acme.verify().raise_if_wrong()


@pytest.mark.parametrize("named", ["unknown", "living", "destroyed"])
def test_a_store_that_says_a_record_is_under_another_key_has_no_key_destroyed(
    filled: World, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Who can write the store writes the key ids in the headers too. Believed, the one key that opens a live record
    would die with the job: what had been altered, and could be put back, would be lost for good."""
    filled.acme.ingest([ticket(13, "Mail Mira Okonkwo, mira@example.org, about refund 13.")])
    runtime = filled.store.runtime
    filled.store.reseal("acme", "ticket")
    gone = runtime.keys.destroyed_ids()
    victim = next(point for point in _points(filled.acme) if "v" in point.payload)
    living = next(
        bytes.fromhex(key.key_id)
        for key in runtime.keys.list_keys()
        if key.state == "active" and key.kind != "dek" and len(key.key_id) == len(next(iter(gone))) * 2
    )
    other = {"unknown": bytes(16), "living": living, "destroyed": min(gone)}[named]
    honest = type(runtime.backend()).fetch

    def lies(point: StoredPoint) -> StoredPoint:
        if point.id != victim.id:
            return point
        sealed = {name: from_text(text) for name, text in point.payload.items() if name in "bv"}
        altered = {name: to_text(value[:8] + other + value[24:]) for name, value in sealed.items()}
        return StoredPoint(point.id, {**point.payload, **altered}, 0.0, point.vector, point.terms)

    def fetch(self: object, **asked: object) -> list[StoredPoint]:
        return [lies(point) for point in honest(self, **asked)]  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(type(runtime.backend()), "fetch", fetch)
    with pytest.raises(CheckFailed):
        filled.store.reseal("acme", "ticket")
    assert runtime.keys.destroyed_ids() == gone
    monkeypatch.undo()
    # The same job, and not past the point where it seals anew: what was put back is still to be sealed.
    assert filled.store.reseal("acme", "ticket").state == "done"
    filled.acme.verify().raise_if_wrong()


def test_a_store_that_answers_two_questions_in_two_ways_has_no_key_destroyed(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows a record as it is to whoever opens it, and under another key to whoever only asks for the key's name.
    What is judged is what was opened, or the key it opened under would die with the job."""
    runtime = filled.store.runtime
    victim = _points(filled.acme)[0]
    honest = type(runtime.backend()).fetch

    def fetch(self: Any, **asked: Any) -> list[StoredPoint]:
        return [two_faced(point, opens=bool(asked.get("with_vectors"))) for point in honest(self, **asked)]

    def two_faced(point: StoredPoint, *, opens: bool) -> StoredPoint:
        if point.id != victim.id or opens:
            return point
        sealed = {name: from_text(text) for name, text in point.payload.items() if name in "bv"}
        altered = {name: to_text(value[:8] + bytes(16) + value[24:]) for name, value in sealed.items()}
        return StoredPoint(point.id, {**point.payload, **altered})

    monkeypatch.setattr(type(runtime.backend()), "fetch", fetch)
    with pytest.raises(WriteNotAcknowledged, match="still under the key"):
        filled.store.reseal("acme", "ticket")
    assert not runtime.keys.destroyed_ids()
    monkeypatch.undo()
    assert filled.store.reseal("acme", "ticket").state == "done"
    filled.acme.verify().raise_if_wrong()


def test_records_are_read_back_once_more_right_before_their_old_keys_die(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job may stop behind its writing, and a store be put back from an older copy before it goes on."""
    runtime = filled.store.runtime
    honest, doom = type(runtime.backend()).fetch, reseal._doom

    def withheld(self: Any, **asked: Any) -> list[StoredPoint]:
        return list(honest(self, **asked))[1:]

    def put_back(*given: Any) -> Any:
        monkeypatch.setattr(type(runtime.backend()), "fetch", withheld)
        return doom(*given)

    monkeypatch.setattr(reseal, "_doom", put_back)
    with pytest.raises(CheckFailed):
        filled.store.reseal("acme", "ticket")
    assert not runtime.keys.destroyed_ids()
    monkeypatch.undo()
    assert filled.store.reseal("acme", "ticket").state == "done"


def test_a_key_that_a_live_record_still_needs_is_not_destroyed(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the pass over the records made of itself: what decides is what is read back before the keys die."""

    def nothing(*_: object) -> Needles:
        return Needles((), ())

    monkeypatch.setattr(rewriting, "_passes", nothing)
    with pytest.raises(WriteNotAcknowledged):
        filled.store.reseal("acme", "ticket")
    assert not filled.store.runtime.keys.destroyed_ids()
    assert filled.acme.get("T-1").id == "T-1"


def test_a_due_record_on_the_list_of_a_retention_job_is_followed_when_it_is_sealed_anew(filled: World) -> None:
    """Else the job would find its generation gone, and sign that it had deleted it."""
    runtime, acme = filled.store.runtime, filled.acme
    ref = acme._scope.record_ref(runtime, "T-1")
    before = runtime.control.current(acme.id, [ref])[ref].generation
    job = runtime.control.begin_job(
        kind="subject.erase",
        tenant=acme._scope.tenant,
        job_id="a" * 32,
        request_id="01" * 13,
        fence=runtime.control.fence(acme._scope.tenant).epoch,
        data='{"requested": {"by": "", "ms": 0}}',
        items=lambda tx: [JobItem(acme.id, ref, before, 1, "delete")],
        now_ms=runtime.clock.now_ms(),
    )
    filled.store.reseal("acme", "ticket")
    after = runtime.control.current(acme.id, [ref])[ref].generation
    assert after > before
    assert [item.generation for item in runtime.control.job_items(job.job_id)] == [after]


def test_a_search_that_was_under_way_when_the_key_died_finds_the_record_and_accuses_nobody(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = filled.store.runtime.backend()
    honest = type(backend).query
    answers: list[list[StoredPoint]] = []

    def slow(self: object, **asked: object) -> list[StoredPoint]:
        """The first answer was made before the collection was sealed anew."""
        answer: list[StoredPoint] = honest(self, **asked)  # type: ignore[arg-type]  # passed on
        if not answers:
            answers.append(answer)
            filled.store.reseal("acme", "ticket").raise_if_incomplete()
        return answer

    monkeypatch.setattr(type(backend), "query", slow)
    hits = filled.acme.search("The refund number 3", k=3)
    assert answers
    assert (len(hits), hits.violations) == (3, 0)


def test_only_the_operator_rolls_keys_and_seals_anew(filled: World) -> None:
    with sv.SecureStore.open(filled.home, key_file=filled.key_file, embedder=HashEmbedder(), actor=ACME) as theirs:
        for asked in (lambda: theirs.roll_keys("acme", "ticket"), lambda: theirs.reseal("acme", "ticket")):
            with pytest.raises(PolicyDenied):
                asked()
    assert set(_listed(filled).values()) == {"active"}


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    body: sv.Embed[str]


def test_what_was_bound_to_a_person_is_bound_to_them_when_it_is_sealed_anew(world: World) -> None:
    letters = world.store.tenant("acme", actor=ACME).collection(Letter)
    letters.ingest([{"id": f"L-{number}", "writer": writer, "body": "a lantern"} for number, writer in _LETTERS])
    before = _people(letters)
    assert len(before) == 3, "two people, and nobody"
    world.store.reseal("acme", "letter")
    assert _people(letters) == before
    letters.verify().raise_if_wrong()
    world.store.tenant("acme", actor=ACME).erase_subject(_LETTERS[0][1] or "").raise_if_incomplete()
    world.store.reseal("acme", "letter").raise_if_incomplete()
    assert {record.id for record in letters.iter()} == {"L-2", "L-3"}


_LETTERS = [(1, "jane.doe@example.com"), (2, "peter.miller@example.org"), (3, None)]


def _people(letters: sv.Collection[Letter]) -> set[bytes]:
    return {read_key_ids(from_text(point.payload["b"]))[1] for point in _points(letters)}
