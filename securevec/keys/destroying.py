"""The part of the key ring that destroys keys: a tenant's, an epoch's, those that a restored copy brought back.

How a key is removed, and on what evidence: ``destroy``.
"""

from __future__ import annotations

from collections.abc import Sequence

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.wrap import KeyRow
from securevec.errors import UnknownKey
from securevec.keys.destroy import NOTHING_HELD, REMOVED, REMOVED_UNSEARCHED, KeyDestruction, destroy
from securevec.keys.keystore import KeyStore, Tombstone
from securevec.keys.openkeys import OpenKeys
from securevec.types import CollectionId, TenantId


class Destroying:
    """Raises as the ring does."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def destroy_tenant(self, tenant: TenantId) -> KeyDestruction:
        """Destroy every key of a tenant. Idempotent, and finishes an interrupted attempt.

        Raises :class:`UnknownKey` for a tenant that never had keys, and :class:`KeyUnavailable` when the store is busy
        or bytes of a key are still found: then it is not done, and the same call continues.
        """
        raw, now_ms = raw_id(tenant), self._clock.now_ms()
        with self._store.lock:
            self._open.forget()
            for prefix in ("epoch", "deks", "subject", "cloak"):
                for scope in self._store.pending_scopes(f"{prefix}:{tenant}:"):
                    destroy(self._store, scope, lambda: (), now_ms=now_ms)
            done = destroy(self._store, f"tenant:{tenant}", lambda: self._store.rows_of_tenant(raw), now_ms=now_ms)
            if done is not None:
                return done
            tombstones = self._store.destroyed_of_tenant(raw)
            if not tombstones:
                raise UnknownKey("The key store never had keys of this tenant.")
            return KeyDestruction(
                key_ids=tuple(tombstone.key_id.hex() for tombstone in tombstones),
                destroyed_ms=max(tombstone.destroyed_ms for tombstone in tombstones),
                evidence=_weakest(tombstones),
            )

    def destroy_epoch(self, tenant: TenantId, collection: CollectionId, epoch: str) -> KeyDestruction:
        """Destroy the body and vault DEKs of one epoch of a collection, as :meth:`destroy_tenant`.

        An epoch without keys is no error: it may never have held a record.
        """
        raw, raw_collection, now_ms = raw_id(tenant), raw_id(collection), self._clock.now_ms()
        with self._store.lock:
            self._open.forget()
            done = destroy(
                self._store,
                f"epoch:{tenant}:{collection}:{epoch}",
                lambda: self._store.rows_of_epoch(raw, raw_collection, epoch),
                now_ms=now_ms,
            )
            return done or KeyDestruction((), now_ms, evidence=NOTHING_HELD)

    def destroyed(self, tenant: TenantId, key_ids: Sequence[str]) -> KeyDestruction:
        """What became of keys of a tenant that were destroyed before, as their tombstones remember it.

        Keys without a tombstone, or whose removal was not shown yet, are left out.
        """
        wanted = {bytes.fromhex(key_id) for key_id in key_ids}
        with self._store.lock:
            found = [each for each in self._store.destroyed_of_tenant(raw_id(tenant)) if each.key_id in wanted]
        shown = [tombstone for tombstone in found if tombstone.evidence]
        return KeyDestruction(
            key_ids=tuple(tombstone.key_id.hex() for tombstone in shown),
            destroyed_ms=max((tombstone.destroyed_ms for tombstone in shown), default=0),
            evidence=_weakest(shown),
        )

    def destroyed_ids(self) -> list[bytes]:
        """The id of every key that was ever destroyed here, for a restored copy of this store."""
        return self._store.destroyed_ids()

    def destroy_keys(self, key_ids: Sequence[bytes]) -> int:
        """Destroy those of the keys that this store holds, as :meth:`destroy_tenant` does; returns how many.

        For a store put back from a backup, in which keys that were destroyed since are alive.
        """
        now_ms, wanted = self._clock.now_ms(), set(key_ids)

        def rows() -> list[KeyRow]:
            return [row for row in self._store.all_rows() if row.key_id in wanted and row.use.kind != "installation"]

        with self._store.lock:
            self._open.forget()
            done = destroy(self._store, "replay", rows, now_ms=now_ms)
            return 0 if done is None else len(done.key_ids)


def _weakest(tombstones: Sequence[Tombstone]) -> str:
    """One answer for all of them: the weaker claim."""
    if not tombstones:
        return NOTHING_HELD
    return REMOVED if all(each.evidence == REMOVED for each in tombstones) else REMOVED_UNSEARCHED
