"""No text makes detection slower than its length: four times the text costs about four times the work."""

from __future__ import annotations

import time

import pytest

from securevec.anonymize import Anonymizer, TenantKeys, default_detector

PATTERNS = [
    "1 ", "1-", "41111111", "a@", "ab@c.de@", "a.", "A ", "Aa ", "Mr ", "Mr. ", "Jane, ", "Jane and ", "ey",
    "eyJhbGciOiJIUzI1NiJ9.", "http://", "-----BEGIN PRIVATE KEY-----", "password ", "password=", "token: ",
    "my name is ", "name ", "GB82 ", "::", "2001:", "+1 ", "00 ", "\u00e9", "e\u0301", "\u200b", "\uff11", "ﬁ",
    " ", "\n", '"', "(", "'s ", "de ", "Jane de ", "=", "jane smith ", "www.a.", "AKIA", "((((", "a-b'", "MRN ",
    "born 1/1/1980 ", "/", "\\", "x" * 50 + " ", "İ", "1.1.1.1 ",
]  # fmt: skip


def _cost(text: str) -> float:
    best = float("inf")
    for _ in range(2):
        begin = time.process_time()
        default_detector().detect(text)
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.parametrize("pattern", PATTERNS)
def test_four_times_the_text_costs_no_more_than_linear(pattern: str) -> None:
    small, large = 3_000, 12_000
    default_detector().detect(pattern * 40)
    one = _cost((pattern * small)[:small])
    four = _cost((pattern * large)[:large])
    # Quadratic work would be sixteen times as much; small times are left to noise.
    assert four < max(10 * one, 0.05)


def test_many_findings_are_replaced_in_linear_time() -> None:
    keys = TenantKeys(b"p" * 32, b"t" * 32)
    anonymizer = Anonymizer()

    def cost(count: int) -> float:
        text = "".join(f"u{number}@example.org, Jane Smith {number} " for number in range(count))
        begin = time.process_time()
        anonymizer.record({"a": text, "customer": "Jane Smith"}, keys=keys, subjects={"customer"})
        return time.process_time() - begin

    cost(50)
    assert cost(1600) < max(10 * cost(400), 0.2)
