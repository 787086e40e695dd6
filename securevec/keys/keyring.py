"""Keys by what they are for, and by the id an envelope names. The one object other rooms ask for keys.

    root -> installation keys (names, actors, namespaces, sign)
         -> tenant KEK -> tenant keys (id, token, content, audit; pseudonym, two while surrogates are made anew)
                       -> filter keys, one per (tenant, collection), two while it is re-indexed
                       -> cloak keys, one per (tenant, collection) with a cloak, two while it is exchanged
                       -> DEKs, one at a time per (tenant, collection, purpose, epoch)
                       -> subject keys, one per person a record with Subject(shred=True) is about

A key that was destroyed in any process is unusable here at the next call, not after a cache's TTL (openkeys.py).
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final, Literal

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.envelope import DataKey
from securevec.crypto.root import RootKey, Roots, root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.suites import DEFAULT
from securevec.crypto.wrap import KeyUse, WrappingKey
from securevec.errors import LimitExceeded, UsageError
from securevec.keys import pseudonyms
from securevec.keys.bound import BoundKeys
from securevec.keys.cache import TTL_S, KeyCache
from securevec.keys.cloaks import Cloaking
from securevec.keys.destroying import Destroying
from securevec.keys.filterkeys import Filtering
from securevec.keys.keyfile import BUSY_MS
from securevec.keys.keystore import KeyStore
from securevec.keys.keyview import KeyInfo, KeyView, TenantPurpose
from securevec.keys.leases import BLOCK, CEILING
from securevec.keys.modellist import Listed
from securevec.keys.openkeys import BOUND, OpenKeys, destroyed_error
from securevec.keys.put_back import Following
from securevec.keys.rotation import Rotating
from securevec.keys.signing import Signing
from securevec.keys.versions import FIRST
from securevec.types import CollectionId, TenantId

InstallationPurpose = Literal["names", "actors", "namespaces"]
DataPurpose = Literal["body", "vault"]

_INSTALLATION: Final = ("names", "actors", "namespaces", "sign")
_TENANT: Final = (("id", ""), (pseudonyms.PURPOSE, FIRST), ("token", ""), ("content", ""), ("audit", ""))


class KeyRing(Following, Listed, Rotating, Signing, Cloaking, Filtering, pseudonyms.Pseudonyms, BoundKeys, Destroying):
    """The keys of one installation. Thread-safe; usable after a fork; many processes may share one directory.

    Every method raises :class:`KeyUnavailable` when the key store does not answer and :class:`KeyRejected` when a row
    of it was altered.
    """

    def __init__(
        self,
        store: KeyStore,
        root: RootKey | Roots,
        clock: Clock,
        *,
        suite: int = DEFAULT,
        cache_ttl_s: float = TTL_S,
    ) -> None:
        """As :meth:`open`, on a store that is open. Takes it over: a failure closes it."""
        try:
            super().__init__()
            self._store = store
            self._clock = clock
            self._names_spent = False
            self.suite = suite
            """What new values are sealed in; every suite is opened."""
            self._open = OpenKeys(
                store,
                root if isinstance(root, Roots) else Roots.of(root),
                clock,
                suite,
                cache=KeyCache(ttl_s=cache_ttl_s),
            )
            for purpose in _INSTALLATION:
                self._open.installation(purpose)
            names = store.active(KeyUse("installation", "names"))
            self._names_spent = names is not None and names.leased + BLOCK > CEILING
        except BaseException:
            store.close()
            raise

    @classmethod
    def create(cls, directory: Path, root: RootKey, clock: Clock) -> KeyRing:
        """A new key store with new installation keys. Raises :class:`HomeRefused` when there is one already."""
        wrapping, now_ms = root_wrapping_key(root), clock.now_ms()
        rows = [
            wrapping.wrap(Secret.random(), KeyUse("installation", purpose), created_ms=now_ms)
            for purpose in _INSTALLATION
        ]
        return cls(KeyStore(directory, create=rows), root, clock)

    @classmethod
    def open(
        cls,
        directory: Path,
        root: RootKey | Roots,
        clock: Clock,
        *,
        busy_ms: int = BUSY_MS,
        suite: int = DEFAULT,
        cache_ttl_s: float = TTL_S,
    ) -> KeyRing:
        """The key store of a home. ``cache_ttl_s`` is how long an open key stays in memory at most (0 to 3,600).

        Every installation key is opened once, so a wrong root raises :class:`KeyRejected` here. Raises
        :class:`HomeRefused` for a store that is not private, not a key store, or of a newer format.
        """
        store = KeyStore(directory, busy_ms=busy_ms)
        return cls(store, root, clock, suite=suite, cache_ttl_s=cache_ttl_s)

    def installation_key(self, purpose: InstallationPurpose) -> bytes:
        """32 bytes that outlive every tenant."""
        with self._store.lock:
            self._open.refresh()
            return self._open.installation(purpose).bytes()

    def charge_names(self) -> None:
        """Count one value that is sealed with the names key, which many processes hold for long and nobody rolls.

        Counted by chance: one in 2^20 times, 2^20 at once. Raises :class:`LimitExceeded` when it has sealed 2^32.
        """
        if not self._names_spent and secrets.randbelow(BLOCK):
            return
        with self._store.transaction():
            row = self._store.active(KeyUse("installation", "names"))
            self._names_spent = row is None or row.leased + BLOCK > CEILING
            if row is not None and not self._names_spent:
                self._store.set_leased(row.key_id, row.leased + BLOCK)
        if self._names_spent:
            raise LimitExceeded(
                "The key that seals names has sealed as many values as it may.",
                next_step="Move to a new home: what one key seals is bounded (docs/keys.md).",
            )

    def names_key(self) -> DataKey:
        """The ``names`` key for sealing names in the control store: a :class:`Place` of empty tenant and collection,
        with the row's id as the point."""
        with self._store.lock:
            self._open.refresh()
            return self._open.names_key()

    def create_tenant(self, tenant: TenantId) -> None:
        """Make a tenant's KEK and keys, all or none.

        Raises :class:`UsageError` when it has keys already and :class:`KeyDestroyed` when it had some: a tenant id is
        never used twice.
        """
        raw, now_ms = raw_id(tenant), self._clock.now_ms()
        kek = Secret.random()
        with self._store.transaction():
            # The root key is looked up inside, so that no row is wrapped under one that was exchanged a moment ago.
            kek_row = self._open.root_wrapping().wrap(kek, KeyUse("kek", "kek", raw), created_ms=now_ms)
            wrapping = WrappingKey(kek, kek_row.key_id)
            kek.wipe()
            if self._store.destroyed_of_tenant(raw):
                raise destroyed_error()
            if self._store.rows_of_tenant(raw):
                raise UsageError("The tenant has keys already.")
            self._store.insert(kek_row)
            for purpose, epoch in _TENANT:
                use = KeyUse("tenant", purpose, raw, epoch=epoch)
                self._store.insert(wrapping.wrap(Secret.random(), use, created_ms=now_ms))

    def tenant_key(self, tenant: TenantId, purpose: TenantPurpose) -> bytes:
        """32 bytes. Raises :class:`KeyDestroyed` once the tenant is destroyed, :class:`UnknownKey` if it never was."""
        raw = raw_id(tenant)
        with self._store.lock:
            self._open.refresh()
            return self._open.tenant(raw, purpose).bytes()

    def data_key(
        self, tenant: TenantId, collection: CollectionId, purpose: DataPurpose, epoch: str, *, messages: int = 1
    ) -> DataKey:
        """The DEK to seal ``messages`` new values with, made when there is none.

        The messages (1 to 2^20, or :class:`UsageError`) are charged to the key whether or not they are sealed.
        Raises :class:`KeyDestroyed` and :class:`UnknownKey` as :meth:`tenant_key`.
        """
        if not 1 <= messages <= BLOCK:
            raise UsageError("A key is asked for between 1 and 2^20 messages at a time.")
        use = KeyUse("dek", purpose, raw_id(tenant), raw_id(collection), epoch)
        with self._store.lock:
            self._open.refresh()
            return self._open.for_writing(use, messages)

    def key_by_id(self, key_id: bytes) -> DataKey:
        """The DEK an envelope names. Raises :class:`KeyDestroyed` or :class:`UnknownKey`."""
        with self._store.lock:
            self._open.refresh()
            return self._open.by_id(key_id)

    def expire(self) -> None:
        """Drop keys that were open for as long as they may be, and those that another process destroyed: for a process
        that is not asked for anything and so does not look."""
        with self._store.lock:
            self._open.expire()

    def view(self) -> KeyView:
        """The keys for one batch of values, under a single look at the store, made now."""
        with self._store.lock:
            self._open.refresh()
        return KeyView(self._store, self._open)

    def list_keys(self, *, tenant: TenantId | None = None, kind: str = "") -> list[KeyInfo]:
        """Every key the store holds, or those of one tenant, or of one kind. No key is opened, so nothing in the answer
        is authenticated."""
        return [
            KeyInfo(
                kind=row.use.kind,
                purpose=row.use.purpose,
                tenant=row.use.tenant.hex(),
                collection="" if row.use.kind in BOUND else row.use.collection.hex(),
                epoch=row.use.epoch,
                state=row.state,
                key_id=row.key_id.hex(),
                created_ms=row.created_ms,
                leased=row.leased,
                subject=row.use.collection.hex() if row.use.kind == "subject" else "",
            )
            for row in self._store.all_rows(tenant=raw_id(tenant) if tenant is not None else b"", kind=kind)
        ]

    def close(self) -> None:
        """Wipe what can be wiped and close the store. Idempotent."""
        with self._store.lock:
            self._forget_cloaks()
            self._open.close()
            self._store.close()

    def __repr__(self) -> str:
        return "KeyRing(<hidden>)"
