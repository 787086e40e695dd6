"""Exports and descriptions."""

from __future__ import annotations

import csv
import io
import json
import stat
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

import securevec as sv
from securevec.errors import FilterError, UsageError
from securevec.verbs import export as exporting
from securevec.verbs import verifying
from securevec.verbs.walk import walk
from securevec.writing.report import Progress
from tests.support.world import ACME, Ticket, World, ticket

AWKWARD = 'Line one,\r\nline "two"; =1+1 \u2028 and \u00e9\U0001f600, ring 020 7946 0123.'


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def test_every_record_is_exported_as_get_shows_it(filled: World, tmp_path: Path) -> None:
    filled.acme.ingest([ticket(20, AWKWARD, notes="write to jane.roe@example.com")])
    path = tmp_path / "out.jsonl"
    report = filled.acme.export(path)
    data = path.read_bytes()
    assert (report.records, report.bytes, report.violations) == (13, len(data), 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    exported = {row["id"]: row for row in lines(data)}
    assert len(exported) == 13
    for record in filled.acme.iter():
        row = exported[record.id]
        assert list(row) == ["id", "customer", "body", "notes", "status", "opened"]
        assert (row["body"], row["customer"], row["notes"]) == (record.body, record.customer, record.notes)
        assert datetime.fromisoformat(row["opened"]) == record.opened
    for original in (b"jane.roe", b"7946 0123", b"customer20@example.com", b"undeclared-canary-column"):
        assert original not in data
    assert list(tmp_path.glob(".*")) == []


def test_csv_is_read_back_by_a_csv_reader(filled: World, tmp_path: Path) -> None:
    filled.acme.ingest([ticket(20, AWKWARD)])
    report = filled.acme.export(tmp_path / "out.CSV")
    with (tmp_path / "out.CSV").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == report.records == 13
    row = next(row for row in rows if row["id"] == "T-20")
    assert row["body"] == filled.acme.get("T-20").body
    assert row["notes"] == ""
    assert row["opened"] == "2026-01-21T00:00:00.000Z"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_what_was_exported_can_be_ingested(filled: World, tmp_path: Path, name: str) -> None:
    filled.acme.export(tmp_path / name)
    again = filled.store.tenant("acme", actor=ACME).collection(Ticket, name="again")
    report = again.ingest(tmp_path / name)
    assert (report.new, report.refused) == (12, ())


def test_export_and_verify_say_how_far_they_are(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "walk", partial(walk, step=5))
    monkeypatch.setattr(verifying, "STEP", 5)
    told: list[Progress] = []
    filled.acme.export(io.BytesIO(), where=sv.F("status") == "nowhere", progress=told.append)
    assert told == [Progress(0, examined, 12) for examined in (5, 10, 12)]
    told.clear()
    filled.acme.verify(progress=told.append)
    assert [each.rows for each in told[:3]] == [5, 10, 12]
    assert {each.bytes_total for each in told} == {12}


def test_an_export_to_a_stream_leaves_it_open(filled: World) -> None:
    stream = io.BytesIO()
    report = filled.acme.export(stream, where=sv.F("status") == "open")
    assert report.records == 6
    assert {row["status"] for row in lines(stream.getvalue())} == {"open"}
    assert not stream.closed
    stream = io.BytesIO()
    assert filled.acme.export(stream, format="csv", where=sv.F("status") == "nowhere").records == 0
    assert stream.getvalue() == b"id,customer,body,notes,status,opened\r\n"


class Slow(io.RawIOBase):
    """A raw stream that takes seven bytes at a time."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data[:7])
        self.taken += part
        return len(part)


def test_a_stream_that_takes_little_at_a_time_gets_all(filled: World) -> None:
    slow = Slow()
    report = filled.acme.export(cast("BinaryIO", slow))
    assert len(slow.taken) == report.bytes
    assert len(lines(slow.taken)) == 12


def test_a_file_that_is_there_is_not_touched_unless_told(filled: World, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    with pytest.raises(UsageError):
        filled.acme.export(path)
    assert path.read_text() == "mine"
    filled.acme.export(path, overwrite=True)
    assert len(lines(path.read_bytes())) == 12
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(UsageError):
        filled.acme.export(link)
    assert not (tmp_path / "elsewhere.jsonl").exists()


def test_a_target_that_is_none_is_refused(filled: World, tmp_path: Path) -> None:
    inside = filled.home / "out.jsonl"
    (tmp_path / "way-in").symlink_to(filled.home)
    for target in (inside, tmp_path / "way-in" / "out.jsonl", tmp_path, tmp_path / "absent" / "out.jsonl"):
        with pytest.raises(UsageError):
            filled.acme.export(target)
    for stream in (io.StringIO(), None, 7, object()):
        with pytest.raises(UsageError):
            filled.acme.export(cast("BinaryIO", stream))
    with pytest.raises(UsageError):
        filled.acme.export(tmp_path / "out", format=cast("Any", "parquet"))
    with pytest.raises(FilterError):
        filled.acme.export(tmp_path / "out", where=sv.F("body") == "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "keys", "way-in"]
    assert not inside.exists()


def test_a_description_names_fields_and_numbers_and_nobody(filled: World) -> None:
    filled.store.set_quota("acme", points=100)
    about = filled.acme.describe()
    assert [spec.name for spec in about.fields] == ["id", "customer", "body", "notes", "status", "opened"]
    assert (about.records, about.chunks, about.quota.points, about.quota.max_points) == (12, 12, 12, 100)
    assert about.retention_ms == 180 * 86_400_000
    assert about.model.dimension == 64
    assert about.id == filled.acme.id
    assert "customer1" not in str(about)
    filled.acme.delete("T-1")
    assert filled.acme.describe().records == 11


def test_an_export_through_links_that_lead_round_in_a_circle_is_refused(filled: World, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError, match="cannot be followed"):
        filled.acme.export(tmp_path / "a")
