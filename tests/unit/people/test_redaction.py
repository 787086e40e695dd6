"""Taking a person out of the records that mention them: what is replaced, what stays, what must be deleted instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import securevec as sv
from securevec.anonymize.stored import ERASED, original_without, originals_in, revealed, stored_field, without
from securevec.control.rows import ManifestRow
from securevec.errors import LimitExceeded, RecordNotFound, UnknownFormat, UsageError
from securevec.people import redact
from securevec.proof.purging import purge_with_proof
from securevec.proof.receipt import read
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedField, ProtectedPoint, Span, Token
from securevec.writing.stored import fields_of, load

JANE, PETER = "jane.doe@example.com", "peter.miller@example.org"
OWNER = sv.Actor("svc:people", purpose="requests")


class Letter(sv.Record):
    id: sv.Key[str]
    writer: sv.Subject[str]
    text: sv.Embed[str]
    answer: sv.Embed[str | None] = None
    pages: sv.Seal[int | None] = None
    topic: sv.Filter[str | None] = None


class Kept(sv.Record):
    id: sv.Key[str]
    writer: sv.Subject[str]
    text: Annotated[str, sv.marks.Embed(keep="original")]
    raw: Annotated[str | None, sv.marks.Seal(keep="original")] = None


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    root = tmp_path_factory.mktemp("redaction")
    with sv.SecureStore.open(
        root / "home", backend="memory", key_file=root / "keys" / "root.key", embedder=HashEmbedder(max_tokens=40)
    ) as opened:
        yield opened


@pytest.fixture
def tenant(store: sv.SecureStore, request: pytest.FixtureRequest) -> sv.Tenant:
    return store.tenant(f"t{abs(hash(request.node.nodeid))}", create=True, actor=OWNER)


def _row(store: sv.SecureStore, collection: sv.Collection[Any], record_id: str) -> ManifestRow:
    ref = collection._scope.record_ref(store.runtime, record_id)
    return store.runtime.control.current(collection.id, [ref])[ref]


def _said(store: sv.SecureStore, result: Any) -> dict[str, dict[str, str]]:
    predicate = read(result.receipt, public=store.runtime.keys.signing_key().public).predicate
    return {entry["artefact"].split()[0]: entry for entry in predicate["artefacts"]}


def test_expiry_ingestion_filters_and_other_values_stay(store: sv.SecureStore, tenant: sv.Tenant) -> None:
    letters = tenant.collection(Letter, retention="90d")
    letters.ingest([{"id": "a", "writer": "C-1", "text": f"{JANE} and {PETER}", "pages": 7, "topic": "roof"}])
    before = _row(store, letters, "a")
    tenant.erase_subject(JANE).raise_if_incomplete()
    after = _row(store, letters, "a")
    assert after.generation > before.generation
    assert (after.expires_ms, after.epoch, after.ingested_ms) == (before.expires_ms, before.epoch, before.ingested_ms)
    assert after.content_digest != before.content_digest
    record = letters.get("a")
    assert (record.pages, record.topic) == (7, "roof")
    assert record.text.startswith("[ERASED] and ")
    assert len(letters.search("roof", where=sv.F("topic") == "roof", k=2)) == 1


def test_a_long_record_is_cut_anew_and_every_chunk_is_clean(store: sv.SecureStore, tenant: sv.Tenant) -> None:
    letters = tenant.collection(Letter)
    text = " ".join(f"line {number} was written by {JANE} with {PETER} beside." for number in range(40))
    letters.ingest([{"id": "a", "writer": "C-1", "text": text, "answer": f"dear {JANE}"}])
    tenant.erase_subject(JANE).raise_if_incomplete()
    row = _row(store, letters, "a")
    assert row.n_chunks > 5
    stored = load(store.runtime, letters._scope, [row])[letters._scope.record_ref(store.runtime, "a")]
    tokens = {token for chunk in stored.chunks for token in (*chunk.body.about, *chunk.body.mentions)}
    assert len(tokens) == 2
    originals = {
        one for vault in stored.vaults if vault for one in (*(vault.spans or ()), *sum(vault.fields.values(), ()))
    }
    assert originals == {"C-1", PETER}
    record = letters.get("a")
    assert record.text.count("[ERASED]") == 40
    assert record.answer == "dear [ERASED]"


def test_a_field_that_keeps_its_original_loses_the_person_and_nobody_else(
    store: sv.SecureStore, tenant: sv.Tenant
) -> None:
    kept = tenant.collection(Kept)
    kept.ingest([{"id": "a", "writer": "C-1", "text": f"{PETER} told {JANE} so", "raw": f"cc {JANE}, {PETER}"}])
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    record = kept.get("a")
    assert (record.text, record.raw) == (f"{PETER} told [ERASED] so", f"cc [ERASED], {PETER}")
    hit = kept.search("told", k=1)[0]
    assert "[ERASED]" in hit.text
    assert PETER not in hit.text
    assert "0 removed as a whole" in _said(store, result)["mentions"]["evidence"]


def _another_digest(_: object) -> str:
    return "0" * 64


@pytest.mark.parametrize("reason", ["no vault", "another detector"])
def test_an_original_that_cannot_be_searched_for_the_person_is_deleted(
    store: sv.SecureStore, tenant: sv.Tenant, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tenant.collection(Kept, vault=reason != "no vault")
    kept.ingest(
        [{"id": "a", "writer": "C-1", "text": f"{PETER} told {JANE} so"}, {"id": "b", "writer": "C-2", "text": "x"}]
    )
    if reason == "another detector":
        monkeypatch.setattr("securevec.anonymize.engine.digest_of", _another_digest)
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    monkeypatch.undo()
    with pytest.raises(RecordNotFound):
        kept.get("a")
    assert kept.get("b").text == "x"
    assert "0 records stored again without the subject, 1 removed" in _said(store, result)["mentions"]["evidence"]


def test_without_a_vault_anonymized_texts_are_redacted_all_the_same(store: sv.SecureStore, tenant: sv.Tenant) -> None:
    letters = tenant.collection(Letter, vault=False)
    letters.ingest([{"id": "a", "writer": "C-1", "text": f"{JANE} and {PETER}"}])
    tenant.erase_subject(JANE).raise_if_incomplete()
    assert letters.get("a").text.startswith("[ERASED] and ")


def test_a_record_whose_vector_was_given_is_deleted_and_the_receipt_says_so(
    store: sv.SecureStore, tenant: sv.Tenant
) -> None:
    letters = tenant.collection(Letter)
    vectors = np.eye(64, dtype=np.float32)[:2]
    letters.ingest(
        [{"id": "a", "writer": "C-1", "text": f"{JANE} called"}, {"id": "b", "writer": "C-2", "text": "nobody"}],
        vectors=vectors,
        vectors_of="anonymized_text",
    )
    letters.ingest([{"id": "c", "writer": "C-3", "text": f"{JANE} called"}])
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    with pytest.raises(RecordNotFound):
        letters.get("a")
    assert (letters.get("b").id, letters.get("c").text) == ("b", "[ERASED] called")
    assert "1 records stored again without the subject, 1 removed" in _said(store, result)["mentions"]["evidence"]


def test_a_record_whose_originals_the_store_withholds_is_deleted_and_not_stored_without_them(
    store: sv.SecureStore, tenant: sv.Tenant
) -> None:
    letters = tenant.collection(Letter)
    letters.ingest([{"id": "a", "writer": "C-1", "text": f"{JANE} and {PETER}"}])
    backend, namespace = store.runtime.backend(), letters._scope.namespace
    (point,) = backend.scan(namespace=namespace, where=None, cursor=None, limit=9).points
    (whole,) = backend.fetch(namespace=namespace, ids=[point.id], with_vectors=True)
    assert whole.vector is not None
    payload = {key: value for key, value in whole.payload.items() if key != "v" and isinstance(value, str | int)}
    backend.insert(namespace=namespace, points=[ProtectedPoint(whole.id, whole.vector, payload)])
    tenant.erase_subject(JANE).raise_if_incomplete()
    with pytest.raises(RecordNotFound):
        letters.get("a")


def test_a_record_whose_span_table_does_not_say_where_the_person_stands_is_deleted(
    store: sv.SecureStore, tenant: sv.Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names them among its mentions: whatever stands for them would stay."""
    letters = tenant.collection(Letter)
    letters.ingest([{"id": "a", "writer": "C-1", "text": f"{JANE} and {PETER}"}])

    def without_spans(*given: Any) -> dict[str, AnonymizedField]:
        return {name: replace(field, spans=()) for name, field in fields_of(*given).items()}

    monkeypatch.setattr(redact, "fields_of", without_spans)
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    assert "1 removed as a whole" in _said(store, result)["mentions"]["evidence"]
    with pytest.raises(RecordNotFound):
        letters.get("a")


def test_a_record_about_one_and_mentioning_another_survives_the_others_erasure(tenant: sv.Tenant) -> None:
    letters = tenant.collection(Letter)
    letters.ingest([{"id": "a", "writer": PETER, "text": f"{JANE} and {PETER}"}])
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    assert (result.about, result.mentions) == (0, 1)
    assert tenant.find_subject(PETER).about == 1
    result = tenant.erase_subject(JANE, PETER).raise_if_incomplete()
    assert (result.about, result.mentions) == (1, 0)
    assert letters.count() == 0


def test_fifty_people_are_one_job_over_several_collections(store: sv.SecureStore, tenant: sv.Tenant) -> None:
    first, second = tenant.collection(Letter, name="first"), tenant.collection(Letter, name="second")
    people = [f"person{number}@example.com" for number in range(50)]
    first.ingest({"id": f"a{number}", "writer": who, "text": "hello"} for number, who in enumerate(people))
    second.ingest({"id": f"b{number}", "writer": "C-1", "text": f"for {who}"} for number, who in enumerate(people))
    result = tenant.erase_subject(*people).raise_if_incomplete()
    assert (result.about, result.mentions) == (50, 50)
    assert (first.count(), second.count()) == (0, 50)
    assert len([job for job in store.runtime.control.jobs() if job.tenant == tenant.id]) == 1
    predicate = read(result.receipt or b"", public=store.runtime.keys.signing_key().public).predicate
    assert len(predicate["subjects"]) == 50
    assert predicate["manifest"] == {"deleted": 50, "redacted": 50, "chunks": 100, "collections": 2}
    assert "other" not in _said(store, result)


def test_a_collection_that_held_nobody_is_left_alone_and_the_receipt_says_what_that_leaves(
    store: sv.SecureStore, tenant: sv.Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tenant.collection(Letter, name="first"), tenant.collection(Letter, name="second")
    first.ingest([{"id": "a", "writer": JANE, "text": "hello"}])
    second.ingest([{"id": "a", "writer": PETER, "text": "hello"}])
    purged: list[str] = []

    def watched(runtime: Any, namespace: Any, needles: Any, stood: Any) -> Any:
        purged.append(namespace.shard)
        return purge_with_proof(runtime, namespace, needles, stood)

    monkeypatch.setattr("securevec.people.erase.purge_with_proof", watched)
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    assert purged == [first._scope.namespace.shard]
    other = _said(store, result)["other"]
    assert other["verdict"] == "unverified"
    assert other["evidence"].startswith("1 collections")


def test_a_tenant_over_its_quota_is_rid_of_the_person_all_the_same(store: sv.SecureStore, tenant: sv.Tenant) -> None:
    letters = tenant.collection(Letter)
    letters.ingest([{"id": "a", "writer": "C-1", "text": f"{JANE} and {PETER} called about the roof"}])
    store.runtime.control.set_quota(tenant.id, max_points=1, max_bytes=1)
    tenant.erase_subject(JANE).raise_if_incomplete()
    assert letters.get("a").text.startswith("[ERASED] and ")
    assert len(letters.ingest([{"id": "b", "writer": "C-1", "text": "more"}]).refused) == 1


def test_erasing_somebody_unknown_fences_and_says_that_nothing_was_there(
    store: sv.SecureStore, tenant: sv.Tenant
) -> None:
    letters = tenant.collection(Letter)
    result = tenant.erase_subject(JANE).raise_if_incomplete()
    assert (result.about, result.mentions) == (0, 0)
    assert len(letters.ingest([{"id": "a", "writer": JANE, "text": "hello"}]).refused) == 1
    assert "points" not in _said(store, result)


def test_an_erasure_without_an_end_in_the_future_is_refused(tenant: sv.Tenant) -> None:
    from datetime import UTC, datetime

    for until in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1)):  # noqa: DTZ001  the point of the test
        with pytest.raises(UsageError):
            tenant.erase_subject(JANE, until=until)
    with pytest.raises(UsageError):
        tenant.erase_subject()
    with pytest.raises(LimitExceeded):
        tenant.erase_subject(*["x@example.com"] * 1001)


def _field(pieces: list[tuple[str, int]]) -> AnonymizedField:
    """A field of plain text and surrogates: ``(plain, who)``, a surrogate of person ``who`` after each plain piece."""
    text, spans, originals = "", list[Span](), list[str]()
    for number, (plain, who) in enumerate(pieces):
        text += plain
        surrogate = f"<{who}>"
        spans.append(Span(len(text), len(text) + len(surrogate), "EMAIL", Token(bytes([who])), "surrogate", "r"))
        originals.append(f"original {who} {number}")
        text += surrogate
    return stored_field(text, spans, originals)


@given(
    st.lists(st.tuples(st.text(alphabet="abc \n", max_size=5), st.integers(0, 3)), max_size=8),
    st.sets(st.integers(0, 3)),
)
def test_cutting_people_out_touches_their_spans_and_no_others(pieces: list[tuple[str, int]], gone: set[int]) -> None:
    field, tokens = _field(pieces), {Token(bytes([who])) for who in gone}
    cut = without(field, tokens)
    expected = "".join(plain + (ERASED if who in gone else f"<{who}>") for plain, who in pieces)
    assert cut.text.text == expected
    assert [span.token for span in cut.spans] == [span.token for span in field.spans if span.token not in tokens]
    for span, original in zip(cut.spans, cut.originals, strict=True):
        assert cut.text.text[span.start : span.end] == f"<{span.token[0]}>"
        assert original.startswith(f"original {span.token[0]} ")
    assert originals_in(cut) == original_without(field, tokens)
    shown = originals_in(revealed(field, tokens))
    assert all((f"original {who} {number}" in shown) == (who in gone) for number, (_, who) in enumerate(pieces))


@pytest.mark.parametrize("spans", [[(3, 2)], [(0, 99)], [(0, 2), (1, 3)]])
def test_a_span_table_that_does_not_fit_its_text_is_refused(spans: list[tuple[int, int]]) -> None:
    table = [Span(start, end, "EMAIL", Token(b"t" * 16), "surrogate", "r") for start, end in spans]
    with pytest.raises(UnknownFormat):
        stored_field("abcd", table, ["x"] * len(table))
    with pytest.raises(UnknownFormat):
        stored_field("abcd", [], ["x"])
