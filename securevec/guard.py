"""The guards every operation passes, in this order, and nothing else decides:

1. ``admit``: the tenant's fence is read (suspended, deleting and deleted tenants are refused), the policy decides,
   and a refusal is audited before it is raised.
2. the operation
3. ``recheck``: the fence must not have moved since ``admit``, and the policy must still permit, and narrow to the
   same rows; an answer prepared meanwhile is thrown away. A long operation rechecks between its parts.
4. ``Admission.note`` writes the audit record, durably, and only then may the answer leave; ``Admission.failure`` writes
   the record of an operation that ended in an error.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from securevec import stopping
from securevec.audit import (
    Action,
    AuditRef,
    Event,
    Outcome,
    Phase,
    Refs,
    error_name,
    fold_entities,
    keyed_ref,
    request_id,
)
from securevec.audit.vocabulary import HEX as _HEX
from securevec.audit.vocabulary import HEX32, RULES
from securevec.control.rows import JobRow
from securevec.errors import (
    AuditUnavailable,
    KeyDestroyed,
    LegalHold,
    PolicyDenied,
    RecordNotFound,
    RetentionMinimum,
    SecurevecError,
    TenantNotFound,
    TenantUnavailable,
)
from securevec.errors.tree import ENDING
from securevec.keys.keyview import KeyView
from securevec.policy import Actor, Decision, Permission, Request, require
from securevec.state import reserve
from securevec.state.runtime import Runtime, Scope
from securevec.types import CollectionId

_FREES: Final[frozenset[Permission]] = frozenset({"delete", "tenant.delete", "subject.erase", "retention"})
"""Operations that may have the home's reserve of disk space, once they are permitted."""
_DENIALS: Final = (PolicyDenied, TenantNotFound, TenantUnavailable, LegalHold, RetentionMinimum)


@dataclass(frozen=True, slots=True)
class Admission:
    """A permitted operation: its request id, the fence it was admitted under, and what it may do."""

    runtime: Runtime
    scope: Scope
    permission: Permission
    action: Action
    collection: CollectionId | None
    request_id: str
    fence: int
    decision: Decision
    started_ns: int
    job_id: str = ""

    def note(
        self,
        *,
        phase: Phase = "single",
        outcome: Outcome = "allowed",
        counts: Mapping[str, int] | None = None,
        redactions: Mapping[str, int] | None = None,
        record_ids: Sequence[bytes] = (),
        query: bytes | None = None,
        actors: Sequence[str] = (),
        detail: Mapping[str, str | int | bool] | None = None,
        error: BaseException | None = None,
        keys: KeyView | None = None,
    ) -> AuditRef:
        """Write one durable audit record of this operation. Raises :class:`AuditUnavailable`.

        ``record_ids`` are record refs and ``query`` the anonymized query; both enter the log only as keyed hashes.
        ``actors`` are audit pseudonyms the operation is about (who was granted a role). ``keys`` is the look at the
        key store the answer was opened under, where there is one.
        """
        runtime, tenant = self.runtime, self.scope.tenant
        if isinstance(error, LegalHold) and HEX32.match(error.hold_id):
            detail = {**(detail or {}), "hold": error.hold_id}
        refs: tuple[str, ...] = ()
        query_ref = ""
        if tenant and (record_ids or query is not None):
            # A tenant whose keys are gone has nothing left to refer to; the refusal itself is still recorded.
            with contextlib.suppress(KeyDestroyed):
                key = (keys or runtime.keys).tenant_key(tenant, "audit")
                keyed = Refs(key, tenant)
                refs = keyed.of("record", record_ids)
                query_ref = keyed.of("query", (query,))[0] if query is not None else ""
        return runtime.audit.record(
            Event(
                action=self.action,
                phase=phase,
                outcome=outcome,
                actor=self.scope.actor_ref,
                request_id=self.request_id,
                tenant=tenant,
                collection=self.collection or "",
                policy=_engine_word(runtime, _rules_in_force(runtime)),
                rule=_engine_word(runtime, self.decision.rule),
                purpose_ref=purpose_ref(runtime, self.scope),
                query_ref=query_ref,
                record_refs=(*refs, *actors),
                counts=dict(counts or {}),
                redactions=fold_entities(redactions or {}),
                detail=dict(detail or {}),
                error=error_name(error) if error is not None else "",
                job_id=self.job_id,
                duration_ms=(time.monotonic_ns() - self.started_ns) // 1_000_000,
            )
        )

    def fresh(self) -> Admission:
        """The same permission under a request id of its own, for one batch of a longer operation."""
        return replace(self, request_id=request_id(), started_ns=time.monotonic_ns())

    def recheck(self) -> None:
        """Refuse to go on when the tenant was fenced since ``admit``, or when the policy no longer permits, or by now
        shows the actor another part of the records than this was begun with.

        It is also where an operation ends that was asked to stop. Raises :class:`TenantUnavailable`,
        :class:`PolicyDenied` and :class:`Stopped`; the caller records it with :meth:`failure`.
        """
        stopping.check()
        roles: frozenset[str] = frozenset()
        if self.scope.tenant:
            standing = self.runtime.control.standing(self.scope.tenant, self.scope.actor_token)
            roles = standing.roles
            if standing.fence.state != "active" or standing.fence.epoch != self.fence:
                raise TenantUnavailable(
                    "The tenant was suspended, deleted or given a new token key while this ran; nothing is returned.",
                    next_step="Try again.",
                )
        now = require(self.runtime.policy, Request(self.scope.actor, self.permission, roles))
        if now.row_filter != self.decision.row_filter:
            raise PolicyDenied(
                "The policy shows this actor another part of the records than when this began; nothing is returned.",
                next_step="Try again.",
            )

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Around a read: what it raises is recorded, and named after the closed fence when that explains it."""
        try:
            yield
        except SecurevecError as error:
            self.fenced(error)
            self.failure(error)
            raise

    @contextlib.contextmanager
    def writing(self, counts: Callable[[], Mapping[str, int]] = dict) -> Generator[None]:
        """Around a write: what ends it is recorded with what was done by then, an interrupt too, or an error of the
        caller's own iterable. A log that fails now must not hide what went wrong first."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(AuditUnavailable):
                self.failure(error, counts=counts())
            raise

    def fenced(self, error: BaseException, *, phase: Phase = "single", counts: Mapping[str, int] | None = None) -> None:
        """Raise (and record) :class:`TenantUnavailable` instead of ``error`` when the closed fence explains it.

        A tenant deleted while an operation runs has lost its keys and records first; what the caller needs to know is
        that the tenant is gone.
        """
        if isinstance(error, KeyDestroyed | RecordNotFound):
            try:
                self.recheck()
            except TenantUnavailable as unavailable:
                self.failure(unavailable, phase=phase, counts=counts)
                raise unavailable from error

    def failure(
        self,
        error: BaseException,
        *,
        phase: Phase = "single",
        counts: Mapping[str, int] | None = None,
        detail: Mapping[str, str | int | bool] | None = None,
    ) -> AuditRef:
        """Record that the operation ended in this error: ``denied`` when it was not allowed, ``failed`` otherwise."""
        outcome: Outcome = "denied" if isinstance(error, _DENIALS) else "failed"
        return self.note(phase=phase, outcome=outcome, counts=counts, detail=detail, error=error)


@dataclass(frozen=True, slots=True)
class Commission(Admission):
    """What a job does: permitted when it was accepted, so it goes on whatever became of who asked. Fenced as ever."""

    def recheck(self) -> None:
        """Raises :class:`TenantUnavailable` when the tenant was suspended or deleted since this step began."""
        fence = self.runtime.control.fence(self.scope.tenant)
        if fence.state != "active" or fence.epoch != self.fence:
            raise TenantUnavailable(
                "The tenant was suspended, deleted or given a new token key while this ran; the job waits."
            )


def commission(
    runtime: Runtime, job: JobRow, *, permission: Permission, action: Action, collection: CollectionId
) -> Commission:
    """The admission under which a step of a job works, in the name of who asked for the job."""
    local = Actor.local()
    runtime.keys.expect(runtime.control.key_changes())
    scope = Scope(
        tenant=job.tenant,
        actor=local,
        actor_token=runtime.names.actor_token(local),
        actor_ref=orjson.loads(job.data)["requested"]["by"],
    )
    return Commission(
        runtime=runtime,
        scope=scope,
        permission=permission,
        action=action,
        collection=collection,
        request_id=job.request_id,
        fence=runtime.control.fence(job.tenant).epoch,
        decision=Decision(True, "job"),
        started_ns=time.monotonic_ns(),
        job_id=job.job_id,
    )


def purpose_ref(runtime: Runtime, scope: Scope) -> str:
    """The stated purpose as a keyed hash, or empty."""
    if not scope.actor.purpose:
        return ""
    return keyed_ref(runtime.keys.installation_key("actors"), "actors", "purpose", scope.actor.purpose.encode())


def admit(
    runtime: Runtime,
    scope: Scope,
    *,
    permission: Permission,
    action: Action,
    collection: CollectionId | None = None,
    states: Sequence[str] = ("active",),
) -> Admission:
    """Admit an operation, or audit the refusal and raise :class:`TenantUnavailable` or :class:`PolicyDenied`.

    ``states`` are the tenant states the operation may start in; only management passes more than ``active``.
    """
    request = request_id()
    started = time.monotonic_ns()

    def admission(decision: Decision, fence: int) -> Admission:
        return Admission(runtime, scope, permission, action, collection, request, fence, decision, started)

    epoch = 0
    roles: frozenset[str] = frozenset()
    if scope.tenant:
        standing = runtime.control.standing(scope.tenant, scope.actor_token)
        epoch, roles = standing.fence.epoch, standing.roles
        runtime.keys.expect(standing.key_changes)
        if standing.fence.state not in states:
            refusal = TenantUnavailable("The tenant is suspended, being deleted, or deleted.")
            admission(Decision(False, "fence"), epoch).note(outcome="denied", error=refusal)
            raise refusal
    else:
        runtime.keys.expect(runtime.control.key_changes())
    try:
        decision = require(runtime.policy, Request(scope.actor, permission, roles))
    except PolicyDenied as denial:
        admission(Decision(False, "default-deny"), epoch).note(outcome="denied", error=denial)
        raise
    if permission in _FREES:
        reserve.give_back(runtime.home, last=permission == "tenant.delete")
    return admission(decision, epoch)


def refuse(runtime: Runtime, scope: Scope, *, action: Action, error: SecurevecError) -> None:
    """Record a refusal that comes before any decision: what was asked for is not there for this actor."""
    Admission(
        runtime, scope, "count", action, None, request_id(), 0, Decision(False, "default-deny"), time.monotonic_ns()
    ).failure(error)


def settle_outbox(runtime: Runtime) -> int:
    """Write the audit events the control store owes: those of changes that were committed before they could be logged.

    An event is struck off only once it is durable, so a crash may record one twice and never loses one.
    """
    owed = runtime.control.outbox_pending()
    for row in owed:
        payload: dict[str, Any] = orjson.loads(row.payload)
        runtime.audit.record(
            Event(
                action=payload["action"],
                phase="single",
                outcome="allowed",
                actor=runtime.names.actor_ref(Actor.local()),
                request_id=payload.get("request_id") or request_id(),
                tenant=payload.get("tenant", ""),
                job_id=payload.get("job_id", ""),
                detail={"step": payload["state"]} if "state" in payload else {},
            )
        )
        runtime.control.outbox_done(row.id)
    return len(owed)


def _rules_in_force(runtime: Runtime) -> str:
    """What the policy engine says that it decides by; of one that cannot say it, that it did not. Such an engine
    permits nothing (:func:`securevec.policy.require`), and that is to be recorded."""
    said: object = None
    try:
        said = runtime.policy.digest
    except ENDING:
        raise
    except BaseException:  # noqa: BLE001, S110  # of others: answered below
        pass
    return said if isinstance(said, str) else "unsaid"


def _engine_word(runtime: Runtime, word: str) -> str:
    """A rule's name or a bundle's digest as the log takes it: built-in words and digests as they are, others keyed."""
    if word in RULES or _HEX.match(word):
        return word
    reference = keyed_ref(runtime.keys.installation_key("actors"), "actors", "rule", word.encode(errors="replace"))
    return reference.rpartition(":")[2]
