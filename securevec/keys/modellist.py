"""The part of the key ring that keeps the number of the newest list of models, so that an older list is noticed.

The list stands in the control store, sealed, with a number that every change raises. The highest number stands here, as
a row of its own: a key of this use whose epoch is the number. Nothing is sealed with the key; wrapping it is what
authenticates the number. The control store is written first, so the number here is the list's own or a lower one, and a
list with a lower number, or none where there is a number, was put back or taken away (docs/adr/0071).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse

if TYPE_CHECKING:
    from securevec.clock import Clock
    from securevec.keys.keystore import KeyStore
    from securevec.keys.openkeys import OpenKeys

_LIST: Final = KeyUse("installation", "models")


class Listed:
    """Raises as the ring does."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def models_seen(self) -> int:
        """The number of the newest list of models there was; 0 where none was ever made. About 10 microseconds."""
        with self._store.lock:
            self._open.refresh()
            return self._open.numbered(_LIST)

    def keep_models(self, number: int) -> None:
        """Keep the number of a list that stands in the control store, if it is higher."""
        with self._store.transaction():
            self._open.refresh()
            rows = self._store.versions(_LIST)
            if any(int(row.use.epoch) >= number for row in rows):
                return
            for row in rows:
                self._store.drop(row)
            secret = Secret.random()
            use = KeyUse(_LIST.kind, _LIST.purpose, epoch=str(number))
            self._store.insert(self._open.root_wrapping().wrap(secret, use, created_ms=self._clock.now_ms()))
            secret.wipe()
        self._open.forget()
