"""P1: whatever a tenant's caller passes, it reads, writes, counts and deletes its own points only.

Run on the in-memory store, on Qdrant Edge and on the Qdrant server adapter (one shared collection, client's local
mode). The two tenants hold records of the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
import pytest

import securevec as sv
from securevec.attack.rows import Vandal
from securevec.errors import (
    FilterError,
    LimitExceeded,
    RecordError,
    RecordNotFound,
)
from securevec.filters import And, Compare, Exists, Expr, In, Not, Or
from securevec.schema import marks
from tests.support.attacks import ACME_MARK, GLOBEX_MARK, RETENTION, Pair, Stage, text, texts_of
from tests.support.world import Ticket

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

OWN_IDS = {f"T-{number}" for number in range(1, 9)}


def assert_only_globex(hits: sv.SearchResult[Ticket], *, count: int | None = None) -> None:
    assert ACME_MARK not in texts_of(hits)
    assert all(GLOBEX_MARK in hit.record.body for hit in hits)
    assert hits.violations == 0
    if count is not None:
        assert len(hits) == count


# -- record ids ------------------------------------------------------------------------------------------------------


def test_the_same_record_id_in_two_tenants_stays_two_records(pair: Pair) -> None:
    assert ACME_MARK in pair.acme.get("T-1").body
    assert GLOBEX_MARK in pair.globex.get("T-1").body
    pair.globex.ingest([text(1, GLOBEX_MARK) | {"body": f"{GLOBEX_MARK} replaced"}])
    assert pair.acme.get("T-1").body.startswith(f"refund {ACME_MARK} case 1")
    assert pair.globex.get("T-1").body == f"{GLOBEX_MARK} replaced"
    assert pair.acme.count() == pair.globex.count() == 8


def test_reading_a_foreign_record_id(pair: Pair) -> None:
    pair.acme.ingest([text(77, ACME_MARK)])
    with pytest.raises(RecordNotFound):
        pair.globex.get("T-77")


def test_deleting_a_foreign_record_id(pair: Pair) -> None:
    pair.acme.ingest([text(77, ACME_MARK)])
    report = pair.globex.delete(["T-77", "T-1"])
    assert (report.deleted, report.missing) == (1, 1)
    assert pair.acme.get("T-77").id == "T-77"
    assert pair.acme.get("T-1").id == "T-1"
    assert pair.acme.count() == 9


@pytest.mark.parametrize(
    "wrong", [b"T-1", bytearray(b"T-1"), True, None, 1.0, {"id": "T-1"}, [["T-1"]], "\ud800", "x" * 1025]
)
def test_deleting_what_is_no_record_id(memory_calm: Pair, wrong: object) -> None:
    anything: Any = wrong
    with pytest.raises(RecordError):
        memory_calm.globex.delete(anything)
    assert memory_calm.globex.count() == 8


def test_overwriting_a_foreign_record_id(pair: Pair) -> None:
    pair.acme.ingest([text(77, ACME_MARK)])
    assert pair.globex.ingest([text(77, GLOBEX_MARK)]).new == 1
    assert ACME_MARK in pair.acme.get("T-77").body


def test_counting_foreign_records(pair: Pair) -> None:
    pair.acme.ingest([text(number, ACME_MARK) for number in range(20, 30)])
    assert pair.globex.count() == 8


# -- search arguments ------------------------------------------------------------------------------------------------


def test_asking_for_a_thousand_hits(calm: Pair) -> None:
    hits = calm.globex.search(f"refund {ACME_MARK} case", k=1000)
    assert_only_globex(hits, count=8)
    with pytest.raises(LimitExceeded):
        calm.globex.search("refund", k=1001)


def test_asking_with_a_foreign_text_word_for_word(calm: Pair) -> None:
    hits = calm.globex.search(calm.acme.get("T-3").body, k=20)
    assert_only_globex(hits, count=8)
    assert max(hit.score for hit in hits) < 0.999


def test_asking_with_a_vector_that_is_a_foreign_row(calm: Pair) -> None:
    foreign = Vandal(calm.stage, calm.acme).row().vector
    hits = calm.globex.search(vector=foreign, k=20)
    assert_only_globex(hits, count=8)
    assert max(hit.score for hit in hits) < 0.999


def test_writing_with_a_vector_that_is_a_foreign_row(pair: Pair) -> None:
    foreign = Vandal(pair.stage, pair.acme).row().vector
    pair.globex.ingest([text(50, GLOBEX_MARK)], vectors=np.stack([foreign]), vectors_of="anonymized_text")
    assert_only_globex(pair.globex.search(vector=foreign, k=1), count=1)
    assert all(ACME_MARK in hit.text for hit in pair.acme.search(vector=foreign, k=9))


LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
ALWAYS_TRUE: dict[str, Callable[[], Expr]] = {
    "exists or not": lambda: sv.F("status").exists() | ~sv.F("status").exists(),
    "not a value nobody has": lambda: ~(sv.F("status") == "nobody"),
    "unequal to a value nobody has": lambda: sv.F("status") != "nobody",
    "later than ever": lambda: sv.F("opened") >= LONG_AGO,
    "one of everything": lambda: sv.F("status").is_in(["open", "closed", "", "*", "%"]),
    "not not": lambda: ~~sv.F("status").exists(),
    "or with a contradiction": lambda: ((sv.F("status") == "a") & ~(sv.F("status") == "a")) | (sv.F("status") != "x"),
    "built by hand": lambda: Or((Not(Exists("status")), Exists("status"))),
}


@pytest.mark.parametrize("name", ALWAYS_TRUE)
def test_a_filter_that_is_always_true(calm: Pair, name: str) -> None:
    hits = calm.globex.search(f"refund {ACME_MARK}", where=ALWAYS_TRUE[name](), k=100)
    assert_only_globex(hits, count=8)


@pytest.mark.parametrize("value", ["' or 1=1 --", '"]} or true', "*", "open\x00closed", "\u202eopen", "open" * 5000])
def test_a_filter_value_that_speaks_the_stores_language(calm: Pair, value: str) -> None:
    assert len(calm.globex.search("refund", where=sv.F("status") == value, k=100)) == 0
    assert_only_globex(calm.globex.search("refund", where=sv.F("status") != value, k=100), count=8)


NOT_FIELDS = (
    *("t", "c", "f_status", "sv", "x", "b", "v"),
    *(
        "a.b",
        "a[]",
        "status[0]",
        "f_status.x",
        'status"',
        "status ",
        "",
        "статус",
        "status\x00",
        "a" * 65,
        "id",
        "body",
    ),
)


@pytest.mark.parametrize("key", NOT_FIELDS)
def test_a_filter_on_a_payload_key_or_a_path(memory_calm: Pair, key: str) -> None:
    foreign = Vandal(memory_calm.stage, memory_calm.acme).namespace
    forged = Compare("status", "eq", foreign.tenant_tag)
    object.__setattr__(forged, "key", key)
    member = In("status", (foreign.tenant_tag,))
    object.__setattr__(member, "key", key)
    there = Exists("status")
    object.__setattr__(there, "key", key)
    for leaf in (forged, member, there):
        for where in (leaf, Not(leaf), And((sv.F("status") == "open", leaf)), Or((sv.F("status").exists(), leaf))):
            with pytest.raises(FilterError):
                memory_calm.globex.search("refund", where=where, k=100)


class Everything(Expr):
    """A condition of the caller's own kind."""


class Chameleon(Compare):
    """Says one key while it is checked and another while it is used."""

    keys: Iterator[str]

    def __getattribute__(self, name: str) -> Any:
        if name == "key":
            return next(super().__getattribute__("keys"))
        return super().__getattribute__(name)


def chameleon(*keys: str) -> Expr:
    made = Chameleon("status", "ne", "nobody")
    sequence = iter([*keys, *["t"] * 1000])
    object.__setattr__(made, "keys", sequence)
    return made


def cycle() -> Expr:
    made = And((Exists("status"),))
    object.__setattr__(made, "parts", (made,))
    return made


def forged_part(part: object) -> Expr:
    made = Not(Exists("status"))
    object.__setattr__(made, "part", part)
    return made


def forged_value(value: object, op: str = "eq") -> Expr:
    made = Compare("status", "eq", "open")
    object.__setattr__(made, "value", value)
    object.__setattr__(made, "op", op)
    return made


CRAFTED: dict[str, Callable[[], Any]] = {
    "a class of the caller's own": Everything,
    "the bare base class": Expr,
    "the caller's own class inside": lambda: And((sv.F("status") == "open", Everything())),
    "a raw engine filter": lambda: {"must_not": [{"key": "t", "match": {"value": "x"}}]},
    "a raw engine filter inside": lambda: forged_part({"key": "t"}),
    "a text": lambda: "status == open",
    "nothing inside a negation": lambda: forged_part(None),
    "an empty conjunction": lambda: And(()),
    "an empty disjunction": lambda: Or(()),
    "an empty membership": lambda: In("status", ()),
    "itself inside itself": cycle,
    "a dictionary as the value": lambda: forged_value({"any": ["x"]}),
    "a list as the value": lambda: forged_value(["open", "closed"]),
    "an unknown comparison": lambda: forged_value("open", "is_anything"),
    "a key that changes after the check": lambda: chameleon("status"),
    "a key that changes before the check": lambda: chameleon(),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_filter_that_is_not_one(memory_calm: Pair, name: str) -> None:
    with pytest.raises(FilterError):
        memory_calm.globex.search("refund", where=CRAFTED[name](), k=100)


def test_a_filter_whose_key_changes_while_it_is_used(memory_calm: Pair) -> None:
    """Whenever it begins to lie: a class that can is not a filter."""
    for honest in range(12):
        with pytest.raises(FilterError):
            memory_calm.globex.search("refund", where=chameleon(*["status"] * honest), k=100)


# -- results ---------------------------------------------------------------------------------------------------------


def test_restoring_a_foreign_result_with_ones_own_handle(calm: Pair) -> None:
    foreign, own = calm.acme.search("refund", k=8), calm.globex.search("refund", k=8)
    assert "[EMAIL_1]" in own.context()
    own._places.update(foreign._places)
    with pytest.raises(RecordNotFound):
        own.restore("[EMAIL_1]")


def test_restoring_a_foreign_place_one_by_one(calm: Pair) -> None:
    foreign, own = calm.acme.search("refund", k=8), calm.globex.search("refund", k=8)
    for place in foreign._places.values():
        with pytest.raises(RecordNotFound):
            own._restorer([place])


def test_the_same_value_has_another_surrogate_in_another_tenant(pair: Pair) -> None:
    row = text(60, "both", customer="same.person@example.com")
    pair.acme.ingest([row])
    pair.globex.ingest([row])
    assert pair.acme.get("T-60").customer != pair.globex.get("T-60").customer


# -- columns and classes ---------------------------------------------------------------------------------------------


def test_records_that_carry_the_formats_own_keys(pair: Pair) -> None:
    mine, theirs = Vandal(pair.stage, pair.globex), Vandal(pair.stage, pair.acme)
    reserved: dict[str, Any] = {
        "t": theirs.namespace.tenant_tag,
        "c": theirs.namespace.collection_tag,
        "sv": 2,
        "b": "e30=",
        "v": "e30=",
        "x": 1,
        "f_status": "elsewhere",
        "tenant": "acme",
        "tenant_id": pair.stage.acme.id,
        "namespace": theirs.namespace.shard,
        "collection": "tickets",
        "vector": [1.0],
        "acl": ["everybody"],
    }
    assert pair.globex.ingest([text(70, GLOBEX_MARK, **reserved)]).new == 1
    row = mine.row_of("T-70")
    assert set(row.payload) == {"t", "c", "b", "v", "x", "f_status", "f_opened"}
    assert row.payload["t"] == mine.namespace.tenant_tag
    assert row.payload["c"] == mine.namespace.collection_tag
    assert row.payload["f_status"] == "closed"
    assert pair.acme.count() == 8
    assert_only_globex(pair.globex.search("refund", k=100), count=9)


class Sneaky(sv.Record):
    """Fields named as the format's own payload keys."""

    sv_id: sv.Key[str]
    b: sv.Embed[str]
    v: sv.Seal[str]
    t: sv.Filter[str]
    c: sv.Filter[str]
    x: sv.Filter[int]
    sv: Annotated[str, marks.Filter(mode="token")]


def test_a_record_class_whose_fields_are_named_like_the_formats_own(stage: Stage, pair: Pair) -> None:
    theirs = Vandal(stage, pair.acme).namespace
    sneaky = stage.globex.collection(Sneaky, name=f"sneaky{stage.engine}", retention=RETENTION)
    row = {"sv_id": "T-1", "b": "refund", "v": "kept", "x": 1, "sv": "2"}
    sneaky.ingest([{**row, "t": theirs.tenant_tag, "c": theirs.collection_tag}])
    own = sneaky._scope.namespace
    stored = stage.trap.inner.scan(namespace=own, where=None, cursor=None, limit=10).points
    assert [(point.payload["t"], point.payload["c"]) for point in stored] == [(own.tenant_tag, own.collection_tag)]
    assert stored[0].payload["f_t"] == theirs.tenant_tag
    hits = sneaky.search("refund", where=sv.F("t") == theirs.tenant_tag, k=100)
    assert [hit.record.sv_id for hit in hits] == ["T-1"]
    assert len(pair.acme.search("refund", k=100)) == 8


def test_two_collections_of_one_tenant_share_nothing(stage: Stage) -> None:
    first, second = stage.pair(), stage.pair()
    first.globex.ingest([text(1, "first"), text(2, "first")])
    second.globex.ingest([text(2, "second"), text(3, "second")])
    assert "second" not in texts_of(first.globex.search("refund second", k=100))
    with pytest.raises(RecordNotFound):
        first.globex.get("T-3")
    assert first.globex.delete(["T-2", "T-3"]).deleted == 1
    assert (first.globex.count(), second.globex.count()) == (1, 2)
    with pytest.raises(RecordNotFound):
        first.globex.search("refund", k=9)._restorer(list(second.globex.search("refund", k=9)._places.values()))
