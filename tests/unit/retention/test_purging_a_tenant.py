"""What a deletion leaves in the engine's files, and that a purge takes it out of them."""

from __future__ import annotations

import pytest

import securevec as sv
from securevec.errors import PolicyDenied, TenantUnavailable
from securevec.proof.probe import standing
from securevec.proof.purging import needles_of
from securevec.removing.points import ids_of
from tests.support.hourglass import Hourglass
from tests.support.world import ACME, ticket


def test_deleted_bytes_stay_until_a_purge_and_living_ones_stay_readable(glass: Hourglass) -> None:
    glass.fill(1, 2, 3)
    glass.world.globex.ingest([ticket(1, "Another tenant's text, which is not purged.")])
    runtime, scope = glass.store.runtime, glass.tickets._scope
    backend = runtime.backend()
    rows = list(runtime.control.current(scope.collection, [scope.record_ref(runtime, "T-1")]).values())
    ids = ids_of(runtime, scope.tenant, scope.collection, rows)
    needles = needles_of(backend.fetch(namespace=scope.namespace, ids=ids, with_vectors=True))
    glass.tickets.delete("T-1")
    engine = glass.world.home / "engine"
    volatile = backend.capabilities.volatile
    if not volatile:
        assert len(standing([engine], needles)) == len(needles)
    report = glass.acme.purge()
    assert report.collections == 1
    if not volatile:
        assert report.bytes_removed is True
        assert len(standing([engine], needles)) == 0
    assert {hit.record.id for hit in glass.tickets.search("lift", k=10)} == {"T-2", "T-3"}
    assert glass.world.globex.count() == 1
    assert [each["outcome"] for each in glass.audit("purge")] == ["allowed"]


def test_a_purge_is_refused_to_whoever_may_not_delete_and_in_a_suspended_tenant(quick: Hourglass) -> None:
    reader = sv.Actor("svc:reader")
    quick.acme.grant(reader, "reader")
    with pytest.raises(PolicyDenied):
        quick.store.tenant("acme", actor=reader).purge()
    mine = quick.store.tenant("acme", actor=ACME)
    quick.store.suspend_tenant("acme")
    with pytest.raises(TenantUnavailable):
        mine.purge()
    assert len(quick.audit("purge", "denied")) == 2
