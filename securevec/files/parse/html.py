"""HTML, as text: what a browser would show, block by block. Parsed as a stream of events, so that no tree is built.

Left out: comments, scripts, styles, templates, everything in the head but the title, elements with ``hidden`` or a
``style`` of their own that hides them, and every attribute (``alt``, ``content``, ``href``, ``data-*``). What a style
sheet hides is not known here.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final

from securevec import limits
from securevec.files.parse import Parsed, Unparsable
from securevec.files.parse.plain import decode

_DECLARED: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_HEAD: Final = 4096
_SKIPPED: Final = frozenset(
    {
        "script",
        "style",
        "template",
        "noscript",
        "object",
        "iframe",
        "canvas",
        "audio",
        "video",
        "svg",
        "math",
        "datalist",
    }
)
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"}
)
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote", "section", "article"}
    | {"header", "footer", "nav", "aside", "main", "figure", "form", "fieldset", "hr", "details", "address"}
)
_LINES: Final = frozenset(
    {
        "html",
        "body",
        "title",
        "div",
        "li",
        "tr",
        "br",
        "dt",
        "dd",
        "caption",
        "figcaption",
        "legend",
        "summary",
        "option",
    }
)
_CELLS: Final = frozenset({"td", "th"})
_PARAGRAPH: Final = "\x1c"
_LINE: Final = "\x1d"
_MARKS: Final = {ord(_PARAGRAPH): None, ord(_LINE): None}
"""Where a block begins or ends, until the text is put together. A document's own such characters are dropped."""
_UNSEEN: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:opacity|font-size)\s*:\s*0*\.?0+[a-z%]*)"
    r"\s*(?:!\s*important\s*)?(?:;|$)",
    re.IGNORECASE,
)
"""A ``style`` under which nobody sees the element: text for machines, and no person wrote it to be read."""
_SPACE: Final = re.compile(r"[ \t\n\r\f]+")
_STEP: Final = 1024 * 1024


def parse(data: bytes, encoding: str | None) -> Parsed:
    try:
        import lxml.etree as etree
    except ModuleNotFoundError:
        raise Unparsable("missing") from None
    declared = _DECLARED.search(data[:_HEAD])
    text = decode(data, encoding, declared=declared[1].decode("ascii") if declared else None)
    reader = _Reader()
    parser = etree.HTMLParser(target=reader, encoding="utf-8", no_network=True, huge_tree=True, recover=True)
    encoded = text.encode("utf-8", "replace")
    for start in range(0, len(encoded), _STEP):
        parser.feed(encoded[start : start + _STEP])
    # A document without any element is an error to the parser and an empty text here.
    with contextlib.suppress(etree.XMLSyntaxError):
        parser.close()
    return reader.parsed()


class _Reader:
    """The target of the parser's events."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._title: list[str] = []
        self._heading: list[str] | None = None
        self._first_heading = ""
        self._open: list[str] = []
        self._skipping = 0
        """Depth at which an element that is left out was opened, plus one; 0 when none is."""
        self._pre = 0
        self._size = 0
        self._in_title = False

    def start(self, tag: Any, attributes: Any) -> None:
        name = str(tag)
        if name in _VOID:
            if not self._skipping:
                self._break(name)
            return
        self._open.append(name)
        if self._skipping:
            return
        if name in _SKIPPED or "hidden" in attributes or _UNSEEN.search(attributes.get("style") or ""):
            self._skipping = len(self._open)
            return
        self._in_title = name == "title" and not self._title
        self._pre += name in ("pre", "textarea")
        if name == "h1" and not self._first_heading:
            self._heading = []
        self._break(name)

    def end(self, tag: Any) -> None:
        name = str(tag)
        if name in _VOID or not self._open:
            return
        if self._skipping:
            if len(self._open) == self._skipping:
                self._skipping = 0
            self._open.pop()
            return
        self._open.pop()
        self._in_title = False
        self._pre -= self._pre > 0 and name in ("pre", "textarea")
        if name in _CELLS:
            self._pieces.append("\t")
        if name == "h1" and self._heading is not None:
            self._first_heading = _one_line("".join(self._heading))
            self._heading = None
        self._break(name)

    def data(self, text: str) -> None:
        if self._skipping:
            return
        if self._in_title:
            self._title.append(text)
            return
        if "head" in self._open[:3]:
            return
        if self._heading is not None:
            self._heading.append(text)
        self._size += len(text.strip())
        if self._size > limits.MAX_TEXT_BYTES:
            raise Unparsable("too_large")
        text = text.translate(_MARKS)
        self._pieces.append(text if self._pre else _SPACE.sub(" ", text))

    def comment(self, text: str) -> None:
        """Left out."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Left out."""

    def close(self) -> None:
        """Nothing is built."""

    def parsed(self) -> Parsed:
        text = _tidied("".join(self._pieces))
        title = _one_line("".join(self._title)) or self._first_heading
        first, _, rest = text.partition("\n")
        if title and _one_line(first) == title:
            text = rest.lstrip("\n")
        return Parsed(title or None, text)

    def _break(self, name: str) -> None:
        if name == "br":
            self._pieces.append("\n")
        elif name in _PARAGRAPHS:
            self._pieces.append(_PARAGRAPH)
        elif name in _LINES:
            self._pieces.append(_LINE)


def _tidied(text: str) -> str:
    """Lines and paragraphs at the marks, none of them empty. What was preformatted keeps its lines and indentation."""
    paragraphs: list[str] = []
    for block in text.split(_PARAGRAPH):
        lines = [line for part in block.split(_LINE) for line in part.split("\n")]
        lines = [line.rstrip() if line.startswith("  ") else line.strip(" ").rstrip() for line in lines]
        paragraphs.append("\n".join(line for line in lines if line.strip()))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _one_line(text: str) -> str:
    return " ".join(text.split())
