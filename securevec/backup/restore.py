"""Restoring a home from a backup: into a new directory, closed until what was deleted since has been deleted again.

    the directory is locked and marked (``.restoring``): nothing opens it
    files are copied, each compared with the manifest's SHA-256 on the way
    the root key opens the key store, whose signing key must have signed the manifest
    the newer state's deletions are repeated (:mod:`securevec.backup.replay`)
    ``VERSION`` is written, and the mark removed

Killed anywhere before ``VERSION``, the directory is refused by everything but the next restore into it, which clears it
and begins again.

Where the home that was backed up is still there (``current``), its key store and its audit log are taken instead of the
copies: keys that were destroyed since are then nowhere in the new home. Where only a list of deletions is there
(``tombstones``), the copy of the key store is used, and those keys are destroyed in it; the copy itself still holds
them, for whoever has the root key of that time.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from securevec.audit import read_chain, verify_log
from securevec.audit.copying import copy_log
from securevec.backup import files
from securevec.backup.create import INSTALLATION
from securevec.backup.ledger import Ledger, ledger_since, open_ledger
from securevec.backup.manifest import Manifest, installation_of, open_manifest, read_bounded, read_note, unverified
from securevec.backup.replay import Replayed, replay
from securevec.backup.scope import admit_manager
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.embed import Embedder
from securevec.errors import BackupRejected, HomeRefused, SecurevecError, SourceError, UsageError
from securevec.keyproviders.provider import Provider
from securevec.keys.keycopy import copy_keys
from securevec.keys.keyring import KeyRing
from securevec.policy import Actor
from securevec.state import home as homes
from securevec.state.engine import kept_out
from securevec.store.opening import audit_anchor, open_runtime
from securevec.store.rootkeys import open_root
from securevec.store.secure_store import SecureStore
from securevec.text import given_path

Progress = Callable[[str], None]
"""Called with the name of each step as it begins: ``files``, ``keys``, ``audit``, ``replay``."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A restored home. ``replayed`` is ``None`` when the operator said that nothing newer exists. ``newest_ms`` is the
    moment up to which deletions are known, in UTC ms."""

    manifest: Manifest
    newest_ms: int
    replayed: Replayed | None
    keys_from: str


@dataclass(frozen=True, slots=True)
class Newer:
    """Where deletions after the backup are known from. Exactly one of the three."""

    current: str | Path | None = None
    tombstones: str | Path | None = None
    nothing: bool = False

    @property
    def home(self) -> Path | None:
        return None if self.current is None else given_path(self.current)

    def read(self) -> bytes:
        """The list of deletions. Raises :class:`SourceError`."""
        try:
            return b"" if self.tombstones is None else read_bounded(given_path(self.tombstones))
        except OSError as error:
            raise SourceError(
                "The list of deletions cannot be read.", next_step="Name one that securevec backup tombstones wrote."
            ) from error

    def __post_init__(self) -> None:
        if (self.current is not None) + (self.tombstones is not None) + self.nothing != 1:
            raise UsageError(
                "A restore needs what was deleted since the backup, or it would bring it back.",
                next_step="Name one: the home that was backed up (--current DIR), a list of deletions (--tombstones "
                "FILE), or --nothing-newer when neither exists.",
            )


def restore_backup(
    directory: str | Path,
    home: str | Path,
    *,
    newer: Newer,
    keys: str | Path | None = None,
    key_file: str | Path | None = None,
    passphrase: str | None = None,
    key_provider: Provider | None = None,
    embedder: Embedder | None = None,
    actor: Actor | None = None,
    clock: Clock | None = None,
    progress: Progress = lambda step: None,
) -> RestoreReport:
    """Restore the backup in ``directory`` into ``home``, which must not exist. ``keys`` is where its key part is kept,
    when that is elsewhere.

    Raises:
        UsageError: nothing says what was deleted since (``newer``).
        EngineLocked: the home that was backed up is in use. One whose store is a server has no lock: stop what uses it.
        HomeRefused: ``home`` is there already and holds anything, or the home that was backed up is used meanwhile.
        BackupRejected: a file or the signature does not match, or the newer state is older than the backup.
        KeyRejected: the root key is another one, or the key store was altered.
        DeletionIncomplete and others: what stopped the repetition; the home stays closed, run it again.
    """
    backup, target = given_path(directory), given_path(home)
    part = given_path(keys) if keys is not None else backup / "keys"
    files.require_finished(backup)
    note = read_note(backup / "data")
    for each in (backup / "control", part):
        if read_note(each) != note:
            raise BackupRejected("The parts are of different backups.")
    with homes.creating(target) as needed:
        if not needed:
            raise HomeRefused(
                "There is a home here already; it is never restored over.",
                next_step="Name a directory that is not there yet.",
            )
        homes.prepare_restore(target)
        run = _Restore(
            backup,
            part,
            target,
            note,
            newer,
            key_file=given_path(key_file) if key_file is not None else None,
            passphrase=passphrase,
            key_provider=key_provider,
            clock=clock or Clock(),
            progress=progress,
        )
        return run.run(embedder, actor or Actor.local())


class _Restore:
    def __init__(
        self,
        backup: Path,
        part: Path,
        home: Path,
        note: bytes,
        newer: Newer,
        *,
        key_file: Path | None,
        passphrase: str | None,
        key_provider: Provider | None,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self.backup, self.part, self.home, self.note, self.newer = backup, part, home, note, newer
        self.key_file, self.passphrase, self.key_provider = key_file, passphrase, key_provider
        self.clock, self.progress = clock, progress
        self.held = contextlib.ExitStack()
        self.require_unchanged: Callable[[], None] = lambda: None

    def run(self, embedder: Embedder | None, actor: Actor) -> RestoreReport:
        said = unverified(self.note)
        with self.held as held:
            if self.newer.home is not None and "://" not in homes.load(self.newer.home).backend:
                # What were deleted there from now on, the new home would not know of.
                held.enter_context(kept_out(self.newer.home))
            return self._run(said, embedder, actor)

    def _run(self, said: Manifest, embedder: Embedder | None, actor: Actor) -> RestoreReport:
        self._copy(said)
        installation = homes.load_restoring(self.home)
        root = open_root(
            self.home, installation, key_file=self.key_file, passphrase=self.passphrase, keys=self.key_provider
        )
        with contextlib.closing(KeyRing.open(self.home / "keys", root, self.clock)) as ring:
            public = ring.signing_key().public
            chain = read_chain(self.home / "audit", log_id=installation.installation_id, pinned=public)
            manifest = open_manifest(self.note, chain=chain)
            if manifest.home != homes.VERSION_TEXT:
                raise BackupRejected(
                    "The backup is of a home of another release.", next_step="Restore it with that release."
                )
            # With ``current`` this is that home's description, which was taken over with its keys.
            if manifest.installation != installation.installation_id:
                raise BackupRejected("The backup is of another installation.")
            self._check_audit(manifest, public)
            ledger = self._ledger(manifest, ring)
        with SecureStore(
            open_runtime(
                self.home,
                backend=None,
                key_file=self.key_file,
                passphrase=self.passphrase,
                key_provider=self.key_provider,
                embedder=embedder,
                policy=None,
                clock=self.clock,
                create=False,
                restoring=True,
            ),
            actor=actor,
        ) as store:
            replayed = self._replay(store, actor, manifest, ledger)
        self.require_unchanged()
        homes.finish_restore(self.home)
        keys_from = "the home that was backed up" if self.newer.current is not None else "the backup"
        newest = ledger.made_ms if ledger is not None else manifest.created_ms
        return RestoreReport(manifest, newest, replayed, keys_from)

    def _copy(self, said: Manifest) -> None:
        """All files, compared with a manifest whose signature is checked before any of them is relied on."""
        current = self.newer.home
        try:
            self.progress("files")
            files.copy(self.backup / "data", self.home, said.parts["data"])
            files.copy(self.backup / "control", self.home, said.parts["control"])
            self.progress("keys")
            if current is None:
                (self.home / "keys").mkdir(mode=0o700)
                files.copy(self.part, self.home / "keys", said.parts["keys"])
            else:
                copy_keys(current / "keys", self.home / "keys")
                # It says which root key opens this key store; the backup's may have been replaced since.
                files.replace(self.home / INSTALLATION, (current / INSTALLATION).read_bytes())
                self.progress("audit")
                shutil.rmtree(self.home / "audit")
                copy_log(current / "audit", installation_of(self.note), self.home / "audit")
            files.sync_tree(self.home)
        except OSError as error:
            raise HomeRefused(
                "The home could not be written.", next_step="Check the disk, then run it again."
            ) from error

    def _check_audit(self, manifest: Manifest, public: bytes) -> None:
        """The log must go on from the head that the manifest was signed with."""
        head = manifest.head
        verify_log(self.home / "audit", log_id=manifest.installation, public_key=public, anchor=head)

    def _ledger(self, manifest: Manifest, ring: KeyRing) -> Ledger | None:
        current = self.newer.home
        if current is not None:
            control = self.held.enter_context(
                contextlib.closing(ControlStore.open(current / "control.db", create=False))
            )
            self.require_unchanged = partial(_require_still, control, control.version())
            ring.follow(control.key_changes(), lambda changes: None)
            anchor = audit_anchor(control)
            public = ring.signing_key().public
            verify_log(self.home / "audit", log_id=manifest.installation, public_key=public, anchor=anchor)
            ledger = ledger_since(
                # The copy that was compared: who can write the backup may have changed it since.
                self.home / "control.db",
                backup=manifest.backup,
                installation=manifest.installation,
                control=control,
                keys=ring,
                now_ms=max(self.clock.now_ms(), control.time_floor()),
            )
        elif self.newer.tombstones is not None:
            ledger = open_ledger(self.newer.read(), public=ring.signing_key().public)
        else:
            return None
        if ledger.backup != manifest.backup or ledger.installation != manifest.installation:
            raise BackupRejected(
                "The list of deletions was made against another backup.",
                next_step="Make it against this one: securevec backup tombstones FILE --since DIR",
            )
        if ledger.audit_size < manifest.head.size or ledger.made_ms < manifest.created_ms:
            raise BackupRejected("What should be newer than the backup is older: it knows of no later deletion.")
        return ledger

    def _replay(self, store: SecureStore, actor: Actor, manifest: Manifest, ledger: Ledger | None) -> Replayed | None:
        self.progress("replay")
        admission = admit_manager(store.runtime, actor, "backup.restore")
        admission.note(phase="intent")
        try:
            store.runtime.clock.raise_floor(manifest.created_ms)
            replayed = replay(store.runtime, actor, ledger) if ledger is not None else None
            store.runtime.backend()
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        counts = {"files": manifest.files, "bytes": manifest.size}
        if replayed is not None:
            counts |= {"keys": replayed.keys, "tenants": replayed.tenants, "deleted": replayed.records}
        admission.note(phase="result", counts=counts)
        return replayed


def _require_still(control: ControlStore, version: int) -> None:
    """Nothing was decided in the home that was backed up since it was asked: no lock keeps those out who need no engine
    for it (an erasure is accepted, a hold placed), nor anybody in front of a server. Raises :class:`HomeRefused`."""
    if control.version() != version:
        raise HomeRefused(
            "The home that was backed up was used while it was restored; the new one does not know what for.",
            next_step="Stop what uses it, then run the restore again.",
        )
