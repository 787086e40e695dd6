"""The world most tests start from: a record class, two actors, two tenants with a collection each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import securevec as sv
from securevec.testing.embedders import HashEmbedder


class Ticket(sv.Record):
    id: sv.Key[str]
    customer: sv.Subject[str]
    body: sv.Embed[str]
    notes: sv.Seal[str | None] = None
    status: sv.Filter[str]
    opened: sv.Filter[datetime]


def ticket(number: int, body: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"T-{number}",
        "customer": f"customer{number}@example.com",
        "body": body,
        "status": "open" if number % 2 else "closed",
        "opened": datetime(2026, 1, 1 + number % 28, tzinfo=UTC),
        "internal_comment": "undeclared-canary-column",
    } | changes


@dataclass(frozen=True)
class World:
    store: sv.SecureStore
    acme: sv.Collection[Ticket]
    globex: sv.Collection[Ticket]
    home: Path
    key_file: Path

    def reopen(self) -> sv.SecureStore:
        return sv.SecureStore.open(self.home, key_file=self.key_file, embedder=HashEmbedder())


ACME = sv.Actor("svc:acme-helpdesk", purpose="support")
GLOBEX = sv.Actor("svc:globex-helpdesk", purpose="support")


def open_world(store: sv.SecureStore, home: Path, key_file: Path) -> World:
    """Two tenants in an open store."""
    acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket, retention="180d")
    globex = store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket, retention="180d")
    return World(store, acme, globex, home, key_file)
