"""The ingest pipeline on the complaints corpus: what it takes in, what it reports, and what it tries again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.examples import EXAMPLES, example

pytest.importorskip("lxml", reason="needs securevec[files]", exc_type=ModuleNotFoundError)
pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
CORPUS = EXAMPLES / "corpora" / "complaints" / "dev"


@pytest.fixture(scope="module")
def pipeline() -> ModuleType:
    return example("ingest_pipeline", "pipeline")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a tenant; the pipeline's own call of ``open`` gets an embedder that needs no model."""
    real = sv.SecureStore.open

    def opened(home: Path, **options: Any) -> sv.SecureStore:
        return real(home, embedder=HashEmbedder(), **options)

    monkeypatch.setattr(sv.SecureStore, "open", opened)
    with sv.SecureStore.open(tmp_path / "home", key_file=tmp_path / "root.key") as store:
        store.tenant("acme", create=True, actor=sv.Actor("svc:pipeline"))
    folder = tmp_path / "letters"
    folder.mkdir()
    for path in sorted((CORPUS / "letters").iterdir())[:12]:
        shutil.copy(path, folder)
    return tmp_path


def _run(pipeline: ModuleType, root: Path, source: Path, to: str) -> tuple[int, dict[str, Any]]:
    report = root / "report.json"
    report.unlink(missing_ok=True)
    code: int = pipeline.main(
        [
            *(str(source), "--to", to, "--home", str(root / "home")),
            *("--key-file", str(root / "root.key"), "--report", str(report)),
        ]
    )
    return code, json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}


def test_a_folder_goes_in_once_and_is_unchanged_the_second_time(pipeline: ModuleType, place: Path) -> None:
    code, report = _run(pipeline, place, place / "letters", "acme/letters")
    assert (code, report["new"], report["attempts"]) == (0, 12, 1)
    assert report["replaced"]["PERSON"] > 10
    code, report = _run(pipeline, place, place / "letters", "acme/letters")
    assert (code, report["new"], report["unchanged"]) == (0, 0, 12)


def test_bad_rows_and_files_are_named_and_the_rest_goes_in(pipeline: ModuleType, place: Path) -> None:
    code, report = _run(pipeline, place, CORPUS / "register.csv", "acme/complaints")
    assert (code, report["new"]) == (1, 87)
    assert [row["row"] for row in report["refused_rows"]] == [17, 41, 66]
    (place / "letters" / "broken.pdf").write_bytes(b"%PDF-1.4\nnot one")
    code, report = _run(pipeline, place, place / "letters", "acme/letters")
    assert (code, report["new"]) == (1, 12)
    assert [file["path"] for file in report["refused_files"]] == ["broken.pdf"]


def test_the_report_repeats_nothing_of_the_source(pipeline: ModuleType, place: Path) -> None:
    from tests.support.complaints import all_needles

    _run(pipeline, place, CORPUS / "register.csv", "acme/complaints")
    assert all_needles().find((place / "report.json").read_bytes()) == []


def test_an_unknown_outcome_is_tried_again_with_longer_pauses(pipeline: ModuleType) -> None:
    class Flaky:
        calls = 0

        def ingest(self, source: Path) -> str:
            self.calls += 1
            if self.calls < 4:
                raise sv.errors.OutcomeUnknown("The store stopped answering.", request_id="01H")
            return "a report"

    pauses: list[float] = []
    flaky = Flaky()
    assert pipeline.ingest(flaky, Path("x"), pause=pauses.append) == ("a report", 4)
    assert pauses == [2.0, 4.0, 8.0]
    flaky.calls = -10
    with pytest.raises(sv.errors.OutcomeUnknown):
        pipeline.ingest(flaky, Path("x"), pause=pauses.append)


def test_another_failure_is_not_tried_again(pipeline: ModuleType) -> None:
    class Broken:
        calls = 0

        def ingest(self, source: Path) -> str:
            self.calls += 1
            raise sv.errors.SourceError("No such folder.")

    broken = Broken()
    with pytest.raises(sv.errors.SourceError):
        pipeline.ingest(broken, Path("x"))
    assert broken.calls == 1


def test_mistakes_end_with_the_exit_code_of_their_kind(pipeline: ModuleType, place: Path) -> None:
    assert _run(pipeline, place, place / "absent.csv", "acme/complaints")[0] == 2
    assert _run(pipeline, place, place / "letters", "nobody/letters")[0] == 3
