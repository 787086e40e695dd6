"""Keys unwrapped on demand, and the rules under which a row may be used at all. The ring's engine room.

Each public operation of the ring first calls :meth:`OpenKeys.refresh`: one PRAGMA tells whether another process changed
the store, and then nothing cached is used. A tombstone wins over a row: a row put back by hand stays dead. It is read
after the row, so that a destruction between the two reads is seen. Not thread-safe; the ring holds the store's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from securevec.clock import Clock
from securevec.crypto.envelope import DataKey, SubjectKey, data_key
from securevec.crypto.root import Roots
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import ACTIVE, FULL, KeyRow, KeyUse, WrappingKey
from securevec.errors import BoundKeyDestroyed, KeyDestroyed, KeyRejected, KeyUnavailable, UnknownKey
from securevec.forking import Rank, around_forks
from securevec.keys.cache import KeyCache
from securevec.keys.keyfile import older_copy
from securevec.keys.keystore import KeyStore
from securevec.keys.leases import BLOCK, BUDGET, MOST, Leases

BOUND: Final = ("subject", "document")
"""Kinds of keys that are needed besides a DEK. Their ``collection`` is the 16 bytes that name whose they are."""

_ATTEMPTS = 3


class OpenKeys:
    """Open keys of one store under one root. Methods raise :class:`KeyDestroyed`, :class:`UnknownKey`,
    :class:`KeyRejected` (an altered row) and :class:`KeyUnavailable`."""

    __slots__ = (
        "__weakref__",
        "_cache",
        "_checked",
        "_clock",
        "_installation",
        "_leases",
        "_roots",
        "_sealing",
        "_store",
        "_suite",
        "_version",
    )

    def __init__(
        self, store: KeyStore, roots: Roots, clock: Clock, suite: int, *, cache: KeyCache | None = None
    ) -> None:
        self._suite = suite
        self._store = store
        self._roots = roots
        self._clock = clock
        self._cache = cache if cache is not None else KeyCache()
        self._installation: dict[str, Secret] = {}
        self._leases = Leases()
        # Keys that were seen to be the active ones since the store last changed. That a key is open is no such sign: it
        # may have been opened for what it sealed before another process rolled it.
        self._sealing: set[bytes] = set()
        self._version = store.version()
        self._checked = store.least
        around_forks(self, Rank.OPEN_KEYS)

    def expect(self, changes: int) -> None:
        """The store has counted this many changes, whoever says so: from here on one that counts fewer is refused."""
        self._store.least = max(self._store.least, changes)

    def refresh(self) -> None:
        """Drop what another process may have made untrue. After a fork the leases go too: the parent spends them.

        Raises :class:`HomeRefused` when an older copy of the store was put in its place.
        """
        version = self._store.version()
        if version != self._version:
            self._cache.clear()
            self._sealing.clear()
            if version.pid != self._version.pid:
                self._leases.clear()
            self._require_newest()
            self._version = version
        elif self._store.least > self._checked:
            self._require_newest()

    def expire(self) -> None:
        """Drop keys that have been open for longer than they may. Raises as :meth:`refresh`, which it does too."""
        self._roots.expire()
        self._cache.expire()
        self.refresh()

    def _require_newest(self) -> None:
        """A destroyed key that is there again must not open anything, not even until somebody looks."""
        changes = self._store.changes()
        if changes < self._store.least:
            self.forget()
            raise older_copy()
        self._store.least = self._checked = changes

    def forget(self) -> None:
        """Drop every open key and lease."""
        self._cache.clear()
        self._leases.clear()
        self._sealing.clear()

    def close(self) -> None:
        """:meth:`forget`, and what is kept beyond a key's time."""
        self.forget()
        self._roots.forget()
        for secret in self._installation.values():
            secret.wipe()
        self._installation.clear()

    def before_fork(self) -> None:
        """Nothing: what was open stays open in the parent."""

    def after_fork(self) -> None:
        """In the parent."""

    def after_fork_in_child(self) -> None:
        """A forked child keeps no copy of what its parent had open, whether it ever uses it or not."""
        self.close()

    def installation(self, purpose: str) -> Secret:
        """A key that names and signs. It opens no data, so it goes on serving while the provider does not answer: what
        is due is deleted then too, and recorded (docs/keys.md)."""
        try:
            key = self._cache.get(
                ("installation", purpose), Secret, lambda: self._installation_row(purpose), self.under_root
            )
        except KeyUnavailable:
            held = self._installation.get(purpose)
            if held is None:
                raise
            return held
        held = self._installation.get(purpose)
        if held is None or held.bytes() != key.bytes():  # the signing key may have been exchanged
            self._installation[purpose] = Secret(key.bytes())
        return key

    def root_id(self) -> bytes:
        """The id of the root key that the store's rows stand under now."""
        return self._installation_row("sign").wrapping_id

    def root_wrapping(self) -> WrappingKey:
        """The root key to wrap new rows under. Ask inside the transaction that writes them."""
        return self._roots.wrapping(self.root_id())

    def under_root(self, row: KeyRow) -> Secret:
        """What a row under the root key holds. A row that was wrapped again since it was read is read anew."""
        try:
            return self._roots.wrapping(row.wrapping_id).unwrap(row)
        except (KeyRejected, KeyDestroyed):
            again = self._store.row(row.key_id)
            # A key is never wrapped again for another use: two rows that name it were not both written here.
            if again is None or again.wrapping_id == row.wrapping_id or again.use != row.use:
                raise
        return self.under_root(again)

    def names_key(self) -> DataKey:
        return self._cache.get(
            "names",
            DataKey,
            lambda: self._installation_row("names"),
            lambda row: _usable(self.installation("names"), row, self._suite),
        )

    def numbered(self, use: KeyUse) -> int:
        """The highest epoch among the rows of an installation's use that open; 0 when there is none."""
        return self._cache.get(("numbered", use), int, lambda: self._store.versions(use), self._highest)

    def _highest(self, rows: Sequence[KeyRow]) -> int:
        for row in rows:
            self.under_root(row).wipe()
        return max((int(row.use.epoch) for row in rows), default=0)

    def tenant(self, tenant: bytes, purpose: str, epoch: str = "") -> Secret:
        return self._cache.get(
            ("tenant", tenant, purpose, epoch),
            Secret,
            lambda: self._active_row(KeyUse("tenant", purpose, tenant, epoch=epoch)),
            self._under_kek,
        )

    def versions(self, use: KeyUse) -> list[tuple[int, Secret]]:
        """Every version of a tenant's key, oldest first. One there must be: :class:`KeyRejected`."""
        place = ("versions", use.tenant, use.purpose, use.collection)
        for _ in range(_ATTEMPTS):
            numbers: tuple[int, ...] = self._cache.get(place, tuple, lambda: self._numbers_of(use), tuple)
            with contextlib.suppress(UnknownKey):
                return [(number, self._of_version(use, number)) for number in numbers]
            # Another process retired a version between the two looks.
            self._cache.clear()
        raise KeyUnavailable("The versions of a key change too fast.", next_step="Try again.")

    def tenant_wrapping(self, tenant: bytes) -> WrappingKey:
        """The tenant's KEK to wrap new rows under. Ask inside the transaction that writes them."""
        return self._kek(tenant)

    def by_id(self, key_id: bytes) -> DataKey:
        return self._cache.get(key_id, DataKey, lambda: self._live_row(key_id), self._unwrapped)

    def bound_by_id(self, key_id: bytes) -> SubjectKey:
        """The key of a person or a record. Raises :class:`BoundKeyDestroyed` too."""
        return self._cache.get(("bound", key_id), SubjectKey, lambda: self._bound_row(key_id), self._bound)

    def bound(self, use: KeyUse) -> SubjectKey | None:
        """The key that new values of this person or record are bound to, if there is one."""
        row = self._store.active(use)
        if row is None:
            return None
        # Kept apart from what was opened by its id: that may be of another row, which names the same key.
        return self._cache.get(("bound", row.key_id, use), SubjectKey, lambda: self._bound_alive(row), self._bound)

    def for_writing(self, use: KeyUse, messages: int) -> DataKey:
        """The DEK to seal ``messages`` (at most one block) new values with, charged to this process."""
        key_id = self._leases.spend(use, messages)
        if key_id is not None:
            known = self._cache.peek(key_id, DataKey) if key_id in self._sealing else None
            key = known or self._still_active(key_id)
            if key is not None:
                return key
        row = self._take_block(use)
        self._leases.grant(use, row.key_id, BLOCK - messages)
        self._note_sealing(row.key_id)
        return self._open(row)

    def _numbers_of(self, use: KeyUse) -> list[int]:
        found = [int(row.use.epoch) for row in self._store.versions(use)]
        if self._store.tenant_destroyed(use.tenant):
            raise destroyed_error()
        if not found:
            raise KeyRejected("A key with versions is missing.", next_step="Restore keys.db from a backup.")
        return found

    def _of_version(self, use: KeyUse, number: int) -> Secret:
        return self._cache.get(
            ("tenant", use.tenant, use.purpose, use.collection, number),
            Secret,
            lambda: self._active_row(replace(use, epoch=str(number))),
            self._under_kek,
        )

    def _kek(self, tenant: bytes) -> WrappingKey:
        return self._cache.get(
            ("kek", tenant),
            WrappingKey,
            lambda: self._active_row(KeyUse("kek", "kek", tenant)),
            lambda row: WrappingKey(self.under_root(row), row.key_id),
        )

    def _under_kek(self, row: KeyRow) -> Secret:
        """What a row of a tenant holds. Another process may have exchanged the tenant's KEK after either was read:
        then both are read anew, and a row that still does not fit was altered."""
        for _ in range(_ATTEMPTS):
            kek = self._kek(row.use.tenant)
            if kek.key_id == row.wrapping_id:
                return kek.unwrap(row)
            self._cache.clear()
            again = self._store.row(row.key_id)
            if again is None or again.use != row.use:
                break
            row = again
        return self._kek(row.use.tenant).unwrap(row)

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

    def _bound_row(self, key_id: bytes) -> KeyRow:
        row = self._store.row(key_id)
        self._require_bound(key_id)
        if row is None or row.use.kind not in BOUND:
            raise UnknownKey(
                "A sealed value names a person's key this key store never had.",
                next_step="Use the key store it was sealed with.",
            )
        return row

    def _bound_alive(self, row: KeyRow) -> KeyRow:
        self._require_bound(row.key_id)
        return row

    def _require_bound(self, key_id: bytes) -> None:
        if self._store.is_destroyed(key_id):
            raise BoundKeyDestroyed("The key of this person or record was destroyed; what it sealed is gone.")

    def _bound(self, row: KeyRow) -> SubjectKey:
        use = row.use
        secret = self._under_kek(row)
        # Read once the row is known to be genuine.
        version = int(use.epoch or 1) if use.kind == "subject" else 1
        return SubjectKey(row.key_id, secret, use.kind, use.collection, use.tenant, version)

    def _open(self, row: KeyRow) -> DataKey:
        """A row that was just read, opened and kept."""
        return self._cache.get(row.key_id, DataKey, lambda: row, self._unwrapped)

    def _unwrapped(self, row: KeyRow) -> DataKey:
        secret = self._under_kek(row)
        key = _usable(secret, row, self._suite)
        secret.wipe()
        return key

    def _still_active(self, key_id: bytes) -> DataKey | None:
        """The key of a lease, unless another process used it up or destroyed its epoch since."""
        row = self._store.row(key_id)
        if row is None or row.state != ACTIVE or self._store.is_destroyed(key_id):
            return None
        self._note_sealing(key_id)
        return self._open(row)

    def _note_sealing(self, key_id: bytes) -> None:
        if len(self._sealing) >= MOST:
            self._sealing.clear()  # each is looked at once more
        self._sealing.add(key_id)

    def _take_block(self, use: KeyUse) -> KeyRow:
        """Take a block of messages from the active DEK's row; make a new DEK when there is none or it is used up."""
        with self._store.transaction():
            self.refresh()  # a new key is never wrapped under a KEK that was exchanged a moment ago
            kek = self._kek(use.tenant)
            row = self._store.active(use)
            if row is not None:
                # Opened before it is trusted with more messages, itself: another row may name its key too.
                if self._store.is_destroyed(row.key_id):
                    raise destroyed_error()
                secret = kek.unwrap(row)
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
