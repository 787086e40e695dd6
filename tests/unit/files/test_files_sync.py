"""A sync deletes what its own source no longer shows and nothing else; no doubt, hold or other source is overridden."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import securevec as sv
from securevec import errors
from securevec.files.plan import plan_sync
from securevec.files.walk import walk
from securevec.removing.delete import delete_part


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]


REFS = [bytes([number]) * 16 for number in range(6)]
DIGESTS = st.dictionaries(st.sampled_from(REFS), st.sampled_from([b"a" * 16 + b"c" * 16, b"b" * 16 + b"c" * 16]))


@given(DIGESTS, st.sets(st.sampled_from(REFS)), st.sets(st.sampled_from([b"a" * 16, b"b" * 16])), st.booleans())
def test_a_plan_deletes_only_what_is_known_unseen_and_undoubted(
    known: dict[bytes, bytes], seen: set[bytes], doubted: set[bytes], complete: bool
) -> None:
    plan = plan_sync(known, seen, doubted=doubted, complete=complete)
    gone, doubtful = set(plan.gone), set(plan.doubtful)
    assert gone | doubtful == known.keys() - seen
    assert not gone & doubtful
    assert all(known[ref][:16] not in doubted for ref in gone)
    assert complete or not gone


def test_a_file_that_is_gone_takes_its_record_with_it(desk: Any) -> None:
    desk.write(a_md="one", b__c_md="two", d_md="three")
    desk.ingest()
    (desk.folder / "b" / "c.md").unlink()
    assert desk.ingest().deleted == 0
    report = desk.ingest(sync=True)
    assert (report.deleted, report.passed_over, report.kept) == (1, 2, {})
    assert desk.paths() == {"a.md", "d.md"}
    assert desk.ingest(sync=True).deleted == 0


def test_a_file_that_comes_and_is_stored_by_others_while_a_sync_begins_keeps_its_record(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes on one folder: what the second one stores behind the listing of the first is not gone."""
    desk.write(a_md="one")
    desk.ingest()

    def then_another_comes(*given: Any, **named: Any) -> Any:
        listing = walk(*given, **named)
        monkeypatch.undo()
        desk.write(b_md="two")
        assert desk.ingest(sync=True).new == 1
        return listing

    monkeypatch.setattr("securevec.files.sources.walk", then_another_comes)
    assert desk.ingest(sync=True).deleted == 0
    assert desk.paths() == {"a.md", "b.md"}


def test_records_from_elsewhere_are_never_touched(desk: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "o.md").write_text("other")
    desk.write(a_md="one", b_md="two")
    desk.ingest()
    desk.pages.ingest_files([other])
    desk.pages.ingest([desk.pages.get("a.md").model_dump() | {"path": "by hand"}])
    (desk.folder / "a.md").unlink()
    desk.ingest(sync=True)
    assert desk.paths() == {"b.md", "o.md", "by hand"}


def test_a_record_that_was_stored_again_by_other_means_is_kept(desk: Any) -> None:
    desk.write(a_md="one", b_md="two")
    desk.ingest()
    desk.pages.ingest([desk.pages.get("a.md").model_dump() | {"text": "mine now"}])
    (desk.folder / "a.md").unlink()
    report = desk.ingest(sync=True)
    assert report.deleted == 0
    assert list(report.kept.values()) == [1]
    assert desk.pages.get("a.md").text == "mine now"
    assert desk.ingest(sync=True).kept == {}


def test_a_file_that_can_no_longer_be_read_keeps_its_record(desk: Any) -> None:
    desk.write(a_txt="one", b_md="two", c_md="three", d_md="four")
    desk.ingest()
    desk.write(a_txt=b"\x7fELF\0")
    (desk.folder / "b.md").unlink()
    (desk.folder / "b.md").symlink_to("c.md")
    (desk.folder / "c.md").unlink()
    os.mkfifo(desk.folder / "c.md")
    report = desk.ingest(sync=True)
    assert (report.deleted, len(report.refused_files)) == (0, 3)
    assert desk.paths() == {"a.txt", "b.md", "c.md", "d.md"}


def test_a_source_that_shows_nothing_deletes_nothing(desk: Any) -> None:
    desk.write(a_md="one", b_md="two")
    desk.ingest()
    for file in desk.folder.iterdir():
        file.unlink()
    (desk.folder / "link.md").symlink_to("nowhere")
    with pytest.raises(errors.SyncRefused, match="allow-empty"):
        desk.ingest(sync=True)
    assert desk.paths() == {"a.md", "b.md"}
    assert desk.ingest(sync=True, allow_empty=True).deleted == 2
    assert desk.paths() == set()


def test_a_source_that_is_not_there_deletes_nothing(desk: Any) -> None:
    desk.write(a_md="one")
    desk.ingest()
    (desk.folder / "a.md").unlink()
    desk.folder.rmdir()
    with pytest.raises(errors.SourceError):
        desk.ingest(sync=True, allow_empty=True)
    assert desk.paths() == {"a.md"}


def test_a_folder_that_cannot_be_listed_deletes_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(a_md="one", b_md="two", sub__c_md="three")
    desk.ingest()
    (desk.folder / "b.md").unlink()
    real, inode = os.scandir, (desk.folder / "sub").stat().st_ino

    def failing(place: int) -> Any:
        if os.fstat(place).st_ino == inode:
            raise PermissionError(13, "Permission denied")
        return real(place)

    with monkeypatch.context() as closed:
        closed.setattr(os, "scandir", failing)
        report = desk.ingest(sync=True, allow_empty=True)
    assert (report.deleted, list(report.kept.values())) == (0, [2])
    assert desk.paths() == {"a.md", "b.md", "sub/c.md"}
    assert desk.ingest(sync=True).deleted == 1


def test_one_file_says_nothing_of_what_else_is_gone(desk: Any) -> None:
    desk.write(a_md="one", b_md="two")
    desk.ingest()
    with pytest.raises(errors.UsageError, match="folders"):
        desk.pages.ingest_files([desk.folder / "a.md"], options=sv.FileOptions(sync=True))
    assert desk.paths() == {"a.md", "b.md"}


def test_who_may_not_delete_may_not_sync_and_stores_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.policy import rules

    desk.write(a_md="one")
    writer = sv.Actor("svc:writer")
    desk.tenant.grant(writer, "writer")
    monkeypatch.setitem(rules.ROLES, "writer", rules.ROLES["writer"] - {"delete"})
    pages = desk.store.tenant("acme", actor=writer).collection(sv.Page, name="docs")
    with pytest.raises(errors.PolicyDenied):
        pages.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    assert desk.paths() == set()
    assert pages.ingest_files([desk.folder]).new == 1


def test_a_legal_hold_keeps_a_record_whose_file_is_gone_and_is_named(desk: Any, tmp_path: Path) -> None:
    desk.write(a_md="one", b_md="two", c_md="three")
    desk.ingest()
    runtime, scope = desk.store.runtime, desk.pages._scope
    ref = scope.record_ref(runtime, "a.md")
    hold = "ab" * 16
    runtime.control.add_hold(hold, scope.tenant, scope.collection, ref, b"sealed", runtime.clock.now_ms())
    for name in ("a.md", "b.md"):
        (desk.folder / name).unlink()
    report = desk.ingest(sync=True)
    assert (report.deleted, report.holds) == (1, (hold,))
    desk.store.runtime.audit.checkpoint()
    log = "".join(path.read_text() for path in (tmp_path / "home" / "audit").rglob("*.jsonl"))
    assert any(f'"hold":"{hold}"' in line and '"LegalHold"' in line for line in log.splitlines())
    assert list(report.kept.values()) == [1]
    assert desk.paths() == {"a.md", "c.md"}
    runtime.control.release_hold(hold, runtime.clock.now_ms())
    assert desk.ingest(sync=True).deleted == 1
    assert desk.paths() == {"c.md"}


def test_a_statutory_minimum_keeps_a_record_whose_file_is_gone(desk: Any) -> None:
    desk.write(a_md="one", b_md="two")
    desk.ingest()
    desk.store.set_retention(tenant="acme", min_age="100d")
    (desk.folder / "a.md").unlink()
    preview = desk.pages.preview_files([desk.folder], options=sv.FileOptions(sync=True))
    assert (preview.deleted, list(preview.kept.values())) == (0, [1])
    report = desk.ingest(sync=True)
    assert (report.deleted, list(report.kept.values())) == (0, [1])
    assert desk.paths() == {"a.md", "b.md"}
    desk.store.remove_retention(tenant="acme")
    assert desk.ingest(sync=True).deleted == 1


def test_a_hold_that_is_set_while_a_sync_deletes_is_respected(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from securevec.files import sync

    desk.write(a_md="one", b_md="two", c_md="three")
    desk.ingest()
    runtime, scope = desk.store.runtime, desk.pages._scope
    ref = scope.record_ref(runtime, "a.md")
    for name in ("a.md", "b.md"):
        (desk.folder / name).unlink()
    calls: list[int] = []

    def holding(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            runtime.control.add_hold("cd" * 16, scope.tenant, scope.collection, ref, b"", runtime.clock.now_ms())
        return delete_part(*arguments, **options)

    monkeypatch.setattr(sync, "delete_part", holding)
    report = desk.ingest(sync=True)
    assert (report.deleted, report.holds, len(calls)) == (1, ("cd" * 16,), 2)
    assert desk.paths() == {"a.md", "c.md"}


def test_rows_that_are_gone_from_their_file_or_with_it_are_deleted(desk: Any) -> None:
    notes = desk.tenant.collection(Note)
    desk.write(a_csv="id,body\n1,one\n2,two\n", b_jsonl='{"id":"3","body":"x"}\n', c_csv="id,body\n4,four\n")
    notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    desk.write(a_csv="id,body\n1,one\n5,five\n")
    (desk.folder / "b.jsonl").unlink()
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    assert (report.new, report.deleted, report.kept) == (1, 2, {})
    assert {record.id for record in notes.iter()} == {"1", "4", "5"}


@pytest.mark.parametrize("data", ["id,body\n1,one\n2,two,three\n", 'id,body\n1,one\n"2', "", "\0"])
def test_a_file_with_a_refused_row_or_that_breaks_off_deletes_none_of_its_records(desk: Any, data: str) -> None:
    notes = desk.tenant.collection(Note)
    desk.write(a_csv="id,body\n1,one\n2,two\n", b_csv="id,body\n3,three\n4,four\n")
    notes.ingest_files([desk.folder])
    desk.write(a_csv=data, b_csv="id,body\n3,three\n")
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    assert report.deleted == 1
    assert sum(report.kept.values()) >= 1
    assert {record.id for record in notes.iter()} == {"1", "2", "3"}


def test_a_record_two_sources_show_goes_only_when_both_have_dropped_it(desk: Any, tmp_path: Path) -> None:
    notes = desk.tenant.collection(Note)
    other = tmp_path / "other"
    other.mkdir()
    for folder in (desk.folder, other):
        (folder / "a.csv").write_text("id,body\n1,one\n2,two\n")
        notes.ingest_files([folder])
    (desk.folder / "a.csv").write_text("id,body\n1,one\n")
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    assert (report.deleted, list(report.kept.values())) == (0, [1])
    (other / "a.csv").write_text("id,body\n1,one\n")
    assert notes.ingest_files([other], options=sv.FileOptions(sync=True)).deleted == 1
    assert {record.id for record in notes.iter()} == {"1"}
