"""The part of the key ring that keeps the keys of single people and records: what is sealed under one besides its DEK
dies with it.

A subject's key is named by the keyed token of the person within the tenant, never by what the person is called. It is
made when a record about the person is first written, opened with the tenant's KEK as every other key of the tenant, and
destroyed by the person's erasure. A person of whom something is written again later gets a new key.

A record's key, in collections with ``key_scope="document"``, is of one generation: it is made when the generation is
written and destroyed when the generation is removed. Such keys go by the hundred, so their rows are deleted at once and
the file is rewritten when a receipt has to say so (:func:`securevec.keys.destroy.sweep`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from securevec.clock import Clock
from securevec.crypto.derive import raw_id
from securevec.crypto.envelope import SubjectKey
from securevec.crypto.secret import Secret
from securevec.crypto.wrap import KeyRow, KeyUse
from securevec.errors import BoundKeyDestroyed
from securevec.keys.destroy import NOTHING_HELD, KeyDestruction, Search, destroy, sweep
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys
from securevec.keys.tokenkeys import SUBJECT, TokenVersions, epoch_of
from securevec.types import TenantId

DOCUMENT: Final = "document"


class BoundKeys(TokenVersions):
    """One random key for each person that a record with ``Subject(shred=True)`` is about. Raises as the ring does."""

    _store: KeyStore
    _open: OpenKeys
    _clock: Clock

    def subject_keys(
        self, tenant: TenantId, tokens: Iterable[bytes], *, version: int = 1, create: bool = True
    ) -> dict[bytes, SubjectKey]:
        """The key of each person, by token (16 bytes) of this version of the token key, made where there is none.

        Without ``create``, for what is stored again while its person may be erased, only where the person has a key
        that is named by an earlier token; else :class:`BoundKeyDestroyed`.
        """
        uses = {token: KeyUse(SUBJECT, SUBJECT, raw_id(tenant), token, epoch_of(version)) for token in tokens}
        return self._bound_keys(tenant, uses, lambda token: create or bool(self._named(tenant, [token])))

    def document_keys(self, tenant: TenantId, generations: Mapping[bytes, int]) -> dict[bytes, SubjectKey]:
        """The key of each record's generation, by ref, made where there is none."""
        uses = {ref: _of_document(tenant, ref, each) for ref, each in generations.items()}
        return self._bound_keys(tenant, uses, lambda ref: True)

    def _bound_keys(
        self, tenant: TenantId, uses: Mapping[bytes, KeyUse], create: Callable[[bytes], bool]
    ) -> dict[bytes, SubjectKey]:
        with self._store.lock:
            self._open.refresh()
            found = {name: self._open.bound(use) for name, use in uses.items()}
            missing = [name for name, key in found.items() if key is None]
            if missing:
                with self._store.transaction():
                    self._open.refresh()  # a new key is never wrapped under a KEK that was exchanged a moment ago
                    wrapping = self._open.tenant_wrapping(raw_id(tenant))
                    for name in missing:
                        if self._store.active(uses[name]) is None:
                            # Asked inside: nobody destroys a key between this and the row.
                            if not create(name):
                                raise BoundKeyDestroyed("The key of a person of this batch was destroyed.")
                            secret = Secret.random()
                            row = wrapping.wrap(secret, uses[name], created_ms=self._clock.now_ms())
                            self._store.insert(row)
                            secret.wipe()
                found |= {name: self._open.bound(uses[name]) for name in missing}
            if None in found.values():
                raise BoundKeyDestroyed("The key of a person of this batch was destroyed.")
            return {name: key for name, key in found.items() if key is not None}

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
        """The ids (hex) of the keys that these people have now, also of those named by earlier tokens of theirs."""
        with self._store.lock:
            self._open.refresh()
            return [row.key_id.hex() for row in self._named(tenant, list(tokens))]

    def destroy_subjects(self, tenant: TenantId, tokens: Sequence[bytes], *, job_id: str) -> KeyDestruction:
        """Destroy the keys of these people, or finish an earlier attempt of the same job: as :meth:`destroy_tenant`.

        People without a key are no error.
        """
        now_ms = self._clock.now_ms()
        with self._store.lock:
            self._open.forget()
            self._open.refresh()
            done = destroy(
                self._store,
                f"{SUBJECT}:{tenant}:{job_id}",
                lambda: self._named(tenant, tokens),
                now_ms=now_ms,
            )
            return done or KeyDestruction((), now_ms, evidence=NOTHING_HELD)

    def bury_documents(self, tenant: TenantId, generations: Iterable[tuple[bytes, int]]) -> int:
        """Destroy the keys of these generations: no process opens anything with them from here on. Returns how many
        there were. Their removal from the file is shown by :meth:`sweep_documents`."""
        with self._store.lock:
            if not self._store.has_kind(DOCUMENT):
                return 0
            with self._store.transaction():
                rows = [row for ref, each in generations if (row := self._document(tenant, ref, each)) is not None]
                self._store.bury(rows, now_ms=self._clock.now_ms(), forget=False)
            if rows:
                self._open.forget()
            return len(rows)

    def has_documents(self, tenant: TenantId) -> bool:
        """Whether records of this tenant have, or had, keys of their own."""
        with self._store.lock:
            return self._store.has_kind(DOCUMENT) and self._store.holds_kind(raw_id(tenant), DOCUMENT)

    def documents_alive(self, tenant: TenantId, generations: Iterable[tuple[bytes, int]]) -> set[bytes]:
        """The refs of those generations that have a key. No key is opened."""
        with self._store.lock:
            return {ref for ref, each in generations if self._document(tenant, ref, each) is not None}

    def sweep_documents(self, tenant: TenantId, search: Search) -> str:
        """Show that the records' keys that were destroyed are gone from the key store's files, and have ``search`` look
        for them in the rest of the home; on what evidence.

        Raises :class:`KeyUnavailable` when the store is busy, or other files lie beside it or hold them: the same call
        continues.
        """
        return sweep(self._store, raw_id(tenant), DOCUMENT, search)

    def _document(self, tenant: TenantId, ref: bytes, generation: int) -> KeyRow | None:
        return self._store.active(_of_document(tenant, ref, generation))


def _of_document(tenant: TenantId, ref: bytes, generation: int) -> KeyUse:
    return KeyUse(DOCUMENT, DOCUMENT, raw_id(tenant), ref, str(generation))
