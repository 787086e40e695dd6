"""The part of the key ring that keeps the filter keys of collections: what filter tokens and terms are made under.

One random key a collection, in numbered versions. There is one version, or, while the collection is re-indexed, two:
what is written carries tokens of the newer, what is asked for is asked under both. Begin and end are one transaction
each, and every process sees them at its next look at the store. A filter key opens nothing; it dies with its tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.keystore import KeyStore
from securevec.crypto.openkeys import OpenKeys
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.types import CollectionId, TenantId

PURPOSE: Final = "filter"


@dataclass(frozen=True, slots=True, repr=False)
class FilterKeys:
    """``key`` (32 bytes) of the newest ``version``, and the one ``before`` it while stored tokens may be under it."""

    version: int
    key: bytes
    before: bytes | None = None

    def __repr__(self) -> str:
        return f"FilterKeys(version={self.version})"


class Filtering:
    """Raises as the ring does; after an error nothing was changed."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def create_filter_key(self, tenant: TenantId, collection: CollectionId) -> None:
        """Make the first version of the collection's filter key, unless it has one. Raises :class:`KeyDestroyed`."""
        with self._store.transaction():
            self._open.refresh()
            if not self._versions(tenant, collection):
                self._insert(tenant, collection, 1)

    def filter_keys(self, tenant: TenantId, collection: CollectionId) -> FilterKeys:
        """Raises :class:`KeyDestroyed` once the tenant is destroyed, :class:`KeyRejected` when the key is missing."""
        with self._store.lock:
            self._open.refresh()
            return opened_filter_keys(self._open, tenant, collection)

    def filter_versions(self) -> dict[str, int]:
        """The newest version of every collection's filter key, by collection id in hex. No key is opened."""
        found: dict[str, int] = {}
        for row in self._store.all_rows(kind="tenant"):
            if row.use.purpose == PURPOSE:
                found[row.use.collection.hex()] = max(int(row.use.epoch), found.get(row.use.collection.hex(), 0))
        return found

    def begin_filter_rotation(self, tenant: TenantId, collection: CollectionId) -> int:
        """Make the next version, unless two are there already; the number of the newest."""
        with self._store.transaction():
            self._open.refresh()
            versions = self._versions(tenant, collection)
            if len(versions) == 1:
                versions.append(versions[-1] + 1)
                self._insert(tenant, collection, versions[-1])
        self._open.forget()
        return opened_filter_keys(self._open, tenant, collection).version

    def end_filter_rotation(self, tenant: TenantId, collection: CollectionId, version: int) -> int:
        """Delete the versions before this one; how many those were. Their tokens are nobody's from then on.

        No tombstone is left: that would say that data was destroyed.
        """
        with self._store.transaction():
            self._open.refresh()
            rows = self._store.versions(_use(tenant, collection))
            old = [row for row in rows if int(row.use.epoch) < version]
            if len(old) == len(rows):
                return 0
            for row in old:
                self._store.drop(row)
            self._store.forget_names()
        self._open.forget()
        return len(old)

    def _versions(self, tenant: TenantId, collection: CollectionId) -> list[int]:
        return [int(row.use.epoch) for row in self._store.versions(_use(tenant, collection))]

    def _insert(self, tenant: TenantId, collection: CollectionId, version: int) -> None:
        use = _use(tenant, collection, str(version))
        wrapping = self._open.tenant_wrapping(use.tenant)
        secret = Secret.random()
        self._store.insert(wrapping.wrap(secret, use, created_ms=self._clock.now_ms()))
        secret.wipe()


def opened_filter_keys(keys: OpenKeys, tenant: TenantId, collection: CollectionId) -> FilterKeys:
    """The versions as the store holds them; the caller holds its lock and has refreshed."""
    opened = keys.versions(_use(tenant, collection))
    (version, key), before = opened[-1], opened[-2][1].bytes() if len(opened) > 1 else None
    return FilterKeys(version, key.bytes(), before)


def _use(tenant: TenantId, collection: CollectionId, version: str = "") -> KeyUse:
    return KeyUse("tenant", PURPOSE, raw_id(tenant), raw_id(collection), version)
