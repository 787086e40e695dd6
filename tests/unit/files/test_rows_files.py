"""Files of rows: Parquet through a child process, other encodings, files whose columns do not fit."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

import securevec as sv
from securevec import errors
from securevec.children import process as children
from securevec.children.process import Child, Died
from securevec.writing.report import Progress


class Note(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    opened: sv.Filter[datetime | None] = None
    score: sv.Filter[float | None] = None


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet as writer

    out = io.BytesIO()
    writer.write_table(arrow.table(columns), out, **options)
    return out.getvalue()


def refusals(report: sv.FilesReport) -> dict[str, str]:
    return {each.path: each.error for each in report.refused_files}


def test_parquet_rows_are_stored_bad_ones_refused_by_field_and_undeclared_columns_not_even_read(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    real = Child.next

    def listening(self: Child, *, seconds: float) -> bytes:
        heard.append(real(self, seconds=seconds))
        return heard[-1]

    monkeypatch.setattr(Child, "next", listening)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    desk.write(
        a_parquet=parquet(
            {
                "id": ["1", "2", "3", "4"],
                "body": ["one", None, "three", "four"],
                "opened": [now, now, None, None],
                "score": [1.5, None, float("nan"), None],
                "secret": ["canary"] * 4,
            }
        )
    )
    notes = desk.tenant.collection(Note)
    report = notes.ingest_files([desk.folder])
    assert (report.new, [(row.row, row.field) for row in report.refused]) == (2, [(2, "body"), (3, "score")])
    assert notes.get("1").opened == now
    assert b"three" in b"".join(heard)
    assert b"canary" not in b"".join(heard)
    again = notes.ingest([str(desk.folder / "a.parquet")][0])
    assert (again.new, again.unchanged) == (0, 2)


def test_a_parquet_file_that_breaks_off_keeps_the_rows_before_and_is_refused(desk: Any) -> None:
    count = 2000
    data = bytearray(
        parquet(
            {"id": [str(number) for number in range(count)], "body": [f"row {number}" for number in range(count)]},
            row_group_size=500,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=False,
        )
    )
    middle = len(data) // 2
    data[middle : middle + 400] = b"\xaa" * 400
    desk.write(a_parquet=bytes(data), b_jsonl='{"id":"x","body":"other"}\n')
    notes = desk.tenant.collection(Note)
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True))
    assert set(refusals(report)) == {"a.parquet"}
    assert issubclass(getattr(errors, refusals(report)["a.parquet"]), errors.SourceError)
    assert 500 <= report.new < count + 1
    assert report.new == notes.count()
    assert notes.exists("x")


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (False, "The reader of this file died."),
        (True, "The reader of this file was ended after 60 seconds without a row."),
    ],
)
def test_a_parquet_reader_that_dies_is_its_file_s_error(
    desk: Any, monkeypatch: pytest.MonkeyPatch, late: bool, said: str
) -> None:
    desk.write(a_parquet=parquet({"id": ["1"], "body": ["one"]}), b_csv="id,body\n2,two\n")
    notes = desk.tenant.collection(Note)
    real = Child.next

    def dying(self: Child, *, seconds: float) -> bytes:
        self.end()
        if late:
            raise Died(late=True)
        return real(self, seconds=seconds)

    with monkeypatch.context() as killed:
        killed.setattr(Child, "next", dying)
        report = notes.ingest_files([desk.folder])
    assert (refusals(report), report.new) == ({"a.parquet": "ParserFailed"}, 1)
    assert [each.reason for each in report.refused_files] == [said]
    assert notes.ingest_files([desk.folder]).new == 1


@pytest.mark.parametrize(
    "frame",
    [b"{", b"[]", b'{"rows":[3]}', b'{"end":7}', b'{"refused":"nonsense"}', b'{"refused":"missing"}', b"[" * 9999],
)
def test_a_child_that_answers_nonsense_is_its_file_s_error(
    desk: Any, monkeypatch: pytest.MonkeyPatch, frame: bytes
) -> None:
    desk.write(a_parquet=parquet({"id": ["1"], "body": ["one"]}))

    def answer(self: Child, *, seconds: float) -> bytes:
        return frame

    monkeypatch.setattr(Child, "next", answer)
    report = desk.tenant.collection(Note).ingest_files([desk.folder])
    assert report.new == 0
    assert refusals(report)["a.parquet"] in {"ParserFailed", "MissingExtra"}


def test_a_file_whose_columns_do_not_fit_is_refused_once_and_not_row_by_row(desk: Any) -> None:
    desk.write(
        a_csv="id,text\n1,one\n2,two\n",
        b_parquet=parquet({"id": ["1"], "text": ["one"]}),
        c_csv="body,id,more\nthree,3,x\n",
    )
    report = desk.tenant.collection(Note).ingest_files([desk.folder])
    assert refusals(report) == {"a.csv": "FileMismatch", "b.parquet": "FileMismatch"}
    assert "body" in report.refused_files[0].reason
    assert (report.new, report.refused) == (1, ())


def test_rows_in_other_encodings_are_read_by_their_mark_or_by_name(desk: Any) -> None:
    text = "id,body\n1,za późno zapłacona faktura\n2,plain\n"
    notes = desk.tenant.collection(Note)
    desk.write(a_csv=text.encode("utf-16"))
    assert notes.ingest_files([desk.folder]).new == 2
    assert notes.get("1").body == "za późno zapłacona faktura"
    desk.write(a_csv=text.encode("cp1250"))
    report = notes.ingest_files([desk.folder])
    assert [row.row for row in report.refused] == [1]
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(encoding="cp1250"))
    assert (report.unchanged, report.refused) == (2, ())
    for name in ("no-such", "base64", "rot13"):
        with pytest.raises(errors.SourceError):
            sv.FileOptions(encoding=name)


def test_progress_ends_at_the_size_of_the_files_in_any_encoding(desk: Any) -> None:
    desk.write(a_csv="id,body\n1,one\n".encode("utf-16"), b_parquet=parquet({"id": ["2"], "body": ["two"]}))
    size = sum(path.stat().st_size for path in desk.folder.iterdir())
    seen: list[tuple[int, int | None]] = []

    def note(each: Progress) -> None:
        seen.append((each.bytes_read, each.bytes_total))

    desk.tenant.collection(Note).ingest_files([desk.folder], progress=note)
    assert seen[-1] == (size, size)


def test_a_row_larger_than_a_record_may_be_is_refused_alone(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 17 * 1024 * 1024
    desk.write(a_parquet=parquet({"id": ["1", "2", "3"], "body": ["one", "x" * size, "three"]}))
    assert size > children._MAX_FRAME // 4
    report = desk.tenant.collection(Note).ingest_files([desk.folder])
    assert (report.new, [(row.row, row.error) for row in report.refused]) == (2, [(2, "LimitExceeded")])


def test_a_file_of_rows_that_changes_while_it_is_read_is_refused_and_what_was_read_stays(desk: Any) -> None:
    desk.write(a_csv="id,body\n1,one\n2,two\n", b_csv="id,body\n3,three\n")
    place = desk.folder / "a.csv"

    def change(_: Progress) -> None:
        if place.stat().st_size < 30:
            with place.open("a") as file:
                file.write("4,written meanwhile\n")

    notes = desk.tenant.collection(Note)
    report = notes.ingest_files([desk.folder], options=sv.FileOptions(sync=True), progress=change)
    assert refusals(report) == {"a.csv": "FileUnreadable"}
    assert report.new == 3
    again = notes.ingest_files([desk.folder])
    assert (again.new, again.unchanged, again.refused_files) == (1, 3, ())


def test_progress_counts_rows_and_documents_alike(desk: Any) -> None:
    desk.write(a_csv="id,body\n1,one\n2,two\n", b_parquet=parquet({"id": ["3"], "body": ["three"]}))
    seen: list[int] = []

    def note(each: Progress) -> None:
        seen.append(each.rows)

    desk.tenant.collection(Note).ingest_files([desk.folder], progress=note)
    assert seen == sorted(seen)
    assert seen[-1] == 3
