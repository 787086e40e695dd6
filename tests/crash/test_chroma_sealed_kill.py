"""Chroma's files and the sealed values beside them, when the process ends at any step between the two, or is forked."""

from __future__ import annotations

import signal
from pathlib import Path
from uuid import UUID

import pytest

from securevec.testing.conformance_case import a_namespace, a_point, a_vector, an_id, held
from tests.support import warm

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.sealed import FILE, SealedFile

PLACE = a_namespace("mine")
VAULT = "vault-of-a-point-5507"
BEFORE = """
import gc, os, signal, sys, time
from pathlib import Path
from securevec.testing.conformance_case import SPEC, a_namespace, a_point, an_id
from chromadb.api.rust import RustBindingsAPI
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_chroma.sealed import SealedFile
from securevec_chroma import shard
place = a_namespace("mine")
def point(number, text="first"):
    values = {"b": f"{text}-{number}" * 100, "v": f"vault-of-a-point-5507-{text}-{number}-", "f_a": text}
    return a_point(place, number, values)
backend = ChromaPersistentBackend(Path(sys.argv[1]))
backend.ensure(namespace=place, spec=SPEC)
backend.insert(namespace=place, points=[point(number) for number in range(5)])
"""
FORKED = (
    BEFORE
    + """
backend.close()
backend = ChromaPersistentBackend(Path(sys.argv[1]))  # no thread of its pool runs, which would hold what is in it
backend.count(namespace=place)
child = os.fork()
if child == 0:
    if sys.argv[2] == "closes":
        backend.close()
    elif sys.argv[2] == "forgets":
        del backend
        gc.collect()
    if sys.argv[2] == "ends":
        sys.exit(0)
    os._exit(0)
for _ in range(40):  # the engine of Chroma may not end in a child that has none of its threads
    if os.waitpid(child, os.WNOHANG)[0]:
        break
    time.sleep(0.05)
else:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)  # until it is gone it holds the locks that it was forked with
backend.insert(namespace=place, points=[point(number) for number in range(5, 10)])
os.kill(os.getpid(), signal.SIGKILL)
"""
)
CLOSED = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from securevec_chroma.sealed import SealedFile, kept
held = SealedFile.create(Path(sys.argv[1]))
rows = [(UUID(int=number), kept({}, {"b": f"body-{number}" * 100})) for number in range(10)]
held.put(rows[:5])
child = os.fork()
if child == 0:
    held.close()
    os._exit(0)
os.waitpid(child, 0)
held.put(rows[5:])
os.kill(os.getpid(), signal.SIGKILL)
"""
KILLED = (
    BEFORE
    + """
owner, name = {"put": (SealedFile, "put"), "remove": (SealedFile, "remove"), "add": (RustBindingsAPI, "_add"),
               "delete": (RustBindingsAPI, "_delete"), "read": (SealedFile, "read"),
               "close": (SealedFile, "close")}[sys.argv[2]]
original = getattr(owner, name)
def cut(*given, **named):
    if sys.argv[3] == "after":
        original(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, cut)
if sys.argv[4] == "replaced":
    backend.insert(namespace=place, points=[point(1, "second"), point(7, "second")])
elif sys.argv[4] == "deleted":
    backend.delete(namespace=place, ids=[an_id(1), an_id(2)])
else:
    backend.purge(namespace=place)
"""
)


def _killed(script: str, *arguments: str) -> None:
    done = warm.run(["-c", script], *arguments)
    assert done.returncode == -signal.SIGKILL, done.stderr


def _point(number: int, text: str) -> dict[str, object]:
    values = {"b": f"{text}-{number}" * 100, "v": f"{VAULT}-{text}-{number}-", "f_a": text}
    return dict(a_point(PLACE, number, values).payload)


def _whole(backend: ChromaPersistentBackend) -> dict[int, str]:
    """The points that are there, each with both its sealed values, and whose they are, by every way of reading."""
    found = {
        int(str(point.payload["n"])): dict(point.payload)
        for point in backend.scan(namespace=PLACE, where=None, cursor=None, limit=100).points
    }
    searched = backend.query(namespace=PLACE, vector=a_vector(1), where=None, limit=100)
    assert {int(str(point.payload["n"])): dict(point.payload) for point in searched} == found
    assert backend.count(namespace=PLACE) == len(found)
    for number, payload in found.items():
        assert payload == _point(number, str(payload["f_a"])), "a point with the values of another, or without"
    return {number: str(payload["f_a"]) for number, payload in found.items()}


@pytest.mark.parametrize("child", ["closes", "forgets", "ends"])
def test_a_forked_child_that_ends_takes_no_acknowledged_write_with_it(tmp_path: Path, child: str) -> None:
    """SQLite's log is cut by whoever closes the file last, and a child believes it is that."""
    _killed(FORKED, str(tmp_path / "chroma"), child)
    backend = ChromaPersistentBackend(tmp_path / "chroma")
    assert set(_whole(backend)) == set(range(10))
    backend.close()


def test_a_file_that_a_forked_child_closes_keeps_what_its_parent_writes_afterwards(tmp_path: Path) -> None:
    """The store does not let a child come so far; the file does not rely on that."""
    _killed(CLOSED, str(tmp_path))
    file = SealedFile.load(tmp_path)
    assert file is not None
    assert len(file.read([UUID(int=number) for number in range(10)])) == 10
    file.close()


STEPS = {
    "replaced": ("delete", "remove", "put", "add"),
    "deleted": ("delete", "remove"),
    "purged": ("put", "add", "read", "close"),
}
# Behind a step is where the next one begins: by default both sides of the last one alone.
KILLS = [
    pytest.param(step, deed, side, marks=() if side == "before" or step == steps[-1] else pytest.mark.soak)
    for deed, steps in STEPS.items()
    for step in steps
    for side in ("before", "after")
]


@pytest.mark.parametrize(("step", "deed", "side"), KILLS)
def test_killed_between_both_files_no_point_is_without_its_values_and_nothing_erased_stays(
    tmp_path: Path, step: str, deed: str, side: str
) -> None:
    root = tmp_path / "chroma"
    _killed(KILLED, str(root), step, side, deed)
    backend = ChromaPersistentBackend(root)
    there = _whole(backend)
    assert set(there) | {1, 2, 7} == {0, 1, 2, 3, 4, 7}
    if deed == "purged":
        assert there == dict.fromkeys(range(5), "first")
    # What recovery does of a write or a delete that was not acknowledged, and the purge after it.
    backend.delete(namespace=PLACE, ids=[an_id(number) for number in (1, 2, 7)])
    backend.purge(namespace=PLACE)
    assert held(backend, PLACE) == {0, 3, 4}
    assert _whole(backend) == dict.fromkeys((0, 3, 4), "first")
    backend.close()
    files = {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    gone = [f"{VAULT}-{text}-{number}-".encode() for text in ("first", "second") for number in (1, 2, 7)]
    assert [name for name, raw in files.items() if any(each in raw for each in gone)] == []
    assert f"{VAULT}-first-3-".encode() in files[FILE], "positive control"
