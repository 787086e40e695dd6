"""Values are compared with known answers in tests/vectors; here stand the rules around them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.crypto import derive
from securevec.errors import FilterError, LimitExceeded, RecordError, UsageError
from securevec.types import CollectionId, RecordRef, TenantId

KEY = os.urandom(32)
TENANT = TenantId(os.urandom(16).hex())
COLLECTION = CollectionId(os.urandom(16).hex())
OTHER = CollectionId(os.urandom(16).hex())


def test_record_ids_of_different_types_never_collide() -> None:
    seven = [7, "7", UUID(int=7), str(UUID(int=7)), "i7", b"\0" * 15 + b"\7"]
    typed = {derive.typed_record_id(value) for value in seven[:5]}
    assert len(typed) == 5
    with pytest.raises(RecordError):
        derive.typed_record_id(seven[5])


@pytest.mark.parametrize("value", [True, None, 1.0, b"bytes", ["7"], "lone \ud800 surrogate"])
def test_what_is_no_record_id_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(RecordError) as caught:
        derive.typed_record_id(value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "lone" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["x" * 1025, "é" * 513, 10**10_000, -(10**1024)],
    ids=["text", "two-byte text", "huge number", "number just over"],
)
def test_a_record_id_over_the_limit_is_refused(value: object) -> None:
    with pytest.raises(LimitExceeded):
        derive.typed_record_id(value)


@pytest.mark.parametrize("value", ["", "\0", "..", "😀", "x" * 1024, 0, -1, 10**1023])
def test_odd_record_ids_are_ids(value: object) -> None:
    assert derive.typed_record_id(value)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_point_ids_are_version_8_uuids(generation: int, chunk: int) -> None:
    point = derive.point_id(KEY, COLLECTION, RecordRef(bytes(16)), generation, chunk)
    assert point.version == 8
    assert point.variant == RFC_4122


def test_no_two_derivations_share_a_value() -> None:
    ref = derive.record_ref(KEY, COLLECTION, derive.typed_record_id("7"))
    values = [
        ref.hex(),
        derive.record_ref(KEY, OTHER, derive.typed_record_id("7")).hex(),
        derive.point_id(KEY, COLLECTION, ref, 1, 0).hex,
        derive.point_id(KEY, COLLECTION, ref, 0, 1).hex,
        derive.point_id(KEY, OTHER, ref, 1, 0).hex,
        derive.shard(KEY, TENANT, COLLECTION),
        derive.collection_tag(KEY, TENANT, COLLECTION),
        derive.tenant_tag(KEY, TENANT),
        derive.tenant_name_token(KEY, "7").hex(),
        derive.collection_name_token(KEY, TENANT, "7").hex(),
        derive.subject_token(KEY, "EMAIL", "7").hex(),
        derive.subject_token(KEY, "PHONE", "7").hex(),
        derive.content_digest(KEY, COLLECTION, b"7", b"").hex(),
        derive.content_digest(KEY, COLLECTION, b"", b"7").hex(),
        derive.filter_token(KEY, COLLECTION, "f", "7"),
        derive.filter_token(KEY, COLLECTION, "f", 7),
        derive.filter_token(KEY, COLLECTION, "f", 7.5),
        derive.filter_token(KEY, COLLECTION, "f", True),
        derive.filter_token(KEY, COLLECTION, "f", 1),
        derive.filter_token(KEY, COLLECTION, "g", "7"),
        derive.filter_token(KEY, OTHER, "f", "7"),
    ]
    assert all(one != other for one, other in itertools.combinations(values, 2))


def test_equal_filter_values_give_one_token() -> None:
    def token(value: str | int | float | bool | datetime) -> str:
        return derive.filter_token(KEY, COLLECTION, "f", value)

    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert token(1) == token(1.0)
    assert token(0) == token(-0.0)
    assert token(moment) == token(1_767_323_045_678)
    assert token("1") != token(1)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 10**5000, datetime(2026, 1, 1), "\udfff"],  # noqa: DTZ001 - naive on purpose
    ids=["nan", "infinity", "huge number", "naive datetime", "surrogate"],
)
def test_filter_values_without_a_meaning_are_refused(value: str | int | float | datetime) -> None:
    with pytest.raises(FilterError):
        derive.filter_token(KEY, COLLECTION, "f", value)


@pytest.mark.parametrize("identifier", ["", "acme", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "../" + "0" * 29])
def test_only_random_hex_ids_are_ids(identifier: str) -> None:
    with pytest.raises(UsageError):
        derive.raw_id(identifier)


@pytest.mark.parametrize(
    "name_something",
    [
        partial(derive.tenant_name_token, KEY),
        partial(derive.collection_name_token, KEY, TENANT),
        partial(derive.subject_token, KEY, "EMAIL"),
    ],
    ids=["tenant", "collection", "subject"],
)
def test_names_that_are_not_unicode_are_refused_without_repeating_them(
    name_something: Callable[[str], bytes],
) -> None:
    with pytest.raises(UsageError) as caught:
        name_something("secret\ud800")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "secret" not in str(caught.value)
