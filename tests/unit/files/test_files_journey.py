"""Folders into a collection: every file is stored, recognized or refused by name; a second run does nothing twice."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

import securevec as sv
from securevec import errors
from securevec import ingest as ingesting
from securevec.control.store import ControlStore
from securevec.files.documents import Documents
from securevec.writing.report import Progress
from tests.support.documents import docx, encrypted_pdf, pdf
from tests.support.meanwhile import meanwhile


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


def refusals(report: sv.FilesReport) -> dict[str, str]:
    return {each.path: each.error for each in report.refused_files}


def test_every_kind_of_document_becomes_one_record_under_its_path(desk: Any) -> None:
    desk.write(
        a__guide_md="# Guide\n\nThe refund takes two days.",
        a__b__note_txt="A note on parking.",
        page_html="<title>Portal</title><p>How to log in.",
        letter_pdf=pdf(["Dear customer, thank you."]),
        memo_docx=docx(["Be kind to callers."], heading="Memo"),
    )
    report = desk.pages.ingest(desk.folder)
    assert isinstance(report, sv.FilesReport)
    assert (report.new, report.documents, report.refused_files) == (5, 5, ())
    assert desk.paths() == {"a/guide.md", "a/b/note.txt", "page.html", "letter.pdf", "memo.docx"}
    page = desk.pages.get("a/guide.md")
    assert (page.title, page.text) == ("Guide", "The refund takes two days.")
    assert abs(page.modified.timestamp() - time.time()) < 3600
    assert desk.pages.get("page.html").title == "Portal"
    assert [hit.id for hit in desk.pages.search("refund two days", k=1)] == ["a/guide.md"]


def test_bad_files_are_refused_by_name_and_reason_and_the_others_go_through(desk: Any) -> None:
    desk.write(
        bad_pdf=b"%PDF-1.7 nothing",
        locked_pdf=encrypted_pdf(["secret"], user="pass"),
        scan_pdf=pdf([]),
        fake_txt=b"\x7fELF\0\0\0",
        bad_docx=b"PK\x03\x04",
        empty_md="",
        rows_csv="id,body\n1,text\n",
        good_md="fine",
    )
    (desk.folder / "link.md").symlink_to(desk.folder / "good.md")
    report = desk.ingest()
    assert refusals(report) == {
        "bad.pdf": "FileCorrupt",
        "locked.pdf": "FileLocked",
        "scan.pdf": "FileCorrupt",
        "fake.txt": "FileCorrupt",
        "bad.docx": "FileCorrupt",
        "empty.md": "FileCorrupt",
        "rows.csv": "FileMismatch",
        "link.md": "FileUnsafe",
    }
    for each in report.refused_files:
        assert issubclass(getattr(errors, each.error), errors.SourceError)
    assert desk.paths() == {"good.md"}
    assert "good.md" not in str(report)
    assert "bad.pdf" not in repr(report)


def test_a_second_run_parses_and_embeds_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.files.pool import ParserPool

    desk.write(a_md="one", b_md="two", c_pdf=pdf(["three"]))
    desk.ingest()
    embedded = len(desk.tap.texts)
    parsed: list[str] = []
    real = ParserPool.parse

    def counting(pool: ParserPool, kind: Any, data: bytes, **options: Any) -> Any:
        parsed.append(kind)
        return real(pool, kind, data, **options)

    monkeypatch.setattr(ParserPool, "parse", counting)
    # A checkout elsewhere, or a copy, changes times and not content.
    os.utime(desk.folder / "b.md", (1, 1))
    report = desk.ingest()
    assert (report.new, report.updated, report.unchanged, report.passed_over) == (0, 0, 3, 3)
    assert (parsed, len(desk.tap.texts)) == ([], embedded)
    desk.write(b_md="two and more")
    report = desk.ingest()
    assert (report.updated, report.unchanged, report.passed_over) == (1, 2, 2)
    assert parsed == ["markdown"]


def test_a_record_that_is_gone_or_was_replaced_is_read_again(desk: Any) -> None:
    desk.write(a_md="one", b_md="two", c_md="three")
    desk.ingest()
    desk.pages.delete(["a.md"])
    changed = desk.pages.get("b.md").model_dump() | {"text": "somebody else wrote this"}
    desk.pages.ingest([changed])
    report = desk.ingest()
    assert (report.new, report.updated, report.passed_over) == (1, 1, 1)
    assert desk.pages.get("b.md").text == "two"


def test_a_file_of_another_folder_does_not_replace_a_record_of_the_same_path(desk: Any, tmp_path: Path) -> None:
    desk.write(readme_md="the first")
    desk.ingest()
    other = tmp_path / "other"
    other.mkdir()
    (other / "readme.md").write_text("the second")
    report = desk.pages.ingest_files([other])
    assert refusals(report) == {"readme.md": "FileConflict"}
    assert desk.pages.get("readme.md").text == "the first"
    report = desk.pages.ingest_files([other], options=sv.FileOptions(prefix="other/"))
    assert (report.new, refusals(report)) == (1, {})
    assert desk.paths() == {"readme.md", "other/readme.md"}
    both = desk.pages.ingest_files([desk.folder, other])
    assert refusals(both) == {"readme.md": "FileConflict"}


@pytest.mark.parametrize(
    ("owner", "step"), [(Documents, "_looked_up"), (ingesting, "_store"), (ControlStore, "begin_batch")]
)
def test_of_two_folders_read_at_once_the_later_one_does_not_replace_a_record_of_the_same_path(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    """The other one is read between two steps of this one: before and after its path is looked up, and after the row
    was judged."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "readme.md").write_text("the first")
    desk.write(readme_md="the second", mine_md="mine")
    meanwhile(monkeypatch, owner, step, lambda: desk.pages.ingest_files([other]))
    report = desk.ingest()
    assert (report.new, refusals(report)) == (1, {"readme.md": "FileConflict"})
    assert desk.pages.get("readme.md").text == "the first"
    assert refusals(desk.ingest()) == {"readme.md": "FileConflict"}
    assert desk.pages.ingest_files([other]).passed_over == 1


def test_a_folder_that_has_moved_is_continued_under_its_old_name(desk: Any, tmp_path: Path) -> None:
    desk.write(a_md="one")
    desk.ingest()
    moved = desk.folder.rename(tmp_path / "elsewhere")
    assert refusals(desk.pages.ingest_files([moved])) == {"a.md": "FileConflict"}
    report = desk.pages.ingest_files([moved], options=sv.FileOptions(source=str(desk.folder)))
    assert report.passed_over == 1


def test_single_files_have_the_path_they_have_in_their_folder(desk: Any) -> None:
    desk.write(a_md="one", b_md="two")
    desk.pages.ingest(desk.folder / "a.md")
    report = desk.ingest()
    assert (report.new, report.passed_over) == (1, 1)


def test_the_home_inside_the_folder_is_left_alone(tmp_path: Path) -> None:
    from securevec.testing.embedders import HashEmbedder

    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.md").write_text("one")
    key = tmp_path / "keys" / "root.key"
    with sv.SecureStore.open(folder / "home", backend="memory", key_file=key, embedder=HashEmbedder()) as store:
        tenant = store.tenant("acme", create=True, actor=sv.Actor("svc:x"))
        report = tenant.collection(sv.Page).ingest(folder)
    assert isinstance(report, sv.FilesReport)
    assert (report.new, report.refused_files) == (1, ())


def test_rows_of_several_files_are_stored_and_bad_rows_reported_by_file(desk: Any) -> None:
    desk.write(
        a_csv="id,body\n1,one\n2,two,three\n3,three\n",
        b_jsonl='{"id":"4","body":"four"}\n{"id":\n',
        c_md="a document",
        d_csv='"never closed',
    )
    notes = desk.tenant.collection(Note)
    report = notes.ingest_files([desk.folder])
    assert (report.new, len(report.refused)) == (3, 2)
    assert {each.path: [row.row for row in each.report.refused] for each in report.rows_files} == {
        "a.csv": [2],
        "b.jsonl": [2],
        "d.csv": [],
    }
    assert refusals(report) == {"c.md": "FileMismatch", "d.csv": "SourceError"}
    again = notes.ingest_files([desk.folder])
    assert (again.new, again.unchanged) == (0, 3)


def test_a_class_of_one_s_own_takes_documents_when_it_requires_no_more(desk: Any) -> None:
    class Paper(sv.Record):
        path: sv.Key[str]
        text: sv.Embed[str]
        author: sv.Subject[str | None] = None

    class Other(sv.Record):
        path: sv.Key[str]
        text: sv.Embed[str]
        author: sv.Subject[str]

    desk.write(a_md="# Title\n\nrest")
    papers = desk.tenant.collection(Paper)
    assert papers.ingest_files([desk.folder]).new == 1
    assert papers.get("a.md").author is None
    refused = desk.tenant.collection(Other).ingest_files([desk.folder])
    assert refusals(refused) == {"a.md": "FileMismatch"}


def test_a_reader_may_not_ingest_and_nothing_is_listed_for_it(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.files import journey

    reader = sv.Actor("svc:reader")
    desk.tenant.grant(reader, "reader")
    pages = desk.store.tenant("acme", actor=reader).collection(sv.Page, name="docs")
    monkeypatch.setattr(journey, "open_sources", None)
    with pytest.raises(errors.PolicyDenied):
        pages.ingest_files([desk.folder])


def test_progress_counts_the_bytes_of_every_file_refused_ones_too(desk: Any) -> None:
    desk.write(a_md="one", b_pdf=b"garbage", c_md="three")
    desk.ingest()
    seen: list[tuple[int, int, int | None]] = []

    def note(each: Progress) -> None:
        seen.append((each.rows, each.bytes_read, each.bytes_total))

    desk.ingest(progress=note)
    assert seen[-1] == (3, 15, 15)
    assert seen == sorted(seen)
