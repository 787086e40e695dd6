"""Retention: rules, what is due under them, and the transaction that begins to remove exactly what was planned.

What the rules mean is not decided here (:mod:`securevec.retention.rules`): functions that know are handed in, and are
asked inside the transaction, so that no rule, record or hold changes between the question and the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from securevec.control.collections import SELECT_COLLECTIONS, collection_row
from securevec.control.database import Database, Transaction, many
from securevec.control.holds import COVERS_LIVE, SELECT_HOLDS, held_among, hold_row
from securevec.control.hot import parts
from securevec.control.jobs import RETENTION_APPLY, accept
from securevec.control.minimums import too_young
from securevec.control.numbers import COLLECTION_NO, THIS_COLLECTION_NO, WITH_EPOCH
from securevec.control.room import Room, require_open
from securevec.control.rows import (
    CollectionRow,
    DueCollection,
    DueRow,
    HoldRow,
    JobItem,
    JobRow,
    RetentionRule,
    Survey,
)
from securevec.control.tenants import SELECT_TENANTS
from securevec.errors import CollectionNotFound, ControlUnavailable, PlanChanged, RetentionConflict, UsageError
from securevec.types import CollectionId, TenantId

T = TypeVar("T")

_RULE: Final = (
    "SELECT tenant, collection, classification, label_sealed, max_age_ms, min_age_ms, created_ms FROM retention_rule"
)
SELECT_RULES: Final = f"{_RULE} ORDER BY tenant, collection, classification"
INSERT_RULE: Final = (
    "INSERT INTO retention_rule (tenant, collection, classification, label_sealed, max_age_ms, min_age_ms, created_ms)"
    " VALUES (:tenant, :collection, :classification, :label_sealed, :max_age_ms, :min_age_ms, :created_ms)"
)
DELETE_RULE: Final = (
    "DELETE FROM retention_rule WHERE tenant = :tenant AND collection = :collection"
    " AND classification = :classification"
)
SELECT_DUE: Final = (
    f"SELECT ref, generation, n_chunks, epoch, ingested_ms FROM manifest m {WITH_EPOCH}"
    f" WHERE m.collection_no = {THIS_COLLECTION_NO} AND (expires_ms <= :as_of OR ingested_ms <= :aged) ORDER BY ref"
)
SELECT_EPOCHS: Final = (
    "SELECT epoch, n FROM (SELECT epoch_no, COUNT(*) AS n FROM ("
    f"SELECT epoch_no FROM manifest WHERE collection_no = {THIS_COLLECTION_NO}"
    f" UNION ALL SELECT epoch_no FROM transit WHERE collection_no = {THIS_COLLECTION_NO}) AS named"
    f" GROUP BY epoch_no) AS used {WITH_EPOCH} ORDER BY epoch"
)
SELECT_HOLDING: Final = (
    "SELECT DISTINCT h.hold_id FROM manifest m JOIN hold h ON h.tenant = ? AND h.released_ms IS NULL"
    f" AND {COVERS_LIVE} WHERE m.collection_no = {COLLECTION_NO} AND m.ref IN (*)"
)
UPSERT_PLAN: Final = (
    "INSERT INTO retention_plan (digest, data, created_ms) VALUES (:digest, :data, :now)"
    " ON CONFLICT (digest) DO NOTHING"
)
SELECT_PLAN: Final = "SELECT data FROM retention_plan WHERE digest = :digest"
DELETE_PLAN: Final = "DELETE FROM retention_plan WHERE digest = :digest"
DELETE_OLD_PLANS: Final = "DELETE FROM retention_plan WHERE created_ms < :before"

PLAN_KEPT_MS: Final = 30 * 86_400_000
_NEVER: Final = -1

Ages = Callable[[CollectionRow, Sequence[RetentionRule]], tuple[int | None, int | None]]
"""The strictest maximum age and the longest minimum age that apply to a collection, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One tenant's part of a plan, as its job is to be accepted: ids, and the job's JSON data."""

    job_id: str
    request_id: str
    data: str


class Retention(Room):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # Replaced as a whole, as the fences are.
        self._rules: tuple[int, tuple[RetentionRule, ...]] = (-1, ())

    def retention_rules(self) -> tuple[RetentionRule, ...]:
        """Every rule, by scope. Remembered until anyone commits anything, so every batch and search may ask."""
        version = self._db.version()
        known, rules = self._rules
        if known != version:
            rules = _rules(self._db)
            self._rules = (version, rules)
        return rules

    def put_rule(
        self,
        rule: RetentionRule,
        *,
        check: Callable[[Sequence[RetentionRule], Sequence[CollectionRow]], None],
        replace: bool = False,
    ) -> None:
        """Write a rule. ``check`` is asked about all rules, this one included, and all collections; what it raises
        leaves everything as it was.

        Raises :class:`RetentionConflict` (the scope has a rule, and ``replace`` is not set), :class:`TenantNotFound`,
        :class:`TenantUnavailable`, :class:`CollectionNotFound`, :class:`UsageError`.
        """
        if rule.collection and not rule.tenant:
            raise UsageError("A rule on a collection names its tenant.")
        scope = {"tenant": rule.tenant, "collection": rule.collection, "classification": rule.classification}
        with self._db.write() as tx:
            if rule.tenant:
                require_open(tx, TenantId(rule.tenant))
            collections = [
                collection_row(row)
                for tenant in tx.rows(SELECT_TENANTS)
                for row in tx.rows(SELECT_COLLECTIONS, {"tenant": tenant[0]})
            ]
            if rule.collection and (rule.tenant, rule.collection) not in {
                (c.tenant, c.collection) for c in collections
            }:
                raise CollectionNotFound("The tenant has no such collection.")
            if tx.run(DELETE_RULE, scope) and not replace:
                raise RetentionConflict(
                    "There is a rule for this very scope already.",
                    scopes=tuple(name for name, value in scope.items() if value) or ("installation",),
                    next_step="Replace it (replace=True, --replace), or remove it first.",
                )
            check([*_rules(tx), rule], collections)
            tx.run(INSERT_RULE, {name: getattr(rule, name) for name in rule.__slots__})

    def remove_rule(self, *, tenant: str, collection: str, classification: str) -> None:
        """Raises :class:`UsageError` when there is no rule for exactly this scope."""
        with self._db.write() as tx:
            if not tx.run(DELETE_RULE, {"tenant": tenant, "collection": collection, "classification": classification}):
                raise UsageError("There is no rule for this scope.", next_step="See: securevec retention rules")

    def too_young(self, collection: CollectionId, refs: Sequence[bytes], *, now_ms: int) -> list[bytes]:
        """Those live records among ``refs`` that a statutory minimum keeps at ``now_ms``."""
        return too_young(self._db, collection, refs, now_ms)

    def epochs_in_use(self, collection: CollectionId) -> dict[str, int]:
        """Key epochs that a live or a travelling record names, each with how many do."""
        return dict(self._db.rows(SELECT_EPOCHS, {"collection": collection}))

    def while_unused(self, collection: CollectionId, epoch: str, act: Callable[[], T]) -> T:
        """What ``act`` returns, done where nobody can announce a record of this key epoch beside it.

        Raises :class:`ControlUnavailable` when a live or a travelling record names the epoch; then ``act`` was not
        called.
        """
        with self._db.write() as tx:
            if any(named == epoch for named, _ in tx.rows(SELECT_EPOCHS, {"collection": collection})):
                raise ControlUnavailable(
                    "Records came under a key that was about to be destroyed; it is kept for them.",
                    next_step="Run: securevec jobs run",
                )
            return act()

    def survey(self, *, as_of_ms: int, tenant: TenantId | None, ages: Ages) -> Survey:
        """What is due at ``as_of_ms``, in one tenant or in all of them, as committed now."""
        # A write transaction: the answer must be of one moment, and readers have none that spans statements.
        with self._db.write() as tx:
            return _survey(tx, as_of_ms=as_of_ms, tenant=tenant, ages=ages)

    def keep_plan(self, digest: str, data: str, *, now_ms: int) -> None:
        """Remember a plan under its digest. Plans older than a month are forgotten."""
        with self._db.write() as tx:
            tx.run(DELETE_OLD_PLANS, {"before": now_ms - PLAN_KEPT_MS})
            tx.run(UPSERT_PLAN, {"digest": digest, "data": data, "now": now_ms})

    def plan(self, digest: str) -> str | None:
        """The data of a plan that was made and not applied yet."""
        row = self._db.row(SELECT_PLAN, {"digest": digest})
        return row[0] if row else None

    def begin_retention(
        self,
        *,
        digest: str,
        as_of_ms: int,
        tenant: TenantId | None,
        ages: Ages,
        digest_of: Callable[[Survey], str],
        intents: Callable[[Survey], dict[TenantId, Intent]],
        now_ms: int,
    ) -> list[JobRow]:
        """Accept the jobs of a plan, one per tenant, all or none, and use the plan up.

        What is due is looked up again inside the transaction, and must have the plan's digest. Raises
        :class:`PlanChanged` when it has not, or when the plan was applied meanwhile.
        """
        with self._db.write() as tx:
            if not tx.run(DELETE_PLAN, {"digest": digest}):
                raise PlanChanged("The plan was applied or forgotten meanwhile.")
            found = _survey(tx, as_of_ms=as_of_ms, tenant=tenant, ages=ages)
            if digest_of(found) != digest:
                raise PlanChanged("Records, rules or holds changed since the plan was made; nothing was done.")
            return [
                accept(
                    tx,
                    kind=RETENTION_APPLY,
                    tenant=each,
                    job_id=intent.job_id,
                    request_id=intent.request_id,
                    data=intent.data,
                    items=_items(found, each),
                    now_ms=now_ms,
                    as_of_ms=now_ms,
                )
                for each, intent in intents(found).items()
            ]


def _rules(source: Database | Transaction) -> tuple[RetentionRule, ...]:
    return tuple(RetentionRule(*row) for row in source.rows(SELECT_RULES))


def _items(found: Survey, tenant: TenantId) -> list[JobItem]:
    return [
        JobItem(due.collection, row.ref, row.generation, row.n_chunks, "delete")
        for due in found.collections
        if due.tenant == tenant
        for row in due.doomed
    ]


def _survey(tx: Transaction, *, as_of_ms: int, tenant: TenantId | None, ages: Ages) -> Survey:
    rules = _rules(tx)
    due: list[DueCollection] = []
    holds: list[HoldRow] = []
    passed_over = 0
    for each, _, _, state, *_ in tx.rows(SELECT_TENANTS):
        if state == "deleted" or tenant not in (None, each):
            continue
        if state != "active":
            passed_over += 1
            continue
        holds += [
            hold for row in tx.rows(SELECT_HOLDS, {"tenant": each}) if (hold := hold_row(row)).released_ms is None
        ]
        due += [
            _due(tx, collection_row(row), as_of_ms, *ages(collection_row(row), rules))
            for row in tx.rows(SELECT_COLLECTIONS, {"tenant": each})
        ]
    return Survey(as_of_ms, rules, tuple(holds), tuple(due), passed_over)


def _due(
    tx: Transaction, row: CollectionRow, as_of_ms: int, max_age_ms: int | None, min_age_ms: int | None
) -> DueCollection:
    aged = _NEVER if max_age_ms is None else as_of_ms - max_age_ms
    past = as_of_ms if min_age_ms is None else as_of_ms - min_age_ms
    scope = {"collection": row.collection, "as_of": as_of_ms, "aged": aged}
    found: list[Any] = tx.rows(SELECT_DUE, scope)
    old = [each for each in found if min_age_ms is None or each[4] <= past]
    refs = [each[0] for each in old]
    held = held_among(tx, row.tenant, row.collection, refs)
    holding = {
        hold_id
        for part in parts(refs)
        for (hold_id,) in tx.rows(many(SELECT_HOLDING, len(part)), (row.tenant, row.collection, *part))
    }
    return DueCollection(
        tenant=row.tenant,
        collection=row.collection,
        rows=tuple(
            DueRow(ref, generation, n_chunks, epoch, held.get(ref, "")) for ref, generation, n_chunks, epoch, _ in old
        ),
        holds=tuple(sorted(holding)),
        kept_by_minimum=len(found) - len(old),
        in_use=dict(tx.rows(SELECT_EPOCHS, {"collection": row.collection})),
    )
