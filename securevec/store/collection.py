"""One collection as one actor sees it: ingest, search, get, count, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from securevec.body import RecordId
from securevec.erase import DeleteReport, delete
from securevec.errors import RecordError
from securevec.filters import Expr
from securevec.given import VectorsOf
from securevec.hits import SearchResult
from securevec.ingest import Source, ingest
from securevec.report import IngestReport, Progress
from securevec.runtime import CollectionScope, Runtime
from securevec.schema import Record, Schema
from securevec.search import count, get, search
from securevec.types import CollectionId, Matrix, Vector

R = TypeVar("R", bound=Record)


class Collection(Generic[R]):
    """A collection handle. Every call is decided by the policy, fenced, and audited as the handle's actor."""

    def __init__(self, runtime: Runtime, scope: CollectionScope, record: type[R]) -> None:
        self._runtime = runtime
        self._scope = scope
        self._record = record

    @property
    def id(self) -> CollectionId:
        return self._scope.collection

    @property
    def schema(self) -> Schema:
        return self._scope.schema

    def __repr__(self) -> str:
        return f"Collection(id={self._scope.collection})"

    def ingest(
        self,
        source: Source,
        *,
        vectors: Matrix | None = None,
        vectors_of: VectorsOf | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> IngestReport:
        """Store records from a ``.csv`` or ``.jsonl`` file, or from an iterable of mappings or Records.

        A record replaces the stored one of the same id as a whole; an unchanged record is not written again, and
        keeps its expiry. A bad row is refused, reported by row and field, and never loses the others.

        Args:
            source: path or iterable.
            vectors: shape (rows, dimension), float32, when the caller embeds. Each record is then one chunk.
            vectors_of: what given vectors were made of: ``anonymized_text``, or ``unknown``, which needs the
                permission ``unsafe_vectors`` because such vectors may encode what the text no longer says.
            progress: called after each batch.

        Raises:
            OutcomeUnknown: a failure after the write of a batch began; repeat the ingest, it is resolved first.
            SourceError, PolicyDenied, TenantUnavailable, AuditUnavailable, EngineLocked, EmbedderError: the batch in
                hand was not written. Records go in batch by batch, so what earlier batches wrote stays; repeating
                the ingest finds it unchanged. Only an error before the first call of ``progress`` means that
                nothing was written.
        """
        return ingest(self._runtime, self._scope, source, vectors=vectors, vectors_of=vectors_of, progress=progress)

    def search(
        self,
        text: str | None = None,
        *,
        where: Expr | None = None,
        k: int = 10,
        vector: Vector | None = None,
    ) -> SearchResult[R]:
        """The ``k`` chunks nearest to a text (or to a given vector of anonymized text), among this tenant's only.

        Raises:
            QueryError, FilterError, LimitExceeded, VectorError: the question cannot be asked.
            IsolationViolation: more than half of what the store returned did not belong here.
            UnknownKey, UnknownFormat, KeyUnavailable: an answer would be incomplete without notice.
        """
        return search(self._runtime, self._scope, text, record_class=self._record, where=where, k=k, vector=vector)

    def get(self, record_id: RecordId) -> R:
        """One record by its id, anonymized as stored. Raises :class:`RecordNotFound`, :class:`IsolationViolation`."""
        return get(self._runtime, self._scope, record_id, record_class=self._record)

    def count(self) -> int:
        """The number of records that are neither deleted nor expired."""
        return count(self._runtime, self._scope)[0]

    def delete(self, record_ids: RecordId | Sequence[RecordId]) -> DeleteReport:
        """Delete records by id. Gone for every reader when it returns, and read back as gone from the store.

        Raises:
            RecordError: something among them is no record id; none was deleted.
            LegalHold: a hold keeps one of them; none was deleted.
            OutcomeUnknown: the records are gone for readers, and the store did not confirm the removal yet.
        """
        if isinstance(record_ids, bytes | bytearray | memoryview):
            # Sequences too, of small whole numbers that may be somebody's ids.
            raise RecordError("A record id is text, a whole number or a UUID.")
        ids = [record_ids] if isinstance(record_ids, str) or not isinstance(record_ids, Sequence) else record_ids
        return delete(self._runtime, self._scope, list(ids))
