"""Keys unwrapped on demand, and the rules under which a row may be used at all. The ring's engine room.

Each public operation of the ring first calls :meth:`OpenKeys.refresh`: one PRAGMA tells whether another process changed
the store, and then nothing cached is used. A tombstone wins over a row: a row put back by hand stays dead. It is read
after the row, so that a destruction between the two reads is seen. Not thread-safe; the ring holds the store's lock.
"""

from __future__ import annotations

from securevec.clock import Clock
from securevec.crypto.cache import KeyCache
from securevec.crypto.envelope import DataKey, data_key
from securevec.crypto.keystore import KeyStore
from securevec.crypto.leases import BLOCK, BUDGET, Leases
from securevec.crypto.root import RootKey, root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import ACTIVE, FULL, KeyRow, KeyUse, WrappingKey
from securevec.errors import KeyDestroyed, KeyRejected, UnknownKey


class OpenKeys:
    """Open keys of one store under one root. Methods raise :class:`KeyDestroyed`, :class:`UnknownKey`,
    :class:`KeyRejected` (an altered row) and :class:`KeyUnavailable`."""

    __slots__ = ("_cache", "_clock", "_leases", "_root", "_store", "_suite", "_version")

    def __init__(self, store: KeyStore, root: RootKey, clock: Clock, suite: int) -> None:
        self._suite = suite
        self._store = store
        self._root = root
        self._clock = clock
        self._cache = KeyCache()
        self._leases = Leases()
        self._version = store.version()

    def refresh(self) -> None:
        """Drop what another process may have made untrue. After a fork the leases go too: the parent spends them."""
        version = self._store.version()
        if version != self._version:
            self._cache.clear()
            if version.pid != self._version.pid:
                self._leases.clear()
            self._version = version

    def forget(self) -> None:
        """Drop every open key and lease."""
        self._cache.clear()
        self._leases.clear()

    def installation(self, purpose: str) -> Secret:
        name = ("installation", purpose)
        secret = self._cache.get(name, Secret)
        if secret is None:
            secret = root_wrapping_key(self._root).unwrap(self._installation_row(purpose))
            self._cache.put(name, secret)
        return secret

    def names_key(self) -> DataKey:
        key = self._cache.get("names", DataKey)
        if key is None:
            key = _usable(self.installation("names"), self._installation_row("names"), self._suite)
            self._cache.put("names", key)
        return key

    def tenant(self, tenant: bytes, purpose: str) -> Secret:
        name = ("tenant", tenant, purpose)
        secret = self._cache.get(name, Secret)
        if secret is None:
            secret = self._kek(tenant).unwrap(self._active_row(KeyUse("tenant", purpose, tenant)))
            self._cache.put(name, secret)
        return secret

    def by_id(self, key_id: bytes) -> DataKey:
        key = self._cache.get(key_id, DataKey)
        return key if key is not None else self._open(self._live_row(key_id))

    def for_writing(self, use: KeyUse, messages: int) -> DataKey:
        """The DEK to seal ``messages`` (at most one block) new values with, charged to this process."""
        key_id = self._leases.spend(use, messages)
        if key_id is not None:
            key = self._cache.get(key_id, DataKey) or self._still_active(key_id)
            if key is not None:
                return key
        row = self._take_block(use)
        self._leases.grant(use, row.key_id, BLOCK - messages)
        return self._open(row)

    def _kek(self, tenant: bytes) -> WrappingKey:
        name = ("kek", tenant)
        kek = self._cache.get(name, WrappingKey)
        if kek is None:
            row = self._active_row(KeyUse("kek", "kek", tenant))
            kek = WrappingKey(root_wrapping_key(self._root).unwrap(row), row.key_id)
            self._cache.put(name, kek)
        return kek

    def _installation_row(self, purpose: str) -> KeyRow:
        row = self._store.active(KeyUse("installation", purpose))
        if row is None:
            raise KeyRejected("An installation key is missing.", next_step="Restore keys.db from a backup.")
        return row

    def _active_row(self, use: KeyUse) -> KeyRow:
        """The row of a KEK or tenant key."""
        row = self._store.active(use)
        if self._store.tenant_destroyed(use.tenant):
            raise destroyed_error()
        if row is None:
            raise UnknownKey("The key store has no keys of this tenant.")
        return row

    def _live_row(self, key_id: bytes) -> KeyRow:
        """The row of a DEK."""
        row = self._store.row(key_id)
        if self._store.is_destroyed(key_id):
            raise destroyed_error()
        if row is None or row.use.kind != "dek":
            raise UnknownKey(
                "A sealed value names a key this key store never had.",
                next_step="Use the key store it was sealed with.",
            )
        return row

    def _open(self, row: KeyRow) -> DataKey:
        secret = self._kek(row.use.tenant).unwrap(row)
        key = _usable(secret, row, self._suite)
        secret.wipe()
        self._cache.put(row.key_id, key)
        return key

    def _still_active(self, key_id: bytes) -> DataKey | None:
        """The key of a lease, unless another process used it up or destroyed its epoch since."""
        row = self._store.row(key_id)
        if row is None or row.state != ACTIVE or self._store.is_destroyed(key_id):
            return None
        return self._open(row)

    def _take_block(self, use: KeyUse) -> KeyRow:
        """Take a block of messages from the active DEK's row; make a new DEK when there is none or it is used up."""
        with self._store.transaction():
            kek = self._kek(use.tenant)
            row = self._store.active(use)
            if row is not None:
                # Opened before it is trusted with more messages, and refused when its tombstone exists.
                secret = kek.unwrap(self._live_row(row.key_id))
                if row.leased + BLOCK > BUDGET:
                    self._store.replace(kek.wrap(secret, use, created_ms=row.created_ms, state=FULL, leased=row.leased))
                    row = None
                secret.wipe()
            if row is None:
                row = kek.wrap(Secret.random(), use, created_ms=self._clock.now_ms())
                self._store.insert(row)
            self._store.set_leased(row.key_id, row.leased + BLOCK)
            return row


def _usable(secret: Secret, row: KeyRow, suite: int) -> DataKey:
    use = row.use
    return data_key(
        secret,
        key_id=row.key_id,
        tenant=use.tenant,
        collection=use.collection,
        purpose=use.purpose,
        epoch=use.epoch,
        suite=suite,
    )


def destroyed_error() -> KeyDestroyed:
    return KeyDestroyed("The key was destroyed; what it sealed cannot be read again.")
