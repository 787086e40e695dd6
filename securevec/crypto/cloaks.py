"""The part of the key ring that keeps the cloak keys of collections, and the cloaks that are set up under them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final

from securevec.clock import Clock
from securevec.crypto.cloak import Cloak, VectorCloak, cloak_digest
from securevec.crypto.derive import raw_id
from securevec.crypto.keystore import KeyStore
from securevec.crypto.openkeys import OpenKeys
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.errors import KeyDestroyed, KeyRejected, UnknownKey
from securevec.types import CollectionId, TenantId

PURPOSE: Final = "cloak"
_KEPT: Final = 8
"""Cloaks kept set up: each takes 2 * 4 * dimension^2 bytes (1.2 MB at 384, 19 MB at 1,536)."""


class Cloaking:
    """One random key a collection that asked for a cloak; it dies with its tenant."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def __init__(self) -> None:
        self._cloaks: OrderedDict[str, VectorCloak] = OrderedDict()
        self._setting_up = threading.Lock()
        self._process = os.getpid()

    def create_cloak_key(self, tenant: TenantId, collection: CollectionId) -> None:
        """Make the collection's cloak key, unless it has one. Raises as :meth:`KeyRing.tenant_key`."""
        use = KeyUse("tenant", PURPOSE, raw_id(tenant), raw_id(collection))
        with self._store.transaction():
            self._open.refresh()
            wrapping = self._open.tenant_wrapping(use.tenant)
            if self._store.active(use) is None:
                secret = Secret.random()
                self._store.insert(wrapping.wrap(secret, use, created_ms=self._clock.now_ms()))
                secret.wipe()

    def cloak_digest(self, tenant: TenantId, collection: CollectionId, cloak: Cloak, *, dimension: int) -> str:
        """Names the collection's cloak without telling it. Raises :class:`KeyDestroyed` and :class:`UnknownKey`."""
        key = self._cloak_key(tenant, collection)
        return cloak_digest(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise)

    def cloak(self, tenant: TenantId, collection: CollectionId, cloak: Cloak, *, dimension: int) -> VectorCloak:
        """The collection's cloak. The key is asked for each time: once it is destroyed, so is what was set up.

        Raises :class:`KeyDestroyed` and :class:`UnknownKey`.
        """
        key = self._cloak_key(tenant, collection)
        digest = cloak_digest(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise)
        with self._setting_up:
            if self._process != os.getpid():
                # A forked child sets up its own, as it opens its own keys.
                self._cloaks.clear()
                self._process = os.getpid()
            made = self._cloaks.get(digest)
            if made is None:
                made = VectorCloak(key, collection=raw_id(collection), dimension=dimension, noise=cloak.noise)
                self._cloaks[digest] = made
                while len(self._cloaks) > _KEPT:
                    self._cloaks.popitem(last=False)
            self._cloaks.move_to_end(digest)
            return made

    def _forget_cloaks(self) -> None:
        self._cloaks.clear()

    def _cloak_key(self, tenant: TenantId, collection: CollectionId) -> bytes:
        try:
            with self._store.lock:
                self._open.refresh()
                return self._open.tenant(raw_id(tenant), PURPOSE, raw_id(collection)).bytes()
        except (KeyDestroyed, KeyRejected, UnknownKey):
            self._forget_cloaks()
            raise
