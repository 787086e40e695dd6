"""Written by ``tools/generate_async.py`` from :class:`securevec.SecureStore`: change that class."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from securevec.aio.bridge import THREADS, Bridge, on_loop
from securevec.aio.models import AsyncStoreModels
from securevec.aio.opening import Opening
from securevec.aio.tenant import AsyncTenant
from securevec.anonymize import Detector, Names, PatternEngine, Recall
from securevec.clock import Clock
from securevec.embed import Embedder
from securevec.imports.options import ImportOptions
from securevec.imports.report import ImportPreview, ImportReport
from securevec.jobs import JobResult
from securevec.keyproviders.provider import Provider
from securevec.policy import Actor, PolicyEngine
from securevec.rekeying.recloak import Recloak
from securevec.rekeying.reindex import Reindex
from securevec.rekeying.renewing import Renewal
from securevec.rekeying.reseal import Reseal
from securevec.rekeying.resurrogate import Resurrogation
from securevec.retention.plan import RetentionPlan
from securevec.retention.rulebook import Rule
from securevec.schema import Record
from securevec.store.rootkeys import KEPT, RootRotation
from securevec.store.secure_store import SecureStore
from securevec.store.signingkey import SigningRotation
from securevec.types import Layout, Suite
from securevec.verbs.quota import QuotaUse
from securevec.writing.report import Progress


class AsyncSecureStore(AsyncStoreModels):
    """One home, opened, for coroutines: :class:`securevec.SecureStore`, each call awaited.

    Tied to no event loop: several may use it. Not for use across ``fork``."""

    def __init__(self, bridge: Bridge, sync: SecureStore) -> None:
        super().__init__(bridge, sync)
        self._sync = sync

    def __repr__(self) -> str:
        return f"Async{self._sync!r}"

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
        threads: int = THREADS,
    ) -> Opening[AsyncSecureStore]:
        """Open the home at this path, making it first when there is none.

        See :meth:`securevec.SecureStore.open`.

        Await what this returns, or enter it with ``async with``. ``threads`` is how many calls run at once.
        """

        async def opened() -> AsyncSecureStore:
            bridge = Bridge(threads)
            call = functools.partial(
                SecureStore.open,
                home,
                backend=backend,
                key_file=key_file,
                passphrase=passphrase,
                keys=keys,
                embedder=embedder,
                policy=policy,
                actor=actor,
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
                layout=layout,
                grpc_port=grpc_port,
                open_shards=open_shards,
                server_timeout=server_timeout,
                use_reserve=use_reserve,
            )
            try:
                return cls(bridge, await bridge.acquire(call, SecureStore.close))
            except BaseException:
                bridge.close()
                raise

        return Opening(opened)

    @property
    def home(self) -> Path:
        return self._sync.home

    @property
    def actor(self) -> Actor:
        return self._sync.actor

    async def tenant(self, name: str, *, actor: Actor | None = None, create: bool = False) -> AsyncTenant:
        """A handle on one tenant for one actor. Every operation of the handle is checked and audited as that actor's.

        See :meth:`securevec.SecureStore.tenant`.
        """
        return AsyncTenant(self._bridge, await self._bridge.run(self._sync.tenant, name, actor=actor, create=create))

    async def tenants(self) -> list[tuple[str, str]]:
        """Names and states of the tenants that are not deleted. For the local operator."""
        return await self._bridge.run(self._sync.tenants)

    async def suspend_tenant(self, name: str) -> None:
        """Refuse every operation of the tenant, in every process, until :meth:`resume_tenant`."""
        await self._bridge.run(self._sync.suspend_tenant, name)

    async def resume_tenant(self, name: str) -> None:
        """Undo :meth:`suspend_tenant`."""
        await self._bridge.run(self._sync.resume_tenant, name)

    async def set_quota(self, name: str, *, points: int | None = None, bytes: int | None = None) -> None:
        """Limit what the tenant may hold: points (chunks of records), and bytes of their envelopes and vectors.

        See :meth:`securevec.SecureStore.set_quota`.
        """
        await self._bridge.run(self._sync.set_quota, name, points=points, bytes=bytes)

    async def quota(self, name: str) -> QuotaUse:
        """What the tenant holds and may hold. Needs ``tenant.manage``."""
        return await self._bridge.run(self._sync.quota, name)

    async def delete_tenant(self, name: str) -> JobResult:
        """Delete a tenant: fence at once, destroy its keys, remove its points, verify, sign a receipt.

        See :meth:`securevec.SecureStore.delete_tenant`.
        """
        return await self._bridge.run(self._sync.delete_tenant, name)

    async def run_jobs(self) -> list[JobResult]:
        """Advance every unfinished job as far as it goes in this process."""
        return await self._bridge.run(self._sync.run_jobs)

    async def close(self) -> None:
        """Close the engine, the audit log and the stores. Idempotent.

        See :meth:`securevec.SecureStore.close`."""
        await self._bridge.end(self._sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def import_from(
        self,
        url: str,
        *,
        to: str,
        options: ImportOptions,
        record: type[Record] | None = None,
        retention: str | None = None,
        create_tenants: bool = False,
        plain_http_hosts: Collection[str] = (),
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Carry a collection that some program filled without securevec over to its tenants. The source is only read.

        See :meth:`securevec.SecureStore.import_from`.
        """
        return await self._bridge.run(
            self._sync.import_from,
            url,
            to=to,
            options=options,
            record=record,
            retention=retention,
            create_tenants=create_tenants,
            plain_http_hosts=plain_http_hosts,
            progress=on_loop(progress),
        )

    async def preview_import(
        self,
        url: str,
        *,
        to: str,
        options: ImportOptions,
        record: type[Record] | None = None,
        create_tenants: bool = False,
        plain_http_hosts: Collection[str] = (),
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportPreview:
        """What :meth:`import_from` would store, refuse and replace, by tenant and entity.

        See :meth:`securevec.SecureStore.preview_import`.
        """
        return await self._bridge.run(
            self._sync.preview_import,
            url,
            to=to,
            options=options,
            record=record,
            create_tenants=create_tenants,
            plain_http_hosts=plain_http_hosts,
            progress=on_loop(progress),
        )

    async def set_retention(
        self,
        *,
        tenant: str | None = None,
        collection: str | None = None,
        classification: str | None = None,
        max_age: str | None = None,
        min_age: str | None = None,
        replace: bool = False,
    ) -> None:
        """Set a rule on a tenant, a collection, a classification, any meeting of these, or (nothing named) everything.

        See :meth:`securevec.SecureStore.set_retention`.
        """
        await self._bridge.run(
            self._sync.set_retention,
            tenant=tenant,
            collection=collection,
            classification=classification,
            max_age=max_age,
            min_age=min_age,
            replace=replace,
        )

    async def remove_retention(
        self, *, tenant: str | None = None, collection: str | None = None, classification: str | None = None
    ) -> None:
        """Remove the rule of exactly this scope. Records keep the expiry they were sealed with.

        See :meth:`securevec.SecureStore.remove_retention`.
        """
        await self._bridge.run(
            self._sync.remove_retention, tenant=tenant, collection=collection, classification=classification
        )

    async def retention_rules(self) -> list[Rule]:
        """Every rule."""
        return await self._bridge.run(self._sync.retention_rules)

    async def retention_plan(self, *, tenant: str | None = None) -> RetentionPlan:
        """What :meth:`apply_retention` would remove now, what is kept and why. Changes nothing."""
        return await self._bridge.run(self._sync.retention_plan, tenant=tenant)

    async def apply_retention(self, digest: str) -> list[JobResult]:
        """Remove exactly what the plan of this digest says: one job per tenant, all begun or none.

        See :meth:`securevec.SecureStore.apply_retention`.
        """
        return await self._bridge.run(self._sync.apply_retention, digest)

    async def run_job(self, job_id: str) -> JobResult:
        """Carry one job on as far as it goes here. Raises what stops it, and :class:`UsageError` for an unknown job."""
        return await self._bridge.run(self._sync.run_job, job_id)

    async def promote_tenant(self, name: str, *, to: Layout) -> JobResult:
        """Move a tenant to a collection or a shard of its own on a Qdrant server, or back to the shared collection.

        See :meth:`securevec.SecureStore.promote_tenant`.
        """
        return await self._bridge.run(self._sync.promote_tenant, name, to=to)

    async def cancel_job(self, job_id: str) -> None:
        """Take back a retention job that has not begun, or a move that has not switched. Raises :class:`UsageError` for
        any other."""
        await self._bridge.run(self._sync.cancel_job, job_id)

    async def rotate_root_key(self, *, keep: int = KEPT, step: Callable[[str], None] | None = None) -> RootRotation:
        """A new root key: the rows of the key store that stand under it are wrapped again, no data is touched.

        See :meth:`securevec.SecureStore.rotate_root_key`.
        """
        return await self._bridge.run(self._sync.rotate_root_key, keep=keep, step=step)

    async def rotate_signing_key(self, *, compromised: bool = False) -> SigningRotation:
        """A new key for receipts and for the heads of the audit log. Old receipts and heads stay verifiable.

        See :meth:`securevec.SecureStore.rotate_signing_key`.
        """
        return await self._bridge.run(self._sync.rotate_signing_key, compromised=compromised)

    async def rotate_tenant_keys(self, tenant: str | None = None, *, step: Callable[[int], None] | None = None) -> int:
        """A new KEK for one tenant, or for each: its keys are wrapped again, no data is touched. How many keys were.

        See :meth:`securevec.SecureStore.rotate_tenant_keys`.
        """
        return await self._bridge.run(self._sync.rotate_tenant_keys, tenant, step=step)

    async def roll_keys(self, tenant: str, collection: str) -> int:
        """Seal what is written into a collection from now on under new data keys; how many were left behind.

        See :meth:`securevec.SecureStore.roll_keys`.
        """
        return await self._bridge.run(self._sync.roll_keys, tenant, collection)

    async def reseal(
        self,
        tenant: str,
        collection: str,
        *,
        key: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Reseal:
        """Seal every record of a collection anew under new data keys, then destroy the old ones.

        See :meth:`securevec.SecureStore.reseal`.
        """
        return await self._bridge.run(self._sync.reseal, tenant, collection, key=key, progress=on_loop(progress))

    async def reindex(
        self, tenant: str, collection: str, *, progress: Callable[[Progress], None] | None = None
    ) -> Reindex:
        """Give a collection a new filter key, and make its filter tokens and the terms of hybrid search anew under it.

        See :meth:`securevec.SecureStore.reindex`.
        """
        return await self._bridge.run(self._sync.reindex, tenant, collection, progress=on_loop(progress))

    async def recloak(
        self, tenant: str, collection: str, *, progress: Callable[[Progress], None] | None = None
    ) -> Recloak:
        """Give a collection a new cloak key, bring every stored vector under it, and destroy the old key.

        See :meth:`securevec.SecureStore.recloak`.
        """
        return await self._bridge.run(self._sync.recloak, tenant, collection, progress=on_loop(progress))

    async def renew_tokens(self, tenant: str, *, progress: Callable[[Progress], None] | None = None) -> Renewal:
        """Give a tenant a new version of its token key, and make every token of its people anew under it.

        See :meth:`securevec.SecureStore.renew_tokens`.
        """
        return await self._bridge.run(self._sync.renew_tokens, tenant, progress=on_loop(progress))

    async def renew_surrogates(
        self, tenant: str, *, progress: Callable[[Progress], None] | None = None
    ) -> Resurrogation:
        """Give a tenant a new version of its pseudonym key, and make every surrogate anew under it.

        See :meth:`securevec.SecureStore.renew_surrogates`.
        """
        return await self._bridge.run(self._sync.renew_surrogates, tenant, progress=on_loop(progress))
