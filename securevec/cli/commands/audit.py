"""``audit tail|verify|export|prove|verify-proof``: who did what, whether the record of it is whole, the record for
another system, and one record for somebody who may see no other."""

from __future__ import annotations

import base64
import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from securevec.cli.command import Group
from securevec.cli.named import read_bounded, require_directory
from securevec.cli.output import moment, pairs, table
from securevec.cli.pinned import Pubkey, anchor_of, log_id_of, pinned_key
from securevec.cli.session import Session
from securevec.cli.streams import answering
from securevec.cli.tail import Format, tail
from securevec.errors import AuditTampered, AuditUnavailable, Unpinned, UsageError

_MAX_PROOFS: Final = 16 * 1024 * 1024
"""A proof is some 5 kB beside its record."""


def register(group: Group) -> None:
    group.command("tail")(tail)
    group.command("verify")(verify)
    group.command("export")(export)
    group.command("prove")(prove)
    group.command("verify-proof")(verify_proof)


def verify(
    session: Session,
    pubkey: Pubkey = None,
    audit_dir: Annotated[
        Path | None,
        typer.Option(
            "--audit-dir",
            metavar="DIR",
            help="A copy of a home's audit directory. Default: the home's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check the whole log offline. Edits, cuts, reordering, missing files and rewritten history are found.

    With ``--pubkey`` no root key is needed. The head kept in the home's control store is the anchor, when there is a
    home. Without a pinned key the exit code is 5.
    """
    from securevec.audit import verify_log
    from securevec.proof.receipt import public_key_id

    if audit_dir is not None:
        require_directory(audit_dir)
    directory = audit_dir or session.home / "audit"
    log_id = log_id_of(session, directory)
    public = pinned_key(session, pubkey)
    if public is None:
        writers, records = _structure(directory, log_id)
        session.out.show({"verified": False, "pinned": False, "writers": writers, "records": records})
        raise Unpinned(
            f"Integrity only: {records} records link up; no pinned key says who signed them.",
            next_step="Pass --pubkey FILE.",
        )
    anchor = anchor_of(session)
    try:
        report = verify_log(directory, log_id=log_id, public_key=public, anchor=anchor)
    except AuditTampered as error:
        raise AuditTampered(
            f"The audit log was tampered with at {error.position}. {error.message}",
            position=error.position,
            next_step="Keep the directory as evidence and compare it with a copy.",
        ) from error
    document: dict[str, Any] = {
        "verified": True,
        "pinned": True,
        "anchored": anchor is not None,
        "records": report.records,
        "checkpointed": report.checkpointed,
        "uncheckpointed": report.uncheckpointed,
        "crashed": list(report.crashed),
        "head": {"size": report.head.size, "root": report.head.root},
        "signing_keys": [
            {"key_id": public_key_id(each.old), "given_up": moment(each.time_ms), "compromised": each.compromised}
            for each in report.successions
        ]
        + [{"key_id": public_key_id(report.chain.current)}],
        "writers": [
            {"writer": w.writer, "state": w.state, "records": w.records, "checkpointed": w.checkpointed}
            for w in report.writers
        ],
    }
    # Each command is a writer of its own: those that ended as they should are counted, not listed.
    listed = [w for w in report.writers if w.state != "closed" or w.torn_bytes or w.checkpointed != w.records]
    rows = [(w.writer, w.state, w.records, w.checkpointed, w.torn_bytes or "-") for w in listed]
    shown: list[Any] = [table(["writer", "state", ">records", ">signed", ">torn bytes"], rows), ""] if listed else []
    ended = len(report.writers) - len(listed)
    summary = f"{report.records} records hold, {report.checkpointed} of them under a signed checkpoint" + (
        "; head agrees with the control store" if anchor is not None else "; no anchor outside the log"
    )
    session.out.show(document, *shown, f"writers: {len(report.writers)}, {ended} of them closed and signed", summary)


def export(
    session: Session,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="A new file, mode 0600; - writes to stdout.", show_default=False),
    ],
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME|AGE", help="From here on: 2026-11-01, or 24h ago.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME|AGE", help="Before this.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="OCSF as JSON lines, the same in syslog messages (RFC 5424), or CEF.")
    ] = "json",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write the log for another system, one event a line. By time, OCSF 1.8.0 as JSON, as it stands in the log.

    `--format syslog` puts the same document into messages of RFC 5424, `--format cef` writes what CEF can hold of it.
    The events hold no content and no names: actors and tenants are keyed references. Nothing is checked here; that is
    `audit verify`, which reads the log itself.
    """
    from securevec.audit import FORMATS, read_between
    from securevec.newfile import new_file

    session.require_manager()
    runtime = session.store.runtime
    now_ms = runtime.clock.now_ms()
    start, end = _moment(since, now_ms), _moment(until, now_ms)
    if end is not None and end <= (start or 0):
        raise UsageError("The window ends before it begins.", next_step="An age is counted back from now.")
    number, shown = 0, FORMATS[form]
    lines = read_between(runtime.home / "audit", log_id=runtime.installation_id, since_ms=start or 0, until_ms=end)
    if str(out) == "-":
        if session.out.as_json:
            raise UsageError("With --json the answer is a report, so the log needs a file.", next_step="Name one.")
        with answering():
            for line in lines:
                sys.stdout.buffer.write(shown(line).encode() + b"\n")
                number += 1
        session.out.say(f"securevec: {number} records exported as {form}")
        return
    with new_file(out, overwrite=overwrite) as stream:
        for line in lines:
            stream.write(shown(line).encode() + b"\n")
            number += 1
    document = {"records": number, "format": form, "out": str(out)}
    session.out.show(document, pairs(document))


def prove(
    session: Session,
    record: Annotated[
        str,
        typer.Argument(
            metavar="UID|REQUEST",
            help="A record's metadata.uid, or the id of a request: it has a record for each phase.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file, mode 0600.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write the proof that records stand in the log, for somebody who is to see these and no others.

    The file holds the records themselves, one a line, and hashes up to a head that this home's key signed. Whoever has
    the public key checks it without the home: `audit verify-proof`.
    """
    from securevec.audit import prove as proofs_of
    from securevec.newfile import new_file

    session.require_manager()
    runtime = session.store.runtime
    public = runtime.keys.signing_key().public
    proofs = proofs_of(runtime.home / "audit", log_id=runtime.installation_id, public_key=public, name=record)
    with new_file(out, overwrite=overwrite) as stream:
        stream.write(b"".join(proof + b"\n" for proof in proofs))
    document = {"records": len(proofs), "out": str(out)}
    session.out.show(document, pairs(document), "Check it with: securevec audit verify-proof FILE --pubkey FILE")


def verify_proof(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `audit prove` wrote.", show_default=False)],
    pubkey: Pubkey = None,
) -> None:
    """Check that records stand in the log of whoever has the key. Takes the file and the pinned public key, no home.

    Without a pinned key the exit code is 5.
    """
    from securevec.audit import summarize
    from securevec.audit import verify_proof as verified

    lines = read_bounded(file, _MAX_PROOFS).splitlines()
    public = pinned_key(session, pubkey)
    if public is None:
        raise Unpinned("No pinned key says whose log that is.", next_step="Pass --pubkey FILE.")
    if not lines:
        raise AuditTampered(
            "The file holds no proof.", position="proof", next_step="Write one with: securevec audit prove"
        )
    found = [verified(line, public_key=public) for line in lines]
    head = found[-1].head
    document: dict[str, Any] = {
        "verified": True,
        "proofs": [
            {"log": each.log_id, "writer": each.writer, "index": each.index, "record": each.record} for each in found
        ],
        "head": {"size": head.size, "root": base64.b64encode(head.root).decode()},
    }
    columns = ("time", "action", "phase", "outcome", "actor", "request")
    rows = [[summarize(each.record)[column] for column in columns] for each in found]
    said = {"proven": len(found), "log": found[-1].log_id, "signed head": head.size}
    session.out.show(document, table(columns, rows), "", pairs(said))


def _moment(typed: str | None, now_ms: int) -> int | None:
    """UTC milliseconds of a date, a moment, or an age before now. Raises :class:`UsageError`."""
    from securevec.clock import to_ms
    from securevec.errors import ConfigError
    from securevec.retention.rules import parse_retention

    if typed is None:
        return None
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(typed)
        try:
            return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
        except OverflowError as error:
            raise UsageError("That moment is outside the years 1 to 9999 in UTC.") from error
    try:
        return now_ms - parse_retention(typed)
    except ConfigError as error:
        raise UsageError("That is no moment and no age.", next_step="For example 2026-11-01, or 24h.") from error


def _structure(directory: Path, log_id: str) -> tuple[int, int]:
    """Writers and records whose indexes and links follow one another. Says nothing about who wrote them."""
    from securevec.audit.directory import WRITER
    from securevec.audit.scan import Scanner

    try:
        writers = sorted(entry for entry in (directory / log_id).iterdir() if WRITER.match(entry.name))
        records = 0
        for writer in writers:
            scanner = Scanner(writer, writer=writer.name, log_id=log_id, roots={})
            records += scanner.run(may_be_torn=True).size
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    return len(writers), records
