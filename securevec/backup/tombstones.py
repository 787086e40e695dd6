"""Exporting what was deleted since a backup, to be kept where the home is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from securevec.backup import files
from securevec.backup.ledger import Ledger, ledger_since
from securevec.backup.manifest import open_manifest, read_note
from securevec.backup.scope import admit_manager
from securevec.errors import SourceError
from securevec.store.signingkey import chain_of_home
from securevec.text import given_path

if TYPE_CHECKING:
    from securevec.store.secure_store import SecureStore


def export_tombstones(store: SecureStore, path: str | Path, *, since: str | Path) -> Ledger:
    """Write the signed list of what was deleted, erased, revoked and held after the backup in ``since``.

    The list holds ids and keyed tokens only. Make a new one as often as a deletion may at most be lost with the home.

    Raises:
        BackupRejected: ``since`` is no backup of this home, or was altered.
        SourceError: the file cannot be written.
        PolicyDenied: the store's actor does not manage the installation.
    """
    runtime, backup = store.runtime, given_path(since)
    admission = admit_manager(runtime, store.actor, "backup.tombstones")
    with admission.reading():
        signer = runtime.keys.signing_key()
        files.require_finished(backup)
        chain = chain_of_home(runtime)
        manifest = open_manifest(read_note(backup / "control"), chain=chain)
        files.require_same(backup / "control", manifest.parts["control"])
        ledger = ledger_since(
            backup / "control" / "control.db",
            backup=manifest.backup,
            installation=manifest.installation,
            control=runtime.control,
            keys=runtime.keys,
            now_ms=runtime.clock.now_ms(),
        )
        signed = ledger.sign(signer, chain)
    admission.note(phase="intent")
    try:
        files.replace(given_path(path), signed)
    except OSError as error:
        refusal = SourceError("The list of deletions cannot be written.")
        admission.failure(refusal, phase="result")
        raise refusal from error
    counts = {"records": ledger.records, "keys": len(ledger.keys), "tokens": len(ledger.tombstones)}
    admission.note(phase="result", counts=counts)
    return ledger
