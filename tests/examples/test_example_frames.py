"""The examples of the frameworks, run as they are, with an embedder that needs no model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec.testing.embedders import HashEmbedder
from tests.support.examples import example

# Read when Haystack is first imported: it would send usage statistics.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

QUESTION = "Which valve does the boiler need?"


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sv.SecureStore.open

    def opened(home: str, **options: Any) -> sv.SecureStore:
        return real(home, backend="memory", key_file=tmp_path / "root.key", embedder=HashEmbedder(), **options)

    monkeypatch.setattr(sv.SecureStore, "open", opened)


@pytest.mark.parametrize(
    ("folder", "package"),
    [("langchain_rag", "langchain_core"), ("llamaindex_rag", "llama_index"), ("haystack_rag", "haystack")],
)
def test_the_example_answers_from_its_own_tenant_without_the_person(
    folder: str, package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(package, exc_type=ModuleNotFoundError)
    module = example(folder, "rag")
    assert module.main(str(tmp_path / "home"), "acme", QUESTION) == 0
    answer = capsys.readouterr().out
    assert "valve of type 7" in answer
    assert "jane@example.com" not in answer
