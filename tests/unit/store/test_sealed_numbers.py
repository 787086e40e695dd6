"""Somebody's number in a sealed number, which cannot be replaced: refused where the field's name gives it away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

import securevec as sv
from securevec.errors import RecordError
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME


class Order(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    phone: sv.Seal[int | None] = None
    ssn: sv.Seal[int | None] = None
    card_number: sv.Seal[int | None] = None
    made_ms: sv.Seal[int | None] = None
    total: sv.Seal[int | None] = None
    mobile: Annotated[int | None, sv.marks.Seal(keep="original")] = None


def test_a_sealed_number_that_its_name_gives_away_is_refused_and_every_other_is_kept(tmp_path: Path) -> None:
    rows = [
        Order(id="a", body="one", phone=12025550123),
        Order(id="b", body="two", ssn=536221234),
        Order(id="c", body="three", card_number=4111111111111111),
        # In milliseconds; it passes the check of card numbers.
        Order(id="d", body="four", made_ms=1764118800010, total=4711),
        Order(id="e", body="five", phone=110, mobile=12025550123),
    ]
    with sv.SecureStore.open(
        tmp_path / "home", backend="memory", key_file=tmp_path / "keys" / "root.key", embedder=HashEmbedder()
    ) as store:
        orders = store.tenant("acme", create=True, actor=ACME).collection(Order)
        report = orders.ingest(rows)
        assert [(row.row, row.field) for row in report.refused] == [(1, "phone"), (2, "ssn"), (3, "card_number")]
        assert not any(str(value) in str(report.refused) for value in (12025550123, 536221234, 4111111111111111))
        assert orders.get("d").made_ms == 1764118800010
        assert orders.get("e").mobile == 12025550123
        with pytest.raises(RecordError) as refused:
            orders.update("d", phone=12025550123)
        assert refused.value.field == "phone"
        assert orders.get("d").phone is None
