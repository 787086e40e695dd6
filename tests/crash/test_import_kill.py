"""A process that imports is killed (``kill -9``) around the commits of a batch; a second run stores what is missing,
nothing twice, and lists the same points as refused."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support import warm
from tests.support.foreign import chroma_add, chroma_files, digests
from tests.support.import_child import OPTIONS

POINTS = [(f"n{n}", {"text": f"case {n}", "tenant": "acme" if n % 3 else "globex"}) for n in range(60)]
REFUSED = [("lost", {"text": "nobody's"}), ("slash", {"text": "no name", "tenant": "a/b"})]
COMMITS = [
    ("begin_batch", 1),
    ("add_tokens", 2),
    ("commit_batch", 1),
    ("commit_batch", 3),
    ("finish_batch", 2),
    ("note_source_files", 1),
    ("note_source_files", 3),
]
KILLS = [(method, nth, side) for method, nth in COMMITS for side in ("before", "after")]
CHOSEN = {("commit_batch", 3, "before"), ("commit_batch", 1, "after"), ("note_source_files", 1, "before")}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("killed") / "old"
    with chroma_files(directory) as client:
        chroma_add(client.create_collection("notes", embedding_function=None), [*POINTS, *REFUSED])
    return directory


@pytest.mark.parametrize(
    ("method", "nth", "side"),
    [pytest.param(*kill, marks=() if kill in CHOSEN else pytest.mark.soak) for kill in KILLS],
)
def test_a_killed_import_is_finished_by_the_same_command(
    tmp_path: Path, source: Path, method: str, nth: int, side: str
) -> None:
    home, key = tmp_path / "home", tmp_path / "keys" / "root.key"
    before = digests(source)

    def opened() -> sv.SecureStore:
        return sv.SecureStore.open(home, backend="edge", key_file=key, embedder=HashEmbedder())

    opened().close()
    program = ["-m", "tests.support.import_child"]
    child = warm.run(program, str(home), str(key), str(source), method, str(nth), side)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    assert digests(source) == before
    with opened() as store:
        report = store.import_from(f"chroma:{source}", to="notes", options=OPTIONS, create_tenants=True)
        report.raise_if_incomplete()
        assert (report.points, report.stored) == (62, 60)
        assert report.new + report.unchanged == 60
        assert {(each.key, each.error) for each in report.refused} == {
            ("lost", "UnscopedPoint"),
            ("slash", "RecordError"),
        }
        shown: Counter[str] = Counter()
        for tenant in ("acme", "globex"):
            collection = store.tenant(tenant).existing_collection("notes")
            shown.update(str(record.model_dump()["id"]) for record in collection.iter())
            collection.verify().raise_if_wrong()
        assert shown == Counter({key: 1 for key, _ in POINTS})
    assert digests(source) == before
