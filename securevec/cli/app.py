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
    "Tenant isolation, anonymization before embedding, envelope encryption, proven erasure and tamper-evident audit "
    "in front of vector stores. Exit codes: 0 ok, 1 a check failed, 2 usage, 3 refused, 4 a dependency is "
    "unavailable, 5 incomplete or unknown."
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
        ("schema", "Record classes.", schema),
        ("tenant", "Tenants and their grants.", tenants),
        ("subject", "People: find, export, erase.", people),
        ("retention", "How long records are kept: rules, plans, and applying one.", retention),
        ("hold", "Legal holds.", holds),
        ("models", "Which models may receive what.", models),
        ("jobs", "Deletions, erasures and retention: in progress and done.", jobs),
        ("cloak", "Obfuscation of vectors: what it costs and hides.", cloak),
        ("keys", "Keys: metadata, and the public key.", keys),
        ("audit", "The record of every access.", audit),
        ("receipt", "Deletion receipts.", receipts),
        ("backup", "Copies of the home, and a new home from one.", backup),
    ):
        part = group(help_text=help_text, words=name)
        room.register(part)
        root.typer.add_typer(part.typer, name=name)
    return root.typer
