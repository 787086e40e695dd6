"""A record too large to seal is that row's refusal: no batch begins with it, and no other row is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import numpy as np
import pytest

import securevec as sv
from securevec import limits
from securevec.points.body import Body
from securevec.points.body_format import decode_body
from securevec.reading.opening import open_envelope
from securevec.testing.embedders import HashEmbedder
from securevec.types import AnonymizedField, Span, Token, mint_anonymized
from securevec.writing import prepare
from tests.support.growth import require_growth
from tests.support.world import ACME, World, open_world, ticket


class Letter(sv.Record):
    id: sv.Key[str]
    title: Annotated[str, sv.marks.Embed(keep="original")]
    body: sv.Embed[str]
    kind: sv.Filter[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = tmp_path_factory.mktemp("sizes")
    home, key_file = place / "home", place / "root.key"
    embedder = HashEmbedder(max_tokens=8)
    with sv.SecureStore.open(home, backend="memory", key_file=key_file, embedder=embedder) as store:
        yield open_world(store, home, key_file)


@pytest.fixture(scope="module")
def letters(world: World) -> sv.Collection[Letter]:
    return world.store.tenant("acme", actor=ACME).collection(Letter)


def letter(name: str, body: str, kind: str = "note") -> dict[str, str]:
    return {"id": name, "title": "A letter", "body": body, "kind": kind}


def bodies_of(world: World, handle: sv.Collection[Letter]) -> list[Body]:
    scope, runtime = handle._scope, world.store.runtime
    page = runtime.backend().scan(namespace=scope.namespace, where=None, cursor=None, limit=1000)
    points = runtime.backend().fetch(namespace=scope.namespace, ids=[point.id for point in page.points])
    return [decode_body(open_envelope(runtime.keys, scope, point, payload_key="b", path="body")) for point in points]


SHORT = "a@bb.co " * 2_000
LONG = "".join(f"{number:03}.{'x' * 56}@{'y' * 60}.{'z' * 50}.example " for number in range(150))
"""The addresses are longer than what replaces them together with its span, so the vault is larger than the body."""


@pytest.mark.parametrize("text", [SHORT, LONG], ids=["body", "vault"])
def test_a_record_too_large_to_seal_is_refused_and_the_others_go_through(
    letters: sv.Collection[Letter], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 48 * 1024)
    rows = [letter("one", f"first of {len(text)}"), letter("large", text), letter("two", f"second of {len(text)}")]
    report = letters.ingest(rows, vectors=np.eye(3, 64, dtype=np.float32), vectors_of="anonymized_text")
    assert [(refused.row, refused.error) for refused in report.refused] == [(2, "LimitExceeded")]
    assert report.new + report.updated == 2
    assert letters.get("two").body == f"second of {len(text)}"
    with pytest.raises(sv.errors.RecordNotFound):
        letters.get("large")


def test_a_large_value_repeated_in_every_chunk_is_refused_as_a_whole(
    letters: sv.Collection[Letter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 32 * 1024)
    words = " ".join(f"word{number}" for number in range(1_000))
    report = letters.ingest([letter("wide", words, kind="note " * 4_000), letter("near", "second")])
    assert [(refused.row, refused.error) for refused in report.refused] == [(1, "LimitExceeded")]


def test_a_chunk_repeats_only_the_mentions_it_holds_and_the_first_holds_all(
    world: World, letters: sv.Collection[Letter]
) -> None:
    text = " ".join(f"person{number}@corp.example wrote a letter." for number in range(40))
    assert letters.ingest([letter("many", text)]).new == 1
    bodies = sorted((body for body in bodies_of(world, letters) if body.record_id == "many"), key=lambda b: b.chunk)
    assert len(bodies) > 10
    assert len(bodies[0].mentions) == 40
    for body in bodies[1:]:
        assert set(body.mentions) == {span.token for span in body.spans or ()}


def spotted(count: int) -> AnonymizedField:
    """A field of ``count`` replaced words and as many plain ones."""
    text = "spot word " * count
    spans = [Span(10 * n, 10 * n + 4, "EMAIL", Token(n.to_bytes(16, "big")), "tag", "r") for n in range(count)]
    return AnonymizedField(mint_anonymized(text), tuple(spans), tuple(str(number) for number in range(count)))


def test_every_chunk_holds_exactly_the_spans_inside_it(world: World) -> None:
    fields = [spotted(50), spotted(30)]
    chunks = prepare._chunks(world.acme._scope, fields, whole=False)
    joined = "\n\n".join(field.text.text for field in fields)
    offset = len(fields[0].text) + 2
    whole = [*fields[0].spans, *(span.shifted(offset) for span in fields[1].spans)]
    originals = fields[0].originals + fields[1].originals
    assert len(chunks) > 10
    for part in chunks:
        inside = [n for n, span in enumerate(whole) if span.start >= part.start and span.end <= part.end]
        assert part.spans == tuple(whole[n].shifted(-part.start) for n in inside)
        assert part.originals == tuple(originals[n] for n in inside)
        assert part.text.text == joined[part.start : part.end]


def test_many_spans_in_many_chunks_cost_linear_time(world: World) -> None:
    fields = {count: spotted(count) for count in (100, 1_500, 12_000)}

    def cut(count: int) -> None:
        prepare._chunks(world.acme._scope, [fields[count]], whole=False)

    cut(100)
    # Quadratic work would be sixty-four times as much; small times are left to noise.
    require_growth(cut, 1_500, 12_000, most=25, quiet=0.5)


class Payment(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    reference: sv.Filter[int | None] = None
    ssn: sv.Filter[int | None] = None
    amount: sv.Filter[float | None] = None
    paid: sv.Filter[bool | None] = None
    by: sv.Filter[UUID | None] = None
    hidden: Annotated[int | None, sv.marks.Filter(mode="token")] = None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", 4111111111111111),
        ("reference", -4111111111111111),
        ("ssn", 219099999),
        ("amount", 4111111111111111.0),
    ],
)
def test_a_number_that_is_somebodys_is_not_kept_as_a_clear_filter(world: World, field: str, value: float) -> None:
    payments = world.store.tenant("acme", actor=ACME).collection(Payment)
    report = payments.ingest([{"id": "A", "body": "text"}, {"id": "B", "body": "text", field: value}])
    assert [(refused.row, refused.field, refused.error) for refused in report.refused] == [(2, field, "RecordError")]
    assert "4111" not in report.refused[0].reason
    payments.delete("A")


def test_ordinary_numbers_and_hidden_ones_stay_usable(world: World) -> None:
    payments = world.store.tenant("acme", actor=ACME).collection(Payment)
    rows: list[dict[str, object]] = [
        {"id": "1", "body": "text", "reference": 42, "amount": 19.99, "paid": True},
        {"id": "2", "body": "text", "reference": 20260102, "amount": 250000.0, "hidden": 4111111111111111},
        {"id": "3", "body": "text", "reference": -7, "by": UUID(int=77), "amount": 1e300},
    ]
    assert payments.ingest(rows).refused == ()


def test_a_time_is_not_taken_for_a_number(world: World) -> None:
    # In milliseconds some times pass for card numbers; they are declared as times, so nobody's number.
    rows = [ticket(number, "text", opened=f"2026-01-02T00:00:{number:02}Z") for number in range(60)]
    assert world.acme.ingest(rows).refused == ()
