"""Lists that are oldest first are so within one millisecond too: two jobs are accepted in less, and ids are random."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from securevec.types import CollectionId, TenantId
from tests.unit.control.desk import COLLECTION, NOW, TENANT, Desk, collection_row, record

# Each is made before one of a lower id.
NAMES = ("9" * 32, "5" * 32, "1" * 32)


def tenants(desk: Desk) -> Sequence[object]:
    for name in NAMES:
        desk.add_tenant(TenantId(name), name.encode())
    return [row.tenant for row in desk.store.tenants() if row.tenant != TENANT]


def collections(desk: Desk) -> Sequence[object]:
    for name in NAMES:
        desk.store.create_collection(collection_row(CollectionId(name), name=name.encode()))
    return [row.collection for row in desk.store.collections(TENANT) if row.collection != COLLECTION]


def jobs(desk: Desk) -> Sequence[object]:
    for name in NAMES:
        desk.add_tenant(TenantId(name), name.encode())
        desk.store.begin_tenant_deletion(tenant=TenantId(name), job_id=name, request_id=name, manifest="{}", now_ms=NOW)
    assert desk.store.jobs() == desk.store.jobs(open_only=True)
    return [row.job_id for row in desk.store.jobs()]


def holds(desk: Desk) -> Sequence[object]:
    for name in NAMES:
        desk.store.add_hold(name, TENANT, None, None, b"sealed", NOW)
    return [row.hold_id for row in desk.store.holds(TENANT)]


def grants(desk: Desk) -> Sequence[object]:
    for name in NAMES:
        desk.store.grant(TENANT, name.encode(), "reader", NOW)
    return [token.decode() for token, _ in desk.store.grants(TENANT)]


def batches(desk: Desk) -> Sequence[object]:
    for number, name in enumerate(NAMES):
        desk.begin(record(number), request=name)
    return [row.request_id for row in desk.store.open_batches(now_ms=NOW, expired_only=False)]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("listed", [tenants, collections, jobs, holds, grants, batches])
def test_what_is_made_within_a_millisecond_is_listed_as_it_was_made(
    desk: Desk, listed: Callable[[Desk], Sequence[object]]
) -> None:
    assert tuple(listed(desk)) == NAMES
