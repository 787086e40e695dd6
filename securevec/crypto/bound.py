"""The part of the key ring that keeps the keys of single people: what is sealed under one besides its DEK dies with it.

A subject's key is named by the keyed token of the person within the tenant, never by what the person is called. It is
made when a record about the person is first written, opened with the tenant's KEK as every other key of the tenant, and
destroyed by the person's erasure. A person of whom something is written again later gets a new key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.destroy import NOTHING_HELD, KeyDestruction, destroy
from securevec.crypto.envelope import SubjectKey
from securevec.crypto.keystore import KeyStore
from securevec.crypto.openkeys import OpenKeys
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyUse
from securevec.errors import BoundKeyDestroyed
from securevec.types import TenantId

SUBJECT: Final = "subject"


class BoundKeys:
    """One random key for each person that a record with ``Subject(shred=True)`` is about. Raises as the ring does."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def subject_keys(
        self, tenant: TenantId, tokens: Iterable[bytes], *, create: bool = True
    ) -> dict[bytes, SubjectKey]:
        """The key of each person, by token (16 bytes), made where there is none.

        Without ``create``, for what is stored again while its person may be erased, :class:`BoundKeyDestroyed`.
        """
        uses = {token: KeyUse(SUBJECT, SUBJECT, raw_id(tenant), token) for token in tokens}
        with self._store.lock:
            self._open.refresh()
            found = {token: self._open.bound(use) for token, use in uses.items()}
            missing = [token for token, key in found.items() if key is None]
            if missing and not create:
                raise BoundKeyDestroyed("The key of a person of this batch was destroyed.")
            if missing:
                with self._store.transaction():
                    self._open.refresh()  # a new key is never wrapped under a KEK that was exchanged a moment ago
                    wrapping = self._open.tenant_wrapping(raw_id(tenant))
                    for token in missing:
                        if self._store.active(uses[token]) is None:
                            secret = Secret.random()
                            row = wrapping.wrap(secret, uses[token], created_ms=self._clock.now_ms())
                            self._store.insert(row)
                            secret.wipe()
                found |= {token: self._open.bound(uses[token]) for token in missing}
            if None in found.values():
                raise BoundKeyDestroyed("The key of a person of this batch was destroyed.")
            return {token: key for token, key in found.items() if key is not None}

    def bound_key(self, key_id: bytes) -> SubjectKey:
        """The subject key an envelope names. Raises :class:`BoundKeyDestroyed` and :class:`UnknownKey`."""
        with self._store.lock:
            self._open.refresh()
            return self._open.bound_by_id(key_id)

    def require_alive(self, key_ids: Iterable[bytes]) -> None:
        """Raises :class:`BoundKeyDestroyed` when one of these keys was destroyed by now, in whatever process."""
        with self._store.lock:
            if any(self._store.is_destroyed(key_id) for key_id in key_ids):
                raise BoundKeyDestroyed("The key of a person of this batch was destroyed.")

    def subject_key_ids(self, tenant: TenantId, tokens: Iterable[bytes]) -> list[str]:
        """The ids (hex) of the keys that these people have now. No key is opened."""
        raw = raw_id(tenant)
        with self._store.lock:
            return [row.key_id.hex() for token in tokens for row in self._store.rows_bound(raw, SUBJECT, token)]

    def destroy_subjects(self, tenant: TenantId, tokens: Sequence[bytes], *, job_id: str) -> KeyDestruction:
        """Destroy the keys of these people, or finish an earlier attempt of the same job: as :meth:`destroy_tenant`.

        People without a key are no error.
        """
        raw, now_ms = raw_id(tenant), self._clock.now_ms()
        with self._store.lock:
            self._open.forget()
            done = destroy(
                self._store,
                f"{SUBJECT}:{tenant}:{job_id}",
                lambda: [row for token in tokens for row in self._store.rows_bound(raw, SUBJECT, token)],
                now_ms=now_ms,
            )
            return done or KeyDestruction((), now_ms, residue_found=False, evidence=NOTHING_HELD)
