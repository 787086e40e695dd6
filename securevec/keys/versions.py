"""Keys of a tenant that stand in numbered versions: one, or two while what was made under the older is made anew.

What is written is made under the newest, what is asked for is asked under both. Begin and end are one transaction each,
and every process sees them at its next look at the store. Which versions there are is read from the key store alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from securevec.clock import Clock
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys

FIRST = "1"
"""The epoch of a first version's row."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyVersions:
    """``key`` (32 bytes) of the newest ``version``, and the one ``before`` it while stored values may be under it."""

    version: int
    key: bytes
    before: bytes | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(version={self.version})"


def opened(keys: OpenKeys, use: KeyUse) -> KeyVersions:
    """The versions as the store holds them; the caller holds its lock and has refreshed. Raises
    :class:`KeyDestroyed` once the tenant is destroyed, :class:`KeyRejected` when there is none."""
    found = keys.versions(use)
    (version, key), before = found[-1], found[-2][1].bytes() if len(found) > 1 else None
    return KeyVersions(version, key.bytes(), before)


def insert(store: KeyStore, keys: OpenKeys, clock: Clock, use: KeyUse, version: int) -> None:
    """Make this version. Inside a transaction."""
    use = replace(use, epoch=str(version))
    wrapping = keys.tenant_wrapping(use.tenant)
    secret = Secret.random()
    store.insert(wrapping.wrap(secret, use, created_ms=clock.now_ms()))
    secret.wipe()


def begin(store: KeyStore, keys: OpenKeys, clock: Clock, use: KeyUse) -> int:
    """Make the next version, unless two are there already; the number of the newest."""
    with store.transaction():
        keys.refresh()
        numbers = [int(row.use.epoch) for row in store.versions(use)]
        if len(numbers) == 1:
            insert(store, keys, clock, use, numbers[-1] + 1)
    keys.forget()
    return opened(keys, use).version
