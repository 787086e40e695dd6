"""What changes a collection's records, and what an ingest would do: the part of :class:`Collection` that writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from securevec.errors import RecordError
from securevec.files.journey import ingest_files
from securevec.files.kinds import kind_of
from securevec.files.options import FileOptions
from securevec.files.preview import preview_files
from securevec.files.report import FilesPreview, FilesReport
from securevec.filters import Expr
from securevec.ingest import Source, ingest
from securevec.points.body import RecordId
from securevec.removing.delete import DeleteReport, delete
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import Matrix
from securevec.vectors import VectorsOf
from securevec.verbs.delete_where import delete_where
from securevec.verbs.update import UpdateReport, update
from securevec.writing.report import IngestReport, Progress


def _is_stream(path: Path) -> bool:
    """Whether a path is read as one stream of rows, in this process: everything the readers have an opinion on."""
    return kind_of(path.name) in ("csv", "jsonl", None) and not path.is_dir()


class CollectionWrites:
    """Every call is decided, fenced and audited as the handle's actor."""

    _runtime: Runtime
    _scope: CollectionScope

    def ingest(
        self,
        source: Source,
        *,
        vectors: Matrix | None = None,
        vectors_of: VectorsOf | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> IngestReport:
        """Store records from a ``.csv`` or ``.jsonl`` file, a frame of pandas, polars or Arrow, or from an iterable of
        mappings or Records.

        A folder, or a file of another kind that is read, goes to :meth:`ingest_files` and is answered with its
        :class:`FilesReport`.

        A record replaces the stored one of the same id as a whole; an unchanged record is not written again, and
        keeps its expiry. A bad row is refused, reported by row and field, and never loses the others.

        Args:
            source: path, frame or iterable. What a frame keeps for a missing value (NaN, NaT, NA) is absent.
            vectors: shape (rows, dimension), float32, when the caller embeds. Each record is then one chunk.
            vectors_of: what given vectors were made of: ``anonymized_text``, or ``unknown``, which needs the
                permission ``unsafe_vectors`` because such vectors may encode what the text no longer says.
            progress: called after each batch.

        Raises:
            OutcomeUnknown: a failure after the write of a batch began; repeat the ingest, it is resolved first.
            VectorError: given vectors are none, or there are more of them than rows; of these, the rows are stored.
            SourceError, PolicyDenied, TenantUnavailable, AuditUnavailable, EngineLocked, EmbedderError: the batch in
                hand was not written. Records go in batch by batch, so what earlier batches wrote stays; repeating
                the ingest finds it unchanged. Only an error before the first call of ``progress`` means that
                nothing was written.
        """
        if vectors is None and isinstance(source, str | Path) and not _is_stream(Path(source)):
            return self.ingest_files([source], progress=progress)
        return ingest(self._runtime, self._scope, source, vectors=vectors, vectors_of=vectors_of, progress=progress)

    def ingest_files(
        self,
        paths: Sequence[str | Path],
        *,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesReport:
        """Store the files of folders, and files: documents in a collection of :class:`securevec.Page`, rows in others.

        Documents (``.txt .md .html .pdf .docx``) are parsed in processes of their own and become one record each;
        files of rows (``.csv .jsonl .parquet``) one record a row. A file that cannot be read, or does not fit the
        collection, is refused by name in the report, and the others go on. Links are not followed. A second run
        passes over the files whose record is stored as they are.

        Args:
            paths: folders and files. The path of a record is the file's below the folder that was named.
            options: sync, names of sources, encodings, processes; see :class:`securevec.FileOptions`.
            progress: called on the way, with documents and rows, and bytes.

        Raises:
            SourceError: a source is not there, or a single file is of a kind that is not read; nothing was stored.
            SyncRefused: a folder that had files shows none; nothing was stored or deleted.
            OutcomeUnknown and what :meth:`ingest` raises: what was stored before stays, and is passed over next time.
        """
        return ingest_files(self._runtime, self._scope, paths, options=options or FileOptions(), progress=progress)

    def preview_files(
        self,
        paths: Sequence[str | Path],
        *,
        options: FileOptions | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> FilesPreview:
        """What :meth:`ingest_files` would do with these paths, and what it would replace, by file and entity.

        Files are read, parsed, checked and anonymized as they would be; nothing is stored and nothing embedded.
        ``options`` are those of :meth:`ingest_files`. Raises what that does before its first write.
        """
        return preview_files(
            self._runtime, self._scope, paths, options=options or FileOptions(), stored=True, progress=progress
        )

    def update(self, record_id: RecordId, /, **fields: object) -> UpdateReport:
        """Change some fields of one record, given as for an ingest; ``None`` clears one that may be null.

        The other fields keep their anonymized text and their originals as they are stored. What is embedded is embedded
        again only where its text changes. A text is given in the original, as at an ingest; one that says what
        is stored already, in the original or as :meth:`get` shows it, is no change. People that a new text names are
        replaced in the other texts too, as in a whole record. A record whose vector was given, and whose embedded text
        changes, gets one of the collection's model.

        A changed record expires its whole retention after the update, exactly as one that is ingested again. Where
        nothing changes, nothing is written, and expiry stays. Needs the permission ``ingest``; no original leaves the
        library.

        Raises:
            RecordError: a field that is not declared, the key, or a value that cannot be kept; names the field.
            RecordNotFound: there is no such record.
            VaultDisabled: a new text for a record whose other texts name people, in a collection without originals.
            LegalHold, SubjectErased, QuotaExceeded: the record may not be replaced by this.
            IsolationViolation: the store does not show the record as it was written.
            RecordChanged: other writers kept replacing it meanwhile. Nothing was written.
            OutcomeUnknown: a failure after the write began; repeat the update, it is resolved first.
        """
        return update(self._runtime, self._scope, record_id, fields)

    def delete(
        self, record_ids: RecordId | Sequence[RecordId] | None = None, *, where: Expr | None = None
    ) -> DeleteReport:
        """Delete records by id, or all that match a filter. Gone for every reader when it returns, and read back as
        gone from the store.

        A filter is judged on the sealed values of every record, never on what the store shows in clear. A record that
        is replaced while this runs is judged again; one that is added may or may not be seen. An empty list of ids
        deletes nothing.

        Raises:
            RecordError: neither ids nor a filter, or both; or something among the ids is no record id. Nothing was
                deleted.
            FilterError: the filter names no declared filter field, or compares it with another type.
            LegalHold: a hold keeps one of them; none was deleted.
            IsolationViolation: by filter: the store does not show a record of the manifest; none was deleted.
            OutcomeUnknown: the records are gone for readers, and the store did not confirm the removal yet.
        """
        if (record_ids is None) == (where is None):
            raise RecordError(
                "A deletion names record ids or a filter, and not both.",
                next_step='For example delete("T-1") or delete(where=F("status") == "closed").',
            )
        if where is not None:
            return delete_where(self._runtime, self._scope, where)
        if record_ids is None or isinstance(record_ids, bytes | bytearray | memoryview):
            # Sequences too, of small whole numbers that may be somebody's ids.
            raise RecordError("A record id is text, a whole number or a UUID.")
        if isinstance(record_ids, Iterable) and not isinstance(record_ids, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise RecordError("Several records are named by a list of ids.", next_step="Write delete(list(ids)).")
        ids = [record_ids] if isinstance(record_ids, str) or not isinstance(record_ids, Sequence) else record_ids
        return delete(self._runtime, self._scope, list(ids))
