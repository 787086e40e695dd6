"""Long texts: every value is found wherever the windows end, and cost grows with length only."""

from __future__ import annotations

import re

import pytest

from securevec.anonymize.findings import Finding
from securevec.anonymize.windows import scan_windows

WORDS = re.compile(r"V\d+V|<[^<>]*>?")


def _scan(part: str) -> list[Finding]:
    return [Finding(m.start(), m.end(), "V", 1.0, "v") for m in WORDS.finditer(part)]


@pytest.mark.parametrize("shift", range(0, 64, 3))
def test_no_value_is_lost_at_a_border(shift: int) -> None:
    text = "." * shift + "".join(f"V{number}V{'.' * (number % 11)}" for number in range(400))
    expected = [(f.start, f.end) for f in _scan(text)]
    found = scan_windows(text, _scan, window=200, overlap=64)
    assert sorted((f.start, f.end) for f in found) == expected


@pytest.mark.parametrize("shift", range(40))
def test_a_window_that_begins_inside_a_value_adds_no_fragment_of_it(shift: int) -> None:
    def scan(part: str) -> list[Finding]:
        return [Finding(m.start(), m.end(), "N", 1.0, "n") for m in re.finditer(r"\d+", part)]

    text = "." * shift + "1234567890." * 80
    found = scan_windows(text, scan, window=200, overlap=64)
    assert [text[f.start : f.end] for f in found] == ["1234567890"] * 80


def test_a_value_longer_than_a_window_is_seen_whole() -> None:
    text = "." * 150 + "<" + "x" * 1000 + ">" + "." * 300 + "V7V"
    found = scan_windows(text, _scan, window=200, overlap=64)
    assert (150, 1152) in {(f.start, f.end) for f in found}
    assert any(text[f.start : f.end] == "V7V" for f in found)


def test_work_grows_with_length_only() -> None:
    def cost(size: int) -> int:
        seen = 0

        def scan(part: str) -> list[Finding]:
            nonlocal seen
            seen += len(part)
            return _scan(part)

        scan_windows("V1V " * size, scan, window=1000, overlap=100)
        return seen

    assert cost(20_000) < 2.5 * cost(10_000)
    assert cost(20_000) < 1.5 * 80_000
