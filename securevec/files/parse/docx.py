"""DOCX: the paragraphs and tables of the body in their order, by python-docx.

Left out: core and custom properties, comments, headers and footers, notes, deleted text of tracked changes, hidden
text, field instructions (they hold addresses), pictures and their descriptions. Inserted text of tracked changes is
what a reader sees, so it stays.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from securevec import limits
from securevec.files.parse import Parsed, Unparsable

_MAX_UNPACKED: Final = 4 * limits.MAX_FILE_BYTES
"""All parts together. ``zipfile`` reads no more of a part than its header claims, so the claims can be added up."""
_MAX_PARTS: Final = 10_000
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError)
"""RuntimeError is what zipfile says of a password, or of a newer version of the format."""
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LEFT_OUT: Final = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", _FALLBACK})
_TEXT: Final = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_ENCRYPTED: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an OLE container begins, in which Office keeps encrypted documents."""


def parse(data: bytes, encoding: str | None) -> Parsed:  # a DOCX is XML, which says so itself
    try:
        import docx
    except ModuleNotFoundError:
        raise Unparsable("missing") from None
    if data.startswith(_ENCRYPTED):
        raise Unparsable("password")
    _require_bounded(data)
    try:
        document = docx.Document(io.BytesIO(data))
        titles = {
            style.style_id
            for style in document.styles
            if style.name in ("Title", "Heading 1", "Heading 2", "Heading 3")
        }
        blocks = [(text, style) for text, style in _blocks(document.element.body) if text]
    except (*_DAMAGED, KeyError, AttributeError, SyntaxError, TypeError) as error:
        # lxml's syntax errors are Python's; a package without its main part shows itself as a missing key.
        raise Unparsable("damaged") from error
    title = None
    if blocks and blocks[0][1] in titles:
        title = " ".join(blocks.pop(0)[0].split())
    return Parsed(title, "\n\n".join(text for text, _ in blocks))


def _require_bounded(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except _DAMAGED as error:
        raise Unparsable("damaged") from error
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
        raise Unparsable("too_large")


def _blocks(parent: Any) -> Iterator[tuple[str, str | None]]:
    """Paragraphs and tables below an element, with the style id of paragraphs."""
    for child in parent.iterchildren():
        if child.tag == f"{_W}p":
            style = child.find(f"{_W}pPr/{_W}pStyle")
            yield _text(child).strip(), None if style is None else style.get(f"{_W}val")
        elif child.tag == f"{_W}tbl":
            # Rows of a table inside a cell are part of that cell.
            rows = [row for row in child.iter(f"{_W}tr") if next(row.iterancestors(f"{_W}tbl")) is child]
            yield "\n".join(filter(None, map(_row, rows))), None
        elif child.tag not in _LEFT_OUT and isinstance(child.tag, str):
            # Content controls and insertions hold blocks of their own.
            yield from _blocks(child)


def _row(row: Any) -> str:
    return "\t".join(" ".join(_text(cell).split()) for cell in row.iterchildren(f"{_W}tc")).rstrip()


def _text(element: Any) -> str:
    """The visible text of an element, its paragraphs on lines of their own. No recursion: nesting is the file's."""
    pieces: list[str] = []
    waiting: list[Any] = [element]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        if item.tag in _LEFT_OUT or (item.tag == f"{_W}r" and _is_hidden(item)):
            continue
        if item.tag == f"{_W}t":
            pieces.append(item.text or "")
        elif item.tag in _TEXT:
            pieces.append(_TEXT[item.tag])
        elif item.tag not in (f"{_W}pPr", f"{_W}rPr", f"{_W}tcPr"):
            if item.tag == f"{_W}p" and item is not element:
                waiting.append("\n")
            waiting.extend(reversed(list(item.iterchildren("{*}*"))))
    return "".join(pieces)


def _is_hidden(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")
