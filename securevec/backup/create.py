"""Making a backup of an open home while others use it.

    audit intent (durable)
    writers of this process wait      the lock of every collection; readers go on
    data      each shard of an embedded engine, closed for a moment and copied; installation.json, settings
    control   control.db as of one moment (SQLite online backup), then the audit log
    keys      keys.db as of one moment; from here on writers go on
    manifest  every file with size and SHA-256, the audit head, signed; written into each part last
    audit result (durable)

The order is what makes the parts fit. An embedded engine has one writer, this process, and it waits: so what the
control store names is in the shards, and under keys that are in the key copy: a record that is replaced takes its own
key along, and one that is sealed anew its data key. Other processes may fence, delete and create meanwhile; what they
commit before the control copy is in it, and its keys are in the key copy, which is later. A tenant whose keys were
destroyed between the two reads as destroyed; one that the control copy no longer knows is in no shard. A store that is
a server is not copied: it is written to by others, and its operator's snapshots are the only consistent copy there is.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from securevec import stopping
from securevec.audit import verify_log
from securevec.audit.checkpoint import Signer
from securevec.audit.copying import copy_log
from securevec.backend import CopiesFiles, VectorBackend
from securevec.backup import files
from securevec.backup.manifest import Engine, FileEntry, Manifest, Part
from securevec.backup.scope import admit_manager
from securevec.control.copying import copy_control
from securevec.errors import AuditUnavailable, ControlUnavailable, HomeRefused, SecurevecError
from securevec.keys.keycopy import copy_keys
from securevec.state import home as homes
from securevec.state.runtime import Runtime
from securevec.text import given_path
from securevec.types import CollectionId, Namespace

if TYPE_CHECKING:
    from securevec.store.secure_store import SecureStore

SETTINGS: Final = "securevec.toml"
INSTALLATION: Final = "installation.json"
_ATTEMPTS: Final = 3
"""How often the copies are made when other processes keep changing keys, or removing. Behind the last one, what they
destroyed is gone in the backup as it is in the home, and the moment it is of lies before what they erased."""
PATIENCE_S: Final = 120.0
"""How long a backup waits for the writers of this process: a purge of a large collection is one."""
_LOOK_S: Final = 0.2
Progress = Callable[[str], None]
"""Called with the name of each step as it begins: ``engine``, ``control``, ``audit``, ``keys``, ``manifest``."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A finished backup. ``statement`` says in a sentence what became of the vector store."""

    manifest: Manifest
    statement: str


def create_backup(store: SecureStore, directory: str | Path, *, progress: Progress = lambda step: None) -> BackupReport:
    """Back up the home of an open store into ``directory``, which is empty or does not exist.

    Three parts come to be there, ``data``, ``control`` and ``keys``; keep ``keys`` elsewhere, and shorter. Killed in
    between it leaves a directory that nothing takes for a backup; the same call begins it again.

    Raises:
        HomeRefused: the directory is not empty, lies inside the home, or another process makes a backup in it.
        PolicyDenied: the store's actor does not manage the installation.
        EngineLocked: another process holds the embedded engine; make the backup there, or stop it.
        KeyUnavailable, ControlUnavailable, BackendError, AuditUnavailable: a part could not be copied.
    """
    runtime, target = store.runtime, given_path(directory)
    _require_outside(target, runtime.home)
    admission = admit_manager(runtime, store.actor, "backup.create")
    admission.note(phase="intent")
    try:
        with files.begun(target):
            manifest, signer = _copy(runtime, target, progress)
            progress("manifest")
            files.finish(target, manifest.sign(signer))
    except SecurevecError as error:
        # A log that fails now must not hide what went wrong first.
        with contextlib.suppress(AuditUnavailable):
            admission.failure(error, phase="result")
        raise
    except OSError as error:
        refusal = HomeRefused("The backup could not be written.", next_step="Check the disk, then run it again.")
        admission.failure(refusal, phase="result")
        raise refusal from error
    counts = {"files": manifest.files, "bytes": manifest.size, "records": manifest.records}
    admission.note(phase="result", counts=counts)
    return BackupReport(manifest, statement_of(manifest.engine))


def statement_of(engine: Engine) -> str:
    """What a backup holds of the vector store, in a sentence."""
    if engine == "embedded":
        return "the vector store's files are in it"
    if engine == "server":
        return "the vector store is a server: back it up by its own snapshots, taken before this backup"
    return "points of this vector store do not outlive a process, and are not in it"


def _copy(runtime: Runtime, target: Path, progress: Progress) -> tuple[Manifest, Signer]:
    """Make the copies. Returns what they are, and the key that signs it: the one in the copies."""
    backend = runtime.backend()
    data, control, keys = (target / part for part in ("data", "control", "keys"))
    data.mkdir(mode=0o700)
    control.mkdir(mode=0o700)
    engine = _engine(backend)
    with contextlib.ExitStack() as held:
        copied: set[CollectionId] = set()
        attempts = _ATTEMPTS
        while True:
            # Of what is decided from here on the copies know a part at most: this is the moment that they are of.
            created_ms = runtime.clock.now_ms()
            signer, listed, decided = _looked_at(runtime, engine)
            _copy_data_and_control(runtime, backend, target, held, copied, progress)
            progress("audit")
            copy_log(runtime.home / "audit", runtime.installation_id, control / "audit")
            progress("keys")
            copy_keys(runtime.home / "keys", keys)
            signed_by, number, since = _looked_at(runtime, engine)
            attempts -= 1
            if (signer.public, listed) == (signed_by.public, number) and (since == decided or attempts <= 0):
                break
            # The log would end with another key than the key store holds, or the list of models be older than the
            # number there says. Or another process destroyed a key, and the control store of before does not know why;
            # or it erased somebody, whom a home that is restored would show.
            shutil.rmtree(control / "audit")
            shutil.rmtree(keys)
        tenants = [row.tenant for row in runtime.control.tenants() if row.state != "deleted"]
        collections = [row.collection for tenant in tenants for row in runtime.control.collections(tenant)]
        records = sum(runtime.control.count_live(collection, now_ms=0)[0] for collection in collections)
    # After the key store: a root key that is exchanged meanwhile is described beside the one before.
    for name in (INSTALLATION, SETTINGS):
        if (runtime.home / name).exists():
            shutil.copyfile(runtime.home / name, data / name)
            (data / name).chmod(0o600)
    parts: dict[Part, tuple[FileEntry, ...]] = {
        "data": files.inventory(data),
        "control": files.inventory(control),
        "keys": files.inventory(keys),
    }
    public = signer.public
    head = verify_log(control / "audit", log_id=runtime.installation_id, public_key=public, anchor=None).head
    made = Manifest(
        backup=uuid4().hex,
        installation=runtime.installation_id,
        created_ms=created_ms,
        backend=backend.name,
        engine=engine,
        release=version("securevec"),
        home=homes.VERSION_TEXT,
        tenants=len(tenants),
        collections=len(collections),
        records=records,
        head=head,
        parts=parts,
    )
    return made, signer


def _looked_at(runtime: Runtime, engine: Engine) -> tuple[Signer, int, tuple[int, frozenset[str]]]:
    """What the other copies have to agree with: the signing key, the number of the list of models; and, a few times at
    most, how often keys were changed, where others do not all the time, and which removals were accepted."""
    changes = runtime.keys.changes() if engine == "embedded" else 0
    removals = runtime.control.removals()
    return runtime.keys.signing_key(), runtime.keys.models_seen(), (changes, removals)


def _copy_data_and_control(
    runtime: Runtime,
    backend: VectorBackend,
    target: Path,
    held: contextlib.ExitStack,
    copied: set[CollectionId],
    progress: Progress,
) -> None:
    """Copy the files of an embedded engine but for those of the collections that are ``copied``, which are added to,
    and then the control store, until it names these collections and no others."""
    data, copy = target / "data" / "engine", target / "control" / "control.db"
    while True:
        progress("engine")
        new = _lock(runtime, held, copied)
        if isinstance(backend, CopiesFiles):
            for collection, namespace in new.items():
                backend.copy_files(namespace=namespace, target=data / backend.name)
                copied.add(collection)
        progress("control")
        copy.unlink(missing_ok=True)
        copy_control(runtime.home / "control.db", copy)
        # Read after the copy: a collection made meanwhile, with records perhaps, is in the copy and not held.
        known = _collections(runtime).keys()
        if known == copied or _engine(backend) != "embedded":
            return
        if not known >= copied:
            # Of a tenant that was deleted meanwhile: no home that is restored would know whose files these are.
            if data.exists():
                shutil.rmtree(data)
            copied.clear()


def _engine(backend: VectorBackend) -> Engine:
    if isinstance(backend, CopiesFiles):
        return "embedded"
    return "volatile" if backend.capabilities.volatile else "server"


def _collections(runtime: Runtime) -> dict[CollectionId, Namespace]:
    """Every collection with its namespace, in one order for whoever locks them all."""
    found = {
        row.collection: runtime.names.namespace(tenant.tenant, row.collection)
        for tenant in runtime.control.tenants()
        for row in runtime.control.collections(tenant.tenant)
    }
    return dict(sorted(found.items()))


def _lock(runtime: Runtime, held: contextlib.ExitStack, before: set[CollectionId]) -> dict[CollectionId, Namespace]:
    """Keep writers out of the collections that are not held yet, and return them.

    Who waits for one holds the others, and the writers of every tenant in this process: so not for good. Raises
    :class:`ControlUnavailable` when a writer keeps one for longer than that, as one does whose model never answers.
    """
    until = time.monotonic() + PATIENCE_S
    new = {name: place for name, place in _collections(runtime).items() if name not in before}
    for collection in new:
        lock = runtime.write_lock(collection)
        while not lock.acquire(timeout=_LOOK_S):
            stopping.check()
            if time.monotonic() > until:
                raise ControlUnavailable(
                    "A write to a collection did not end, and the backup was not made.",
                    next_step="Find what the write waits for, its model or its disk, and begin the backup again.",
                )
        held.callback(lock.release)
    return new


def _require_outside(target: Path, home: Path) -> None:
    if target.resolve().is_relative_to(home.resolve()):
        raise HomeRefused(
            "A backup inside the home is lost with it, and would be part of the next.",
            next_step="Choose a directory elsewhere.",
        )
