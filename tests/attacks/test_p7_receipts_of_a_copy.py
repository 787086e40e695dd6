"""A copy of a home signs with the home's own key. What was deleted in the copy is no proof of anything at the home."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import securevec as sv
from securevec.cli.main import main
from securevec.jobs import JobResult
from securevec.testing.embedders import HashEmbedder
from tests.support.world import GLOBEX, Ticket, open_world, ticket

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)

JANE = "jane.doe@example.com"
DELETIONS: dict[str, Callable[[sv.SecureStore], JobResult]] = {
    "tenant": lambda store: store.delete_tenant("globex"),
    "person": lambda store: store.tenant("globex").erase_subject(JANE),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_a_receipt_of_a_copy_of_the_home_is_refused_at_the_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    home, twin, key_file = tmp_path / "home", tmp_path / "twin", tmp_path / "root.key"

    def opened(place: Path, backend: str | None = None) -> sv.SecureStore:
        return sv.SecureStore.open(place, backend=backend, key_file=key_file, embedder=HashEmbedder())

    def verified(receipt: str, place: Path) -> int:
        return main(["receipt", "verify", str(tmp_path / receipt), "--home", str(place), "--key-file", str(key_file)])

    with opened(home, "edge") as store:
        open_world(store, home, key_file).globex.ingest([ticket(1, "bees", customer=JANE)])
    shutil.copytree(home, twin)
    for place, name in ((twin, "of the copy"), (home, "of the home")):
        with opened(place) as store:
            if name == "of the home":
                assert verified("of the copy", home) == 1, "nothing was deleted here"
                assert "not in this copy of the log" in capsys.readouterr().err
                globex = store.tenant("globex", actor=GLOBEX).collection(Ticket, retention="180d")
                assert globex.get("T-1").body == "bees"
            DELETIONS[what](store).save(tmp_path / name)
    assert verified("of the home", home) == 0
    assert verified("of the copy", twin) == 0
    for receipt, place in (("of the copy", home), ("of the home", twin)):
        assert verified(receipt, place) == 1
