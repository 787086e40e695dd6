"""What an import leaves behind: no value of the source, no name, no id in any file of the home, the report or a log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
import securevec as sv
from securevec.anonymize import Anonymizer
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from securevec.types import AnonymizedField, mint_anonymized
from tests.support.foreign import chroma_add, chroma_files
from tests.support.needles import Needles

OPTIONS = sv.ImportOptions("notes", "document", tenant_field="tenant")


class Note(sv.Record):
    id: sv.Key[str]
    document: sv.Embed[str]
    email: sv.Subject[str | None] = None
    status: sv.Filter[str | None] = None


def point(number: int) -> tuple[str, dict[str, Any]]:
    text = f"Ludmila Wieczorek (ludmila{number:04}@example.com, 4012-8888-8888-1881) asks about her order."
    return f"point-id-{number:04}", {
        "text": text,
        "tenant": "Larkfield-Clinic" if number % 2 else "Brackwater-Trust",
        "email": f"ludmila{number:04}@example.com",
        "status": "open",
        "undeclared": f"canary-{number:04}",
    }


POINTS = [*map(point, range(24)), ("unscoped-point-1", {"text": "written by petra.lost@example.com", "status": "open"})]
NEEDLES = Needles(
    [
        *(("id", key) for key, _ in POINTS),
        *((name, str(body[name])) for _, body in POINTS for name in ("email", "undeclared", "tenant") if name in body),
        ("card", "4012-8888-8888-1881"),
        ("text", "asks about her order"),
        ("lost", "petra.lost@example.com"),
    ]
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("leaky") / "old"
    with chroma_files(directory) as client:
        chroma_add(client.create_collection("notes", embedding_function=None), POINTS)
    return directory


def imported(root: Path, source: Path) -> TapEmbedder:
    tap = TapEmbedder(HashEmbedder())
    with sv.SecureStore.open(root / "home", backend="edge", key_file=root / "keys" / "k", embedder=tap) as store:
        url = f"chroma:{source}"
        report = store.import_from(url, to="notes", options=OPTIONS, record=Note, create_tenants=True)
        report.raise_if_incomplete()
        assert (report.stored, len(report.refused)) == (24, 1)
    return tap


def test_an_import_leaves_nothing_of_its_source_in_clear(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(NEEDLES.find_below(source)) > 50  # the source is full of them
    with caplog.at_level(logging.DEBUG, logger="securevec"):
        tap = imported(tmp_path, source)
    assert NEEDLES.find_below(tmp_path / "home") == []
    assert NEEDLES.find(caplog.text.encode(), "log") == []
    heard = NEEDLES.find("\n".join(text for text in tap.texts).encode(), "embedder")
    assert {hit.kind for hit in heard} == {"text"}  # what is no personal data is what is searched in


def test_without_anonymization_the_embedder_is_told(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unchanged(self: Anonymizer, fields: Any, **_: Any) -> dict[str, AnonymizedField]:
        return {name: AnonymizedField(mint_anonymized(text), (), ()) for name, text in fields.items()}

    monkeypatch.setattr(Anonymizer, "record", unchanged)
    tap = imported(tmp_path, source)
    heard = NEEDLES.find("\n".join(text for text in tap.texts).encode(), "embedder")
    assert {"email", "card"} <= {hit.kind for hit in heard}
