"""A home whose clock the test turns: two tenants with a collection each, and what the audit log says of a request."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import securevec as sv
from securevec.audit import read_tail
from securevec.clock import Clock
from securevec.proof import receipt as receipts
from securevec.retention.rules import DAY_MS
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, World, open_world, ticket

START: Final = 1_800_000_000_000
RETENTION_DAYS: Final = 180


@dataclass
class Hourglass:
    """A store, its world, and the time. ``tickets`` is acme's collection of 180 days."""

    world: World
    time: list[int] = field(default_factory=lambda: [START])

    @property
    def store(self) -> sv.SecureStore:
        return self.world.store

    @property
    def tickets(self) -> sv.Collection[Ticket]:
        return self.world.acme

    @property
    def acme(self) -> sv.Tenant:
        """As its owner."""
        return self.store.tenant("acme", actor=ACME)

    @property
    def acme_operated(self) -> sv.Tenant:
        """As the local operator."""
        return self.store.tenant("acme")

    def fill(self, *numbers: int) -> None:
        report = self.tickets.ingest([ticket(number, f"Text {number} speaks of a late lift.") for number in numbers])
        assert report.refused == ()

    def pass_days(self, days: float) -> None:
        self.time[0] += int(days * DAY_MS)

    def apply(self) -> list[receipts.Receipt]:
        """Plan and apply; the receipts of the jobs, checked."""
        results = self.store.apply_retention(self.store.retention_plan().digest)
        public = self.store.runtime.keys.signing_key().public
        return [receipts.read(result.raise_if_incomplete().receipt or b"", public=public) for result in results]

    def stored(self, collection: sv.Collection[Any] | None = None) -> int:
        """Points in the engine."""
        place = collection or self.tickets
        return self.store.runtime.backend().count(namespace=place._scope.namespace)

    def named(self, collection: sv.Collection[Any] | None = None) -> int:
        """Records in the manifest, whatever their expiry."""
        return self.store.runtime.control.count_live((collection or self.tickets).id, now_ms=0)[0]

    def audit(self, action: str = "", outcome: str = "") -> list[dict[str, Any]]:
        """Own parts of the newest records, newest last."""
        log = self.store.runtime.installation_id
        records: list[Any] = list(read_tail(self.world.home / "audit", log_id=log, limit=1000))
        return [
            record["unmapped"]["securevec"]
            for record in records
            if action in ("", record["metadata"]["event_code"])
            and outcome in ("", record["unmapped"]["securevec"]["outcome"])
        ]

    def holds_named_in_refusals(self) -> set[str]:
        return {
            str(record["detail"]["hold"])
            for record in self.audit(outcome="denied")
            if "hold" in record.get("detail", {})
        }

    def keys(self) -> set[str]:
        """Epochs of acme's data keys."""
        return {
            key.epoch
            for key in self.store.runtime.keys.list_keys()
            if key.kind == "dek" and key.collection == self.tickets.id
        }


@contextmanager
def hourglass(root: Path, backend: str) -> Generator[Hourglass]:
    home, key_file, time = root / "home", root / "keys" / "root.key", [START]
    with sv.SecureStore.open(
        home, backend=backend, key_file=key_file, embedder=HashEmbedder(), clock=Clock(lambda: time[0])
    ) as store:
        yield Hourglass(open_world(store, home, key_file), time)
