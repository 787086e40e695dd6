"""P5: destroying a tenant's keys makes its sealed bytes unreadable, in every process, at once; and they never leave."""

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
from collections.abc import Callable
from uuid import uuid4

import pytest

from securevec.crypto.envelope import open_sealed
from securevec.crypto.root import root_wrapping_key
from securevec.crypto.wrap import KeyRow
from securevec.errors import KeyDestroyed, KeyUnavailable, SecurevecError
from securevec.keyproviders.file import FileRoot
from securevec.keys.keyring import KeyRing
from securevec.keys.keystore import KeyStore
from securevec.types import TenantId
from tests.support.keybench import EPOCH, Bench, forked, in_child, refuse_everything, use_everything

# ---- row 20: use after destruction


def test_a_destroyed_tenant_opens_nothing_in_the_same_process(bench: Bench) -> None:
    assert open_sealed(bench.ring.key_by_id(bench.key_id), bench.blob, bench.place) == b"canary-value"
    done = bench.ring.destroy_tenant(bench.acme)
    assert len(done.key_ids) == 1 + 5 + 1 + 2
    assert bench.key_id.hex() in done.key_ids
    assert done.evidence == "removed from live files"
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

    child = forked(reader)
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
    monkeypatch.setattr("securevec.keys.destroy._CHUNK", 64)
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
    wrapping = root_wrapping_key(bench.root)
    for thing in (ring.key_by_id(bench.key_id), ring.signing_key(), wrapping, bench.root.secret(), bench.root, ring):
        for travel in (pickle.dumps, copy.copy if not isinstance(thing, KeyRing | FileRoot) else pickle.dumps):
            with pytest.raises(TypeError):
                travel(thing)
    shown.append(caplog.text)
    text = "\n".join(shown)
    for canary in canaries:
        for form in (canary.hex(), repr(canary)[2:-1], canary.hex().upper()):
            assert form not in text
