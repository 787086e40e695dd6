"""The lying store lies as announced, and covers the whole protocol."""

from __future__ import annotations

import inspect
from uuid import UUID

import pytest

from securevec.backend import VectorBackend
from securevec.filters import F
from securevec.testing.conformance_case import (
    SPEC,
    a_namespace,
    a_point,
    a_vector,
    an_id,
    everything,
    fill,
    numbers,
)
from securevec.testing.lying import Lie, LyingBackend
from securevec.testing.memory import InMemoryBackend
from securevec.types import StoredPoint

MINE, THEIRS = a_namespace("mine"), a_namespace("theirs")


@pytest.fixture
def liar() -> LyingBackend:
    backend = LyingBackend(InMemoryBackend())
    for namespace in (MINE, THEIRS):
        backend.ensure(namespace=namespace, spec=SPEC)
    backend.insert(
        namespace=MINE,
        points=[
            a_point(MINE, number, {"b": f"QUJ{number}", "f_a": "open", "f_b": number, "x": 5}) for number in range(4)
        ],
    )
    fill(backend, THEIRS, range(10, 14))
    return backend


def ask(liar: LyingBackend) -> list[StoredPoint]:
    return liar.query(namespace=MINE, vector=a_vector(1), where=F("n") < 100, limit=10)


def test_every_method_of_the_protocol_is_wrapped_by_hand() -> None:
    wanted = {name for name in vars(VectorBackend) if not name.startswith("_")}
    # ``inner`` is the honest store, for who compares the two.
    assert wanted | {"inner"} == {name for name in vars(LyingBackend) if not name.startswith("_")}
    assert not hasattr(LyingBackend, "__getattr__")
    for name in wanted:
        promised, kept = getattr(VectorBackend, name), getattr(LyingBackend, name)
        if inspect.isfunction(promised):
            assert inspect.signature(promised) == inspect.signature(kept), name


def test_honest_is_honest(liar: LyingBackend) -> None:
    assert set(numbers(ask(liar))) == {0, 1, 2, 3}
    assert liar.count(namespace=MINE) == 4
    assert liar.name == "memory"


def test_it_replays_its_first_answer(liar: LyingBackend) -> None:
    first = numbers(ask(liar))
    liar.delete(namespace=MINE, ids=[an_id(1)])
    liar.lie = Lie.REPLAY
    assert numbers(ask(liar)) == first


def test_it_swaps_payloads(liar: LyingBackend) -> None:
    honest = {point.id: point.payload["n"] for point in ask(liar)}
    liar.lie = Lie.SWAP
    told = {point.id: point.payload["n"] for point in ask(liar)}
    assert set(told) == set(honest)
    assert all(told[key] != honest[key] for key in honest)


def test_it_relabels_what_is_readable_and_keeps_what_is_sealed(liar: LyingBackend) -> None:
    liar.lie = Lie.RELABEL
    told = liar.fetch(namespace=MINE, ids=[an_id(2)])[0].payload
    assert (told["f_a"], told["f_b"], told["b"]) == ("relabelled", 3, "QUJ2")
    assert told["x"] != 5


def test_it_truncates_and_repeats(liar: LyingBackend) -> None:
    liar.lie = Lie.TRUNCATE
    assert (len(ask(liar)), len(everything(liar, MINE)), liar.count(namespace=MINE)) == (2, 2, 2)
    liar.lie = Lie.DUPLICATE
    assert (len(ask(liar)), liar.count(namespace=MINE)) == (8, 8)


def test_it_flips_a_bit_of_a_body(liar: LyingBackend) -> None:
    honest = liar.fetch(namespace=MINE, ids=[an_id(2)])[0].payload
    liar.lie = Lie.CORRUPT
    told = liar.fetch(namespace=MINE, ids=[an_id(2)])[0].payload
    assert told["b"] != honest["b"]
    assert {**told, "b": ""} == {**honest, "b": ""}


def test_it_ignores_filters(liar: LyingBackend) -> None:
    liar.lie = Lie.IGNORE_FILTER
    where = F("n") == 1
    assert len(liar.query(namespace=MINE, vector=a_vector(1), where=where, limit=10)) == 4
    assert len(liar.scan(namespace=MINE, where=where, cursor=None, limit=10).points) == 4
    assert liar.count(namespace=MINE, where=where) == 4


def test_it_ignores_namespaces(liar: LyingBackend) -> None:
    liar.lie = Lie.IGNORE_NAMESPACE
    assert set(numbers(ask(liar))) == {0, 1, 2, 3, 10, 11, 12, 13}
    assert set(numbers(everything(liar, MINE))) == {0, 1, 2, 3, 10, 11, 12, 13}
    assert numbers(liar.fetch(namespace=MINE, ids=[an_id(12)])) == [12]
    assert liar.count(namespace=MINE) == 8
    liar.delete(namespace=MINE, ids=[an_id(12)])
    liar.lie = Lie.HONEST
    assert liar.count(namespace=THEIRS) == 3


def test_it_answers_with_foreign_points_under_the_ids_asked_for(liar: LyingBackend) -> None:
    liar.lie = Lie.FOREIGN
    told = liar.fetch(namespace=MINE, ids=[an_id(0), an_id(1)])
    assert [point.id for point in told] == [an_id(0), an_id(1)]
    assert set(numbers(told)) <= {10, 11, 12, 13}
    assert set(numbers(ask(liar))) == set(numbers(everything(liar, MINE))) == {10, 11, 12, 13}
    assert liar.count(namespace=MINE) == 4


def test_it_resurrects_deleted_and_replaced_points(liar: LyingBackend) -> None:
    liar.delete(namespace=MINE, ids=[an_id(0)])
    liar.insert(namespace=MINE, points=[a_point(MINE, 1, {"b": "new"})])
    liar.lie = Lie.RESURRECT
    assert 0 in numbers(ask(liar))
    assert [point.payload["b"] for point in liar.fetch(namespace=MINE, ids=[an_id(0), an_id(1)])] == ["QUJ0", "QUJ1"]
    assert 0 in numbers(everything(liar, MINE))
    assert liar.count(namespace=MINE) > 3


@pytest.mark.parametrize(
    ("lie", "count"), [(Lie.DROP_WRITES, 3), (Lie.DROP_DELETES, 5), (Lie.KEEP_DROPPED, 4), (Lie.HONEST, 4)]
)
def test_it_drops_writes_in_silence(liar: LyingBackend, lie: Lie, count: int) -> None:
    liar.lie = lie
    fill(liar, MINE, [50])
    liar.delete(namespace=MINE, ids=[an_id(0)])
    liar.lie = Lie.HONEST
    assert liar.count(namespace=MINE) == count


def test_it_claims_removals_it_did_not_do(liar: LyingBackend) -> None:
    liar.lie = Lie.KEEP_DROPPED
    assert liar.purge(namespace=MINE).bytes_removed
    assert liar.drop(namespace=MINE).points == 4
    liar.lie = Lie.HONEST
    assert liar.count(namespace=MINE) == 4
    assert len(set(liar.namespaces())) == 2
    liar.close()


def test_every_lie_leaves_every_call_answerable(liar: LyingBackend) -> None:
    for lie in Lie:
        liar.lie = lie
        ids: list[UUID] = [point.id for point in ask(liar)]
        assert isinstance(liar.fetch(namespace=MINE, ids=ids), list)
        assert liar.count(namespace=MINE) >= 0
        assert len(everything(liar, MINE)) >= 0
