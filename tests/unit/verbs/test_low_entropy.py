"""Fields that refuse rows while their tokens could be read by how often they occur."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

import securevec as sv
from securevec.errors import LowEntropy, SchemaError
from securevec.schema import describe, marks
from securevec.schema.fields import Schema
from securevec.testing.embedders import HashEmbedder
from tests.support.world import ACME


class Case(sv.Record):
    id: sv.Key[str]
    body: sv.Embed[str]
    ward: Annotated[str | None, marks.Filter(mode="token", low_entropy="refuse")] = None


def rows(start: int, wards: list[str | None]) -> list[dict[str, Any]]:
    return [{"id": f"C-{start + n}", "body": f"note {start + n}", "ward": ward} for n, ward in enumerate(wards)]


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sv.Tenant]:
    home = tmp_path_factory.mktemp("entropy")
    with sv.SecureStore.open(home / "home", key_file=home / "key", embedder=HashEmbedder(), backend="memory") as store:
        yield store.tenant("acme", create=True, actor=ACME)


def test_rows_whose_tokens_would_be_read_by_frequency_are_refused_and_the_others_go_through(tenant: sv.Tenant) -> None:
    cases = tenant.collection(Case, name="skewed")
    wards: list[str | None] = ["general"] * 60 + ["oncology"] * 30 + [None] * 10
    report = cases.ingest(rows(0, wards))
    assert (report.new, len(report.refused)) == (10, 90)
    assert {(each.error, each.field) for each in report.refused} == {("LowEntropy", "ward")}
    assert {each.row for each in report.refused} == set(range(1, 91))
    assert "general" not in str(report.refused)
    assert {record.ward for record in cases.iter()} == {None}
    assert all(measure.values == 0 for measure in cases.leakage().fields)


def test_rows_that_come_one_by_one_are_measured_with_what_is_stored(tenant: sv.Tenant) -> None:
    cases = tenant.collection(Case, name="slowly")
    assert cases.ingest(rows(0, [f"ward {n % 80}" for n in range(160)])).new == 160, "nothing is read of even tokens"
    for number in range(3):
        assert cases.ingest(rows(200 + number, ["general"])).new == 1
    assert not cases.leakage().weak
    flood = cases.ingest(rows(300, ["general"] * 640))
    assert flood.refused
    assert flood.new + len(flood.refused) == 640
    (figures,) = cases.leakage().fields
    assert figures.readable_share < 0.7, "each batch is judged before it is written"
    assert cases.ingest(rows(0, ["ward 0"])).unchanged == 1
    few = [cases.ingest(rows(2000 + 20 * batch, ["general"] * 20)) for batch in range(8)]
    assert not few[0].refused
    assert len(few[-1].refused) == 20, "a few rows at a time do not get past it"


def test_updates_one_by_one_do_not_get_past_it(tenant: sv.Tenant) -> None:
    cases = tenant.collection(Case, name="edited")
    assert cases.ingest(rows(0, [f"ward {n}" for n in range(70)])).new == 70
    before = cases.leakage().fields[0]

    def flood() -> None:
        for number in range(70):
            cases.update(f"C-{number}", ward="general")

    with pytest.raises(LowEntropy, match="could be read") as refused:
        flood()
    assert refused.value.field == "ward"
    assert "general" not in str(refused.value)
    assert before.readable_share < 0.1
    assert cases.leakage().fields[0].readable_share < 0.6
    cases.update("C-69", body="another field of the same record")
    assert cases.get("C-69").ward == "ward 69"


def test_the_setting_is_kept_with_the_collection_and_is_for_tokens_only(tenant: sv.Tenant) -> None:
    schema = describe(Case)
    assert Schema.from_json(schema.to_json()) == schema == describe(schema.record_class())

    def declare(ward: Any) -> type[sv.Record]:
        return type("Row", (sv.Record,), {"__annotations__": {"id": sv.Key[str], "body": sv.Embed[str], "ward": ward}})

    assert b"guarded" not in describe(declare(sv.Filter[str])).to_json()
    with pytest.raises(SchemaError, match="low_entropy"):
        describe(declare(Annotated[str, marks.Filter(low_entropy="refuse")]))
