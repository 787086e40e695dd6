"""Written by ``tools/generate_async.py`` from :class:`securevec.Collection`: change that class."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from securevec.aio.bridge import Bridge, on_loop
from securevec.aio.result import AsyncSearchResult
from securevec.files.options import FileOptions
from securevec.files.report import FilesPreview, FilesReport
from securevec.filters import Expr
from securevec.ingest import Source
from securevec.points.body import RecordId
from securevec.reading.narrow import GroupBy
from securevec.removing.delete import DeleteReport
from securevec.schema import Record, Schema
from securevec.store.collection import Collection
from securevec.types import CollectionId, Matrix, Vector
from securevec.vectors import VectorsOf
from securevec.verbs.about import CollectionDescription
from securevec.verbs.cloak_report import SAMPLE, CloakReport
from securevec.verbs.export import ExportFormat, ExportReport
from securevec.verbs.leakage import Leakage
from securevec.verbs.pages import RecordPage
from securevec.verbs.update import UpdateReport
from securevec.verbs.verifying import Verification
from securevec.verbs.walk import STEP
from securevec.writing.report import IngestReport, Progress

R = TypeVar("R", bound=Record)


class AsyncCollection(Generic[R]):
    """A collection handle for coroutines: :class:`securevec.Collection`, each call awaited."""

    def __init__(self, bridge: Bridge, sync: Collection[R]) -> None:
        self._bridge = bridge
        self._sync = sync

    def __repr__(self) -> str:
        return f"Async{self._sync!r}"

    @property
    def id(self) -> CollectionId:
        return self._sync.id

    @property
    def schema(self) -> Schema:
        return self._sync.schema

    @property
    def record_class(self) -> type[R]:
        return self._sync.record_class

    async def search(
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
    ) -> AsyncSearchResult[R]:
        """The ``k`` chunks nearest to a text (or to a given vector of anonymized text), among this tenant's only.

        See :meth:`securevec.Collection.search`.
        """
        return AsyncSearchResult(
            self._bridge,
            await self._bridge.run(
                self._sync.search,
                text,
                where=where,
                k=k,
                vector=vector,
                like=like,
                min_score=min_score,
                group_by=group_by,
                hybrid=hybrid,
            ),
        )

    async def search_batch(
        self,
        texts: Sequence[str],
        *,
        where: Expr | None = None,
        k: int = 10,
        min_score: float | None = None,
        group_by: GroupBy | None = None,
        hybrid: bool = False,
    ) -> list[AsyncSearchResult[R]]:
        """:meth:`search` for each of up to 256 texts, in order: one decision of the policy, one call of the embedder.

        See :meth:`securevec.Collection.search_batch`.
        """
        return [
            AsyncSearchResult(self._bridge, each)
            for each in await self._bridge.run(
                self._sync.search_batch, texts, where=where, k=k, min_score=min_score, group_by=group_by, hybrid=hybrid
            )
        ]

    async def search_diverse(
        self,
        text: str | None = None,
        *,
        where: Expr | None = None,
        k: int = 10,
        fetch: int = 40,
        balance: float = 0.5,
        vector: Vector | None = None,
    ) -> AsyncSearchResult[R]:
        """``k`` records that answer the question and not each other, chosen among the ``fetch`` nearest ones.

        See :meth:`securevec.Collection.search_diverse`.
        """
        return AsyncSearchResult(
            self._bridge,
            await self._bridge.run(
                self._sync.search_diverse, text, where=where, k=k, fetch=fetch, balance=balance, vector=vector
            ),
        )

    async def get(self, record_id: RecordId) -> R:
        """One record by its id, anonymized as stored. Raises :class:`RecordNotFound`, :class:`IsolationViolation`."""
        return await self._bridge.run(self._sync.get, record_id)

    async def get_many(self, record_ids: Sequence[RecordId]) -> list[R]:
        """The records of up to 1,000 ids that there are, in the order of the ids; the others are left out.

        See :meth:`securevec.Collection.get_many`.
        """
        return await self._bridge.run(self._sync.get_many, record_ids)

    async def exists(self, record_id: RecordId) -> bool:
        """Whether :meth:`get` would find this record. Raises :class:`IsolationViolation` when it was altered."""
        return await self._bridge.run(self._sync.exists, record_id)

    async def describe(self) -> CollectionDescription:
        """Schema, retention, model, detector, counts, and the tenant's room. Needs the permission ``count``."""
        return await self._bridge.run(self._sync.describe)

    async def export(
        self,
        target: str | Path | BinaryIO,
        *,
        format: ExportFormat | None = None,
        where: Expr | None = None,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> ExportReport:
        """Write every record, anonymized as stored, to a file or to a stream of bytes. Originals are never in it.

        See :meth:`securevec.Collection.export`.
        """
        return await self._bridge.run(
            self._sync.export, target, format=format, where=where, overwrite=overwrite, progress=on_loop(progress)
        )

    async def count(self, where: Expr | None = None) -> int:
        """The number of records that are neither deleted nor expired, and that match ``where`` if it is given.

        See :meth:`securevec.Collection.count`.
        """
        return await self._bridge.run(self._sync.count, where)

    async def verify(self, *, progress: Callable[[Progress], None] | None = None) -> Verification:
        """Compare the whole collection with its manifest, both ways: what the store leaves out, adds, moved or altered.

        See :meth:`securevec.Collection.verify`.
        """
        return await self._bridge.run(self._sync.verify, progress=on_loop(progress))

    async def page(self, *, where: Expr | None = None, cursor: str | None = None, limit: int = STEP) -> RecordPage[R]:
        """Up to ``limit`` records (at most 1,000), and the cursor that continues after them.

        See :meth:`securevec.Collection.page`.
        """
        return await self._bridge.run(self._sync.page, where=where, cursor=cursor, limit=limit)

    async def iter(self, where: Expr | None = None, *, page_size: int = STEP) -> AsyncIterator[R]:
        """Every record, as :meth:`page` shows them, page by page as they are asked for. Raises as :meth:`page` does."""
        cursor: str | None = None
        while True:
            page = await self.page(where=where, cursor=cursor, limit=page_size)
            for record in page.records:
                yield record
            if (cursor := page.cursor) is None:
                return

    async def ingest(
        self,
        source: Source | AsyncIterable[Mapping[str, object] | Record],
        *,
        vectors: Matrix | None = None,
        vectors_of: VectorsOf | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> IngestReport:
        """Store records from a ``.csv`` or ``.jsonl`` file, a frame of pandas, polars or Arrow, or from an iterable of
        mappings or Records.

        See :meth:`securevec.Collection.ingest`.

        The source may be asynchronous too. ``progress`` is called on the loop.
        """
        call = functools.partial(self._sync.ingest, vectors=vectors, vectors_of=vectors_of, progress=on_loop(progress))
        if isinstance(source, AsyncIterable):
            return await self._bridge.run_fed(call, source)
        return await self._bridge.run(call, source)

    async def ingest_files(
        self,
        paths: Sequence[str | Path],
        *,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesReport:
        """Store the files of folders, and files: documents in a collection of :class:`securevec.Page`, rows in others.

        See :meth:`securevec.Collection.ingest_files`.
        """
        return await self._bridge.run(self._sync.ingest_files, paths, options=options, progress=on_loop(progress))

    async def preview_files(
        self,
        paths: Sequence[str | Path],
        *,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesPreview:
        """What :meth:`ingest_files` would do with these paths, and what it would replace, by file and entity.

        See :meth:`securevec.Collection.preview_files`.
        """
        return await self._bridge.run(self._sync.preview_files, paths, options=options, progress=on_loop(progress))

    async def update(self, record_id: RecordId, /, **fields: object) -> UpdateReport:
        """Change some fields of one record, given as for an ingest; ``None`` clears one that may be null.

        See :meth:`securevec.Collection.update`.
        """
        return await self._bridge.run(self._sync.update, record_id, **fields)

    async def delete(
        self, record_ids: RecordId | Sequence[RecordId] | None = None, *, where: Expr | None = None
    ) -> DeleteReport:
        """Delete records by id, or all that match a filter. Gone for every reader when it returns, and read back as
        gone from the store.

        See :meth:`securevec.Collection.delete`.
        """
        return await self._bridge.run(self._sync.delete, record_ids, where=where)

    async def reveal(self, span_ids: str | Sequence[str]) -> dict[str, str]:
        """The originals of these spans, by span id, and of no others. Audited as ``restore``.

        See :meth:`securevec.Collection.reveal`.
        """
        return await self._bridge.run(self._sync.reveal, span_ids)

    async def redact(self, span_id: str) -> UpdateReport:
        """Cut one value out of its record: ``[ERASED]`` stands in its place, and its original is gone.

        See :meth:`securevec.Collection.redact`.
        """
        return await self._bridge.run(self._sync.redact, span_id)

    async def leakage(self) -> Leakage:
        """Measure what the keyed tokens of filter fields tell by their frequency, over all live records.

        See :meth:`securevec.Collection.leakage`.
        """
        return await self._bridge.run(self._sync.leakage)

    async def cloak_report(self, *, sample: int = SAMPLE) -> CloakReport:
        """Measure what each strength of a cloak does with this collection's own vectors, whatever it was made with.

        See :meth:`securevec.Collection.cloak_report`.
        """
        return await self._bridge.run(self._sync.cloak_report, sample=sample)
