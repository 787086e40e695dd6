"""The way in: :class:`SecureStore` opens a home and hands out tenants. Wiring only; decisions are made in the rooms."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from securevec.anonymize import Detector, Names, PatternEngine, Recall
from securevec.anonymize.ahead import Ahead
from securevec.backend import VectorBackend
from securevec.clock import Clock
from securevec.control.database import closed
from securevec.control.rows import TenantRow
from securevec.discovery import Choices
from securevec.embed import Embedder
from securevec.errors import LegalHold, RetentionMinimum, SecurevecError, TenantNotFound, UsageError
from securevec.guard import Admission, admit, refuse, settle_outbox
from securevec.jobs import JobResult, advance, run_pending
from securevec.keyproviders.provider import Provider
from securevec.policy import Actor, PolicyEngine
from securevec.removing.recover import resolve_open_batches
from securevec.removing.tenant import request_deletion
from securevec.rows.validate import check_name
from securevec.state import reserve
from securevec.state.runtime import Runtime
from securevec.store.caretaker import Caretaker
from securevec.store.importing import StoreImports
from securevec.store.machines import MACHINES
from securevec.store.models import StoreModels
from securevec.store.open_home import INSTALLATION
from securevec.store.opening import open_runtime
from securevec.store.rekeying import StoreKeys
from securevec.store.tenant import Tenant
from securevec.text import given_path
from securevec.types import Layout, Suite, TenantId
from securevec.verbs.quota import QuotaUse, quota_use, set_quota


class SecureStore(StoreImports, StoreKeys, StoreModels):
    """One home, opened. Use it as a context manager, or call :meth:`close`.

    Thread-safe. Not for use across ``fork``: open a store of its own in each process.
    """

    def __init__(self, runtime: Runtime, *, actor: Actor) -> None:
        super().__init__(runtime, actor)
        self._closed = False
        # Of two that close at once the second would take the keys from under the first, which signs the audit log.
        self._closing = threading.RLock()
        self._caretaker = Caretaker(runtime)
        runtime.engine.on_open(self._engine_opened)

    @classmethod
    def open(
        cls,
        home: str | Path,
        *,
        backend: str | None = None,
        key_file: str | Path | None = None,
        passphrase: str | None = None,
        keys: Provider | None = None,
        embedder: Embedder | None = None,
        policy: PolicyEngine | None = None,
        actor: Actor | None = None,
        clock: Clock | None = None,
        create: bool = True,
        plain_http_hosts: Collection[str] = (),
        recognizers: Sequence[Detector] = (),
        recall: Recall = "balanced",
        pattern_engine: PatternEngine = "re2",
        names: Names = "small",
        models_required: bool = False,
        suite: Suite = "aes-256-gcm",
        key_cache_ttl: float = 300.0,
        stale_if_unavailable: float = 0.0,
        layout: Layout | None = None,
        grpc_port: int | None = None,
        open_shards: int | None = None,
        server_timeout: int | None = None,
        use_reserve: bool = False,
    ) -> SecureStore:
        """Open the home at this path, making it first when there is none.

        Args:
            home: a directory of its own.
            backend: ``edge`` (default), ``chroma``, ``memory``, ``qdrant://host:port`` or ``chroma://host:port``
                (``qdrants://``, ``chromas://`` with TLS); fixed when the home is made.
            key_file: the root key; made when absent. Default: ``$XDG_CONFIG_HOME/securevec/keys/<installation>.key``.
            passphrase: instead of a key file.
            keys: instead of both, a token (``securevec.keyproviders.pkcs11.Pkcs11Provider``) or a key management
                service (``securevec.keyproviders.aws_kms.AwsKmsProvider``); see docs/keys.md.
            embedder: default is all-MiniLM-L6-v2, loaded at first use.
            policy: default is the built-in rules.
            actor: who manages tenants through this object. Default: the local operator.
            create: whether a missing home is made.
            plain_http_hosts: hosts that a server backend may reach without TLS, besides this machine: everything it
                sends is readable on the way. Kept with a home that is made now, else for this opening.
            recognizers: detectors of your own beside the built-in one, such as those of :func:`securevec.recognizer`;
                collections are bound to them.
            recall: ``high`` finds more names and takes more other words for names; collections are bound to it.
            pattern_engine: ``hyperscan`` (an extra) for long ingests: the same findings, sooner on texts that are read
                for the first time (docs/detection.md). For this opening.
            names: ``contextual`` (the extra ``embed``) reads whole sentences for names: it finds more of them, and
                takes longer than embedding them does (docs/detection.md); collections are bound to it.
            models_required: a home without a list of models (:meth:`allow_model`) lets no model receive anything.
            suite: what is sealed from now on; every suite is read. ``aes-256-gcm-committing`` for keys that many share,
                ``aes-256-gcm-siv`` where random numbers are not trusted, ``chacha20-poly1305`` without AES in hardware.
            key_cache_ttl: seconds that an open key stays in this process's memory at most, 0 to 3,600. It is not what
                makes a destroyed key unusable: that is seen at the next call. A token or key management service is
                asked for the root key again after it.
            stale_if_unavailable: seconds, up to 900, that the root key may serve beyond ``key_cache_ttl`` while its
                provider does not answer; never once the provider says that it is disabled or destroyed.
            layout: where a Qdrant server keeps tenants: ``shared`` (default), a ``collection`` for each, or a ``shard``
                for each (cluster mode). Fixed when the home is made; :meth:`promote_tenant` moves one tenant.
            open_shards: collections an embedded store keeps open at most; default 128 on Edge (40 MB of small ones), 32
                on Chroma. For this opening.
            server_timeout: seconds, up to 3,600, that a server may take for one request; default 60. For this opening.
            grpc_port: speak gRPC to a Qdrant server, at this port (Qdrant's is 6334). For this opening.
            use_reserve: for a process that is going to delete: on a full disk it is opened with the few MiB that the
                home keeps for that. A store that is open already uses them by itself when it deletes.

        Raises:
            HomeRefused: unsafe permissions, key file under the home, foreign or newer format.
            KeyRejected: wrong key file or passphrase.
            ConfigError: another backend than the home was made for, or an address that is refused.
            MissingExtra: the backend's client, the pattern engine or what reads names is not installed.
        """
        runtime = open_runtime(
            given_path(home),
            backend=backend,
            key_file=given_path(key_file) if key_file is not None else None,
            passphrase=passphrase,
            key_provider=keys,
            embedder=embedder,
            policy=policy,
            clock=clock,
            create=create,
            plain_http_hosts=plain_http_hosts,
            recognizers=recognizers,
            recall=recall,
            pattern_engine=pattern_engine,
            names=names,
            models_required=models_required,
            suite=suite,
            key_cache_ttl=key_cache_ttl,
            stale_if_unavailable=stale_if_unavailable,
            choices=Choices(layout=layout, grpc_port=grpc_port, open_shards=open_shards, server_timeout=server_timeout),
            use_reserve=use_reserve,
        )
        return cls(runtime, actor=actor or Actor.local())

    @property
    def home(self) -> Path:
        return self._runtime.home

    @property
    def actor(self) -> Actor:
        return self._actor

    @property
    def runtime(self) -> Runtime:
        """The open ports, for operators' tools. It holds keys: never hand it to request handlers."""
        return self._runtime

    def tenant(self, name: str, *, actor: Actor | None = None, create: bool = False) -> Tenant:
        """A handle on one tenant for one actor. Every operation of the handle is checked and audited as that actor's.

        Raises:
            TenantNotFound: there is none, or the actor has no role in it.
            TenantUnavailable: it is suspended or being deleted (on use).
            PolicyDenied: the actor may not create it.
        """
        check_name("tenant", name)
        who = actor or self._actor
        row = self._runtime.control.tenant_by_token(self._runtime.names.tenant_token(name))
        if row is None and create:
            row = self._create(name, who)
        # Looked up where there is none too: how long a refusal takes must not tell which of the two it is.
        scope = self._scope(row.tenant if row is not None else INSTALLATION, who)
        if (who.admin or self._runtime.control.roles(scope.tenant, scope.actor_token)) and row is not None:
            return Tenant(self._runtime, scope)
        # The same answer whether there is none or the actor has no role in it, and either is recorded.
        refusal = TenantNotFound(
            "There is no such tenant for this actor.",
            next_step="Create it (create=True), or ask its owner for a role.",
        )
        refuse(self._runtime, self._scope(INSTALLATION, who), action="tenant.open", error=refusal)
        raise refusal

    def tenants(self) -> list[tuple[str, str]]:
        """Names and states of the tenants that are not deleted. For the local operator."""
        admission = self._admit_management()
        listed = [
            (self._name_of(row), row.state) for row in self._runtime.control.tenants() if row.name_sealed is not None
        ]
        admission.note(counts={"tenants": len(listed)})
        return sorted(listed)

    def suspend_tenant(self, name: str) -> None:
        """Refuse every operation of the tenant, in every process, until :meth:`resume_tenant`."""
        self._set_state(name, suspended=True)

    def resume_tenant(self, name: str) -> None:
        """Undo :meth:`suspend_tenant`."""
        self._set_state(name, suspended=False)

    def set_quota(self, name: str, *, points: int | None = None, bytes: int | None = None) -> None:
        """Limit what the tenant may hold: points (chunks of records), and bytes of their envelopes and vectors.

        Both limits are replaced; ``None`` is no limit. What is stored already stays, whatever the limit; the next write
        that would pass it is refused (:class:`QuotaExceeded`), in an ingest row by row. Needs ``tenant.manage``.
        """
        set_quota(self._runtime, self._scope(self._row(name).tenant, self._actor), points=points, size=bytes)

    def quota(self, name: str) -> QuotaUse:
        """What the tenant holds and may hold. Needs ``tenant.manage``."""
        return quota_use(self._runtime, self._scope(self._row(name).tenant, self._actor))

    def delete_tenant(self, name: str) -> JobResult:
        """Delete a tenant: fence at once, destroy its keys, remove its points, verify, sign a receipt.

        When another process holds the engine, the fence and the destroyed keys take effect here and now, and the
        holder removes the points; the result then says what it waits for.

        Raises:
            TenantNotFound: there is none.
            LegalHold, RetentionMinimum: a hold or a statutory minimum forbids it. The refusal is audited.
            PolicyDenied: the store's actor may not delete tenants.
        """
        row = self._row(name)
        admission = admit(
            self._runtime,
            self._scope(row.tenant, self._actor),
            permission="tenant.delete",
            action="tenant.delete",
            states=("active", "suspended", "deleting"),
        )
        try:
            job = request_deletion(self._runtime, admission)
        except (LegalHold, RetentionMinimum) as refusal:
            admission.failure(refusal, phase="result")
            raise
        return advance(self._runtime, MACHINES, job)

    def run_jobs(self) -> list[JobResult]:
        """Advance every unfinished job as far as it goes in this process."""
        return run_pending(self._runtime, MACHINES)

    def close(self) -> None:
        """Close the engine, the audit log and the stores. Idempotent.

        Calls of other threads that are under way end with :class:`Unavailable`: what they had
        written is live or not, as after a crash, and is settled when the home is opened next.
        """
        with self._closing:
            self._close()

    def __enter__(self) -> Self:
        if self._closed:
            raise closed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SecureStore(<{'closed' if self._closed else 'open'}>)"

    def _close(self) -> None:
        self._closed = True
        self._caretaker.stop()
        ahead, self._runtime.ahead = self._runtime.ahead, Ahead(jobs=0)
        ahead.close()
        with contextlib.suppress(SecurevecError):
            # What has expired by now stays expired, though the clock be set back before the home is opened again.
            self._runtime.control.raise_time_floor(self._runtime.clock.floor_ms())
        try:
            self._runtime.engine.close()
        finally:
            try:
                self._runtime.audit.close()
            finally:
                self._runtime.control.close()
                self._runtime.keys.close()
                reserve.keep(self._runtime.home)

    def _engine_opened(self, backend: VectorBackend) -> None:
        """What the engine's holder does first: settle what a crash left, finish what others asked for."""
        control = self._runtime.control
        if backend.capabilities.volatile:
            for tenant in control.tenants():
                for row in control.collections(tenant.tenant):
                    control.reset_volatile(row.collection)
        # The holder of an embedded engine is its only writer: whatever is unfinished was left by one that died.
        resolve_open_batches(self._runtime, expired_only=not backend.capabilities.embedded)
        settle_outbox(self._runtime)
        if self._runtime.restoring:
            return  # the holds that a job of the backup has to respect may be the newer state's
        run_pending(self._runtime, MACHINES)
        self._caretaker.start()

    def _create(self, name: str, who: Actor) -> TenantRow:
        runtime = self._runtime
        admission = admit(runtime, self._scope(INSTALLATION, who), permission="tenant.create", action="tenant.create")
        tenant = TenantId(uuid4().hex)
        raw = bytes.fromhex(tenant)
        admission.note(phase="intent")
        now_ms = runtime.clock.now_ms()
        token = runtime.names.actor_token(who)
        name_token = runtime.names.tenant_token(name)
        runtime.keys.create_tenant(tenant)
        try:
            row = runtime.control.create_tenant(
                tenant=tenant,
                name_token=name_token,
                name_sealed=runtime.names.seal(name, row=raw, kind="tenant-name"),
                now_ms=now_ms,
                owner=(token, runtime.names.seal(who.name, row=token, kind="actor-name")),
            )
        except SecurevecError as error:
            admission.failure(error, phase="result")
            theirs = runtime.control.tenant_by_token(name_token) if isinstance(error, UsageError) else None
            if theirs is None:
                raise
            # Another process made it meanwhile: theirs counts, and our keys protect nothing.
            runtime.keys.destroy_tenant(tenant)
            return theirs
        admission.note(phase="result", counts={"tenants": 1})
        return row

    def _set_state(self, name: str, *, suspended: bool) -> None:
        row = self._row(name)
        admission = admit(
            self._runtime,
            self._scope(row.tenant, self._actor),
            permission="tenant.manage",
            action="tenant.suspend" if suspended else "tenant.resume",
            states=("active", "suspended"),
        )
        admission.note(phase="intent")
        after = self._runtime.control.set_tenant_state(
            row.tenant,
            "suspended" if suspended else "active",
            now_ms=self._runtime.clock.now_ms(),
            request_id=admission.request_id,
        )
        settle_outbox(self._runtime)
        if after.fence == row.fence:
            # It was so already: no event was owed, and the intent is answered here.
            admission.note(phase="result")

    def _name_of(self, row: TenantRow) -> str:
        sealed = row.name_sealed
        if sealed is None:
            return ""
        return self._runtime.names.open_text(sealed, row=bytes.fromhex(row.tenant), kind="tenant-name")

    def _admit_management(self) -> Admission:
        return admit(self._runtime, self._scope(INSTALLATION, self._actor), permission="tenant.manage", action="config")
