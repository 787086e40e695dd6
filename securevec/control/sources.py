"""Files a collection was filled from, per source: keyed digests only, so that a later run passes over what it read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from securevec.control.database import many
from securevec.control.hot import parts
from securevec.control.numbers import COLLECTION_NO, THIS_COLLECTION_NO
from securevec.control.room import Room
from securevec.types import CollectionId

SELECT_SOURCE_FILES: Final = (
    f"SELECT ref, digest FROM source_file WHERE collection_no = {THIS_COLLECTION_NO} AND source = :source ORDER BY ref"
)
UPSERT_SOURCE_FILE: Final = (
    "INSERT INTO source_file (collection_no, source, ref, digest) SELECT collection_no, ?2, ref, ?4 FROM manifest"
    " WHERE collection_no = (SELECT c.collection_no FROM collection c WHERE c.collection = ?1) AND ref = ?3"
    " AND content_digest = ?5 ON CONFLICT (collection_no, source, ref) DO UPDATE SET digest = excluded.digest"
)
# From one source to the next in the table's own order: it is asked while files are read, and has a row for each file.
SELECT_SOURCES: Final = (
    f"WITH RECURSIVE each (source) AS (SELECT MIN(source) FROM source_file WHERE collection_no = {THIS_COLLECTION_NO}"
    f" UNION ALL SELECT (SELECT MIN(f.source) FROM source_file f WHERE f.collection_no = {THIS_COLLECTION_NO}"
    " AND f.source > each.source) FROM each WHERE each.source IS NOT NULL)"
    " SELECT source FROM each WHERE source IS NOT NULL"
)
SELECT_LISTED: Final = (
    f"SELECT ref FROM source_file WHERE collection_no = {COLLECTION_NO} AND source = ? AND ref IN (*)"
)
DELETE_SOURCE_FILES: Final = (
    f"DELETE FROM source_file WHERE collection_no = {COLLECTION_NO} AND source = ? AND ref IN (*)"
)
DELETE_RECORDS_FILES: Final = f"DELETE FROM source_file WHERE collection_no = {COLLECTION_NO} AND ref IN (*)"


class Sources(Room):
    def note_source_files(
        self, collection: CollectionId, source: bytes, files: Iterable[tuple[bytes, bytes, bytes]]
    ) -> None:
        """Remember files of a source: ref, what its record was read from, and the content digest it was stored with.

        Only of records that are live as they were stored. One that was erased meanwhile leaves no digest behind, and is
        read again by the next run.
        """
        with self._db.write() as tx:
            for ref, origin, content in files:
                tx.run(UPSERT_SOURCE_FILE, (collection, source, ref, origin + content, content))

    def source_files(self, collection: CollectionId, source: bytes) -> dict[bytes, bytes]:
        """Ref to digest of every file of the source that was read into this collection."""
        return dict(self._db.rows(SELECT_SOURCE_FILES, {"collection": collection, "source": source}))

    def sources(self, collection: CollectionId) -> list[bytes]:
        """Every source this collection was filled from."""
        return [row[0] for row in self._db.rows(SELECT_SOURCES, {"collection": collection})]

    def listed_files(self, collection: CollectionId, source: bytes, refs: Sequence[bytes]) -> set[bytes]:
        """Those of the refs that the source is known to hold."""
        return {
            row[0]
            for part in parts(refs)
            for row in self._db.rows(many(SELECT_LISTED, len(part)), (collection, source, *part))
        }

    def forget_source_files(self, collection: CollectionId, source: bytes, refs: Sequence[bytes]) -> None:
        with self._db.write() as tx:
            for part in parts(refs):
                tx.run(many(DELETE_SOURCE_FILES, len(part)), (collection, source, *part))

    def forget_files_of(self, collection: CollectionId, refs: Sequence[bytes]) -> None:
        """Forget what these records were read from, in every source: a keyed digest of content is a trace of it."""
        with self._db.write() as tx:
            for part in parts(refs):
                tx.run(many(DELETE_RECORDS_FILES, len(part)), (collection, *part))
