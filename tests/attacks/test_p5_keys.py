"""P5: destroying a tenant's keys makes its sealed bytes unreadable, in every process, at once; and an edited key store
never makes a key into something it was not."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import shutil
import signal
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from securevec.clock import Clock
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, seal
from securevec.crypto.keyring import KeyRing
from securevec.crypto.keystore import KeyStore
from securevec.crypto.leases import BLOCK
from securevec.crypto.root import root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyRow, KeyUse, WrappingKey, _wrap_aad
from securevec.errors import KeyDestroyed, KeyRejected, KeyUnavailable, SecurevecError, UnknownKey
from securevec.keyproviders.file import FileRoot
from securevec.types import CollectionId, TenantId

EPOCH = "r0/never"


@dataclass
class Bench:
    """A key store with two tenants, and one sealed value of the first."""

    ring: KeyRing
    root: FileRoot
    folder: Path
    acme: TenantId
    globex: TenantId
    collection: CollectionId
    place: Place
    blob: bytes

    @property
    def key_id(self) -> bytes:
        return self.blob[8:24]

    @property
    def path(self) -> Path:
        return self.folder / "keys.db"

    def reopen(self, busy_ms: int = 5000) -> KeyRing:
        return KeyRing.open(self.folder, self.root, Clock(), busy_ms=busy_ms)

    def wrapped(self, tenant: TenantId) -> list[bytes]:
        return [row.wrapped for row in self.ring._store.rows_of_tenant(bytes.fromhex(tenant))]

    def edit(self, statement: str, *values: object) -> None:
        """What an attacker with write access to the file does."""
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(statement, values).rowcount > 0
        connection.commit()
        connection.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    home = tmp_path / "home"
    root = FileRoot.create(tmp_path / "root.key", home)
    ring = KeyRing.create(home / "keys", root, Clock())
    acme, globex = TenantId(os.urandom(16).hex()), TenantId(os.urandom(16).hex())
    collection = CollectionId(os.urandom(16).hex())
    for tenant in (acme, globex):
        ring.create_tenant(tenant)
        ring.create_filter_key(tenant, collection)
        for purpose in ("body", "vault"):
            ring.data_key(tenant, collection, purpose, EPOCH)
    place = Place(bytes.fromhex(acme), bytes.fromhex(collection), UUID(int=7), "body")
    blob = seal(ring.data_key(acme, collection, "body", EPOCH), b"canary-value", place)
    yield Bench(ring, root, home / "keys", acme, globex, collection, place, blob)
    ring.close()


def use_everything(ring: KeyRing, bench: Bench) -> list[Callable[[], object]]:
    """Every way to get at a key of the first tenant."""
    return [
        lambda: ring.key_by_id(bench.key_id),
        lambda: ring.data_key(bench.acme, bench.collection, "body", EPOCH),
        lambda: ring.data_key(bench.acme, CollectionId(uuid4().hex), "vault", "r1/b1"),
        lambda: ring.tenant_key(bench.acme, "id"),
        lambda: ring.tenant_key(bench.acme, "audit"),
        lambda: ring.filter_keys(bench.acme, bench.collection),
        lambda: ring.create_tenant(bench.acme),
    ]


def refuse_everything(ring: KeyRing, bench: Bench) -> None:
    for attempt in use_everything(ring, bench):
        with pytest.raises(KeyDestroyed):
            attempt()


def in_child(work: Callable[[], object]) -> int:
    """The wait status of a forked child that ran ``work``."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child of a test must not return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


# ---- row 20: use after destruction


def test_a_destroyed_tenant_opens_nothing_in_the_same_process(bench: Bench) -> None:
    assert open_sealed(bench.ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"
    done = bench.ring.destroy_tenant(bench.acme)
    assert len(done.key_ids) == 1 + 5 + 1 + 2
    assert bench.key_id.hex() in done.key_ids
    assert done.evidence == "removed from live files"
    assert done.residue_found is False
    refuse_everything(bench.ring, bench)
    refuse_everything(bench.reopen(), bench)


def test_the_other_tenant_and_the_installation_keep_their_keys(bench: Bench) -> None:
    before = [bench.ring.tenant_key(bench.globex, "id"), bench.ring.installation_key("actors")]
    dek = bench.ring.data_key(bench.globex, bench.collection, "body", EPOCH).key_id
    bench.ring.destroy_tenant(bench.acme)
    assert [bench.ring.tenant_key(bench.globex, "id"), bench.ring.installation_key("actors")] == before
    assert bench.ring.key_by_id(dek).key_id == dek


def test_another_open_ring_notices_at_its_next_call(bench: Bench) -> None:
    other = bench.reopen()
    for attempt in use_everything(other, bench)[:-1]:
        attempt()
    bench.ring.destroy_tenant(bench.acme)
    refuse_everything(other, bench)
    other.close()


def test_another_process_notices_at_its_next_call(bench: Bench) -> None:
    to_child, to_parent = os.pipe(), os.pipe()

    def reader() -> None:
        ring = bench.reopen()
        assert open_sealed(ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"
        os.write(to_parent[1], b"warm")
        assert os.read(to_child[0], 4) == b"gone"
        refuse_everything(ring, bench)

    child = os.fork()
    if child == 0:
        try:
            reader()
        except BaseException:  # noqa: BLE001 - a child of a test must not return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.read(to_parent[0], 4) == b"warm"
    bench.ring.destroy_tenant(bench.acme)
    os.write(to_child[1], b"gone")
    assert os.waitpid(child, 0)[1] == 0
    for descriptor in (*to_child, *to_parent):
        os.close(descriptor)


def test_a_destruction_in_another_process_is_noticed_here(bench: Bench) -> None:
    for attempt in use_everything(bench.ring, bench)[:-1]:
        attempt()
    assert in_child(lambda: bench.reopen().destroy_tenant(bench.acme)) == 0
    refuse_everything(bench.ring, bench)


def test_readers_in_other_threads_never_get_a_key_after_the_destruction_returned(bench: Bench) -> None:
    done = threading.Event()
    late: list[str] = []

    def read() -> None:
        while True:
            was_done = done.is_set()
            try:
                bench.ring.key_by_id(bench.key_id)
            except KeyDestroyed:
                return
            if was_done:
                late.append("a key was handed out after it was destroyed")
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    bench.ring.destroy_tenant(bench.acme)
    done.set()
    for thread in threads:
        thread.join()
    assert not late


def test_a_destruction_between_two_reads_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    other, row = bench.reopen(), KeyStore.row

    def destroyed_meanwhile(store: KeyStore, key_id: bytes) -> KeyRow | None:
        monkeypatch.undo()
        found = row(store, key_id)
        other.destroy_tenant(bench.acme)
        return found

    bench.ring._open.forget()
    monkeypatch.setattr(KeyStore, "row", destroyed_meanwhile)
    with pytest.raises(KeyDestroyed):
        bench.ring.key_by_id(bench.key_id)
    other.close()


def test_an_epoch_destroyed_elsewhere_is_not_written_to_with_the_old_key(bench: Bench) -> None:
    other = bench.reopen()
    held = other.data_key(bench.acme, bench.collection, "body", EPOCH)
    bench.ring.destroy_epoch(bench.acme, bench.collection, EPOCH)
    assert other.data_key(bench.acme, bench.collection, "body", EPOCH).key_id != held.key_id
    with pytest.raises(KeyDestroyed):
        other.key_by_id(held.key_id)
    other.close()


# ---- destruction is physical, idempotent, resumable, and never claimed falsely


def test_the_wrapped_keys_are_in_no_file_afterwards(bench: Bench) -> None:
    wrapped = bench.wrapped(bench.acme)
    before = bench.path.read_bytes()
    assert len(wrapped) == 9
    assert all(blob in before for blob in wrapped)
    bench.ring.destroy_tenant(bench.acme)
    assert [path.name for path in bench.folder.iterdir()] == ["keys.db"]
    after = bench.path.read_bytes()
    assert not [blob for blob in wrapped if blob in after]
    assert all(blob in after for blob in bench.wrapped(bench.globex))


def test_destroying_twice_says_the_same(bench: Bench) -> None:
    first = bench.ring.destroy_tenant(bench.acme)
    second = bench.ring.destroy_tenant(bench.acme)
    assert second == first
    assert bench.reopen().destroy_tenant(bench.acme) == first


def test_a_copy_of_the_store_beside_it_is_found_and_nothing_is_claimed(bench: Bench) -> None:
    copied = bench.folder / "keys.db.bak"
    shutil.copy(bench.path, copied)
    with pytest.raises(KeyUnavailable, match="still in"):
        bench.ring.destroy_tenant(bench.acme)
    refuse_everything(bench.ring, bench)
    with pytest.raises(KeyUnavailable, match="other files"):
        bench.ring.destroy_tenant(bench.acme)
    copied.unlink()
    done = bench.ring.destroy_tenant(bench.acme)
    assert done.evidence.startswith("removed from live files (resumed")
    assert bench.ring.destroy_tenant(bench.acme) == done, "a repeated call claims no more than the one that did it"


def test_bytes_split_over_two_reads_and_in_folders_below_are_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securevec.crypto.destroy._CHUNK", 64)
    (bench.folder / "old").mkdir()
    shutil.copy(bench.path, bench.folder / "old" / "copy")
    with pytest.raises(KeyUnavailable, match="still in"):
        bench.ring.destroy_tenant(bench.acme)


def test_an_open_reader_delays_the_destruction_and_nothing_is_claimed(bench: Bench) -> None:
    ring = bench.reopen(busy_ms=20)
    reader = sqlite3.connect(bench.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM keys").fetchone()
    with pytest.raises(KeyUnavailable, match="run the same again"):
        ring.destroy_tenant(bench.acme)
    # Nothing is half done: the keys are all there or all gone.
    assert ring.key_by_id(bench.key_id).key_id == bench.key_id
    reader.execute("COMMIT")
    reader.close()
    assert ring.destroy_tenant(bench.acme).evidence == "removed from live files"
    refuse_everything(bench.ring, bench)
    ring.close()


def test_a_reader_that_comes_between_the_steps_is_waited_for_and_reported(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = bench.reopen(busy_ms=20)
    reader = sqlite3.connect(bench.path, isolation_level=None)
    vacuum = KeyStore.vacuum

    def read_first(store: KeyStore) -> None:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM keys").fetchone()
        vacuum(store)

    monkeypatch.setattr(KeyStore, "vacuum", read_first)
    with pytest.raises(KeyUnavailable):
        ring.destroy_tenant(bench.acme)
    reader.execute("COMMIT")
    reader.close()
    monkeypatch.undo()
    refuse_everything(bench.ring, bench)
    assert ring.destroy_tenant(bench.acme).key_ids
    ring.close()


STEPS = ["vacuum", "exclusive", "clear_pending"]


@pytest.mark.parametrize("step", STEPS)
def test_a_destruction_killed_before_a_step_is_finished_by_the_next_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    wrapped = bench.wrapped(bench.acme)

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        monkeypatch.setattr(KeyStore, step, kill)
        bench.reopen().destroy_tenant(bench.acme)

    assert os.WTERMSIG(in_child(work)) == signal.SIGKILL
    refuse_everything(bench.ring, bench)
    done = bench.ring.destroy_tenant(bench.acme)
    assert len(done.key_ids) == 9
    assert done.evidence.startswith("removed from live files")
    assert "not searched" in done.evidence
    after = bench.path.read_bytes()
    assert not [blob for blob in wrapped if blob in after]
    assert bench.ring.destroy_tenant(bench.acme).evidence == done.evidence


def test_a_destruction_killed_before_its_commit_did_not_happen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bury = KeyStore.bury

    def bury_and_die(store: KeyStore, rows: list[KeyRow], *, now_ms: int) -> None:
        bury(store, rows, now_ms=now_ms)
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        monkeypatch.setattr(KeyStore, "bury", bury_and_die)
        bench.reopen().destroy_tenant(bench.acme)

    assert os.WTERMSIG(in_child(work)) == signal.SIGKILL
    assert open_sealed(bench.ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"
    assert bench.ring.destroy_tenant(bench.acme).evidence == "removed from live files"


# ---- rows 14 and 22: an edited key store


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


# ---- row 18: fork and leases


def test_a_forked_child_takes_a_lease_of_its_own(bench: Bench) -> None:
    def leased() -> int:
        [info] = [info for info in bench.ring.list_keys() if info.key_id == bench.key_id.hex()]
        return info.leased

    assert leased() == BLOCK

    def work() -> None:
        key = bench.ring.data_key(bench.acme, bench.collection, "body", EPOCH)
        assert key.key_id == bench.key_id
        assert leased() == 2 * BLOCK
        assert open_sealed(bench.ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"

    assert in_child(work) == 0
    assert leased() == 2 * BLOCK
    bench.ring.data_key(bench.acme, bench.collection, "body", EPOCH)
    assert leased() == 2 * BLOCK


def test_a_fork_during_a_write_waits_and_damages_nothing(bench: Bench) -> None:
    started = threading.Event()

    def write() -> None:
        for number in range(10):
            bench.ring.data_key(bench.globex, bench.collection, "body", f"r1/b{number}")
            started.set()

    thread = threading.Thread(target=write)
    thread.start()
    started.wait()
    for _ in range(5):
        assert in_child(lambda: bench.ring.tenant_key(bench.acme, "id")) == 0
    thread.join()
    assert sqlite3.connect(bench.path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len([info for info in bench.ring.list_keys() if info.epoch.startswith("r1/")]) == 10


def test_a_child_that_exits_does_not_harm_the_parents_store(bench: Bench) -> None:
    assert in_child(bench.ring.close) == 0
    assert in_child(lambda: bench.ring.destroy_epoch(bench.acme, bench.collection, "r9/b9")) == 0
    assert bench.ring.key_by_id(bench.key_id).key_id == bench.key_id


# ---- row 23: key material never leaves


def test_no_repr_error_log_or_pickle_carries_a_key(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ring = bench.ring
    canaries = [
        bench.root.secret().bytes(),
        ring.tenant_key(bench.acme, "id"),
        ring.installation_key("names"),
        *bench.wrapped(bench.acme),
    ]
    shown: list[str] = [repr(ring), repr(bench.root), repr(ring.signing_key()), repr(ring.names_key())]
    shown += [repr(thing) for thing in (ring.key_by_id(bench.key_id), bench.root.secret())]
    shown += [repr(row) for row in ring._store.all_rows()]
    shown += [repr(root_wrapping_key(bench.root)), str(ring.list_keys())]
    failing: list[Callable[[], object]] = [
        lambda: ring.key_by_id(bytes(16)),
        lambda: ring.tenant_key(TenantId(uuid4().hex), "id"),
        lambda: ring.tenant_key(TenantId("acme"), "id"),
        lambda: ring.create_tenant(bench.acme),
        lambda: open_sealed(ring.key_by_id(bench.key_id), bench.blob[:-1], bench.place),
        lambda: ring.data_key(bench.acme, bench.collection, "body", EPOCH, messages=0),
    ]
    for attempt in failing:
        with pytest.raises(SecurevecError) as caught:
            attempt()
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(str(caught.value))
        assert bench.acme not in str(caught.value)
    for thing in (ring.key_by_id(bench.key_id), ring.signing_key(), bench.root.secret(), bench.root, ring):
        for travel in (pickle.dumps, copy.copy if not isinstance(thing, KeyRing | FileRoot) else pickle.dumps):
            with pytest.raises(TypeError):
                travel(thing)
    shown.append(caplog.text)
    text = "\n".join(shown)
    for canary in canaries:
        for form in (canary.hex(), repr(canary)[2:-1], canary.hex().upper()):
            assert form not in text
