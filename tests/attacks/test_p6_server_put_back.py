"""Files of a real Chroma server put back from a copy of before, all of them or a single part: the database alone with
newer indexes, or the indexes alone. What was deleted since comes back in no answer, and where it lies in the store
again, ``verify`` finds it. Beside an embedded store: ``test_p6_put_back.py``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]")

import securevec as sv
from securevec.errors import SecurevecError
from securevec.testing.embedders import HashEmbedder
from tests.support.chroma_server import chroma_server, free_port
from tests.support.world import ACME, Ticket, open_world, ticket

JANE: Final = "jane.doe@example.com"
GONE: Final = "lantern"
"""Stands in what each event takes away, and nowhere else."""


def tickets_of(store: sv.SecureStore) -> sv.Collection[Ticket]:
    return store.tenant("acme", actor=ACME).collection(Ticket, retention="180d")


EVENTS: Final[dict[str, Callable[[sv.SecureStore], object]]] = {
    "deletion": lambda store: tickets_of(store).delete(["T-1"]),
    "erasure": lambda store: store.tenant("acme").erase_subject(JANE).raise_if_incomplete(),
    "reseal": lambda store: store.reseal("acme", "ticket").raise_if_incomplete(),
    "tenant": lambda store: store.delete_tenant("globex").raise_if_incomplete(),
}
SECOND: Final = {"search": "['the second lift']", "get": "RecordNotFound", "iter": "['the second lift']"}
SERVED: Final = {"search": "['first lift', 'the second lift']", "get": "first lift", "verify": "0"}
SEEN: Final[dict[tuple[str, str], dict[str, str]]] = {
    **{(event, "indexes"): SECOND | {"violations": "0", "verify": "0"} for event in ("deletion", "erasure")},
    **{
        (event, part): SECOND | {"violations": "1", "verify": "CheckFailed"}
        for event in ("deletion", "erasure")
        for part in ("all", "database")
    },
    **{
        ("reseal", part): {"search": "IsolationViolation", "get": "IsolationViolation", "verify": "CheckFailed"}
        for part in ("all", "database")
    },
    ("reseal", "indexes"): SERVED,
    **{("tenant", part): SERVED | {"globex": "TenantNotFound"} for part in ("all", "database", "indexes")},
}


class Served:
    """A home, and a server of its own whose files a copy is kept of."""

    def __init__(self, root: Path) -> None:
        self.root, self.files, self.before, self.port = root, root / "files", root / "before", free_port()

    def run(self, act: Callable[[sv.SecureStore], Any], *, create: bool = False) -> None:
        with chroma_server(self.files, port=self.port) as (address, _):
            named: dict[str, Any] = {"backend": address} if create else {}
            with sv.SecureStore.open(
                self.root / "home",
                key_file=self.root / "keys" / "root.key",
                embedder=HashEmbedder(),
                create=create,
                **named,
            ) as store:
                act(store)

    def put_back(self, part: str) -> None:
        for place, other in ((self.files, None), (self.before, self.files)):
            for path in place.iterdir():
                if part != "all" and path.is_dir() != (part == "indexes"):
                    continue
                if other is None:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                elif path.is_dir():
                    shutil.copytree(path, other / path.name)
                else:
                    shutil.copy2(path, other / path.name)


def looked_at(store: sv.SecureStore) -> dict[str, str]:
    """What each way of looking says: the text of it, or the class of its refusal."""
    tickets, said = tickets_of(store), dict[str, str]()
    ways: dict[str, Callable[[], object]] = {
        "search": lambda: sorted(hit.record.body for hit in tickets.search(f"{GONE} lift", k=10)),
        "violations": lambda: tickets.search(f"{GONE} lift", k=10).violations,
        "get": lambda: tickets.get("T-1").body,
        "iter": lambda: sorted(record.body for record in tickets.iter()),
        "verify": lambda: tickets.verify().raise_if_wrong().missing,
        "find": lambda: list(store.tenant("acme", actor=ACME).export_subject(JANE)),
        "globex": lambda: store.tenant("globex").collection(Ticket).get("T-3").body,
    }
    for name, way in ways.items():
        try:
            said[name] = str(way())
        except SecurevecError as error:
            said[name] = type(error).__name__
    return said


@pytest.mark.parametrize(
    ("event", "part"),
    [pytest.param(*case, marks=[] if case == ("erasure", "database") else [pytest.mark.soak]) for case in SEEN],
)
def test_files_of_a_server_put_back_bring_nothing_back(tmp_path: Path, event: str, part: str) -> None:
    served = Served(tmp_path)

    def fill(store: sv.SecureStore) -> None:
        world = open_world(store, tmp_path / "home", tmp_path / "keys" / "root.key")
        text = {"deletion": GONE, "erasure": f"{GONE} of {JANE}"}.get(event, "lift")
        world.acme.ingest([ticket(1, f"first {text}", customer=JANE), ticket(2, "the second lift")])
        world.globex.ingest([ticket(3, GONE if event == "tenant" else "bees")])

    served.run(fill, create=True)
    shutil.copytree(served.files, served.before)
    served.run(EVENTS[event])
    served.put_back(part)
    said: dict[str, str] = {}
    served.run(lambda store: said.update(looked_at(store)))
    assert GONE not in str(said)
    assert {name: said[name] for name in SEEN[event, part]} == SEEN[event, part]
