"""Repeating in a restored home, which nobody else can open yet, what a newer state decided after the backup.

1. the clock is raised to the newer state's: what expired stays expired
2. holds and minimums of the backup are laid down: the newer state asked its own before it deleted
3. tenants it deleted are deleted, tokens become those of its token keys (``tokenkeys``), records that are gone there
   are removed
4. keys it destroyed are destroyed here, once records that live there were sealed anew under others, and vectors
   cloaked anew (``rekeyed``)
5. people it erased are erased: this and 3 by the code that does it in a living home, read back, purged, with a receipt
6. records that no key opens any more are removed, and collections whose filter key was exchanged are indexed anew
7. holds, rules and quotas of the newer state take their place, and behind them, when the home is opened, go on the
   jobs that a hold may stop: erasures that were accepted there and had not ended, and what the backup had begun. A
   retention job that had only been accepted at the backup is taken back: what is due is planned again
8. tenants whose pseudonym key was exchanged get new surrogates (``respelled``)
9. roles it took away are taken away, tenants it suspended are suspended

Any failure is raised, and the home stays closed: the restore is run again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from uuid import uuid4

from securevec.audit import request_id
from securevec.backup import rekeyed
from securevec.backup.ledger import Ledger
from securevec.backup.respelled import respell_anew
from securevec.backup.scope import scope_of
from securevec.backup.tokenkeys import begin_again, renew_tokens
from securevec.control.database import Transaction
from securevec.control.jobs import ACCEPTED, KEY_RESURROGATE, RETENTION_APPLY, SUBJECT_ERASE, Erasure, Items
from securevec.control.rows import JobItem, JobRow
from securevec.control.subjects import people_in, records_of
from securevec.errors import DeletionIncomplete, UnknownFormat, WriteNotAcknowledged
from securevec.guard import settle_outbox
from securevec.jobs import advance, encode, run_pending
from securevec.limits import MAX_BATCH
from securevec.people import shred
from securevec.policy import Actor
from securevec.proof.residue import refuse_residue
from securevec.removing.batch import remove_batch
from securevec.state.runtime import Runtime
from securevec.store.machines import MACHINES
from securevec.types import CollectionId, TenantId


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was repeated: counts of keys destroyed, tenants deleted, records removed, people's tokens erased, roles
    taken away. ``older`` records of the backup were replaced since. Of these, ``unreadable`` ones are removed: their
    keys are destroyed. The others are as they were at the backup. ``indexed`` collections got filter tokens anew,
    ``cloaked`` ones a new cloak key.
    ``respelled`` tenants get new surrogates, by a job that may have to go on when the home is open."""

    keys: int
    tenants: int
    records: int
    tokens: int
    roles: int
    older: int
    unreadable: int = 0
    indexed: int = 0
    respelled: int = 0
    cloaked: int = 0


def replay(runtime: Runtime, actor: Actor, ledger: Ledger) -> Replayed:
    """See the head of this file. Raises :class:`DeletionIncomplete`, :class:`WriteNotAcknowledged` and what stopped
    it, and then the home must not be opened."""
    control, clock = runtime.control, runtime.clock
    if ledger.revision != control.revision():
        raise UnknownFormat(
            "The newer control store is of another release than the backup.",
            next_step="Restore with the release that made the backup, then upgrade.",
        )
    clock.raise_floor(ledger.floor_ms)
    control.raise_time_floor(clock.floor_ms())
    control.lay_down_authority()
    # Before anything is embedded again: what was denied since the backup receives nothing here either.
    control.take_model_list(ledger.authority["model_list"])
    for row in control.tenants():
        if row.state == "suspended":
            control.set_tenant_state(row.tenant, "active", now_ms=clock.now_ms())
    jobs = _delete_tenants(runtime, actor, ledger)
    renewed = renew_tokens(runtime, ledger.token_keys)
    rekeyed.require_cloaks(runtime)
    runtime.backend()
    run_pending(runtime, MACHINES, due=partial(_needs_no_hold, ledger))
    records = _delete_records(runtime, actor, ledger)
    rekeyed.keep_readable(runtime, actor, ledger.keys)
    cloaked = rekeyed.cloak_anew(runtime, actor, ledger.keys)
    destroyed = runtime.keys.destroy_keys(ledger.keys)
    runtime.keys.search_elsewhere(None, partial(refuse_residue, runtime.home))
    tokens, erasures = _erase(runtime, actor, ledger, waiting=False)
    renewals = [begin_again(runtime, actor, tenant, version) for tenant, version in renewed.items()]
    for job in (*jobs, *erasures, *renewals):
        advance(runtime, MACHINES, job).raise_if_incomplete()
    _require_gone(runtime, ledger)
    unreadable = rekeyed.drop_unreadable(runtime, actor)
    indexed = rekeyed.index_anew(runtime, actor, ledger.filters)
    waiting, _ = _erase(runtime, actor, ledger, waiting=True)
    _hide_again(runtime, actor, ledger)
    _take_back_retention(runtime)
    control.take_authority(ledger.authority)
    respelled = respell_anew(runtime, actor, ledger.pseudonyms)
    roles = _narrow(runtime, ledger)
    settle_outbox(runtime)
    tokens += waiting
    return Replayed(destroyed, len(jobs), records, tokens, roles, ledger.older, unreadable, indexed, respelled, cloaked)


def _needs_no_hold(ledger: Ledger, job: JobRow) -> bool:
    """Whether a job that was open at the backup goes on before the newer state's holds stand: one that no hold stops,
    or an erasure that has ended there."""
    if job.kind == SUBJECT_ERASE:
        return not set(people_in(job.data)) & set(ledger.waiting.get(job.tenant, []))
    return job.kind not in (RETENTION_APPLY, KEY_RESURROGATE)


def _take_back_retention(runtime: Runtime) -> None:
    """The newer state may have taken such a job back, or held what it lists, before it removed anything."""
    control, now_ms = runtime.control, runtime.clock.now_ms()
    for job in control.jobs(open_only=True):
        if job.kind == RETENTION_APPLY and job.state == ACCEPTED:
            control.lease_job(job.job_id, owner=job.owner, until_ms=0, now_ms=now_ms)  # of a process of then
            control.cancel_job(job.job_id, now_ms=now_ms)


def _delete_tenants(runtime: Runtime, actor: Actor, ledger: Ledger) -> list[JobRow]:
    requested = {"ms": runtime.clock.now_ms(), "by": scope_of(runtime, actor).actor_ref}
    jobs = [
        runtime.control.replay_tenant_deletion(
            row.tenant,
            job_id=uuid4().hex,
            request_id=request_id(),
            data=encode({"requested": requested}),
            now_ms=runtime.clock.now_ms(),
        )
        for row in runtime.control.tenants()
        if ledger.tenants.get(row.tenant) in ("deleting", "deleted")
    ]
    return [job for job in jobs if job is not None]


def _delete_records(runtime: Runtime, actor: Actor, ledger: Ledger) -> int:
    removed = 0
    for row, fence in rekeyed.collections(runtime):
        refs = ledger.gone.get(row.collection, [])
        namespace = runtime.names.namespace(row.tenant, row.collection)
        admission = rekeyed.admission_of(runtime, actor, row, fence)
        for start in range(0, len(refs), MAX_BATCH):
            live = runtime.control.live(row.collection, refs[start : start + MAX_BATCH])
            if live:
                removed += len(remove_batch(runtime, admission, namespace, list(live))[1])
    return removed


def _erase(runtime: Runtime, actor: Actor, ledger: Ledger, *, waiting: bool) -> tuple[int, list[JobRow]]:
    """Erase people again, one job for each tenant and end of its write fence: those whose erasure has ended in the
    newer state, or those for whom it was accepted and is ``waiting``. Returns how many, and the jobs, accepted."""
    active = {row.tenant: row.fence for row in runtime.control.tenants() if row.state == "active"}
    known = {(tenant, token): at for tenant, token, at, _ in runtime.control.tombstones()}
    groups: dict[tuple[TenantId, int], list[bytes]] = defaultdict(list)
    for tenant, token, at, until in ledger.tombstones:
        if (token in ledger.waiting.get(tenant, [])) != waiting:
            continue
        if tenant in active and known.get((tenant, token), -1) < at:
            groups[tenant, until].append(token)
    jobs: list[JobRow] = []
    for (tenant, until), tokens in groups.items():
        jobs.append(_accept(runtime, actor, tenant, active[tenant], tokens, [], until, _carriers(tenant, tokens)))
    return sum(map(len, groups.values())), jobs


def _hide_again(runtime: Runtime, actor: Actor, ledger: Ledger) -> None:
    """Erase again whom a declared name led to, where that is waiting in the newer state: no tombstone names them, so
    the records themselves are listed. An erasure that was accepted before the backup has listed them already."""
    control, fenced = runtime.control, {(tenant, token) for tenant, token, _, _ in ledger.tombstones}
    for tenant, rows in groupby(rekeyed.collections(runtime), key=lambda each: (each[0].tenant, each[1])):
        items: list[JobItem] = []
        for row, _ in rows:
            refs = ledger.going.get(row.collection, [])
            hidden = {ref for ref, _ in control.hidden_records(row.tenant, row.collection, refs)}
            there = control.current(row.collection, [ref for ref in refs if ref not in hidden])
            items += [JobItem(row.collection, ref, at.generation, at.n_chunks, "delete") for ref, at in there.items()]
        if items:
            led = [token for token in ledger.waiting.get(tenant[0], []) if (tenant[0], token) not in fenced]
            _accept(runtime, actor, *tenant, [], led, runtime.clock.now_ms(), partial(_listed, items))


def _listed(items: list[JobItem], tx: Transaction) -> list[JobItem]:
    return items


def _accept(
    runtime: Runtime,
    actor: Actor,
    tenant: TenantId,
    fence: int,
    tokens: list[bytes],
    shared: list[bytes],
    until_ms: int,
    items: Items,
) -> JobRow:
    """The erasure of whom these tokens name; ``shared`` are those that fence nothing."""
    now_ms = runtime.clock.now_ms()
    data = {
        "requested": {"ms": now_ms, "by": scope_of(runtime, actor).actor_ref},
        "subjects": [],
        "tokens": [token.hex() for token in tokens],
        "shared": [token.hex() for token in shared],
        "by_name_only": 0,
        "names": bool(tokens),
        "until_ms": until_ms,
        "keys": shred.planned(runtime, tenant, [*tokens, *shared]),
    }
    return runtime.control.begin_job(
        kind=SUBJECT_ERASE,
        tenant=tenant,
        job_id=uuid4().hex,
        request_id=request_id(),
        fence=fence,
        data=encode(data),
        items=items,
        now_ms=now_ms,
        erase=Erasure(tokens, until_ms),
    )


def _carriers(tenant: TenantId, tokens: list[bytes]) -> Items:
    def items(tx: Transaction) -> list[JobItem]:
        return [
            JobItem(row.collection, row.ref, row.generation, row.n_chunks, "delete" if row.about else "redact")
            for row in records_of(tx, tenant, tokens)
        ]

    return items


def _narrow(runtime: Runtime, ledger: Ledger) -> int:
    """Roles and states as narrow as in the newer state; nothing is widened."""
    taken = 0
    for row in runtime.control.tenants():
        if row.state != "active":
            continue
        taken += runtime.control.keep_grants(row.tenant, ledger.grants.get(row.tenant, []))
        if ledger.tenants.get(row.tenant) == "suspended":
            runtime.control.set_tenant_state(row.tenant, "suspended", now_ms=runtime.clock.now_ms())
    return taken


def _require_gone(runtime: Runtime, ledger: Ledger) -> None:
    """Read back that nothing is served which the newer state deleted."""
    for row in runtime.control.tenants():
        if ledger.tenants.get(row.tenant, "active") in ("deleting", "deleted") and row.state != "deleted":
            raise DeletionIncomplete("A tenant that was deleted after the backup is still there.", job_id="")
    for collection, refs in ledger.gone.items():
        if runtime.control.live(CollectionId(collection), refs):
            raise WriteNotAcknowledged("A record that was deleted after the backup is still there.")
