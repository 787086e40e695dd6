"""Lists in filter fields: what the store is asked, in terms of keyed tokens, is what the written semantics say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import securevec as sv
from securevec.backend import VectorBackend
from securevec.errors import FilterError
from securevec.filters import Exists, Expr, F, all_of, any_of, matches
from securevec.protect import FilterProtector
from securevec.schema import describe
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, a_vector, numbers
from securevec.types import CollectionId
from tests.properties.test_filter_equivalence import _OPENERS

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

WORDS = ("red", "Red", "", "rot", "\u00e9", "1")
COUNTS = (0, 1, 2, -(2**63), 2**63 - 1)


class Tagged(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    tags: sv.Filter[list[str]]
    counts: sv.Filter[list[int] | None] = None
    state: sv.Filter[str]


PROTECTOR = FilterProtector(describe(Tagged), collection=CollectionId("0" * 32), key=b"k" * 32)


@pytest.fixture(scope="module", params=["memory", "edge", "qdrant local mode", "chroma"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorBackend]:
    with ExitStack() as opened:
        backend = _OPENERS[request.param](tmp_path_factory.mktemp("lists"), opened)
        opened.callback(backend.close)
        yield backend


def rows(draw: random.Random) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for _ in range(16):
        row: dict[str, Any] = {"tags": draw.choices(WORDS, k=draw.randrange(4)), "state": draw.choice(("open", "red"))}
        if draw.random() < 0.7:
            row["counts"] = draw.choices(COUNTS, k=draw.randrange(3))
        made.append(row)
    return made


def condition(draw: random.Random, depth: int = 3) -> Expr:
    kind = draw.randrange(9 if depth else 6)
    field, values = draw.choice((("tags", WORDS), ("counts", COUNTS), ("state", ("open", "red", "shut"))))
    if kind >= 6:
        parts = [condition(draw, depth - 1) for _ in range(draw.randrange(1, 4))]
        return (all_of(parts), any_of(parts), ~parts[0])[kind - 6]
    named = F(field)
    value = draw.choice(values)
    match kind:
        case 0 | 1:
            return named == value
        case 2:
            return named != value
        case 3:
            return Exists(field)
        case 4:
            return ~(named == value)
        case _:
            return named.is_in(draw.choices(values, k=draw.randrange(1, 4)))


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_store_decides_filters_on_lists_as_they_are_written_down(store: VectorBackend, seed: int) -> None:
    draw = random.Random(seed)
    place = a_namespace(f"lists {seed}")
    held = rows(draw)
    store.ensure(namespace=place, spec=SPEC)
    points = [a_point(place, number, PROTECTOR.payload(row)) for number, row in enumerate(held)]
    store.insert(namespace=place, points=points)
    for _ in range(40):
        where = condition(draw)
        found = store.query(namespace=place, vector=a_vector(1), where=PROTECTOR.lower(where), limit=len(held))
        assert set(numbers(found)) == {number for number, row in enumerate(held) if matches(where, row)}
    store.drop(namespace=place)


def test_the_store_sees_a_count_and_tokens_and_no_element() -> None:
    payload = PROTECTOR.payload({"tags": ["red", "rot", "red"], "counts": [7], "state": "open"})
    assert {key: value for key, value in payload.items() if not key.startswith("fe_")} == {
        "f_tags": 3,
        "f_counts": 1,
        "f_state": "open",
    }
    tokens = [key for key in payload if key.startswith("fe_")]
    assert len(tokens) == 3
    assert "rot" not in repr(payload)
    other = FilterProtector(describe(Tagged), collection=CollectionId("1" * 32), key=b"k" * 32)
    assert not set(other.payload({"tags": ["red"]})) & set(tokens)
    assert PROTECTOR.payload({"tags": []}) == {}


@pytest.mark.parametrize(
    "where",
    [F("counts") > 3, F("tags") == 1, F("counts") == "1", F("counts").is_in([True])],
    ids=["order", "int", "str", "bool"],
)
def test_what_a_list_cannot_answer_is_refused(where: Expr) -> None:
    with pytest.raises(FilterError) as refused:
        PROTECTOR.lower(where)
    assert refused.value.field in ("tags", "counts")
