"""Quotas: what does not fit is refused by row, what fits goes in, and nothing that is stored is lost."""

from __future__ import annotations

from typing import Any

import pytest

from securevec.control.rows import NewRecord
from securevec.errors import ConfigError, PolicyDenied, TenantNotFound, TenantUnavailable
from securevec.policy import Actor
from securevec.store import SecureStore
from securevec.testing.embedders import HashEmbedder
from securevec.writing.sealing import Prepared
from tests.support.world import ACME, Ticket, World, ticket


def test_rows_beyond_a_quota_of_points_are_named_in_the_report(world: World) -> None:
    world.store.set_quota("acme", points=5)
    report = world.acme.ingest([ticket(number, f"text {number}") for number in range(1, 9)])
    assert (report.new, len(report.refused)) == (5, 3)
    assert [row.row for row in report.refused] == [6, 7, 8]
    assert {row.error for row in report.refused} == {"QuotaExceeded"}
    assert "points" in report.refused[0].reason
    assert world.acme.count() == 5
    assert world.store.quota("acme").points == 5
    assert world.globex.ingest([ticket(number, "text") for number in range(1, 9)]).new == 8


def test_replacing_a_record_takes_no_more_room(world: World) -> None:
    world.acme.ingest([ticket(number, f"text {number}") for number in range(1, 4)])
    world.store.set_quota("acme", points=3)
    report = world.acme.ingest([ticket(1, "changed"), ticket(4, "new"), ticket(2, "changed"), ticket(3, "text 3")])
    assert (report.new, report.updated, report.unchanged) == (0, 2, 1)
    assert [row.row for row in report.refused] == [2]
    world.acme.delete("T-3")
    assert world.acme.ingest([ticket(4, "new")]).new == 1


def test_a_smaller_record_fits_after_one_that_does_not(world: World) -> None:
    world.acme.ingest([ticket(1, "text")])
    size = world.store.quota("acme").bytes
    world.store.set_quota("acme", bytes=3 * size)
    report = world.acme.ingest([ticket(2, "long " * 2000), ticket(3, "text")])
    assert report.new == 1
    assert [(row.row, "bytes" in row.reason) for row in report.refused] == [(1, True)]
    use = world.store.quota("acme")
    assert use.bytes <= 3 * size == use.max_bytes


def test_every_collection_of_a_tenant_counts(world: World) -> None:
    other = world.store.tenant("acme", actor=ACME).collection(Ticket, name="other")
    other.ingest([ticket(1, "text"), ticket(2, "text")])
    world.store.set_quota("acme", points=3)
    assert len(world.acme.ingest([ticket(1, "text"), ticket(2, "text")]).refused) == 1


def test_the_room_that_a_writer_of_another_collection_died_with_is_given_back(world: World) -> None:
    """Nobody may come to write there again, which is what settles it otherwise."""
    other = world.store.tenant("acme", actor=ACME).collection(Ticket, name="other")
    control, now_ms = world.store.runtime.control, world.store.runtime.clock.now_ms()
    control.begin_batch(
        tenant=other._scope.tenant,
        collection=other.id,
        request_id="of a writer that died",
        writer="dead",
        fence=1,
        rows=[NewRecord(bytes(16), 3, bytes(16), None, "r0/never", size=100)],
        lease_until_ms=now_ms,
        now_ms=now_ms,
    )
    world.store.set_quota("acme", points=3)
    assert world.store.quota("acme").points == 0
    assert world.acme.ingest([ticket(number, "text") for number in range(1, 5)]).new == 3
    assert world.store.quota("acme").points == 3


def test_a_lower_quota_keeps_what_is_stored_and_a_lifted_one_lets_all_in(world: World) -> None:
    world.acme.ingest([ticket(number, f"text {number}") for number in range(1, 6)])
    world.store.set_quota("acme", points=2, bytes=10)
    assert world.acme.count() == 5
    assert len(world.acme.ingest([ticket(9, "text")]).refused) == 1
    assert len(world.acme.search("text", k=5)) == 5
    world.store.set_quota("acme")
    use = world.store.quota("acme")
    assert (use.max_points, use.max_bytes) == (None, None)
    assert world.acme.ingest([ticket(9, "text")]).new == 1


def test_two_writers_together_do_not_pass_the_quota(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look ahead sees room for both; the transaction that announces the second batch does not."""
    world.store.set_quota("acme", points=4)

    def blind(runtime: object, collection: object, prepared: list[Prepared], tally: object) -> list[Prepared]:
        return prepared

    monkeypatch.setattr("securevec.ingest.within_quota", blind)
    assert world.acme.ingest([ticket(number, "text") for number in range(1, 4)]).new == 3
    report = world.acme.ingest([ticket(number, "text") for number in range(4, 6)])
    assert (report.new, [row.row for row in report.refused]) == (0, [1, 2])
    assert {row.error for row in report.refused} == {"QuotaExceeded"}
    assert world.store.quota("acme").points == 3


@pytest.mark.parametrize("limit", [-1, True, 1.5, "7", 2**63])
def test_a_senseless_quota_is_refused(world: World, limit: Any) -> None:
    for arguments in ({"points": limit}, {"bytes": limit}):
        with pytest.raises(ConfigError):
            world.store.set_quota("acme", **arguments)
    assert world.store.quota("acme").max_points is None


def test_only_the_operator_sets_a_quota_and_each_change_is_on_record(world: World) -> None:
    world.store.set_quota("acme", points=7)
    with pytest.raises(TenantNotFound):
        world.store.set_quota("nobody", points=1)
    home, key_file = world.home, world.key_file
    world.store.close()
    with SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(), actor=Actor("svc:acme-helpdesk")) as store:
        for call in (lambda: store.set_quota("acme", points=10**6), lambda: store.quota("acme")):
            with pytest.raises(PolicyDenied):
                call()
    with SecureStore.open(home, key_file=key_file, embedder=HashEmbedder()) as store:
        assert store.quota("acme").max_points == 7
        store.delete_tenant("acme")
        with pytest.raises((TenantNotFound, TenantUnavailable)):
            store.set_quota("acme", points=1)
