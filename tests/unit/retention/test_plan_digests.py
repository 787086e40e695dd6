"""The digest of a plan, by the page (docs/formats.md, section 9), and that each thing it stands for is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Final

import pytest

from securevec.control.rows import DueCollection, DueRow, HoldRow, RetentionRule, Survey
from securevec.retention.plan import digest_of
from securevec.types import CollectionId, TenantId

ACME, PLACE, HOLD = TenantId("a" * 32), CollectionId("c" * 32), "d" * 32
RULE: Final = RetentionRule(ACME, PLACE, "e" * 32, b"sealed", 5_000, None, 7)
STANDING: Final = HoldRow(HOLD, ACME, PLACE, b"r" * 16, b"sealed", 3, None, of_subject=False)
DUE: Final = DueRow(b"r" * 16, 4, 1, "r5000/b9000", HOLD)
FOUND: Final = DueCollection(ACME, PLACE, (DUE,), (HOLD,), 0, {})
SURVEY: Final = Survey(9_000, (RULE,), (STANDING,), (FOUND,), 0)


def _lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def test_a_plans_digest_is_made_as_the_page_says() -> None:
    rules = _json([[ACME, PLACE, "e" * 32, 5_000, None]])
    holds = _json([[HOLD, ACME, PLACE, "72" * 16, False]])
    said = b"securevec/retention-plan/v1" + (9_000).to_bytes(8, "big") + _lp(ACME.encode()) + _lp(rules, holds)
    said += _lp(ACME.encode(), PLACE.encode()) + (1).to_bytes(8, "big")
    said += _lp(b"r" * 16, HOLD.encode()) + (4).to_bytes(8, "big")
    assert digest_of(SURVEY, ACME) == hashlib.sha256(said).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        replace(SURVEY, as_of_ms=9_001),
        replace(SURVEY, rules=(replace(RULE, max_age_ms=5_001),)),
        replace(SURVEY, rules=(replace(RULE, min_age_ms=1),)),
        replace(SURVEY, rules=()),
        replace(SURVEY, holds=(replace(STANDING, of_subject=True),)),
        replace(SURVEY, holds=()),
        replace(SURVEY, collections=()),
        replace(SURVEY, collections=(FOUND, replace(FOUND, collection=CollectionId("b" * 32), rows=()))),
        replace(SURVEY, collections=(replace(FOUND, rows=(replace(DUE, hold_id=""),)),)),
        replace(SURVEY, collections=(replace(FOUND, rows=(replace(DUE, generation=5),)),)),
        replace(SURVEY, collections=(replace(FOUND, rows=(replace(DUE, ref=b"s" * 16),)),)),
        replace(SURVEY, collections=(replace(FOUND, rows=(DUE, replace(DUE, ref=b"s" * 16))),)),
    ],
)
def test_what_is_planned_for_something_else_has_another_digest(other: Survey) -> None:
    assert digest_of(other, ACME) != digest_of(SURVEY, ACME)
    assert digest_of(SURVEY, None) != digest_of(SURVEY, ACME)
