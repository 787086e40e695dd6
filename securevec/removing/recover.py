"""What a crash left behind, resolved by reading ids back. Runs when an engine is opened, and before a write.

A batch in the control store is in one of two states:

``open``      its rows are `pending`: nothing of it was ever visible. Its points, if any arrived, are removed and the
              intent is answered ``recovered: absent``.
``switched``  it was committed or aborted. If committed, its rows are live (or, for a deletion, gone) and the intent
              is answered ``recovered: present``. Either way the points of the retiring rows are removed.

Batches of a live process are left alone until their lease is over.

An intent without a batch, a job or an event owed is one whose process died before it changed anything, or, for what is
one transaction of the control store, right after. It is answered when the audit log is next opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from securevec.audit import AuditWriter, Event, Outcome, error_name
from securevec.control.rows import BatchRow
from securevec.errors import KeyDestroyed, SecurevecError, UnknownKey
from securevec.policy import Actor
from securevec.removing.points import remove_points
from securevec.state.names import NameBook
from securevec.state.runtime import Runtime
from securevec.types import CollectionId

if TYPE_CHECKING:
    from securevec.control.store import ControlStore

LEASE_MS: Final = 60_000
"""How long a batch in flight is left alone by other processes."""

_ABSENT: Final = frozenset(
    {"ingest", "update", "delete", "tenant.delete", "tenant.promote", "subject.erase", "retention.apply"}
)
"""Actions that leave a batch or a job behind as soon as they change anything: without one, nothing was changed."""


def resolve_open_batches(runtime: Runtime, *, expired_only: bool) -> int:
    """Resolve interrupted batches; returns how many. ``expired_only`` leaves those alone whose lease still runs.

    One that cannot be resolved (a damaged shard) is recorded, and stays for the next attempt: it does not keep the
    engine from every other tenant.
    """
    resolved = 0
    for batch in runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=expired_only):
        try:
            _resolve(runtime, batch, force=not expired_only)
            resolved += 1
        except SecurevecError as error:
            _record(runtime, batch, outcome="failed", error=error_name(error))
    return resolved


def settle_collection(runtime: Runtime, collection: CollectionId) -> None:
    """Resolve what interrupted writes left in this collection. Raises what keeps it from being resolved."""
    for batch in runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=True):
        if batch.collection == collection:
            _resolve(runtime, batch, force=False)


def answer_abandoned(audit: AuditWriter, control: ControlStore, names: NameBook) -> int:
    """Answer the intents of crashed processes that nothing else will answer; returns how many."""
    owed: set[object] = {orjson.loads(row.payload).get("request_id") for row in control.outbox_pending()}
    owed |= {job.request_id for job in control.jobs(open_only=True)}
    answered = 0
    for intent in audit.abandoned():
        if intent.request_id in owed or control.batch(intent.request_id) is not None:
            continue
        audit.record(
            Event(
                action="recover",
                phase="result",
                outcome="recovered",
                actor=names.actor_ref(Actor.local()),
                request_id=intent.request_id,
                tenant=intent.tenant,
                collection=intent.collection,
                detail={"state": "absent" if intent.action in _ABSENT else "resolved"},
            )
        )
        answered += 1
    return answered


def _resolve(runtime: Runtime, batch: BatchRow, *, force: bool) -> None:
    settled = runtime.control.settle(batch.request_id, now_ms=runtime.clock.now_ms(), force=force)
    if settled is None or settled.state == "open":
        # Finished by its writer or another process meanwhile, or its lease was extended: not ours.
        return
    batch = settled
    rows = [row for row in runtime.control.batch_rows(batch.request_id) if row.state == "retiring"]
    namespace = runtime.names.namespace(batch.tenant, batch.collection)
    try:
        remove_points(runtime, batch.tenant, namespace, batch.collection, rows)
    except (KeyDestroyed, UnknownKey):
        # The tenant was deleted meanwhile: its deletion job removes the whole namespace.
        return
    state = "present" if batch.committed else "absent"
    _record(runtime, batch, outcome="recovered", records=len(rows), state=state)
    runtime.control.finish_batch(request_id=batch.request_id)


def _record(
    runtime: Runtime, batch: BatchRow, *, outcome: Outcome, records: int = 0, state: str = "", error: str = ""
) -> None:
    runtime.audit.record(
        Event(
            action="recover",
            phase="result" if outcome == "recovered" else "single",
            outcome=outcome,
            actor=runtime.names.actor_ref(Actor.local()),
            request_id=batch.request_id,
            tenant=batch.tenant,
            collection=batch.collection,
            counts={"records": records},
            detail={"kind": batch.kind} | ({"state": state} if state else {}),
            error=error,
        )
    )
