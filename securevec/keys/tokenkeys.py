"""The part of the key ring that keeps the versions of a tenant's ``token`` key: what subject tokens are made under.

The first version makes a token of a value. Each later one makes the next token of the one before, so what is stored is
moved on without any value at hand, and whoever has the versions up to one of them can compute nothing that is stored
under a later one. No version is ever deleted: a value's token goes through all of them. Which is in force says the
control store, whose tokens change in the same transaction; a version that stands here before that is nobody's yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import lift, raw_id
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import KeyRejected, UnknownKey
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys
from securevec.types import TenantId, Token

PURPOSE: Final = "token"
SUBJECT: Final = "subject"
_LATER: Final = re.compile(r"([2-9]|[1-9][0-9]{1,8})\Z")


def epoch_of(version: int) -> str:
    """How a row says which version it is, or is named under: nothing for the first."""
    return str(version) if version > 1 else ""


def version_of(epoch: str) -> int:
    """Raises :class:`KeyRejected` for what is no number of a version."""
    if epoch and _LATER.match(epoch) is None:
        raise KeyRejected("A row of the key store was altered.", next_step="Restore keys.db from a backup.")
    return int(epoch or 1)


class TokenVersions:
    """Raises as the ring does; after an error nothing was changed."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def token_lifts(self, tenant: TenantId, after: int, version: int) -> tuple[bytes, ...]:
        """The versions above ``after`` up to ``version``, in order: what takes a token of the one to the other.

        Raises :class:`KeyRejected` when one is missing.
        """
        if version <= after:
            return ()
        with self._store.lock:
            self._open.refresh()
            return opened_lifts(self._open, tenant, after, version)

    def begin_token_version(self, tenant: TenantId, version: int) -> None:
        """Make this version (2 or more), unless it is there."""
        use = _use(tenant, version)
        with self._store.transaction():
            self._open.refresh()
            wrapping = self._open.tenant_wrapping(use.tenant)
            if self._store.active(use) is None:
                secret = Secret.random()
                self._store.insert(wrapping.wrap(secret, use, created_ms=self._clock.now_ms()))
                secret.wipe()
        self._open.forget()

    def take_token_version(self, tenant: TenantId, version: int, key: bytes) -> None:
        """Put a version that another state of this installation made into this one. Raises :class:`KeyRejected` when
        there is another in its place."""
        use = _use(tenant, version)
        with self._store.transaction():
            self._open.refresh()
            if self._store.active(use) is None:
                secret = Secret(key)
                row = self._open.tenant_wrapping(use.tenant).wrap(secret, use, created_ms=self._clock.now_ms())
                self._store.insert(row)
                secret.wipe()
        self._open.forget()
        if self.token_lifts(tenant, version - 1, version) != (key,):
            raise KeyRejected("The key store holds another version of a tenant's token key.")

    def drop_named_before(self, tenant: TenantId, version: int) -> int:
        """Delete the keys of people that are named by tokens of a version before this one; how many there were.

        For when nothing is sealed under them any more. No tombstone is left: that would say that people were erased.
        """
        with self._store.transaction():
            self._open.refresh()
            rows = [row for row in _of_people(self._store, tenant) if version_of(row.use.epoch) < version]
            for row in rows:
                self._store.drop(row)
            if rows:
                self._store.forget_names()
        self._open.forget()
        return len(rows)

    def has_named_after(self, tenant: TenantId, version: int) -> bool:
        """Whether any person's key is named by a token of a later version."""
        with self._store.lock:
            return any(version_of(row.use.epoch) > version for row in _of_people(self._store, tenant))

    def _named(self, tenant: TenantId, tokens: Sequence[bytes]) -> list[KeyRow]:
        """The keys of people whom one of these tokens names, or whom a token named that became one of them."""
        raw, wanted = raw_id(tenant), set(tokens)
        found = {row.key_id: row for token in tokens for row in self._store.rows_bound(raw, SUBJECT, token)}
        newest = _newest(self._store, tenant)
        if newest > 1:
            lifts = opened_lifts(self._open, tenant, 1, newest)
            for row in _of_people(self._store, tenant):
                token = Token(row.use.collection)
                for key in lifts[version_of(row.use.epoch) - 1 :]:
                    token = lift((key,), token)
                    if token in wanted:
                        found[row.key_id] = row
        return list(found.values())


def opened_lifts(keys: OpenKeys, tenant: TenantId, after: int, version: int) -> tuple[bytes, ...]:
    """As :meth:`TokenVersions.token_lifts`; the caller holds the store's lock and has refreshed."""
    raw = raw_id(tenant)
    try:
        return tuple(
            keys.tenant(raw, PURPOSE, epoch=epoch_of(number)).bytes() for number in range(after + 1, version + 1)
        )
    except UnknownKey as error:
        raise KeyRejected(
            "A version of a tenant's token key is missing.", next_step="Restore keys.db from a backup."
        ) from error


def _newest(store: KeyStore, tenant: TenantId) -> int:
    """The number of the newest version there is, in force or not."""
    version = 1
    while store.active(_use(tenant, version + 1)) is not None:
        version += 1
    return version


def _of_people(store: KeyStore, tenant: TenantId) -> list[KeyRow]:
    return store.all_rows(tenant=raw_id(tenant), kind=SUBJECT)


def _use(tenant: TenantId, version: int) -> KeyUse:
    return KeyUse("tenant", PURPOSE, raw_id(tenant), epoch=epoch_of(version))
