"""Look for many known strings in much data, in every encoding a leak is likely to have.

Each string is searched as UTF-8, as the escapes of ASCII JSON, as UTF-16 in both byte orders, as hex in both cases,
and as base64 at its three alignments (the characters that depend on neighbours cut off), standard and URL-safe. One of
some length is also searched in the text that envelopes are stored as (docs/formats.md 3.1), at its five alignments.

The first six bytes of every needle are looked up at every position of the data by way of a bit table, so the cost
hardly depends on how many needles there are.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from securevec.crypto.armour import to_text

MIN_CHARACTERS: Final = 6
_GROUP: Final = 5
_GROUP_TEXT: Final = 6
_PREFIX: Final = 6
_MASK: Final = np.uint64((1 << (8 * _PREFIX)) - 1)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_TABLE_BITS: Final = 24
CHUNK: Final = 256 * 1024
_HEX_RUN: Final = re.compile(rb"[0-9a-f]{13,}")
_HEX_VALUE: Final = re.compile(rb"[0-9a-f]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Hit:
    """A needle found: what it is (``EMAIL``, ``canary`` ...), in which encoding, and where."""

    kind: str
    value: str
    encoding: str
    place: str
    offset: int


class Needles:
    """Strings to look for, ``(kind, value)``. Those below six characters are left out: they prove nothing."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._forms: dict[bytes, tuple[str, str, str]] = {}
        self.values: dict[str, str] = {}
        for kind, value in values:
            if len(value) < MIN_CHARACTERS or value in self.values:
                continue
            self.values[value] = kind
            for encoding, form in encodings(value):
                self._forms.setdefault(form, (kind, value, encoding))
        by_prefix: dict[int, list[bytes]] = defaultdict(list)
        for form in self._forms:
            by_prefix[int.from_bytes(form[:_PREFIX], "little")].append(form)
        self._by_prefix = dict(by_prefix)
        self._prefixes = np.array(sorted(by_prefix), dtype=np.uint64)
        self._table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
        self._table[_slots(self._prefixes)] = True
        self._longest = max(map(len, self._forms), default=0)

    def __len__(self) -> int:
        return len(self.values)

    def find(self, data: bytes, place: str = "") -> list[Hit]:
        """Every needle that stands in ``data``, at each of its places."""
        hits: list[Hit] = []
        for start in range(0, len(data), CHUNK):
            part = data[start : start + CHUNK + self._longest]
            if not part.strip(b"\0"):
                # The engine lays its files out in advance: most of them are zeros.
                continue
            for position in self._candidates(part):
                if position >= CHUNK:
                    continue
                window = int.from_bytes(part[position : position + _PREFIX], "little")
                for form in self._by_prefix[window]:
                    if part.startswith(form, position) and not _by_chance(form, data, start + position):
                        kind, value, encoding = self._forms[form]
                        hits.append(Hit(kind, value, encoding, place, start + position))
        return hits

    def find_below(self, root: Path) -> list[Hit]:
        """The same for every regular file below ``root``, and for the names of files and directories."""
        hits: list[Hit] = []
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            hits += self.find(name.encode(), f"the name {name}")
            if path.is_file() and not path.is_symlink():
                hits += self.find(path.read_bytes(), name)
        return hits

    def _candidates(self, part: bytes) -> Iterator[int]:
        """Positions where the first six bytes are those of some needle, in no order."""
        padded = part + bytes(8)
        for shift in range(8):
            windows = np.frombuffer(padded, dtype="<u8", offset=shift, count=(len(padded) - shift) // 8) & _MASK
            maybe = np.flatnonzero(self._table[_slots(windows)])
            places = np.searchsorted(self._prefixes, windows[maybe]).clip(max=len(self._prefixes) - 1)
            for index in maybe[self._prefixes[places] == windows[maybe]].tolist():
                yield index * 8 + shift


def encodings(value: str) -> list[tuple[str, bytes]]:
    """Every form of a string that is searched for, each once."""
    plain = value.encode()
    forms = [
        ("UTF-8", plain),
        ("JSON escapes", json.dumps(value)[1:-1].encode()),
        ("UTF-16-LE", value.encode("utf-16-le")),
        ("UTF-16-BE", value.encode("utf-16-be")),
        ("hex", plain.hex().encode()),
        ("hex", plain.hex().upper().encode()),
    ]
    for skipped in range(3):
        # Characters that also hold bits of what stands before or after are not the needle's own.
        first, last = -(-8 * skipped // 6), 8 * (skipped + len(plain)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.append(("base64", encode(bytes(skipped) + plain)[first:last]))
    for skipped in range(_GROUP):
        first, last = -(-skipped // _GROUP), (skipped + len(plain)) // _GROUP
        if last - first >= 2:  # a single group stands among many by chance
            text = to_text(bytes(skipped) + plain + bytes(_GROUP)).encode()
            forms.append(("armour", text[_GROUP_TEXT * first : _GROUP_TEXT * last]))
    return list({form: (encoding, form) for encoding, form in reversed(forms)}.values())[::-1]


def _slots(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (windows * _SPREAD) >> np.uint64(64 - _TABLE_BITS)


def _by_chance(form: bytes, data: bytes, position: int) -> bool:
    """Whether a short number stands inside a digest, a key id or a time, where any digits turn up sooner or later."""
    if _HEX_VALUE.match(form) is None:
        return False
    start = max(position - 12, 0)
    return any(
        run.start() + start <= position and position + len(form) <= run.end() + start
        for run in _HEX_RUN.finditer(data[start : position + len(form) + 12])
    )
