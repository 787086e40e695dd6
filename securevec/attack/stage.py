"""The stage of an attack: an open store whose engine can be made to lie, two tenants that know nothing of each other,
and in both a collection of the same name that holds records of the same ids.

The collections are temporary, on whatever store is under attack. Nothing is read from a home that somebody uses.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from securevec.policy import Actor
from securevec.schema import Embed, Filter, Key, Record, Seal, Subject
from securevec.store import Collection, SecureStore, Tenant
from securevec.testing.lying import LyingBackend

ACME: Final = Actor("svc:acme-helpdesk", purpose="support")
GLOBEX: Final = Actor("svc:globex-helpdesk", purpose="support")
ACME_MARK, GLOBEX_MARK = "brickwork", "lanternfish"
"""Words that only one tenant's texts hold: seeing the other's anywhere is a leak."""
UNDECLARED: Final = "undeclared-canary-column"
RETENTION: Final = "180d"


class Ticket(Record):
    id: Key[str]
    customer: Subject[str]
    body: Embed[str]
    notes: Seal[str | None] = None
    status: Filter[str]
    opened: Filter[datetime]


def ticket(number: int, body: str, **changes: Any) -> dict[str, Any]:
    """A row, with one column that no class declares."""
    return {
        "id": f"T-{number}",
        "customer": f"customer{number}@example.com",
        "body": body,
        "status": "open" if number % 2 else "closed",
        "opened": datetime(2026, 1, 1 + number % 28, tzinfo=UTC),
        "internal_comment": UNDECLARED,
    } | changes


def text(number: int, mark: str, **changes: Any) -> dict[str, Any]:
    """A ticket whose body names its tenant's mark, an address to be replaced, and its own number."""
    return ticket(number, f"refund {mark} case {number}, write to person{number}@example.com", **changes)


@dataclass(frozen=True)
class Stage:
    """An open store on an engine that can be made to lie, with two tenants."""

    store: SecureStore
    trap: LyingBackend
    acme: Tenant
    globex: Tenant
    _numbers: Iterator[int] = field(default_factory=itertools.count, kw_only=True)

    def pair(self, *, retention: str | None = RETENTION) -> Pair:
        """A new collection of the same name in both tenants."""
        name = f"tickets{next(self._numbers)}"
        return Pair(
            self,
            self.acme.collection(Ticket, name=name, retention=retention),
            self.globex.collection(Ticket, name=name, retention=retention),
            name,
        )


@dataclass(frozen=True)
class Pair:
    """One collection of each tenant."""

    stage: Stage
    acme: Collection[Ticket]
    globex: Collection[Ticket]
    name: str

    def fill(self, count: int = 8) -> Pair:
        """The same record ids in both, every text marked with its tenant's word."""
        self.acme.ingest([text(number, ACME_MARK) for number in range(1, count + 1)])
        self.globex.ingest([text(number, GLOBEX_MARK) for number in range(1, count + 1)])
        return self
