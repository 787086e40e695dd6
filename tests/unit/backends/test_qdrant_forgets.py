"""A Qdrant server that drops an operation in silence, refuses one, or describes a place wrongly.

A stand-in that answers as the documented API does. No Qdrant server ran here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from securevec.errors import BackendError, ConfigError
from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, an_id, fill, held
from securevec.testing.conformance_hybrid import some_terms
from securevec.types import Layout, Namespace

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from securevec_qdrant import server
from securevec_qdrant.server import QdrantServerBackend
from securevec_qdrant.server_places import Places
from tests.support.qdrant_engine import Recorded, Refusal, StandIn, _done
from tests.support.qdrant_wire import Line, line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

MINE, THEIRS = a_namespace("mine"), a_namespace("theirs")
PLACES = "securevec-places"


@pytest.fixture
def at() -> Iterator[Line]:
    with line() as found:
        yield found


def put_place(at: Line, backend: QdrantServerBackend, payload: dict[str, Any]) -> None:
    """What somebody with the key writes over a place's description."""
    found = at.stand_in._local.scroll(PLACES, limit=1)[0][0]
    at.stand_in._local.overwrite_payload(PLACES, {**(found.payload or {}), **payload}, points=[found.id])


@pytest.mark.parametrize(
    "payload", [{"dimension": "8"}, {"dimension": 0}, {"dimension": True}, {"dimension": None}, {"layout": "shard"}]
)
def test_a_place_that_is_described_wrongly_is_loud_and_can_be_removed(at: Line, payload: dict[str, Any]) -> None:
    backend = at.open()
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, [1])
    put_place(at, backend, payload)
    fresh = at.open()
    for call in (
        lambda: fresh.count(namespace=MINE),
        lambda: fresh.ensure(namespace=MINE, spec=SPEC),
        lambda: fill(fresh, MINE, [2]),
    ):
        with pytest.raises(BackendError, match="cannot be read"):
            call()
    assert fresh.drop(namespace=MINE).points == 1
    assert fresh.count(namespace=MINE) == 0


def test_a_place_that_the_store_did_not_keep_is_noticed(at: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = StandIn._upsert

    def forgetful(self: StandIn, request: Recorded, held: Any) -> Any:
        return _done() if request.collection == PLACES else honest(self, request, held)

    monkeypatch.setattr(StandIn, "_upsert", forgetful)
    backend = at.open()
    with pytest.raises(BackendError, match="did not keep the description"):
        backend.ensure(namespace=MINE, spec=SPEC)


@pytest.mark.parametrize("method", ["_create", "_create_shard"])
def test_a_collection_or_shard_that_is_refused_is_an_error_and_one_that_somebody_made_is_not(
    at: Line, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    honest = getattr(StandIn, method)

    def refusing(self: StandIn, *asked: Any) -> Any:
        raise Refusal(500, "INTERNAL", "canary of the server")

    def late(self: StandIn, *asked: Any) -> Any:
        honest(self, *asked)
        raise Refusal(400, "INVALID_ARGUMENT", "exists")

    backend = at.open("shard")
    monkeypatch.setattr(StandIn, method, refusing)
    with pytest.raises(BackendError) as failed:
        backend.ensure(namespace=MINE, spec=SPEC)
    assert "canary" not in str(failed.value)
    monkeypatch.setattr(StandIn, method, late)
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, [1])
    assert held(backend, MINE) == {1}


@pytest.mark.parametrize("layout", ["collection", "shard"])
def test_what_a_drop_of_a_neighbour_took_along_is_made_again_before_anything_is_written(
    at: Line, monkeypatch: pytest.MonkeyPatch, layout: Any
) -> None:
    """The last place of a tenant takes its collection along. A drop that looked before this place was there does so."""
    backend, other = at.open(layout), a_namespace("mine", "invoices")
    backend.ensure(namespace=other, spec=SPEC)
    honest = Places.add

    def add(self: Places, place: Any, dimension: int) -> None:
        monkeypatch.undo()
        at.open(layout).drop(namespace=other)
        honest(self, place, dimension)

    monkeypatch.setattr(Places, "add", add)
    backend.ensure(namespace=MINE, spec=SPEC)
    assert len(at.stand_in.named("drop", "delete_shard")) == 1
    fill(backend, MINE, [1])
    assert held(backend, MINE) == {1}


def test_more_tenants_than_one_answer_names_are_not_cut_in_silence(at: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = at.open()
    for namespace in (MINE, THEIRS):
        backend.ensure(namespace=namespace, spec=SPEC)
    monkeypatch.setattr(server, "FACETS", 2)
    with pytest.raises(BackendError, match="more tenants"):
        list(backend.namespaces())
    sent = at.stand_in.named("facet")[-1].body
    assert (sent["exact"], sent["limit"]) == (True, 2), "an estimate may leave a tenant out"
    monkeypatch.setattr(server, "FACETS", 3)
    assert set(backend.namespaces()) == {MINE.tenant_tag, THEIRS.tenant_tag}


def test_points_whose_places_were_all_taken_away_are_dropped_with_their_collection(at: Line) -> None:
    backend = at.open("collection")
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, range(3))
    at.stand_in.answer(Recorded("drop", PLACES, {}, {"api-key": at.stand_in.api_key or ""}))
    fresh = at.open("collection")
    assert fresh.drop(namespace=MINE).points == 3
    assert at.stand_in.named("drop")[-1].collection == f"securevec-{MINE.tenant_tag}-8"
    assert list(fresh.namespaces()) == []


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="seconds"):
        QdrantServerBackend("qdrant://localhost", timeout_s=seconds)
    with pytest.raises(ConfigError, match="seconds"):  # the setting reaches it
        QdrantServerBackend.from_location("qdrant://localhost", root=tmp_path, server_timeout=seconds)


@pytest.mark.parametrize("hosts", ["db", ["db/x"], [""], ["http://db"]])
def test_hosts_without_tls_are_names_and_no_text(hosts: Any) -> None:
    with pytest.raises(ConfigError, match="name or an address"):
        QdrantServerBackend("qdrant://d", "key", plain_http_hosts=hosts)


def test_a_namespace_in_two_layouts_has_two_places_and_loses_the_one_that_is_dropped(at: Line) -> None:
    """As while a tenant is moved: each place is told by its own point, and goes alone."""
    backend = at.open()
    layouts: tuple[Layout, ...] = ("shared", "collection")
    shared, alone = (replace(MINE, layout=layout) for layout in layouts)
    backend.ensure(namespace=shared, spec=SPEC)
    fill(backend, shared, range(3))
    for first, other in ((shared, alone), (alone, shared)):
        backend.ensure(namespace=other, spec=SPEC)
        fill(backend, other, [7])
        fresh = at.open()
        assert fresh.drop(namespace=first).points >= 1
        assert held(fresh, first) == set()
        with pytest.raises(BackendError, match="no place"):
            fill(at.open(), first, [9])
        fill(at.open(), other, [8])
        assert held(at.open(), other) == {7, 8}


def test_a_place_is_not_written_over_that_of_another_tenant(at: Line) -> None:
    """Its id follows from the shard's name, which a tenant of the same server could be given: tags decide."""
    backend = at.open()
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, [1])
    thief = Namespace(MINE.shard, THEIRS.tenant_tag, THEIRS.collection_tag)
    with pytest.raises(BackendError, match="did not keep the description"):
        backend.ensure(namespace=thief, spec=SPEC)
    assert held(at.open(), MINE) == {1}
    assert THEIRS.tenant_tag not in set(at.open().namespaces())


def test_as_many_points_come_as_were_asked_for_by_id_by_vector_and_by_terms(at: Line) -> None:
    """A server gives ten where a request does not say how many."""
    backend = at.open()
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, range(30))
    ids = [an_id(number) for number in range(25)]
    assert len(backend.fetch(namespace=MINE, ids=ids)) == 25
    assert len(backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=25)) == 25
    hybrid = backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=25, terms=some_terms([1]))
    assert len(hybrid) == 25
    for leaf in at.stand_in.named("query")[-1].body["prefetch"]:
        assert leaf["limit"] >= 25
    assert len(backend.scan(namespace=MINE, where=None, cursor=None, limit=25).points) == 25
