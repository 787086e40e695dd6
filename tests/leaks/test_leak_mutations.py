"""Each part of the leak check turned red by disabling its stage: a check that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

import securevec.rows.minimize
import securevec.rows.validate
import securevec.writing.anonymizing
import securevec.writing.batching
import securevec.writing.sealing
from securevec.anonymize import Anonymizer, TenantKeys
from securevec.anonymize.ahead import NOTHING, Found
from securevec.crypto.context import Place
from securevec.crypto.envelope import DataKey
from securevec.errors import RecordError
from securevec.rows.minimize import Minimized
from securevec.schema import Record, Schema
from securevec.state.names import NameBook
from securevec.types import AnonymizedField, mint_anonymized
from tests.support.failing_runs import Stage, what_is_said
from tests.support.helpdesk import ACTOR, COLLECTION, TENANTS
from tests.support.leaks import MAX_SHARE, MIN_PERSON_F1, Evidence, gather
from tests.support.needles import Hit, Needles

FILES: Final = ("larkfield.jsonl",)
ROWS: Final = 40


def small(root: Path, backend: str | None = None) -> Evidence:
    return gather(root, backend=backend, files=FILES, limit=ROWS)


def _nothing(*_: object) -> list[Any]:
    return []


def kinds(hits: Sequence[Hit]) -> set[str]:
    return {hit.kind for hit in hits}


def test_the_small_run_is_clean_without_a_mutation(tmp_path: Path) -> None:
    evidence = small(tmp_path)
    assert evidence.embedder_shares().structured <= MAX_SHARE
    assert evidence.payload_shares().structured <= MAX_SHARE
    assert evidence.person_f1()["f1"] >= MIN_PERSON_F1
    assert evidence.in_payloads + evidence.in_open_home + evidence.in_closed_home == []


def test_without_anonymization_embedder_and_payloads_turn_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unchanged(
        self: Anonymizer, fields: Mapping[str, str], *, keys: TenantKeys, subjects: Collection[str], ahead: Found
    ) -> dict[str, AnonymizedField]:
        return {name: AnonymizedField(mint_anonymized(text), (), ()) for name, text in fields.items()}

    monkeypatch.setattr(Anonymizer, "record", unchanged)
    evidence = small(tmp_path)
    assert evidence.embedder_shares().structured > 0.99
    assert evidence.payload_shares().structured > 0.99
    assert evidence.person_f1()["f1"] < MIN_PERSON_F1
    # The envelopes still hold: what no key opens stays clean even so.
    assert evidence.in_payloads + evidence.in_closed_home == []


def test_with_only_the_names_missed_the_person_floor_turns_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = Anonymizer.findings

    def blind(self: Anonymizer, text: str, field_name: str = "", ahead: Found = NOTHING) -> list[Any]:
        return [finding for finding in find(self, text, field_name, ahead) if finding.entity != "PERSON"]

    monkeypatch.setattr(Anonymizer, "findings", blind)
    monkeypatch.setattr("securevec.anonymize.document.DocumentNames.find", _nothing)
    evidence = small(tmp_path)
    assert evidence.embedder_shares().structured <= MAX_SHARE
    assert evidence.person_f1()["f1"] < MIN_PERSON_F1


def test_without_anonymized_queries_the_embedder_turns_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unchanged(self: Anonymizer, text: str, **_: object) -> tuple[object, dict[str, int]]:
        return mint_anonymized(text), {}

    monkeypatch.setattr(Anonymizer, "query", unchanged)
    shares = small(tmp_path).query_shares()
    assert shares.leaked == shares.planted


@pytest.mark.parametrize("backend", ["edge", "chroma"])
def test_without_sealing_files_and_payloads_turn_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    if backend == "chroma":
        pytest.importorskip("chromadb", reason="needs securevec[chroma]", exc_type=ModuleNotFoundError)

    def plain(key: DataKey, items: Sequence[tuple[bytes, Place]], **options: object) -> list[bytes]:
        return [b"SV\x01\x01" + bytes(32) + plaintext + bytes(16) for plaintext, _ in items]

    monkeypatch.setattr(securevec.writing.sealing, "seal_batch", plain)
    monkeypatch.setattr("tests.support.leaks._use", _nothing)
    monkeypatch.setattr("tests.support.leaks._open_all", _nothing)
    evidence = small(tmp_path, backend)
    for hits in (evidence.in_payloads, evidence.in_open_home, evidence.in_closed_home):
        assert {"record id", "EMAIL", "PHONE", "PERSON"} <= kinds(hits)
    # In files the bodies are text of their own: it is that form that was found.
    assert {hit.encoding for hit in evidence.in_closed_home} == {"armour"}


def test_without_sealed_names_the_control_store_turns_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def seal(self: NameBook, text: str | bytes, *, row: bytes, kind: str) -> bytes:
        return text.encode() if isinstance(text, str) else text

    def unseal(self: NameBook, sealed: bytes, *, row: bytes, kind: str) -> bytes:
        return sealed

    monkeypatch.setattr(NameBook, "seal", seal)
    monkeypatch.setattr(NameBook, "open", unseal)
    evidence = small(tmp_path)
    for hits in (evidence.in_open_home, evidence.in_closed_home):
        assert {hit.value for hit in hits} == {TENANTS["larkfield.jsonl"], COLLECTION, ACTOR.name}
        assert all(hit.place.startswith("control.db") for hit in hits)


def _keeping_extras(monkeypatch: pytest.MonkeyPatch, *, field: str) -> None:
    """Undeclared columns come along: added to a declared text, or to a filter value the store may read."""
    extras: dict[int, str] = {}
    validate, minimize = securevec.rows.validate.validate, securevec.rows.minimize.minimize

    def keep(record_class: type[Record], raw: Mapping[str, object] | Record) -> Record:
        record = validate(record_class, raw)
        if isinstance(raw, Mapping):
            extras[id(record)] = " ".join(str(raw[name]) for name in raw if name not in record_class.model_fields)
        return record

    def add(schema: Schema, record: Record) -> Minimized:
        minimized = minimize(schema, record)
        text = extras[id(record)]
        if field == "body":
            return replace(minimized, texts={**minimized.texts, "body": f"{minimized.texts['body']} {text}"})
        return replace(minimized, filters={**minimized.filters, field: text})

    monkeypatch.setattr(securevec.writing.batching, "validate", keep)
    monkeypatch.setattr(securevec.writing.batching, "minimize", add)


def test_with_undeclared_columns_kept_embedder_and_envelopes_turn_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _keeping_extras(monkeypatch, field="body")
    evidence = small(tmp_path)
    canaries = Needles(("canary", canary) for row in evidence.rows for canary in row.canaries)
    embedded = "\n".join(text for texts in evidence.embedded.values() for text in texts)
    assert kinds(canaries.find(embedded.encode())) == {"canary"}
    plain = b"\n".join(text for record in evidence.opened.values() for text in record.plaintexts)
    assert kinds(canaries.find(plain)) == {"canary"}


def test_with_undeclared_columns_in_a_clear_filter_files_and_payloads_turn_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _keeping_extras(monkeypatch, field="status")
    monkeypatch.setattr(securevec.writing.anonymizing, "refuse_findings_in_clear_filters", _nothing)
    evidence = small(tmp_path)
    for hits in (evidence.in_payloads, evidence.in_open_home, evidence.in_closed_home):
        assert kinds(hits) == {"canary"}


def test_a_message_that_quotes_the_row_turns_the_reports_red(
    stage: Stage, needles: Needles, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert needles.find(what_is_said(stage, "malformed rows").encode()) == []

    def quoting(record_class: type[Record], error: ValidationError, *_: object) -> RecordError:
        return RecordError(repr(error.errors()))

    monkeypatch.setattr(securevec.rows.validate, "_explain", quoting)
    assert kinds(needles.find(what_is_said(stage, "malformed rows").encode())) >= {"canary", "PERSON"}


def test_a_cause_that_quotes_the_text_turns_the_tracebacks_red(
    stage: Stage, needles: Needles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chained(detector: Any, text: str, field_name: str) -> list[Any]:
        try:
            found: list[Any] = detector.detect(text, field_name=field_name)
        except ValueError as error:
            raise securevec.errors.DetectorError("The detector failed; nothing was stored.") from error
        return found

    monkeypatch.setattr("securevec.anonymize.engine.checked", chained)
    assert kinds(needles.find(what_is_said(stage, "failing detector of a query").encode())) >= {"EMAIL"}
