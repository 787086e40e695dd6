"""P5: an edited key store never makes a key into something it was not, and revives none."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from securevec.crypto.root import root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyRow, KeyUse, WrappingKey, _wrap_aad
from securevec.errors import KeyDestroyed, KeyRejected, UnknownKey
from tests.support.keybench import EPOCH, Bench, refuse_everything, use_everything


def test_a_row_put_back_after_its_destruction_stays_dead(bench: Bench, tmp_path: Path) -> None:
    backup = tmp_path / "stolen.db"
    shutil.copy(bench.path, backup)
    bench.ring.destroy_tenant(bench.acme)
    connection = sqlite3.connect(bench.path)
    connection.execute("ATTACH ? AS old", (str(backup),))
    for table in ("places", "epochs", "wrappings", "keys"):
        connection.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM old.{table}")
    connection.commit()
    connection.close()
    refuse_everything(bench.ring, bench)
    refuse_everything(bench.reopen(), bench)
    # The tombstone of the KEK is enough, should those of its keys be removed with care.
    bench.edit("DELETE FROM destroyed WHERE kind <> 'kek'")
    for attempt in use_everything(bench.ring, bench):
        with pytest.raises(KeyDestroyed):
            attempt()
    # And destroying again removes what was put back.
    bench.ring.destroy_tenant(bench.acme)
    assert not bench.wrapped(bench.acme)


def test_a_dek_put_back_after_its_epoch_was_destroyed_stays_dead(bench: Bench) -> None:
    [row] = [row for row in bench.ring._store.rows_of_tenant(bytes.fromhex(bench.acme)) if row.key_id == bench.key_id]
    writer = bench.reopen()
    writer.data_key(bench.acme, bench.collection, "body", EPOCH)  # holds a lease when the epoch is destroyed
    bench.ring.destroy_epoch(bench.acme, bench.collection, EPOCH)
    with bench.ring._store.transaction():
        bench.ring._store.insert(row)
    for ring in (writer, bench.ring, bench.reopen()):
        with pytest.raises(KeyDestroyed):
            ring.key_by_id(bench.key_id)
        with pytest.raises(KeyDestroyed):
            ring.data_key(bench.acme, bench.collection, "body", EPOCH)


DEKS = "use IN (SELECT use FROM uses WHERE kind = 'dek')"
KEKS = "use IN (SELECT use FROM uses WHERE kind = 'kek')"
ACME = "place IN (SELECT place FROM places WHERE tenant = :acme)"
GLOBEX = "o.place IN (SELECT place FROM places WHERE tenant = :globex) AND o.use = keys.use"
SWAPS = {
    "wrapped keys of two tenants": (
        f"UPDATE keys SET wrapped = (SELECT o.wrapped FROM keys o WHERE {GLOBEX}) WHERE {ACME} AND {DEKS}"
    ),
    "a DEK's tenant": f"UPDATE keys SET place = (SELECT o.place FROM keys o WHERE {GLOBEX}) WHERE {ACME} AND {DEKS}",
    "a DEK's collection": "UPDATE places SET collection = zeroblob(16) WHERE tenant = :acme AND collection <> x''",
    "a DEK's epoch": "UPDATE epochs SET name = 'r1/b1' WHERE name LIKE 'r%'",
    "a DEK's purpose": "UPDATE uses SET purpose = purpose || 'x' WHERE kind = 'dek'",
    "a DEK's state": f"UPDATE keys SET state = 9 WHERE {ACME} AND {DEKS}",
    "a state that is none": f"UPDATE keys SET state = 15 WHERE {ACME} AND {DEKS}",
    "a DEK's wrapping key": (
        "UPDATE wrappings SET wrapping_id = zeroblob(16) WHERE wrapping IN "
        f"(SELECT wrapping FROM keys WHERE {ACME} AND {DEKS})"
    ),
    "a wrapped DEK": f"UPDATE keys SET wrapped = randomblob(48) WHERE {DEKS}",
    "a wrapped DEK cut": f"UPDATE keys SET wrapped = substr(wrapped, 1, 47) WHERE {DEKS}",
    "a wrapped DEK emptied": f"UPDATE keys SET wrapped = x'' WHERE {DEKS}",
    "the KEKs' tenants": (
        "UPDATE keys SET place = (SELECT place FROM places WHERE collection = x'' AND tenant = CASE (SELECT tenant "
        f"FROM places p WHERE p.place = keys.place) WHEN :acme THEN :globex ELSE :acme END) WHERE {KEKS}"
    ),
    "the KEK's wrapped key": (
        f"UPDATE keys SET wrapped = (SELECT o.wrapped FROM keys o WHERE {GLOBEX}) WHERE {ACME} AND {KEKS}"
    ),
}


@pytest.mark.parametrize("what", SWAPS)
def test_an_edited_row_does_not_open(bench: Bench, what: str) -> None:
    connection = sqlite3.connect(bench.path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("DROP INDEX keys_one_active")  # so that an edit may pass through a duplicate
    ids = {"acme": bytes.fromhex(bench.acme), "globex": bytes.fromhex(bench.globex)}
    assert connection.execute(SWAPS[what], {name: ids[name] for name in ids if f":{name}" in SWAPS[what]}).rowcount > 0
    connection.commit()
    connection.close()
    with pytest.raises(KeyRejected):
        bench.ring.key_by_id(bench.key_id)


def test_every_byte_of_a_wrapped_key_counts(bench: Bench) -> None:
    wrapping = root_wrapping_key(bench.root)
    row = wrapping.wrap(Secret.random(), KeyUse("kek", "kek", b"a" * 16), created_ms=0)
    for at in range(len(row.wrapped)):
        flipped = row.wrapped[:at] + bytes([row.wrapped[at] ^ 1]) + row.wrapped[at + 1 :]
        with pytest.raises(KeyRejected):
            wrapping.unwrap(replace(row, wrapped=flipped))


def test_the_keys_of_one_tenant_do_not_stand_in_for_one_another(bench: Bench) -> None:
    ring = bench.ring
    rows = {row.use.purpose: row for row in ring._store.rows_of_tenant(bytes.fromhex(bench.acme))}
    bench.edit("DELETE FROM keys WHERE key_id = ?", rows["audit"].key_id)
    bench.edit(
        "UPDATE keys SET use = (SELECT use FROM uses WHERE purpose = 'audit') WHERE key_id = ?", rows["token"].key_id
    )
    with pytest.raises(KeyRejected):
        ring.tenant_key(bench.acme, "audit")
    with pytest.raises(UnknownKey):
        ring.tenant_key(bench.acme, "token")


def test_a_key_of_another_tenant_does_not_stand_in(bench: Bench) -> None:
    ring = bench.ring
    mine, theirs = (
        next(row for row in ring._store.rows_of_tenant(bytes.fromhex(tenant)) if row.use.purpose == "token")
        for tenant in (bench.acme, bench.globex)
    )
    bench.edit("DELETE FROM keys WHERE key_id = ?", mine.key_id)
    bench.edit(
        "UPDATE keys SET place = (SELECT place FROM places WHERE tenant = ? AND collection = x'') WHERE key_id = ?",
        bytes.fromhex(bench.acme),
        theirs.key_id,
    )
    with pytest.raises(KeyRejected):
        ring.tenant_key(bench.acme, "token")


def test_a_retired_key_is_not_brought_back_to_seal_more(bench: Bench) -> None:
    ring = bench.ring
    with ring._store.transaction():
        ring._store.set_leased(bench.key_id, 1 << 30)
    ring._open.forget()
    fresh = ring.data_key(bench.acme, bench.collection, "body", EPOCH)
    assert fresh.key_id != bench.key_id
    ring._open.forget()
    bench.edit("DELETE FROM keys WHERE key_id = ?", fresh.key_id)
    bench.edit("UPDATE keys SET state = 0, blocks = 0 WHERE key_id = ?", bench.key_id)
    with pytest.raises(KeyRejected):
        ring.data_key(bench.acme, bench.collection, "body", EPOCH)


def test_a_key_id_names_one_key_even_for_who_holds_the_wrapping_key(bench: Bench) -> None:
    """Row 16, the other half: a second key under the id of the first, rightly wrapped, is refused by the commitment."""
    ring = bench.ring
    tenant = bytes.fromhex(bench.acme)
    rows = ring._store.rows_of_tenant(tenant)
    kek_row = next(row for row in rows if row.use.kind == "kek")
    old = next(row for row in rows if row.key_id == bench.key_id)
    kek = WrappingKey(root_wrapping_key(bench.root).unwrap(kek_row), kek_row.key_id)
    forged = wrap_under_foreign_id(kek, Secret.random(), old)
    bench.edit("UPDATE keys SET wrapped = ? WHERE key_id = ?", forged, old.key_id)
    with pytest.raises(KeyRejected):
        ring.key_by_id(bench.key_id)


def wrap_under_foreign_id(kek: WrappingKey, secret: Secret, row: KeyRow) -> bytes:
    bound = _wrap_aad(row.use, row.key_id, kek.key_id, row.state)
    return kek._aead.encrypt(kek._nonce(bound), secret.bytes(), bound)


def test_a_row_wrapped_for_another_use_is_refused(bench: Bench) -> None:
    wrapping = root_wrapping_key(bench.root)
    secret = Secret.random()
    row = wrapping.wrap(secret, KeyUse("kek", "kek", b"a" * 16), created_ms=0)
    assert wrapping.unwrap(row) == secret
    for changed in (
        replace(row, use=KeyUse("kek", "kek", b"b" * 16)),
        replace(row, use=KeyUse("dek", "kek", b"a" * 16)),
        replace(row, use=KeyUse("kek", "", b"a" * 16, b"", "kek")),
        replace(row, state="full"),
        replace(row, key_id=b"x" * 16),
        replace(row, wrapping_id=b"x" * 8),
        replace(row, wrapped=row.wrapped + b"\0"),
        replace(row, wrapped=b""),
    ):
        with pytest.raises(KeyRejected):
            wrapping.unwrap(changed)


@pytest.mark.parametrize("joined", [b"", b"x" * 16, b"x" * 31, b"x" * 33], ids=len)
def test_a_note_of_an_unfinished_destruction_that_was_edited_claims_nothing(bench: Bench, joined: bytes) -> None:
    scope = f"epoch:{bench.acme}:{bench.collection}:{EPOCH}"
    bench.edit("INSERT INTO pending_destruction (scope, key_ids, begun_ms) VALUES (?, ?, 1)", scope, joined)
    with pytest.raises(KeyRejected):
        bench.ring.destroy_epoch(bench.acme, bench.collection, EPOCH)
    bench.ring.key_by_id(bench.key_id)  # nothing is destroyed


def test_a_version_whose_number_is_none_is_refused_by_whoever_lists_versions(bench: Bench) -> None:
    bench.edit("UPDATE epochs SET name = 'one' WHERE name = '1'")
    for versions in (bench.ring.filter_versions, bench.ring.pseudonym_versions):
        with pytest.raises(KeyRejected):
            versions()
