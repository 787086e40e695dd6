"""Root and tenant keys exchanged under a running installation: rows are wrapped again, what they open stays as it is.
And DEKs rolled: what is sealed from now on gets a new one, what was sealed stays readable.

An envelope names its DEK, never the keys above it. So a rotation writes wrapped keys only, all of one level in one
transaction: killed anywhere, every row is still under the old key or every row is under the new one. Other processes
see that the store changed and read rows and keys anew (openkeys.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.root import ROOT_ID_BYTES, RootKey, root_wrapping_key
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import ACTIVE, ROLLED, KeyRow, KeyUse, WrappingKey
from securevec.errors import KeyUnavailable, UnknownKey
from securevec.keys.destroy import NOTHING_HELD, KeyDestruction, Search, destroy, search_elsewhere
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys, destroyed_error
from securevec.types import CollectionId, TenantId


class Rotating:
    """The part of the key ring that exchanges keys. Raises as the ring does; after an error nothing was exchanged."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def root_id(self) -> str:
        """The id of the root key that the rows of the store are wrapped under now (16 hex digits)."""
        return self._open.root_id().hex()

    def rewrap_root(self, new: RootKey) -> int:
        """Wrap every row that stands under the root key under ``new``; how many those were. Idempotent."""
        wrapping = root_wrapping_key(new)
        with self._store.transaction():
            self._open.refresh()
            stale = [row for row in self._store.rows_under(ROOT_ID_BYTES) if row.wrapping_id != wrapping.key_id]
            for row in stale:
                self._rewrap(row, self._open.under_root(row), wrapping)
            self._store.forget_names()
        self._open.forget()
        return len(stale)

    def rotate_tenant(self, tenant: TenantId) -> int:
        """A new KEK for a tenant, and every key of the tenant wrapped under it; how many those were.

        The old KEK leaves no tombstone: that would say that the tenant was destroyed. Raises :class:`KeyDestroyed` and
        :class:`UnknownKey`.
        """
        raw = raw_id(tenant)
        with self._store.transaction():
            self._open.refresh()
            rows = self._store.rows_of_tenant(raw)
            if self._store.tenant_destroyed(raw):
                raise destroyed_error()
            old = next((row for row in rows if row.use.kind == "kek"), None)
            if old is None:
                raise UnknownKey("The key store has no keys of this tenant.")
            before = WrappingKey(self._open.under_root(old), old.key_id)
            root = self._open.root_wrapping()
            kek = Secret.random()
            row = root.wrap(kek, KeyUse("kek", "kek", raw), created_ms=self._clock.now_ms())
            wrapping = WrappingKey(kek, row.key_id)
            kek.wipe()
            self._store.drop(old)
            self._store.insert(row)
            below = [each for each in rows if each.wrapping_id == old.key_id]
            for each in below:
                self._rewrap(each, before.unwrap(each), wrapping)
            self._store.forget_names()
        self._open.forget()
        return len(below)

    def rotate_tenants(self, tenants: Iterable[TenantId], progress: Callable[[int], None] | None = None) -> int:
        """:meth:`rotate_tenant` for each, one transaction a tenant. ``progress`` is told how many are done."""
        keys = 0
        for done, tenant in enumerate(tenants, 1):
            keys += self.rotate_tenant(tenant)
            if progress is not None:
                progress(done)
        # Rows that grew by a byte split full pages: a tenth of the file, which the next shred would give back too.
        with contextlib.suppress(KeyUnavailable):
            self._store.vacuum()
        return keys

    def roll(self, tenant: TenantId, collection: CollectionId, key_ids: Iterable[bytes] | None = None) -> list[bytes]:
        """New values of a collection are sealed under new DEKs from the commit on, in every process. Idempotent.

        ``key_ids`` names the DEKs that are left behind; ``None`` is every one there is. Returns those of them that the
        store holds; they go on opening what they sealed. Whoever took a DEK to seal a batch with before may still
        write that batch. Raises :class:`KeyDestroyed`, :class:`UnknownKey` (a key that is none of the collection's).
        """
        raw, wanted = raw_id(tenant), None if key_ids is None else set(key_ids)
        with self._store.transaction():
            self._open.refresh()
            rows = self._store.rows_of_collection(raw, raw_id(collection))
            if wanted is not None:
                rows = [row for row in rows if row.key_id in wanted]
                for missing in wanted.difference(row.key_id for row in rows):
                    if self._store.is_destroyed(missing):
                        raise destroyed_error()
                    raise UnknownKey("The collection has no such key.", next_step="See: securevec keys list")
            active = [row for row in rows if row.state == ACTIVE]
            wrapping = self._open.tenant_wrapping(raw) if active else None
            for row in active:
                if wrapping is not None:
                    secret = wrapping.unwrap(row)
                    self._store.replace(
                        wrapping.wrap(secret, row.use, created_ms=row.created_ms, state=ROLLED, leased=row.leased)
                    )
                    secret.wipe()
        self._open.forget()
        return [row.key_id for row in rows]

    def destroy_deks(self, tenant: TenantId, collection: CollectionId, key_ids: Sequence[str]) -> KeyDestruction:
        """Destroy these DEKs of a collection, as :meth:`KeyRing.destroy_tenant`. Others of its keys live on."""
        raw, raw_collection, now_ms = raw_id(tenant), raw_id(collection), self._clock.now_ms()
        wanted = {bytes.fromhex(key_id) for key_id in key_ids}

        def rows() -> list[KeyRow]:
            return [row for row in self._store.rows_of_collection(raw, raw_collection) if row.key_id in wanted]

        with self._store.lock:
            self._open.forget()
            done = destroy(self._store, f"deks:{tenant}:{collection}", rows, now_ms=now_ms)
            return done or KeyDestruction((), now_ms, evidence=NOTHING_HELD)

    def search_elsewhere(self, tenant: TenantId | None, search: Search) -> int:
        """The last step of a destruction: look for the wrapped keys outside the key store, of all tenants without one.
        Returns how many were looked for; what ``search`` raises is raised, and the next call looks for them again."""
        return search_elsewhere(self._store, tenant, search)

    def tenants_with_keys(self) -> list[TenantId]:
        """Every tenant whose KEK the store holds."""
        return [TenantId(row.use.tenant.hex()) for row in self._store.all_rows(kind="kek")]

    def _rewrap(self, row: KeyRow, secret: Secret, wrapping: WrappingKey) -> None:
        again = wrapping.wrap(secret, row.use, created_ms=row.created_ms, state=row.state, leased=row.leased)
        secret.wipe()
        self._store.rewrap(again)
