"""What a document hides reaches nothing, and where a document lies reaches nobody but who ran the ingest.

Planted in each kind of document: what only a program sees. Planted in names of folders and files: a person. Looked
for in what the embedder gets, in every file of the home, in payloads and opened envelopes, in the audit log, in what is
logged and printed, and in errors.
"""

from __future__ import annotations

import io
import logging
import traceback
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_edge", reason="needs securevec[edge]", exc_type=ModuleNotFoundError)
pytest.importorskip("pypdf", reason="needs securevec[files]", exc_type=ModuleNotFoundError)

import securevec as sv
from securevec.testing.embedders import HashEmbedder, TapEmbedder
from tests.support.documents import docx, encrypted_pdf, pdf, with_body
from tests.support.leaks import _open_all, _search_payloads, every_point
from tests.support.needles import Needles

HIDDEN = [
    "needle-front-matter",
    "needle-md-comment",
    "needle-md-attribute",
    "needle-html-comment",
    "needle-html-meta",
    "needle-html-alt",
    "needle-html-script",
    "needle-html-data",
    "needle-html-href",
    "needle-html-hidden",
    "needle-pdf-author",
    "needle-pdf-title",
    "needle-pdf-xmp",
    "needle-pdf-note",
    "needle-docx-author",
    "needle-docx-title",
    "needle-docx-deleted",
    "needle-docx-comment",
    "needle-docx-vanish",
    "needle-docx-picture",
    "needle-undeclared-column",
]
PLACES = ["needle-folder-of-jane", "needle-file-of-jane"]
MAIL = "jane.needle@example.com"
SHOWN = "plainly shown"


@dataclass
class Seen:
    """Everything that left, and where it was looked at."""

    embedded: str = ""
    opened: bytes = b""
    payloads: list[Any] = field(default_factory=list)
    home: list[Any] = field(default_factory=list)
    said: str = ""
    logged: str = ""
    errors: str = ""
    stored: int = 0
    texts: dict[str, str] = field(default_factory=dict)


def write(folder: Path) -> None:
    inside = folder / PLACES[0]
    inside.mkdir(parents=True)
    (inside / f"{PLACES[1]}.md").write_text(
        f"---\nauthor: {HIDDEN[0]}\n---\n# Title\n\n{SHOWN} {MAIL} <!-- {HIDDEN[1]} --> <a href='{HIDDEN[2]}'>x</a>\n"
    )
    (inside / f"{PLACES[1]}.html").write_text(
        f"<head><title>Title</title><meta name=author content={HIDDEN[4]}><script>{HIDDEN[6]}</script></head>"
        f"<body data-x={HIDDEN[7]}><!-- {HIDDEN[3]} --><p>{SHOWN} {MAIL}<img alt='{HIDDEN[5]}'>"
        f"<a href='mailto:{HIDDEN[8]}'>write</a><p hidden>{HIDDEN[9]}"
    )
    data = pdf([f"{SHOWN} {MAIL}"], info={"Author": HIDDEN[10], "Title": HIDDEN[11]})
    note = f"/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents ({HIDDEN[13]}) >>]".encode()
    data = data.replace(b"/Contents 4 0 R", b"/Contents 4 0 R " + note).replace(
        b"<< /Type /Catalog", f"<< /Metadata ({HIDDEN[12]}) /Type /Catalog".encode()
    )
    (inside / f"{PLACES[1]}.pdf").write_bytes(data)
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        f'<w:p {w}><w:del w:id="1"><w:r><w:delText>{HIDDEN[16]}</w:delText></w:r></w:del>'
        f"<w:r><w:rPr><w:vanish/></w:rPr><w:t>{HIDDEN[18]}</w:t></w:r></w:p>"
    )
    word = with_body(docx([f"{SHOWN} {MAIL}"], properties={"author": HIDDEN[14], "title": HIDDEN[15]}), body)
    out = io.BytesIO(word)
    with zipfile.ZipFile(out, "a") as package:
        package.writestr("word/comments.xml", f"<w:comments {w}>{HIDDEN[17]}</w:comments>")
        package.writestr("word/media/image1.jpg", b"\xff\xd8Exif" + HIDDEN[19].encode())
    (inside / f"{PLACES[1]}.docx").write_bytes(out.getvalue())


def write_bad(folder: Path) -> None:
    """The same names and needles in files that are refused."""
    inside = folder / PLACES[0]
    (inside / f"{PLACES[1]}-bad.pdf").write_bytes(b"%PDF-1.7 " + HIDDEN[10].encode())
    (inside / f"{PLACES[1]}-locked.pdf").write_bytes(encrypted_pdf([MAIL], user="secret"))
    (inside / f"{PLACES[1]}-bad.docx").write_bytes(b"PK\x03\x04" + HIDDEN[14].encode())
    (inside / f"{PLACES[1]}-bin.txt").write_bytes(MAIL.encode() + b"\0")
    (inside / f"{PLACES[1]}-link.md").symlink_to(inside / f"{PLACES[1]}.md")
    (inside / f"{PLACES[1]}.csv").write_text(f"id,{HIDDEN[20]}\n1,{MAIL}\n")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    root = tmp_path_factory.mktemp("files")
    folder, home = root / "docs", root / "home"
    write(folder)
    write_bad(folder)
    tap, seen, stream = TapEmbedder(HashEmbedder()), Seen(), io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.NOTSET)
    needles = Needles([("hidden", each) for each in HIDDEN] + [("place", each) for each in PLACES] + [("mail", MAIL)])
    try:
        with sv.SecureStore.open(home, key_file=root / "keys" / "root.key", embedder=tap) as store:
            tenant = store.tenant("acme", create=True, actor=sv.Actor("svc:leaks", purpose="tests"))
            pages = tenant.collection(sv.Page)
            for report in (
                pages.preview_files([folder]),
                pages.ingest_files([folder]),
                pages.ingest_files([folder], options=sv.FileOptions(sync=True)),
            ):
                seen.said += f"{report} {report!r} {report.refused_files!r}"
            seen.stored = pages.count()
            for refused in report.refused_files:
                seen.said += f"{refused.reason} {refused.next_step}"
            for call in (
                lambda: pages.ingest_files([folder / PLACES[0] / f"{PLACES[1]}-nothing.md"]),
                lambda: pages.ingest_files([folder / PLACES[0] / f"{PLACES[1]}.md"], options=sv.FileOptions(sync=True)),
                lambda: pages.get(f"{PLACES[0]}/nothing.md"),
            ):
                with pytest.raises(sv.SecurevecError) as raised:
                    call()
                seen.errors += "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
            points = list(every_point(store, pages))
            seen.payloads = _search_payloads(needles, points)
            for record_id, opened in _open_all(store, pages, points):
                seen.opened += b"\n".join(opened.plaintexts)
                seen.texts[record_id] = opened.fields["text"]
        seen.embedded = "\n".join(tap.texts)
        seen.home = needles.find_below(home)
        logging.getLogger("securevec.anywhere").debug("heard")
    finally:
        logging.getLogger().removeHandler(handler)
    seen.logged = stream.getvalue()
    return seen


def test_every_document_went_in_with_what_it_shows(seen: Seen) -> None:
    assert seen.stored == 4
    assert len(seen.texts) == 4
    assert all(SHOWN in text for text in seen.texts.values())
    assert seen.embedded.count(SHOWN) >= 4


@pytest.mark.parametrize("needle", [*HIDDEN, *PLACES, MAIL])
def test_nothing_hidden_no_place_and_no_address_reaches_the_embedder(seen: Seen, needle: str) -> None:
    assert needle not in seen.embedded


@pytest.mark.parametrize("needle", HIDDEN)
def test_nothing_hidden_is_in_any_envelope(seen: Seen, needle: str) -> None:
    assert needle.encode() not in seen.opened


def test_the_path_is_in_the_envelope_and_the_address_only_in_the_vault(seen: Seen) -> None:
    assert PLACES[0].encode() in seen.opened
    assert MAIL.encode() in seen.opened
    assert not any(MAIL in text for text in seen.texts.values())


def test_nothing_stands_in_any_file_of_the_home_or_in_a_payload(seen: Seen) -> None:
    assert seen.home == []
    assert seen.payloads == []


def test_nothing_is_logged_printed_by_a_report_or_said_in_an_error(seen: Seen) -> None:
    assert len(seen.errors) > 100
    assert "heard" in seen.logged, "what is logged is not listened to"
    # The lines of this very file that a traceback quotes name the variables, not the values.
    for needle in (*HIDDEN, *PLACES, MAIL):
        assert needle not in seen.said
        assert needle not in seen.errors
        assert needle not in seen.logged


@pytest.mark.parametrize("guard", ["front matter", "html comments", "pdf properties"])
def test_the_needles_are_found_when_a_parser_lets_them_through(
    guard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parser's guard removed: the same search turns red."""
    from securevec.files.parse import Parsed, html, markdown, parse
    from securevec.files.parse import pdf as of_pdf

    folder = tmp_path / "docs"
    write(folder)
    name = folder / PLACES[0] / PLACES[1]
    match guard:
        case "front matter":
            monkeypatch.setattr(markdown, "_without_front_matter", str)
            text = parse("markdown", Path(f"{name}.md").read_bytes()).text
            assert HIDDEN[0] in text
        case "html comments":
            monkeypatch.setattr(html._Reader, "comment", html._Reader.data)
            assert HIDDEN[3] in parse("html", Path(f"{name}.html").read_bytes()).text
        case _:
            from pypdf import PdfReader

            properties = PdfReader(f"{name}.pdf").metadata
            assert properties is not None
            assert properties.author == HIDDEN[10]

            def with_properties(data: bytes, encoding: str | None) -> Parsed:
                return Parsed(properties.title, "x")

            monkeypatch.setattr(of_pdf, "parse", with_properties)
            assert parse("pdf", b"").title == HIDDEN[11]


def test_no_word_of_a_document_is_among_the_arguments_of_its_parser() -> None:
    """Arguments of a process can be read by every user of the machine."""
    from securevec.files.pool import ParserPool

    with ParserPool(1) as pool:
        pool.parse("text", MAIL.encode())
        (child,) = pool._alive
        arguments = Path(f"/proc/{child.pid}/cmdline").read_bytes()
    assert not [needle for needle in (*PLACES, MAIL) if needle.encode() in arguments]
