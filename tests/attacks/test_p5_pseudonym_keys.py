"""A new pseudonym key over every kind of record: each says what it would had it come from its source today, and what
had to stay is what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import numpy as np
import pytest

import securevec as sv
from securevec.anonymize.operators import encrypted_under
from securevec.anonymize.surrogates.values import person_parts, surrogate
from securevec.crypto.wrap import KeyRow
from securevec.errors import (
    CheckFailed,
    ControlUnavailable,
    KeyRejected,
    KeyUnavailable,
    PolicyDenied,
    SubjectErased,
)
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.reading.live import first_chunks
from securevec.reading.opening import open_body
from securevec.reading.question import anonymize_query
from securevec.rekeying import renewing, respelling, resurrogate
from securevec.rekeying.respelling import Respelling
from securevec.search import answer
from securevec.types import StoredPoint
from securevec.writing.sealing import Origin
from tests.support.attacks import Stage, memory_of
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME

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


@pytest.fixture
def stage(own_tenants: Stage) -> Stage:
    return own_tenants


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


class Stopped(ControlUnavailable):
    pass


def stopped(*_: object, **__: object) -> NoReturn:
    raise Stopped("killed here")


def test_an_erasure_that_was_accepted_before_is_waited_for_and_one_that_comes_meanwhile_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="erased")
    letters.ingest(ROWS)
    letters.ingest([{"id": "L-4", "writer": "peter@example.org", "body": f"{JANE} asked {MAIL}"}])
    runtime = stage.store.runtime
    admission = admit(runtime, stage.acme._scope, permission="subject.erase", action="subject.erase")
    until = runtime.clock.now_ms() + 86_400_000
    erasing.request_erasure(runtime, admission, ["peter@example.org"], until_ms=until, include_name_matches=False)
    with pytest.raises(ControlUnavailable):
        renew(stage)
    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", stopped)
        results = stage.store.run_jobs()
    assert {(each.state, each.failed) for each in results} >= {("done", False)}
    stage.acme.erase_subject(MAIL).raise_if_incomplete()
    assert {each.state for each in stage.store.run_jobs() if each.failed} == set()
    assert not [job for job in runtime.control.jobs(open_only=True) if job.tenant == stage.acme.id]
    text = str(said(stage, letters=letters))
    assert surrogate(key_of(stage), "PERSON", JANE) in text
    assert (surrogate(key_of(stage), "EMAIL", MAIL) in text, "[ERASED]" in text) == (False, True)
    assert {record.id for record in letters.iter()} == {"L-2", "L-3"}


def test_people_who_are_shredded_while_their_letter_is_written_anew_stay_shredded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="shredded")
    letters.ingest(ROWS[:1])
    write = Respelling.write

    def erased_meanwhile(self: Respelling, admission: Any, rows: Any) -> Any:
        keys = stage.store.runtime.keys
        people = [bytes.fromhex(key.key_id) for key in keys.list_keys(tenant=stage.acme.id, kind="subject")]
        original, calls = keys.require_alive, list[int]()

        def late(ids: Any) -> None:
            if not calls:
                calls.append(keys.destroy_keys(people))
            original(ids)

        monkeypatch.setattr(keys, "require_alive", late)
        return write(self, admission, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", erased_meanwhile)
        with pytest.raises(SubjectErased):
            renew(stage)
    monkeypatch.undo()
    assert not stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")
    assert len(points_of(stage, letters)) == 1
    # No erasure hides the letter whose key is dead: the job passes it over on nobody's word, and goes on without it.
    with pytest.raises(CheckFailed, match="delete it"):
        renew(stage)
    letters.delete(["L-1"])
    assert renew(stage).state == "done"


def test_tokens_and_surrogates_are_not_made_anew_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = stage.acme.collection(Letter, name="both")
    letters.ingest(ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(renewing, "rewrite", stopped)
        with pytest.raises(Stopped):
            stage.store.renew_tokens(stage.acme_name)
        with pytest.raises(ControlUnavailable):
            renew(stage)
    assert not [each for each in stage.store.run_jobs() if each.failed]
    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", stopped)
        with pytest.raises(Stopped):
            renew(stage)
        assert stage.store.renew_tokens(stage.acme_name).state == "done"
    assert renew(stage).version == 3
    keys = stage.store.runtime.tenant_keys(stage.acme.id)
    assert (keys.version, keys.naming, keys.before) == (3, 3, None)
    assert surrogate(keys.pseudonym, "EMAIL", MAIL) in str(said(stage, letters=letters))
    assert len(stage.acme.find_subject(MAIL)) == 2
    asked = anonymize_query(stage.store.runtime, letters._scope, "the miller")
    assert asked.text.text == f"the {person_parts(keys.pseudonym, JANE)[1]}".lower()
    letters.verify().raise_if_wrong()


def test_tokens_that_are_made_anew_between_two_looks_stop_the_job_until_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is named by a part alone is known by a token: under the earlier one nobody would be."""
    letters = stage.acme.collection(Letter, name="between")
    letters.ingest(ROWS)

    def switched() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(renewing, "rewrite", stopped)
            with pytest.raises(Stopped):
                stage.store.renew_tokens(stage.acme_name)

    meanwhile(monkeypatch, respelling, "opened_chunks", switched)
    with pytest.raises(ControlUnavailable, match="made anew meanwhile"):
        renew(stage)
    stage.store.run_jobs()
    assert renew(stage).state == "done"
    letters.verify().raise_if_wrong()


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


def is_pseudonym(row: KeyRow, stage: Stage) -> bool:
    return row.use.purpose == "pseudonym" and row.use.tenant.hex() == stage.acme.id


def test_every_other_key_is_exchanged_while_some_records_have_new_surrogates(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = stage.acme.collection(Letter, name="busy", cloak="rotate")
    letters.ingest(ROWS)
    write, name = Respelling.write, stage.acme_name

    def one(self: Respelling, admission: Any, rows: Any) -> NoReturn:
        write(self, admission, rows[:1])
        raise Stopped("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Respelling, "write", one)
        with pytest.raises(Stopped):
            renew(stage)
    for exchange in (stage.store.reseal, stage.store.reindex, stage.store.recloak):
        assert exchange(name, "busy").state == "done"
        assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert stage.store.rotate_tenant_keys(name) > 0
    assert stage.store.renew_tokens(name).state == "done"
    assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert renew(stage).version == 2
    assert letters.search(ROWS[0]["body"], k=1)[0].score > 0.999
    assert surrogate(key_of(stage), "EMAIL", MAIL) in str(said(stage, letters=letters))
    letters.verify().raise_if_wrong()


@pytest.mark.parametrize("how", ["search", "batch", "diverse"])
def test_a_record_that_is_written_anew_while_a_search_looks_at_it_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    letters = stage.acme.collection(Letter, name=f"looked-at-{how}")
    letters.ingest(ROWS[:1])
    calls: list[str] = []
    places: dict[str, tuple[str, Callable[..., Any]]] = {
        "search": ("securevec.search.first_chunks", first_chunks),
        "batch": ("securevec.verbs.batch.answer", answer),
        "diverse": ("securevec.verbs.diverse.answer", answer),
    }
    place, honest = places[how]

    def late(*given: Any) -> Any:
        """Before the last look of a search by itself; behind the answer of one that waits for more."""
        answered = None if how == "search" else honest(*given)
        if len(calls) < 2:
            calls.append(stage.store.reseal(stage.acme_name, f"looked-at-{how}").state)
        return honest(*given) if answered is None else answered

    with monkeypatch.context() as patch:
        patch.setattr(place, late)
        found = {
            "search": lambda: letters.search("lantern", k=1),
            "batch": lambda: letters.search_batch(["lantern"], k=1)[0],
            "diverse": lambda: letters.search_diverse("lantern", k=1),
        }[how]()
    assert (calls, [hit.id for hit in found], found.complete) == (["done", "done"], ["L-1"], True)
