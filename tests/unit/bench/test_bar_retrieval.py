"""The retrieval task, small and without a model: however the person is named, the name does not reach the embedder."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from securevec.anonymize import Anonymizer, TenantKeys

KEYS = TenantKeys(b"p" * 32, b"t" * 32)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3] / "benchmarks")
    return importlib.import_module("retrieval_task"), importlib.import_module("bar_retrieval")


def test_no_form_of_a_known_name_reaches_the_embedder(modules: tuple[ModuleType, ModuleType]) -> None:
    tasks, bar = modules
    given = tasks.task(12)
    anonymizer = Anonymizer()
    known: dict[bytes, str] = {}
    parts: dict[bytes, dict[bytes, str]] = {}
    for text in given.documents:
        field = anonymizer.field(text, keys=KEYS)
        known |= {span.token: span.entity for span in field.spans}
        for part in anonymizer.name_parts([field], keys=KEYS):
            parts.setdefault(part.part, {})[part.person] = part.stand_in
    for form, questions in given.questions.items():
        heard = [
            anonymizer.query(
                text,
                keys=KEYS,
                known=lambda tokens: {token: known[token] for token in tokens if token in known},
                parts=lambda tokens: {token: parts[token] for token in tokens if token in parts},
            )[0].text
            for text, _, _ in questions
        ]
        assert bar.leaked(heard, [typed for _, _, typed in questions]) <= 0.05, form
        assert bar.leaked([text for text, _, _ in questions], [typed for _, _, typed in questions]) == 1.0
