"""Exports against a hiding store, the fence, the policy and a failing log: a whole file or none. What an export holds
is a case of the shipped suite; here the tenant is suspended in the middle of a call, and disks, logs and roles fail."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import securevec as sv
from securevec.attack.rows import Vandal
from securevec.errors import (
    AuditUnavailable,
    IsolationViolation,
    PolicyDenied,
    RecordChanged,
    TenantUnavailable,
    UsageError,
)
from securevec.guard import Admission
from tests.support.attacks import ACME_MARK, RETENTION, Pair
from tests.support.attacks_outage import FailingAudit
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def assert_no_file(directory: Path) -> None:
    assert [path.name for path in directory.iterdir() if path.name.startswith((".", "out"))] == []


def test_no_vault_is_opened_for_an_export(lone_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.crypto import envelope

    opened: list[str] = []
    original = envelope.open_sealed

    def watched(key: object, blob: bytes, place: object, **options: object) -> bytes:
        opened.append(place.field)  # type: ignore[attr-defined]  # a Place
        return original(key, blob, place, **options)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr("securevec.reading.opening.open_sealed", watched)
    assert lone_pair.acme.export(io.BytesIO()).records == 8
    assert opened
    assert set(opened) == {"body"}


def test_a_hidden_or_altered_record_leaves_no_file(lone_pair: Pair, tmp_path: Path) -> None:
    pair = lone_pair
    vandal = Vandal(pair.stage, pair.globex)
    vandal.put(vandal.row_of("T-1").but(f_status="stolen"))
    stream = io.BytesIO()
    assert pair.globex.export(stream).violations == 1
    assert b"stolen" not in stream.getvalue()
    vandal.remove(vandal.row_of("T-3"))
    with pytest.raises(IsolationViolation):
        pair.globex.export(tmp_path / "out.csv")
    assert_no_file(tmp_path)
    failed = pair.stage.audit()[0]
    assert (failed["action"], failed["phase"], failed["error"]) == ("export", "result", "IsolationViolation")


def suspend_in_flight(pair: Pair) -> None:
    def run() -> None:
        pair.stage.trap.on_fetch = None
        pair.stage.store.suspend_tenant("acme")

    pair.stage.trap.on_fetch = run


def test_a_tenant_suspended_meanwhile_gets_no_file_and_no_further_part(
    lone_pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target in (tmp_path / "out.jsonl", stream := io.BytesIO()):
        suspend_in_flight(lone_pair)
        with pytest.raises(TenantUnavailable):
            lone_pair.acme.export(target)
        lone_pair.stage.store.resume_tenant("acme")
    assert_no_file(tmp_path)
    assert stream.getvalue() == b""

    def unchecked(self: Admission) -> None:
        return

    monkeypatch.setattr(Admission, "recheck", unchecked)
    suspend_in_flight(lone_pair)
    assert lone_pair.acme.export(stream).records == 8
    assert ACME_MARK.encode() in stream.getvalue()


def test_a_person_who_is_erased_while_a_file_is_written_is_not_in_it(lone_pair: Pair, tmp_path: Path) -> None:
    """The receipt is older than the file's name: what was written before it is no longer to be had."""
    left = iter(range(3, 8))

    def erase(_: object) -> None:
        for number in left:
            lone_pair.stage.acme.erase_subject(f"customer{number}@example.com").raise_if_incomplete()
            if number < 7:
                break

    target = tmp_path / "out.jsonl"
    with pytest.raises(RecordChanged):
        lone_pair.acme.export(target, progress=erase)
    assert_no_file(tmp_path)
    left = iter([8])
    report = lone_pair.acme.export(target, progress=erase)
    lines = target.read_bytes().splitlines()
    assert [report.records, report.bytes] == [len(lines), target.stat().st_size]
    assert sorted(json.loads(line)["id"] for line in lines) == ["T-1", "T-2"]


@pytest.mark.parametrize("nth", [0, 1])
def test_no_export_without_its_records(lone_pair: Pair, tmp_path: Path, nth: int) -> None:
    runtime = lone_pair.stage.store.runtime
    working = runtime.audit
    stream = io.BytesIO()
    for target in (tmp_path / "out.jsonl", stream):
        runtime.audit = FailingAudit(working, nth)
        try:
            with pytest.raises(AuditUnavailable):
                lone_pair.acme.export(target)
        finally:
            runtime.audit = working
    assert_no_file(tmp_path)
    if nth == 0:
        assert stream.getvalue() == b""


def test_an_export_is_on_record_before_and_after(lone_pair: Pair) -> None:
    pair = lone_pair
    report = pair.globex.export(io.BytesIO(), format="csv")
    before, after = pair.stage.audit(2)
    assert [(entry["action"], entry["phase"]) for entry in (before, after)] == [
        ("export", "intent"),
        ("export", "result"),
    ]
    assert after["counts"] == {"records": 8, "bytes": report.bytes, "violations": 0}
    assert before["detail"] == after["detail"] == {"format": "csv"}
    assert before["request_id"] == after["request_id"] == report.request_id


def test_a_full_disk_leaves_no_file(lone_pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("securevec.newfile.os", SimpleNamespace(**{**vars(os), "fsync": full}))
    with pytest.raises(UsageError):
        lone_pair.acme.export(tmp_path / "out.jsonl")
    assert_no_file(tmp_path)
    with Path("/dev/full").open("wb", buffering=0) as stream, pytest.raises(UsageError):
        lone_pair.acme.export(stream)


def test_a_writer_may_not_export_and_describes_only_counts(lone_pair: Pair, tmp_path: Path) -> None:
    stage = lone_pair.stage
    writer = sv.Actor("svc:loader")
    stage.acme.grant(writer, "writer")
    handle = stage.store.tenant("acme", actor=writer).collection(Ticket, name=lone_pair.name, retention=RETENTION)
    with pytest.raises(PolicyDenied):
        handle.export(tmp_path / "out.jsonl")
    assert_no_file(tmp_path)
    assert handle.describe().records == 8
    assert stage.audit()[0]["action"] == "describe"
