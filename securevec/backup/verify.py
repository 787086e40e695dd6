"""Looking at a backup where it lies: signature, every byte, the audit log in it, and a few records really opened.

Nothing is written into the backup. Stores change their files when they open them, so what is opened is a copy, in a
directory that is removed afterwards.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from securevec.audit import Keychain, read_chain, verify_log
from securevec.backup import files
from securevec.backup.manifest import Manifest, Part, open_manifest, read_note, unverified
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.crypto.derive import RecordIds
from securevec.discovery import open_backend
from securevec.errors import BackupRejected, KeyDestroyed
from securevec.keyproviders.provider import Provider
from securevec.keys.keyring import KeyRing
from securevec.reading.opening import open_body
from securevec.reading.sheets import Sealed
from securevec.state import home as homes
from securevec.state.names import NameBook
from securevec.store.rootkeys import open_root
from securevec.text import given_path
from securevec.types import RecordRef

SAMPLE: Final = 3
"""Records that are opened of each collection that is looked at."""
COLLECTIONS: Final = 3
"""Collections that are looked at; each is copied for it."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found to hold. ``missing`` parts are kept elsewhere and were not looked at; ``pinned`` says whether a
    key that did not come with the backup signed it; ``opened`` records of the sample were read, ``None`` when none
    could be (no root key, no key part, or the store is a server)."""

    manifest: Manifest
    missing: tuple[Part, ...]
    pinned: bool
    opened: int | None


def verify_backup(
    directory: str | Path,
    *,
    keys: str | Path | None = None,
    public: bytes | None = None,
    root: bool = True,
    key_file: str | Path | None = None,
    passphrase: str | None = None,
    key_provider: Provider | None = None,
) -> Verification:
    """Check a backup. With ``root`` the root key opens the key part: its signing key then pins the manifest, and a
    sample of records is opened. ``public`` pins it without the root key. ``keys`` is where the key part is kept.

    Raises:
        BackupRejected: the signature, a file or the audit log does not match, or a sample does not open.
        KeyRejected: the root key does not open the key part.
        AuditTampered: the audit log in it was changed.
    """
    backup = given_path(directory)
    places = _places(backup, given_path(keys) if keys is not None else None)
    files.require_finished(backup)
    note = read_note(backup / "data")
    missing: tuple[Part, ...] = tuple(part for part, place in places.items() if not place.is_dir())
    for part, place in places.items():
        if part not in missing and read_note(place) != note:
            raise BackupRejected("The parts are of different backups.")
    said = unverified(note)
    for part, place in places.items():
        if part not in missing:
            files.require_same(place, said.parts[part])
    with contextlib.ExitStack() as opened:
        ring = None
        lab = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="securevec-verify-")))
        if root and "keys" not in missing:
            ring = opened.enter_context(
                contextlib.closing(_ring(places, lab, said, key_file, passphrase, key_provider))
            )
        pins = [key for key in (public, ring.signing_key().public if ring is not None else None) if key is not None]
        manifest = said
        for pin in pins:
            manifest = open_manifest(note, chain=_chain(places, said, pin, missing))
        if pins and "control" not in missing:
            verify_log(places["control"] / "audit", log_id=said.installation, public_key=pins[0], anchor=manifest.head)
        sample = None
        if ring is not None and not missing and manifest.engine == "embedded":
            sample = _open_sample(places, lab, manifest, ring)
    return Verification(manifest, missing, bool(pins), sample)


def _places(backup: Path, keys: Path | None) -> dict[Part, Path]:
    return {"data": backup / "data", "control": backup / "control", "keys": keys or backup / "keys"}


def _chain(places: dict[Part, Path], said: Manifest, pin: bytes, missing: tuple[Part, ...]) -> Keychain:
    """The keys of the audit log in the backup, which hold the pinned one. Raises :class:`AuditTampered`."""
    if "control" in missing:
        return Keychain(said.installation, pin)
    return read_chain(places["control"] / "audit", log_id=said.installation, pinned=pin)


def _ring(
    places: dict[Part, Path],
    lab: Path,
    said: Manifest,
    key_file: str | Path | None,
    passphrase: str | None,
    key_provider: Provider | None,
) -> KeyRing:
    (lab / "keys").mkdir(mode=0o700)
    files.copy(places["keys"], lab / "keys", said.parts["keys"])
    files.copy(places["data"], lab, [entry for entry in said.parts["data"] if "/" not in entry.path])
    installation = homes.described(lab)
    if installation.installation_id != said.installation:
        raise BackupRejected("The backup is of another installation.")
    path = given_path(key_file) if key_file is not None else None
    root = open_root(lab, installation, key_file=path, passphrase=passphrase, keys=key_provider)
    return KeyRing.open(lab / "keys", root, Clock())


def _open_sample(places: dict[Part, Path], lab: Path, manifest: Manifest, ring: KeyRing) -> int:
    """Open a few records of the collections that hold the fewest bytes. Raises :class:`BackupRejected`."""
    files.copy(places["control"], lab, [each for each in manifest.parts["control"] if each.path == "control.db"])
    names = NameBook(ring)
    count = 0
    with contextlib.closing(ControlStore.open(lab / "control.db", create=False)) as control:
        rows = [
            (control.count_live(row.collection, now_ms=0)[1], tenant.tenant, row.collection)
            for tenant in control.tenants()
            if tenant.state in ("active", "suspended")
            for row in control.collections(tenant.tenant)
        ]
        chosen = sorted(row for row in rows if row[0])[:COLLECTIONS]
        root = f"engine/{manifest.backend}/"
        for _, tenant, collection in chosen:
            shard = names.namespace(tenant, collection).shard
            listed = manifest.parts["data"]
            of_shard = [each for each in listed if each.path.startswith(f"{root}{shard}/")]
            files.copy(places["data"], lab, of_shard)
        files.copy(places["data"], lab, [each for each in manifest.parts["data"] if each.path == f"{root}VERSION"])
        location = homes.described(lab).backend
        with contextlib.closing(open_backend(location, home=lab)) as backend:
            for _, tenant, collection in chosen:
                namespace = names.namespace(tenant, collection)
                ids = RecordIds(ring.tenant_key(tenant, "id"), collection)
                records = control.refs_after(collection, b"", limit=SAMPLE)
                wanted = [ids.point(RecordRef(ref), generation, 0) for ref, generation in records]
                found = {point.id: point for point in backend.fetch(namespace=namespace, ids=wanted)}
                for point_id in wanted:
                    if point_id not in found:
                        raise BackupRejected("A record that the control store names is not in the store's files.")
                    place = Sealed(tenant, collection, namespace, vault=False)
                    with contextlib.suppress(KeyDestroyed):  # shredded before the backup, and due to be removed
                        open_body(ring, place, found[point_id])
                    count += 1
    return count
