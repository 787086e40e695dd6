"""P5: a key store out of which rows, or the count of its changes, were taken, or into which others were put, is refused
by whoever meets the gap: nothing is made up in its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from securevec.clock import Clock
from securevec.crypto.root import RootKey, Roots
from securevec.errors import BoundKeyDestroyed, HomeRefused, KeyDestroyed, KeyRejected, KeyUnavailable, UnknownKey
from securevec.keys.keycopy import copy_keys
from securevec.keys.keyring import KeyRing
from securevec.keys.keyupgrade import rehearse, upgrade, version_of
from securevec.types import TenantId
from tests.support.keybench import EPOCH, Bench

NOBODY = TenantId("0" * 32)


def test_a_store_without_its_count_of_changes_is_refused(bench: Bench) -> None:
    bench.edit("DELETE FROM changes")
    with pytest.raises(HomeRefused):
        bench.ring.changes()
    with pytest.raises(HomeRefused):
        bench.reopen()


def test_an_installation_key_that_was_taken_out_is_not_made_anew(bench: Bench) -> None:
    bench.edit("DELETE FROM keys WHERE use = (SELECT use FROM uses WHERE purpose = 'actors')")
    with pytest.raises(KeyRejected):
        bench.ring.installation_key("actors")
    with pytest.raises(KeyRejected):
        bench.reopen()


def test_versions_of_which_none_is_in_force_are_not_looked_for_for_ever(bench: Bench) -> None:
    bench.edit("UPDATE keys SET state = 9 WHERE use = (SELECT use FROM uses WHERE purpose = 'filter')")
    with pytest.raises(KeyUnavailable):
        bench.ring.filter_keys(bench.acme, bench.collection)


def test_a_key_that_is_no_persons_is_not_taken_for_one(bench: Bench) -> None:
    for key_id in (bench.key_id, bytes(16)):
        with pytest.raises(UnknownKey):
            bench.ring.bound_key(key_id)
        with pytest.raises(UnknownKey):
            bench.ring.view().bound_key(key_id)


def test_a_person_named_under_a_version_that_is_no_number_is_refused(bench: Bench) -> None:
    bench.ring.subject_keys(bench.acme, [b"a" * 16])
    bench.edit("INSERT INTO epochs (name) VALUES ('01')")
    bench.edit(
        "UPDATE keys SET epoch = (SELECT epoch FROM epochs WHERE name = '01')"
        " WHERE use = (SELECT use FROM uses WHERE kind = 'subject')"
    )
    with pytest.raises(KeyRejected):
        bench.ring.has_named_after(bench.acme, 1)
    with pytest.raises(KeyRejected):
        bench.ring.drop_named_before(bench.acme, 2)


def test_a_persons_key_that_dies_in_another_process_while_it_is_made_is_not_handed_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, honest = bench.reopen(), bench.ring._store.transaction

    @contextlib.contextmanager
    def and_then_erased() -> Generator[None]:
        with honest():
            yield
        other.destroy_subjects(bench.acme, [b"a" * 16], job_id="j")

    monkeypatch.setattr(bench.ring._store, "transaction", and_then_erased)
    with pytest.raises(BoundKeyDestroyed):
        bench.ring.subject_keys(bench.acme, [b"a" * 16])
    other.close()


def test_a_batch_bound_to_a_person_whose_key_died_meanwhile_is_not_sealed(bench: Bench) -> None:
    key = bench.ring.subject_keys(bench.acme, [b"a" * 16])[b"a" * 16]
    bench.ring.require_alive([key.key_id])
    bench.ring.destroy_subjects(bench.acme, [b"a" * 16], job_id="j")
    with pytest.raises(BoundKeyDestroyed):
        bench.ring.require_alive([key.key_id])


def test_the_key_of_a_tenant_that_is_gone_or_never_was_is_not_exchanged(bench: Bench) -> None:
    with pytest.raises(UnknownKey):
        bench.ring.rotate_tenant(NOBODY)
    bench.ring.destroy_tenant(bench.acme)
    with pytest.raises(KeyDestroyed):
        bench.ring.rotate_tenant(bench.acme)


def test_a_version_of_a_token_key_is_not_put_in_the_place_of_another(bench: Bench) -> None:
    bench.ring.begin_token_version(bench.acme, 2)
    (held,) = bench.ring.token_lifts(bench.acme, 1, 2)
    bench.ring.take_token_version(bench.acme, 2, held)
    with pytest.raises(KeyRejected):
        bench.ring.take_token_version(bench.acme, 2, bytes(32))
    assert bench.ring.token_lifts(bench.acme, 1, 2) == (held,)


def test_a_key_that_is_gone_from_memory_is_not_used_while_its_provider_is_silent(bench: Bench) -> None:
    silent = False

    def fetch(_: str) -> RootKey:
        if silent:
            raise KeyUnavailable("The provider does not answer.")
        return bench.root

    ring = KeyRing.open(bench.folder, Roots(fetch, ttl_s=0.0), Clock(), cache_ttl_s=0.0)
    silent = True
    assert ring.installation_key("actors") == bench.ring.installation_key("actors"), "names and signs go on"
    ring._open.close()
    with pytest.raises(KeyUnavailable):
        ring.installation_key("actors")
    ring.close()


@pytest.mark.parametrize("look", [rehearse, upgrade])
def test_a_store_whose_rows_break_their_rules_is_not_upgraded(bench: Bench, look: Callable[[Path], int]) -> None:
    bench.edit("UPDATE keys SET wrapped = x'00' WHERE key_id = ?", bench.key_id)
    with pytest.raises(HomeRefused):
        look(bench.folder)


def test_a_store_that_is_not_there_has_no_version(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable):
        version_of(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_copy_of_the_keys_is_not_written_over_what_is_there(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(KeyUnavailable):
        copy_keys(bench.folder, tmp_path / "copy")
    assert not list((tmp_path / "copy").iterdir())


def test_a_key_store_below_a_file_is_neither_made_nor_read(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    place = tmp_path / "file" / "keys"
    with pytest.raises(KeyUnavailable, match="created"):
        KeyRing.create(place, bench.root, Clock())
    with pytest.raises(KeyUnavailable, match="read"):
        KeyRing.open(place, bench.root, Clock())


def test_what_is_bound_to_an_epoch_dies_with_it_and_nothing_else(bench: Bench) -> None:
    bench.ring.destroy_epoch(bench.acme, bench.collection, "r9/other")
    bench.ring.key_by_id(bench.key_id)
    bench.ring.destroy_epoch(bench.acme, bench.collection, EPOCH)
    with pytest.raises(KeyDestroyed):
        bench.ring.key_by_id(bench.key_id)
