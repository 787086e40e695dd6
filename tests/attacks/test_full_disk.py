"""On a disk without a free byte everything is refused but what deletes, and no process dies of it. On a disk of its own
in memory, where this user may mount one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import securevec as sv
from securevec.control.store import ControlStore
from securevec.state import reserve
from securevec.testing.embedders import HashEmbedder
from securevec.types import TenantId
from tests.support.other_process import until

MIB: Final = 1 << 20
CAP_SYS_ADMIN: Final = 1 << 21  # linux/capability.h


def may_mount() -> bool:
    """Whether the kernel lets this process mount: root outside of a container has the capability, few others have."""
    with contextlib.suppress(FileNotFoundError):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return any(
            int(line.split()[1], 16) & CAP_SYS_ADMIN for line in status.splitlines() if line.startswith("CapEff:")
        )
    return False


MAY_LOOP: Final = Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None
NEEDS_LOOP: Final = pytest.mark.skipif(not MAY_LOOP, reason="needs a kernel that mounts a file, and mkfs.ext4")
pytestmark = pytest.mark.skipif(not may_mount(), reason="only who may mount has the disk that these tests fill")


class Note(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def opened(disk: Path, backend: str, **given: Any) -> sv.SecureStore:
    key = disk.parent / "root.key"
    return sv.SecureStore.open(disk / "home", backend=backend, key_file=key, embedder=HashEmbedder(), **given)


def filled(store: sv.SecureStore, tenant: str, records: int) -> None:
    notes = store.tenant(tenant, create=True).collection(Note, retention="180d")
    rows = [{"id": f"N-{n}", "customer": f"c{n}@example.com", "body": f"note {n} " * 60} for n in range(records)]
    assert notes.ingest(rows).new == records


def fill(disk: Path, *, but: int = 0) -> None:
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        file.truncate(file.tell() - but)


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_people_and_tenants_are_deleted_on_a_disk_without_a_free_byte(
    disk: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    with opened(disk, backend) as store:
        for tenant in ("acme", "beta"):
            filled(store, tenant, 40)
    fill(disk)
    assert reserve.free(disk) == 0
    with pytest.raises(sv.errors.ControlUnavailable, match=r"disk is full.*in reserve for what deletes"):
        opened(disk, backend)
    with opened(disk, backend, use_reserve=True) as store:
        assert store.tenant("acme").erase_subject("c7@example.com").receipt is not None
        assert store.delete_tenant("beta").receipt is not None
    # Half of what has come free is kept for the next one.
    assert reserve.held(disk / "home") > 0
    fill(disk)
    with opened(disk, backend, use_reserve=True) as store:
        assert store.delete_tenant("acme").receipt is not None


def test_an_open_store_takes_the_reserve_when_its_disk_is_getting_full(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    monkeypatch.setattr(reserve, "SCARCE", 1 * MIB)
    with opened(disk, "edge") as store:
        filled(store, "acme", 1)
        assert reserve.held(disk / "home") == 0
        monkeypatch.setattr(reserve, "SCARCE", 2 << 30)
        monkeypatch.setattr(reserve, "ROOM", 1 * MIB)
        until(lambda: reserve.held(disk / "home") == 8 * MIB)


def test_a_search_on_a_full_disk_does_not_spend_what_deletions_need(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "SIZE", 8 * MIB)
    with opened(disk, "edge") as store:
        filled(store, "acme", 5)
        notes = store.tenant("acme").existing_collection("note")
        notes.search("note")
        fill(disk)

        def ask() -> None:
            for _ in range(50):
                notes.search("note")

        with pytest.raises(sv.errors.AuditUnavailable):
            ask()
        assert reserve.held(disk / "home") == 8 * MIB
        assert notes.delete(["N-1"]).deleted == 1
        assert reserve.held(disk / "home") == reserve.LAST


@pytest.mark.parametrize("but", [32 << 10, 400 << 10])
@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_a_full_disk_without_a_reserve_is_an_error_and_ends_no_process(disk: Path, backend: str, but: int) -> None:
    """Edge maps its files: one that cannot grow ends the process, and the application with it."""
    with opened(disk, backend) as store:
        filled(store, "acme", 60)
        notes = store.tenant("acme").existing_collection("note")
        fill(disk, but=but)
        (disk / "home" / reserve.FILE).unlink()
        with pytest.raises(sv.errors.SecurevecError):
            notes.delete([f"N-{n}" for n in range(40)])
        with pytest.raises(sv.errors.SecurevecError):
            store.tenant("acme").purge()
        (disk / "filler").unlink()
        store.run_jobs()
        assert notes.count() in (20, 60)
        store.tenant("acme").purge()


@pytest.fixture
def thin(disk: Path) -> Iterator[Path]:
    """A file system that believes it has more room than what it lies on: what is written fails when it is flushed."""
    (image := disk / "image").touch()
    os.truncate(image, 64 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", str(image)], check=True)
    place = disk.parent / "thin"
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    place.chmod(0o700)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def child(work: Callable[[ControlStore], None], place: Path) -> int:
    """Do ``work`` with the store there in a process that then dies."""
    if not (pid := os.fork()):
        with contextlib.suppress(BaseException):
            work(ControlStore.open(place / "control.db", create=True))
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@NEEDS_LOOP
def test_what_is_acknowledged_behind_a_flush_that_failed_outlasts_a_restart(disk: Path, thin: Path) -> None:
    def make(store: ControlStore, number: int) -> None:
        store.create_tenant(tenant=TenantId(f"{number:032x}"), name_token=b"%d" % number, name_sealed=b"s", now_ms=1)

    def fails(store: ControlStore) -> None:
        make(store, 1)
        fill(disk)

        def make_many() -> None:
            for number in range(2, 500):
                make(store, number)

        with pytest.raises(sv.errors.ControlUnavailable):
            make_many()

    assert child(fails, thin) == -signal.SIGKILL
    (disk / "filler").unlink()
    assert child(lambda store: make(store, 1000), thin) == -signal.SIGKILL
    subprocess.run(["umount", str(thin)], check=True)
    subprocess.run(["mount", "-o", "loop", str(disk / "image"), str(thin)], check=True)
    with contextlib.closing(ControlStore.open(thin / "control.db", create=False)) as store:
        assert {int(tenant.tenant, 16) for tenant in store.tenants()} >= {1, 1000}
