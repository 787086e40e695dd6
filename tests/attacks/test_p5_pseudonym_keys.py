"""A new pseudonym key over every kind of record: each says what it would had it come from its source today, and what
had to stay is what it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import securevec as sv
from securevec.anonymize.operators import encrypted_under
from securevec.anonymize.surrogates.values import person_parts, surrogate
from securevec.crypto.wrap import KeyRow
from securevec.errors import (
    CheckFailed,
    KeyRejected,
    KeyUnavailable,
    PolicyDenied,
)
from securevec.reading.opening import open_body
from securevec.writing.sealing import Origin
from tests.support.attacks import Stage, memory_of
from tests.support.named_letters import JANE, MAIL, ROWS, Kept, Letter, Whole, key_of, points_of, renew, said
from tests.support.world import ACME


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


def is_pseudonym(row: KeyRow, stage: Stage) -> bool:
    return row.use.purpose == "pseudonym" and row.use.tenant.hex() == stage.acme.id


def test_every_kind_of_collection_says_what_it_would_had_it_come_from_its_source_today(stage: Stage) -> None:
    acme = stage.acme
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "noisy": {"cloak": sv.Cloak(noise=2.0)},
        "hybrid": {"hybrid": True},
        "tokens": {"operators": {"default": "token", "EMAIL": "hash"}},
        "tagged": {"operators": {"PERSON": "tag", "EMAIL": "mask"}},
        "cipher": {"operators": {"EMAIL": "presidio:encrypt", "PERSON": "presidio:hash"}},
    }
    made = {name: acme.collection(Letter, name=name, **more) for name, more in kinds.items()}
    wholes = acme.collection(Whole, name="whole", key_scope="document")
    for each in made.values():
        each.ingest(ROWS)
    wholes.ingest([{"id": "W-1", "title": f"{JANE} again", "body": f"Miller wrote to {MAIL}"}])
    early, before = key_of(stage), said(stage, **made, whole=wholes)
    ids = {point.id for name in ("plain", "tagged") for point in points_of(stage, made[name])}
    done = renew(stage)
    assert (done.state, done.records) == ("done", 19)
    assert key_of(stage) != early
    after = said(stage, **made, whole=wholes)
    assert after.keys() == before.keys()
    for (name, record, chunk), text in after.items():
        assert (text == before[name, record, chunk]) == (name == "tagged" or record == "L-3"), (name, record)
    kept = {point.id for name in ("plain", "tagged") for point in points_of(stage, made[name])} & ids
    assert len(kept) == len(points_of(stage, made["tagged"])) + 1
    (whole,) = wholes.iter()
    assert whole.body == f"Miller wrote to {MAIL}"
    first, last = person_parts(key_of(stage), JANE)
    assert f"{first} {last}" in whole.title
    assert surrogate(key_of(stage), "EMAIL", MAIL) in after["whole", "W-1", 0]
    for name, more in kinds.items():
        if name in ("noisy", "tokens"):
            fresh = acme.collection(Letter, name=f"{name}-again", **more)
            fresh.ingest(ROWS)
            assert said(stage, **{name: fresh}) == {place: text for place, text in after.items() if place[0] == name}
    for letters in made.values():
        letters.verify().raise_if_wrong()
    wholes.verify().raise_if_wrong()
    assert made["noisy"].search(ROWS[0]["body"], k=1)[0].score > 0.999
    hits = made["hybrid"].search("lantern", k=1, hybrid=True)
    assert (hits[0].id, hits.restore(hits.context()).count(JANE)) == ("L-1", 1)
    cipher = made["cipher"].get("L-2").body.split()[2]
    assert encrypted_under(key_of(stage), cipher, MAIL)
    assert not encrypted_under(early, cipher, MAIL)


def test_a_given_vector_stays_and_the_models_is_made_anew(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="given")
    vector = np.zeros((1, letters._scope.embedder.identity.dimension), dtype=np.float32)
    vector[0, 3] = 1.0
    letters.ingest([ROWS[0]], vectors=vector, vectors_of="anonymized_text")
    letters.ingest([ROWS[1]])
    wholes = stage.acme.collection(Whole, name="given-whole")
    long = {"id": "W-1", "title": f"{JANE} again", "body": f"Miller wrote to {MAIL} " + "of lanterns and oil " * 300}
    wholes.ingest([long], vectors=vector, vectors_of="anonymized_text")
    vectors = {point.id: point.vector for point in points_of(stage, letters)}
    renew(stage)
    after = points_of(stage, letters)
    assert not vectors.keys() & {point.id for point in after}
    assert sum(np.array_equal(np.asarray(point.vector), vector[0]) for point in after) == 1
    (point,) = points_of(stage, wholes)
    assert np.array_equal(np.asarray(point.vector), vector[0])
    assert surrogate(key_of(stage), "EMAIL", MAIL) in str(said(stage, wholes=wholes))


def test_whoever_is_named_by_a_part_alone_gets_the_part_of_the_same_name(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="parts")
    letters.ingest([{"id": "A", "body": f"{JANE} called", "note": "Miller was angry"}])
    stage.acme.collection(Letter, name="elsewhere").ingest([{"id": "B", "body": f"{JANE} wrote"}])
    assert letters.update("A", body="somebody called").changed
    renew(stage)
    _, last = person_parts(key_of(stage), JANE)
    assert letters.get("A").note == f"{last} was angry"


def test_a_record_that_is_due_or_hidden_by_an_erasure_is_made_anew_too(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="due", retention="2d")
    letters.ingest(ROWS)
    early = surrogate(key_of(stage), "EMAIL", MAIL)
    stage.time.forward(3 * 86_400_000)
    assert letters.count() == 0
    assert [text for text in said(stage, letters=letters).values() if early in text]
    assert renew(stage).records == 3
    assert not [text for text in said(stage, letters=letters).values() if early in text]
    plan = stage.store.retention_plan(tenant=stage.acme_name)
    (result,) = stage.store.apply_retention(plan.digest)
    assert result.state == "done"
    assert not points_of(stage, letters)


def test_a_long_text_that_names_somebody_in_its_beginning_alone_is_made_anew(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="long")
    early = stage.store.runtime.tenant_keys(stage.acme.id)
    letters.ingest([{"id": "L-1", "body": f"{JANE} began. {'Nobody is named behind that, it rained. ' * 80}"}])
    assert len(points_of(stage, letters)) > 1
    assert surrogate(early.pseudonym, "PERSON", JANE) in str(said(stage, letters=letters))
    assert renew(stage).records == 1
    late = stage.store.runtime.tenant_keys(stage.acme.id)
    assert surrogate(late.pseudonym, "PERSON", JANE) in str(said(stage, letters=letters))
    letters.verify().raise_if_wrong()


def test_what_only_a_kept_original_or_only_a_note_beside_it_says_is_made_anew_by_the_same_detector(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stage.acme.collection(Kept, name="kept")
    plain = {"title": "the lantern", "body": "it was lost"}
    kept.ingest([plain | {"id": "K-1", "body": f"write to {MAIL}"}, plain | {"id": "K-2", "note": f"ask {MAIL}"}])
    before = said(stage, kept=kept)

    def another(*_: object) -> Origin:
        return Origin("internal", b"another8", b"another8")

    with monkeypatch.context() as patch:
        patch.setattr(Origin, "of", another)
        with pytest.raises(CheckFailed, match="another detector placed"):
            renew(stage)
    assert renew(stage).state == "done"
    after = said(stage, kept=kept)
    assert after.keys() == before.keys()
    assert not after.items() & before.items()
    assert [surrogate(key_of(stage), "EMAIL", MAIL) in text for text in after.values()] == [True, True]


def test_what_the_store_hides_stops_the_job_and_what_the_key_store_lacks_is_an_error(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="hidden")
    letters.ingest([ROWS[0], ROWS[2]])
    point = next(p for p in points_of(stage, letters))
    memory_of(stage).delete(namespace=letters._scope.namespace, ids=[point.id])
    with pytest.raises(CheckFailed):
        renew(stage)
    assert stage.store.runtime.tenant_keys(stage.acme.id).before is not None
    body = open_body(stage.store.runtime.keys, letters._scope, point)
    letters.delete([str(body.record_id)])
    assert renew(stage).state == "done"
    own, stage.store._actor = stage.store._actor, ACME
    try:
        with pytest.raises(PolicyDenied):
            renew(stage)
    finally:
        stage.store._actor = own
    store = stage.store.runtime.keys._store
    (row,) = (each for each in store.all_rows(kind="tenant") if is_pseudonym(each, stage))
    with store.transaction():
        store.drop(row)
    stage.store.runtime.keys._open.forget()
    for call in (lambda: letters.search("lantern"), lambda: letters.ingest(ROWS)):
        with pytest.raises(KeyRejected):
            call()


def test_the_earlier_key_is_gone_from_the_key_store_and_a_copy_beside_it_is_not_overlooked(stage: Stage) -> None:
    letters = stage.acme.collection(Letter, name="gone")
    letters.ingest(ROWS[:1])
    store = stage.store.runtime.keys._store
    (row,) = (each for each in store.all_rows(kind="tenant") if is_pseudonym(each, stage))
    assert row.wrapped in store.path.read_bytes()
    copy = store.directory / "keys.copy"
    copy.write_bytes(store.path.read_bytes())
    with pytest.raises(KeyUnavailable):
        renew(stage)
    copy.unlink()
    assert renew(stage).state == "done"
    (left,) = (each for each in store.all_rows(kind="tenant") if is_pseudonym(each, stage))
    held = store.path.read_bytes()
    assert (row.wrapped in held, row.key_id in held, left.wrapped in held) == (False, False, True)
