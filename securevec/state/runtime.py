"""What an open home holds, and a tenant or a collection as one actor sees it. Values only; no decisions here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID
from weakref import WeakValueDictionary

import numpy as np

from securevec.anonymize import Anonymizer, Detector, TenantKeys
from securevec.anonymize.ahead import Ahead, shared_ahead
from securevec.audit import AuditRef, Event, Succession
from securevec.audit.checkpoint import Signer
from securevec.backend import VectorBackend
from securevec.clock import Clock
from securevec.crypto.cloak import Cloak
from securevec.crypto.derive import record_ref, term_index, typed_record_id
from securevec.embed import Embedder
from securevec.errors import RecordError
from securevec.keyproviders.provider import Provider
from securevec.keys.cloaks import Cloaks
from securevec.keys.filterkeys import FilterKeys
from securevec.keys.keyring import KeyRing
from securevec.points.protect import FilterProtector
from securevec.points.terms import ANALYZER
from securevec.policy import Actor, PolicyEngine
from securevec.policy.models import KnownModels
from securevec.schema import Record, Schema
from securevec.state.engine import Engine
from securevec.state.names import NameBook
from securevec.types import CollectionId, KeyScope, Namespace, RecordRef, TenantId

if TYPE_CHECKING:
    from securevec.control.store import ControlStore


_IDS: Final = {"str": (str, "text"), "int": (int, "a whole number"), "uuid": (UUID, "a UUID")}
"""By the type of a schema's key: what an id is in Python, and in words. A bool, which is an int, is no id at all."""


class AuditSink(Protocol):
    """Where operations are recorded. ``record`` returns once the record is durable, or raises."""

    @property
    def writer_id(self) -> str: ...

    def record(self, event: Event, *, wait: bool = True) -> AuditRef: ...

    def exchange_key(self, new: Signer, *, compromised: bool) -> Succession: ...

    def checkpoint(self) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Runtime:
    """The ports of an open home. One per :class:`securevec.SecureStore`."""

    home: Path
    installation_id: str
    keys: KeyRing
    names: NameBook
    control: ControlStore
    audit: AuditSink
    policy: PolicyEngine
    clock: Clock
    engine: Engine
    embedder: Callable[[], Embedder]
    detector: Callable[[], Detector]
    key_provider: Provider | None = None
    """What keeps the root key; ``None`` where a test brings one."""
    ahead: Ahead = field(default_factory=shared_ahead)
    models_required: bool = False
    """Whether a home without a list of models lets no model receive anything."""
    restoring: bool = False
    """Whether the home is being restored: whoever restores it says which jobs go on, and when."""
    models: KnownModels = field(default_factory=KnownModels)
    """The list of models as it was last opened."""
    # Weak: a lock that nobody has in hand is made anew, and a process that runs for months keeps none of them.
    _write_locks: WeakValueDictionary[CollectionId, threading.RLock] = field(
        default_factory=WeakValueDictionary["CollectionId", "threading.RLock"]
    )
    _job_locks: WeakValueDictionary[str, threading.Lock] = field(
        default_factory=WeakValueDictionary[str, "threading.Lock"]
    )
    _jobs_of_thread: threading.local = field(default_factory=threading.local)
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def backend(self) -> VectorBackend:
        return self.engine.backend()

    def tenant_keys(self, tenant: TenantId) -> TenantKeys:
        """The keys surrogates and tokens are made with, in the versions in force. Raises :class:`KeyDestroyed` once the
        tenant is gone."""
        version, naming = self.control.token_version(tenant), self.keys.pseudonym_keys(tenant)
        return TenantKeys(
            pseudonym=naming.key,
            token=self.keys.tenant_key(tenant, "token"),
            lifts=self.keys.token_lifts(tenant, 1, version),
            naming=naming.version,
            before=naming.before,
        )

    @contextlib.contextmanager
    def job_in_hand(self, job_id: str, *, wait: bool) -> Generator[bool]:
        """Whether the caller is now the one thread of this process that works on the job.

        False at once when this very thread is at it already (opening the engine looks for jobs), and, without ``wait``,
        when another thread is.
        """
        own: set[str] = self._jobs_of_thread.__dict__.setdefault("jobs", set())
        with self._mutex:
            lock = self._job_locks.setdefault(job_id, threading.Lock())
        if job_id in own or not lock.acquire(blocking=wait):
            yield False
            return
        own.add(job_id)
        try:
            yield True
        finally:
            own.discard(job_id)
            lock.release()

    def write_lock(self, collection: CollectionId) -> threading.RLock:
        """Writes to one collection are one after another within a process; across processes the manifest decides."""
        with self._mutex:
            return self._write_locks.setdefault(collection, threading.RLock())


@dataclass(frozen=True, slots=True)
class Scope:
    """A tenant as one actor sees it. ``tenant`` is empty for operations on the installation itself."""

    tenant: TenantId
    actor: Actor
    actor_token: bytes
    actor_ref: str


def term_numbers(key: bytes, collection: CollectionId) -> Callable[[str], int]:
    """The number of each term under a collection's filter key, remembered for as long as the caller keeps this."""
    known: dict[str, int] = {}

    def index(term: str) -> int:
        number = known.get(term)
        if number is None:
            number = known[term] = term_index(key, collection, ANALYZER, term)
        return number

    return index


@dataclass(frozen=True, slots=True)
class CollectionScope:
    """A collection as one actor sees it: everything the journeys need that does not change per call."""

    scope: Scope
    collection: CollectionId
    namespace: Namespace
    schema: Schema
    record_class: type[Record]
    anonymizer: Anonymizer
    embedder: Embedder
    retention_ms: int | None
    vault: bool
    classification: str
    identity_digest: bytes
    suite: int
    """What new values of it are sealed in."""
    hybrid: bool = False
    """Whether its points carry terms, for hybrid search."""
    key_scope: KeyScope = "bucket"
    """``document``: each record is sealed under a key of its own besides."""
    cloak: Cloak | None = None
    """How its vectors are obfuscated; ``None`` where they are stored as they are."""

    @property
    def tenant(self) -> TenantId:
        return self.scope.tenant

    @property
    def embedded_fields(self) -> tuple[str, ...]:
        return self.schema.embedded

    def tenant_keys(self, runtime: Runtime) -> TenantKeys:
        """The keys surrogates and tokens are made with. Raises :class:`KeyDestroyed` once the tenant is gone."""
        return runtime.tenant_keys(self.tenant)

    def cloaks(self, runtime: Runtime) -> Cloaks | None:
        """The cloak of its vectors under each version of its key. Raises :class:`KeyDestroyed` once the tenant is
        gone."""
        if self.cloak is None:
            return None
        dimension = self.embedder.identity.dimension
        return runtime.keys.cloaks(self.tenant, self.collection, self.cloak, dimension=dimension)

    def filter_keys(self, runtime: Runtime) -> FilterKeys:
        """The keys of its tokens and terms. Raises :class:`KeyDestroyed` once the tenant is gone."""
        return runtime.keys.filter_keys(self.tenant, self.collection)

    def protector(self, runtime: Runtime, keys: FilterKeys | None = None) -> FilterProtector:
        """``keys`` are those of a look that was taken before."""
        keys = keys or self.filter_keys(runtime)
        return FilterProtector(self.schema, collection=self.collection, key=keys.key, before=keys.before)

    def term_index(self, runtime: Runtime) -> Callable[[str], int]:
        """The keyed number of each term that is written, remembered for as long as the caller keeps this."""
        return self.term_indexes(self.filter_keys(runtime))[0]

    def term_indexes(self, keys: FilterKeys) -> list[Callable[[str], int]]:
        """The same under each key a stored term may be of, that of new ones first."""
        return [term_numbers(key, self.collection) for key in (keys.key, keys.before) if key is not None]

    def record_ref(self, runtime: Runtime, record_id: object) -> RecordRef:
        """What a record is called in the store. Raises :class:`RecordError` as :func:`ref_of`."""
        # Ids of a frame are numpy's whole numbers.
        plain = int(record_id) if isinstance(record_id, np.integer) else record_id
        return ref_of(runtime.keys.tenant_key(self.tenant, "id"), self.collection, self.schema, plain)


def ref_of(key: bytes, collection: CollectionId, schema: Schema, record_id: object) -> RecordRef:
    """What a record is called in the store, under a tenant's key for ids. Raises :class:`RecordError` for an id of
    another type than the key's: ``7`` is no record's where ids are text, and "not there" would be no answer to a
    mistake."""
    kind, says = _IDS[schema.key.type]
    typed = typed_record_id(record_id)
    if not isinstance(record_id, kind):
        raise RecordError(f"A record id of this collection is {says}.")
    return record_ref(key, collection, typed)
