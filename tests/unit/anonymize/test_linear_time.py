"""No text makes detection slower than its length: four times the text costs about four times the work."""

from __future__ import annotations

import pytest

from securevec.anonymize import Anonymizer, TenantKeys, default_detector
from tests.support.growth import require_growth

PATTERNS = [
    "1 ", "1-", "41111111", "a@", "ab@c.de@", "a.", "A ", "Aa ", "Mr ", "Mr. ", "Jane, ", "Jane and ", "ey",
    "eyJhbGciOiJIUzI1NiJ9.", "http://", "-----BEGIN PRIVATE KEY-----", "password ", "password=", "token: ",
    "my name is ", "name ", "GB82 ", "::", "2001:", "+1 ", "00 ", "\u00e9", "e\u0301", "\u200b", "\uff11", "ﬁ",
    " ", "\n", '"', "(", "'s ", "de ", "Jane de ", "=", "jane smith ", "www.a.", "AKIA", "((((", "a-b'", "MRN ",
    "born 1/1/1980 ", "/", "\\", "x" * 50 + " ", "İ", "1.1.1.1 ",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_four_times_the_text_costs_no_more_than_linear(pattern: str) -> None:
    default_detector().detect(pattern * 40)

    def read(size: int) -> None:
        default_detector().detect((pattern * size)[:size])

    # Quadratic work would be sixteen times as much; small times are left to noise.
    require_growth(read, 3_000, 12_000, most=10, quiet=0.05)


def test_many_findings_are_replaced_in_linear_time() -> None:
    keys = TenantKeys(b"p" * 32, b"t" * 32)
    anonymizer = Anonymizer()

    def replace(count: int) -> None:
        text = "".join(f"u{number}@example.org, Jane Smith {number} " for number in range(count))
        anonymizer.record({"a": text, "customer": "Jane Smith"}, keys=keys, subjects={"customer"})

    replace(50)
    require_growth(replace, 400, 1600, most=10, quiet=0.2)
