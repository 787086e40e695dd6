"""A person's own key: once it is destroyed, nothing that was bound to it opens again, in any copy of the store, however
many other keys are alive."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import orjson
import pytest

import securevec as sv
from securevec.backup import Newer, create_backup, export_tombstones, restore_backup, verify_backup
from securevec.crypto import envelope as sealing
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import read_key_ids
from securevec.crypto.secret import Secret
from securevec.errors import (
    BoundKeyDestroyed,
    EngineLocked,
    EnvelopeRejected,
    KeyUnavailable,
    LegalHold,
    RecordNotFound,
    SchemaError,
    SubjectErased,
)
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.people import shred
from securevec.reading.opening import open_body
from securevec.retention import receipt as receipts
from securevec.testing.embedders import HashEmbedder
from securevec.types import ProtectedPoint, StoredPoint, mint_anonymized
from tests.support.attacks import Stage, memory_of
from tests.support.world import ACME

JANE, PETER = "jane.doe@example.com", "peter.miller@example.org"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    clerk: sv.Subject[str | None] = None
    body: sv.Embed[str]
    secret: sv.Seal[str | None] = None


Letters = sv.Collection[Letter]


def letter(number: int, writer: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"L-{number}",
        "writer": writer,
        "body": f"the lantern of case {number}",
        "secret": "a plum",
    } | changes


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


@pytest.fixture
def letters(stage: Stage) -> Letters:
    made = stage.acme.collection(Letter, retention="180d")
    report = made.ingest(
        [
            letter(1, JANE),
            letter(2, JANE, body="a second lantern " + "with words that fill a page " * 90),
            letter(3, PETER, body=f"a lantern that {JANE} asked about"),
            letter(4, None),
        ]
    )
    assert report.new == 4
    return made


def copies(stage: Stage, letters: Letters) -> list[StoredPoint]:
    """Every stored point, as somebody has them who copied the store's files before the erasure."""
    return [
        StoredPoint(point.id, dict(point.payload), vector=point.vector)
        for point in memory_of(stage)
        .scan(namespace=letters._scope.namespace, where=None, cursor=None, limit=1000)
        .points
    ]


def openable(stage: Stage, letters: Letters, points: list[StoredPoint]) -> set[str]:
    """The ids of the records that these copies still open to, with all the keys of the installation at hand."""
    found: set[str] = set()
    for point in points:
        try:
            found.add(str(open_body(stage.store.runtime.keys, letters._scope, point).record_id))
        except BoundKeyDestroyed:
            continue
    return found


def subject_keys(stage: Stage) -> set[str]:
    return {key.key_id for key in stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")}


def bound_to(point: StoredPoint) -> str:
    """The id of the person's key that a stored body names."""
    return read_key_ids(from_text(point.payload["b"]))[1].hex()


def nothing(*_: object, **__: object) -> None:
    """A step that is skipped."""


def none_of(*_: object) -> int:
    """Keys destroyed, where that is skipped."""
    return 0


def name_of(stage: Stage) -> str:
    return stage.acme_name


def accept(stage: Stage, *values: str) -> str:
    """Only the first step, as where another process holds the engine."""
    runtime, scope = stage.store.runtime, stage.acme._scope
    admission = admit(runtime, scope, permission="subject.erase", action="subject.erase")
    until = runtime.clock.now_ms() + 86_400_000
    return erasing.request_erasure(runtime, admission, values, until_ms=until, include_name_matches=False).job_id


def step(stage: Stage, job_id: str) -> str:
    runtime = stage.store.runtime
    now_ms = runtime.clock.now_ms()
    runtime.control.lease_job(job_id, owner=runtime.audit.writer_id, until_ms=now_ms, now_ms=now_ms)
    job = runtime.control.job(job_id)
    assert job is not None
    return erasing.step(runtime, job).state


def test_one_destroyed_key_closes_every_copy_of_everything_about_the_person(stage: Stage, letters: Letters) -> None:
    letters.ingest([letter(1, JANE, body="an older lantern was here")])
    old = copies(stage, letters)
    letters.ingest([letter(1, JANE, body="the newest lantern")])
    taken = [*old, *copies(stage, letters)]
    assert openable(stage, letters, taken) == {"L-1", "L-2", "L-3", "L-4"}
    assert len(subject_keys(stage)) == 2
    (hers,) = {bound_to(point) for point in taken if openable(stage, letters, [point]) == {"L-1"}}
    assert hers in subject_keys(stage)
    erasure = stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert (erasure.about, erasure.mentions) == (2, 1)
    assert openable(stage, letters, taken) == {"L-3", "L-4"}
    assert hers not in subject_keys(stage)
    # Her data key is alive, and so are the tenant's: only her own was needed besides.
    assert {read_key_ids(from_text(p.payload["b"]))[0].hex() for p in taken} <= {
        key.key_id for key in stage.store.runtime.keys.list_keys(kind="dek")
    }
    assert letters.get("L-3").body == "a lantern that [ERASED] asked about"
    assert {hit.id for hit in letters.search("lantern", k=10)} == {"L-3", "L-4"}
    letters.verify().raise_if_wrong()


def test_without_the_subjects_key_in_the_derivation_a_copy_would_open(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard, seen to fail: with the data key alone as the AEAD key, an old copy opens after the erasure."""
    real = sealing.DataKey._cipher

    def without(key: sealing.DataKey, suite: int, _: object) -> Any:
        return real(key, suite, None)

    monkeypatch.setattr(sealing.DataKey, "_cipher", without)
    fresh = stage.acme.collection(Letter, name="unguarded")
    fresh.ingest([letter(5, JANE)])
    (mine,) = copies(stage, fresh)
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    blob = from_text(mine.payload["b"])
    key = stage.store.runtime.keys.key_by_id(read_key_ids(blob)[0])
    place = Place(key.tenant, key.collection, mine.id, "body")
    impostor = sealing.SubjectKey(read_key_ids(blob)[1], Secret(bytes(32)))
    assert sealing.open_sealed(key, blob, place, subject=impostor)
    monkeypatch.undo()
    with pytest.raises(EnvelopeRejected):
        sealing.open_sealed(key, blob, place, subject=impostor)


def test_the_receipt_names_the_destroyed_key_and_what_it_waits_for(stage: Stage, letters: Letters) -> None:
    erasure = stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert erasure.receipt is not None
    said = receipts.read(erasure.receipt, public=stage.store.runtime.keys.signing_key().public).predicate
    artefacts = {entry["artefact"]: entry for entry in said["artefacts"]}
    assert artefacts["subject keys"]["verdict"] == "removed from live files"
    assert artefacts["subject keys"]["evidence"].startswith("1 of 1 keys; removed from live files; destroyed at ")
    assert artefacts["data keys"]["residual"].endswith("except what was bound to the destroyed subject keys")
    root = stage.store.runtime.keys.root_id()
    assert said["root"]["key_id"] == root, "what `receipt verify` looks up among the root keys that were given up"
    assert f"root key {root} has been given up" in artefacts["subject keys"]["residual"]
    stage.acme.erase_subject("C-77").raise_if_incomplete()


def test_between_the_shred_and_the_deletion_readers_see_an_erased_person_and_no_error(
    stage: Stage, letters: Letters
) -> None:
    job = accept(stage, JANE)
    assert step(stage, job) == "shredded"
    assert openable(stage, letters, copies(stage, letters)) == {"L-3", "L-4"}
    hits = letters.search("lantern", k=10)
    assert ({hit.id for hit in hits}, hits.violations) == ({"L-4"}, 0)
    for number in (1, 2):
        with pytest.raises(RecordNotFound):
            letters.get(f"L-{number}")
        assert not letters.exists(f"L-{number}")
    assert {record.id for record in letters.iter()} == {"L-4"}
    assert len(stage.acme.find_subject(JANE)) == 0
    assert len(stage.acme.export_subject(PETER)) == 0
    letters.verify().raise_if_wrong()
    stage.store.run_jobs()
    assert {hit.id for hit in letters.search("lantern", k=10)} == {"L-3", "L-4"}


def test_a_shredded_point_that_is_put_back_is_a_violation(stage: Stage, letters: Letters) -> None:
    taken = [point for point in copies(stage, letters) if openable(stage, letters, [point]) == {"L-1"}]
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    vector = HashEmbedder().embed([mint_anonymized("lantern")])[0]
    payloads: list[Any] = [point.payload for point in taken]
    memory_of(stage).insert(
        namespace=letters._scope.namespace,
        points=[ProtectedPoint(each.id, vector, payload) for each, payload in zip(taken, payloads, strict=True)],
    )
    assert letters.search("lantern", k=10).violations == len(taken)
    assert letters.verify().foreign == len(taken)


def test_a_shred_skipped_is_seen_in_the_receipt(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard, seen to fail: an erasure that destroys no key says so and a copy opens."""
    taken = copies(stage, letters)
    monkeypatch.setattr(type(stage.store.runtime.keys), "destroy_subjects", nothing)
    erasure = stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert erasure.receipt is not None
    assert b"unverified" in payload_of(erasure.receipt)
    assert openable(stage, letters, taken) == {"L-1", "L-2", "L-3", "L-4"}


def payload_of(receipt: bytes) -> bytes:
    return base64.b64decode(orjson.loads(receipt)["payload"])


def test_who_was_erased_is_written_about_again_under_a_new_key(stage: Stage, letters: Letters) -> None:
    taken, before = copies(stage, letters), subject_keys(stage)
    stage.acme.erase_subject(JANE, until="1d").raise_if_incomplete()
    assert letters.ingest([letter(1, JANE)]).refused[0].error == "SubjectErased"
    stage.time.forward(2 * 86_400_000)
    assert letters.ingest([letter(1, JANE)]).new == 1
    assert letters.get("L-1").body == "the lantern of case 1"
    assert len(subject_keys(stage) - before) == 1
    assert openable(stage, letters, taken) == {"L-3", "L-4"}


def test_a_legal_hold_beats_the_destruction_of_the_key_also_one_that_comes_later(
    stage: Stage, letters: Letters
) -> None:
    stage.acme.hold("case 7", subject=JANE)
    with pytest.raises(LegalHold):
        stage.acme.erase_subject(JANE)
    assert len(subject_keys(stage)) == 2
    operator = stage.store.tenant(name_of(stage))
    operator.release(operator.holds()[0].id)
    job = accept(stage, JANE)
    late = stage.acme.hold("case 8", collection="letter", record="L-1")
    with pytest.raises(LegalHold):
        step(stage, job)
    assert len(subject_keys(stage)) == 2
    assert openable(stage, letters, copies(stage, letters)) == {"L-1", "L-2", "L-3", "L-4"}
    operator.release(late.id)
    stage.store.run_jobs()
    assert letters.count() == 2


def test_what_is_written_while_a_person_is_erased_is_never_left_unreadable(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a declared name too, about which nothing is fenced: the writer asked for the key before it was destroyed."""
    letters.ingest([letter(6, "Jane Doe")])
    job = accept(stage, "Jane Doe")
    assert letters.ingest([letter(7, "Jane Doe")]).refused[0].error == "SubjectErased"
    stage.store.run_jobs()
    control = stage.store.runtime.control
    real = type(control).commit_batch

    def erased_first(self: Any, **options: Any) -> Any:
        monkeypatch.undo()
        stage.acme.erase_subject("Jane Doe").raise_if_incomplete()
        return real(self, **options)

    letters.ingest([letter(8, "Jane Doe")])
    assert control.job(job) is not None
    monkeypatch.setattr(type(control), "commit_batch", erased_first)
    with pytest.raises(SubjectErased):
        letters.ingest([letter(9, "Jane Doe")])
    assert not letters.exists("L-9")
    assert letters.ingest([letter(9, "Jane Doe")]).new == 1
    assert letters.get("L-9").id == "L-9"
    letters.verify().raise_if_wrong()


def test_a_record_of_several_people_is_bound_to_the_declared_one(stage: Stage, letters: Letters) -> None:
    letters.ingest([letter(5, PETER, clerk=JANE)])
    taken = [p for p in copies(stage, letters) if openable(stage, letters, [p]) == {"L-5"}]
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert not letters.exists("L-5")
    assert openable(stage, letters, taken) == {"L-5"}
    stage.acme.erase_subject(PETER).raise_if_incomplete()
    assert openable(stage, letters, taken) == set()

    class Two(sv.Record):
        id: sv.Key[str]
        one: Annotated[str, sv.marks.Subject(shred=True)]
        two: Annotated[str, sv.marks.Subject(shred=True)]
        body: sv.Embed[str]

    with pytest.raises(SchemaError, match="one person at most"):
        stage.acme.collection(Two)


def test_a_tenants_rotation_wraps_the_keys_of_its_people_again(stage: Stage, letters: Letters) -> None:
    runtime = stage.store.runtime

    def wrapped() -> dict[bytes, bytes]:
        rows = runtime.keys._store.all_rows(tenant=bytes.fromhex(stage.acme.id), kind="subject")
        return {row.key_id: row.wrapped for row in rows}

    before = wrapped()
    assert runtime.keys.rotate_tenant(stage.acme.id) >= len(before) == 2
    after = wrapped()
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    assert letters.get("L-1").id == "L-1"
    stage.store.delete_tenant(name_of(stage)).raise_if_incomplete()
    assert subject_keys(stage) == set()


def test_the_key_store_names_nobody(stage: Stage, letters: Letters) -> None:
    stage.store.runtime.keys.destroy_subjects(stage.acme.id, [], job_id="none")
    held = (stage.home / "keys" / "keys.db").read_bytes()
    assert JANE.encode() not in held
    assert b"jane" not in held.lower()


def test_a_key_of_another_tenants_person_does_not_stand_in(stage: Stage, letters: Letters) -> None:
    theirs = stage.globex.collection(Letter, retention="180d")
    theirs.ingest([letter(1, JANE)])
    stage.acme.erase_subject(JANE).raise_if_incomplete()
    assert theirs.get("L-1").id == "L-1"
    (key,) = stage.store.runtime.keys.list_keys(kind="subject", tenant=stage.globex.id)
    (point,) = copies(stage, theirs)
    blob = from_text(point.payload["b"])
    assert read_key_ids(blob)[1].hex() == key.key_id
    (mine,) = [p for p in copies(stage, letters) if openable(stage, letters, [p]) == {"L-3"}][:1]
    own = from_text(mine.payload["b"])
    forged = StoredPoint(mine.id, dict(mine.payload) | {"b": to_text(own[:24] + blob[24:40] + own[40:])})
    with pytest.raises(EnvelopeRejected):
        open_body(stage.store.runtime.keys, letters._scope, forged)


def test_a_busy_key_store_stops_the_erasure_and_the_same_call_goes_on(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise KeyUnavailable("The key store is busy.")

    monkeypatch.setattr(type(stage.store.runtime.keys._store), "vacuum", busy)
    with pytest.raises(KeyUnavailable):
        stage.acme.erase_subject(JANE)
    assert {hit.id for hit in letters.search("lantern", k=10)} == {"L-4"}
    monkeypatch.undo()
    (result,) = stage.store.run_jobs()
    assert result.receipt is not None
    assert b"1 of 1 keys" in payload_of(result.receipt)


def test_a_process_without_the_engine_destroys_the_key_at_once(
    stage: Stage, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked() -> None:
        raise EngineLocked("Another process holds the engine.")

    taken = copies(stage, letters)
    monkeypatch.setattr(stage.store.runtime.engine, "backend", locked)
    erasure = stage.acme.erase_subject(JANE)
    assert (erasure.state, erasure.receipt) == ("shredded", None)
    assert openable(stage, letters, taken) == {"L-3", "L-4"}


def test_a_restored_home_does_not_revive_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, key_file, kept, later = (tmp_path / name for name in ("home", "root.key", "backup", "later"))
    pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
    with sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        letters = store.tenant("acme", create=True, actor=ACME).collection(Letter)
        letters.ingest([letter(1, JANE), letter(2, PETER)])
        create_backup(store, kept)
        assert verify_backup(kept, key_file=key_file).opened == 2
        before = {key.key_id for key in store.runtime.keys.list_keys(kind="subject")}
        store.tenant("acme", actor=ACME).erase_subject(JANE).raise_if_incomplete()
        alive = {key.key_id for key in store.runtime.keys.list_keys(kind="subject")}
        export_tombstones(store, later, since=kept)
    assert (len(before), len(alive)) == (2, 1)
    for name in ("from the list", "skipped"):
        if name == "skipped":
            # The guard, seen to fail: without the list of destroyed keys, and without the erasure's own first step.
            monkeypatch.setattr("securevec.keys.keyring.KeyRing.destroy_keys", none_of)
            monkeypatch.setattr(shred, "held_by", nothing)
        again = tmp_path / name
        restore_backup(kept, again, newer=Newer(tombstones=later), key_file=key_file, embedder=HashEmbedder())
        with sv.SecureStore.open(again, key_file=key_file, embedder=HashEmbedder(), create=False) as store:
            held = {key.key_id for key in store.runtime.keys.list_keys(kind="subject")}
            assert held == (alive if name == "from the list" else before)
            assert not store.tenant("acme", actor=ACME).collection(Letter).exists("L-1")
