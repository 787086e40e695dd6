"""``receipt verify``: whether a deletion receipt is genuine, on this machine or on one that never saw the home. And the
option of every command that ends with a receipt.

A receipt carries a fingerprint, not a key, and a key that came with it would prove nothing. So the key is the one named
by ``--pubkey``, or that of the home at hand; without either, only the structure can be looked at, and that is never
success.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from securevec.cli.command import Group
from securevec.cli.named import read_bounded, read_stdin, require_directory
from securevec.cli.output import cell, moment, pairs, table
from securevec.cli.pinned import MAX_KEYS, Pubkey, anchor_of, log_id_of, pinned_key
from securevec.cli.session import Session
from securevec.errors import Unpinned

if TYPE_CHECKING:
    from rich.console import RenderableType

    from securevec.audit import Keychain
    from securevec.proof.anchoring import VerifiedLog


def check_anywhere(receipt: Path) -> str:
    """The lines to be typed by whoever is to believe a receipt, on a machine that never saw the home."""
    return (
        "Check it anywhere, with the key that you give out once: securevec keys export-public > signing.pem; "
        f"securevec receipt verify {shlex.quote(str(receipt))} --pubkey signing.pem"
    )


NewReceipt = Annotated[
    Path | None, typer.Option("--receipt", metavar="FILE", help="Where to write the signed receipt.")
]


def register(group: Group) -> None:
    group.command("verify")(verify)


def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="The receipt; - reads stdin.", show_default=False)],
    pubkey: Pubkey = None,
    chain_file: Annotated[
        Path | None,
        typer.Option(
            "--chain",
            metavar="FILE",
            help="A later key file of the issuer, for its exchanges of keys (keys export-public).",
            show_default=False,
        ),
    ] = None,
    audit_dir: Annotated[
        Path | None,
        typer.Option(
            "--audit-dir",
            metavar="DIR",
            help="A copy of the issuer's audit directory: the receipt is compared with its record there.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check a deletion receipt's signature and show what it says.

    With ``--pubkey`` no home and no network are needed. Without a pinned key the exit code is 5.
    """
    from securevec.proof.receipt import MAX_RECEIPT_BYTES, read, unverified

    data = read_bounded(file, MAX_RECEIPT_BYTES) if str(file) != "-" else read_stdin(MAX_RECEIPT_BYTES).encode()
    public = pinned_key(session, pubkey)
    if public is None:
        statement = unverified(data)
        session.out.show(
            {"verified": False, "pinned": False, **_summary(statement)}, "what it says, unchecked:", *_shown(statement)
        )
        raise Unpinned(
            "Integrity only: the structure is sound; no pinned key says who signed it.",
            next_step="Pass --pubkey FILE with the issuer's key.",
        )
    chain, log = _known_keys(session, data, pubkey, chain_file, audit_dir, public)
    receipt = read(data, public=public, chain=chain, log=log)
    document = {"verified": True, "pinned": True, "key_id": receipt.key_id, **_summary(receipt.statement)}
    if receipt.retired is not None:
        document |= {"key_given_up": _moment(receipt.retired.time_ms), "anchored": receipt.anchored}
        session.out.say(_of_retired(receipt.anchored))
    elif receipt.anchored:
        document |= {"anchored": True}
        session.out.say("the audit log holds its record, with the digest of what it says")
    since = _in_backups(session, receipt.statement) if pubkey is None else {}
    shown = [cell(f"root key of that time: {since['root_key']}")] if since else []
    session.out.show(document | since, f"signature holds, key id {receipt.key_id}", *_shown(receipt.statement), *shown)


def _of_retired(anchored: bool) -> str:
    if anchored:
        return "its key was given up since; the audit log holds its record from before"
    return "its key was given up since; that the receipt is older is its own word (--audit-dir DIR shows it)"


def _known_keys(
    session: Session,
    data: bytes,
    pubkey: Path | None,
    chain_file: Path | None,
    audit_dir: Path | None,
    public: bytes,
) -> tuple[Keychain | None, VerifiedLog | None]:
    """The chain of keys, and the audit log to compare the receipt with when one was named, keys were exchanged, or the
    home did not keep this receipt: a copy of the home signs with the same key, and deletes nothing here.

    The log is checked whole, which takes its time: at a home with one key, of its own receipts, it is not needed.
    """
    from securevec.audit import verify_log
    from securevec.audit.succession import chain_in
    from securevec.proof.anchoring import VerifiedLog

    if audit_dir is not None:
        require_directory(audit_dir)
    directory = audit_dir
    if pubkey is None and directory is None:
        from securevec.store.signingkey import chain_of_home

        if not chain_of_home(session.store.runtime).successions and _is_kept(session, data):
            return None, None
        directory = session.home / "audit"
    if directory is not None:
        log_id = log_id_of(session, directory)
        report = verify_log(directory, log_id=log_id, public_key=public, anchor=anchor_of(session))
        return report.chain, VerifiedLog(directory, log_id, report)
    assert pubkey is not None
    return chain_in(read_bounded(chain_file or pubkey, MAX_KEYS), pinned=public), None


def _is_kept(session: Session, data: bytes) -> bool:
    """Whether the home's control store holds this very receipt with its job."""
    from securevec.proof.receipt import unverified

    job = session.store.runtime.control.job(str(unverified(data)["predicate"].get("job")))
    return job is not None and job.receipt is not None and unverified(job.receipt) == unverified(data)


def _in_backups(session: Session, statement: Mapping[str, Any]) -> dict[str, str]:
    """What became of the root key under which the keys stood, as the home at hand remembers it."""
    from securevec.state import home as homes

    root: Mapping[str, Any] | None = statement["predicate"].get("root")
    if root is None:
        return {}
    for each in homes.described(session.home).retired_roots:
        if each.get("key_id") == root.get("key_id"):
            return {"root_key": f"given up on {_moment(each.get('retired_ms'))}: {each.get('evidence')}"}
    return {"root_key": "not given up yet: a key-store backup of that time still opens"}


def _summary(statement: Mapping[str, Any]) -> dict[str, Any]:
    predicate: Mapping[str, Any] = statement["predicate"]
    times = {"effective_ms": "hidden", "fenced_until_ms": "fenced_until"}
    return {
        "kind": predicate.get("kind"),
        "tenant_id": predicate.get("tenant"),
        "job": predicate.get("job"),
        "requested": _moment(predicate.get("requested_ms")),
        **{name: _moment(predicate[key]) for key, name in times.items() if key in predicate},
        "completed": _moment(predicate.get("completed_ms")),
        "manifest": predicate.get("manifest"),
        **{name: predicate[name] for name in ("plan", "result", "exceptions") if name in predicate},
        "artefacts": predicate["artefacts"],
    }


def _shown(statement: Mapping[str, Any]) -> list[RenderableType]:
    summary = _summary(statement)
    artefacts: list[Mapping[str, Any]] = summary.pop("artefacts")
    counts: Mapping[str, Any] = summary.pop("manifest") or {}
    summary["counted before"] = ", ".join(f"{number} {name}" for name, number in counts.items())
    stayed: list[Mapping[str, Any]] = summary.pop("exceptions", [])
    if summary.get("plan"):
        summary["plan"] = summary["plan"].get("digest")
    if summary.get("result"):
        summary["result"] = ", ".join(f"{number} {name} gone" for name, number in summary["result"].items())
    rows = [(entry.get("artefact"), entry.get("verdict"), entry.get("evidence")) for entry in artefacts]
    residuals = sorted({str(entry.get("residual")) for entry in artefacts if entry.get("residual")})
    shown: list[RenderableType] = [pairs(summary), "", table(["artefact", "verdict", "evidence"], rows)]
    shown += [
        cell(f"stayed: {each.get('records')} records, by {each.get('kind')} {each.get('ref')}".rstrip())
        for each in stayed
    ]
    shown += [cell(f"may remain: {residual}") for residual in residuals]
    return shown


def _moment(ms: object) -> str | None:
    return moment(ms) if isinstance(ms, int) else None
