"""Tenants, the roles of their actors, and the principals those actors are.

State of a tenant: active <-> suspended; active | suspended -> deleting -> deleted (``jobs``). The fence grows at each
change.
"""

from __future__ import annotations

from typing import Final, Literal

from securevec.control.room import Room, owe, require_known, require_open
from securevec.control.rows import TenantRow
from securevec.errors import ControlUnavailable, UsageError
from securevec.types import TenantId

OWNER: Final = "owner"

_TENANT: Final = "SELECT tenant, name_token, name_sealed, state, fence, created_ms, updated_ms FROM tenant"
SELECT_TENANT: Final = f"{_TENANT} WHERE tenant = :tenant"
SELECT_TENANT_BY_TOKEN: Final = f"{_TENANT} WHERE name_token = :name_token"
SELECT_TENANTS: Final = f"{_TENANT} ORDER BY created_ms, tenant_no"
SELECT_TENANT_TAKEN: Final = "SELECT 1 FROM tenant WHERE tenant = :tenant OR name_token = :name_token"
INSERT_TENANT: Final = (
    "INSERT INTO tenant (tenant, name_token, name_sealed, state, fence, created_ms, updated_ms)"
    " VALUES (:tenant, :name_token, :name_sealed, 'active', 1, :now, :now)"
)
UPDATE_TENANT_STATE: Final = (
    "UPDATE tenant SET state = :state, fence = fence + 1, updated_ms = :now WHERE tenant = :tenant"
)
INSERT_GRANT: Final = (
    "INSERT INTO principal_grant (tenant, actor_token, role, created_ms)"
    " VALUES (:tenant, :actor_token, :role, :now) ON CONFLICT DO NOTHING"
)
DELETE_GRANT: Final = (
    "DELETE FROM principal_grant WHERE tenant = :tenant AND actor_token = :actor_token AND role = :role"
)
SELECT_GRANTS: Final = "SELECT actor_token, role FROM principal_grant WHERE tenant = :tenant ORDER BY created_ms, rowid"
INSERT_PRINCIPAL: Final = (
    "INSERT INTO principal (actor_token, name_sealed, created_ms)"
    " VALUES (:actor_token, :name_sealed, :now) ON CONFLICT DO NOTHING"
)
SELECT_PRINCIPAL: Final = "SELECT 1 FROM principal WHERE actor_token = :actor_token"
SELECT_PRINCIPALS: Final = "SELECT actor_token, name_sealed FROM principal ORDER BY created_ms, rowid"


class Tenants(Room):
    def create_tenant(
        self,
        *,
        tenant: TenantId,
        name_token: bytes,
        name_sealed: bytes,
        now_ms: int,
        owner: tuple[bytes, bytes] | None = None,
    ) -> TenantRow:
        """An active tenant. The name of a deleted tenant is free again.

        ``owner`` is an actor's token and sealed name: it becomes a principal and the tenant's owner in the same
        transaction, so that no crash leaves a tenant that takes its name and that nobody may open.
        Raises :class:`UsageError` when the name, or the id, is taken; of two callers with one name, one gets it.
        """
        with self._db.write() as tx:
            if tx.row(SELECT_TENANT_TAKEN, {"tenant": tenant, "name_token": name_token}):
                raise UsageError("A tenant of this name exists already.", next_step="Open it without create.")
            tx.run(
                INSERT_TENANT,
                {"tenant": tenant, "name_token": name_token, "name_sealed": name_sealed, "now": now_ms},
            )
            if owner is not None:
                token, sealed = owner
                tx.run(INSERT_PRINCIPAL, {"actor_token": token, "name_sealed": sealed, "now": now_ms})
                tx.run(INSERT_GRANT, {"tenant": tenant, "actor_token": token, "role": OWNER, "now": now_ms})
        return TenantRow(tenant, name_token, name_sealed, "active", 1, now_ms, now_ms)

    def tenant_by_token(self, name_token: bytes) -> TenantRow | None:
        """The tenant of this name, in any state but deleted."""
        row = self._db.row(SELECT_TENANT_BY_TOKEN, {"name_token": name_token})
        return TenantRow(*row) if row else None

    def tenant(self, tenant: TenantId) -> TenantRow | None:
        """The tenant of this id, in any state."""
        row = self._db.row(SELECT_TENANT, {"tenant": tenant})
        return TenantRow(*row) if row else None

    def tenants(self) -> list[TenantRow]:
        """Every tenant, deleted ones included, oldest first."""
        return [TenantRow(*row) for row in self._db.rows(SELECT_TENANTS)]

    def set_tenant_state(
        self, tenant: TenantId, state: Literal["active", "suspended"], *, now_ms: int, request_id: str = ""
    ) -> TenantRow:
        """Suspend or resume: a new fence, effective in every process at its next read. No change when already so.

        The event owed for a change carries ``request_id``, that of the intent it answers.
        Raises :class:`TenantUnavailable` for a tenant being deleted or deleted, :class:`TenantNotFound`.
        """
        with self._db.write() as tx:
            before, fence = require_known(tx, tenant)
            require_open(tx, tenant)
            if before != state:
                tx.run(UPDATE_TENANT_STATE, {"tenant": tenant, "state": state, "now": now_ms})
                action = "tenant.suspend" if state == "suspended" else "tenant.resume"
                answers = {"request_id": request_id} if request_id else {}
                owe(tx, now_ms, action=action, tenant=tenant, fence=fence + 1, **answers)
            row = tx.row(SELECT_TENANT, {"tenant": tenant})
        if row is None:
            raise ControlUnavailable("The control store lost a row it just held.")
        return TenantRow(*row)

    def grant(self, tenant: TenantId, actor_token: bytes, role: str, now_ms: int) -> None:
        """Give an actor a role. Idempotent. Raises :class:`TenantUnavailable`, :class:`TenantNotFound`."""
        with self._db.write() as tx:
            require_open(tx, tenant)
            tx.run(INSERT_GRANT, {"tenant": tenant, "actor_token": actor_token, "role": role, "now": now_ms})

    def revoke(self, tenant: TenantId, actor_token: bytes, role: str) -> None:
        """Take a role away, in every process at its next read. Idempotent."""
        with self._db.write() as tx:
            tx.run(DELETE_GRANT, {"tenant": tenant, "actor_token": actor_token, "role": role})

    def grants(self, tenant: TenantId) -> list[tuple[bytes, str]]:
        """Actor token and role, oldest first."""
        return [(row[0], row[1]) for row in self._db.rows(SELECT_GRANTS, {"tenant": tenant})]

    def remember_principal(self, actor_token: bytes, name_sealed: bytes, now_ms: int) -> None:
        """Keep the sealed name behind an actor pseudonym. The first one stays; a known one costs no write."""
        if self._db.row(SELECT_PRINCIPAL, {"actor_token": actor_token}):
            return
        with self._db.write() as tx:
            tx.run(INSERT_PRINCIPAL, {"actor_token": actor_token, "name_sealed": name_sealed, "now": now_ms})

    def principals(self) -> dict[bytes, bytes]:
        """Actor token to sealed name, oldest first."""
        return {row[0]: row[1] for row in self._db.rows(SELECT_PRINCIPALS)}
