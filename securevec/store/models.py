"""The list of models, as the open home offers it: which may receive what. Wiring only; decisions are made in the room
``egress``."""

from __future__ import annotations

from collections.abc import Sequence

from securevec.egress.registry import ModelCheck, allow_model, check_model, clear_models, deny_model, list_models
from securevec.errors import CollectionNotFound, ConfigError
from securevec.policy.models import ModelEntry, ModelKind, Runs, Use
from securevec.reopen import description_of
from securevec.rows.validate import check_name
from securevec.state.runtime import Scope
from securevec.store.lifetimes import find_collection
from securevec.store.open_home import INSTALLATION, OpenHome


class StoreModels(OpenHome):
    """Which models may receive texts of this home. For the operator; every process on the home follows at its next
    call of a model."""

    def allow_model(
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

        The first entry makes the list: from then on a model that is not on it receives nothing.

        Args:
            model: its exact name; of an embedder, what its ``identity`` says.
            classifications: labels, as collections are made with (``internal`` where none was said).
            kind: ``embedder``, or ``chat`` for what :meth:`SearchResult.for_model` releases to.
            tenant: for this tenant alone, whatever the list has for all of them.
            originals: a chat model may also receive text with its originals put back.
            provider, region: a release has to name the same.
            runs: ``here`` or ``remote``, for the reader of the list.

        Raises:
            ConfigError: a value that cannot be used; the field is named.
            TenantNotFound, PolicyDenied, ControlUnavailable.
        """
        labels = (classifications,) if isinstance(classifications, str) else tuple(classifications)
        if not labels:
            raise ConfigError("Name at least one classification.", next_step="To allow none, deny the model.")
        for label in labels:
            check_name("collection", label)
        entry = ModelEntry(model, kind, labels, originals=originals, provider=provider, region=region, runs=runs)
        allow_model(self._runtime, self._of(tenant), entry)

    def deny_model(self, model: str, *, tenant: str | None = None) -> None:
        """Let a model receive nothing: of this tenant, or of any. What is stored stays.

        Raises :class:`ConfigError`, :class:`TenantNotFound`, :class:`PolicyDenied`, :class:`ControlUnavailable`.
        """
        deny_model(self._runtime, self._of(tenant), model)

    def clear_models(self) -> None:
        """Forget the list: every model may receive everything again, as before there was one."""
        clear_models(self._runtime, self._of(None))

    def models(self) -> list[ModelEntry] | None:
        """The list, with names of tenants in the place of their ids (empty for all); ``None`` when there is none."""
        return list_models(self._runtime, self._of(None))

    def check_model(
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

        Raises :class:`TenantNotFound`, :class:`CollectionNotFound`, :class:`PolicyDenied`.
        """
        runtime, scope = self._runtime, self._of(tenant)
        row = find_collection(runtime, scope.tenant, check_name("collection", collection))
        if row is None:
            raise CollectionNotFound("The tenant has no such collection.")
        label = str(description_of(runtime, row)["classification"])
        use = Use(model, kind, scope.tenant, label, originals=originals, provider=provider, region=region)
        return check_model(runtime, scope, use, row.collection)

    def _of(self, tenant: str | None) -> Scope:
        return self._scope(INSTALLATION if tenant is None else self._row(tenant).tenant, self._actor)
