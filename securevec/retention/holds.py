"""Legal holds: placed, listed and released by who may, and recorded. What they forbid is decided where it happens, in
the transactions that delete or replace (:mod:`securevec.control.holds`).

A hold covers a tenant, one of its collections, one record, or one subject: every record that is about or mentions them,
also those written later. It beats expiry, erasure, deletion, replacement and the destruction of keys. The reason is
sealed; the id is random and is what audit records and refusals name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from securevec.audit.vocabulary import HEX32
from securevec.control.rows import HoldRow
from securevec.errors import LimitExceeded, SecurevecError, UsageError
from securevec.guard import admit
from securevec.state.runtime import Runtime, Scope
from securevec.text import utf8_size
from securevec.types import CollectionId, RecordRef, Token

MAX_REASON_BYTES: Final = 4096
_STATES: Final = ("active", "suspended")


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold. ``kind`` is tenant, collection, record or subject; ``collection`` the id of the one it is about, or of
    the record's; ``released_ms`` is ``None`` while it stands."""

    id: str
    kind: str
    collection: CollectionId | None
    created_ms: int
    released_ms: int | None

    @property
    def standing(self) -> bool:
        return self.released_ms is None


@dataclass(frozen=True, slots=True)
class Held:
    """What is to be held: nothing named is the whole tenant; a record names its collection; a subject stands alone."""

    collection: CollectionId | None = None
    record: RecordRef | None = None
    subject: tuple[Token, ...] = ()


def place_hold(runtime: Runtime, scope: Scope, reason: str, *, find: Callable[[], Held]) -> Hold:
    """Intent, hold, result. ``find`` looks up what is meant once the actor is admitted.

    Raises :class:`UsageError` (no reason), :class:`LimitExceeded`, :class:`PolicyDenied`, and what ``find`` and
    :meth:`ControlStore.add_hold` raise when there is nothing of that kind to hold.
    """
    admission = admit(runtime, scope, permission="hold", action="hold", states=_STATES)
    hold_id = uuid4().hex
    detail: dict[str, str | int | bool] = {"hold": hold_id}
    try:
        _check_reason(reason)
        what = find()
        detail["kind"] = _kind(what.collection, what.record, bool(what.subject))
    except SecurevecError as error:
        admission.failure(error)
        raise
    refs = [what.record] if what.record is not None else []
    admission.note(phase="intent", detail=detail, record_ids=refs)
    try:
        row = runtime.control.add_hold(
            hold_id,
            scope.tenant,
            what.collection,
            what.record,
            runtime.names.seal(reason, row=bytes.fromhex(hold_id), kind="hold-reason"),
            runtime.clock.now_ms(),
            subject=what.subject,
            fence=admission.fence if what.subject else None,
            known_only=True,
        )
    except SecurevecError as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", detail=detail, record_ids=refs)
    return _shown(row)


def list_holds(runtime: Runtime, scope: Scope) -> list[Hold]:
    """Every hold of the tenant, released ones too, oldest first."""
    admission = admit(runtime, scope, permission="hold", action="hold", states=_STATES)
    with admission.reading():
        holds = [_shown(row) for row in runtime.control.holds(scope.tenant)]
    admission.note(counts={"holds": len(holds)})
    return holds


def hold_reason(runtime: Runtime, scope: Scope, hold_id: str) -> str:
    """Why a hold was placed. Raises :class:`UsageError` when the tenant has no such hold."""
    admission = admit(runtime, scope, permission="hold", action="hold", states=_STATES)
    try:
        row = _require(runtime, scope, hold_id)
        reason = runtime.names.open_text(row.reason_sealed, row=bytes.fromhex(hold_id), kind="hold-reason")
    except SecurevecError as error:
        admission.failure(error)
        raise
    admission.note(detail={"hold": hold_id})
    return reason


def release_hold(runtime: Runtime, scope: Scope, hold_id: str) -> None:
    """Intent, release, result. What only this hold kept may be deleted from then on.

    Raises :class:`UsageError` when the tenant has no standing hold of this id, :class:`PolicyDenied`.
    """
    admission = admit(runtime, scope, permission="hold.release", action="hold.release", states=_STATES)
    try:
        _require(runtime, scope, hold_id)
    except SecurevecError as error:
        admission.failure(error)
        raise
    detail = {"hold": hold_id}
    admission.note(phase="intent", detail=detail)
    try:
        runtime.control.release_hold(hold_id, runtime.clock.now_ms())
    except SecurevecError as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", detail=detail)


def _require(runtime: Runtime, scope: Scope, hold_id: str) -> HoldRow:
    given: Any = hold_id  # callers may be untyped
    row = runtime.control.hold(hold_id) if isinstance(given, str) and HEX32.match(hold_id) else None
    if row is None or row.tenant != scope.tenant:
        raise UsageError("The tenant has no hold of this id.", next_step="See: securevec hold list TENANT")
    return row


def _check_reason(reason: str) -> None:
    given: Any = reason
    size = utf8_size(reason) if isinstance(given, str) else None
    if size is None or not reason.strip():
        raise UsageError("A hold needs a reason: text, not blank.", next_step="Name the case it is for.")
    if size > MAX_REASON_BYTES:
        raise LimitExceeded(f"A reason is at most {MAX_REASON_BYTES} bytes.", field="reason")


def _shown(row: HoldRow) -> Hold:
    kind = _kind(row.collection, row.record_ref, row.of_subject)
    return Hold(row.hold_id, kind, row.collection, row.created_ms, row.released_ms)


def _kind(collection: str | None, record: bytes | None, subject: bool) -> str:
    if subject:
        return "subject"
    if record is not None:
        return "record"
    return "tenant" if collection is None else "collection"


def one_scope(collection: object, record: object, subject: Sequence[str]) -> None:
    """Raises :class:`UsageError` unless what was named is one thing."""
    if subject and (collection is not None or record is not None):
        raise UsageError("A hold on a subject covers all collections of the tenant; name no other.")
    if record is not None and collection is None:
        raise UsageError("A hold on a record names its collection.")
