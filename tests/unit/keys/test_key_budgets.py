"""How much one key seals: the names key, which has no successor, and keys rolled before their budget ended."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.errors import KeyDestroyed, KeyRejected, LimitExceeded, UnknownKey
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing
from securevec.keys.leases import BLOCK, CEILING
from securevec.state.names import NameBook
from securevec.types import CollectionId, TenantId

PLACE = CollectionId("c" * 32)
ROW = bytes(16)


def _names_row(ring: KeyRing) -> tuple[bytes, int]:
    (row,) = [key for key in ring.list_keys(kind="installation") if key.purpose == "names"]
    return bytes.fromhex(row.key_id), row.leased


def test_a_names_key_that_is_spent_seals_no_more_in_any_process(
    ring: KeyRing, home: Path, root: FileRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = NameBook(ring)
    sealed = names.seal("Acme", row=ROW, kind="tenant-name")
    assert _names_row(ring)[1] == 0, "one value in a million is written down"

    def always(_: int) -> int:
        return 0

    monkeypatch.setattr(secrets, "randbelow", always)
    names.seal("Acme", row=ROW, kind="tenant-name")
    key_id, leased = _names_row(ring)
    assert leased == BLOCK
    with ring._store.transaction():
        ring._store.set_leased(key_id, CEILING)
    with pytest.raises(LimitExceeded):
        names.seal("Acme", row=ROW, kind="tenant-name")
    monkeypatch.undo()
    with pytest.raises(LimitExceeded):
        names.seal("Acme", row=ROW, kind="tenant-name")
    again = KeyRing.open(home / "keys", root, Clock())
    try:
        with pytest.raises(LimitExceeded):
            NameBook(again).seal("Acme", row=ROW, kind="tenant-name")
        assert NameBook(again).open_text(sealed, row=ROW, kind="tenant-name") == "Acme", "what is sealed stays readable"
    finally:
        again.close()


def test_a_rolled_key_that_is_edited_back_to_active_opens_nothing(ring: KeyRing, tenant: TenantId) -> None:
    """Its state is authenticated with it: who edits the file cannot have a leaked key sealed with again."""
    key = ring.data_key(tenant, PLACE, "body", "r0/never")
    assert ring.roll(tenant, PLACE) == [key.key_id]
    with ring._store.transaction():
        ring._store._run("UPDATE keys SET state = 0 WHERE key_id = ?", (key.key_id,))
    with pytest.raises(KeyRejected):
        ring.data_key(tenant, PLACE, "body", "r0/never")


def test_a_key_is_rolled_only_where_it_belongs(ring: KeyRing, tenant: TenantId) -> None:
    key = ring.data_key(tenant, PLACE, "body", "r0/never")
    elsewhere = CollectionId("d" * 32)
    with pytest.raises(UnknownKey):
        ring.roll(tenant, elsewhere, [key.key_id])
    assert ring.data_key(tenant, PLACE, "body", "r0/never").key_id == key.key_id
    ring.destroy_deks(tenant, PLACE, [key.key_id.hex()])
    with pytest.raises(KeyDestroyed):
        ring.roll(tenant, PLACE, [key.key_id])


@pytest.mark.parametrize("reads", [False, True])
def test_a_process_that_reads_under_a_rolled_key_does_not_seal_with_it(
    ring: KeyRing, home: Path, root: FileRoot, tenant: TenantId, *, reads: bool
) -> None:
    """Another process rolled the key. Having it open for what it sealed is no reason to go on with the lease."""
    other = KeyRing.open(home / "keys", root, Clock())
    try:
        old = other.data_key(tenant, PLACE, "body", "r0/never")
        assert other.data_key(tenant, PLACE, "body", "r0/never").key_id == old.key_id
        ring.roll(tenant, PLACE)
        if reads:
            assert other.key_by_id(old.key_id).key_id == old.key_id
        new = other.data_key(tenant, PLACE, "body", "r0/never")
        assert new.key_id != old.key_id
        assert ring.data_key(tenant, PLACE, "body", "r0/never").key_id == new.key_id
    finally:
        other.close()
