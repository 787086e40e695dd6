"""Written by ``tools/generate_async.py`` from :class:`securevec.SecureStore`: change that class."""

from __future__ import annotations

from collections.abc import Sequence

from securevec.aio.bridge import Bridge
from securevec.egress.registry import ModelCheck
from securevec.policy.models import ModelEntry, ModelKind, Runs
from securevec.store.models import StoreModels


class AsyncStoreModels:
    """The list of models, for coroutines: a part of :class:`securevec.aio.AsyncSecureStore`."""

    def __init__(self, bridge: Bridge, sync: StoreModels) -> None:
        self._bridge = bridge
        self._models = sync

    def __repr__(self) -> str:
        return f"Async{self._models!r}"

    async def allow_model(
        self,
        model: str,
        classifications: Sequence[str],
        *,
        kind: ModelKind,
        tenant: str | None = None,
        originals: bool = False,
        provider: str = "",
        region: str = "",
        runs: Runs = "remote",
    ) -> None:
        """Let a model receive texts of collections of these classifications, in the place of what the list had for it.

        See :meth:`securevec.SecureStore.allow_model`.
        """
        await self._bridge.run(
            self._models.allow_model,
            model,
            classifications,
            kind=kind,
            tenant=tenant,
            originals=originals,
            provider=provider,
            region=region,
            runs=runs,
        )

    async def deny_model(self, model: str, *, tenant: str | None = None) -> None:
        """Let a model receive nothing: of this tenant, or of any. What is stored stays.

        See :meth:`securevec.SecureStore.deny_model`.
        """
        await self._bridge.run(self._models.deny_model, model, tenant=tenant)

    async def clear_models(self) -> None:
        """Forget the list: every model may receive everything again, as before there was one."""
        await self._bridge.run(self._models.clear_models)

    async def models(self) -> list[ModelEntry] | None:
        """The list, with names of tenants in the place of their ids (empty for all); ``None`` when there is none."""
        return await self._bridge.run(self._models.models)

    async def check_model(
        self,
        model: str,
        *,
        tenant: str,
        collection: str,
        kind: ModelKind = "chat",
        originals: bool = False,
        provider: str = "",
        region: str = "",
    ) -> ModelCheck:
        """Whether the model may receive texts of this collection now, and what decides. Nothing is handed to it.

        See :meth:`securevec.SecureStore.check_model`.
        """
        return await self._bridge.run(
            self._models.check_model,
            model,
            tenant=tenant,
            collection=collection,
            kind=kind,
            originals=originals,
            provider=provider,
            region=region,
        )
