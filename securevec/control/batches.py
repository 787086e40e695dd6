"""The state machine that makes replacing a record atomic: a process killed between any two steps leaves the old
generation visible or the new one, never a mixture and never neither.

Points are written to and deleted from another store, which shares no transaction with this one. So readers believe the
manifest alone: a point counts only when its generation is the live one of its record. A batch goes through

    1. begin_batch    record: (none)  -> pending     batch: (none) -> open
                      Readers still see the old generation. The caller inserts the new points.
    2. commit_batch   record: live    -> retiring    (the old generation, if there was one)
                      record: pending -> live        batch: open -> switched, committed
                      One transaction: the only moment at which what readers see changes.
                      The caller deletes the points of the retiring rows.
    3. finish_batch   record: retiring -> (none)     batch: switched -> (none)

    abort_batch       record: pending -> retiring    batch: open -> switched, not committed
                      What readers see did not change. The caller deletes the retiring points, then finish_batch.
    begin_delete      record: live -> retiring       batch: (none) -> switched, committed
                      Readers stop seeing the records at this commit. The caller deletes the points, then finish_batch.

After a crash, ``open_batches(expired_only=True)`` names what is left. ``settle`` aborts an ``open`` batch and tells how
a batch stands, though others be at the same; a ``switched`` one has its retiring points deleted again, which is
harmless, and is finished.

Rules that hold in every state:

* A record has at most one live generation (primary key of ``manifest``) and at most one pending one (unique index).
* Generations come from a counter of the collection that only grows: none is used twice, a live one is higher than
  every generation its record had before, and a deleted record written again gets a higher one still.
* Steps 1 and 2 and begin_delete need an active tenant with the fence the caller read, and no legal hold on a live
  record they would remove, judged inside their transaction.
* A record has one writer at a time. A batch whose lease ended is aborted by the next writer of one of its records; its
  own commit is then refused, and that writer must delete the points it inserted.

Here is how a batch begins and switches; how it ends is in :mod:`securevec.control.settling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from securevec.control.batch_rows import abort, insert_batch, require_batch, rows_of
from securevec.control.batch_statements import (
    DELETE_BATCH,
    DELETE_LIVE,
    DELETE_PENDING,
    FOLLOW_DUE,
    FOLLOW_ITEMS,
    INSERT_PENDING,
    INSERT_RECORD_SUBJECT,
    MAKE_LIVE,
    RETIRE_DELETED,
    RETIRE_REPLACED,
    SELECT_NEXT_GENERATION,
    SELECT_PENDING_ELSEWHERE,
    SWITCH,
    UPDATE_NEXT_GENERATION,
)
from securevec.control.database import Transaction, many
from securevec.control.holds import require_unheld
from securevec.control.hot import SELECT_CURRENT, parts
from securevec.control.minimums import require_past_minimum
from securevec.control.numbers import INSERT_PERSON, epoch_no
from securevec.control.quotas import require_room
from securevec.control.room import Room, require_active
from securevec.control.rows import BatchRow, ManifestRow, NewRecord
from securevec.control.subjects import (
    hidden_among,
    require_keys_stay,
    require_none_going,
    require_not_erased,
    require_still_not_erased,
)
from securevec.errors import (
    CollectionNotFound,
    ControlUnavailable,
    LimitExceeded,
    RecordChanged,
    TenantUnavailable,
    UsageError,
)
from securevec.limits import MAX_BATCH
from securevec.types import CollectionId, TenantId

T = TypeVar("T")


class Batches(Room):
    def begin_batch(
        self,
        *,
        tenant: TenantId,
        collection: CollectionId,
        request_id: str,
        writer: str,
        fence: int,
        rows: Sequence[NewRecord],
        lease_until_ms: int,
        now_ms: int,
        expect: Mapping[bytes, int] | None = None,
        erasing: bool = False,
        people: Sequence[bytes] = (),
        resealing: bool = False,
        judged: Mapping[bytes, int] | None = None,
        bound: Callable[[str], None] | None = None,
    ) -> dict[bytes, int]:
        """Step 1: announce new generations. Returns ref to generation.

        ``people``: the tokens whose keys the batch is going to be sealed under. It is refused while those are being
        destroyed.

        ``expect``, ref to live generation, is for a writer whose new generation was made out of the old one: from here
        on nobody else can replace the record, so what it was made of is checked here, and that no erasure hides it by
        now. Raises :class:`RecordChanged`. ``erasing`` is for the erasure itself, which takes people out and adds
        nobody: other people of the record who are being erased stay hidden in it until their own erasure comes to it.
        ``resealing`` is for records that say what they said, under another key: a hold keeps what a record says, so it
        does not forbid that; nor does an erasure that will still find the record, nor a quota.

        ``judged``, ref to live generation or 0, is for a writer who may write over some records and not over others:
        what it decided on is checked here. Raises :class:`RecordChanged`. ``bound`` is handed what the collection is
        bound to now, as JSON, and raises what keeps a writer out who opened it as something else.

        Raises :class:`TenantUnavailable` (not active, or another fence), :class:`CollectionNotFound`,
        :class:`LegalHold` (a live record that would be replaced is held), :class:`SubjectErased` (a record carries a
        fenced subject, or takes the place of one that is being erased and was read before the erasure),
        :class:`QuotaExceeded`, :class:`ControlUnavailable` (another writer is at one of these records),
        :class:`UsageError` (no rows, a ref twice, a request id used before), :class:`LimitExceeded`. Nothing is kept
        when it raises.
        """
        refs = [row.ref for row in rows]
        _check_refs(refs)
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            found = tx.row(SELECT_NEXT_GENERATION, {"tenant": tenant, "collection": collection})
            if found is None:
                raise CollectionNotFound("The tenant has no such collection.")
            generation: int = found[0]
            collection_no, tenant_no = found[1:3]
            if bound is not None:
                bound(found[3])
            epochs = {epoch: epoch_no(tx, collection_no, epoch) for epoch in {row.epoch for row in rows}}
            _take_over(tx, collection, refs, now_ms)
            if expect is not None and _unmoved(tx, collection, expect) != list(expect):
                raise RecordChanged("Another writer replaced or deleted the record first.", next_step="Try again.")
            if judged is not None and _unmoved(tx, collection, judged) != list(judged):
                raise RecordChanged("Another writer stored or deleted a record of this batch.", next_step="Try again.")
            if not resealing:
                require_unheld(tx, tenant, collection, refs)
            if not (erasing or resealing):
                if expect and hidden_among(tx, tenant, collection, list(expect)):
                    raise RecordChanged("A record of this batch was erased meanwhile.", next_step="Try again.")
                read_ms = min(row.ingested_ms for row in rows)
                people_in = {token for row in rows for token in (*row.about, *row.mentions)}
                require_not_erased(tx, tenant, people_in, now_ms, read_ms=read_ms)
                require_none_going(tx, tenant, collection, refs, read_ms=read_ms)
                require_keys_stay(tx, tenant, people)
            if not resealing:
                require_room(tx, tenant, collection, rows, now_ms)
            tx.run(UPDATE_NEXT_GENERATION, {"collection": collection})
            insert_batch(
                tx,
                BatchRow(
                    request_id, tenant, collection, "ingest", "open", writer, lease_until_ms, fence, False, now_ms
                ),
            )
            tx.run_many(
                INSERT_PENDING,
                (
                    (
                        collection_no,
                        row.ref,
                        generation,
                        row.n_chunks,
                        row.content_digest,
                        row.expires_ms,
                        epochs[row.epoch],
                        row.ingested_ms,
                        row.size,
                        request_id,
                    )
                    for row in rows
                ),
            )
            people_of = [
                (collection_no, row.ref, generation, token in about, tenant_no, token)
                for row in rows
                for about in (frozenset(row.about),)
                for token in about.union(row.mentions)
            ]
            tx.run_many(INSERT_PERSON, {(tenant_no, token) for *_, token in people_of})
            tx.run_many(INSERT_RECORD_SUBJECT, people_of)
        return dict.fromkeys(refs, generation)

    def commit_batch(
        self,
        *,
        request_id: str,
        fence: int,
        erasing: bool = False,
        people: Sequence[bytes] = (),
        alive: Callable[[], None] | None = None,
        resealing: bool = False,
    ) -> list[ManifestRow]:
        """Step 2: make the new generations the visible ones. Returns the retiring rows, whose points are to be deleted.

        ``fence``, ``erasing``, ``people`` and ``resealing`` are those step 1 was given; ``alive`` is asked inside the
        transaction, and raises when a key of these people was destroyed. An erasure destroys keys while it is
        ``accepted``, and what is committed before its acceptance is among what it deletes: so no record is left that
        nobody can read. What jobs have listed of records that are sealed anew is listed by its new generation from here
        on, and so is what is due of those from which somebody is erased.
        Repeating it after it succeeded returns the same rows.
        Raises :class:`TenantUnavailable` (the tenant's state changed since step 1), :class:`LegalHold` and
        :class:`SubjectErased` (the hold or the erasure came after step 1), :class:`ControlUnavailable` (aborted or
        settled by others: the lease had ended).
        When it raises, the old generations stay visible.
        """
        with self._db.write() as tx:
            batch = require_batch(tx, request_id)
            if batch.state == "switched":
                if not batch.committed:
                    raise ControlUnavailable(
                        "This batch was aborted: its lease ended before it was committed.",
                        next_step="Write its records again.",
                    )
            else:
                require_active(tx, batch.tenant, fence)
                if fence != batch.fence:
                    raise TenantUnavailable("The tenant's state changed since this batch began.")
                pending = [row.ref for row in rows_of(tx, request_id)]
                if not resealing:
                    require_unheld(tx, batch.tenant, batch.collection, pending)
                if not (erasing or resealing):
                    require_still_not_erased(tx, batch)
                    require_keys_stay(tx, batch.tenant, people)
                if alive is not None:
                    alive()
                for statement in (RETIRE_REPLACED, MAKE_LIVE, DELETE_PENDING):
                    tx.run(statement, {"request_id": request_id})
                if resealing or erasing:
                    tx.run(FOLLOW_ITEMS if resealing else FOLLOW_DUE, {"request_id": request_id})
                tx.run(SWITCH, {"request_id": request_id, "committed": True})
            return rows_of(tx, request_id)

    def while_unerased(self, request_id: str, act: Callable[[], T]) -> T:
        """What ``act`` returns, done where no erasure can be accepted beside it, nor was one since step 1 of this batch
        for somebody in its records: a key that is made there is one that the next erasure finds.

        Raises :class:`SubjectErased` and :class:`ControlUnavailable` (settled by others), and then ``act`` was not
        called.
        """
        with self._db.write() as tx:
            require_still_not_erased(tx, require_batch(tx, request_id))
            return act()

    def begin_delete(
        self,
        *,
        tenant: TenantId,
        collection: CollectionId,
        request_id: str,
        writer: str,
        fence: int,
        refs: Sequence[bytes],
        lease_until_ms: int,
        now_ms: int,
        expect: Mapping[bytes, int] | None = None,
    ) -> list[ManifestRow]:
        """Delete records: no reader sees them from this commit on. Returns the rows whose points are to be deleted.

        Refs without a live generation are passed over, and, with ``expect`` (ref to generation), those whose live
        generation is another one; when none is left, nothing is kept. Raises as :meth:`begin_batch` does, and
        :class:`RetentionMinimum`; one record that is held, or kept by a minimum, refuses the whole call.
        """
        _check_refs(refs)
        with self._db.write() as tx:
            require_active(tx, tenant, fence)
            if tx.row(SELECT_NEXT_GENERATION, {"tenant": tenant, "collection": collection}) is None:
                raise CollectionNotFound("The tenant has no such collection.")
            _take_over(tx, collection, refs, now_ms)
            if expect is not None:
                refs = _unmoved(tx, collection, {ref: expect[ref] for ref in refs})
            require_unheld(tx, tenant, collection, refs)
            require_past_minimum(tx, collection, refs, now_ms)
            insert_batch(
                tx,
                BatchRow(
                    request_id, tenant, collection, "delete", "switched", writer, lease_until_ms, fence, True, now_ms
                ),
            )
            for part in parts(refs):
                tx.run(many(RETIRE_DELETED, len(part)), (request_id, collection, *part))
                tx.run(many(DELETE_LIVE, len(part)), (collection, *part))
            retiring = rows_of(tx, request_id)
            if not retiring:
                tx.run(DELETE_BATCH, {"request_id": request_id})
            return retiring


def _check_refs(refs: Sequence[bytes]) -> None:
    if not refs:
        raise UsageError("A batch needs at least one record.")
    if len(refs) > MAX_BATCH:
        raise LimitExceeded(f"A batch holds at most {MAX_BATCH} records.", field="records")
    if len(set(refs)) != len(refs):
        raise UsageError("A batch names a record once.")


def _take_over(tx: Transaction, collection: CollectionId, refs: Iterable[bytes], now_ms: int) -> None:
    """Abort expired batches that are at one of these records; refuse when a living one is."""
    for part in parts(list(refs)):
        for request_id, lease_until_ms in tx.rows(many(SELECT_PENDING_ELSEWHERE, len(part)), (collection, *part)):
            if lease_until_ms > now_ms:
                raise ControlUnavailable("Another writer is at one of these records.", next_step="Try again.")
            abort(tx, request_id)


def _unmoved(tx: Transaction, collection: CollectionId, expect: Mapping[bytes, int]) -> list[bytes]:
    """Those refs, in order, whose live generation is the expected one; 0 is none."""
    live: dict[bytes, int] = {}
    for part in parts(list(expect)):
        live.update((row[0], row[1]) for row in tx.rows(many(SELECT_CURRENT, len(part)), (collection, *part)))
    return [ref for ref, generation in expect.items() if live.get(ref, 0) == generation]
