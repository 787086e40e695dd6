"""P4, values sealed with keys of this installation, and for somebody else than they lie with: what no thief can make
and a mistake of ours, or a row put together from two, could. Each is refused, as what nobody sealed is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest

import securevec as sv
from securevec.crypto.armour import from_text, to_text
from securevec.crypto.context import Place
from securevec.crypto.derive import RecordIds, typed_record_id
from securevec.crypto.envelope import SubjectKey, read_key_ids, seal
from securevec.errors import CheckFailed, EnvelopeRejected
from securevec.reading import sheets
from securevec.reading.opening import check_place, open_body, open_envelope
from securevec.reading.sheets import Sealed, named_keys, opened_chunks, sealed_under
from securevec.state.runtime import Runtime
from securevec.types import RecordRef, StoredPoint
from tests.support.attacks import Stage, open_stage


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    body: sv.Embed[str]


_LETTERS = [(1, "jane.doe@example.com"), (2, "peter.miller@example.org"), (3, None)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path, "memory") as made:
        yield made


@pytest.fixture
def letters(stage: Stage) -> sv.Collection[Letter]:
    handle = stage.acme.collection(Letter, retention="180d")
    rows = [{"id": f"L-{n}", "writer": writer, "body": f"a lantern of {writer}"} for n, writer in _LETTERS]
    assert handle.ingest(rows).refused == ()
    return handle


def points_of(stage: Stage, handle: sv.Collection[Letter]) -> dict[str, StoredPoint]:
    """By record id."""
    scope = handle._scope
    page = stage.trap.scan(namespace=scope.namespace, where=None, cursor=None, limit=100)
    keys = stage.store.runtime.keys.view()
    return {str(open_body(keys, scope, point).record_id): point for point in page.points}


def resealed(runtime: Runtime, handle: sv.Collection[Letter], point: StoredPoint, name: str, **by: Any) -> str:
    """A value of the point with the same content, for the point ``at``, the person ``subject``, or with the key that
    seals the value ``under``."""
    path = {"b": "body", "v": "vault"}[name]
    scope, keys = handle._scope, runtime.keys.view()
    plain = open_envelope(keys, scope, point, payload_key=name, path=path)
    key = keys.key_by_id(read_key_ids(from_text(point.payload[by.get("under", name)]))[0])
    place = Place(bytes.fromhex(scope.tenant), bytes.fromhex(scope.collection), by.get("at", point.id), path)
    return to_text(seal(key, plain, place, subject=by.get("subject")))


def person_of(runtime: Runtime, point: StoredPoint) -> SubjectKey:
    return runtime.keys.view().bound_key(read_key_ids(from_text(point.payload["b"]))[1])


def put(point: StoredPoint, **payload: str) -> StoredPoint:
    return replace(point, payload={**point.payload, **payload})


def test_a_value_sealed_under_a_person_of_another_tenant_is_refused(
    stage: Stage, letters: sv.Collection[Letter]
) -> None:
    runtime, point = stage.store.runtime, points_of(stage, letters)["L-1"]
    foreign = runtime.keys.subject_keys(stage.globex.id, [bytes(16)])[bytes(16)]
    forged = put(point, b=resealed(runtime, letters, point, "b", subject=foreign))
    assert open_body(runtime.keys.view(), letters._scope, point).record_id == "L-1"
    with pytest.raises(EnvelopeRejected, match="another place"):
        open_body(runtime.keys.view(), letters._scope, forged)


def test_a_body_sealed_for_the_point_of_another_record_is_refused(stage: Stage, letters: sv.Collection[Letter]) -> None:
    runtime, scope = stage.store.runtime, letters._scope
    first, second = (points_of(stage, letters)[name] for name in ("L-1", "L-2"))
    person = person_of(runtime, first)
    moved = put(second, b=resealed(runtime, letters, first, "b", at=second.id, subject=person))
    body = open_body(runtime.keys.view(), scope, moved)
    assert body.record_id == "L-1"
    ids = RecordIds(runtime.keys.tenant_key(scope.tenant, "id"), scope.collection)
    with pytest.raises(EnvelopeRejected, match="another point"):
        check_place(ids, moved, body, ids.ref(typed_record_id("L-1")))
    check_place(ids, first, body, ids.ref(typed_record_id("L-1")))


def test_a_body_sealed_with_the_key_of_vaults_is_refused(stage: Stage, letters: sv.Collection[Letter]) -> None:
    runtime, point = stage.store.runtime, points_of(stage, letters)["L-1"]
    person = person_of(runtime, point)
    again = put(point, b=resealed(runtime, letters, point, "b", subject=person))
    assert open_body(runtime.keys.view(), letters._scope, again).record_id == "L-1"
    forged = put(point, b=resealed(runtime, letters, point, "b", subject=person, under="v"))
    with pytest.raises(EnvelopeRejected, match="another place"):
        open_body(runtime.keys.view(), letters._scope, forged)


@pytest.mark.parametrize("whose", ["nobody", "another person"])
def test_a_vault_sealed_for_somebody_else_than_its_body_is_not_sealed_anew(
    stage: Stage, letters: sv.Collection[Letter], whose: str
) -> None:
    runtime, scope = stage.store.runtime, letters._scope
    points = points_of(stage, letters)
    place = Sealed(scope.tenant, scope.collection, scope.namespace, vault=True)
    rows = runtime.control.live_after(scope.collection, RecordRef(b""), limit=10, now_ms=0)
    assert sum(map(len, opened_chunks(runtime, place, rows).values())) == 3
    other = person_of(runtime, points["L-2"]) if whose == "another person" else None
    forged = put(points["L-1"], v=resealed(runtime, letters, points["L-1"], "v", subject=other))
    stage.trap.edit_fetch = lambda shown: [
        replace(point, payload=forged.payload) if point.id == forged.id else point for point in shown
    ]
    with pytest.raises(CheckFailed):
        opened_chunks(runtime, place, rows)


def test_a_point_that_is_shown_without_its_vector_is_not_sealed_anew(
    stage: Stage, letters: sv.Collection[Letter]
) -> None:
    runtime, scope = stage.store.runtime, letters._scope
    place = Sealed(scope.tenant, scope.collection, scope.namespace, vault=True)
    rows = runtime.control.live_after(scope.collection, RecordRef(b""), limit=10, now_ms=0)
    stage.trap.edit_fetch = lambda shown: [replace(point, vector=None) for point in shown]
    with pytest.raises(CheckFailed):
        opened_chunks(runtime, place, rows)


def test_what_is_opened_says_every_key_that_opened_it(stage: Stage, letters: sv.Collection[Letter]) -> None:
    """The body's and the vault's: either may be the one that is about to be destroyed."""
    runtime, scope = stage.store.runtime, letters._scope
    place = Sealed(scope.tenant, scope.collection, scope.namespace, vault=True)
    rows = runtime.control.live_after(scope.collection, RecordRef(b""), limit=10, now_ms=0)
    opened, named = opened_chunks(runtime, place, rows), named_keys(runtime, place, rows)
    assert {len(chunk.keys) for chunks in opened.values() for chunk in chunks} == {1, 2}
    for ref, (chunk,) in opened.items():
        people = set() if chunk.subject is None else {chunk.subject.key_id}
        assert chunk.keys | people == named[ref]


def test_a_value_of_ours_that_is_no_body_stops_what_would_be_sealed_anew(
    stage: Stage, letters: sv.Collection[Letter]
) -> None:
    """And nothing but its own record: the others of its sheet are read one by one then."""
    runtime, scope, point = stage.store.runtime, letters._scope, points_of(stage, letters)["L-1"]
    place = Sealed(scope.tenant, scope.collection, scope.namespace, vault=True)
    rows = runtime.control.live_after(scope.collection, RecordRef(b""), limit=10, now_ms=0)
    key = runtime.keys.view().key_by_id(read_key_ids(from_text(point.payload["b"]))[0])
    where = Place(bytes.fromhex(scope.tenant), bytes.fromhex(scope.collection), point.id, "body")
    forged = put(point, b=to_text(seal(key, b"no body", where, subject=person_of(runtime, point))))
    stage.trap.edit_fetch = lambda shown: [
        replace(each, payload=forged.payload) if each.id == forged.id else each for each in shown
    ]
    with pytest.raises(CheckFailed):
        opened_chunks(runtime, place, rows)
    stage.trap.edit_fetch = None
    letters.delete(["L-1"])
    # Deleted meanwhile, and shown still: it stops nobody any more.
    stage.trap.edit_fetch = lambda shown: [*shown, replace(forged, vector=shown[0].vector)]
    lost = scope.record_ref(runtime, "L-1")
    assert set(opened_chunks(runtime, place, rows)) == {row.ref for row in rows} - {lost}


def test_points_that_nobody_asked_for_name_no_keys(stage: Stage, letters: sv.Collection[Letter]) -> None:
    runtime, scope = stage.store.runtime, letters._scope
    place = Sealed(scope.tenant, scope.collection, scope.namespace, vault=True)
    row, other, _ = runtime.control.live_after(scope.collection, RecordRef(b""), limit=10, now_ms=0)
    honest = named_keys(runtime, place, [row])
    everybody = set[bytes]().union(*named_keys(runtime, place, [row, other]).values())
    beside = stage.trap.scan(namespace=scope.namespace, where=None, cursor=None, limit=100).points
    stage.trap.edit_fetch = lambda shown: [*shown, *beside, replace(beside[0], id=uuid4())]
    assert named_keys(runtime, place, [row]) == honest
    assert sealed_under(runtime, place, [row], frozenset(everybody - honest[row.ref])) == []
    assert sealed_under(runtime, place, [row], honest[row.ref]) == [row]


def test_a_collection_is_read_in_sheets_that_memory_is_given_for(
    stage: Stage, letters: sv.Collection[Letter], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, collection = stage.store.runtime, letters._scope.collection
    sizes = [row.size for (sheet,) in [tuple(sheets.sheets(runtime, collection))] for row in sheet]
    assert len(sizes) == 3
    for memory, lengths in {1: [1, 1, 1], sum(sizes): [3], sum(sizes) - 1: [2, 1], sizes[0]: [1, 1, 1]}.items():
        monkeypatch.setattr(sheets, "SHEET_BYTES", memory)
        assert [len(sheet) for sheet in sheets.sheets(runtime, collection)] == lengths
