"""Updates: what changes, what must not, and that the result is what ingesting the whole record would have made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
import pytest

import securevec as sv
from securevec.anonymize import Anonymizer, OperatorPolicy, TenantKeys
from securevec.anonymize.amend import amend
from securevec.anonymize.stored import originals_in
from securevec.errors import RecordError, RecordNotFound, VaultDisabled
from securevec.points.body import Body, Vault
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import AnonymizedText, Matrix, Span
from securevec.writing.stored import load_live
from tests.support.world import ACME, Ticket, World, ticket

BODY = "Jane Smith wrote from jane.smith@example.com about the refund. Ms Smith waits since May."
LONG = " ".join(f"Sentence number {number} speaks of the waiting room." for number in range(200))


class Refusing(TapEmbedder):
    """An embedder that must not be asked."""

    def embed(self, texts: Sequence[AnonymizedText]) -> Matrix:
        raise AssertionError("nothing is embedded")


def embedding_nothing(world: World) -> sv.Collection[Ticket]:
    scope = replace(world.acme._scope, embedder=Refusing(HashEmbedder()))
    return sv.Collection(world.store.runtime, scope, Ticket)


def vault_of(collection: sv.Collection[Any], world: World, record_id: str) -> Vault:
    scope, runtime = collection._scope, world.store.runtime
    vault = load_live(runtime, scope, scope.record_ref(runtime, record_id)).vaults[0]
    assert vault is not None
    return vault


def row_of(world: World, record_id: str) -> Any:
    scope, runtime = world.acme._scope, world.store.runtime
    ref = scope.record_ref(runtime, record_id)
    return runtime.control.current(scope.collection, [ref])[ref]


def vectors_of(world: World, record_id: str) -> list[Any]:
    scope, runtime = world.acme._scope, world.store.runtime
    return load_live(runtime, scope, scope.record_ref(runtime, record_id)).vectors


def test_a_filter_changes_and_nothing_is_embedded_or_anonymized_again(world: World) -> None:
    world.acme.ingest([ticket(1, BODY), ticket(2, "other")])
    before, vector, vault = world.acme.get("T-1"), vectors_of(world, "T-1")[0], vault_of(world.acme, world, "T-1")
    report = embedding_nothing(world).update("T-1", status="closed", opened=datetime(2026, 7, 1, tzinfo=UTC))
    assert (report.changed, report.chunks, report.embedded) == (("status", "opened"), 1, 0)
    after = world.acme.get("T-1")
    assert (after.status, after.opened) == ("closed", datetime(2026, 7, 1, tzinfo=UTC))
    assert (after.body, after.customer, after.notes) == (before.body, before.customer, before.notes)
    assert vault_of(world.acme, world, "T-1") == vault
    assert np.allclose(vectors_of(world, "T-1")[0], vector, atol=1e-6)
    hits = world.acme.search("refund", where=sv.F("status") == "closed", k=5)
    assert "T-1" in {hit.id for hit in hits}
    assert hits.violations == 0
    assert world.acme.count() == 2


def test_the_originals_of_other_fields_survive_and_are_restored(world: World) -> None:
    world.acme.ingest([ticket(1, BODY)])
    world.acme.update("T-1", notes="Called back on 020 7946 0123.")
    hits = world.acme.search("refund", k=1)
    assert "jane.smith@example.com" in hits.restore("[EMAIL_1]")
    assert "020 7946 0123" not in (world.acme.get("T-1").notes or "")
    vault = vault_of(world.acme, world, "T-1")
    assert vault.fields["notes"] == ("020 7946 0123",)
    assert vault.fields["customer"] == ("customer1@example.com",)


def _without_rules(body: Body) -> dict[str, list[Span]]:
    """The span tables. What found a value at first may be another rule than what would find it now."""
    return {name: [replace(span, rule="") for span in spans] for name, spans in (body.field_spans or {}).items()}


CHANGES: dict[str, Mapping[str, Any]] = {
    "body": {"body": "Robert Jones has the lift repaired, ask robert.jones@example.com."},
    "notes named": {"notes": "Smith called again, and Jane was friendly."},
    "notes with another person": {"notes": "Mr. Peter Baker will ring 020 7946 0123."},
    "subject": {"customer": "somebody.else@example.com"},
    "subject and body": {"customer": "robert.jones@example.com", "body": "Robert Jones moved the appointment."},
    "all": {"customer": "x.y@example.com", "body": "x.y@example.com left.", "notes": "gone", "status": "new"},
    "notes cleared": {"notes": None},
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_update_makes_what_ingesting_the_whole_record_would(world: World, name: str) -> None:
    first = ticket(1, BODY, customer="jane.smith@example.com", notes="Write to jane.smith@example.com again.")
    world.acme.ingest([first])
    report = world.acme.update("T-1", **CHANGES[name])
    assert report.changed == tuple(spec.name for spec in world.acme.schema.fields if spec.name in CHANGES[name])
    whole = world.store.tenant("acme", actor=ACME).collection(Ticket, name="whole", retention="180d")
    whole.ingest([{**first, **CHANGES[name]}])
    assert world.acme.get("T-1") == whole.get("T-1")
    assert vault_of(world.acme, world, "T-1") == vault_of(whole, world, "T-1")
    scope, other = world.acme._scope, whole._scope
    runtime = world.store.runtime
    mine = load_live(runtime, scope, scope.record_ref(runtime, "T-1"))
    theirs = load_live(runtime, other, other.record_ref(runtime, "T-1"))
    assert (set(mine.body.about), set(mine.body.mentions)) == (set(theirs.body.about), set(theirs.body.mentions))
    assert _without_rules(mine.body) == _without_rules(theirs.body)
    assert np.allclose(np.vstack(mine.vectors), np.vstack(theirs.vectors), atol=1e-5)  # type: ignore[arg-type]  # read with vectors


def test_a_part_of_a_name_in_a_new_text_is_found_by_the_whole_in_a_stored_one(world: World) -> None:
    world.acme.ingest([ticket(1, "Ms Wilhelmina Ostrowski asked for a refund.")])
    world.acme.update("T-1", notes="Wilhelmina again; the parcel of Ostrowski is lost.")
    notes = world.acme.get("T-1").notes or ""
    assert "Ostrowski" not in notes
    assert "Wilhelmina" not in notes


def test_somebody_a_new_text_names_is_replaced_in_the_stored_texts_too(world: World) -> None:
    world.acme.ingest([ticket(1, "The shelf of quxorlund is open, write to a.b@example.com.", notes="about quxorlund")])
    assert "quxorlund" in world.acme.get("T-1").body
    report = world.acme.update("T-1", customer="quxorlund")
    record = world.acme.get("T-1")
    assert "quxorlund" not in record.body + (record.notes or "") + record.customer
    assert report.embedded == 1
    hits = world.acme.search("shelf open", k=1)
    assert set(vault_of(world.acme, world, "T-1").fields["body"]) == {"quxorlund", "a.b@example.com"}
    assert "a.b@example.com" in hits.restore("[EMAIL_1]")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "open"},
        {"body": BODY},
        {"notes": None},
        {"customer": "customer1@example.com", "opened": datetime(2026, 1, 2, tzinfo=UTC)},
    ],
)
def test_what_is_stored_already_is_no_change(world: World, fields: Mapping[str, Any]) -> None:
    world.acme.ingest([ticket(1, BODY)])
    before = row_of(world, "T-1")
    assert embedding_nothing(world).update("T-1", **fields).changed == ()
    assert embedding_nothing(world).update("T-1", body=world.acme.get("T-1").body).changed == ()
    assert row_of(world, "T-1") == before


def test_a_change_starts_the_retention_anew_as_an_ingest_does(world: World) -> None:
    world.acme.ingest([ticket(1, BODY)])
    before = row_of(world, "T-1")
    world.acme.update("T-1", status="closed")
    after = row_of(world, "T-1")
    assert after.generation > before.generation
    assert after.expires_ms >= before.expires_ms
    assert after.expires_ms - after.ingested_ms == before.expires_ms - before.ingested_ms == 180 * 86_400_000


def test_the_source_counts_again_when_it_is_ingested_again(world: World) -> None:
    world.acme.ingest([ticket(1, BODY)])
    world.acme.update("T-1", status="closed")
    assert world.acme.ingest([ticket(1, BODY)]).updated == 1
    assert world.acme.get("T-1").status == "open"
    assert world.acme.ingest([ticket(1, BODY)]).unchanged == 1


def test_only_the_chunks_that_changed_are_embedded(world: World) -> None:
    world.acme.ingest([ticket(1, LONG)])
    before = vectors_of(world, "T-1")
    assert len(before) > 4
    report = world.acme.update("T-1", body=LONG + " And one more about the lift.")
    assert 1 <= report.embedded <= 2 < report.chunks
    assert np.allclose(np.vstack(before[:3]), np.vstack(vectors_of(world, "T-1")[:3]), atol=1e-6)
    assert world.acme.get("T-1").body.endswith("about the lift.")
    again = embedding_nothing(world).update("T-1", status="closed")
    assert (again.chunks, again.embedded) == (report.chunks, 0)
    assert len(world.acme.search("lift", k=100)) == report.chunks


def test_a_given_vector_stays_as_long_as_its_text(world: World) -> None:
    vector = np.linspace(1, 2, 64, dtype=np.float32)
    world.acme.ingest([ticket(1, LONG)], vectors=vector[None, :], vectors_of="anonymized_text")
    embedding_nothing(world).update("T-1", status="closed", notes="given by hand")
    kept = vectors_of(world, "T-1")
    assert len(kept) == 1
    assert np.allclose(kept[0], vector / np.linalg.norm(vector), atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"colour": "red"}, "colour"),
        ({"status": "closed", "internal_comment": "x"}, "internal_comment"),
        ({"id": "T-9"}, "id"),
        ({"opened": "2026-01-01T00:00:00"}, "opened"),
        ({"opened": None}, "opened"),
        ({"body": None}, "body"),
        ({"body": "  "}, "body"),
        ({"status": 7}, "status"),
        ({"status": "write to x.y@example.com"}, "status"),
        ({"notes": "a\x00b"}, "notes"),
        ({}, None),
    ],
)
def test_a_field_that_cannot_be_changed_is_named_and_nothing_is_written(
    world: World, fields: Mapping[str, Any], name: str | None
) -> None:
    world.acme.ingest([ticket(1, BODY)])
    before = row_of(world, "T-1")
    with pytest.raises(RecordError) as refused:
        world.acme.update("T-1", **fields)
    assert refused.value.field == name
    assert row_of(world, "T-1") == before


def test_a_record_that_is_not_there_is_not_made(world: World) -> None:
    for handle in (world.acme, world.globex):
        with pytest.raises(RecordNotFound):
            handle.update("T-1", status="closed")
    world.acme.ingest([ticket(1, BODY)])
    with pytest.raises(RecordNotFound):
        world.globex.update("T-1", status="closed")
    world.acme.delete("T-1")
    with pytest.raises(RecordNotFound):
        world.acme.update("T-1", status="closed")
    assert world.acme.count() == 0


def test_fields_may_be_called_as_arguments_are(world: World) -> None:
    class Odd(sv.Record):
        record_id: sv.Key[str]
        self: sv.Embed[str]
        where: sv.Filter[str]

    odd = world.store.tenant("acme", actor=ACME).collection(Odd)
    odd.ingest([{"record_id": "A", "self": "text", "where": "here"}])
    assert odd.update("A", self="other text", where="there").changed == ("self", "where")
    with pytest.raises(RecordError):
        odd.update("A", record_id="B")


def test_without_a_vault_filters_change_and_new_texts_need_their_people(world: World) -> None:
    bare = world.store.tenant("acme", actor=ACME).collection(Ticket, name="bare", vault=False)
    bare.ingest([ticket(1, BODY), ticket(2, "Nothing personal here.")])
    before = bare.get("T-1")
    assert bare.update("T-1", status="closed").embedded == 0
    assert bare.get("T-1").body == before.body
    with pytest.raises(VaultDisabled):
        bare.update("T-1", notes="Smith called again.")
    bare.update("T-2", customer="new@example.com", notes="ring new@example.com")
    assert "new@example.com" not in (bare.get("T-2").notes or "")


def test_a_field_that_keeps_its_original_is_found_again_and_kept(world: World) -> None:
    class Kept(sv.Record):
        id: sv.Key[str]
        body: Annotated[str, sv.marks.Embed(keep="original")]
        raw: Annotated[str, sv.marks.Seal(keep="original")]
        notes: sv.Seal[str]
        status: sv.Filter[str]

    kept = world.store.tenant("acme", actor=ACME).collection(Kept)
    row = {"id": "A", "body": BODY, "raw": "ring 020 7946 0123", "notes": "Jane Smith again", "status": "open"}
    kept.ingest([row])
    scope, runtime = kept._scope, world.store.runtime
    before = load_live(runtime, scope, scope.record_ref(runtime, "A")).body
    report = kept.update("A", status="closed")
    assert (report.changed, report.embedded) == (("status",), 0)
    after = load_live(runtime, scope, scope.record_ref(runtime, "A")).body
    assert (after.fields, after.text, after.spans, set(after.mentions)) == (
        before.fields,
        before.text,
        before.spans,
        set(before.mentions),
    )
    assert kept.get("A").raw == "ring 020 7946 0123"
    assert kept.update("A", raw="ring somebody").changed == ("raw",)
    assert kept.get("A").raw == "ring somebody"
    assert "jane.smith@example.com" not in kept.search("refund", k=1)[0].text


@pytest.mark.parametrize("operator", ["surrogate", "tag"])
def test_a_person_an_update_brings_leaves_stored_json_and_tables_whole(operator: str) -> None:
    """Between two replacements of the stored text no piece of it is JSON; how a number is written there is."""
    anonymizer = Anonymizer(policy=OperatorPolicy.from_mapping({"default": operator}))
    keys = TenantKeys(b"p" * 32, b"t" * 32)
    for text in (
        '{"mail": "jane@example.com", "seen": [4821037, 5], "by": {"ref": -4821037}, "who": "Jane Smith"}',
        '[{"mail": "jane@example.com"}, 4821037, {"who": "Jane Smith"}, 4821037]',
        '{"mail": "jane@example.com", "who": "\\u0034821037 came", "n": 4821037.0}',
    ):
        kept = {"body": anonymizer.field(text, keys=keys)}
        assert kept["body"].spans
        made = amend(anonymizer, kept, {"who": "4821037"}, new=["who"], keys=keys, subjects=["who"])["body"]
        json.loads(made.text.text)
        assert "4821037" not in made.text.text.replace("\\u0034", "4")
        assert originals_in(made) == text
