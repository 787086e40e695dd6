"""The part of the key ring that keeps the cloak keys of collections, and the cloaks that are set up under them.

One random key a collection that asked for a cloak, in numbered versions. There is one version, or, while the vectors
are brought under the next key, two: what is written is cloaked under the newer, and a sealed body says of which one
its vector is. The older one is destroyed in the end as every key is; it dies with its tenant at the latest.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from securevec.clock import Clock
from securevec.crypto.cloak import Cloak, VectorCloak, cloak_digest
from securevec.crypto.derive import raw_id
from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import KeyDestroyed, KeyRejected, UnknownKey
from securevec.keys import versions
from securevec.keys.destroy import destroy
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys
from securevec.types import CollectionId, TenantId

PURPOSE: Final = "cloak"
_KEPT: Final = 8
"""Cloaks kept set up: each takes 2 * 4 * dimension^2 bytes (1.2 MB at 384, 19 MB at 1,536)."""


@dataclass(frozen=True, slots=True, repr=False)
class Cloaks:
    """The cloak of a collection under each version of its key, oldest first: one, or two."""

    versions: tuple[tuple[int, VectorCloak], ...]

    @property
    def version(self) -> int:
        """The newest, which what is written is under."""
        return self.versions[-1][0]

    @property
    def newest(self) -> VectorCloak:
        return self.versions[-1][1]

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(number for number, _ in self.versions)

    def of(self, version: int) -> VectorCloak:
        """The cloak of a vector whose body says this version. Raises :class:`KeyRejected` where its key is not there:
        it is destroyed only after every live body was read back under the next."""
        for number, cloak in self.versions:
            if number == version:
                return cloak
        raise KeyRejected(
            "A vector is under a cloak key that this key store does not hold.",
            next_step="Restore keys.db of the same time.",
        )

    def __repr__(self) -> str:
        return f"Cloaks(versions={self.numbers})"


class Cloaking:
    """Raises as the ring does; after an error nothing was changed."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def __init__(self) -> None:
        self._cloaks: OrderedDict[tuple[str, str], VectorCloak] = OrderedDict()
        self._setting_up = threading.Lock()
        self._process = os.getpid()

    def create_cloak_key(self, tenant: TenantId, collection: CollectionId) -> None:
        """Make the first version of the collection's cloak key, unless it has one. Raises :class:`KeyDestroyed`."""
        use = _use(tenant, collection)
        with self._store.transaction():
            self._open.refresh()
            if not self._store.versions(use):
                versions.insert(self._store, self._open, self._clock, use, 1)

    def cloak_digests(self, tenant: TenantId, collection: CollectionId, cloak: Cloak, *, dimension: int) -> list[str]:
        """Names the collection's cloak under each version of its key, oldest first, without telling it. Raises
        :class:`KeyDestroyed` once the tenant is destroyed, :class:`KeyRejected` when the key is missing."""
        return [
            cloak_digest(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise)
            for _, key in self._cloak_keys(tenant, collection)
        ]

    def cloaks(self, tenant: TenantId, collection: CollectionId, cloak: Cloak, *, dimension: int) -> Cloaks:
        """The collection's cloaks. The keys are asked for each time: once one is destroyed, so is what was set up.

        Raises as :meth:`cloak_digests`.
        """
        keys = self._cloak_keys(tenant, collection)
        described = [
            (number, key, cloak_digest(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise))
            for number, key in keys
        ]
        with self._setting_up:
            if self._process != os.getpid():
                # A forked child sets up its own, as it opens its own keys.
                self._cloaks.clear()
                self._process = os.getpid()
            alive = {(collection, digest) for _, _, digest in described}
            for place in [place for place in self._cloaks if place[0] == collection and place not in alive]:
                del self._cloaks[place]
            return Cloaks(
                tuple(
                    (number, self._set_up(collection, key, cloak, dimension, name)) for number, key, name in described
                )
            )

    def begin_cloak_rotation(self, tenant: TenantId, collection: CollectionId) -> int:
        """Make the next version, unless two are there already; the number of the newest."""
        return versions.begin(self._store, self._open, self._clock, _use(tenant, collection))

    def cloak_keys_before(self, tenant: TenantId, collection: CollectionId, version: int) -> list[KeyRow]:
        """The rows of the versions before this one; no key is opened."""
        with self._store.lock:
            return self._before(_use(tenant, collection), version)

    def end_cloak_rotation(self, tenant: TenantId, collection: CollectionId, version: int) -> None:
        """Destroy the versions before this one, or finish an earlier attempt, as :meth:`KeyRing.destroy_tenant`."""
        use, now_ms = _use(tenant, collection), self._clock.now_ms()
        with self._store.lock:
            self._open.forget()
            self._forget_cloaks()
            scope = f"cloak:{tenant}:{collection}"
            destroy(self._store, scope, lambda: self._before(use, version), now_ms=now_ms)

    def _set_up(self, collection: CollectionId, key: bytes, cloak: Cloak, dimension: int, digest: str) -> VectorCloak:
        place = (collection, digest)
        made = self._cloaks.get(place)
        if made is None:
            made = VectorCloak(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise)
            self._cloaks[place] = made
            while len(self._cloaks) > _KEPT:
                self._cloaks.popitem(last=False)
        self._cloaks.move_to_end(place)
        return made

    def _forget_cloaks(self) -> None:
        self._cloaks.clear()

    def _cloak_keys(self, tenant: TenantId, collection: CollectionId) -> Sequence[tuple[int, bytes]]:
        try:
            with self._store.lock:
                self._open.refresh()
                return [(number, key.bytes()) for number, key in self._open.versions(_use(tenant, collection))]
        except (KeyDestroyed, KeyRejected, UnknownKey):
            self._forget_cloaks()
            raise

    def _before(self, use: KeyUse, version: int) -> list[KeyRow]:
        """The rows before this version; none where it is not there itself, or a later one."""
        rows = self._store.versions(use)
        old = [row for row in rows if int(row.use.epoch) < version]
        return old if len(old) < len(rows) else []


def cloak_versions(keys: OpenKeys, tenant: TenantId, collection: CollectionId) -> tuple[int, ...]:
    """The versions as the store holds them, oldest first; the caller holds its lock and has refreshed."""
    return tuple(number for number, _ in keys.versions(_use(tenant, collection)))


def _use(tenant: TenantId, collection: CollectionId) -> KeyUse:
    return KeyUse("tenant", PURPOSE, raw_id(tenant), raw_id(collection))
