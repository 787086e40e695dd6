"""Time, as the handles offer it: legal holds, retention rules, plans. Wiring only; decisions are made in the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from securevec.audit import error_name
from securevec.control.jobs import TENANT_PROMOTE
from securevec.control.rows import CollectionRow, JobRow
from securevec.errors import CollectionNotFound, ConfigError, PlanChanged, SecurevecError, UsageError
from securevec.guard import Admission, admit, settle_outbox
from securevec.jobs import JobResult, advance
from securevec.people.identify import subject_tokens
from securevec.points.body import RecordId
from securevec.reopen import description_of, schema_of
from securevec.retention.apply import begun_before, request_retention
from securevec.retention.holds import Held, Hold, hold_reason, list_holds, one_scope, place_hold, release_hold
from securevec.retention.plan import RetentionPlan, affected_tenants, make_plan
from securevec.retention.rulebook import Rule, list_rules, remove_rule, set_rule
from securevec.rows.validate import check_name
from securevec.state.runtime import Runtime, Scope, ref_of
from securevec.store.machines import MACHINES
from securevec.store.open_home import INSTALLATION, OpenHome
from securevec.types import CollectionId, Layout, TenantId, Uncopied
from securevec.verbs.promote import request_move
from securevec.verbs.purging import PurgeReport, purge_tenant


def find_collection(runtime: Runtime, tenant: TenantId, name: str) -> CollectionRow | None:
    """A tenant's collection by name."""
    return runtime.control.collection_by_token(tenant, runtime.names.collection_token(tenant, name))


def require_collection(runtime: Runtime, tenant: TenantId, name: str) -> CollectionId:
    """The id of a tenant's collection. Raises :class:`CollectionNotFound`."""
    return _require(runtime, tenant, name).collection


def _require(runtime: Runtime, tenant: TenantId, name: str) -> CollectionRow:
    row = find_collection(runtime, tenant, check_name("collection", name))
    if row is None:
        raise CollectionNotFound("The tenant has no such collection.")
    return row


class TenantLifetimes(Uncopied):
    """The legal holds of a tenant handle, and its purge."""

    _runtime: Runtime
    _scope: Scope

    def hold(
        self,
        reason: str,
        *,
        collection: str | None = None,
        record: RecordId | None = None,
        subject: str | Sequence[str] = (),
    ) -> Hold:
        """Keep the tenant, or a collection of it, one record of that collection, or a subject, until released.

        What is held is neither deleted, erased, replaced nor expired away, and its keys are not destroyed. A held
        record that is due is kept, and shown to nobody.

        Args:
            reason: why; sealed, at most 4 KiB.
            collection: its name.
            record: an id in that collection.
            subject: what identifies a person (e-mail address, phone number, customer id, name), or several of these:
                every record about or mentioning them is held, also those written later.

        Raises:
            CollectionNotFound, RecordNotFound: there is nothing of that kind to hold.
            RecordError: an id of another type than the collection's.
            UsageError: no reason, or more than one thing named.
            PolicyDenied: the actor is neither an owner nor the operator.
        """
        subjects = [subject] if isinstance(subject, str) else list(subject)
        return place_hold(self._runtime, self._scope, reason, find=lambda: self._held(collection, record, subjects))

    def holds(self) -> list[Hold]:
        """Every hold of the tenant, released ones too, oldest first."""
        return list_holds(self._runtime, self._scope)

    def hold_reason(self, hold_id: str) -> str:
        """Why a hold was placed."""
        return hold_reason(self._runtime, self._scope, hold_id)

    def release(self, hold_id: str) -> None:
        """End a hold. For the operator: an owner places holds and does not release them."""
        release_hold(self._runtime, self._scope, hold_id)

    def purge(self, *, unnamed: bool = False) -> PurgeReport:
        """Remove the bytes of deleted and replaced records from the engine's files, in each collection of the tenant.

        A deletion is complete for every reader without it; a retention job or an erasure purges what it touched by
        itself. Takes about as long as writing what lives; writers of the collection in hand wait.

        With ``unnamed`` points go first that the store has and the manifest does not name (``old`` in
        :meth:`Collection.verify`), unless a legal hold covers them: what files that were put back brought again. Who
        goes on with an older control store has every record that was written since among them.

        Raises :class:`EngineLocked` when another process holds the engine, :class:`BackendError`,
        :class:`WriteNotAcknowledged`.
        """
        return purge_tenant(self._runtime, self._scope, unnamed=unnamed)

    def _held(self, collection: str | None, record: RecordId | None, subjects: Sequence[str]) -> Held:
        runtime, tenant = self._runtime, self._scope.tenant
        one_scope(collection, record, subjects)
        if subjects:
            return Held(subject=tuple(subject_tokens(runtime, tenant, subjects)))
        if collection is None:
            return Held()
        row = _require(runtime, tenant, collection)
        if record is None:
            return Held(row.collection)
        key, schema = runtime.keys.tenant_key(tenant, "id"), schema_of(description_of(runtime, row))
        return Held(row.collection, ref_of(key, row.collection, schema, record))


class StoreLifetimes(OpenHome):
    """Retention of a whole home. For the operator."""

    def set_retention(
        self,
        *,
        tenant: str | None = None,
        collection: str | None = None,
        classification: str | None = None,
        max_age: str | None = None,
        min_age: str | None = None,
        replace: bool = False,
    ) -> None:
        """Set a rule on a tenant, a collection, a classification, any meeting of these, or (nothing named) everything.

        Records ingested from now on expire by the strictest maximum that applies, or by their collection's own
        retention if that is shorter. Older ones keep the expiry they were sealed with, and become due by the rule when
        :meth:`retention_plan` is asked. A minimum is statutory: nothing younger is deleted or erased.

        Args:
            tenant, collection, classification: the scope; ``None`` is any. A collection names its tenant.
            max_age: such as ``180d``; a record older than that is due.
            min_age: such as ``6y``.
            replace: put it in the place of a rule with this very scope.

        Raises:
            RetentionConflict: it cannot be kept together with a rule or a collection there is, or the scope has a rule.
            ConfigError: no age, or one that is none.
            TenantNotFound, CollectionNotFound, PolicyDenied.
        """
        scope, place = self._place(tenant, collection)
        set_rule(
            self._runtime,
            scope,
            collection=place,
            classification=classification,
            max_age=max_age,
            min_age=min_age,
            replace=replace,
        )

    def remove_retention(
        self, *, tenant: str | None = None, collection: str | None = None, classification: str | None = None
    ) -> None:
        """Remove the rule of exactly this scope. Records keep the expiry they were sealed with.

        Raises :class:`UsageError` when there is none, :class:`TenantNotFound`, :class:`CollectionNotFound`.
        """
        scope, place = self._place(tenant, collection)
        remove_rule(self._runtime, scope, collection=place, classification=classification)

    def retention_rules(self) -> list[Rule]:
        """Every rule."""
        return list_rules(self._runtime, self._scope(INSTALLATION, self._actor))

    def retention_plan(self, *, tenant: str | None = None) -> RetentionPlan:
        """What :meth:`apply_retention` would remove now, what is kept and why. Changes nothing."""
        scope, _ = self._place(tenant, None)
        admission = admit(self._runtime, scope, permission="retention", action="retention.plan")
        try:
            plan = make_plan(self._runtime, tenant=scope.tenant or None)
            admission.recheck()
        except SecurevecError as error:
            admission.failure(error)
            raise
        admission.note(counts={"records": plan.records, "held": plan.held}, detail={"digest": plan.digest})
        return plan

    def apply_retention(self, digest: str) -> list[JobResult]:
        """Remove exactly what the plan of this digest says: one job per tenant, all begun or none.

        When another process holds the engine, the jobs are accepted and the holder carries them out; the results then
        say what they wait for. What stops one tenant's job is named in its result, kept with it and tried again, and
        does not stop the others. A plan that was applied already is not applied again: its jobs are gone on with, and
        what they came to is returned, so whoever was interrupted asks once more.

        Raises:
            PlanChanged: records, rules or holds changed since, or there is no such plan. Nothing was done.
            PolicyDenied: the store's actor may not apply retention.
        """
        runtime = self._runtime
        given: Any = digest  # callers may be untyped
        if not isinstance(given, str) or not digest:
            raise UsageError("Name the digest of a plan.", next_step="Make one: securevec retention plan")
        whole = admit(runtime, self._scope(INSTALLATION, self._actor), permission="retention", action="retention.apply")
        try:
            admissions = {tenant: self._admit_application(tenant) for tenant in affected_tenants(runtime, digest)}
        except SecurevecError as error:
            begun = begun_before(runtime, digest) if isinstance(error, PlanChanged) else []
            if begun:
                return self._gone_on_with(whole, begun)
            whole.failure(error)
            raise
        for admission in admissions.values():
            admission.note(phase="intent")
        try:
            jobs = request_retention(runtime, digest, admissions, by=whole.scope.actor_ref)
        except SecurevecError as error:
            for admission in admissions.values():
                admission.failure(error, phase="result")
            whole.failure(error)
            raise
        whole.note(counts={"tenants": len(jobs)})
        settle_outbox(runtime)
        return [self._advanced(job) for job in jobs]

    def _gone_on_with(self, whole: Admission, begun: Sequence[JobRow]) -> list[JobResult]:
        """What the jobs of a plan that was applied before came to, for whoever may apply one to each of the tenants."""
        try:
            for job in begun:
                self._admit_application(TenantId(job.tenant)).note()
        except SecurevecError as error:
            whole.failure(error)
            raise
        whole.note(counts={"tenants": len(begun)})
        return [self._advanced(job) for job in begun]

    def _advanced(self, job: JobRow) -> JobResult:
        """One of several jobs: what stops it is kept with it and recorded, and does not stop the others."""
        try:
            return advance(self._runtime, MACHINES, job)
        except Exception as error:  # noqa: BLE001  # nobody else's job waits for this one
            now = self._runtime.control.job(job.job_id) or job
            return JobResult(job.job_id, now.state, None, waiting_for=error_name(error), failed=True)

    def run_job(self, job_id: str) -> JobResult:
        """Carry one job on as far as it goes here. Raises what stops it, and :class:`UsageError` for an unknown job."""
        job = self._runtime.control.job(job_id)
        if job is None:
            raise UsageError("There is no such job.", next_step="See: securevec jobs list")
        return advance(self._runtime, MACHINES, job)

    def promote_tenant(self, name: str, *, to: Layout) -> JobResult:
        """Move a tenant to a collection or a shard of its own on a Qdrant server, or back to the shared collection.

        It is read and written all the while: copied, compared with the manifest, switched, then removed from its old
        place. A move that stops is carried on by :meth:`run_jobs`, and may be taken back until it has switched
        (:meth:`cancel_job`). The receipt says what was compared and what was removed.

        Args:
            name: the tenant.
            to: ``collection``, ``shard`` (needs a server in cluster mode) or ``shared``.

        Raises:
            UsageError: the store has no such layout, or the tenant lives there already or is on its way elsewhere.
            CheckFailed: the store does not show what the manifest names; nothing was switched.
            PolicyDenied, TenantNotFound, TenantUnavailable, BackendError.
        """
        row = self._row(name)
        scope = self._scope(row.tenant, self._actor)
        admission = admit(self._runtime, scope, permission="tenant.manage", action="tenant.promote")
        try:
            job = request_move(self._runtime, admission, to)
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        return advance(self._runtime, MACHINES, job)

    def cancel_job(self, job_id: str) -> None:
        """Take back a retention job that has not begun, or a move that has not switched. Raises :class:`UsageError` for
        any other."""
        admission = admit(
            self._runtime, self._scope(INSTALLATION, self._actor), permission="retention", action="job.advance"
        )
        admission.note(phase="intent")
        job = self._runtime.control.job(job_id)
        try:
            if job is not None and job.kind == TENANT_PROMOTE:
                job = self._runtime.control.abandon_placement(job_id, now_ms=self._runtime.clock.now_ms())
            else:
                job = self._runtime.control.cancel_job(job_id, now_ms=self._runtime.clock.now_ms())
        except SecurevecError as error:
            admission.failure(error, phase="result")
            raise
        admission.note(phase="result", detail={"step": job.state})
        settle_outbox(self._runtime)
        advance(self._runtime, MACHINES, job)

    def _admit_application(self, tenant: TenantId) -> Admission:
        return admit(self._runtime, self._scope(tenant, self._actor), permission="retention", action="retention.apply")

    def _place(self, tenant: str | None, collection: str | None) -> tuple[Scope, CollectionId | None]:
        if tenant is None:
            if collection is not None:
                raise ConfigError("A collection belongs to a tenant; name it too.")
            return self._scope(INSTALLATION, self._actor), None
        row = self._row(tenant)
        place = require_collection(self._runtime, row.tenant, collection) if collection is not None else None
        return self._scope(row.tenant, self._actor), place
