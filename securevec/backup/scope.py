"""Who makes and restores backups: whoever looks after the installation. Every attempt is admitted and recorded."""

from __future__ import annotations

from securevec.audit import Action
from securevec.guard import Admission, admit
from securevec.policy import Actor
from securevec.runtime import Runtime, Scope
from securevec.store.open_home import INSTALLATION
from securevec.types import TenantId


def scope_of(runtime: Runtime, actor: Actor, tenant: TenantId = INSTALLATION) -> Scope:
    names = runtime.names
    return Scope(tenant=tenant, actor=actor, actor_token=names.actor_token(actor), actor_ref=names.actor_ref(actor))


def admit_manager(runtime: Runtime, actor: Actor, action: Action) -> Admission:
    """Raises :class:`PolicyDenied` for anybody but the local administrator, after recording it."""
    return admit(runtime, scope_of(runtime, actor), permission="tenant.manage", action=action)
