"""Retention rules as they are set, listed and removed, and the retention a record gets when it is ingested."""

from __future__ import annotations

from dataclasses import dataclass

from securevec.control.rows import RetentionRule
from securevec.errors import ConfigError, SecurevecError
from securevec.guard import admit
from securevec.retention.rules import maximum_age, parse_retention, require_consistent, shortest
from securevec.rows.validate import check_name
from securevec.state.runtime import CollectionScope, Runtime, Scope
from securevec.types import CollectionId, TenantId


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the names of its scope; ``None`` is any. Ages are in milliseconds; ``None`` is no such bound."""

    tenant: str | None
    collection: str | None
    classification: str | None
    max_age_ms: int | None
    min_age_ms: int | None


def effective_retention(runtime: Runtime, collection: CollectionScope) -> int | None:
    """How long a record ingested now is kept: the collection's own retention, or a shorter maximum age that applies."""
    rules = runtime.control.retention_rules()
    if not rules:
        return collection.retention_ms
    token = runtime.names.classification_token(collection.classification)
    return shortest(collection.retention_ms, maximum_age(rules, collection.tenant, collection.collection, token))


def set_rule(
    runtime: Runtime,
    scope: Scope,
    *,
    collection: CollectionId | None,
    classification: str | None,
    max_age: str | None,
    min_age: str | None,
    replace: bool,
) -> None:
    """Intent, change, result. ``scope`` is of the tenant the rule is on, or of the installation for all of them.

    Raises :class:`ConfigError` (no age, or one that is none), :class:`RetentionConflict`, :class:`PolicyDenied`,
    :class:`CollectionNotFound`.
    """
    admission = admit(
        runtime, scope, permission="retention", action="retention.rule", collection=collection, states=_STATES
    )
    try:
        rule = _rule(runtime, scope, collection, classification, max_age, min_age)
    except SecurevecError as error:
        admission.failure(error)
        raise
    longest = rule.max_age_ms if rule.max_age_ms is not None else rule.min_age_ms
    detail: dict[str, str | int | bool] = {"retention_ms": longest or 0, "change": "created"}
    admission.note(phase="intent", detail=detail)
    try:
        runtime.control.put_rule(rule, check=require_consistent, replace=replace)
    except SecurevecError as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", detail=detail)


def remove_rule(runtime: Runtime, scope: Scope, *, collection: CollectionId | None, classification: str | None) -> None:
    """Intent, change, result. Records keep the expiry they were sealed with. Raises :class:`UsageError` for no rule."""
    admission = admit(
        runtime, scope, permission="retention", action="retention.rule", collection=collection, states=_STATES
    )
    detail: dict[str, str | int | bool] = {"change": "removed"}
    try:
        token = _token(runtime, classification)
    except SecurevecError as error:
        admission.failure(error)
        raise
    admission.note(phase="intent", detail=detail)
    try:
        runtime.control.remove_rule(tenant=scope.tenant, collection=collection or "", classification=token)
    except SecurevecError as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", detail=detail)


def list_rules(runtime: Runtime, scope: Scope) -> list[Rule]:
    """Every rule, with the names of its scope."""
    admission = admit(runtime, scope, permission="retention", action="retention.rule")
    listed: list[Rule] = []
    with admission.reading():
        tenants = {row.tenant: row for row in runtime.control.tenants()}
        for rule in runtime.control.retention_rules():
            tenant = tenants.get(TenantId(rule.tenant)) if rule.tenant else None
            sealed = tenant.name_sealed if tenant is not None else None
            row = runtime.control.collection(CollectionId(rule.collection)) if rule.collection else None
            listed.append(
                Rule(
                    tenant=_open(runtime, sealed, rule.tenant, "tenant-name"),
                    collection=_open(runtime, row.name_sealed if row else None, rule.collection, "collection-name"),
                    classification=_open(runtime, rule.label_sealed or None, rule.classification, "classification"),
                    max_age_ms=rule.max_age_ms,
                    min_age_ms=rule.min_age_ms,
                )
            )
    admission.note(counts={"found": len(listed)})
    return listed


_STATES = ("active", "suspended")


def _rule(
    runtime: Runtime,
    scope: Scope,
    collection: CollectionId | None,
    classification: str | None,
    max_age: str | None,
    min_age: str | None,
) -> RetentionRule:
    if max_age is None and min_age is None:
        raise ConfigError("A rule says a maximum age, a minimum age, or both.", next_step="For example max_age=180d.")
    token = _token(runtime, classification)
    label = b""
    if classification is not None:
        label = runtime.names.seal(classification, row=bytes.fromhex(token), kind="classification")
    return RetentionRule(
        tenant=scope.tenant,
        collection=collection or "",
        classification=token,
        label_sealed=label,
        max_age_ms=parse_retention(max_age) if max_age is not None else None,
        min_age_ms=parse_retention(min_age) if min_age is not None else None,
        created_ms=runtime.clock.now_ms(),
    )


def _token(runtime: Runtime, classification: str | None) -> str:
    if classification is None:
        return ""
    return runtime.names.classification_token(check_name("collection", classification))


def _open(runtime: Runtime, sealed: bytes | None, row: str, kind: str) -> str | None:
    return runtime.names.open_text(sealed, row=bytes.fromhex(row), kind=kind) if sealed is not None and row else None
