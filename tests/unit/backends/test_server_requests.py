"""Exactly what the server adapter puts on the wire, for every operation, in every layout, by REST and by gRPC.

The requests are those of the vendor's real client, recorded by a stand-in for a server that answers as the documented
API does. No Qdrant server ran here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

pytest.importorskip("securevec_qdrant.server", reason="needs securevec[qdrant]", exc_type=ModuleNotFoundError)
from securevec.errors import BackendError
from securevec.filters import F
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, an_id, fill, held
from securevec.testing.conformance_hybrid import some_terms
from securevec.types import Layout, Terms
from securevec_qdrant.server import QdrantServerBackend
from securevec_qdrant.server_rows import ranking
from tests.support.qdrant_engine import API_KEY, Recorded, StandIn
from tests.support.qdrant_wire import Line, line

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


MINE, THEIRS = a_namespace("mine"), a_namespace("theirs")


READS = ("scroll", "query", "count")


WRITES = ("upsert", "delete")


MANAGES = (
    "root",
    "list",
    "exists",
    "info",
    "create",
    "drop",
    "index",
    "shards",
    "create_shard",
    "delete_shard",
    "facet",
)


WHERE = (F("n") == 1) | ~(F("n") == 2)


PLACES = "securevec-places"


WHERE_IT_LIVES = {
    "shared": "securevec-8",
    "collection": f"securevec-{MINE.tenant_tag}-8",
    "shard": "securevec-shards-8",
}


WAYS = [("rest", "shared"), ("rest", "collection"), ("rest", "shard"), ("grpc", "shared"), ("grpc", "shard")]


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(way))
def way(request: pytest.FixtureRequest) -> Iterator[tuple[Line, Layout]]:
    wire, layout = request.param
    with line(wire) as found:
        yield found, layout


def every_operation(backend: QdrantServerBackend) -> None:
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, range(5))
    backend.fetch(namespace=MINE, ids=[an_id(1), an_id(11)], with_vectors=True)
    backend.query(namespace=MINE, vector=a_vector(1), where=WHERE, limit=3, exclude=["b", "t", "c"])
    backend.query(namespace=MINE, vector=a_vector(1), where=None, limit=3)
    backend.query(namespace=MINE, vector=a_vector(1), where=WHERE, limit=3, terms=some_terms([1, 2]))
    backend.scan(namespace=MINE, where=WHERE, cursor=None, limit=2)
    backend.count(namespace=MINE, where=WHERE)
    backend.delete(namespace=MINE, ids=[an_id(1), an_id(12)])
    backend.purge(namespace=MINE)
    list(backend.namespaces())
    backend.drop(namespace=MINE)


def fence(request: Recorded) -> list[Any]:
    """The root of what a request selects by, beside a nested clause of the caller's: conditions of our own."""
    root: dict[str, Any] = request.body["update_filter" if request.method == "upsert" else "filter"]
    assert set(_bare(root)) == {"must"}, "nothing beside the fence may widen it"
    return list(root["must"])


def is_fenced(conditions: Sequence[Any]) -> bool:
    tags = {"t": MINE.tenant_tag, "c": MINE.collection_tag}
    wanted = [{"key": key, "match": {"value": tag}} for key, tag in tags.items()]
    return [_bare(each) for each in conditions[:2]] == wanted


def leaves(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Every prefetch of a query, however deep."""
    found = body.get("prefetch") or []
    nested = found if isinstance(found, list) else [found]
    return [leaf for each in nested for leaf in (each, *leaves(each))]


def check_fenced(request: Recorded) -> None:
    assert is_fenced(fence(request)), "the fence is the first of the root"
    for leaf in leaves(request.body):
        assert set(leaf["filter"]) == {"must"}
        assert is_fenced(leaf["filter"]["must"]), "and of every leaf"


def _bare(value: Any) -> Any:
    """Without what one of the two wires writes out and the other leaves away."""
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items() if each is not None}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def is_neighbours(request: Recorded) -> bool:
    """The one count of places that is of a tenant and not of one of its collections."""
    keys = [each.get("key") for each in fence(request)]
    return request.collection == PLACES and request.method == "count" and keys == ["t", "layout", "dimension"]


def test_every_request_of_every_operation_is_fenced_routed_and_signed(way: tuple[Line, Layout]) -> None:
    at, layout = way
    backend = at.open(layout)
    every_operation(backend)
    backend.close()
    sent = at.stand_in.requests
    assert {each.method for each in sent} <= {*READS, *WRITES, *MANAGES}
    assert {*READS, *WRITES} <= {each.method for each in sent}
    assert all(each.headers.get("api-key") == API_KEY for each in sent)
    for each in at.stand_in.named(*READS, *WRITES):
        if not is_neighbours(each):
            check_fenced(each)
        routed = layout == "shard" and each.collection != PLACES
        assert each.shard_key == (MINE.tenant_tag if routed else None), "a request without its shard reaches all"
        assert each.collection in (PLACES, WHERE_IT_LIVES[layout])
    for each in at.stand_in.named(*WRITES, "index"):
        assert each.query.get("wait") == "true"
    for each in at.stand_in.named("delete"):
        assert set(each.body) <= {"filter", "shard_key"}, "a delete by bare ids has no owner"


def test_both_lists_of_a_hybrid_search_carry_the_fence_and_the_filter(
    way: tuple[Line, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, layout = way
    backend = at.open(layout)
    backend.ensure(namespace=MINE, spec=SPEC)
    assert not [each for each in at.stand_in.named("create") if "idf" in str(each.body).lower()], "no statistics"

    def ask() -> Recorded:
        at.stand_in.requests.clear()
        backend.query(namespace=MINE, vector=a_vector(1), where=WHERE, limit=3, terms=some_terms([1, 2]))
        (sent,) = at.stand_in.named("query")
        return sent

    sent = ask()
    assert len(leaves(sent.body)) == 2
    for leaf in leaves(sent.body):
        assert _bare(leaf["filter"]) == _bare(sent.body["filter"])
    check_fenced(sent)

    def bare(vector: list[float], terms: Terms | None, _: object, limit: int) -> dict[str, Any]:
        return ranking(vector, terms, cast("Any", None), limit)

    monkeypatch.setattr("securevec_qdrant.server.ranking", bare)
    with pytest.raises((AssertionError, KeyError, TypeError)):
        check_fenced(ask())
    backend.close()


def test_what_the_caller_asks_for_is_one_nested_clause(way: tuple[Line, Layout]) -> None:
    at, layout = way
    backend = at.open(layout)
    backend.ensure(namespace=MINE, spec=SPEC)
    at.stand_in.requests.clear()
    backend.query(namespace=MINE, vector=a_vector(1), where=WHERE, limit=3)
    backend.scan(namespace=MINE, where=WHERE, cursor=None, limit=2)
    backend.count(namespace=MINE, where=WHERE)
    asked = [each for each in at.stand_in.named(*READS) if each.collection != PLACES]
    assert [each.method for each in asked] == ["query", "scroll", "count"]
    for each in asked:
        mine, other, theirs = fence(each)
        assert is_fenced([mine, other])
        assert set(_bare(theirs)) == {"should"}, "the or of the caller stands below our must"


def test_indexes_strict_mode_and_shard_come_before_the_first_write(way: tuple[Line, Layout]) -> None:
    at, layout = way
    backend = at.open(layout)
    backend.ensure(namespace=MINE, spec=SPEC)
    fill(backend, MINE, [1])
    for collection in (PLACES, WHERE_IT_LIVES[layout]):
        own = [each for each in at.stand_in.requests if each.collection == collection]
        order = [each.method for each in own if each.method in ("create", "index", "create_shard", "upsert")]
        custom = layout == "shard" and collection != PLACES
        assert order[: 4 if custom else 3] == ["create", "index", "index", *(["create_shard"] if custom else [])]
        assert order.index("upsert") == (4 if custom else 3)
        made, tenant, other = (each for each in own if each.method in ("create", "index"))
        strict = made.body["strict_mode_config"]
        assert strict["enabled"] is True
        assert strict["unindexed_filtering_update"] is False
        assert made.body.get("sharding_method") == ("custom" if custom else None)
        assert (tenant.body["field_name"], other.body["field_name"]) == ("t", "c")
        assert tenant.body["field_schema"]["type"] == "keyword"
        assert tenant.body["field_schema"]["is_tenant"] is True


def test_a_write_is_conditional_and_read_back_on_the_same_shard(way: tuple[Line, Layout]) -> None:
    at, layout = way
    backend = at.open(layout)
    backend.ensure(namespace=MINE, spec=SPEC)
    at.stand_in.requests.clear()
    fill(backend, MINE, range(300))
    own = [each for each in at.stand_in.requests if each.collection == WHERE_IT_LIVES[layout]]
    assert [each.method for each in own] == ["upsert", "upsert", "count"]
    assert [len(each.body["points"]) for each in own[:2]] == [256, 44]
    asked = own[2].body["filter"]["must"][2]["has_id"]
    assert sorted(asked) == sorted(str(an_id(number)) for number in range(300))
    for point in (point for each in own[:2] for point in each.body["points"]):
        assert (point["payload"]["t"], point["payload"]["c"]) == (MINE.tenant_tag, MINE.collection_tag)


@pytest.mark.parametrize("layout", ["shared", "collection", "shard"])
def test_a_write_that_the_server_drops_in_silence_is_noticed(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """What servers before 1.16 did with a conditional upsert, and what any may do with one it does not apply."""
    with line() as at:
        backend = at.open(layout)
        backend.ensure(namespace=MINE, spec=SPEC)
        honest = StandIn._upsert

        def forgetful(self: StandIn, request: Recorded, held: Any) -> Any:
            request.body["points"] = request.body["points"][:-1]
            return honest(self, request, held)

        monkeypatch.setattr(StandIn, "_upsert", forgetful)
        with pytest.raises(BackendError, match="did not take every point"):
            fill(backend, MINE, range(3))


def test_a_tenants_own_collection_or_shard_goes_with_its_last_place_and_no_sooner() -> None:
    other = a_namespace("mine", "invoices")
    cases: tuple[tuple[Layout, str], ...] = (("collection", "drop"), ("shard", "delete_shard"))
    for layout, gone in cases:
        with line() as at:
            backend = at.open(layout)
            for namespace in (MINE, other, THEIRS):
                backend.ensure(namespace=namespace, spec=SPEC)
                fill(backend, namespace, [len(at.stand_in.requests)])
            backend.drop(namespace=MINE)
            assert not at.stand_in.named(gone)
            assert backend.count(namespace=other) == 1
            backend.drop(namespace=other)
            assert len(at.stand_in.named(gone)) == 1
            assert list(backend.namespaces()) == [THEIRS.tenant_tag]
            assert backend.count(namespace=THEIRS) == 1


def test_a_foreign_id_is_not_overwritten_in_any_layout(way: tuple[Line, Layout]) -> None:
    at, layout = way
    backend = at.open(layout)
    for namespace, number in ((MINE, 1), (THEIRS, 2)):
        backend.ensure(namespace=namespace, spec=SPEC)
        fill(backend, namespace, [number])
    if layout == "shared":
        with pytest.raises(BackendError):
            fill(backend, MINE, [2])
    else:
        fill(backend, MINE, [2])  # ids of their own: another collection, or another shard
    backend.delete(namespace=MINE, ids=[an_id(2)])
    assert held(backend, THEIRS) == {2}
    assert held(backend, MINE) == {1}


def test_the_check_of_the_fence_sees_a_leaf_that_lacks_it() -> None:
    """The guard of the guard: each way to leave the fence out of a request is seen by ``check_fenced``."""
    tags = [{"key": "t", "match": {"value": MINE.tenant_tag}}, {"key": "c", "match": {"value": MINE.collection_tag}}]
    whole, half, foreign = {"must": tags}, {"must": tags[:1]}, {"must": [tags[0] | {"match": {"value": "x"}}, tags[1]]}
    check_fenced(Recorded("query", "c", {"filter": whole, "prefetch": [{"filter": whole}]}, {}))
    broken = [half, foreign, {"must": tags, "should": []}, {"should": tags}]
    for root, leaf in itertools.chain(((bad, whole) for bad in broken), ((whole, bad) for bad in broken)):
        with pytest.raises(AssertionError):
            check_fenced(Recorded("query", "c", {"filter": root, "prefetch": [{"filter": leaf}]}, {}))
    nested = {"filter": whole, "prefetch": [{"filter": whole, "prefetch": [{"query": [1.0]}]}]}
    with pytest.raises((AssertionError, KeyError)):
        check_fenced(Recorded("query", "c", nested, {}))


def test_points_are_written_whole_whatever_their_size() -> None:
    """Ten points of two million bytes are more than one request may carry."""
    with line() as at:
        backend = at.open()
        backend.ensure(namespace=MINE, spec=SPEC)
        at.stand_in.requests.clear()
        backend.insert(namespace=MINE, points=[a_point(MINE, number, {"b": "x" * 2_000_000}) for number in range(10)])
        sizes = [
            sum(len(point["payload"]["b"]) for point in each.body["points"]) for each in at.stand_in.named("upsert")
        ]
        assert sum(sizes) == 20_000_000
        assert max(sizes) <= 12_000_000
        assert backend.count(namespace=MINE) == 10
