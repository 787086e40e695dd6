"""One collection as one actor sees it: what can be done with records, each call in one line to its journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from securevec.errors import QueryError
from securevec.filters import Expr
from securevec.points.body import RecordId
from securevec.reading.hits import SearchResult
from securevec.reading.narrow import GroupBy, narrow
from securevec.schema import Record, Schema
from securevec.search import get, search
from securevec.state.runtime import CollectionScope, Runtime
from securevec.store.measures import CollectionMeasures
from securevec.store.values import CollectionValues
from securevec.store.writes import CollectionWrites
from securevec.types import CollectionId, Vector
from securevec.verbs.about import CollectionDescription, describe_collection
from securevec.verbs.alike import search_like
from securevec.verbs.batch import search_batch
from securevec.verbs.counting import count, exists
from securevec.verbs.diverse import search_diverse
from securevec.verbs.export import ExportFormat, ExportReport, export
from securevec.verbs.pages import RecordPage, check_limit, iterate, page
from securevec.verbs.several import get_many
from securevec.verbs.verifying import Verification, verify
from securevec.verbs.walk import STEP
from securevec.writing.report import Progress

R = TypeVar("R", bound=Record)


class Collection(CollectionWrites, CollectionValues, CollectionMeasures, Generic[R]):
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

    @property
    def record_class(self) -> type[R]:
        return self._record

    def __repr__(self) -> str:
        return f"Collection({self._scope.schema.name}, id={self._scope.collection})"

    def search(
        self,
        text: str | None = None,
        *,
        where: Expr | None = None,
        k: int = 10,
        vector: Vector | None = None,
        like: RecordId | None = None,
        min_score: float | None = None,
        group_by: GroupBy | None = None,
        hybrid: bool = False,
    ) -> SearchResult[R]:
        """The ``k`` chunks nearest to a text (or to a given vector of anonymized text), among this tenant's only.

        Args:
            like: a record instead of a text: what is nearest to the mean of the vectors its chunks are stored with.
                The record itself is left out. Nothing is embedded.
            min_score: the least cosine similarity of a hit, from -1 to 1.
            group_by: ``record`` gives the best chunk of each record, up to ``k`` records.
            hybrid: rank by the words of the text as well, in a collection made with ``hybrid=True``: what names an
                order code exactly comes up, however far its vector is. A score is then a sum of reciprocal ranks,
                ``1 / (2 + place)`` by vector and by words, at most 1.

        Raises:
            QueryError, FilterError, LimitExceeded, VectorError: the question cannot be asked.
            HybridUnavailable: ``hybrid``, and the collection was made without.
            RecordNotFound: ``like`` names no record.
            IsolationViolation: more than half of what the store returned did not belong here.
            UnknownKey, UnknownFormat, KeyUnavailable: an answer would be incomplete without notice.
        """
        runtime, scope, record, only = self._runtime, self._scope, self._record, narrow(min_score, group_by)
        if like is None:
            return search(
                runtime, scope, text, record_class=record, where=where, k=k, vector=vector, narrow=only, hybrid=hybrid
            )
        if text is not None or vector is not None:
            raise QueryError("A search takes a text, a vector or a record, and not two of them.")
        if hybrid:
            raise QueryError("A hybrid search takes a text: its words are half of it.")
        return search_like(runtime, scope, like, record_class=record, where=where, k=k, narrow=only)

    def search_batch(
        self,
        texts: Sequence[str],
        *,
        where: Expr | None = None,
        k: int = 10,
        min_score: float | None = None,
        group_by: GroupBy | None = None,
        hybrid: bool = False,
    ) -> list[SearchResult[R]]:
        """:meth:`search` for each of up to 256 texts, in order: one decision of the policy, one call of the embedder.

        Each result has a request id and an audit record of its own. Raises as :meth:`search` does; one text that
        cannot be asked refuses the whole batch and is named by its number.
        """
        only = narrow(min_score, group_by)
        runtime, scope, record = self._runtime, self._scope, self._record
        return search_batch(runtime, scope, texts, record_class=record, where=where, k=k, narrow=only, hybrid=hybrid)

    def search_diverse(
        self,
        text: str | None = None,
        *,
        where: Expr | None = None,
        k: int = 10,
        fetch: int = 40,
        balance: float = 0.5,
        vector: Vector | None = None,
    ) -> SearchResult[R]:
        """``k`` records that answer the question and not each other, chosen among the ``fetch`` nearest ones.

        Maximal marginal relevance: ``balance`` weighs likeness to the question against likeness to what was chosen
        before, from 0 to 1, where 1 is the order of :meth:`search`. The hits stand in the order they were chosen in.
        Raises as :meth:`search` does, and :class:`QueryError` for a ``fetch`` below ``k``.
        """
        return search_diverse(
            self._runtime,
            self._scope,
            text,
            record_class=self._record,
            where=where,
            k=k,
            fetch=fetch,
            balance=balance,
            vector=vector,
        )

    def get(self, record_id: RecordId) -> R:
        """One record by its id, anonymized as stored. Raises :class:`RecordNotFound`, :class:`IsolationViolation`."""
        return get(self._runtime, self._scope, record_id, record_class=self._record)

    def get_many(self, record_ids: Sequence[RecordId]) -> list[R]:
        """The records of up to 1,000 ids that there are, in the order of the ids; the others are left out.

        Raises :class:`RecordError` for what is no id, and :class:`IsolationViolation` when one was altered.
        """
        return get_many(self._runtime, self._scope, record_ids, record_class=self._record)

    def exists(self, record_id: RecordId) -> bool:
        """Whether :meth:`get` would find this record. Raises :class:`IsolationViolation` when it was altered."""
        return exists(self._runtime, self._scope, record_id)

    def describe(self) -> CollectionDescription:
        """Schema, retention, model, detector, counts, and the tenant's room. Needs the permission ``count``."""
        return describe_collection(self._runtime, self._scope)

    def export(
        self,
        target: str | Path | BinaryIO,
        *,
        format: ExportFormat | None = None,
        where: Expr | None = None,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> ExportReport:
        """Write every record, anonymized as stored, to a file or to a stream of bytes. Originals are never in it.

        A file gets the mode 0600, and its name only when it is complete; it is written again when an erasure or a
        retention job is accepted meanwhile. A stream has received what was written before an error, or before an
        erasure; it is not closed. Needs the permission ``get``.

        Args:
            format: ``jsonl`` (fields in declared order, null for nothing) or ``csv`` (RFC 4180, a header, nothing for
                null). Default: by the file's name, else ``jsonl``. Cells are as stored: a text that begins with ``=``
                is one that a spreadsheet would calculate.
            where: only the records that match, judged on their sealed values.
            overwrite: whether an existing file is replaced.
            progress: told how many records were written; it counts records where others count bytes.

        Raises:
            UsageError: the file exists, lies in the home, or cannot be written; another format.
            FilterError, IsolationViolation, TenantUnavailable: as for :meth:`page`; no file is left.
            RecordChanged: people were erased, or records fell to retention, each time the file was written.
        """
        runtime, scope = self._runtime, self._scope
        return export(runtime, scope, target, format=format, where=where, overwrite=overwrite, progress=progress)

    def count(self, where: Expr | None = None) -> int:
        """The number of records that are neither deleted nor expired, and that match ``where`` if it is given.

        A filter is judged on the sealed values of every record, so counting by one takes time in proportion to the
        collection, and needs the permission ``search``. Raises :class:`FilterError`, :class:`IsolationViolation`.
        """
        return count(self._runtime, self._scope, where)[0]

    def verify(self, *, progress: Callable[[Progress], None] | None = None) -> Verification:
        """Compare the whole collection with its manifest, both ways: what the store leaves out, adds, moved or altered.

        Reads every point, so it takes time in proportion to the collection, and writes nothing. A collection in use may
        be verified. Needs the permission ``count``, for all of it: the answer is numbers. ``progress`` is told how many
        points were read; it counts points where others count bytes.
        """
        return verify(self._runtime, self._scope, progress=progress)

    def page(self, *, where: Expr | None = None, cursor: str | None = None, limit: int = STEP) -> RecordPage[R]:
        """Up to ``limit`` records (at most 1,000), and the cursor that continues after them.

        The order is fixed and says nothing about the records. A listing continued by its cursors, also in another
        process or on another day, shows no record twice, however often records are replaced meanwhile, and leaves none
        out that was there all the time; one that is added meanwhile may or may not be seen. Each page is decided and
        audited by itself, and needs the permission ``get``.

        Raises:
            QueryError: a cursor of another collection or tenant, or no cursor at all.
            FilterError: the filter names no declared filter field, or compares it with another type.
            IsolationViolation: the store does not show a record that the manifest names, or altered it.
        """
        return page(self._runtime, self._scope, record_class=self._record, where=where, cursor=cursor, limit=limit)

    def iter(self, where: Expr | None = None, *, page_size: int = STEP) -> Iterator[R]:
        """Every record, as :meth:`page` shows them, page by page as they are asked for. Raises as :meth:`page` does."""
        check_limit(page_size)
        return iterate(self._runtime, self._scope, record_class=self._record, where=where, page_size=page_size)
