"""What every part of :class:`SecureStore` stands on: the open ports, who manages, and a tenant as an actor sees it."""

from __future__ import annotations

from typing import Final

from securevec.control.rows import TenantRow
from securevec.errors import TenantNotFound
from securevec.guard import refuse
from securevec.policy import Actor
from securevec.rows.validate import check_name
from securevec.state.runtime import Runtime, Scope
from securevec.types import TenantId, Uncopied

INSTALLATION: Final = TenantId("")
"""In the place of a tenant: what is done to the home itself."""


class OpenHome(Uncopied):
    """An open home, and the actor who manages it."""

    def __init__(self, runtime: Runtime, actor: Actor) -> None:
        self._runtime = runtime
        self._actor = actor

    def _row(self, name: str) -> TenantRow:
        check_name("tenant", name)
        row = self._runtime.control.tenant_by_token(self._runtime.names.tenant_token(name))
        if row is None:
            refusal = TenantNotFound("There is no such tenant.")
            refuse(self._runtime, self._scope(INSTALLATION, self._actor), action="tenant.open", error=refusal)
            raise refusal
        return row

    def _scope(self, tenant: TenantId, who: Actor) -> Scope:
        names = self._runtime.names
        return Scope(tenant=tenant, actor=who, actor_token=names.actor_token(who), actor_ref=names.actor_ref(who))
