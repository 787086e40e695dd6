"""Parts of one address that different rules found, put together again."""

from __future__ import annotations

import re
from typing import Final

from securevec.anonymize.findings import Finding

_SAME_LINE: Final = re.compile(r",? ?|\. ")
_UNIT: Final = "address-unit"
_FLAT_FIRST: Final = re.compile(
    r"(?:Flat|Apt|Apartment|Unit|Suite|Ste|Room|Floor|Level|Shop|Office|Studio|Block|Plot|Door|House)\b"
    r"|\d{1,2}(?:st|nd|rd|th) Floor|\d{1,2}/F\b",
    re.IGNORECASE,
)
"""What a flat begins with, behind which a house has a number of its own."""


def joined_addresses(found: list[Finding], text: str) -> list[Finding]:
    """Neighbouring findings of ADDRESS in one line as one. ``found`` is resolved.

    A street has one house number: two parts with digits stay apart, unless one is a flat. So do two lines.
    """
    if sum(finding.entity == "ADDRESS" for finding in found) < 2:
        return found
    made: list[Finding] = []
    for finding in found:
        before = made[-1] if made else None
        if (
            before is not None
            and finding.entity == before.entity == "ADDRESS"
            and _SAME_LINE.fullmatch(text, before.end, finding.start)
            and (
                finding.rule == _UNIT
                or _is_flat(text, before)
                or not (_numbered(text, before) and _numbered(text, finding))
            )
        ):
            score = max(before.score, finding.score)
            rule = before.rule if not before.rule.startswith("model") else finding.rule
            made[-1] = Finding(
                before.start, finding.end, "ADDRESS", score, rule, max(before.priority, finding.priority)
            )
        else:
            made.append(finding)
    return made


def _numbered(text: str, finding: Finding) -> bool:
    return any(map(str.isdigit, text[finding.start : finding.end]))


def _is_flat(text: str, finding: Finding) -> bool:
    """Whether a flat stands in front of a comma: behind a space alone its number may be anything."""
    return text[finding.end : finding.end + 1] == "," and _FLAT_FIRST.match(text, finding.start) is not None
