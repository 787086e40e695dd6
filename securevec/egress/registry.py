"""The list of models as the operator changes and reads it: intent, change, result, each in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from securevec.egress.gate import Cause, ask, entries_of, number_of, sealed_list
from securevec.errors import CollectionNotFound, ControlUnavailable, SecurevecError
from securevec.guard import admit
from securevec.policy.models import ModelEntry, ModelList, Use, check_word, with_entry, without
from securevec.state.runtime import Runtime, Scope
from securevec.types import CollectionId, TenantId

Entries = tuple[ModelEntry, ...]

_STATES = ("active", "suspended")


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Whether a model may receive texts of a collection, and what decided: a reason of the list, ``reclassified`` or
    ``unreadable``."""

    allowed: bool
    reason: str


def allow_model(runtime: Runtime, scope: Scope, entry: ModelEntry) -> None:
    """Put an entry on the list, in the place of the one for this model and tenant. Makes the list when there is none.

    ``scope`` is of the tenant it is for, or of the installation for all of them. Raises :class:`ConfigError` for a
    value that cannot be used, :class:`PolicyDenied`, :class:`ControlUnavailable`.
    """
    own = replace(entry, tenant=scope.tenant)
    _change(runtime, scope, entry.model, lambda entries: with_entry(entries, own))


def deny_model(runtime: Runtime, scope: Scope, model: str) -> None:
    """Let a model receive nothing: of one tenant, or of any, whatever the list had for it. Raises as above."""
    _change(runtime, scope, model, lambda entries: without(entries, model, tenant=scope.tenant))


def clear_models(runtime: Runtime, scope: Scope) -> None:
    """Forget the list: every model may receive everything again. Works on a list that cannot be read."""
    _change(runtime, scope, None, lambda _: None)


def list_models(runtime: Runtime, scope: Scope) -> list[ModelEntry] | None:
    """The entries, with names in the place of tenants' ids; without those of tenants that were deleted since. ``None``
    when there is no list. Raises what an unreadable one raises."""
    admission = admit(runtime, scope, permission="tenant.manage", action="model.rule")
    with admission.reading():
        entries = entries_of(runtime)
        names = {
            row.tenant: runtime.names.open_text(row.name_sealed, row=bytes.fromhex(row.tenant), kind="tenant-name")
            for row in runtime.control.tenants()
            if row.name_sealed is not None
        }
    listed = (
        None
        if entries is None
        else [
            replace(entry, tenant=names.get(TenantId(entry.tenant), ""))
            for entry in entries
            if not entry.tenant or entry.tenant in names
        ]
    )
    admission.note(counts={"found": len(listed or ())})
    return listed


def check_model(runtime: Runtime, scope: Scope, use: Use, collection: CollectionId) -> ModelCheck:
    """What a call with this model would be answered, without making one. Raises :class:`PolicyDenied`."""
    admission = admit(
        runtime, scope, permission="tenant.manage", action="model.rule", collection=collection, states=_STATES
    )
    cause: Cause | str
    try:
        if runtime.control.classification_of(scope.tenant, collection) is None:
            raise CollectionNotFound("The tenant has no such collection.")
        allowed, cause = ask(runtime, use, collection)
    except (ControlUnavailable, CollectionNotFound) as error:
        admission.failure(error)
        raise
    except Exception:  # noqa: BLE001  # as in the gate: whatever went wrong, the answer of a call would be no
        allowed, cause = False, "unreadable"
    admission.note(detail={"model": runtime.names.model_token(use.model)})
    return ModelCheck(allowed, cause)


def _change(
    runtime: Runtime, scope: Scope, model: str | None, edit: Callable[[Entries | None], Entries | None]
) -> None:
    admission = admit(runtime, scope, permission="tenant.manage", action="model.rule", states=_STATES)
    detail: dict[str, str | int | bool] = {"change": "removed" if model is None else "replaced"}
    try:
        before = runtime.control.model_list()
        if model is not None:
            detail["model"] = runtime.names.model_token(check_word("model", model))
        after = edit(None if model is None else entries_of(runtime))
        number = number_of(runtime, before) + 1
        there = None if after is None else _of_tenants_there_are(runtime, after)
        sealed = sealed_list(runtime, ModelList(there, number))
    except SecurevecError as error:
        admission.failure(error)
        raise
    admission.note(phase="intent", detail=detail)
    try:
        runtime.control.replace_model_list(sealed, expect=before, now_ms=runtime.clock.now_ms())
        runtime.keys.keep_models(number)  # from here on, the list of before is refused
    except SecurevecError as error:
        admission.failure(error, phase="result")
        raise
    admission.note(phase="result", detail=detail)


def _of_tenants_there_are(runtime: Runtime, entries: Entries) -> Entries:
    there = {row.tenant for row in runtime.control.tenants() if row.state != "deleted"}
    return tuple(entry for entry in entries if not entry.tenant or entry.tenant in there)
