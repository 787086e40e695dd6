"""The cache of open keys and the ledger of leased messages."""

from __future__ import annotations

import copy
import pickle

import pytest

from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.errors import ConfigError, KeyDestroyed, KeyUnavailable
from securevec.keys.cache import KeyCache
from securevec.keys.leases import Leases


def test_a_key_leaves_memory_after_its_time() -> None:
    now = 0.0
    cache = KeyCache(ttl_s=300, now=lambda: now, chance=lambda: 0.0)
    secret = Secret.random()
    cache.put("a", secret)
    now = 299.9
    assert cache.peek("a", Secret) is secret
    now = 300.0
    assert cache.peek("a", Secret) is None
    with pytest.raises(KeyUnavailable):
        secret.bytes()


def test_the_least_recently_used_key_leaves_first_and_is_wiped() -> None:
    cache = KeyCache(max_entries=2)
    first, second, third = Secret.random(), Secret.random(), Secret.random()
    cache.put("first", first)
    cache.put("second", second)
    assert cache.peek("first", Secret) is first
    cache.put("third", third)
    assert len(cache) == 2
    assert cache.peek("second", Secret) is None
    with pytest.raises(KeyUnavailable):
        second.bytes()
    cache.clear()
    with pytest.raises(KeyUnavailable):
        first.bytes()


def test_putting_the_same_key_again_does_not_wipe_it() -> None:
    cache = KeyCache()
    secret, other = Secret.random(), Secret.random()
    cache.put("a", secret)
    cache.put("a", secret)
    secret.bytes()
    cache.put("a", other)
    with pytest.raises(KeyUnavailable):
        secret.bytes()


def test_a_value_of_another_type_is_not_handed_out() -> None:
    cache = KeyCache()
    cache.put("a", Secret.random())
    assert cache.peek("a", int) is None


def test_each_key_stays_a_little_less_than_the_time_and_never_more() -> None:
    now, draws = 0.0, iter([0.0, 0.5, 1.0])
    cache = KeyCache(ttl_s=100, now=lambda: now, chance=lambda: next(draws))
    for name in "abc":
        cache.put(name, Secret.random())
    for moment, left in ((89.9, "abc"), (90.0, "ab"), (95.0, "a"), (100.0, "")):
        now = moment
        assert [name for name in "abc" if cache.peek(name, Secret)] == list(left)


@pytest.mark.parametrize("ttl", [-1, 3600.1, float("nan")])
def test_a_time_that_is_none_is_refused(ttl: float) -> None:
    with pytest.raises(ConfigError):
        KeyCache(ttl_s=ttl)


def test_with_no_time_every_use_opens_the_key_again() -> None:
    cache, opened = KeyCache(ttl_s=0), 0

    def make(row: str) -> Secret:
        nonlocal opened
        opened += 1
        return Secret.random()

    for _ in range(3):
        cache.get("a", Secret, lambda: "row", make).bytes()
    assert (opened, len(cache)) == (3, 0)


def test_a_key_used_up_leaves_and_is_opened_again() -> None:
    cache = KeyCache(max_uses=2)
    first = Secret.random()
    cache.put("a", first)
    assert [cache.peek("a", Secret) for _ in range(3)] == [first, first, None]
    with pytest.raises(KeyUnavailable):
        first.bytes()


def test_a_provider_that_does_not_answer_is_left_alone_a_little_longer_each_time() -> None:
    now, asked = 0.0, 0

    def fails(row: str) -> Secret:
        nonlocal asked
        asked += 1
        raise KeyUnavailable("The provider is away.", next_step="Wait.")

    cache = KeyCache(now=lambda: now)
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        for _ in range(3):
            with pytest.raises(KeyUnavailable, match="away"):
                cache.get("a", Secret, lambda: "row", fails)
        cache.get("b", Secret, lambda: "row", lambda row: Secret.random())
        now += pause
    assert asked == 8
    cache.get("a", Secret, lambda: "row", lambda row: Secret.random())
    now += 400
    with pytest.raises(KeyUnavailable):
        cache.get("a", Secret, lambda: "row", fails)
    now += 1
    cache.get("a", Secret, lambda: "row", lambda row: Secret.random())


def test_a_busy_store_is_asked_again_at_once() -> None:
    cache, busy = KeyCache(), [KeyUnavailable("busy")]

    def find() -> str:
        if busy:
            raise busy.pop()
        return "row"

    with pytest.raises(KeyUnavailable):
        cache.get("a", Secret, find, lambda row: Secret.random())
    cache.get("a", Secret, find, lambda row: Secret.random())


def test_a_destroyed_key_is_never_asked_for_again() -> None:
    now, asked = 0.0, 0

    def gone() -> str:
        nonlocal asked
        asked += 1
        raise KeyDestroyed("gone")

    cache = KeyCache(now=lambda: now)
    for _ in range(3):
        with pytest.raises(KeyDestroyed):
            cache.get("a", Secret, gone, lambda row: Secret.random())
        now += 10_000
        cache.clear()
    assert asked == 1


def test_the_cache_hides_and_does_not_travel() -> None:
    cache = KeyCache()
    secret = Secret.random()
    cache.put("a", secret)
    assert repr(cache) == "KeyCache(<hidden>)"
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            travel(cache)


def test_a_lease_is_spent_to_the_last_message_and_not_beyond() -> None:
    leases, use = Leases(), KeyUse("dek", "body")
    assert leases.spend(use, 1) is None
    leases.grant(use, b"key", 10)
    assert leases.spend(use, 7) == b"key"
    assert leases.spend(use, 4) is None
    assert leases.spend(use, 3) == b"key"
    assert leases.spend(use, 1) is None
    leases.grant(use, b"key", 5)
    leases.clear()
    assert leases.spend(use, 1) is None
