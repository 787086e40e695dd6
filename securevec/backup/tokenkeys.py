"""The later versions of a tenant's token key, sealed so that an older key store of the same installation opens them.

Tombstones that were made under such a version are tokens of it, and a backup made before has no such key. The ``names``
key of the installation is in every key store of it and is never exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from securevec.backup.scope import repeated, scope_of
from securevec.control.rows import JobRow
from securevec.crypto.context import Place
from securevec.crypto.envelope import open_sealed, seal
from securevec.errors import BackupRejected
from securevec.keys.keyring import KeyRing
from securevec.policy import Actor
from securevec.rekeying.renewing import begin_renewal, switch
from securevec.state.runtime import Runtime
from securevec.types import TenantId


def seal_token_keys(keys: KeyRing, tenant: TenantId, version: int) -> list[bytes]:
    """The versions from the second up to this one. Raises as the ring does."""
    sealed: list[bytes] = []
    for number, key in enumerate(keys.token_lifts(tenant, 1, version), 2):
        keys.charge_names()
        sealed.append(seal(keys.names_key(), key, _place(tenant, number)))
    return sealed


def take_token_keys(keys: KeyRing, tenant: TenantId, sealed: Sequence[bytes]) -> None:
    """Put those that are missing into this key store. Raises :class:`EnvelopeRejected` for what was not sealed for this
    tenant and version, and :class:`KeyRejected` where another version stands in the place of one."""
    for number, each in enumerate(sealed, 2):
        keys.take_token_version(tenant, number, open_sealed(keys.names_key(), each, _place(tenant, number)))


def renew_tokens(runtime: Runtime, token_keys: Mapping[str, Sequence[bytes]]) -> dict[TenantId, int]:
    """Every token of a restored control store under the versions that came after the backup: what the newer state
    erased and held is named by those. Returns the version by tenant.

    Raises :class:`BackupRejected` where the key store is the newer state's, whose keys of people were made anew.
    """
    renewed: dict[TenantId, int] = {}
    for row in runtime.control.tenants():
        sealed, before = token_keys.get(row.tenant, []), runtime.control.token_version(row.tenant)
        if row.state != "active" or len(sealed) < before:
            continue
        if runtime.keys.has_named_after(row.tenant, before):
            raise BackupRejected(
                "People's keys were made anew after this backup, with a tenant's token key; the newer key store does "
                "not open their records.",
                next_step="Restore with the backup's own keys and a list of deletions: securevec backup tombstones",
            )
        take_token_keys(runtime.keys, row.tenant, sealed)
        for version in range(before + 1, len(sealed) + 2):
            switch(runtime, row.tenant, version, alone=True)
        renewed[row.tenant] = len(sealed) + 1
    return renewed


def begin_again(runtime: Runtime, actor: Actor, tenant: TenantId, version: int) -> JobRow:
    """The job that seals a restored tenant's records with tokens of this version, which is in force."""
    scope = scope_of(runtime, actor, tenant)
    admission = repeated(runtime, scope, permission="tenant.manage", action="key.renew")
    return begin_renewal(runtime, admission, version)


def _place(tenant: TenantId, number: int) -> Place:
    return Place(tenant=b"", collection=b"", point=UUID(hex=tenant), field=f"token-key/{number}")
