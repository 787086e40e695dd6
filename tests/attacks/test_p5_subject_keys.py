"""A person's own key: once it is destroyed, nothing that was bound to it opens again, in any copy of the store, however
many other keys are alive."""

from __future__ import annotations

from typing import Any

import pytest

from securevec.crypto import envelope as sealing
from securevec.crypto.armour import from_text
from securevec.crypto.context import Place
from securevec.crypto.envelope import read_key_ids
from securevec.crypto.secret import Secret
from securevec.errors import (
    EnvelopeRejected,
    RecordNotFound,
)
from securevec.proof import receipt as receipts
from securevec.testing.embedders import HashEmbedder
from securevec.types import ProtectedPoint, mint_anonymized
from tests.support.attacks import Stage, memory_of
from tests.support.letters import (
    JANE,
    PETER,
    Letter,
    Letters,
    accept,
    bound_to,
    copies,
    four_letters,
    letter,
    nothing,
    openable,
    payload_of,
    step,
    subject_keys,
)


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


@pytest.fixture
def letters(stage: Stage) -> Letters:
    return four_letters(stage)


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


def test_who_was_erased_is_written_about_again_under_a_new_key(stage: Stage, letters: Letters) -> None:
    taken, before = copies(stage, letters), subject_keys(stage)
    stage.acme.erase_subject(JANE, until="1d").raise_if_incomplete()
    assert letters.ingest([letter(1, JANE)]).refused[0].error == "SubjectErased"
    stage.time.forward(2 * 86_400_000)
    assert letters.ingest([letter(1, JANE)]).new == 1
    assert letters.get("L-1").body == "the lantern of case 1"
    assert len(subject_keys(stage) - before) == 1
    assert openable(stage, letters, taken) == {"L-3", "L-4"}
