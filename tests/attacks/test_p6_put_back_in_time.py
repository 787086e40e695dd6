"""``control.db`` put back alone from a copy made a moment before one single thing was recorded, by somebody who killed
the process right after it: the audit log has one line more than that copy knows of, and no more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

import securevec as sv
from securevec.cli.main import main
from securevec.errors import HomeRefused
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.world import open_world, ticket

EVENTS: Final = {
    "hold": 'acme.hold("case 1", collection="ticket", record="T-1")',
    "suspension": 'store.suspend_tenant("acme")',
    "grant": 'acme.grant(sv.Actor("svc:other"), "reader")',
    "deletion": "tickets.delete(['T-1'])",
}
PROGRAM: Final = """
import os, sys
from pathlib import Path
import securevec as sv
from securevec.control.copying import copy_control
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME, Ticket
home, key_file, copy = map(Path, sys.argv[1:4])
store = sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder())
acme = store.tenant("acme", actor=ACME)
tickets = acme.collection(Ticket, retention="180d")
tickets.search("lift", k=1)
acme = store.tenant("acme")
copy_control(home / "control.db", copy)
{}
os._exit(9)
"""


@pytest.mark.parametrize(
    "event", [pytest.param(each, marks=[] if each == "hold" else [pytest.mark.soak]) for each in EVENTS]
)
def test_one_line_that_the_copy_does_not_know_of_is_enough(tmp_path: Path, event: str) -> None:
    home, key_file, copy = tmp_path / "home", tmp_path / "root.key", tmp_path / "copy.db"
    with sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), backend="edge") as store:
        open_world(store, home, key_file).acme.ingest([ticket(1, "the lift")])
    done = warm.run(["-c", PROGRAM.format(EVENTS[event])], str(home), str(key_file), str(copy))
    assert done.returncode == 9, done.stderr
    for path in home.glob("control.db*"):
        path.unlink()
    shutil.copyfile(copy, home / "control.db")
    (home / "control.db").chmod(0o600)
    place = ["--home", str(home), "--key-file", str(key_file)]
    assert main(["doctor", *place]) == 1
    with (
        sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder()) as store,
        pytest.raises(HomeRefused, match="older than the audit log"),
    ):
        store.delete_tenant("acme")
    assert main(["doctor", "--accept-control-store", *place]) == 0
