"""``backup create|verify|tombstones|restore``: copies of a home, and a new home from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.named import read_bounded
from securevec.cli.output import moment, pairs
from securevec.cli.pinned import Pubkey
from securevec.cli.session import Session
from securevec.errors import Incomplete, Unpinned

if TYPE_CHECKING:
    from securevec.backup import Manifest

Backup = Annotated[Path, typer.Argument(metavar="DIR", help="The backup's directory.", show_default=False)]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="Where its part `keys` is kept, when elsewhere.", show_default=False),
]


def register(group: Group) -> None:
    group.command("create")(create)
    group.command("verify")(verify)
    group.command("tombstones")(tombstones)
    group.command("restore")(restore)


def create(session: Session, directory: Backup) -> None:
    """Back up the home into an empty directory, while others use it.

    Makes three parts: data, control and keys. Keep keys elsewhere, and for as long as a shred may take at most.
    """
    from securevec.backup import create_backup

    report = create_backup(session.store, directory, progress=_step(session))
    document = _document(report.manifest) | {"store": report.statement}
    session.out.show(document, pairs(document))


def verify(session: Session, directory: Backup, keys: Keys = None, pubkey: Pubkey = None) -> None:
    """Check a backup. Signature, every byte, the audit log, and a sample of records that are really opened.

    The root key opens its part `keys`. With ``--pubkey`` and no root key, records are not opened (exit 5).
    """
    from securevec.backup import verify_backup
    from securevec.backup.manifest import read_note
    from securevec.crypto.sign import load_public_pem

    public = load_public_pem(read_bounded(pubkey, 64 * 1024)) if pubkey is not None else None
    rooted = pubkey is None or session.options.key_file is not None
    if rooted:
        read_note(directory / "data")
    result = verify_backup(
        directory,
        keys=keys,
        public=public,
        root=rooted,
        key_file=session.settings.key_file,
        passphrase=session.passphrase_of(directory / "data") if rooted else None,
        key_provider=session.key_service(directory / "data") if rooted else None,
    )
    document = _document(result.manifest) | {
        "pinned": result.pinned,
        "not_looked_at": list(result.missing),
        "records_opened": result.opened,
    }
    session.out.show(document, pairs(document))
    if not result.pinned:
        raise Unpinned(
            "Integrity only: no pinned key says who made this backup.",
            next_step="Pass --pubkey FILE, or the root key with --key-file and the part with --keys.",
        )
    if result.missing or (result.opened is None and result.manifest.engine == "embedded"):
        raise Incomplete(
            "What was looked at holds; a part is elsewhere or no root key was given, so no record was opened.",
            next_step="Pass --keys DIR and --key-file FILE.",
        )


def tombstones(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list to write.", show_default=False)],
    since: Annotated[Path, typer.Option("--since", metavar="DIR", help="The backup.", show_default=False)],
) -> None:
    """List what was deleted since a backup. Erased and revoked too, for a restore without this home.

    Run it often and keep the newest list elsewhere: what is deleted after it comes back in a restore without this home.
    """
    from securevec.backup import export_tombstones

    ledger = export_tombstones(session.store, file, since=since)
    gone = sum(state in ("deleting", "deleted") for state in ledger.tenants.values())
    document: dict[str, Any] = {
        "file": str(file),
        "made": moment(ledger.made_ms),
        "records_gone": ledger.records,
        "tenants_gone": gone,
        "people_erased": len(ledger.tombstones),
        "keys_destroyed": len(ledger.keys),
    }
    session.out.show(document, pairs(document))


def restore(
    session: Session,
    directory: Backup,
    current: Annotated[
        Path | None,
        typer.Option("--current", metavar="DIR", help="The home that was backed up, still there.", show_default=False),
    ] = None,
    tombstones: Annotated[
        Path | None,
        typer.Option("--tombstones", metavar="FILE", help="The newest list of deletions.", show_default=False),
    ] = None,
    nothing_newer: Annotated[
        bool, typer.Option("--nothing-newer", help="Neither exists: deletions since the backup are lost.")
    ] = False,
    keys: Keys = None,
) -> None:
    """Restore a backup into a new home (--home). What was deleted since is deleted there too, before anybody reads."""
    from securevec.backup import Newer, restore_backup
    from securevec.backup.create import statement_of
    from securevec.backup.manifest import read_note

    newer = Newer(current=current, tombstones=tombstones, nothing=nothing_newer)
    read_note(directory / "data")
    report = restore_backup(
        directory,
        session.home,
        newer=newer,
        keys=keys,
        key_file=session.settings.key_file,
        passphrase=session.passphrase_of(directory / "data"),
        key_provider=session.key_service(directory / "data"),
        embedder=session.embedder(),
        actor=session.actor,
        progress=_step(session),
    )
    document = _document(report.manifest) | {
        "home": str(session.home),
        "deletions_known_until": moment(report.newest_ms),
        "keys_from": report.keys_from,
    }
    replayed = report.replayed
    if replayed is not None:
        document |= {
            "tenants_deleted_again": replayed.tenants,
            "records_deleted_again": replayed.records,
            "people_erased_again": replayed.tokens,
            "keys_destroyed_again": replayed.keys,
            "roles_taken_away_again": replayed.roles,
            "records_as_at_the_backup": max(replayed.older - replayed.unreadable, 0),
            "records_without_keys": replayed.unreadable,
            "collections_indexed_anew": replayed.indexed,
            "collections_cloaked_anew": replayed.cloaked,
            "tenants_with_new_surrogates": replayed.respelled,
        }
    session.out.show(document, pairs(document))
    session.out.say(statement_of(report.manifest.engine))
    if replayed is None:
        session.out.say("what was deleted after the backup is back: nothing newer was given")
    elif replayed.unreadable and report.keys_from != "the backup":
        session.out.say(
            "records were sealed anew after the backup, and the keys they had in it are gone: a list of deletions made "
            "at the old home (backup tombstones), restored with instead of it, keeps them"
        )
    elif replayed.keys and report.keys_from == "the backup":
        session.out.say("the backup's own key store still holds the keys destroyed since: destroy that copy")


def _step(session: Session) -> Any:
    def say(step: str) -> None:
        session.out.say(f"{step} ...")

    return say


def _document(manifest: Manifest) -> dict[str, Any]:
    return {
        "backup": manifest.backup,
        "installation": manifest.installation,
        "made": moment(manifest.created_ms),
        "backend": manifest.backend,
        "tenants": manifest.tenants,
        "collections": manifest.collections,
        "records": manifest.records,
        "files": manifest.files,
        "bytes": manifest.size,
    }
