"""Collections and directories that another program made where Chroma's files of ours should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from securevec.errors import BackendError, HomeRefused
from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, fill

pytest.importorskip("securevec_chroma.persistent", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.client import MARK
from securevec_chroma.persistent import ChromaPersistentBackend
from tests.support.chroma_files import PLACE, open_place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


def test_a_stored_embedding_function_is_refused_and_never_built(root: Path) -> None:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction

    _replace_collection(root, embedding_function=DefaultEmbeddingFunction())
    again = ChromaPersistentBackend(root)
    try:
        for call in (
            lambda: again.count(namespace=PLACE),
            lambda: again.ensure(namespace=PLACE, spec=SPEC),
            lambda: fill(again, PLACE, [1]),
            lambda: again.query(namespace=PLACE, vector=a_vector(1), where=None, limit=1),
        ):
            with pytest.raises(BackendError, match="embedding function"):
                call()
    finally:
        again.close()


@pytest.mark.parametrize(
    "marks",
    [
        None,
        {"dimension": 8},
        {MARK: 2, "dimension": 8, "tenant": PLACE.tenant_tag, "collection": PLACE.collection_tag},
        {MARK: 1, "dimension": 0, "tenant": PLACE.tenant_tag, "collection": PLACE.collection_tag},
        {MARK: 1, "dimension": 8, "tenant": a_namespace("theirs").tenant_tag, "collection": PLACE.collection_tag},
    ],
)
def test_a_collection_made_by_another_program_is_refused(root: Path, marks: dict[str, str | int] | None) -> None:
    _replace_collection(root, metadata=marks)
    again = ChromaPersistentBackend(root)
    try:
        with pytest.raises(BackendError):
            again.count(namespace=PLACE)
    finally:
        again.close()


def test_a_collection_that_does_not_compare_by_cosine_is_refused(root: Path) -> None:
    _replace_collection(root, configuration={"hnsw": {"space": "l2"}})
    again = ChromaPersistentBackend(root)
    try:
        with pytest.raises(BackendError, match="cosine"):
            again.count(namespace=PLACE)
    finally:
        again.close()


def test_a_root_of_another_engine_is_refused(tmp_path: Path) -> None:
    (tmp_path / "edge").mkdir(mode=0o700)
    (tmp_path / "edge" / "VERSION").write_text("securevec-edge 1\n")
    with pytest.raises(HomeRefused):
        ChromaPersistentBackend(tmp_path / "edge")


def _replace_collection(root: Path, **changes: object) -> None:
    """Put a collection of the same name in place of ours, made with the vendor's own client."""
    import chromadb

    with open_place(root):
        pass
    marks = {MARK: 1, "dimension": 8, "tenant": PLACE.tenant_tag, "collection": PLACE.collection_tag}
    wanted: dict[str, object] = {"embedding_function": None, "metadata": marks, **changes}
    if "configuration" not in changes:
        wanted["configuration"] = {"hnsw": {"space": "cosine"}}
    client: Any = chromadb.PersistentClient(root / PLACE.shard / "gen-0")
    try:
        client.delete_collection(PLACE.shard)
        client.create_collection(PLACE.shard, **wanted)
    finally:
        client.close()
