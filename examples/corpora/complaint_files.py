"""Writes the blocks of a document as Markdown, HTML, PDF or DOCX. The same blocks give the same bytes.

PDF (ISO 32000-1) and DOCX (ECMA-376) are written by hand in the least form that readers take: no date, no producer,
no compression, whose output may differ between versions of zlib. Each format carries undeclared values where an
ingest must not look: HTML in ``meta``, a comment and a script, PDF in its information dictionary, DOCX in its core
properties.
"""

from __future__ import annotations

import html
import io
import textwrap
import zipfile
from collections.abc import Iterator, Sequence
from random import Random
from xml.sax.saxutils import escape

from complaint_text import Block, Document

_WIDTH = 78


def to_markdown(document: Document, rng: Random, canaries: Sequence[str]) -> bytes:
    """Some documents are wrapped at 78 columns, as mail programs do, also in the middle of a value."""
    wrapped = rng.random() < 0.4
    parts: list[str] = []
    previous = ""
    for block in document.blocks:
        cells = [cell.value for cell in block.cells]
        line = cells[0]
        if block.kind == "heading":
            line = f"# {line}"
        elif block.kind == "item":
            line = f"- {line}"
        elif block.kind == "quote":
            mark = "> " * block.depth
            line = textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) if wrapped else line
            line = "\n".join(mark + part for part in line.split("\n"))
        elif block.kind == "row":
            line = "| " + " | ".join(cells) + " |"
            if previous != "row":
                line += "\n" + "|---" * len(cells) + "|"
        elif block.kind == "code":
            line = f"    {line}"
        elif wrapped:
            line = textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
        tight = previous == block.kind and block.kind in ("row", "item", "code")
        parts.append(("\n" if tight else "\n\n") + line if parts else line)
        previous = block.kind
    return ("".join(parts) + "\n").encode()


def to_html(document: Document, rng: Random, canaries: Sequence[str]) -> bytes:
    """A page as an editor saves it: entities, hard spaces inside some values, a value half in bold."""
    author, comment, script = canaries
    title = html.escape(document.blocks[0].cells[0].value)
    lines = [
        "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">', f"<title>{title}</title>",
        f'<meta name="author" content="{author}">', f"<script>window.session = '{script}';</script>",
        "<style>td { padding: 2px }</style></head>", f"<body><!-- {comment} -->",
    ]  # fmt: skip
    tags = {"heading": "h1", "paragraph": "p", "item": "li", "quote": "p", "code": "code"}
    for kind, blocks in _runs(document.blocks):
        if kind == "row":
            lines.append("<table>")
            for number, block in enumerate(blocks):
                tag = "td" if number else "th"
                lines.append(
                    "<tr>"
                    + "".join(f"<{tag}>{_marked(block, at, rng)}</{tag}>" for at in range(len(block.cells)))
                    + "</tr>"
                )
            lines.append("</table>")
        elif kind == "code":
            lines.append("<pre>" + "\n".join(html.escape(block.cells[0].value) for block in blocks) + "</pre>")
        else:
            around = {"item": ("<ul>", "</ul>"), "quote": ("<blockquote>", "</blockquote>")}.get(kind, ("", ""))
            inner = [f"<{tags[kind]}>{_marked(block, 0, rng)}</{tags[kind]}>" for block in blocks]
            lines += [part for part in (around[0], *inner, around[1]) if part]
    return ("\n".join([*lines, "</body></html>"]) + "\n").encode()


def _runs(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    run: list[Block] = []
    for block in blocks:
        if run and run[0].kind != block.kind:
            yield run[0].kind, run
            run = []
        run.append(block)
    if run:
        yield run[0].kind, run


def _marked(block: Block, at: int, rng: Random) -> str:
    """The text of a cell as HTML."""
    cell, done, position = block.cells[at], "", 0
    for start, end, label, value in cell.spans:
        done += html.escape(cell.value[position:start])
        shown, roll = html.escape(value), rng.random()
        if " " in value and roll < 0.12:
            shown = shown.replace(" ", "&nbsp;")
        elif label == "PERSON" and " " in value and roll < 0.3:
            head, _, tail = shown.partition(" ")
            shown = f"<strong>{head}</strong> {tail}"
        elif label == "EMAIL" and roll < 0.5:
            shown = f'<a href="mailto:{shown}">{shown}</a>'
        done += shown
        position = end
    return done + html.escape(cell.value[position:])


def to_pdf(document: Document, rng: Random, canaries: Sequence[str]) -> bytes:
    """Pages of Helvetica, WinAnsi encoded, lines wrapped at the margin, tables set in columns."""
    pages: list[list[str]] = [[]]
    y = 800

    def put(pieces: Sequence[tuple[int, str]], size: int, step: int) -> None:
        nonlocal y
        if y < 50:
            pages.append([])
            y = 800
        for x, piece in pieces:
            coded = piece.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            shown = "".join(chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in coded)
            pages[-1].append(f"BT /F1 {size} Tf {x} {y} Td ({shown}) Tj ET")
        y -= step

    for kind, blocks in _runs(document.blocks):
        if kind == "row":
            count = len(blocks[0].cells)
            widths = [max(len(block.cells[at].value) for block in blocks) * 5 + 12 for at in range(count)]
            for block in blocks:
                put([(50 + sum(widths[:at]), block.cells[at].value) for at in range(count)], 8, 14)
        else:
            for block in blocks:
                size = 15 if kind == "heading" else 10
                lines = textwrap.wrap(block.cells[0].value, 88 if size == 10 else 60, break_on_hyphens=False) or [""]
                for line in lines:
                    put([(50 + 18 * block.depth * (kind == "quote"), line)], size, size + 4)
        y -= 6
    return _pdf_file(["\n".join(page).encode("ascii") for page in pages], canaries)


def _pdf_file(pages: Sequence[bytes], canaries: Sequence[str]) -> bytes:
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< /Author ({canaries[0]}) /Keywords ({canaries[1]} {canaries[2]}) >>".encode(),
    ]
    for number, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {6 + 2 * number} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(page)} >>\nstream\n".encode() + page + b"\nendstream")
    out, places = io.BytesIO(), list[int]()
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{place:010d} 00000 n \n" for place in places).encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_WORD}"/><Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    f'<Relationship Id="r2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    "</Relationships>"
)


def to_docx(document: Document, rng: Random, canaries: Sequence[str]) -> bytes:
    """Paragraphs whose runs are cut at odd places, as Word does, and real tables."""
    body: list[str] = []
    for kind, blocks in _runs(document.blocks):
        if kind == "row":
            rows = (
                "<w:tr>" + "".join(f"<w:tc>{_paragraph(cell.value, rng)}</w:tc>" for cell in block.cells) + "</w:tr>"
                for block in blocks
            )
            grid = "<w:gridCol/>" * len(blocks[0].cells)
            body.append(f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>")
        else:
            body += [_paragraph(block.cells[0].value, rng) for block in blocks]
    core = (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>{canaries[0]}</dc:creator>'
        f"<cp:keywords>{canaries[1]}</cp:keywords><cp:lastModifiedBy>{canaries[2]}</cp:lastModifiedBy></cp:coreProperties>"
    )
    main = f'{_HEAD}<w:document xmlns:w="{_W}"><w:body>{"".join(body)}<w:sectPr/></w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES), ("_rels/.rels", _RELATIONS),
            ("word/document.xml", main), ("docProps/core.xml", core),
        ):  # fmt: skip
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            # The system that writes is named in a ZIP file: always Unix, wherever this runs.
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, text)
    return out.getvalue()


def _paragraph(text: str, rng: Random) -> str:
    cuts = sorted(rng.sample(range(1, len(text)), min(2, len(text) - 1))) if len(text) > 30 else []
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    runs = "".join(f'<w:r><w:t xml:space="preserve">{escape(piece)}</w:t></w:r>' for piece in pieces)
    return f"<w:p>{runs}</w:p>"


WRITERS = {"md": to_markdown, "html": to_html, "pdf": to_pdf, "docx": to_docx}
