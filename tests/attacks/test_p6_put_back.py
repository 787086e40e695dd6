"""One store of a home put back alone (control.db, keys.db, the audit log, the engine's files), from a copy made before
a record was deleted, a person erased, a collection sealed anew, a hold placed, a tenant deleted. Nothing that is gone
comes back, nobody else's records are shown wrongly, and what was put back is noticed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import securevec as sv
from securevec.cli.main import main
from securevec.errors import SecurevecError
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket, open_world, ticket

JANE: Final = "jane.doe@example.com"
GONE: Final = "lantern"
"""Stands in what each event takes away, and nowhere else."""

EVENTS: Final[dict[str, Callable[[sv.SecureStore], object]]] = {
    "deletion": lambda store: tickets_of(store).delete(["T-1"]),
    "erasure": lambda store: store.tenant("acme").erase_subject(JANE).raise_if_incomplete(),
    "reseal": lambda store: store.reseal("acme", "ticket").raise_if_incomplete(),
    "hold": lambda store: store.tenant("acme").hold("case 1", collection="ticket", record="T-2"),
    "tenant": lambda store: store.delete_tenant("globex").raise_if_incomplete(),
}
STORES: Final = {"control": "control.db*", "keys": "keys/*", "audit": "audit", "engine": "engine"}


def tickets_of(store: sv.SecureStore) -> sv.Collection[Ticket]:
    return store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")


class Past:
    """A home before and after one event."""

    def __init__(self, root: Path, engine: str, event: str) -> None:
        self.root, self.home, self.event = root, root / "home", event
        with self._opened(engine, create=True) as store:
            world = open_world(store, self.home, root / "root.key")
            text = {"deletion": GONE, "erasure": f"{GONE} of {JANE}", "erasure begun": f"{GONE} of {JANE}"}.get(
                event, "lift"
            )
            world.acme.ingest([ticket(1, f"first {text}", customer=JANE), ticket(2, "the second lift")])
            world.globex.ingest([ticket(3, GONE if event == "tenant" else "bees")])
        shutil.copytree(self.home, root / "before")
        with self._opened(engine) as store:
            EVENTS[event](store)

    def _opened(self, engine: str = "", *, create: bool = False) -> sv.SecureStore:
        named: dict[str, Any] = {"backend": engine} if engine else {}
        return sv.SecureStore.open(
            self.home, key_file=self.root / "root.key", embedder=HashEmbedder(), create=create, **named
        )

    def put_back(self, store: str) -> None:
        for path in self.home.glob(STORES[store]):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (self.root / "before").glob(STORES[store]):
            target = self.home / path.relative_to(self.root / "before")
            shutil.copytree(path, target) if path.is_dir() else shutil.copy2(path, target)

    def seen(self) -> dict[str, str]:
        """What each way of looking says now: the text of it, or the class of its refusal."""
        said: dict[str, str] = {}

        def look(name: str, way: Callable[[], object]) -> None:
            try:
                said[name] = str(way())
            except SecurevecError as error:
                said[name] = type(error).__name__

        def ways() -> None:
            with self._opened() as store:
                tickets = tickets_of(store)
                look("search", lambda: sorted(hit.record.body for hit in tickets.search(f"{GONE} lift", k=10)))
                look("violations", lambda: tickets.search(f"{GONE} lift", k=10).violations)
                look("get", lambda: tickets.get("T-1").body)
                look("iter", lambda: sorted(record.body for record in tickets.iter()))
                look("verify", lambda: tickets.verify().raise_if_wrong().missing)
                look("find", lambda: len(store.tenant("acme").find_subject(JANE)))
                look("export", lambda: list(store.tenant("acme", actor=ACME).export_subject(JANE)))
                look("globex", lambda: store.tenant("globex").collection(Ticket).get("T-3").body)
                if self.event == "hold":
                    look("delete", lambda: tickets.delete(["T-2"]).deleted)

        look("open", ways)
        assert self.event in ("reseal", "hold") or GONE not in str(said), said
        return said


BOTH: Final = "['first lift', 'the second lift']"
SECOND: Final = "['the second lift']"
NOTICED: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("engine", "deletion"): {"search": SECOND, "violations": "1", "get": "RecordNotFound", "verify": "CheckFailed"},
    ("engine", "erasure"): {"search": SECOND, "violations": "1", "get": "RecordNotFound", "verify": "CheckFailed"},
    ("engine", "reseal"): {"search": "IsolationViolation", "get": "IsolationViolation", "verify": "CheckFailed"},
    ("engine", "hold"): {"search": BOTH, "delete": "LegalHold"},
    ("engine", "tenant"): {"search": BOTH, "globex": "TenantNotFound"},
    ("keys", "deletion"): {"search": SECOND, "get": "RecordNotFound", "verify": "0"},
    ("keys", "erasure"): {"search": SECOND, "get": "RecordNotFound", "find": "0", "verify": "0"},
    ("keys", "hold"): {"search": BOTH, "delete": "LegalHold"},
}
"""What is seen when one of these two was put back. Either of the others is not opened, and keys are not where the event
changed which there are."""
ACCEPTED: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("control", "hold"): {"delete": "1"},
    ("keys", "reseal"): {"search": "UnknownKey", "get": "UnknownKey", "verify": "CheckFailed"},
    ("keys", "tenant"): {"search": BOTH, "globex": "TenantNotFound"},
}
"""And by who goes on with it knowingly: he loses what it does not know of, and gets nothing back."""
DEFAULT: Final = {("edge", "control", "hold"), ("edge", "engine", "erasure"), ("edge", "keys", "tenant")}


@pytest.mark.parametrize(
    ("engine", "store", "event"),
    [
        pytest.param(*case, marks=[] if case in DEFAULT else [pytest.mark.soak])
        for case in itertools.product(("edge", "chroma"), STORES, EVENTS)
    ],
)
def test_a_store_put_back_alone_brings_nothing_back_and_is_noticed(
    tmp_path: Path, engine: str, store: str, event: str
) -> None:
    past = Past(tmp_path, engine, event)
    past.put_back(store)
    seen = past.seen()
    if store == "audit":
        assert seen == {"open": "AuditTampered"}
    elif store == "control" or (store, event) not in NOTICED:
        assert seen == {"open": "HomeRefused"}
        place = ["--home", str(past.home), "--key-file", str(tmp_path / "root.key")]
        assert event == "hold" or main(["doctor", *place]) == 1
        option = "--accept-control-store" if store == "control" else "--accept-key-store"
        assert main(["doctor", option, *place]) == 0
        expected = {"open": "None", **ACCEPTED.get((store, event), {})}
        seen = past.seen()
        assert {name: seen[name] for name in expected} == expected
    else:
        expected = NOTICED[store, event]
        assert {name: seen[name] for name in expected} == expected
