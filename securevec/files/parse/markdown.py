"""Markdown, kept as it is written: headings, lists and tables mean something to a model too.

Front matter, HTML comments, scripts, styles and the tags of inline HTML are left out (the text between tags stays),
but not in code. The first heading becomes the title and leaves the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.files.parse import Parsed
from securevec.files.parse.plain import decode

_FRONT: Final = re.compile(r"\A(?P<mark>---|\+\+\+)[ \t]*\n")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADING: Final = re.compile(r" {0,3}#{1,6}[ \t]+(?P<title>\S.*?)(?:[ \t]+#+)?[ \t]*\Z")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_HIDDEN: Final = re.compile(
    r"""
    (?P<code> `+ )
    | (?P<comment> <!-- )
    | </? (?P<tag> [A-Za-z] [A-Za-z0-9-]* ) (?: \s (?: [^<>"'] | "[^"]{0,1024}" | '[^']{0,1024}' )*+ )? /? >
    | < [!?] [^>]{0,1024} >
    """,
    re.VERBOSE,
)
"""What is not shown, where it begins; a code span only so that nothing in it is taken for a tag."""
_WITH_CONTENT: Final = frozenset({"script", "style", "template"})
_EMPHASIS: Final = re.compile(r"[*_`]+")


def parse(data: bytes, encoding: str | None) -> Parsed:
    text = decode(data, encoding).replace("\r\n", "\n").replace("\r", "\n")
    lines = "".join(_visible(_without_front_matter(text))).split("\n")
    title = _take_title(lines)
    return Parsed(title, "\n".join(lines))


def _without_front_matter(text: str) -> str:
    """YAML or TOML between two marks at the very beginning. Without the second mark there is none."""
    match = _FRONT.match(text)
    if match is None:
        return text
    end = re.compile(rf"^{re.escape(match['mark'])}[ \t]*$|^\.\.\.[ \t]*$", re.MULTILINE).search(text, match.end())
    return text if end is None else text[end.end() :]


def _visible(text: str) -> Iterator[str]:
    """The text in pieces: fenced code as it stands, everything else without what is hidden."""
    prose: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
            yield line
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            yield _without_html("".join(prose))
            prose = []
            fence = match[1]
            yield line
        else:
            prose.append(line)
    yield _without_html("".join(prose))


def _without_html(text: str) -> str:
    kept: list[str] = []
    position = 0
    code = _ends_of_code(text)
    while match := _HIDDEN.search(text, position):
        end = match.end()
        if match["code"]:
            end = code.get(match.start(), end)
            kept.append(text[position:end])
        else:
            kept.append(text[position : match.start()])
            if match["comment"]:
                end = _after(text, "-->", end)
            elif match["tag"] and match["tag"].lower() in _WITH_CONTENT and match[0][1] != "/":
                closing = re.compile(rf"</{match['tag']}\s*>", re.IGNORECASE).search(text, end)
                end = len(text) if closing is None else closing.end()
        position = end
    kept.append(text[position:])
    return "".join(kept)


def _after(text: str, ending: str, position: int) -> int:
    """The place after the ending. What never ends hides the rest, as it would from a reader."""
    found = text.find(ending, position)
    return len(text) if found < 0 else found + len(ending)


def _ends_of_code(text: str) -> dict[int, int]:
    """Where each code span ends, by where it begins: at the next run of as many backticks. In one pass from behind."""
    next_of: dict[int, int] = {}
    ends: dict[int, int] = {}
    for match in reversed(list(re.finditer(r"`+", text))):
        length = len(match[0])
        if length in next_of:
            ends[match.start()] = next_of[length]
        next_of[length] = match.end()
    return ends


def _take_title(lines: list[str]) -> str | None:
    """The first heading, taken out of the lines when it is the first thing in them."""
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if match := _HEADING.match(line):
            del lines[number]
            return _EMPHASIS.sub("", match["title"])
        if number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1]):
            del lines[number : number + 2]
            return _EMPHASIS.sub("", line).strip()
        return None
    return None
