"""All commands, put together. A command is listed here when it works."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import typer
import typer.main

from securevec.cli.command import group
from securevec.cli.commands import (
    attack,
    audit,
    backup,
    bench,
    cloak,
    collections,
    completion,
    data,
    detection,
    doctor,
    holds,
    imports,
    ingest,
    inspect,
    jobs,
    keys,
    leakage,
    models,
    people,
    receipts,
    retention,
    schema,
    start,
    tenants,
    upgrade,
    verify,
)
from securevec.cli.demo import command as demo

_HELP = (
    "A layer in front of vector stores (Qdrant, Chroma): personal data is replaced before anything is embedded, each "
    "tenant's records are sealed under its own keys, people and tenants are deleted with a signed receipt, and every "
    "access is on record."
)


@cache
def program() -> Callable[..., object]:
    """The application, ready to be called. What a call is given lies in its context: the commands themselves keep
    nothing, so one is made per process.
    """
    return typer.main.get_command(build())


def build() -> typer.Typer:
    """The application, made anew at each call."""
    root = group(help_text=_HELP, root=True)
    for room in (
        demo,
        start,
        upgrade,
        doctor,
        ingest,
        data,
        collections,
        verify,
        leakage,
        inspect,
        imports,
        detection,
        bench,
        attack,
        completion,
    ):
        room.register(root)
    for name, help_text, room in (
        ("schema", "Record classes: which fields there are.", schema),
        ("tenant", "Tenants: their roles, quotas, place, and end.", tenants),
        ("subject", "People: find, export, erase.", people),
        ("retention", "How long records are kept: rules, plans, removal.", retention),
        ("hold", "Legal holds: what must not be deleted.", holds),
        ("models", "Which models may receive what.", models),
        ("jobs", "Deletions, erasures and other long work.", jobs),
        ("cloak", "Obfuscation of vectors: what it costs and hides.", cloak),
        ("keys", "Keys: listed, exchanged, the public one.", keys),
        ("audit", "The record of every access: read, verified, exported.", audit),
        ("receipt", "Receipts of deletions: verified.", receipts),
        ("backup", "Copies of the home, and a new home from one.", backup),
    ):
        part = group(help_text=help_text, words=name)
        room.register(part)
        root.typer.add_typer(part.typer, name=name)
    return root.typer
