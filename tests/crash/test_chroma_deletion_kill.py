"""A tenant's deletion on Chroma, killed around the removal of a collection and before its job could say so: the receipt
still says how many points there were, and on files of our own that their bytes are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.proof import receipt as receipts
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.chroma_server import chroma_server
from tests.support.world import GLOBEX, Ticket, ticket

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

DELETION = """
import os, sys
from pathlib import Path
import securevec as sv
from securevec.testing.embedders import HashEmbedder
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.server import ChromaServerBackend
side, nth, calls = sys.argv[3], int(sys.argv[4]), 0
def trapped(drop):
    def call(self, *, namespace):
        global calls
        calls += 1
        if (side, nth) == ("before", calls):
            os._exit(9)
        report = drop(self, namespace=namespace)
        if (side, nth) == ("after", calls):
            os._exit(9)
        return report
    return call
for each in (ChromaPersistentBackend, ChromaServerBackend):
    each.drop = trapped(each.drop)
with sv.SecureStore.open(Path(sys.argv[1]), key_file=Path(sys.argv[2]), embedder=HashEmbedder()) as store:
    store.delete_tenant("globex")
"""
SOME = [20, 12, 0]
"""Points of each collection."""


def artefacts_after_a_kill(root: Path, backend: str, side: str, nth: int) -> list[dict[str, Any]]:
    """What the receipt says of the collections, when the next process has ended the job."""
    home, key_file = root / "home", root / "root.key"
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), backend=backend) as store:
        globex = store.tenant("globex", create=True, actor=GLOBEX)
        for number, points in enumerate(SOME):
            globex.collection(Ticket, name=f"c{number}").ingest(
                [ticket(each, f"bees {each}") for each in range(points)]
            )
    done = warm.run(["-c", DELETION], str(home), str(key_file), side, str(nth))
    assert done.returncode == 9, done.stderr
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder()) as store:
        store.runtime.backend()
        store.run_jobs()
        (job,) = store.runtime.control.jobs()
        assert job.state == "done"
        receipt = receipts.read(job.receipt or b"", public=store.runtime.keys.signing_key().public)
    found = [each for each in receipt.predicate["artefacts"] if each["artefact"].startswith("points of collection")]
    counted = sorted(each["evidence"].partition(";")[0] for each in found)
    assert counted == sorted(f"{points} in the manifest, {points} dropped, 0 counted after" for points in SOME)
    return found


@pytest.mark.parametrize(
    ("side", "nth"),
    [
        ("after", 1),
        *(pytest.param(*each, marks=pytest.mark.soak) for each in [("before", 1), ("after", 2), ("before", 3)]),
        pytest.param("after", 4, marks=pytest.mark.soak),  # the first of those that are made to be sure
    ],
)
def test_on_files_of_our_own_the_bytes_are_shown_to_be_gone(tmp_path: Path, side: str, nth: int) -> None:
    found = artefacts_after_a_kill(tmp_path, "chroma", side, nth)
    assert {each["verdict"] for each in found} == {"removed from live files"}


def test_on_a_server_its_files_stay_unverified_and_the_points_are_counted(tmp_path: Path) -> None:
    with chroma_server(tmp_path / "files") as (url, _):
        found = artefacts_after_a_kill(tmp_path, url.replace("http", "chroma"), "after", 1)
    assert {each["verdict"] for each in found} == {"unverified"}
