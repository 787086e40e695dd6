"""The part of the key ring that keeps the filter keys of collections: what filter tokens and terms are made under.

One random key a collection, in numbered versions (:mod:`securevec.keys.versions`): two while the collection is
re-indexed. What is written carries tokens of the newer, what is asked for is asked under both. A filter key opens
nothing; it dies with its tenant.
"""

from __future__ import annotations

from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.keys import versions
from securevec.keys.destroy import drop_shown
from securevec.keys.keystore import KeyStore, number_of
from securevec.keys.openkeys import OpenKeys
from securevec.keys.versions import KeyVersions
from securevec.types import CollectionId, TenantId

PURPOSE: Final = "filter"
FilterKeys = KeyVersions
"""Of a collection."""


class Filtering:
    """Raises as the ring does; after an error nothing was changed."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def create_filter_key(self, tenant: TenantId, collection: CollectionId) -> None:
        """Make the first version of the collection's filter key, unless it has one. Raises :class:`KeyDestroyed`."""
        use = _use(tenant, collection)
        with self._store.transaction():
            self._open.refresh()
            if not self._store.versions(use):
                versions.insert(self._store, self._open, self._clock, use, 1)

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
                found[row.use.collection.hex()] = max(number_of(row.use), found.get(row.use.collection.hex(), 0))
        return found

    def begin_filter_rotation(self, tenant: TenantId, collection: CollectionId) -> int:
        """Make the next version, unless two are there already; the number of the newest."""
        return versions.begin(self._store, self._open, self._clock, _use(tenant, collection))

    def end_filter_rotation(self, tenant: TenantId, collection: CollectionId, version: int) -> str:
        """Delete the versions before this one, and show that they are gone from the live files; the evidence. Their
        tokens are nobody's from then on.

        No tombstone is left: that would say that data was destroyed. Raises :class:`KeyUnavailable` while others keep
        the key store busy or bytes of a version are still found: the same call goes on.
        """

        def old() -> list[KeyRow]:
            self._open.refresh()
            rows = self._store.versions(_use(tenant, collection))
            return [row for row in rows[:-1] if int(row.use.epoch) < version]

        try:
            return drop_shown(self._store, old)
        finally:
            self._open.forget()


def opened_filter_keys(keys: OpenKeys, tenant: TenantId, collection: CollectionId) -> FilterKeys:
    """The versions as the store holds them; the caller holds its lock and has refreshed."""
    return versions.opened(keys, _use(tenant, collection))


def _use(tenant: TenantId, collection: CollectionId) -> KeyUse:
    return KeyUse("tenant", PURPOSE, raw_id(tenant), raw_id(collection))
