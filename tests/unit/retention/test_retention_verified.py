"""What a retention job looks at before it says that something is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from securevec.backend import RemovalReport
from securevec.types import Namespace, ProtectedPoint, Scalar
from tests.support.hourglass import RETENTION_DAYS, Hourglass


def test_a_store_that_brings_back_what_it_deleted_is_noticed_before_the_receipt(
    quick: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.fill(1, 2)
    quick.pass_days(RETENTION_DAYS + 30)
    backend, place = quick.store.runtime.backend(), quick.tickets._scope.namespace
    ids = [point.id for point in backend.scan(namespace=place, where=None, cursor=None, limit=10).points]
    assert len(ids) == 2
    kept = backend.fetch(namespace=place, ids=ids, with_vectors=True)
    purge = type(backend).purge

    def resurrecting(self: Any, *, namespace: Namespace) -> RemovalReport:
        done = purge(self, namespace=namespace)
        points = [
            ProtectedPoint(each.id, each.vector, cast("Mapping[str, Scalar]", each.payload))
            for each in kept
            if each.vector is not None
        ]
        self.insert(namespace=namespace, points=points)
        return done

    with monkeypatch.context() as lying:
        lying.setattr(type(backend), "purge", resurrecting)
        (job,) = quick.store.apply_retention(quick.store.retention_plan().digest)
        assert (job.failed, job.receipt) == (True, None)
    assert quick.stored() == 2, "the store did bring them back"
    backend.delete(namespace=place, ids=ids)
    quick.store.run_jobs()
    assert [each.state for each in quick.store.runtime.control.jobs()] == ["done"]
