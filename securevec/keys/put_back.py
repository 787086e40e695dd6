"""The part of the key ring that notices an older copy of the key store put in its place.

Each transaction that changes which keys there are raises a count in the store's file. The control store keeps the count
too: it writes it after the change was made, and before it says anything that depends on the change. So the count it
keeps is the key store's own or a lower one. A key store that counts less is an older copy, in which destroyed keys are
alive and newer ones are missing (docs/adr/0046).
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

    def require_format(self) -> None:
        """Raises :class:`HomeRefused` when another release has brought the store up since it was opened."""
        self._store.require_format()

    def changes(self) -> int:
        """The store's count as it stands in the file."""
        return self._store.changes()
