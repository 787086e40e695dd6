"""The key ring as other rooms use it. Attacks on its file are in tests/attacks/test_p5_keys_edited.py."""

from __future__ import annotations

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from securevec.clock import Clock
from securevec.crypto.cloak import Cloak
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, read_key_id, seal
from securevec.crypto.secret import Secret
from securevec.crypto.sign import verify
from securevec.crypto.wrap import KeyRow, WrappingKey
from securevec.errors import (
    BoundKeyDestroyed,
    ConfigError,
    HomeRefused,
    KeyDestroyed,
    KeyRejected,
    KeyUnavailable,
    UnknownKey,
    UsageError,
)
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing
from securevec.keys.leases import BLOCK, BUDGET
from securevec.types import CollectionId, TenantId

NEVER = "r0/never"


def place(tenant: TenantId, collection: CollectionId) -> Place:
    return Place(tenant=bytes.fromhex(tenant), collection=bytes.fromhex(collection), point=uuid4(), field="body")


def test_a_value_opens_after_the_store_was_closed_and_opened(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    where = place(tenant, collection)
    blob = seal(ring.data_key(tenant, collection, "body", NEVER), b"value", where)
    before = [ring.tenant_key(tenant, "id"), ring.installation_key("names"), ring.signing_key().public]
    ring.close()
    again = KeyRing.open(home / "keys", root, Clock())
    assert open_sealed(again.key_by_id(read_key_id(blob)), blob, where) == b"value"
    assert [again.tenant_key(tenant, "id"), again.installation_key("names"), again.signing_key().public] == before
    again.close()


def test_every_purpose_has_its_own_key(ring: KeyRing, tenant: TenantId, collection: CollectionId) -> None:
    other = TenantId(os.urandom(16).hex())
    ring.create_tenant(other)
    keys = [
        *(ring.installation_key(purpose) for purpose in ("names", "actors", "namespaces")),
        *(
            ring.tenant_key(owner, purpose)
            for owner in (tenant, other)
            for purpose in ("id", "token", "content", "audit")
        ),
        *(ring.pseudonym_keys(owner).key for owner in (tenant, other)),
    ]
    assert len(set(keys)) == len(keys) == 13
    ids = {
        ring.data_key(owner, collection, purpose, epoch).key_id
        for owner in (tenant, other)
        for purpose in ("body", "vault")
        for epoch in (NEVER, "r86400000/b86400000")
    }
    assert len(ids) == 8


def test_a_view_hands_out_nothing_that_another_process_destroyed_before_it(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    key = ring.data_key(tenant, collection, "body", NEVER)
    first = ring.view()
    assert first.key_by_id(key.key_id) is first.key_by_id(key.key_id)
    assert first.tenant_key(tenant, "id") == ring.tenant_key(tenant, "id")
    other = KeyRing.open(home / "keys", root, Clock())
    other.destroy_tenant(tenant)
    other.close()
    for read in (lambda: ring.view().key_by_id(key.key_id), lambda: ring.view().tenant_key(tenant, "id")):
        with pytest.raises(KeyDestroyed):
            read()
    with pytest.raises(UnknownKey):
        ring.view().key_by_id(os.urandom(16))


def test_names_are_sealed_under_the_installations_key(ring: KeyRing, tenant: TenantId) -> None:
    key = ring.names_key()
    where = Place(tenant=b"", collection=b"", point=uuid4(), field="tenant-name")
    assert open_sealed(ring.names_key(), seal(key, b"acme", where), where) == b"acme"
    ring.destroy_tenant(tenant)
    assert ring.names_key().key_id == key.key_id


def test_the_signing_key_signs(ring: KeyRing) -> None:
    key = ring.signing_key()
    verify(key.public, key.sign(b"checkpoint"), b"checkpoint")


def test_a_tenant_is_created_once(ring: KeyRing, tenant: TenantId) -> None:
    before = ring.list_keys()
    with pytest.raises(UsageError):
        ring.create_tenant(tenant)
    assert ring.list_keys() == before


def test_a_tenant_without_keys_is_unknown(ring: KeyRing, collection: CollectionId) -> None:
    stranger = TenantId(os.urandom(16).hex())
    with pytest.raises(UnknownKey):
        ring.tenant_key(stranger, "id")
    with pytest.raises(UnknownKey):
        ring.data_key(stranger, collection, "body", NEVER)
    with pytest.raises(UnknownKey):
        ring.destroy_tenant(stranger)
    with pytest.raises(UnknownKey):
        ring.key_by_id(os.urandom(16))
    assert not ring.list_keys()[4:]


def test_no_key_is_made_for_a_person_whose_record_is_only_stored_again(ring: KeyRing, tenant: TenantId) -> None:
    """The person may be erased at this moment, and the key just destroyed: a new one would outlive them."""
    kept, erased = b"k" * 16, b"e" * 16
    ring.subject_keys(tenant, [kept])
    with pytest.raises(BoundKeyDestroyed):
        ring.subject_keys(tenant, [kept, erased], create=False)
    assert len(ring.list_keys(tenant=tenant, kind="subject")) == 1
    assert ring.subject_keys(tenant, [kept], create=False).keys() == {kept}


def test_tenant_and_installation_keys_are_not_handed_out_by_id(ring: KeyRing, tenant: TenantId) -> None:
    for info in ring.list_keys():
        with pytest.raises(UnknownKey):
            ring.key_by_id(bytes.fromhex(info.key_id))


def test_writers_share_a_key_until_its_budget_is_spent(
    ring: KeyRing, tenant: TenantId, collection: CollectionId
) -> None:
    first = ring.data_key(tenant, collection, "body", NEVER, messages=BLOCK)
    assert ring.data_key(tenant, collection, "body", NEVER, messages=BLOCK).key_id == first.key_id
    [info] = [info for info in ring.list_keys() if info.kind == "dek"]
    assert info.leased == 2 * BLOCK
    with ring._store.transaction():
        ring._store.set_leased(first.key_id, BUDGET - BLOCK)
    assert ring.data_key(tenant, collection, "body", NEVER, messages=BLOCK).key_id == first.key_id
    second = ring.data_key(tenant, collection, "body", NEVER, messages=BLOCK)
    assert second.key_id != first.key_id
    states = {info.key_id: (info.state, info.leased) for info in ring.list_keys() if info.kind == "dek"}
    assert states == {first.key_id.hex(): ("full", BUDGET), second.key_id.hex(): ("active", BLOCK)}
    # What the full key sealed still opens.
    where = place(tenant, collection)
    blob = seal(first, b"value", where)
    ring._open.forget()
    assert open_sealed(ring.key_by_id(first.key_id), blob, where) == b"value"


def test_a_key_another_process_used_up_is_not_sealed_with(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    first = ring.data_key(tenant, collection, "body", NEVER)
    other = KeyRing.open(home / "keys", root, Clock())
    with other._store.transaction():
        other._store.set_leased(first.key_id, BUDGET)
    second = other.data_key(tenant, collection, "body", NEVER)
    assert second.key_id != first.key_id
    assert ring.data_key(tenant, collection, "body", NEVER).key_id == second.key_id
    other.close()


@pytest.mark.parametrize("messages", [0, -1, BLOCK + 1])
def test_a_lease_is_for_one_to_one_block(
    ring: KeyRing, tenant: TenantId, collection: CollectionId, messages: int
) -> None:
    with pytest.raises(UsageError):
        ring.data_key(tenant, collection, "body", NEVER, messages=messages)


def test_two_processes_do_not_eat_each_others_leases(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    other = KeyRing.open(home / "keys", root, Clock())
    for _ in range(10):
        ring.data_key(tenant, collection, "body", NEVER)
        other.data_key(tenant, collection, "body", NEVER)
        other.data_key(tenant, collection, "vault", f"r86400000/b{os.urandom(2).hex()}")
    [info] = [info for info in ring.list_keys() if info.purpose == "body"]
    assert info.leased == 2 * BLOCK
    other.close()


def test_threads_get_one_key_and_are_all_charged(ring: KeyRing, tenant: TenantId, collection: CollectionId) -> None:
    found: list[bytes] = []

    def write() -> None:
        for _ in range(20):
            found.append(ring.data_key(tenant, collection, "body", NEVER, messages=BLOCK // 10).key_id)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert len(set(found)) == 1
    [info] = [info for info in ring.list_keys() if info.kind == "dek"]
    assert info.leased == 8 * BLOCK


def test_an_expired_epoch_is_destroyed_and_the_others_stay(
    ring: KeyRing, tenant: TenantId, collection: CollectionId
) -> None:
    old = ring.data_key(tenant, collection, "body", "r864000000/b86400000")
    vault = ring.data_key(tenant, collection, "vault", "r864000000/b86400000")
    kept = ring.data_key(tenant, collection, "body", "r864000000/b172800000")
    done = ring.destroy_epoch(tenant, collection, "r864000000/b86400000")
    assert done.key_ids == tuple(sorted([old.key_id.hex(), vault.key_id.hex()]))
    assert done.evidence == "removed from live files"
    for gone in (old, vault):
        with pytest.raises(KeyDestroyed):
            ring.key_by_id(gone.key_id)
    assert ring.key_by_id(kept.key_id).epoch == "r864000000/b172800000"
    assert ring.destroy_epoch(tenant, collection, "r864000000/b86400000").key_ids == ()
    assert ring.tenant_key(tenant, "id")


def test_a_tenants_end_finishes_what_was_begun_on_its_epochs_and_claims_no_more_than_was_shown(
    ring: KeyRing, home: Path, tenant: TenantId, collection: CollectionId
) -> None:
    key = ring.data_key(tenant, collection, "body", NEVER)
    copied = home / "keys" / "keys.db.bak"
    shutil.copy(home / "keys" / "keys.db", copied)
    with pytest.raises(KeyUnavailable):
        ring.destroy_epoch(tenant, collection, NEVER)
    with pytest.raises(KeyUnavailable):
        ring.destroy_tenant(tenant)
    copied.unlink()
    first = ring.destroy_tenant(tenant)
    assert first.evidence == "removed from live files"
    assert key.key_id.hex() not in first.key_ids
    again = ring.destroy_tenant(tenant)
    assert set(again.key_ids) == {*first.key_ids, key.key_id.hex()}
    assert "not searched" in again.evidence
    assert ring._store.pending_scopes("epoch:") == []


def test_keys_of_an_earlier_attempt_weaken_the_evidence_of_a_later_one(
    ring: KeyRing, home: Path, tenant: TenantId, collection: CollectionId
) -> None:
    ring.data_key(tenant, collection, "body", NEVER)
    copied = home / "keys" / "keys.db.bak"
    shutil.copy(home / "keys" / "keys.db", copied)
    with pytest.raises(KeyUnavailable, match="still in"):
        ring.destroy_epoch(tenant, collection, NEVER)
    ring.data_key(tenant, collection, "body", NEVER)
    with pytest.raises(KeyUnavailable, match="other files"):
        ring.destroy_epoch(tenant, collection, NEVER)
    ring.data_key(tenant, collection, "body", NEVER)
    copied.unlink()
    assert "not searched" in ring.destroy_epoch(tenant, collection, NEVER).evidence


def test_listing_shows_metadata_only(ring: KeyRing, tenant: TenantId, collection: CollectionId) -> None:
    ring.data_key(tenant, collection, "body", NEVER)
    infos = ring.list_keys()
    assert [info.kind for info in infos].count("dek") == 1
    assert len(infos) == 4 + 1 + 5 + 1
    shown = repr(infos)
    for row in ring._store.all_rows():
        assert row.wrapped.hex() not in shown
    assert ring.installation_key("names").hex() not in shown


def test_a_wrong_root_key_is_refused_at_open(ring: KeyRing, home: Path, tmp_path: Path) -> None:
    other = FileRoot.create(tmp_path / "other.key", home)
    with pytest.raises(KeyRejected):
        KeyRing.open(home / "keys", other, Clock())


def test_a_wrong_root_key_that_claims_the_right_id_is_refused(ring: KeyRing, home: Path, root: FileRoot) -> None:
    impostor = FileRoot.create(home.parent / "impostor.key", home)
    object.__setattr__(impostor, "key_id", root.key_id)
    with pytest.raises(KeyRejected):
        KeyRing.open(home / "keys", impostor, Clock())


def test_a_closed_ring_is_refused(ring: KeyRing, tenant: TenantId) -> None:
    ring.close()
    ring.close()
    with pytest.raises(KeyUnavailable):
        ring.tenant_key(tenant, "id")


def test_a_key_store_is_not_created_over_another(ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId) -> None:
    key = ring.tenant_key(tenant, "id")
    with pytest.raises(HomeRefused):
        KeyRing.create(home / "keys", root, Clock())
    assert ring.tenant_key(tenant, "id") == key


def test_a_creation_that_was_interrupted_is_continued(home: Path, root: FileRoot) -> None:
    (home / "keys").mkdir(mode=0o700)
    (home / "keys" / "keys.db").touch(mode=0o600)
    ring = KeyRing.create(home / "keys", root, Clock())
    assert len(ring.list_keys()) == 4
    ring.close()


def test_of_many_threads_that_miss_one_key_one_opens_it(
    ring: KeyRing, tenant: TenantId, collection: CollectionId, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = ring.data_key(tenant, collection, "body", "r0/never").key_id
    ring._open.forget()
    opened: list[bytes] = []
    unwrap = WrappingKey.unwrap

    def slowly(self: WrappingKey, row: KeyRow) -> Secret:
        opened.append(row.key_id)
        time.sleep(0.02)
        return unwrap(self, row)

    monkeypatch.setattr(WrappingKey, "unwrap", slowly)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ring.key_by_id, [key_id] * 8))
    assert all(key is found[0] for key in found)
    assert opened.count(key_id) == 1
    assert len(opened) == 2  # its KEK, and itself


def test_a_forked_child_begins_without_its_parents_open_keys(ring: KeyRing, tenant: TenantId) -> None:
    ring.tenant_key(tenant, "id")
    kept = len(ring._open._cache)
    child = os.fork()
    if child == 0:
        os._exit(len(ring._open._cache))  # before anything is used
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(ring._open._cache) == kept > 0


def test_a_forked_child_sets_up_cloaks_of_its_own(
    ring: KeyRing, tenant: TenantId, collection: CollectionId, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.create_cloak_key(tenant, collection)
    made = ring.cloaks(tenant, collection, Cloak(), dimension=4).newest
    assert ring.cloaks(tenant, collection, Cloak(), dimension=4).newest is made
    monkeypatch.setattr("securevec.keys.cloaks.os", SimpleNamespace(getpid=lambda: -1))
    assert ring.cloaks(tenant, collection, Cloak(), dimension=4).newest is not made


def test_a_cloak_whose_key_another_process_destroyed_is_not_kept_set_up(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    ring.create_cloak_key(tenant, collection)
    old = ring.cloaks(tenant, collection, Cloak(), dimension=4).newest
    other = KeyRing.open(home / "keys", root, Clock())
    assert other.begin_cloak_rotation(tenant, collection) == other.begin_cloak_rotation(tenant, collection) == 2
    both = ring.cloaks(tenant, collection, Cloak(), dimension=4)
    assert (both.numbers, both.of(1) is old, both.newest is both.of(2)) == ((1, 2), True, True)
    assert [cloak.digest for _, cloak in both.versions] == ring.cloak_digests(tenant, collection, Cloak(), dimension=4)
    other.end_cloak_rotation(tenant, collection, 3)
    assert ring.cloaks(tenant, collection, Cloak(), dimension=4).numbers == (1, 2), "no such version: nothing is older"
    other.end_cloak_rotation(tenant, collection, 2)
    left = ring.cloaks(tenant, collection, Cloak(), dimension=4)
    assert left.numbers == (2,)
    assert list(ring._cloaks.values()) == [left.newest]
    with pytest.raises(KeyRejected):
        left.of(1)
    other.close()


def test_keys_are_kept_as_long_as_was_said(ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId) -> None:
    with pytest.raises(ConfigError):
        KeyRing.open(home / "keys", root, Clock(), cache_ttl_s=3601)
    other = KeyRing.open(home / "keys", root, Clock(), cache_ttl_s=0)
    assert other.tenant_key(tenant, "id") == ring.tenant_key(tenant, "id")
    assert len(other._open._cache) == 0
    other.close()
