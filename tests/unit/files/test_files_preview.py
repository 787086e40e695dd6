"""A dry run says what would be stored and replaced, by file, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec import errors
from tests.support.documents import pdf


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    status: sv.Filter[str | None] = None


MAIL = "Write to jane.porter@example.com about it."


def bytes_below(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "audit" not in path.parts and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_preview_counts_by_file_and_entity_and_stores_and_embeds_nothing(desk: Any, tmp_path: Path) -> None:
    desk.write(a_md=f"# Note\n\n{MAIL}", b_txt="nothing of note", c_pdf=pdf([MAIL]), bad_pdf=b"garbage")
    before = bytes_below(tmp_path / "home")
    preview = desk.pages.preview_files([desk.folder])
    assert (preview.new, preview.updated, preview.unchanged) == (3, 0, 0)
    assert {each.path: dict(each.redactions) for each in preview.files} == {
        "a.md": {"EMAIL": 1},
        "b.txt": {},
        "c.pdf": {"EMAIL": 1},
    }
    assert preview.redactions == {"EMAIL": 2}
    assert [(each.path, each.error) for each in preview.refused_files] == [("bad.pdf", "FileCorrupt")]
    assert "bad.pdf" not in f"{preview} {preview!r}"
    assert desk.tap.texts == []
    assert desk.paths() == set()
    assert bytes_below(tmp_path / "home") == before


def test_a_preview_agrees_with_the_ingest_that_follows_it(desk: Any) -> None:
    desk.write(a_md=f"# Note\n\n{MAIL}", b_md="two", c_md="three")
    desk.ingest()
    desk.write(b_md=f"two and {MAIL}", d_md="new")
    (desk.folder / "c.md").unlink()
    options = sv.FileOptions(sync=True)
    preview = desk.pages.preview_files([desk.folder], options=options)
    report = desk.pages.ingest_files([desk.folder], options=options)
    assert (preview.new, preview.updated, preview.unchanged, preview.deleted) == (1, 1, 1, 1)
    assert (report.new, report.updated, report.unchanged, report.deleted) == (1, 1, 1, 1)
    assert preview.redactions == report.redactions


def test_a_preview_of_rows_lists_the_rows_that_would_be_refused(desk: Any) -> None:
    notes = desk.tenant.collection(Note)
    desk.write(a_csv=f"id,body,status\n1,one,open\n2,two,jane.porter@example.com\n3,x,y,z\n4,{MAIL},open\n", b_md="x")
    preview = notes.preview_files([desk.folder])
    (file,) = preview.files
    assert (preview.new, file.records, [row.row for row in file.refused]) == (2, 2, [2, 3])
    assert file.redactions == {"EMAIL": 1}
    report = notes.ingest_files([desk.folder])
    assert [row.row for row in report.refused] == [2, 3]


def test_a_preview_of_a_collection_that_is_not_there_makes_none(desk: Any) -> None:
    desk.write(a_md=MAIL)
    preview = desk.tenant.preview_files(sv.Page, [desk.folder])
    assert (preview.new, preview.redactions) == (1, {"EMAIL": 1})
    assert desk.tenant.collections() == ["docs"]


def test_a_preview_of_a_sync_that_would_be_refused_is_refused(desk: Any) -> None:
    desk.write(a_md="one")
    desk.ingest()
    (desk.folder / "a.md").unlink()
    with pytest.raises(errors.SyncRefused):
        desk.pages.preview_files([desk.folder], options=sv.FileOptions(sync=True))


def test_a_preview_needs_the_permission_and_is_recorded_without_a_path(desk: Any, tmp_path: Path) -> None:
    desk.write(canary__canary_md="one")
    desk.pages.preview_files([desk.folder])
    desk.store.runtime.audit.checkpoint()
    log = b"".join(path.read_bytes() for path in (tmp_path / "home" / "audit").rglob("*.jsonl"))
    assert b'"dry_run":true' in log
    assert b"canary" not in log
    reader = sv.Actor("svc:reader")
    desk.tenant.grant(reader, "reader")
    with pytest.raises(errors.PolicyDenied):
        desk.store.tenant("acme", actor=reader).collection(sv.Page, name="docs").preview_files([desk.folder])
