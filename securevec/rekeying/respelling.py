"""Live records of a collection under the newest pseudonym key: which still say other surrogates, and writing them anew.

A record becomes a new generation of itself, as one that is sealed anew does (``resealing``): originals, digest, expiry
and ingestion stay, and what jobs have listed of it is listed by the new generation. Other than there, its text changes,
so it is cut and embedded again, and a legal hold forbids it: what a hold keeps is shown as it was when it was placed.
A vector that its caller gave stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from securevec.anonymize.known import stand_ins
from securevec.anonymize.remake import full_names, is_keyed, nameless, remade
from securevec.anonymize.stored import stored_field
from securevec.control.rows import ManifestRow
from securevec.errors import CheckFailed, ControlUnavailable, LegalHold, VaultDisabled
from securevec.guard import Admission
from securevec.ingest import write_batch
from securevec.people.redact import embedded, same_vector, text_of
from securevec.points.body import chunk_view
from securevec.points.body_format import decode_vault
from securevec.reading.cloaking import restored
from securevec.reading.judge import Judged
from securevec.reading.sheets import Chunk, Sealed, opened_chunks
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import AnonymizedField, CollectionId, Matrix, RecordRef, StoredPoint, Token
from securevec.writing.report import Tally
from securevec.writing.sealing import Origin, Prepared
from securevec.writing.stored import Stored, detected_again, fields_of, kept_originals, ready_again

_AT_ONCE: Final = 16
"""Records that are opened at once to learn what somebody is called."""


@dataclass(frozen=True, slots=True, repr=False)
class _Spelled:
    """A record under the newest key. ``fields``: all its anonymized texts; ``originals``: those kept as they are."""

    stored: Stored
    fields: Mapping[str, AnonymizedField]
    originals: Mapping[str, str]


class Respelling:
    """One collection. Its rows are opened as the store shows them; :class:`CheckFailed` for one that it does not."""

    def __init__(self, runtime: Runtime, collection: CollectionScope) -> None:
        self._runtime, self._collection = runtime, collection
        self._place = Sealed(collection.tenant, collection.collection, collection.namespace, collection.vault)
        self._keys = collection.tenant_keys(runtime)
        self._subjects = frozenset(spec.name for spec in collection.schema.by_kind("subject"))
        self._called: dict[Token, str] = {}
        self._in_vain: set[Token] = set()
        self.held: set[bytes] = set()
        """Refs of records that were seen to say other surrogates, and are held."""

    def behind(self, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        """Those of the rows that say surrogates of an earlier version. Raises :class:`VaultDisabled` for surrogates
        whose originals are not kept."""
        return [each.stored.row for each in self._spelled(rows)]

    def stale(self, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        """Those of :meth:`behind` that no hold keeps."""
        behind = self.behind(rows)
        self.held -= {row.ref for row in rows}
        held = self._held([row.ref for row in behind])
        self.held |= set(held)
        return [row for row in behind if row.ref not in held]

    def write(self, admission: Admission, rows: Sequence[ManifestRow]) -> list[StoredPoint]:
        """Write these rows anew, in one batch. Returns their points as they were. The caller holds the collection's
        write lock and has settled it. Raises :class:`RecordChanged` when another process replaced one first, and
        :class:`LegalHold` when one is held by now."""
        spelled = self._spelled(rows)
        if not spelled:
            return []
        prepared, vectors = self._prepared(spelled)
        refs = [record.ref for record in prepared]

        def same() -> None:
            for hold_id in self._held(refs).values():
                raise LegalHold("A legal hold covers a record of this batch.", hold_id=hold_id)

        # First the names: killed in between, queries by a part of one are asked in the words of both versions.
        self._say_parts(admission, [field for each in spelled for field in each.fields.values()])
        write_batch(
            self._runtime,
            self._collection,
            admission,
            prepared,
            vectors,
            Tally(),
            expect={each.stored.ref: each.stored.row.generation for each in spelled},
            same=same,
        )
        return [chunk.point for each in spelled for chunk in each.stored.chunks]

    def _held(self, refs: Sequence[bytes]) -> dict[bytes, str]:
        if not refs:
            return {}
        return self._runtime.control.held_refs(self._collection.tenant, self._collection.collection, refs)

    def _spelled(self, rows: Sequence[ManifestRow]) -> list[_Spelled]:
        """The records of these rows that are others under the newest key."""
        opened = opened_chunks(self._runtime, self._place, rows) if rows else {}
        if any(chunk.body.tokens != self._keys.version for chunks in opened.values() for chunk in chunks):
            raise ControlUnavailable(
                "The tenant's tokens were made anew meanwhile.", next_step="The job goes on with: securevec jobs run"
            )
        kept = [row for row in rows if any(_has_keyed(chunk) for chunk in opened.get(row.ref, ()))]
        if kept and not self._collection.vault:
            raise VaultDisabled(
                "A collection of the tenant keeps no originals, so its surrogates cannot be made under a new key.",
                next_step="Delete its records, exchange the key, and ingest them from their source again.",
            )
        loaded = {row.ref: _stored(row, opened[row.ref]) for row in kept}
        fields = {ref: fields_of(self._collection, stored) for ref, stored in loaded.items()}
        self._learn(fields.values())
        made: list[_Spelled] = []
        for ref, stored in loaded.items():
            each = self._respelled(stored, fields[ref])
            if each is not None:
                made.append(each)
        return made

    def _respelled(self, stored: Stored, fields: Mapping[str, AnonymizedField]) -> _Spelled | None:
        new = remade(self._collection.anonymizer, fields, keys=self._keys, subjects=self._subjects, names=self._called)
        originals = kept_originals(self._collection, stored)
        changed = any(new[name].text.text != fields[name].text.text for name in fields)
        if originals:
            again = self._detected_again(stored, fields, originals)
            each = _Spelled(stored, {**new, **again}, originals)
            return each if changed or self._reads_otherwise(each) else None
        return _Spelled(stored, new, originals) if changed else None

    def _detected_again(
        self, stored: Stored, fields: Mapping[str, AnonymizedField], originals: Mapping[str, str]
    ) -> dict[str, AnonymizedField]:
        """The fields that keep their original, whose span tables are not stored: found again by the same detector."""
        today = Origin.of(self._collection)
        if (stored.origin.detector, stored.origin.policy) != (today.detector, today.policy):
            raise CheckFailed(
                "A record keeps an original whose surrogates another detector placed, so they cannot be made anew.",
                next_step="Ingest it again from its source; then: securevec jobs run",
            )
        return detected_again(self._runtime, self._collection, fields, originals)

    def _reads_otherwise(self, each: _Spelled) -> bool:
        """Whether a chunk of the record has another text."""
        chunks = each.stored.chunks
        texts = [chunk_view(chunk.body, self._collection.embedded_fields)[0] for chunk in chunks]
        # One chunk may be all of a long text, under a vector that was given for it.
        whole = chunks[0].point.vector if len(chunks) == 1 else None
        return [chunk.text.text for chunk in self._ready(each, whole).chunks] != texts

    def _ready(self, each: _Spelled, vector: Matrix | None) -> Prepared:
        digest = each.stored.row.content_digest
        return ready_again(self._collection, each.stored, each.fields, each.originals, digest=digest, vector=vector)

    def _prepared(self, spelled: Sequence[_Spelled]) -> tuple[list[Prepared], Matrix]:
        """The records ready to be written, and a vector for each of their chunks."""
        # Only a record of one chunk can have a given vector.
        single = [each.stored for each in spelled if len(each.stored.chunks) == 1]
        made = embedded(self._collection, [text_of(self._collection, stored) for stored in single])
        given = {
            stored.ref: vector
            for stored, model in zip(single, made, strict=True)
            if not same_vector(vector := self._vector(stored), model)
        }
        prepared = [self._ready(each, given.get(each.stored.ref)) for each in spelled]
        texts = [chunk.text for record in prepared if record.ref not in given for chunk in record.chunks]
        rows = iter(embedded(self._collection, texts))
        vectors = [
            given[record.ref] if record.ref in given else next(rows) for record in prepared for _ in record.chunks
        ]
        return prepared, np.vstack(vectors)

    def _vector(self, stored: Stored) -> Matrix:
        """As it was before noise was put on it."""
        (judged,) = restored(self._runtime, self._collection, stored.chunks)
        return np.asarray(judged.point.vector, dtype=np.float32)

    def _say_parts(self, admission: Admission, fields: Sequence[AnonymizedField]) -> None:
        """What stands for the parts of these people's names, under both versions."""
        anonymizer, names = self._collection.anonymizer, self._runtime.names
        said: dict[tuple[Token, Token], dict[int, str]] = {}
        for keys in filter(None, (self._keys, self._keys.earlier())):
            for each in anonymizer.name_parts(fields, keys=keys):
                said.setdefault((each.part, each.person), {})[keys.naming] = each.stand_in
        rows = [
            (part, person, names.seal_stand_in(stand_ins.written(by), part=part)) for (part, person), by in said.items()
        ]
        if rows:
            self._runtime.control.say_parts(self._collection.tenant, rows, fence=admission.fence)

    def _learn(self, several: Collection[Mapping[str, AnonymizedField]]) -> None:
        """What people are called whom these records name by a part alone: their other records say it."""
        for fields in several:
            self._called |= full_names(fields, keys=self._keys, subjects=self._subjects)
        met = {token for fields in several for token in nameless(fields, keys=self._keys, subjects=self._subjects)}
        missing = met - self._called.keys() - self._in_vain
        if not missing:
            return
        runtime, tenant = self._runtime, self._collection.tenant
        refs: dict[CollectionId, list[bytes]] = defaultdict(list)
        for found in runtime.control.subject_records(tenant, sorted(missing)):
            refs[found.collection].append(found.ref)
        for collection, several_refs in refs.items():
            place = replace(
                self._place, collection=collection, namespace=runtime.names.namespace(tenant, collection), vault=False
            )
            for start in range(0, len(several_refs), _AT_ONCE):
                if not missing - self._called.keys():
                    break
                rows = runtime.control.current(collection, several_refs[start : start + _AT_ONCE]).values()
                for chunks in opened_chunks(runtime, place, list(rows)).values():
                    self._called |= full_names(_texts(chunks[0]), keys=self._keys, subjects=())
        self._in_vain |= missing - self._called.keys()


def _has_keyed(chunk: Chunk) -> bool:
    body = chunk.body
    return is_keyed(body.spans or ()) or any(map(is_keyed, (body.field_spans or {}).values()))


def _texts(chunk: Chunk) -> dict[str, AnonymizedField]:
    """The texts that a first chunk carries with their originals; none where those are not kept."""
    if chunk.vault is None:
        return {}
    vault, values = decode_vault(chunk.vault), chunk.body.fields or {}
    return {
        name: stored_field(str(values[name]), spans, vault.fields.get(name, ()))
        for name, spans in (chunk.body.field_spans or {}).items()
        if name in values
    }


def _stored(row: ManifestRow, chunks: Sequence[Chunk]) -> Stored:
    ref = RecordRef(row.ref)
    vaults = tuple(None if chunk.vault is None else decode_vault(chunk.vault) for chunk in chunks)
    return Stored(ref, row, tuple(Judged(chunk.point, chunk.body, ref) for chunk in chunks), vaults)
