"""The attacks whose point depends on the store, on a real Chroma server: the reduced twin of ``make soak``, which runs
all of them on it. The server has no authentication, so its thief writes what he likes (``Vandal``)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("chromadb", reason="needs securevec[chroma]")
from securevec.attack import tamper as forge
from securevec.attack.rows import Vandal
from securevec.attack.tamper import Forgery
from securevec.errors import IsolationViolation, TenantNotFound, TenantUnavailable, WriteNotAcknowledged
from securevec.testing.lying import Lie
from tests.support.attacks import ACME_MARK, DAY_MS, Pair, Stage, open_stage, text, texts_of


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("served"), "chroma-server") as made:
        yield made


@pytest.fixture
def two(served: Stage) -> Pair:
    return served.pair().fill()


def test_a_tenant_reaches_its_own_points_and_no_others(two: Pair) -> None:
    foreign = Vandal(two.stage, two.acme).row().vector
    hits = two.globex.search(vector=foreign, k=100)
    assert len(hits) == 8
    assert ACME_MARK not in texts_of(hits)
    two.globex.ingest([text(1, "overwritten")])
    assert two.globex.delete(["T-2"]).deleted == 1
    assert ACME_MARK in two.acme.get("T-1").body
    assert (two.acme.count(), two.globex.count()) == (8, 7)


@pytest.mark.parametrize(
    "forgery",
    [
        forge.copy_under_its_own_id,
        forge.copy_over_an_own_row,
        forge.swap_two_bodies,
        forge.put_a_deleted_record_back,
        forge.row_of_another_collection_of_the_tenant,
        forge.edited_body(forge.flipped(-1)),
    ],
)
def test_a_row_that_does_not_belong_is_dropped_and_counted(two: Pair, forgery: Callable[[Pair], Forgery]) -> None:
    done = forgery(two)
    hits = two.globex.search("refund", k=100)
    assert ACME_MARK not in texts_of(hits)
    assert hits.violations == done.violations


def test_a_write_the_server_drops_is_noticed(two: Pair) -> None:
    two.stage.trap.keep = lambda points: points[1:]
    with pytest.raises(Exception) as failed:
        two.globex.ingest([text(number, "late") for number in range(50, 53)])
    two.stage.trap.keep = None
    assert isinstance(failed.value.__cause__, WriteNotAcknowledged)
    assert two.globex.count() == 8


def test_expired_records_are_not_answered_whatever_the_server_keeps(two: Pair) -> None:
    two.stage.time.forward(180 * DAY_MS)
    assert two.globex.count() == 0
    assert len(two.globex.search("refund", k=8)) == 0


def test_a_lying_server_that_answers_for_other_places_is_refused(two: Pair) -> None:
    two.stage.trap.lie = Lie.IGNORE_NAMESPACE
    try:
        # Half of the answer may be dropped; more is not believed at all.
        with contextlib.suppress(IsolationViolation):
            hits = two.globex.search("refund lanternfish", k=12)
            assert ACME_MARK not in texts_of(hits)
            assert hits.violations > 0
    finally:
        two.stage.trap.lie = Lie.HONEST


def test_a_deleted_tenant_is_gone_and_the_receipt_claims_nothing_of_the_servers_files(served: Stage) -> None:
    pair = served.pair().fill()
    result = served.store.delete_tenant("acme").raise_if_incomplete()
    with pytest.raises((TenantUnavailable, TenantNotFound)):
        pair.acme.search("refund", k=1)
    assert pair.acme._scope.namespace.shard not in set(served.trap.inner.namespaces())
    assert b"removed from live files" not in _points(result.receipt or b"")
    assert pair.globex.count() == 8


def _points(receipt: bytes) -> bytes:
    predicate = json.loads(base64.b64decode(json.loads(receipt)["payload"]))["predicate"]
    return json.dumps([entry for entry in predicate["artefacts"] if entry["artefact"].startswith("points")]).encode()
