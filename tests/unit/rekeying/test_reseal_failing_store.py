"""Sealing anew in front of a store that stops answering in the middle of a batch."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from securevec.errors import BackendError, OutcomeUnknown
from tests.support.world import World, ticket


def test_what_a_failing_store_kept_of_a_batch_is_on_its_way_out_and_not_foreign(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch was taken back while the store did not answer, and the keys of its points were exchanged since."""
    world.acme.ingest([ticket(number, f"Text {number}") for number in range(3)])
    backend = world.store.runtime.backend()

    def gone(*_: object, **__: object) -> NoReturn:
        raise BackendError("The store does not answer.")

    honest = type(backend).insert

    def then_gone(self: Any, **given: Any) -> None:
        honest(self, **given)
        for verb in ("fetch", "delete"):
            monkeypatch.setattr(type(backend), verb, gone)

    monkeypatch.setattr(type(backend), "insert", then_gone)
    with pytest.raises(OutcomeUnknown):
        world.store.reseal("acme", "ticket")
    monkeypatch.undo()
    world.store.reseal("acme", "ticket")
    world.store.reseal("acme", "ticket")
    found = world.acme.verify().raise_if_wrong()
    assert (found.records, found.points, found.in_flight) == (3, 6, 3)
