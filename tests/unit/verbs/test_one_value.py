"""One replaced value alone, by its span id: revealed, redacted, dropped; and what a span id is no good for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import pytest

import securevec as sv
from securevec.errors import (
    ConfigError,
    IsolationViolation,
    LegalHold,
    PolicyDenied,
    RecordError,
    RecordNotFound,
    UsageError,
)
from securevec.testing.embedders import HashEmbedder
from securevec.writing.stored import load_live
from tests.support.world import ACME, GLOBEX, World, open_world, ticket

BODY = "Jane Smith wrote from jane.smith@acme.org, and Robert Jones from robert.jones@acme.org, about the refund."
FILLER = " ".join(f"Sentence number {number} speaks of the waiting room." for number in range(120))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home: Path = tmp_path_factory.mktemp("values")
    key_file = home / "keys" / "root.key"
    with sv.SecureStore.open(home / "home", backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        yield open_world(store, home / "home", key_file)


def ids(hit: sv.Hit[Any], entity: str) -> list[str]:
    return [name for name, placed in zip(hit.span_ids, hit.spans, strict=True) if placed.span.entity == entity]


def hit_of(collection: sv.Collection[Any], record_id: str, chunk: int = 0) -> sv.Hit[Any]:
    hits = collection.search("refund of the waiting room", k=50)
    return next(hit for hit in hits if hit.id == record_id and hit.chunk == chunk)


def stored_of(world: World, collection: sv.Collection[Any], record_id: str) -> Any:
    scope, runtime = collection._scope, world.store.runtime
    return load_live(runtime, scope, scope.record_ref(runtime, record_id))


def test_one_value_is_revealed_and_no_other(world: World) -> None:
    world.acme.ingest([ticket(1, BODY)])
    first, second = ids(hit_of(world.acme, "T-1"), "EMAIL")
    assert world.acme.reveal(second) == {second: "robert.jones@acme.org"}
    assert world.acme.reveal([first, second, first]) == {first: "jane.smith@acme.org", second: "robert.jones@acme.org"}


@pytest.mark.parametrize("chunk", [0, 2])
def test_one_value_is_redacted_and_the_rest_stays_as_it_was(world: World, chunk: int) -> None:
    body = f"{BODY} {FILLER} Write to jane.smith@acme.org and peter.baker@acme.org of the waiting room." * 2
    world.acme.ingest([ticket(2, body, notes="Ask jane.smith@acme.org.")])
    before = stored_of(world, world.acme, "T-2")
    assert len(before.chunks) > 2
    hit = next(h for h in world.acme.search("waiting room", k=50) if h.id == "T-2" and h.chunk >= chunk and h.spans)
    wanted = ids(hit, "EMAIL")[0]
    value = world.acme.reveal(wanted)[wanted]
    vault = before.vaults[0].fields["body"]
    report = world.acme.redact(wanted)
    assert report.changed == ("body",)
    after = stored_of(world, world.acme, "T-2")
    assert after.body.fields["body"].count("[ERASED]") == 1
    remaining = after.vaults[0].fields["body"]
    assert len(remaining) == len(vault) - 1
    assert remaining.count(value) == vault.count(value) - 1
    assert after.vaults[0].fields["notes"] == ("jane.smith@acme.org",)
    assert after.row.expires_ms == before.row.expires_ms
    for spent in (world.acme.reveal, world.acme.redact):
        with pytest.raises(RecordNotFound):
            spent(wanted)


def test_the_last_mention_of_a_person_goes_with_it(world: World) -> None:
    world.acme.ingest([ticket(3, "The refund is for nora.quill@acme.org alone.")])
    before = stored_of(world, world.acme, "T-3").body
    world.acme.redact(ids(hit_of(world.acme, "T-3"), "EMAIL")[0])
    hit = hit_of(world.acme, "T-3")
    assert hit.text == "The refund is for [ERASED] alone."
    assert hit.spans == ()
    assert len(stored_of(world, world.acme, "T-3").body.mentions) == len(before.mentions) - 1


def test_a_span_id_is_worth_nothing_to_others(world: World) -> None:
    world.acme.ingest([ticket(4, BODY)])
    wanted = ids(hit_of(world.acme, "T-4"), "EMAIL")[0]
    with pytest.raises((RecordNotFound, IsolationViolation)):
        world.globex.reveal(wanted)
    with pytest.raises((RecordNotFound, IsolationViolation)):
        world.globex.redact(wanted)
    reader = sv.Actor("user:reader")
    world.store.tenant("acme", actor=ACME).grant(reader, "reader")
    theirs = world.store.tenant("acme", actor=reader).collection(world.acme.record_class, name="ticket")
    for denied in (theirs.reveal, theirs.redact):
        with pytest.raises(PolicyDenied):
            denied(wanted)
    assert world.acme.reveal(wanted)[wanted] == "jane.smith@acme.org"
    assert "jane" not in wanted


@pytest.mark.parametrize(
    "wanted", ["", "x", "0" * 32, "0" * 32 + ".-1", "0" * 32 + ".1.", "G" * 32 + ".1", "0" * 32 + ".01", "../../x"]
)
def test_what_is_no_span_id_is_a_mistake_and_not_an_absence(world: World, wanted: str) -> None:
    with pytest.raises(UsageError):
        world.acme.reveal(wanted)
    with pytest.raises(UsageError):
        world.acme.redact(wanted)


def test_a_place_that_holds_no_value_is_not_found(world: World) -> None:
    world.acme.ingest([ticket(5, BODY)])
    wanted = hit_of(world.acme, "T-5").span_ids[0]
    point, _, rest = wanted.partition(".")
    for other in (f"{point}.99.body", f"{point}.0.nothing", f"{point}.0", f"{'0' * 32}.{rest}"):
        with pytest.raises(RecordNotFound):
            world.acme.reveal(other)
        with pytest.raises(RecordNotFound):
            world.acme.redact(other)


def test_a_held_record_keeps_its_values(world: World) -> None:
    world.acme.ingest([ticket(6, BODY)])
    wanted = hit_of(world.acme, "T-6").span_ids[0]
    tenant = world.store.tenant("acme", actor=ACME)
    hold = tenant.hold("a matter of the tests", collection="ticket", record="T-6")
    with pytest.raises(LegalHold):
        world.acme.redact(wanted)
    world.store.tenant("acme", actor=sv.Actor.local()).release(hold.id)
    assert world.acme.redact(wanted).chunks == 1


def test_a_held_record_is_refused_before_anything_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write would refuse it too; this is the first of the two barriers alone."""

    def written(*_: object, **__: object) -> None:
        raise AssertionError("a held record went as far as the write")

    world.acme.ingest([ticket(61, BODY)])
    wanted = hit_of(world.acme, "T-61").span_ids[0]
    hold = world.store.tenant("acme", actor=ACME).hold("a matter of the tests", collection="ticket", record="T-61")
    monkeypatch.setattr("securevec.verbs.values.write_batch", written)
    with pytest.raises(LegalHold):
        world.acme.redact(wanted)
    world.store.tenant("acme", actor=sv.Actor.local()).release(hold.id)


def test_a_span_of_a_replaced_record_is_not_cut_out_of_the_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judgement would pass over the old point; this is the look at the live chunks alone."""
    world.acme.ingest([ticket(62, BODY)])
    hit = hit_of(world.acme, "T-62")
    ref = stored_of(world, world.acme, "T-62").ref
    world.acme.ingest([ticket(62, f"Another matter. {BODY}")])

    def believing(*_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(accepted=[SimpleNamespace(ref=ref)])

    monkeypatch.setattr("securevec.verbs.values.judge", believing)
    with pytest.raises(RecordNotFound):
        world.acme.redact(hit.span_ids[0])


def test_a_given_vector_is_not_left_beside_a_redacted_text(world: World) -> None:
    vector = np.linspace(1, 2, 64, dtype=np.float32)
    world.acme.ingest([ticket(7, BODY)], vectors=vector[None, :], vectors_of="anonymized_text")
    with pytest.raises(RecordError, match="given by its caller"):
        world.acme.redact(hit_of(world.acme, "T-7").span_ids[0])


def test_a_dropped_value_is_kept_nowhere_and_a_vaulted_one_is_kept(world: World) -> None:
    tenant = world.store.tenant("acme", actor=ACME)
    operators = {"EMAIL": "drop", "PERSON": "vault", "DATE": "generalise"}
    chosen = tenant.collection(world.acme.record_class, name="chosen", retention="180d", operators=operators)
    chosen.ingest([ticket(8, "Jane Smith wrote from jane.smith@acme.org on 03/14/2024 about the refund.")])
    hits = chosen.search("refund", k=1)
    assert hits[0].text == "[PERSON] wrote from  on 2024 about the refund."
    vault = stored_of(world, chosen, "T-8").vaults[0]
    assert "jane.smith@acme.org" not in vault.fields["body"]
    assert hits.restore(hits.context()) == "Jane Smith wrote from [EMAIL_1] on 03/14/2024 about the refund."
    with pytest.raises(RecordNotFound, match="dropped"):
        chosen.reveal(ids(hits[0], "EMAIL"))
    with pytest.raises(ConfigError, match="vault"):
        tenant.collection(world.acme.record_class, name="bare", vault=False, operators={"PERSON": "vault"})


def test_a_field_that_keeps_its_original_loses_the_value_too(world: World) -> None:
    class Letter(sv.Record):
        id: sv.Key[str]
        body: Annotated[str, sv.marks.Embed(keep="original")]

    letters = world.store.tenant("globex", actor=GLOBEX).collection(Letter)
    letters.ingest([{"id": "L-1", "body": BODY}])
    hit = letters.search("refund", k=1)[0]
    letters.redact(ids(hit, "EMAIL")[0])
    assert letters.get("L-1").body == BODY.replace("jane.smith@acme.org", "[ERASED]")
    assert letters.search("refund", k=1)[0].text.count("[ERASED]") == 1
