"""Small documents made by hand: a PDF with any text and properties, a DOCX with what Word hides."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any


def pdf(lines: Sequence[str], *, info: dict[str, str] | None = None, content: bytes | None = None) -> bytes:
    """A PDF of one page. ``info`` are its document properties; ``content`` replaces the page's content stream."""
    shown = b"\n".join(b"(" + line.encode("latin-1") + b") Tj T*" for line in lines)
    stream = content if content is not None else b"BT /F1 12 Tf 14 TL 50 750 Td\n" + shown + b"\nET"
    properties = b" ".join(f"/{name} ({value})".encode("latin-1") for name, value in (info or {}).items())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< " + properties + b" >>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places: list[int] = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def encrypted_pdf(lines: Sequence[str], *, user: str, owner: str = "owner") -> bytes:
    """A PDF that asks for the password ``user``; an empty one opens for everybody."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(lines))))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(paragraphs: Sequence[str], *, heading: str | None = None, properties: dict[str, str] | None = None) -> bytes:
    """A DOCX by python-docx. ``properties`` are core properties, by their names there."""
    import docx as library

    document: Any = library.Document()
    for name, value in (properties or {}).items():
        setattr(document.core_properties, name, value)
    if heading is not None:
        document.add_heading(heading, 1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_body(data: bytes, body: str) -> bytes:
    """The DOCX with ``body``, XML, at the beginning of its text."""

    def begin(old: bytes) -> bytes:
        return old.replace(b"<w:body>", b"<w:body>" + body.encode(), 1)

    return _with_part(data, "word/document.xml", begin)


def with_part_of_zeros(data: bytes, size: int) -> bytes:
    """The DOCX with a picture of ``size`` zero bytes, which take almost nothing packed."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package, package.open("word/media/a.bin", "w") as part:
        for _ in range(size // 2**20):
            part.write(bytes(2**20))
    return out.getvalue()


def _with_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            new.writestr(part.filename, change(content) if part.filename == name else content)
    return out.getvalue()
