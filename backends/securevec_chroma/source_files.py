"""Another program's Chroma directory, read from its SQLite file and not through Chroma.

Chroma's engine writes to every directory it opens (measured on 1.5.9: a listing changes ``chroma.sqlite3``), and when a
second process opens one, the first loses index entries for good. SQLite itself is made for a second reader, and all
there is to import lies in it: ids, documents and metadata (Chroma 0.4 to 1.5). Vectors are not read; they were made of
the text before it was anonymized.

    collections   id, name, dimension, database_id, config_json_str, schema_str
    segments      one of scope METADATA for each collection
    embeddings    id, segment_id, embedding_id
    embedding_metadata        id, key, string_value | int_value | float_value | bool_value; the document under a key
    embedding_metadata_array  the same for lists, a row for each member
    embeddings_queue          the log: operations beyond max_seq_id are not applied yet
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from securevec.errors import BackendError
from securevec.foreign import PAGE, ForeignCollection, ForeignPoint, ForeignVector
from securevec_adapters.errors import mapped
from securevec_adapters.foreign_files import ReadOnly, directory_of
from securevec_chroma.functions import function_names, space_of

DATABASE: Final = "default_database"
TENANT: Final = "default_tenant"
RESIDUAL: Final = (
    "Chroma keeps the vectors of a deleted collection, and its text in free pages and backups: after the last "
    "collection is imported, remove the directory"
)
_FILE: Final = "chroma.sqlite3"
_MARK: Final = "securevec"
_NAMES: Final = {"chroma:document": "document", "chroma:uri": "uri"}


@dataclass(frozen=True, slots=True)
class _Held:
    """Where one collection lies in the file."""

    collection: str
    segment: str


class ChromaFiles:
    """``ForeignStore`` over a directory. Raises :class:`SourceError` when it is none of Chroma's."""

    def __init__(self, path: Path) -> None:
        self._path = directory_of(path, holding=_FILE, kind="Chroma files")
        with mapped("opening the files"):
            self._db = ReadOnly(self._path / _FILE)
        self._held: dict[str, _Held] = {}

    @property
    def kind(self) -> str:
        return "Chroma files"

    @property
    def identity(self) -> str:
        return f"chroma:{self._path}"

    def collections(self) -> Sequence[ForeignCollection]:
        with mapped("listing the collections"):
            known = self._db.columns("collections")
            if not {"id", "name", "dimension", "database_id"} <= known:
                raise BackendError("The Chroma files are of a release that is not read.")
            config, schema = ("c." + name if name in known else "NULL" for name in ("config_json_str", "schema_str"))
            rows = self._db.rows(
                f"SELECT c.id, c.name, c.dimension, {config}, {schema}, d.name, d.tenant_id, s.id"  # noqa: S608  # of constants
                " FROM collections c JOIN databases d ON d.id = c.database_id"
                " JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA' ORDER BY d.tenant_id, d.name, c.name"
            )
            return [self._collection(*row) for row in rows]

    def pages(self, name: str, *, size: int = PAGE) -> Iterator[Sequence[ForeignPoint]]:
        if name not in self._held:
            self.collections()
        held = self._held.get(name)
        if held is None:
            raise BackendError("The source has no collection of this name any more.")
        with mapped("reading the files"):
            self._require_settled(held)
            after = 0
            # By the row's number, which only grows: what is added meanwhile comes last, and is not read twice.
            while rows := self._db.rows(
                "SELECT id, embedding_id FROM embeddings WHERE +segment_id = ? AND id > ? ORDER BY id LIMIT ?",
                (held.segment, after, size),
            ):
                fields = self._fields([row[0] for row in rows])
                yield [ForeignPoint(str(key), fields[number]) for number, key in rows]
                after = rows[-1][0]

    def close(self) -> None:
        self._db.close()

    def _collection(
        self,
        collection: str,
        name: str,
        dimension: int | None,
        config: str | None,
        schema: str | None,
        database: str,
        tenant: str,
        segment: str,
    ) -> ForeignCollection:
        shown = name if (tenant, database) == (TENANT, DATABASE) else f"{tenant}/{database}/{name}"
        self._held[shown] = _Held(collection, segment)
        marks = dict(
            self._db.rows("SELECT key, str_value FROM collection_metadata WHERE collection_id = ?", (collection,))
        )
        stored = [json.loads(text) if text else None for text in (schema, config)]
        count = self._db.rows("SELECT count(*) FROM embeddings WHERE segment_id = ?", (segment,))[0][0]
        place = "" if "/" not in shown else f", tenant={json.dumps(tenant)}, database={json.dumps(database)}"
        script = (
            f"import chromadb; chromadb.PersistentClient({json.dumps(str(self._path))}{place})"
            f".delete_collection({json.dumps(name)})"
        )
        return ForeignCollection(
            name=shown,
            count=count,
            vectors=(ForeignVector("", dimension or 0, space_of(marks, *stored)),),
            tenant_indexes=None,
            functions=function_names(*stored),
            ours=_MARK in marks,
            drop=f"python -c {shlex.quote(script)}",
            residual=RESIDUAL,
        )

    def _require_settled(self, held: _Held) -> None:
        """Raise :class:`BackendError` when the log holds writes that are not in the tables yet."""
        seen = self._db.rows("SELECT seq_id FROM max_seq_id WHERE segment_id = ?", (held.segment,))
        applied = seen[0][0] if seen else 0
        applied = int.from_bytes(applied, "big") if isinstance(applied, bytes) else int(applied)
        waiting = self._db.rows(
            "SELECT 1 FROM embeddings_queue WHERE seq_id > ? AND topic LIKE '%/' || ? LIMIT 1",
            (applied, held.collection),
        )
        if waiting:
            raise BackendError(
                "Chroma has accepted writes that it has not applied to this collection yet.",
                next_step="Read the collection once with the program that owns it, and run this again.",
            )

    def _fields(self, numbers: Sequence[int]) -> dict[int, dict[str, object]]:
        fields: dict[int, dict[str, object]] = {number: {} for number in numbers}
        marks = ",".join("?" * len(numbers))
        scalar, lists = "embedding_metadata", "embedding_metadata_array"
        boolean = "bool_value" if "bool_value" in self._db.columns(scalar) else "NULL"
        select = "SELECT id, key, string_value, int_value, float_value, {} FROM {} WHERE id IN ({}){}"
        for number, key, *values in self._db.rows(select.format(boolean, scalar, marks, ""), numbers):
            name = str(key)
            fields[number][_NAMES.get(name, name)] = _value(*values)
        if self._db.columns(lists):
            order = " ORDER BY rowid"
            for number, key, *values in self._db.rows(select.format("bool_value", lists, marks, order), numbers):
                member = fields[number].setdefault(str(key), [])
                if isinstance(member, list):
                    member.append(_value(*values))
        return fields


def _value(text: str | None, whole: int | None, real: float | None, boolean: int | None) -> object:
    if boolean is not None:
        return bool(boolean)
    return text if text is not None else whole if whole is not None else real
