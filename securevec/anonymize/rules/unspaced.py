"""Addresses in texts whose words have no spaces between them: ``请写信到li@example.cn。谢谢``, ``見てhttps://example.jp/aを``.

A pattern cannot tell where such an address begins and ends, since letters of every script may stand in one. Where Latin
letters meet those of such a script without a sign in between, the address is what is Latin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from securevec.anonymize.findings import Finding

_UNSPACED: Final = "\u0e01-\u0e4e\u1100-\u11ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_ANY: Final = re.compile(f"[{_UNSPACED}]")
_EMAIL: Final = re.compile(r"(?a:[A-Za-z0-9_%+-][\w.%+'-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})")
_LINK: Final = re.compile(rf"[A-Za-z0-9][,.;:!?)\]]*[{_UNSPACED}]")
_SPACE: Final = re.compile(r"\s")
_FURTHER: Final = 256
"""Where the next address begins behind what was taken for the end of one."""


def latin_addresses(found: list[Finding], body: str) -> list[Finding]:
    """``found`` in ``body``, with e-mail addresses and links that begin and end where their letters do."""
    if body.isascii() or not found or _ANY.search(body) is None:
        return found
    return [here for each in found for here in _latin(each, body)]


def _latin(finding: Finding, body: str) -> Iterator[Finding]:
    start, end = finding.start, finding.end
    if finding.entity == "EMAIL" and _ANY.search(body, start, end) is not None:
        space = _SPACE.search(body, end, end + _FURTHER)
        parts = [match.span() for match in _EMAIL.finditer(body, start, space.start() if space else end + _FURTHER)]
        for first, last in parts or [(start, end)]:
            yield finding._replace(start=first, end=last)
    elif finding.entity == "URL" and (match := _LINK.search(body, start, end)) is not None:
        yield finding._replace(end=match.start() + 1)
    else:
        yield finding
