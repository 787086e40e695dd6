"""A handle that stays open while another process changes what its collection is bound to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import securevec as sv
from securevec.control.store import ControlStore
from securevec.errors import CollectionMismatch
from tests.support.meanwhile import meanwhile
from tests.support.world import ACME, Ticket, World, ticket

WRITES: dict[str, Callable[[sv.Collection[Ticket]], object]] = {
    "ingest": lambda tickets: tickets.ingest([ticket(2, "call +49 171 2345678")]),
    "update": lambda tickets: tickets.update("T-1", body="call +49 171 2345678"),
}


@pytest.mark.parametrize("moment", ["before", "in the middle"])
@pytest.mark.parametrize("write", WRITES)
def test_nothing_is_written_under_operators_that_others_have_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch, write: str, moment: str
) -> None:
    """A telephone number is to be no surrogate from now on; who opened the collection before would store one."""
    world.acme.ingest([ticket(1, "first")])

    def stricter() -> sv.Collection[Ticket]:
        return world.store.tenant("acme", actor=ACME).collection(
            Ticket, retention="180d", operators={"PHONE": "tag"}, accept_new_detector=True
        )

    if moment == "before":
        stricter()
    else:
        meanwhile(monkeypatch, ControlStore, "begin_batch", stricter)
    with pytest.raises(CollectionMismatch, match="since it was opened here"):
        WRITES[write](world.acme)
    monkeypatch.undo()
    assert [(record.id, record.body) for record in world.acme.iter()] == [("T-1", "first")]
    assert world.acme.delete(["T-1"]).deleted == 1
    again = stricter()
    again.ingest([ticket(2, "call +49 171 2345678")])
    assert again.get("T-2").body == "call [PHONE]"
