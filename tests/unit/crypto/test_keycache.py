"""The cache of open keys and the ledger of leased messages."""

from __future__ import annotations

import pytest

from securevec.crypto.cache import KeyCache
from securevec.crypto.leases import Leases
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.errors import KeyUnavailable


def test_a_key_leaves_memory_after_its_time() -> None:
    now = 0.0
    cache = KeyCache(ttl_s=300, now=lambda: now)
    secret = Secret.random()
    cache.put("a", secret)
    now = 299.9
    assert cache.get("a", Secret) is secret
    now = 300.0
    assert cache.get("a", Secret) is None
    with pytest.raises(KeyUnavailable):
        secret.bytes()


def test_the_least_recently_used_key_leaves_first_and_is_wiped() -> None:
    cache = KeyCache(max_entries=2)
    first, second, third = Secret.random(), Secret.random(), Secret.random()
    cache.put("first", first)
    cache.put("second", second)
    assert cache.get("first", Secret) is first
    cache.put("third", third)
    assert len(cache) == 2
    assert cache.get("second", Secret) is None
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
    assert cache.get("a", int) is None


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
