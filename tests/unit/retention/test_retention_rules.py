"""What rules mean, and which cannot stand together. Pure."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.control.rows import CollectionRow, RetentionRule
from securevec.errors import ConfigError, RetentionConflict
from securevec.retention.rules import (
    DAY_MS,
    MAX_RETENTION_MS,
    MIN_RETENTION_MS,
    NEVER,
    ages,
    bucket_end,
    bucket_ms,
    epoch,
    expired,
    expiry,
    may_die,
    parse_retention,
    require_consistent,
    shortest,
    show_retention,
)
from securevec.types import CollectionId, TenantId

NAMES = ["", "a", "b"]
DAYS = st.none() | st.integers(1, 40)


def rule(
    tenant: str = "", collection: str = "", label: str = "", *, most: int | None = None, least: int | None = None
) -> RetentionRule:
    return RetentionRule(
        tenant,
        collection,
        label,
        b"",
        None if most is None else most * DAY_MS,
        None if least is None else least * DAY_MS,
        0,
    )


def place(tenant: str = "a", collection: str = "a", label: str = "a", *, days: int | None = None) -> CollectionRow:
    return CollectionRow(
        collection=CollectionId(collection),
        tenant=TenantId(tenant),
        name_token=b"",
        name_sealed=b"",
        schema_sealed=b"",
        shard="",
        dimension=1,
        identity="{}",
        retention_ms=None if days is None else days * DAY_MS,
        vault=True,
        created_ms=0,
        classification=label,
    )


def made_rule(tenant: str, collection: str, label: str, most: int | None, least: int | None) -> RetentionRule:
    """A rule on a collection names its tenant."""
    return rule(tenant, collection if tenant else "", label, most=most, least=least)


def made_place(tenant: str, collection: str, label: str, days: int | None) -> CollectionRow:
    return place(tenant, collection, label, days=days)


ANY, SOME = st.sampled_from(NAMES), st.sampled_from(NAMES[1:])
rules = st.lists(st.builds(made_rule, ANY, ANY, ANY, DAYS, DAYS), max_size=5)
places = st.lists(st.builds(made_place, SOME, SOME, SOME, DAYS), max_size=4)


def test_of_several_maximums_the_shortest_counts_and_of_several_minimums_the_longest() -> None:
    given_rules = [rule(most=90, least=10), rule("a", most=60, least=20), rule("b", most=1, least=40)]
    assert ages(place("a"), given_rules) == (60 * DAY_MS, 20 * DAY_MS)
    assert ages(place("b", days=5), given_rules) == (DAY_MS, 40 * DAY_MS)
    assert ages(place("a"), []) == (None, None)


def test_a_rule_reaches_where_each_part_of_its_scope_does() -> None:
    narrow = [rule("a", "a", "b", most=1)]
    assert ages(place("a", "a", "b"), narrow) == (DAY_MS, None)
    for elsewhere in (place("b", "a", "b"), place("a", "b", "b"), place("a", "a", "a"), place("a", "a", "")):
        assert ages(elsewhere, narrow) == (None, None)


@pytest.mark.parametrize(
    ("both", "scopes"),
    [
        ([rule(most=10), rule(least=11)], ("everything", "everything")),
        ([rule("a", most=10), rule(label="a", least=11)], ("tenant", "classification")),
        (
            [rule("a", "a", most=10), rule("a", label="b", least=11)],
            ("tenant and collection", "tenant and classification"),
        ),
        ([rule(most=10, least=11)], ("everything", "everything")),
    ],
)
def test_a_maximum_below_a_minimum_it_can_meet_is_refused_and_only_scope_kinds_are_named(
    both: list[RetentionRule], scopes: tuple[str, str]
) -> None:
    for order in permutations(both):
        with pytest.raises(RetentionConflict) as refusal:
            require_consistent(order, [])
        assert refusal.value.scopes == scopes


def test_rules_that_never_meet_or_just_touch_stand_together() -> None:
    require_consistent([rule("a", most=10), rule("b", least=11)], [])
    require_consistent([rule("a", "a", most=10), rule("a", "b", least=11)], [])
    require_consistent([rule(most=10), rule(least=10)], [])


def test_a_collection_that_forgets_before_a_minimum_is_refused() -> None:
    with pytest.raises(RetentionConflict) as refusal:
        require_consistent([rule(label="a", least=31)], [place(days=30)])
    assert refusal.value.scopes == ("collection", "classification")
    require_consistent([rule(label="a", least=30)], [place(days=30), place(days=None)])
    require_consistent([rule(label="b", least=31)], [place(days=30)])


@given(rules, places)
def test_what_is_accepted_can_be_kept_for_every_collection(
    accepted: list[RetentionRule], collections: list[CollectionRow]
) -> None:
    try:
        require_consistent(accepted, collections)
    except RetentionConflict:
        return
    for row in collections:
        most, least = ages(row, accepted)
        kept = shortest(row.retention_ms, most)
        assert kept is None or least is None or kept >= least


@given(st.integers(1, 10**10), st.integers(0, 2 * 10**12))
def test_a_bucket_ends_when_or_after_its_records_expire_and_not_a_bucket_later(retention: int, ingested: int) -> None:
    expires = expiry(retention, ingested_ms=ingested)
    assert expires is not None
    end = bucket_end(epoch(retention, expires_ms=expires))
    assert end is not None
    assert expires <= end < expires + max(DAY_MS, min(retention // 10, 30 * DAY_MS)) + 1
    assert not expired(expires, now_ms=expires - 1)
    assert expired(expires, now_ms=expires)


@pytest.mark.parametrize("name", [NEVER, "", "r0/b5", "r5/never", "r5/b", "r5/b5 ", "x5/b5", "r5/b-5"])
def test_an_epoch_without_an_end_never_ends(name: str) -> None:
    assert bucket_end(name) is None


@given(st.integers(1, 999_999_999), st.sampled_from("smhd"))
def test_a_shown_duration_is_read_as_the_same(number: int, unit: str) -> None:
    try:
        parsed = parse_retention(f"{number}{unit}")
    except ConfigError:
        return
    assert parse_retention(show_retention(parsed)) == parsed


@pytest.mark.parametrize("text", ["", "0d", "-1d", "1.5d", "180", "d", "180 d", "180D", "1h30m", "9999999999d", "201y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_retention(text)


def test_the_shortest_and_the_longest_retention_are_taken_and_nothing_beyond_them() -> None:
    assert parse_retention("1s") == MIN_RETENTION_MS
    assert parse_retention("200y") == MAX_RETENTION_MS
    for beyond in ("0s", "201y"):
        with pytest.raises(ConfigError):
            parse_retention(beyond)


def test_a_bucket_is_a_day_at_least_and_thirty_at_most_and_its_keys_may_die_in_the_moment_it_ends() -> None:
    assert [bucket_ms(days * DAY_MS) for days in (1, 10, 100, 300, 301, 3000)] == [
        days * DAY_MS for days in (1, 1, 10, 30, 30, 30)
    ]
    named = epoch(10 * DAY_MS, expires_ms=5 * DAY_MS)
    assert [may_die(named, now_ms=5 * DAY_MS + ms) for ms in (-1, 0)] == [False, True]
