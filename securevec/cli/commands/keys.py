"""``keys list|rotate|reseal|reindex|recloak|renew|test-provider|export-public``: keys seen, exchanged, tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from securevec.cli.command import Group
from securevec.cli.commands.receipts import NewReceipt
from securevec.cli.named import require_new
from securevec.cli.output import moment, pairs, table
from securevec.cli.reports import progress_bar
from securevec.cli.session import Session, split_place
from securevec.errors import UsageError

if TYPE_CHECKING:
    from securevec.jobs import JobResult

_SINGLE: Final = {"subject": "people", "document": "records"}
"""Kinds of keys of which there may be millions."""


def register(group: Group) -> None:
    group.command("list")(list_keys)
    group.command("rotate")(rotate)
    group.command("reseal")(reseal)
    group.command("reindex")(reindex)
    group.command("recloak")(recloak)
    group.command("renew")(renew)
    group.command("test-provider")(test_provider)
    group.command("export-public")(export_public)


def list_keys(session: Session) -> None:
    """Every key's kind, purpose, epoch and age. No key material is read."""
    session.require_manager()
    entries: list[dict[str, Any]] = [
        {
            "key": key.key_id,
            "kind": key.kind,
            "purpose": key.purpose,
            "tenant_id": key.tenant or None,
            "collection_id": key.collection or None,
            "epoch": key.epoch or None,
            "state": key.state,
            "created": moment(key.created_ms),
            "leased_messages": key.leased,
            **({"subject": key.subject} if key.subject else {}),
        }
        for key in session.store.runtime.keys.list_keys()
    ]
    rows = [
        (
            entry["key"][:12],
            " ".join(dict.fromkeys((entry["kind"], entry["purpose"]))),
            (entry["tenant_id"] or "-")[:12],
            _spans(entry["epoch"] or ""),
            entry["state"],
            entry["created"].partition("T")[0],
        )
        for entry in entries
        if entry["kind"] not in _SINGLE
    ]
    for kind, whose in _SINGLE.items():
        count = sum(entry["kind"] == kind for entry in entries)
        if count:
            session.out.say(f"and {count} keys of single {whose}, listed with --json")
    session.out.show(entries, table(["key", "what for", "tenant id", "epoch", "state", "created"], rows))


def _spans(epoch: str) -> str:
    """What an epoch is: the days of a bucket's records, a hold's, or a version."""
    from securevec.retention.rules import HOLD, NEVER, bucket_end

    end = bucket_end(epoch)
    if end is not None:
        return f"by {moment(end).partition('T')[0]}"
    if epoch.startswith(HOLD):
        return f"hold {epoch.removeprefix(HOLD)[:12]}"
    return {NEVER: "for good", "": "-"}.get(epoch, f"version {epoch}")


def rotate(
    session: Session,
    what: Annotated[
        str, typer.Argument(metavar="root|tenants|signing|TENANT|TENANT/COLLECTION", help="Which keys are exchanged.")
    ],
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, help="root: earlier root keys kept for key-store backups.")
    ] = 1,
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="signing: others may have the old key; its receipts need the audit log."),
    ] = False,
) -> None:
    """Exchange the root key, the key of one tenant, or of all. Keys are wrapped again, no data is touched.

    signing gives receipts and the audit log a new key that the old one vouches for; old receipts stay verifiable.

    TENANT/COLLECTION gives what is written from now on new data keys; stored records keep theirs (see: keys reseal).
    Goes on beside readers and writers. Interrupted, the same command finishes it.
    """
    if compromised and what != "signing":
        raise UsageError("Only the signing key is given up as compromised.", next_step="keys rotate signing")
    if what == "signing":
        _rotate_signing(session, compromised)
        return
    if what == "root":
        done = session.store.rotate_root_key(keep=keep, step=lambda name: session.out.say(f"{name} ..."))
        document: dict[str, Any] = {
            "rotated": "root",
            "key": done.key_id,
            "rewrapped": done.rewrapped,
            "resumed": done.resumed,
            "kept": list(done.kept),
            "retired": [dict(each) for each in done.retired],
        }
        rows = [(key, "kept for backups", "") for key in done.kept]
        rows += [(each["key_id"], "retired", each["evidence"]) for each in done.retired]
        session.out.say(f"root key {done.key_id}; {done.rewrapped} keys wrapped again")
        session.out.show(document, table(["earlier root key", "is", "what became of it"], rows))
        return
    if "/" in what:
        behind = session.store.roll_keys(*split_place(what))
        session.out.show(
            {"rotated": "collection", "left_behind": behind},
            f"new records get new data keys; {behind} earlier ones go on opening what they sealed",
        )
        return
    if what == "tenants":
        tenants = len(session.store.runtime.keys.tenants_with_keys())
        rewrapped = session.store.rotate_tenant_keys(
            step=lambda done: session.out.say(f"{done} of {tenants} tenants") if done % 10 == 0 else None
        )
        report: dict[str, Any] = {"rotated": "tenants", "tenants": tenants, "rewrapped": rewrapped}
        session.out.show(report, f"{tenants} tenants; {rewrapped} keys wrapped again")
        return
    rewrapped = session.store.rotate_tenant_keys(what)
    session.out.show({"rotated": "tenant", "rewrapped": rewrapped}, f"{rewrapped} keys wrapped again")


def _rotate_signing(session: Session, compromised: bool) -> None:
    done = session.store.rotate_signing_key(compromised=compromised)
    document = {
        "rotated": "signing",
        "key_id": done.key_id,
        "retired": done.retired,
        "number": done.number,
        "compromised": done.compromised,
        "evidence": done.evidence,
        "resumed": done.resumed,
    }
    rows = [("key id", done.key_id), ("given up", done.retired), ("old private key", done.evidence)]
    session.out.say("hand out the new public key: securevec keys export-public")
    session.out.show(document, table(["signing key", ""], rows))


def reseal(
    session: Session,
    place: Annotated[str, typer.Argument(metavar="TENANT/COLLECTION", show_default=False)],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="ID", help="Only the expiry bucket of this data key (keys list --json)."),
    ] = None,
    receipt: NewReceipt = None,
) -> None:
    """Seal a collection anew under new data keys. The suite is that of the settings; the old keys are destroyed.

    For a data key that somebody may have read. Nothing is embedded again; readers and writers go on. Interrupted, the
    same command or `jobs run` finishes it.
    """
    require_new(receipt)
    tenant, collection = split_place(place)
    with progress_bar(place, quiet=session.out.as_json) as progress:
        result = session.store.reseal(tenant, collection, key=key, progress=progress)
    _ended(session, result, receipt, {"records": result.records, "keys_destroyed": result.keys})


def reindex(
    session: Session,
    place: Annotated[str, typer.Argument(metavar="TENANT/COLLECTION", show_default=False)],
    receipt: NewReceipt = None,
) -> None:
    """Give a collection a new filter key. Every filter token and search term is made anew under it.

    For a filter key that somebody may have read. Nothing is embedded again; readers and writers go on, and filters find
    tokens of either key meanwhile. Interrupted, the same command or `jobs run` finishes it.
    """
    require_new(receipt)
    tenant, collection = split_place(place)
    with progress_bar(place, quiet=session.out.as_json) as progress:
        result = session.store.reindex(tenant, collection, progress=progress)
    counts = {"version": result.version, "records": result.records, "edited": result.edited}
    _ended(session, result, receipt, counts)


def recloak(
    session: Session,
    place: Annotated[str, typer.Argument(metavar="TENANT/COLLECTION", show_default=False)],
    receipt: NewReceipt = None,
) -> None:
    """Give a collection a new cloak key. Every stored vector is brought under it, and the old key is destroyed.

    For a cloak key that somebody may have read. Nothing is embedded again; readers and writers go on, and searches find
    vectors under either key meanwhile. Interrupted, the same command or `jobs run` finishes it.
    """
    require_new(receipt)
    tenant, collection = split_place(place)
    with progress_bar(place, quiet=session.out.as_json) as progress:
        result = session.store.recloak(tenant, collection, progress=progress)
    counts = {"version": result.version, "records": result.records, "keys_destroyed": result.keys}
    _ended(session, result, receipt, counts)


def renew(
    session: Session,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", show_default=False)],
    key: Annotated[
        Literal["token", "pseudonym"],
        typer.Option("--key", help="Which key: that of subject tokens, or that of surrogates.", show_default=False),
    ],
    receipt: NewReceipt = None,
) -> None:
    """Give a tenant a new token or pseudonym key. What stands for people is made anew under it: tokens or
    surrogates.

    For a key that somebody may have read. New surrogates are made of the originals in the vault and embedded again; new
    tokens need neither. Readers and writers go on. Interrupted, the same command or `jobs run` finishes it.
    """
    require_new(receipt)
    if key == "pseudonym":
        with progress_bar(tenant, quiet=session.out.as_json) as progress:
            made = session.store.renew_surrogates(tenant, progress=progress)
        said: dict[str, int | str] = {
            "key": key,
            "version": made.version,
            "records": made.records,
            "chunks": made.chunks,
        }
        _ended(session, made, receipt, said)
        return
    with progress_bar(tenant, quiet=session.out.as_json) as progress:
        result = session.store.renew_tokens(tenant, progress=progress)
    counts: dict[str, int | str] = {
        "key": key,
        "version": result.version,
        "tokens": result.tokens,
        "records": result.records,
        "keys_renamed": result.keys,
    }
    _ended(session, result, receipt, counts)


def _ended(session: Session, result: JobResult, receipt: Path | None, counts: Mapping[str, int | str]) -> None:
    """Show where a job stands, and keep the receipt of one that is done."""
    document: dict[str, Any] = {
        "job": result.job_id,
        "state": result.state,
        "waiting_for": result.waiting_for or None,
        **counts,
    }
    session.out.show(document, pairs({name: value for name, value in document.items() if value is not None}))
    result.raise_if_incomplete()
    if receipt is not None:
        result.save(receipt)


def test_provider(session: Session) -> None:
    """Ask the key provider for the root key, as an opening does. Says how long it took; changes nothing."""
    import time

    from securevec.state import home as homes

    session.require_manager()
    runtime = session.store.runtime
    provider = runtime.key_provider
    if provider is None:
        raise UsageError("This home was opened without a key provider.")
    said = homes.described(runtime.home)
    started = time.perf_counter()
    root = provider.load(said.key_provider, said.installation_id)
    took = (time.perf_counter() - started) * 1000
    document = {
        "provider": provider.kind,
        "key": root.key_id,
        "in_use": root.key_id == runtime.keys.root_id(),
        "rotation_unfinished": said.next_key_provider is not None,
        "kept": len(said.previous_key_providers),
        "retired": [dict(each) for each in said.retired_roots],
        "ms": round(took, 1),
    }
    session.out.show(document, f"{provider.kind} answered in {took:.1f} ms with root key {root.key_id}")


def export_public(
    session: Session,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: stdout.", show_default=False)
    ] = None,
) -> None:
    """The public key that checks receipts and audit log, as PEM.

    Hand it over by another way than the receipts: whoever can replace both can forge both. Behind the key stand the
    exchanges that led to it, which check what earlier keys signed.
    """
    from securevec.audit.succession import to_pem
    from securevec.newfile import write_file
    from securevec.proof.receipt import public_key_id
    from securevec.store.signingkey import chain_of_home

    require_new(out, "key")
    key = session.store.runtime.keys.signing_key()
    chain = chain_of_home(session.store.runtime)
    pem = key.public_pem().decode("ascii") + to_pem(chain.successions)
    fingerprint = public_key_id(key.public)
    if out is not None:
        write_file(out, pem.encode("ascii"), what="key")
    document = {
        "key_id": fingerprint,
        "exchanges": len(chain.successions),
        "pem": pem,
        "file": str(out) if out is not None else None,
    }
    if session.out.as_json or out is not None:
        session.out.show(document, f"key id {fingerprint}")
        return
    typer.echo(pem, nl=False)
    session.out.say(f"key id {fingerprint}")
