"""While Edge builds a vector index, a copy of the shard's files lies beside them. What is erased meanwhile is in no
file of the home, whatever becomes of the build; a copy that could not be removed is no proof that it is gone."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.proof import receipt as receipts
from securevec.proof.probe import Needles, standing
from securevec.proof.purging import needles_of
from securevec.reading.opening import open_body
from securevec.testing.embedders import HashEmbedder
from securevec_qdrant.edge import EdgeBackend
from securevec_qdrant.edge_index import Command
from tests.support import warm
from tests.support.world import World, open_world, ticket

JANE: Final = "jane.doe@example.com"
BUILDS: Final[dict[str, Command | None]] = {
    "ends": None,
    "goes on": lambda _: ["/bin/sleep", "1000"],
    "fails": lambda _: ["/bin/false"],
}
"""What builds the index in the place of the engine, where it is not the engine."""


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


class Large:
    """A tenant whose shard is above the threshold, so that an index is built at its next write."""

    def __init__(self, store: sv.SecureStore, home: Path, key_file: Path) -> None:
        self.world: World = open_world(store, home, key_file)
        self.store, self.home = store, home
        self.world.acme.ingest(
            [
                ticket(number, f"The lift of house {number} was late on floor {number % 7}.", customer=customer(number))
                for number in range(150)
            ]
        )
        self.namespace = self.world.acme._scope.namespace
        page = self.backend.scan(namespace=self.namespace, where=None, cursor=None, limit=500)
        ids = [point.id for point in page.points]
        found = needles_of(self.backend.fetch(namespace=self.namespace, ids=ids[::10], with_vectors=True))
        self.everything = Needles(found.texts, found.vectors)

    @property
    def backend(self) -> EdgeBackend:
        backend = self.store.runtime.backend()
        assert isinstance(backend, EdgeBackend)
        return backend

    def build(self, command: Command | None) -> None:
        """Have a build begun, and wait until it has its copy (or is over)."""
        index = self.backend._index
        index.threshold = 100
        index._still_s = 0.05  # what is waited for is the build, not the quiet before it
        if command is not None:
            index._command = command
        self.world.acme.ingest([ticket(999, "One more.")])
        if command is BUILDS["goes on"]:
            until(lambda: any(build.child for build in index._builds.values()))
            assert self.copies(), "positive control: the copy is there"
        else:
            until(index.idle)

    def copies(self) -> list[Path]:
        return list(self.home.glob("engine/*/.new-index-*"))

    def left(self, needles: Needles) -> list[str]:
        """The files in which any of it stands."""
        if not len(standing([self.home], needles)):
            return []
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [str(path.relative_to(self.home)) for path in files if len(standing([path], needles))]

    def verdicts(self, receipt: bytes | None) -> set[str]:
        said = receipts.read(receipt or b"", public=self.store.runtime.keys.signing_key().public)
        return {str(each["verdict"]) for each in said.artefacts if str(each["artefact"]).startswith("points")}


def customer(number: int) -> str:
    return JANE if number % 10 == 0 else f"C-{number}"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Large]:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    with sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=HashEmbedder()) as store:
        store._caretaker.stop()
        yield Large(store, home, key_file)


def janes(large: Large) -> Needles:
    """What is stored about her, to be looked for afterwards."""
    ids = {f"T-{number}" for number in range(150) if customer(number) == JANE}
    scope = large.world.acme._scope
    page = large.backend.scan(namespace=large.namespace, where=None, cursor=None, limit=500)
    hers = [each.id for each in page.points if open_body(large.store.runtime.keys, scope, each).record_id in ids]
    found = needles_of(large.backend.fetch(namespace=large.namespace, ids=hers, with_vectors=True))
    return Needles(found.texts, found.vectors)


@pytest.mark.parametrize(
    ("what", "build"),
    [
        *(("person", build) for build in BUILDS),
        ("tenant", "goes on"),
        *(pytest.param("tenant", build, marks=pytest.mark.soak) for build in ("ends", "fails")),
    ],
)
def test_what_is_erased_beside_a_build_is_in_no_file(large: Large, what: str, build: str) -> None:
    needles = janes(large) if what == "person" else large.everything
    large.build(BUILDS[build])
    assert large.left(needles), "positive control"
    result: Any = (
        large.store.tenant("acme").erase_subject(JANE) if what == "person" else large.store.delete_tenant("acme")
    )
    assert large.verdicts(result.receipt) == {"removed from live files"}
    assert large.left(needles) == []
    assert large.copies() == []


@pytest.mark.parametrize("what", ["person", "tenant"])
def test_a_copy_that_could_not_be_removed_is_not_called_removed(
    large: Large, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    needles = janes(large) if what == "person" else large.everything
    large.build(BUILDS["goes on"])
    honest = shutil.rmtree

    def refused(path: Path, *given: Any, **named: Any) -> None:
        if ".new-index-" in str(path):
            raise OSError(5, "Input/output error")
        honest(path, *given, **named)

    monkeypatch.setattr(shutil, "rmtree", refused)
    result: Any = (
        large.store.tenant("acme").erase_subject(JANE) if what == "person" else large.store.delete_tenant("acme")
    )
    assert large.left(needles), "positive control: it stands in the copy"
    assert large.verdicts(result.receipt) == {"unverified"}


PROGRAM: Final = """
import os, signal, sys
from pathlib import Path
from tests.attacks import test_p5_index_copies as here
import securevec as sv
home, key_file = Path(sys.argv[1]), Path(sys.argv[2])
store = sv.SecureStore.open(home, backend="edge", key_file=key_file, embedder=here.HashEmbedder())
large = here.Large(store, home, key_file)
large.build(here.BUILDS["goes on"])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_copy_that_a_killed_process_left_is_gone_before_anything_is_erased(tmp_path: Path) -> None:
    home, key_file = tmp_path / "home", tmp_path / "root.key"
    done = warm.run(["-c", PROGRAM], str(home), str(key_file))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(home.glob("engine/*/.new-index-*")), "positive control"
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder()) as store:
        store.runtime.backend()
        assert not list(home.glob("engine/*/.new-index-*"))
        assert store.tenant("acme").erase_subject(JANE).about == 15
