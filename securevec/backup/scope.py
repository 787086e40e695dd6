"""Who makes and restores backups: whoever looks after the installation. Every attempt is admitted and recorded."""

from __future__ import annotations

import time

from securevec.audit import Action, request_id
from securevec.guard import Admission, admit
from securevec.policy import Actor, Decision, Permission
from securevec.state.runtime import Runtime, Scope
from securevec.store.open_home import INSTALLATION
from securevec.types import CollectionId, TenantId


def scope_of(runtime: Runtime, actor: Actor, tenant: TenantId = INSTALLATION) -> Scope:
    names = runtime.names
    return Scope(tenant=tenant, actor=actor, actor_token=names.actor_token(actor), actor_ref=names.actor_ref(actor))


def admit_manager(runtime: Runtime, actor: Actor, action: Action) -> Admission:
    """Raises :class:`PolicyDenied` for anybody but the local administrator, after recording it."""
    return admit(runtime, scope_of(runtime, actor), permission="tenant.manage", action=action)


def repeated(
    runtime: Runtime,
    scope: Scope,
    *,
    permission: Permission,
    action: Action,
    collection: CollectionId | None = None,
    fence: int | None = None,
) -> Admission:
    """The right to repeat in a restored home what somebody did before: whoever did it was asked then, and whoever
    restores was admitted as :func:`admit_manager` says. ``fence``: the tenant's, where it is known already."""
    return Admission(
        runtime=runtime,
        scope=scope,
        permission=permission,
        action=action,
        collection=collection,
        request_id=request_id(),
        fence=runtime.control.fence(scope.tenant).epoch if fence is None else fence,
        decision=Decision(True, "admin-operates"),
        started_ns=time.monotonic_ns(),
    )
