"""The part of the key ring that tells an older copy of the key store from the key store.

Each transaction that changes which keys there are raises a count in the store's file. Somebody else keeps the count
(the control store, with the commits that it makes anyway), later than it was made and earlier than anything is said
that rests on it. So the count kept is the store's own or a lower one; a store that counts less is a copy of before, in
which destroyed keys are alive and newer ones are missing (docs/adr/0046).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securevec.keys.keystore import KeyStore
    from securevec.keys.openkeys import OpenKeys


class Following:
    """Every method of the ring raises :class:`HomeRefused` once the store's file is found to be an older copy."""

    _store: KeyStore
    _open: OpenKeys

    def follow(self, kept: int, note: Callable[[int], None]) -> None:
        """Compare the store with the count that was ``kept`` of it, and from now on have each new one noted. ``kept``
        was read before this call. Raises :class:`HomeRefused` for an older store."""
        with self._store.lock:
            self._store.told = note
            self._open.expect(kept)
            self._open.refresh()
            if self._store.least > kept:  # who changed it was killed, or is at it
                note(self._store.least)

    def expect(self, changes: int) -> None:
        """The store has counted this many changes, as another process may have kept it: one that counts fewer is
        refused from here on."""
        self._open.expect(changes)

    def changes(self) -> int:
        """The store's count as it stands in the file."""
        return self._store.changes()
