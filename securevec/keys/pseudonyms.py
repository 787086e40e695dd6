"""The part of the key ring that keeps the ``pseudonym`` key of tenants: what surrogates are made under.

One random key a tenant, in numbered versions (:mod:`securevec.keys.versions`). A pseudonym key opens nothing; it dies
with its tenant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.keys import versions
from securevec.keys.destroy import drop_shown
from securevec.keys.keystore import KeyStore, number_of
from securevec.keys.openkeys import OpenKeys
from securevec.keys.versions import KeyVersions
from securevec.types import TenantId

PURPOSE: Final = "pseudonym"


class Pseudonyms:
    """Raises as the ring does; after an error nothing was changed."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def pseudonym_keys(self, tenant: TenantId) -> KeyVersions:
        """Raises :class:`KeyDestroyed` once the tenant is destroyed, :class:`KeyRejected` when the key is missing."""
        with self._store.lock:
            self._open.refresh()
            return versions.opened(self._open, _use(tenant))

    def pseudonym_versions(self) -> dict[str, int]:
        """The newest version of every tenant's pseudonym key, by tenant id in hex. No key is opened."""
        found: dict[str, int] = {}
        for row in self._store.all_rows(kind="tenant"):
            if row.use.purpose == PURPOSE:
                found[row.use.tenant.hex()] = max(number_of(row.use), found.get(row.use.tenant.hex(), 0))
        return found

    def begin_pseudonym_version(self, tenant: TenantId) -> int:
        """Make the next version, unless two are there already; the number of the newest."""
        return versions.begin(self._store, self._open, self._clock, _use(tenant))

    def number_pseudonyms(self) -> int:
        """Make the key that an earlier build wrote without a number the first version, tenant by tenant; how many those
        were. Idempotent. No tombstone is left: the key lives on, under another id."""
        numbered = 0
        for tenant in {row.use.tenant for row in self._store.all_rows(kind="tenant") if _unnumbered(row)}:
            with self._store.transaction():
                self._open.refresh()
                wrapping = self._open.tenant_wrapping(tenant)
                for row in filter(_unnumbered, self._store.rows_of_tenant(tenant)):
                    secret = wrapping.unwrap(row)
                    self._store.drop(row)
                    self._store.insert(wrapping.wrap(secret, replace(row.use, epoch="1"), created_ms=row.created_ms))
                    secret.wipe()
                    numbered += 1
        self._open.forget()
        return numbered

    def end_pseudonym_versions(self, tenant: TenantId, version: int) -> str:
        """Delete the versions before this one, and show that they are gone from the live files; the evidence.

        No tombstone is left: that would say that data was destroyed. Raises :class:`KeyUnavailable` while others keep
        the key store busy or bytes of a version are still found: the same call goes on.
        """

        def old() -> list[KeyRow]:
            self._open.refresh()
            rows = self._store.versions(_use(tenant))
            return [row for row in rows[:-1] if int(row.use.epoch) < version]

        try:
            return drop_shown(self._store, old)
        finally:
            self._open.forget()


def _unnumbered(row: KeyRow) -> bool:
    return row.use.purpose == PURPOSE and not row.use.epoch


def _use(tenant: TenantId) -> KeyUse:
    return KeyUse("tenant", PURPOSE, raw_id(tenant))
