"""What every framework's store promises of the documents it shares, whichever framework is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import securevec as sv
from securevec.integrations import documents
from securevec.integrations.documents import Document, Documents
from securevec.testing.embedders import HashEmbedder
from securevec.verbs.pages import RecordPage
from tests.support.frames import Home, Homes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with Homes(tmp_path_factory.mktemp("documents"), HashEmbedder()) as homes:
        yield homes["memory"]


def test_deleting_everything_does_not_end_at_a_page_that_others_emptied(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer deletes what the first page was going to show, and the page says that there are more."""
    shared = Documents(home.collection(sv.Passage))
    shared.put([Document(f"{number}", "boiler", {}) for number in range(5)])
    monkeypatch.setattr(documents, "MAX_PAGE", 1)
    honest, collection = shared.collection.page, shared.collection

    def page(*, cursor: str | None = None, limit: int) -> RecordPage[sv.Passage]:
        shown = honest(cursor=cursor, limit=limit)
        if cursor is not None:
            return shown
        collection.delete([record.passage for record in shown.records])
        return RecordPage((), shown.cursor, 0, shown.request_id)

    monkeypatch.setattr(collection, "page", page)
    shared.delete_all()
    assert collection.count() == 0
