"""Keys as the store held them at one look, and what is known of a key without opening it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from securevec.crypto.derive import raw_id
from securevec.crypto.envelope import DataKey, SubjectKey
from securevec.keys.cloaks import cloak_versions
from securevec.keys.filterkeys import FilterKeys, opened_filter_keys
from securevec.keys.keystore import KeyStore
from securevec.keys.openkeys import OpenKeys
from securevec.keys.tokenkeys import opened_lifts
from securevec.types import CollectionId, TenantId

TenantPurpose = Literal["id", "token", "content", "audit"]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known about a key without opening it. Ids in hex, times in UTC ms, ``leased`` in messages.

    ``subject`` is the keyed token of the person whose key it is, and empty for every other kind.
    """

    kind: str
    purpose: str
    tenant: str
    collection: str
    epoch: str
    state: str
    key_id: str
    created_ms: int
    leased: int
    subject: str = ""


class KeyView:
    """Keys as the store held them when :meth:`KeyRing.view` made this: for opening the points of one answer.

    What was destroyed before is not handed out. What is destroyed after it is the fence's to tell, which is read again
    before an answer leaves; so a view is made for a batch and never kept. Methods raise as those of :class:`KeyRing`.
    """

    __slots__ = ("_bound", "_found", "_open", "_store")

    def __init__(self, store: KeyStore, open_keys: OpenKeys) -> None:
        self._store = store
        self._open = open_keys
        self._found: dict[bytes, DataKey] = {}
        self._bound: dict[bytes, SubjectKey] = {}

    def tenant_key(self, tenant: TenantId, purpose: TenantPurpose) -> bytes:
        with self._store.lock:
            return self._open.tenant(raw_id(tenant), purpose).bytes()

    def filter_keys(self, tenant: TenantId, collection: CollectionId) -> FilterKeys:
        with self._store.lock:
            return opened_filter_keys(self._open, tenant, collection)

    def cloak_versions(self, tenant: TenantId, collection: CollectionId) -> tuple[int, ...]:
        with self._store.lock:
            return cloak_versions(self._open, tenant, collection)

    def token_lifts(self, tenant: TenantId, after: int, version: int) -> tuple[bytes, ...]:
        with self._store.lock:
            return opened_lifts(self._open, tenant, after, version)

    def key_by_id(self, key_id: bytes) -> DataKey:
        key = self._found.get(key_id)
        if key is None:
            with self._store.lock:
                key = self._found[key_id] = self._open.by_id(key_id)
        return key

    def bound_key(self, key_id: bytes) -> SubjectKey:
        key = self._bound.get(key_id)
        if key is None:
            with self._store.lock:
                key = self._bound[key_id] = self._open.bound_by_id(key_id)
        return key

    def __repr__(self) -> str:
        return "KeyView(<hidden>)"
