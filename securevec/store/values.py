"""Replaced values one by one: the part of :class:`Collection` that takes span ids."""

from __future__ import annotations

from collections.abc import Sequence

from securevec.state.runtime import CollectionScope, Runtime
from securevec.verbs.update import UpdateReport
from securevec.verbs.values import redact, reveal


class CollectionValues:
    """What can be done with one value that was replaced. Ids come from :attr:`Hit.span_ids`."""

    _runtime: Runtime
    _scope: CollectionScope

    def reveal(self, span_ids: str | Sequence[str]) -> dict[str, str]:
        """The originals of these spans, by span id, and of no others. Audited as ``restore``.

        Raises:
            UsageError: something among them is no span id.
            PolicyDenied: the actor has no role with ``reveal`` in the tenant.
            VaultDisabled: the collection keeps no originals.
            RecordNotFound: a record was deleted or replaced since the id was read, or the value was dropped.
        """
        return reveal(self._runtime, self._scope, [span_ids] if isinstance(span_ids, str) else span_ids)

    def redact(self, span_id: str) -> UpdateReport:
        """Cut one value out of its record: ``[ERASED]`` stands in its place, and its original is gone.

        Everything else of the record stays as it was stored, its expiry too; it is embedded again. Needs the
        permission ``ingest``, and is audited as ``update``. The same value elsewhere is left alone:
        ``securevec subject erase`` is for a person.

        Raises:
            UsageError: this is no span id.
            RecordNotFound: the record was deleted or replaced since the id was read.
            LegalHold: a hold keeps the record as it is.
            RecordError: its vector was given by the caller, or the detector is another one and the record keeps an
                original; ingest it again.
            IsolationViolation: the store does not show the record, or its originals, as they were written.
        """
        return redact(self._runtime, self._scope, span_id)
