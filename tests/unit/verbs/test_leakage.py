"""What tokens of filter fields tell: measured, warned of, and never the same in two places."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import securevec as sv
from securevec.points.leaking import measured
from securevec.schema import describe, marks
from securevec.schema.fields import Schema
from tests.support.attacks import Stage, open_stage

Token = marks.Filter(mode="token")


class Visit(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    ward: Annotated[str, Token]
    code: Annotated[str | None, Token] = None
    other: Annotated[str | None, Token] = None
    tags: sv.Filter[list[str]]
    state: sv.Filter[str]


def rows(count: int) -> list[dict[str, object]]:
    """``ward`` has two values in unequal shares, ``code`` another one in every record, ``other`` the same as it."""
    made: list[dict[str, object]] = []
    for n in range(count):
        ward, tags = "east" if n % 4 else "west", ["acute", "acute", f"bed {n % 3}"]
        codes = {"code": f"code {n}", "other": f"code {n}"}
        made.append({"id": f"V-{n}", "body": "A visit", "ward": ward, "tags": tags, "state": "open", **codes})
    return made


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("leakage"), "memory") as made:
        yield made


def test_leakage_is_measured_per_tokenized_field_and_names_the_weak_ones(stage: Stage) -> None:
    collection = stage.acme.collection(Visit, name="visits")
    collection.ingest(rows(12))
    found = collection.leakage()
    by_field = {each.field: each for each in found.fields}
    assert list(by_field) == ["ward", "code", "other", "tags"]
    ward, code, tags = by_field["ward"], by_field["code"], by_field["tags"]
    assert (ward.values, ward.distinct, ward.top_share, ward.readable_share) == (12, 2, 0.75, 1.0)
    assert ward.entropy_bits == pytest.approx(0.811, abs=1e-3)
    assert (code.distinct, code.alone) == (12, 12)
    assert code.entropy_bits == pytest.approx(3.585, abs=1e-3)
    assert code.readable_share == pytest.approx(1 / 12)
    assert (tags.values, tags.distinct) == (24, 4)
    assert (found.records, found.weak) == (12, ("ward", "tags"))
    assert stage.audit()[0]["action"] == "leakage"
    assert stage.acme.collection(Visit, name="nothing").leakage().weak == ()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_the_readable_share_is_what_an_attacker_who_knows_the_frequencies_names(counts: list[int], seed: int) -> None:
    draw = random.Random(seed)
    held = Counter({f"token {number}": count for number, count in enumerate(counts)})
    rounds, named = 400, 0
    for _ in range(rounds):
        # The attacker orders tokens and values by frequency; what ties is in any order.
        tokens = sorted(held, key=lambda token: (held[token], draw.random()))
        values = sorted(held, key=lambda value: (held[value], draw.random()))
        named += sum(held[token] for token, value in zip(tokens, values, strict=True) if token == value)
    share = named / rounds / held.total()
    assert measured("f", held).readable_share == pytest.approx(share, abs=0.15)


def test_a_token_is_never_the_same_in_another_field_collection_or_tenant(stage: Stage) -> None:
    seen: Counter[str] = Counter()
    for number, tenant in enumerate((stage.acme, stage.acme, stage.globex)):
        collection = tenant.collection(Visit, name=f"places{number}")
        collection.ingest(rows(3))
        points = stage.trap.scan(namespace=collection._scope.namespace, where=None, cursor=None, limit=10).points
        here = {str(value) for each in points for key, value in each.payload.items() if key in ("f_code", "f_other")}
        here |= {key for each in points for key in each.payload if key.startswith("fe_")}
        assert len(here) == 3 + 3 + 4
        seen.update(here)
    assert set(seen.values()) == {1}


def test_few_possible_values_are_warned_of_unless_that_is_accepted() -> None:
    def declare(kind: object) -> type[sv.Record]:
        return type("Row", (sv.Record,), {"__annotations__": {"id": sv.Key[str], "body": sv.Embed[str], "low": kind}})

    narrow: Any
    for narrow in (bool, bool | None, Literal["yes", "no"]):
        with pytest.warns(marks.LowEntropyWarning, match='"low"'):
            schema = describe(declare(Annotated[narrow, Token]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            accepted = describe(declare(Annotated[narrow, marks.Filter(mode="token", low_entropy="accept")]))
            # Accepting is no part of what is stored, and a stored schema warns nobody again.
            assert accepted.digest == schema.digest
            assert describe(Schema.from_json(schema.to_json()).record_class()).digest == schema.digest
            describe(declare(Annotated[narrow, marks.Filter()]))
