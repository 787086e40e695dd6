"""What stands for a part of a known name, by version of the tenant's pseudonym key, as the control store keeps it.

Under the first version the text is the surrogate and nothing else. Later ones are told by their number, and while a
tenant's surrogates are made anew there are two: a query is asked in the words of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SIGN: Final = "\x1f"
"""Before each number and each surrogate: no name has it."""


def written(by_version: Mapping[int, str]) -> str:
    """The text that is sealed; nothing where nothing stands for the part."""
    kept = {version: text for version, text in by_version.items() if text}
    if list(kept) in ([], [1]):
        return kept.get(1, "")
    return "".join(f"{_SIGN}{version}{_SIGN}{kept[version]}" for version in sorted(kept))


def read(text: str) -> dict[int, str]:
    """The reverse of :func:`written`."""
    if not text.startswith(_SIGN):
        return {1: text} if text else {}
    _, *pieces = text.split(_SIGN)
    return dict(zip(map(int, pieces[0::2]), pieces[1::2], strict=True))
