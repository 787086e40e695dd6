"""``models list|allow|deny|check|clear``: which models may receive texts of this home."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

import typer

from securevec.cli.command import Group
from securevec.cli.commands.data import Place
from securevec.cli.output import table
from securevec.cli.session import Session, split_place
from securevec.errors import UsageError

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Its exact name.", show_default=False)]
OfTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="TENANT", help="For this tenant alone. Default: all.")
]
Kind = Annotated[Literal["chat", "embedder"], typer.Option("--kind", help="What it is used as.")]
Originals = Annotated[bool, typer.Option("--originals", help="With personal data put back.")]
Provider = Annotated[str, typer.Option("--provider", metavar="NAME", help="Who runs it.", show_default=False)]
Region = Annotated[str, typer.Option("--region", metavar="NAME", help="Where it runs.", show_default=False)]

_NO_LIST: Final = "no list of models is set: every model may receive everything"


def register(group: Group) -> None:
    group.command("list")(list_all)
    group.command("allow")(allow)
    group.command("deny")(deny)
    group.command("check")(check)
    group.command("clear")(clear)


def list_all(session: Session) -> None:
    """Every entry. A model that is not on the list receives nothing, once there is one.

    With --json null where no list is set: then every model receives everything.
    """
    entries = session.store.models()
    if entries is None:
        session.out.show(None, _NO_LIST)
        return
    names = session.store.runtime.names
    document: list[dict[str, Any]] = [asdict(entry) | {"ref": names.model_token(entry.model)} for entry in entries]
    rows = [
        (
            entry.model,
            entry.kind,
            entry.tenant or "all",
            ", ".join(entry.allow) or "nothing",
            "originals" if entry.originals else "anonymized",
            entry.provider or "-",
            entry.region or "-",
            entry.runs,
        )
        for entry in entries
    ]
    columns = ["model", "kind", "tenant", "may receive", "as", "provider", "region", "runs"]
    session.out.show(document, table(columns, rows))


def allow(
    session: Session,
    model: Model,
    classes: Annotated[
        list[str], typer.Option("--class", metavar="LABEL", help="A classification it may receive. Repeat it.")
    ],
    kind: Kind = "chat",
    tenant: OfTenant = None,
    originals: Originals = False,
    provider: Provider = "",
    region: Region = "",
    here: Annotated[bool, typer.Option("--here", help="It runs on this machine; only shown.")] = False,
) -> None:
    """Let a model receive texts of these classifications. The first entry makes the list: then nothing else may."""
    first = session.store.models() is None
    session.store.allow_model(
        model,
        classes,
        kind=kind,
        tenant=tenant,
        originals=originals,
        provider=provider,
        region=region,
        runs="here" if here else "remote",
    )
    said = ["allowed"]
    if first:
        said.append("There is a list now: whatever is not on it receives nothing, embedders too. See: securevec doctor")
    session.out.show({"allowed": True, "first": first}, *said)


def deny(session: Session, model: Model, tenant: OfTenant = None) -> None:
    """Let a model receive nothing, of one tenant or of all. In every process, from its next call on."""
    session.store.deny_model(model, tenant=tenant)
    session.out.show({"denied": True}, "denied")


def check(
    session: Session,
    model: Model,
    place: Place,
    kind: Kind = "chat",
    originals: Originals = False,
    provider: Provider = "",
    region: Region = "",
) -> None:
    """Whether a model may receive texts of a collection now, and why. Exit 1 when it may not. Nothing is sent."""
    tenant, collection = split_place(place)
    answer = session.store.check_model(
        model,
        tenant=tenant,
        collection=collection,
        kind=kind,
        originals=originals,
        provider=provider,
        region=region,
    )
    why = _WHY[answer.reason]
    if answer.reason == "no-list" and not answer.allowed:
        why = f"{why}, and models.required asks for one"
    session.out.show(asdict(answer), f"{'yes' if answer.allowed else 'no'}: {why}")
    if not answer.allowed:
        raise typer.Exit(1)


def clear(
    session: Session,
    yes: Annotated[bool, typer.Option("--yes", help="Say that every model may receive everything again.")] = False,
) -> None:
    """Forget the list, also one that cannot be read. Every model may receive everything again."""
    if not yes:
        raise UsageError("Without a list every model may receive everything.", next_step="If so, add --yes.")
    session.store.clear_models()
    session.out.show({"cleared": True}, _NO_LIST)


_WHY: Final = {
    "no-list": "no list of models is set",
    "listed": "the list allows it",
    "unlisted": "it is not on the list, letter by letter",
    "denied": "the list denies it here",
    "kind": "the list has it for another kind of use",
    "classification": "the collection's classification is none that it may receive",
    "originals": "it may receive anonymized text only",
    "provider": "the list has it at a provider: --provider",
    "region": "the list has it in a region: --region",
    "reclassified": "the collection's classification was edited in the control store",
    "unreadable": "the list cannot be read, so nothing receives anything",
}
