"""A retention plan: what would go and what is kept, and a digest that stands for exactly that.

The digest covers the moment, the rules, every due record in its generation, whether it is held, and the standing holds.
Records come into it by their keyed refs. ``apply`` looks everything up again as of the plan's moment and must find the
same, so what was planned is what is done, and what became due since waits for the next plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from securevec.control.rows import DueCollection, Survey
from securevec.crypto.kdf import lp
from securevec.errors import PlanChanged
from securevec.retention.rules import ages, bucket_end, may_die
from securevec.state.runtime import Runtime
from securevec.text import utf8_size
from securevec.types import CollectionId, TenantId

_DOMAIN: Final = b"securevec/retention-plan/v1"


@dataclass(frozen=True, slots=True)
class PlannedCollection:
    """What a plan says of one collection. ``records`` and ``chunks`` would go; ``held`` records are due and kept by
    ``holds`` holds; ``kept_by_minimum`` are past their end and kept by a minimum; ``key_buckets`` are epochs whose
    keys would be destroyed."""

    tenant: TenantId
    collection: CollectionId
    records: int
    chunks: int
    held: int
    holds: int
    kept_by_minimum: int
    key_buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """A dry run. ``passed_over`` tenants are suspended or being deleted and are left alone. Nothing was changed."""

    digest: str
    as_of_ms: int
    collections: tuple[PlannedCollection, ...]
    passed_over: int

    @property
    def records(self) -> int:
        return sum(each.records for each in self.collections)

    @property
    def held(self) -> int:
        return sum(each.held for each in self.collections)

    @property
    def nothing_to_do(self) -> bool:
        return not any(each.records or each.key_buckets for each in self.collections)


def make_plan(runtime: Runtime, *, tenant: TenantId | None) -> RetentionPlan:
    """Look up what is due now, in one tenant or in all, and remember the plan under its digest.

    Raises :class:`HomeRefused` while the clock contradicts itself, as whatever applies the plan does."""
    as_of_ms = runtime.clock.sure_ms()
    found = runtime.control.survey(as_of_ms=as_of_ms, tenant=tenant, ages=ages)
    digest = digest_of(found, tenant)
    data = orjson.dumps({"as_of_ms": as_of_ms, "tenant": tenant}).decode()
    runtime.control.keep_plan(digest, data, now_ms=as_of_ms)
    dying = dying_epochs(runtime, found.collections, now_ms=as_of_ms)
    return RetentionPlan(
        digest,
        as_of_ms,
        tuple(
            PlannedCollection(
                tenant=due.tenant,
                collection=due.collection,
                records=len(due.doomed),
                chunks=sum(row.n_chunks for row in due.doomed),
                held=len(due.rows) - len(due.doomed),
                holds=len(due.holds),
                kept_by_minimum=due.kept_by_minimum,
                key_buckets=dying.get(due.collection, ()),
            )
            for due in found.collections
        ),
        found.passed_over,
    )


def read_plan(runtime: Runtime, digest: str) -> tuple[int, TenantId | None]:
    """Moment and tenant of a plan that was made here. Raises :class:`PlanChanged` when there is none."""
    data = runtime.control.plan(digest) if _is_digest(digest) else None
    if data is None:
        raise PlanChanged("There is no plan of this digest, or it was applied already; nothing was done.")
    kept: dict[str, Any] = orjson.loads(data)
    if kept["as_of_ms"] > runtime.clock.sure_ms():
        raise PlanChanged("The plan is of a moment that has not come yet: a clock was wrong. Nothing was done.")
    return int(kept["as_of_ms"]), TenantId(kept["tenant"]) if kept["tenant"] else None


def _is_digest(given: object) -> bool:
    """Typed by somebody, so it need not be text that a store can be asked for."""
    return isinstance(given, str) and utf8_size(given) is not None


def affected_tenants(runtime: Runtime, digest: str) -> list[TenantId]:
    """Tenants of which something would go. Raises :class:`PlanChanged` when the plan no longer matches."""
    as_of_ms, tenant = read_plan(runtime, digest)
    found = runtime.control.survey(as_of_ms=as_of_ms, tenant=tenant, ages=ages)
    if digest_of(found, tenant) != digest:
        raise PlanChanged("Records, rules or holds changed since the plan was made; nothing was done.")
    dying = dying_epochs(runtime, found.collections, now_ms=runtime.clock.sure_ms())
    return list(dict.fromkeys(due.tenant for due in found.collections if due.doomed or dying.get(due.collection)))


def digest_of(found: Survey, tenant: TenantId | None) -> str:
    """64 hex digits: SHA-256 over the survey in one spelling (docs/formats.md section 9)."""
    state = hashlib.sha256(_DOMAIN + found.as_of_ms.to_bytes(8, "big") + lp((tenant or "").encode()))
    rules = [
        [rule.tenant, rule.collection, rule.classification, rule.max_age_ms, rule.min_age_ms] for rule in found.rules
    ]
    holds = [
        [hold.hold_id, hold.tenant, hold.collection, (hold.record_ref or b"").hex(), hold.of_subject]
        for hold in found.holds
    ]
    state.update(lp(orjson.dumps(rules), orjson.dumps(holds)))
    for due in found.collections:
        state.update(lp(due.tenant.encode(), due.collection.encode()) + len(due.rows).to_bytes(8, "big"))
        for row in due.rows:
            state.update(lp(row.ref, row.hold_id.encode()) + row.generation.to_bytes(8, "big"))
    return state.hexdigest()


def dying_epochs(
    runtime: Runtime, collections: Sequence[DueCollection], *, now_ms: int
) -> Mapping[CollectionId, tuple[str, ...]]:
    """Per collection the epochs whose keys die once what is doomed has gone: their bucket has ended, and no other
    record is sealed under them but held ones, which are sealed anew under a key of their hold."""
    keyed: dict[str, set[str]] = {}
    for key in runtime.keys.list_keys(kind="dek"):
        keyed.setdefault(key.collection, set()).add(key.epoch)
    dying: dict[CollectionId, tuple[str, ...]] = {}
    for due in collections:
        left = dict(due.in_use)
        for row in due.rows:
            if not row.hold_id or has_ended(row.epoch, now_ms=now_ms):
                left[row.epoch] = left.get(row.epoch, 0) - 1
        over = {epoch for epoch in keyed.get(due.collection, ()) if may_die(epoch, now_ms=now_ms)}
        dead = tuple(sorted(epoch for epoch in over if left.get(epoch, 0) <= 0))
        if dead:
            dying[due.collection] = dead
    return dying


def has_ended(epoch: str, *, now_ms: int) -> bool:
    """Whether every record the epoch was ever for is due. Never for the epoch ``never``."""
    end = bucket_end(epoch)
    return end is not None and now_ms >= end
