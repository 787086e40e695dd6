"""Lists in filter fields: what the store sees of one, and which questions it cannot answer. That it answers the others
as written is compared on every store in ``test_filter_equivalence.py``, among the filters on other fields."""

from __future__ import annotations

import pytest

import securevec as sv
from securevec.errors import FilterError
from securevec.filters import Expr, F
from securevec.points.protect import FilterProtector
from securevec.schema import describe
from securevec.types import CollectionId


class Tagged(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    tags: sv.Filter[list[str]]
    counts: sv.Filter[list[int] | None] = None
    state: sv.Filter[str]


PROTECTOR = FilterProtector(describe(Tagged), collection=CollectionId("0" * 32), key=b"k" * 32)


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
