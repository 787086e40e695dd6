"""The part of the key ring that holds the installation's signing key, and the two there are while it is exchanged.

    sign-next made       nothing is signed with it; the audit log does not name it yet
    (the audit log names it: from here on everybody signs with it)
    adopted              it is ``sign``, and the old one is left behind as a rolled row
    old one destroyed    as every key: deleted, the file rewritten and searched

Which of the two is in force, the audit log says alone (:mod:`securevec.audit.succession`): a process that finds the
new key named there adopts it, so a kill between the two stores leaves nothing to repair by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from securevec.clock import Clock
from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey
from securevec.crypto.wrap import ROLLED, KeyRow, KeyUse
from securevec.errors import KeyRejected
from securevec.keys.destroy import KeyDestruction, destroy
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys

_SIGN: Final = KeyUse("installation", "sign")
_NEXT: Final = KeyUse("installation", "sign-next")
_MARKED: Final = KeyUse("installation", "sign-next", epoch="compromised")
"""The same of an exchange that was asked for because others may have the old key: who finishes it need not say so."""


@dataclass(frozen=True, slots=True)
class NextKey:
    """The key that an exchange is about to hand over to, and whether it is marked ``compromised``."""

    key: SigningKey
    compromised: bool


class Signing:
    """Raises as the ring does."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def signing_key(self) -> SigningKey:
        """The installation's Ed25519 key."""
        with self._store.lock:
            self._open.refresh()
            return SigningKey(self._open.installation("sign"))

    def next_signing_key(self, *, make: bool, compromised: bool = False) -> NextKey | None:
        """The key that an exchange is about to hand over to; with ``make`` it is made unless there is one. A mark is
        kept with it and only ever added."""
        with self._store.transaction():
            self._open.refresh()
            row = self._coming()
            if row is None and not make:
                return None
            secret = Secret.random() if row is None else self._open.under_root(row)
            if row is None or (compromised and row.use != _MARKED):
                if row is not None:
                    self._store.drop(row)
                use = _MARKED if compromised else _NEXT
                row = self._open.root_wrapping().wrap(secret, use, created_ms=self._clock.now_ms())
                self._store.insert(row)
            key = SigningKey(secret)
            secret.wipe()
            return NextKey(key, row.use == _MARKED)

    def in_force(self, public: bytes | None) -> SigningKey:
        """The key that the audit log says signs now; ``None`` while it names none.

        One that the log has handed over to is adopted on the way. Raises :class:`KeyRejected` for a key that is not
        held: nothing is signed then.
        """
        key = self.signing_key()
        if public is None or key.public == public:
            return key
        self._adopt(public)
        key = self.signing_key()
        if key.public != public:
            raise KeyRejected(
                "The key store does not hold the key that the audit log is signed with by now.",
                next_step="Use the key store of this home, not an older copy of it.",
            )
        return key

    def destroy_retired_signing_keys(self) -> KeyDestruction | None:
        """Destroy signing keys that were handed over from. ``None`` when there are none, and nothing to finish."""
        with self._store.lock:
            self._open.forget()
            return destroy(self._store, "sign", self._retired, now_ms=self._clock.now_ms())

    def _retired(self) -> list[KeyRow]:
        return [row for row in self._store.all_rows(kind="installation") if row.use == _SIGN and row.state == ROLLED]

    def _coming(self) -> KeyRow | None:
        return self._store.active(_NEXT) or self._store.active(_MARKED)

    def _adopt(self, public: bytes) -> None:
        with self._store.transaction():
            self._open.refresh()
            coming, going = self._coming(), self._store.active(_SIGN)
            if coming is None or going is None:
                return  # another process was faster, or this is an older key store
            secret, old = self._open.under_root(coming), self._open.under_root(going)
            if SigningKey(secret).public == public:
                root, now_ms = self._open.root_wrapping(), self._clock.now_ms()
                self._store.replace(root.wrap(old, _SIGN, created_ms=going.created_ms, state=ROLLED))
                self._store.insert(root.wrap(secret, _SIGN, created_ms=now_ms))
                self._store.drop(coming)
            secret.wipe()
            old.wipe()
        self._open.forget()
