"""The world most tests start from: a record class, two actors, two tenants with a collection each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import securevec as sv
from securevec.attack.stage import ACME, GLOBEX, Ticket, ticket
from securevec.testing.embedders import HashEmbedder

__all__ = ["ACME", "GLOBEX", "Ticket", "World", "open_world", "ticket"]


@dataclass(frozen=True)
class World:
    store: sv.SecureStore
    acme: sv.Collection[Ticket]
    globex: sv.Collection[Ticket]
    home: Path
    key_file: Path

    def reopen(self) -> sv.SecureStore:
        return sv.SecureStore.open(self.home, key_file=self.key_file, embedder=HashEmbedder())


def open_world(store: sv.SecureStore, home: Path, key_file: Path) -> World:
    """Two tenants in an open store."""
    acme = store.tenant("acme", create=True, actor=ACME).collection(Ticket, retention="180d")
    globex = store.tenant("globex", create=True, actor=GLOBEX).collection(Ticket, retention="180d")
    return World(store, acme, globex, home, key_file)
