"""A new cloak key where a store shows something else than was written, and who may ask for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.backend import VectorBackend
from securevec.errors import (
    CheckFailed,
    CollectionMismatch,
    ControlUnavailable,
    KeyRejected,
    OutcomeUnknown,
    PolicyDenied,
    UsageError,
    WriteNotAcknowledged,
)
from securevec.points.protect import CLOAK_KEY
from securevec.proof.probe import Needles
from securevec.reading.asking import Shown
from securevec.reading.judge import judge
from securevec.reading.opening import fetch_only
from securevec.rekeying import rewriting
from securevec.types import ProtectedPoint, StoredPoint
from tests.support.parcels import EDGE, PARCELS, Parcel, made, name_of, parcel, parcels_home, points, stopped, versions
from tests.support.world import ACME


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.SecureStore]:
    with parcels_home(tmp_path_factory.mktemp("recloak"), str(request.param)) as made:
        yield made


@EDGE
def test_a_store_that_keeps_the_old_vector_is_found_out_before_the_key_dies(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=3)
    held = points(parcels)[0].vector
    backend = home.runtime.backend()
    honest = type(backend).insert

    def keeps(self: VectorBackend, **given: Any) -> None:
        kept = [ProtectedPoint(each.id, held, each.payload, each.terms) for each in given["points"]]  # type: ignore[arg-type]  # a vector
        honest(self, namespace=given["namespace"], points=kept)

    with monkeypatch.context() as patched:
        patched.setattr(type(backend), "insert", keeps)
        with pytest.raises(OutcomeUnknown) as caught:
            home.recloak("acme", name_of(parcels))
        assert isinstance(caught.value.__cause__, WriteNotAcknowledged)
        assert len(versions(parcels)) == 2
    assert home.recloak("acme", name_of(parcels)).state == "done"


@EDGE
def test_a_cloak_key_that_a_live_vector_still_needs_is_not_destroyed(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the pass over the records made of itself: what decides is what is read back before the key dies."""
    parcels = made(home, "rotate", records=3)

    def nothing(*_: object) -> Needles:
        return Needles((), ())

    with monkeypatch.context() as patched:
        patched.setattr(rewriting, "_passes", nothing)
        with pytest.raises(WriteNotAcknowledged):
            home.recloak("acme", name_of(parcels))
        assert len(versions(parcels)) == 2
    parcels.verify().raise_if_wrong()
    assert parcels.delete([record.id for record in parcels.iter()]).deleted == 3  # the next test's jobs are its own
    assert home.recloak("acme", name_of(parcels)).state == "done"


@EDGE
def test_vectors_are_read_back_right_before_their_old_key_dies(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended once it was written down which keys are to go, and the store's files were put back before the
    next one went on: what is there is under the old key alone."""
    parcels = made(home, "rotate", records=3)
    backend, before = home.runtime.backend(), points(parcels)
    honest = type(home.runtime.control).advance_job

    def put_back(self: object, job_id: str, **given: Any) -> object:
        moved = honest(self, job_id, **given)  # type: ignore[arg-type]  # handed on as it came
        if given["to"] == "doomed":
            namespace = parcels._scope.namespace
            backend.delete(namespace=namespace, ids=[point.id for point in points(parcels)])
            old = [ProtectedPoint(each.id, each.vector, each.payload, each.terms) for each in before]  # type: ignore[arg-type]  # as it was read
            backend.insert(namespace=namespace, points=old)
        return moved

    with monkeypatch.context() as patched:
        patched.setattr(type(home.runtime.control), "advance_job", put_back)
        with pytest.raises(CheckFailed):
            home.recloak("acme", name_of(parcels))
    assert len(versions(parcels)) == 2
    assert parcels.ingest(PARCELS[:3]).updated == 3
    assert home.recloak("acme", name_of(parcels)).state == "done"


def edited(collection: sv.Collection[Parcel], **changes: object) -> None:
    """The first point, changed in the store. ``None`` takes a payload key away."""
    point = points(collection)[0]
    vector = changes.pop("vector", point.vector)
    payload = {name: value for name, value in (dict(point.payload) | changes).items() if value is not None}
    changed = ProtectedPoint(point.id, vector, payload, point.terms)  # type: ignore[arg-type]  # what a store may do
    collection._runtime.backend().insert(namespace=collection._scope.namespace, points=[changed])


@EDGE
def test_a_point_that_says_another_version_than_its_body_is_found_out(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=12)
    stopped(home, parcels, monkeypatch)
    first = points(parcels)[0]
    edited(parcels, **{CLOAK_KEY: None if CLOAK_KEY in first.payload else 2})
    assert parcels.verify().edited == 1
    found = parcels.search("parcel of tea", k=12)
    assert (found.violations, len(found)) == (1, 11)
    # The job goes by the body, and puts the hint right.
    assert home.recloak("acme", name_of(parcels)).state == "done"
    assert parcels.verify().raise_if_wrong().records == 12
    assert len(parcels.search("parcel of tea", k=12)) == 12


@EDGE
def test_a_point_under_another_version_than_it_was_asked_by_is_no_hit(home: sv.SecureStore) -> None:
    parcels = made(home, "rotate", records=3)
    ids = [point.id for point in points(parcels)]
    judged = judge(home.runtime, parcels._scope, fetch_only(home.runtime, parcels._scope, ids), where=None).accepted
    shown = [(1, [each.point for each in judged[:2]]), (2, [judged[2].point])]
    kept, astray = Shown.of(shown, 3).in_place(judged)
    assert (kept, astray) == (judged[:2], 1)


@EDGE
def test_a_record_that_was_altered_in_the_store_stops_the_job_before_the_key_dies(home: sv.SecureStore) -> None:
    parcels = made(home, "rotate", records=3)
    edited(parcels, b="AAAA")
    with pytest.raises(CheckFailed, match="as it was written"):
        home.recloak("acme", name_of(parcels))
    assert list(versions(parcels)) == ["1", "2"]
    assert parcels.ingest(PARCELS[:3]).updated == 1
    done = home.recloak("acme", name_of(parcels))
    assert done.state == "done"
    assert parcels.verify().raise_if_wrong().records == 3


@EDGE
def test_a_vector_that_is_none_stops_the_job_before_the_key_dies(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=3)
    backend = home.runtime.backend()
    honest = type(backend).fetch

    def nothing(self: VectorBackend, **given: Any) -> list[StoredPoint]:
        shown = list(honest(self, **given))
        return [replace(each, vector=each.vector * 0) if each.vector is not None else each for each in shown]

    with monkeypatch.context() as patched:
        patched.setattr(type(backend), "fetch", nothing)
        with pytest.raises(CheckFailed, match="a vector of this collection"):
            home.recloak("acme", name_of(parcels))
    assert len(versions(parcels)) == 2
    assert home.recloak("acme", name_of(parcels)).state == "done"


@EDGE
def test_the_old_key_lives_while_the_collection_is_not_bound_to_the_new_one(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens it compares: bound to a key that is gone, nobody could."""
    parcels = made(home, "rotate", records=3)

    def changed(*_: object, **__: object) -> None:
        raise CollectionMismatch("Somebody else changed it.")

    with monkeypatch.context() as patched:
        patched.setattr(type(home.runtime.control), "update_identity", changed)
        with pytest.raises(ControlUnavailable, match="bound to keeps changing"):
            home.recloak("acme", name_of(parcels))
    assert len(versions(parcels)) == 2
    assert home.recloak("acme", name_of(parcels)).state == "done"


def test_a_key_that_is_still_there_is_not_called_destroyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with parcels_home(tmp_path, "edge") as home:
        parcels = made(home, "rotate", records=1)

        def idle(*_: object) -> None: ...

        monkeypatch.setattr(type(home.runtime.keys), "end_cloak_rotation", idle)
        with pytest.raises(WriteNotAcknowledged, match="still in use"):
            home.recloak("acme", name_of(parcels))


@EDGE
def test_a_collection_is_bound_to_a_key_in_force_at_every_step_and_to_no_other(
    home: sv.SecureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = made(home, "rotate", records=3)
    name, tenant, control = name_of(parcels), home.tenant("acme", actor=ACME), home.runtime.control
    opened: list[tuple[str, str]] = []
    honest = type(control).advance_job

    def each_step(self: object, job_id: str, **given: Any) -> object:
        tenant.collection(Parcel, name=name)
        row = control.collection(parcels._scope.collection)
        assert row is not None
        opened.append((given["to"], row.identity))
        return honest(self, job_id, **given)  # type: ignore[arg-type]  # handed on as it came

    with monkeypatch.context() as patched:
        patched.setattr(type(control), "advance_job", each_step)
        assert home.recloak("acme", name).state == "done"
    assert [to for to, _ in opened] == ["dual", "recloaked", "doomed", "keys_destroyed", "verified"]
    assert [identity == opened[0][1] for _, identity in opened] == [True, True, False, False, False]
    row = control.collection(parcels._scope.collection)
    assert row is not None
    assert row.identity == opened[-1][1]
    control.update_identity(row.collection, expect=row.identity, identity=opened[0][1], schema_sealed=row.schema_sealed)
    with pytest.raises(CollectionMismatch, match="another cloak key"):
        tenant.collection(Parcel, name=name, accept_new_detector=True)


@EDGE
def test_who_may_not_manage_what_has_no_cloak_and_a_key_that_is_gone_are_refused(home: sv.SecureStore) -> None:
    plain, parcels = made(home, "plain", records=1), made(home, "rotate", records=1)
    with pytest.raises(UsageError, match="without a cloak"):
        home.recloak("acme", name_of(plain))
    assert not any(CLOAK_KEY in point.payload for point in points(plain))
    theirs = sv.SecureStore(home.runtime, actor=ACME)
    with pytest.raises(PolicyDenied):
        theirs.recloak("acme", name_of(parcels))
    assert list(versions(parcels)) == ["1"]
    ring, (key_id,) = home.runtime.keys, versions(parcels).values()
    ring._store._run("DELETE FROM keys WHERE key_id = ?", (bytes.fromhex(key_id),))
    ring._open.forget()
    for use in (
        lambda: parcels.search("parcel"),
        lambda: parcels.ingest([parcel(9)]),
        lambda: home.recloak("acme", name_of(parcels)),
    ):
        with pytest.raises(KeyRejected):
            use()
    assert parcels.count() == 1
