"""What is said of keys that are gone, and of keys there are: no more than was looked at, and of nobody else's."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.crypto.derive import lift
from securevec.crypto.root import RootKey, Roots
from securevec.crypto.secret import Secret
from securevec.errors import KeyDestroyed, KeyRejected, KeyUnavailable
from securevec.keyproviders.file import FileRoot
from securevec.keys.destroy import NOTHING_HELD, REMOVED, REWRITTEN
from securevec.keys.keyring import KeyRing
from securevec.types import CollectionId, TenantId, Token

OTHER = TenantId("0f" * 16)
ANNA = b"a" * 16
EPOCH = "r0/never"


class Searched:
    """A search of the home that finds nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def __call__(self, parts: Sequence[bytes]) -> None:
        self.parts += parts


def test_of_many_keys_that_are_destroyed_together_a_copy_beside_is_found(
    ring: KeyRing, home: Path, tenant: TenantId
) -> None:
    """More than are looked for one by one."""
    ring.subject_keys(tenant, [bytes([number]) * 16 for number in range(70)])
    shutil.copy(home / "keys" / "keys.db", home / "keys" / "old.db")
    with pytest.raises(KeyUnavailable, match="still in"):
        ring.destroy_tenant(tenant)
    (home / "keys" / "old.db").unlink()
    assert ring.destroy_tenant(tenant).key_ids


def test_records_keys_are_shown_gone_by_a_search_for_each_and_not_before(ring: KeyRing, tenant: TenantId) -> None:
    refs = {bytes([number]) * 16: 1 for number in range(3)}
    keys = ring.document_keys(tenant, refs)
    assert ring.bury_documents(tenant, refs.items()) == 3
    looked = Searched()
    assert ring.sweep_documents(tenant, looked) == REWRITTEN
    assert sorted(looked.parts) == sorted(key.key_id for key in keys.values())
    again = Searched()
    ring.sweep_documents(tenant, again)
    assert not again.parts, "what was shown is not looked for again"


def test_records_keys_are_not_shown_gone_while_a_copy_lies_beside(ring: KeyRing, home: Path, tenant: TenantId) -> None:
    ring.document_keys(tenant, {ANNA: 1})
    ring.bury_documents(tenant, [(ANNA, 1)])
    shutil.copy(home / "keys" / "keys.db", home / "keys" / "old.db")
    looked = Searched()
    with pytest.raises(KeyUnavailable):
        ring.sweep_documents(tenant, looked)
    assert not looked.parts


def test_a_file_beside_the_store_without_a_key_in_it_stops_no_end_of_a_filter_key(
    ring: KeyRing, home: Path, tenant: TenantId, collection: CollectionId
) -> None:
    ring.create_filter_key(tenant, collection)
    version = ring.begin_filter_rotation(tenant, collection)
    (home / "keys" / "notes").write_bytes(b"nothing of a key")
    assert ring.end_filter_rotation(tenant, collection, version) == REMOVED
    assert ring.filter_versions() == {collection: version}


def test_a_search_of_the_home_for_one_tenants_keys_answers_for_no_other(
    ring: KeyRing, tenant: TenantId, collection: CollectionId
) -> None:
    ring.create_tenant(OTHER)
    mine, theirs = ring.destroy_tenant(tenant), ring.destroy_tenant(OTHER)
    looked = Searched()
    assert ring.search_elsewhere(tenant, looked) == len(mine.key_ids)
    assert {bytes.fromhex(each) for each in mine.key_ids} <= set(looked.parts)
    assert not {bytes.fromhex(each) for each in theirs.key_ids} & set(looked.parts)
    assert ring.search_elsewhere(None, Searched()) == len(theirs.key_ids)


def test_of_nothing_nothing_is_claimed(ring: KeyRing, tenant: TenantId) -> None:
    assert ring.destroyed(tenant, []).evidence == NOTHING_HELD
    assert ring.destroy_subjects(tenant, [ANNA], job_id="j").evidence == NOTHING_HELD


def test_a_tenant_has_records_keys_when_it_has_or_had_some_and_not_when_another_has(
    ring: KeyRing, tenant: TenantId
) -> None:
    ring.create_tenant(OTHER)
    assert not ring.has_documents(tenant)
    ring.document_keys(tenant, {ANNA: 1})
    assert ring.has_documents(tenant)
    assert not ring.has_documents(OTHER)
    ring.bury_documents(tenant, [(ANNA, 1)])
    assert ring.has_documents(tenant)


def test_a_leased_key_that_was_put_back_after_its_destruction_seals_nothing(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, collection: CollectionId
) -> None:
    writer = KeyRing.open(home / "keys", root, Clock())
    key_id = writer.data_key(tenant, collection, "body", EPOCH).key_id
    row = ring._store.row(key_id)
    assert row is not None
    ring.destroy_epoch(tenant, collection, EPOCH)
    with ring._store.transaction():
        ring._store.insert(row)
    with pytest.raises(KeyDestroyed):
        writer.data_key(tenant, collection, "body", EPOCH)
    writer.close()


def test_a_person_named_by_an_earlier_token_gets_a_key_under_the_later_one(ring: KeyRing, tenant: TenantId) -> None:
    ring.subject_keys(tenant, [ANNA])
    ring.begin_token_version(tenant, 2)
    moved = lift(ring.token_lifts(tenant, 1, 2), Token(ANNA))
    (key,) = ring.subject_keys(tenant, [moved], version=2, create=False).values()
    assert key.version == 2
    assert [key.named_before(version) for version in (2, 3)] == [False, True]
    assert len(ring.subject_key_ids(tenant, [moved])) == 2


def test_a_row_that_went_while_it_was_looked_at_is_an_error_of_ours(ring: KeyRing) -> None:
    row = ring._open._installation_row("actors")
    with ring._store.transaction():
        ring._store.drop(row)
    ring._open._roots = Roots.of(FileRoot(Secret(bytes(32))))
    with pytest.raises(KeyRejected):
        ring._open.under_root(row)


def test_an_exchanged_signing_key_is_the_one_that_signs_while_the_provider_is_silent(
    ring: KeyRing, home: Path, root: FileRoot
) -> None:
    silent = False

    def fetch(_: str) -> RootKey:
        if silent:
            raise KeyUnavailable("The provider does not answer.")
        return root

    reader = KeyRing.open(home / "keys", Roots(fetch, ttl_s=0.0), Clock(), cache_ttl_s=0.0)
    before = reader.signing_key().public
    coming = ring.next_signing_key(make=True)
    assert coming is not None
    ring.in_force(coming.key.public)
    assert reader.signing_key().public == coming.key.public != before
    silent = True
    assert reader.signing_key().public == coming.key.public
    reader.close()


def test_a_ring_is_closed_twice_without_a_word(ring: KeyRing) -> None:
    ring.close()
    ring.close()
