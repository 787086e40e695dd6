"""What Chroma's server answers that is none, or a wrong one: refused by an error of ours, and nothing of it believed.
The server is the real one; of both vendors' servers: ``test_server_answers``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from securevec.errors import BackendError
from securevec.testing.conformance_case import SPEC, a_namespace, a_vector, fill, numbers
from tests.support.chroma_server import chroma_server

pytest.importorskip("securevec_chroma.server", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
from securevec_chroma.client import ours
from securevec_chroma.place import Place
from securevec_chroma.server import ChromaServerBackend

MINE = a_namespace("mine")


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServerBackend]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "files") as (url, _):
        backend = ChromaServerBackend(url)
        backend.ensure(namespace=MINE, spec=SPEC)
        fill(backend, MINE, range(5))
        yield backend
        backend.close()


def test_a_distance_that_is_no_number_is_not_ranked_by(
    chroma: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert numbers(chroma.query(namespace=MINE, vector=a_vector(1), where=None, limit=1)) == [1]
    honest = chroma._client.api._query
    for odd in (float("nan"), float("inf"), None, "near"):

        def answer(odd: object = odd, **asked: Any) -> Any:
            found: Any = honest(**asked)
            found["distances"][0][0] = odd
            return found

        monkeypatch.setattr(chroma._client.api, "_query", answer)
        with pytest.raises(BackendError):
            chroma.query(namespace=MINE, vector=a_vector(1), where=None, limit=1)


def test_a_vector_that_is_no_number_is_not_ranked_by(
    chroma: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a search by the index falls short, and the points are compared with one by one."""
    api: Any = chroma._client.api
    search, get = api._query, api._get

    def short(**asked: Any) -> Any:
        return search(**{**asked, "n_results": 1})

    def spoilt(**asked: Any) -> Any:
        found: Any = get(**asked)
        if found["embeddings"] is not None:
            found["embeddings"][0][0] = float("nan")
        return found

    monkeypatch.setattr(api, "_query", short)
    assert numbers(chroma.query(namespace=MINE, vector=a_vector(1), where=None, limit=3))[0] == 1
    monkeypatch.setattr(api, "_get", spoilt)
    with pytest.raises(BackendError, match="no number"):
        chroma.query(namespace=MINE, vector=a_vector(1), where=None, limit=3)


def test_two_scans_of_one_collection_do_not_take_each_others_list(
    chroma: ChromaServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(place: Place, ids: object = None) -> None:
        """Another thread forgets the list whenever this one has written it down."""

    monkeypatch.setattr(Place, "_listed", property(taken, taken), raising=False)
    assert len(chroma.scan(namespace=MINE, where=None, cursor=None, limit=2).points) == 2


def test_a_list_of_collections_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Collection:
        name, metadata = "a", {"securevec": 1}

    class Endless:
        def list_collections(self, limit: int, offset: int) -> list[Collection]:
            assert offset < 10_000_000, "asked for ever"
            return [Collection()] * limit

    with pytest.raises(BackendError, match="more collections"):
        for _ in ours(cast("Any", Endless())):
            pass
