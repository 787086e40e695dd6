"""kill -9 at every step of a rotation, rotation beside another process at work, and the ratchet.

Whenever it comes, the home opens with what it held, and the same rotation ends.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from securevec.clock import Clock
from securevec.crypto.root import RootKey
from securevec.errors import KeyDestroyed, KeyRejected, KeyUnavailable, SecurevecError
from securevec.keyproviders.choosing import provider_from
from securevec.keyproviders.file import FileProvider
from securevec.keyproviders.passphrase import PassphraseProvider
from securevec.keyproviders.provider import Provider
from securevec.keys.keyring import KeyRing
from securevec.keys.keystore import KeyStore
from securevec.state import home as homes
from securevec.state.runtime import Runtime
from securevec.store.rootkeys import RootRotation, roots_of, rotate_root
from securevec.types import CollectionId, TenantId
from tests.support.keyservices import NEEDS_TOKEN, softhsm_token

TENANT, COLLECTION = TenantId("a" * 32), CollectionId("b" * 32)
STEPS = ("create", "rewrap", "a row", "promote", "between the renames", "switch", "retire")


class Site:
    """A home's keys without the rest of a home."""

    def __init__(self, folder: Path, make: Callable[[Path], Provider]) -> None:
        self.home = folder / "home"
        self.make = make
        self.home.mkdir(mode=0o700)
        identity = homes.new_installation_id()
        root, remembered = make(self.home).create(identity)
        homes.describe(self.home, installation_id=identity, backend="memory", key_provider=remembered)
        ring = KeyRing.create(self.home / "keys", root, Clock())
        ring.create_tenant(TENANT)
        ring.create_filter_key(TENANT, COLLECTION)
        self.key_id = ring.data_key(TENANT, COLLECTION, "body", "2026-11").key_id
        self.token = ring.tenant_key(TENANT, "token")
        ring.close()

    def open(self, home: Path | None = None) -> KeyRing:
        place = home or self.home
        roots = roots_of(place, homes.described(place), self.make(place))
        return KeyRing.open(place / "keys", roots, Clock())

    def rotate(self, *, keep: int = 1, step: Callable[[str], None] = lambda _: None) -> RootRotation:
        ring = self.open()
        runtime = SimpleNamespace(home=self.home, keys=ring, key_provider=self.make(self.home), clock=Clock())
        try:
            return rotate_root(cast("Runtime", runtime), keep=keep, step=step)
        finally:
            ring.close()

    def require_whole(self, home: Path | None = None) -> str:
        ring = self.open(home)
        try:
            assert ring.tenant_key(TENANT, "token") == self.token
            assert ring.key_by_id(self.key_id).key_id == self.key_id
            return ring.root_id()
        finally:
            ring.close()


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_in_child(work: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)  # it was to be killed before
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _with_key_file(home: Path) -> Provider:
    return FileProvider(home.parent / "root.key", home)


def _with_passphrase(passphrase: str, successor: str | None = None) -> Callable[[Path], Provider]:
    def make(_: Path) -> Provider:
        return PassphraseProvider(passphrase, successor=successor)

    return make


def _rotate_and_die(site: Site, where: str) -> None:
    if where == "a row":
        KeyStore.forget_names = _die  # type: ignore[method-assign, assignment]  # in a child that dies of it
    real, renames = os.replace, [0]

    def replaced(source: str, target: str) -> None:
        if str(target).startswith(str(site.home.parent / "root.key")):
            renames[0] += 1
            if renames[0] == 2:
                _die()
        real(source, target)

    if where == "between the renames":
        os.replace = replaced  # type: ignore[assignment]  # in a child that dies of it
    site.rotate(keep=0, step=lambda name: _die() if name == where else None)


@pytest.mark.parametrize("where", STEPS)
def test_a_root_rotation_killed_at_any_step_leaves_a_home_that_opens_and_ends_when_repeated(
    tmp_path: Path, where: str
) -> None:
    site = Site(tmp_path, _with_key_file)
    first = site.require_whole()
    _killed_in_child(lambda: _rotate_and_die(site, where))
    site.require_whole()
    done = site.rotate(keep=0)
    assert done.resumed == (where not in ("create", "retire"))
    assert site.require_whole() == done.key_id != first
    said = homes.described(site.home)
    assert said.next_key_provider is None
    assert said.previous_key_providers == ()
    assert first in [each["key_id"] for each in said.retired_roots]
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("root.key")] == ["root.key"]


def test_a_kek_rotation_killed_half_way_changes_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, _with_key_file)

    def work() -> None:
        KeyStore.forget_names = _die  # type: ignore[method-assign, assignment]  # in a child that dies of it
        site.open().rotate_tenant(TENANT)

    _killed_in_child(work)
    site.require_whole()
    ring = site.open()
    before = {key.key_id for key in ring.list_keys()}
    assert ring.rotate_tenants(ring.tenants_with_keys()) == 7
    after = {key.key_id for key in ring.list_keys()}
    assert len(before - after) == len(after - before) == 1, "one KEK for another; no DEK has another id"
    assert ring.destroyed_ids() == []
    ring.close()
    site.require_whole()


def test_rotations_beside_a_process_that_reads_and_writes_cost_it_no_key(tmp_path: Path) -> None:
    site = Site(tmp_path, _with_key_file)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ring = site.open()
            os.write(told, b"x")
            made: list[bytes] = []
            for turn in range(150):
                made.append(ring.data_key(TENANT, COLLECTION, "body", f"epoch-{turn}").key_id)
                assert ring.tenant_key(TENANT, "token") == site.token
                assert ring.key_by_id(made[turn // 2]).key_id == made[turn // 2]
            os._exit(0)
        finally:
            os._exit(1)
    os.read(ready, 1)
    ring = site.open()
    for _ in range(4):
        ring.rotate_tenant(TENANT)
        site.rotate(keep=1)
    assert os.waitpid(child, 0)[1] == 0
    ring.close()
    ring = site.open()
    deks = [key for key in ring.list_keys() if key.kind == "dek"]
    assert len(deks) == 151
    for key in deks:
        assert ring.key_by_id(bytes.fromhex(key.key_id)).key_id.hex() == key.key_id
    ring.close()


@NEEDS_TOKEN
def test_a_key_store_backup_older_than_the_kept_root_keys_opens_nothing(tmp_path: Path) -> None:
    token = softhsm_token()

    def in_token(_: Path) -> Provider:
        provider = provider_from("pkcs11", token)
        assert provider is not None
        return provider

    for name, make, dead in (
        ("token", in_token, KeyDestroyed),
        ("file", _with_key_file, (KeyRejected, KeyUnavailable)),
    ):
        (tmp_path / name).mkdir()
        site = Site(tmp_path / name, make)
        backup = tmp_path / name / "backup"
        shutil.copytree(site.home, backup)
        assert site.rotate(keep=1).retired == ()
        site.require_whole(backup)
        done = site.rotate(keep=1)
        assert len(done.retired) == 1
        assert len(done.kept) == 1
        with pytest.raises(dead):
            site.open(backup)
        site.require_whole()
        # Nor with today's description beside yesterday's rows.
        shutil.copy(site.home / "installation.json", backup / "installation.json")
        with pytest.raises(KeyDestroyed):
            site.open(backup)


def test_a_passphrase_is_exchanged_and_a_rotation_whose_new_passphrase_is_lost_begins_anew(tmp_path: Path) -> None:
    old, new = "correct horse battery staple", "a longer tale of staples"
    site = Site(tmp_path, _with_passphrase(old))
    site.make = _with_passphrase(old, new)
    _killed_in_child(lambda: site.rotate(step=lambda name: _die() if name == "rewrap" else None))
    site.make = _with_passphrase(old)
    assert not site.rotate().resumed
    site.make = _with_passphrase(old, new)
    site.rotate()
    site.make = _with_passphrase(new)
    site.require_whole()
    site.make = _with_passphrase(old)
    with pytest.raises(SecurevecError):
        site.open()


def test_two_rotations_of_one_home_do_not_run_at_once(tmp_path: Path) -> None:
    site = Site(tmp_path, _with_key_file)
    first = site.require_whole()
    seen: list[type[BaseException]] = []

    def beside(name: str) -> None:
        if name == "rewrap":
            with pytest.raises(KeyUnavailable) as refused:
                site.rotate()
            seen.append(refused.type)

    done = site.rotate(step=beside)
    assert seen == [KeyUnavailable]
    assert site.require_whole() == done.key_id != first


def test_keys_of_a_destroyed_tenant_that_were_put_back_are_not_wrapped_anew(tmp_path: Path) -> None:
    site = Site(tmp_path, _with_key_file)
    ring = site.open()
    try:
        rows = ring._store.rows_of_tenant(bytes.fromhex(TENANT))
        ring.destroy_tenant(TENANT)
        with ring._store.transaction():
            for row in rows:
                ring._store.insert(row)
        with pytest.raises(KeyDestroyed):
            ring.rotate_tenant(TENANT)
    finally:
        ring.close()


def test_a_provider_that_brings_another_root_key_than_was_asked_for_is_not_believed(tmp_path: Path) -> None:
    """Also where its description does not name the key: the id of what it brought decides."""
    site = Site(tmp_path, _with_key_file)
    said = homes.described(site.home)
    other = FileProvider(tmp_path / "other.key", site.home)
    root, _ = other.create("0" * 32)

    def load(*_: object) -> RootKey:
        return root

    loose = SimpleNamespace(load=load, remote=False)
    roots = roots_of(site.home, replace(said, key_provider={"kind": "file"}), cast("Provider", loose))
    with pytest.raises(KeyRejected):
        roots.wrapping(bytes.fromhex(str(said.key_provider["key_id"])))


def test_a_description_put_back_to_before_the_rotation_does_not_hide_the_new_root(tmp_path: Path) -> None:
    site = Site(tmp_path, _with_key_file)
    before = homes.described(site.home)
    site.rotate(keep=1)
    homes.rewrite(site.home, replace(before))
    with pytest.raises(KeyRejected):
        site.open()
