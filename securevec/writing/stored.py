"""Stored records, opened as a whole: every chunk, judged, with its vault; and made ready to be stored again.

For what changes a record without its source at hand: an update, the erasure of a person. Texts that do not change keep
their surrogates, spans and originals as they were stored, and are not given to the detector again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from securevec.anonymize.stored import originals_in, stored_field
from securevec.control.rows import ManifestRow
from securevec.crypto.derive import point_id
from securevec.errors import IsolationViolation, RecordNotFound, UnknownFormat
from securevec.keys.keyview import KeyView
from securevec.points.body import Body, Vault
from securevec.points.body_format import decode_vault
from securevec.reading.cloaking import restored
from securevec.reading.judge import Judged, judge
from securevec.reading.opening import distinct, open_envelope
from securevec.retention.rules import expired
from securevec.rows.minimize import Minimized
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import AnonymizedField, Matrix, RecordRef, Vector
from securevec.writing.prepare import assemble
from securevec.writing.sealing import Origin, Prepared


@dataclass(frozen=True, slots=True, repr=False)
class Stored:
    """A live record. ``chunks`` and ``vaults`` (``None`` where nothing was replaced) are in the order of the chunks."""

    ref: RecordRef
    row: ManifestRow
    chunks: tuple[Judged, ...]
    vaults: tuple[Vault | None, ...]

    @property
    def body(self) -> Body:
        """The body of chunk 0, which carries the record."""
        return self.chunks[0].body

    @property
    def origin(self) -> Origin:
        return Origin(self.body.classification, self.body.detector, self.body.policy)

    @property
    def vectors(self) -> list[Vector | None]:
        return [chunk.point.vector for chunk in self.chunks]

    def __repr__(self) -> str:
        return f"Stored(chunks={len(self.chunks)})"


def load(
    runtime: Runtime,
    collection: CollectionScope,
    rows: Sequence[ManifestRow],
    *,
    with_vectors: bool = False,
    with_vaults: bool = True,
    erasing: bool = False,
) -> dict[RecordRef, Stored]:
    """The records of these manifest rows whose every chunk is stored and passes judgement. The others are left out.

    Without ``with_vaults`` no vault is opened, and ``vaults`` is empty. ``erasing`` also reads what an erasure hides.
    Raises as :func:`securevec.reading.judge.judge`, and :class:`UnknownFormat` for a vault that does not fit.
    """
    id_key = runtime.keys.tenant_key(collection.tenant, "id")
    places: dict[UUID, tuple[RecordRef, int]] = {}
    for row in rows:
        ref = RecordRef(row.ref)
        for number in range(row.n_chunks):
            places[point_id(id_key, collection.collection, ref, row.generation, number)] = (ref, number)
    if not places:
        return {}
    points = runtime.backend().fetch(namespace=collection.namespace, ids=list(places), with_vectors=with_vectors)
    wanted = distinct([point for point in points if point.id in places])
    found: dict[RecordRef, dict[int, Judged]] = {}
    keys = runtime.keys.view()
    accepted = judge(runtime, collection, wanted, where=None, keys=keys, erasing=erasing).accepted
    for judged in restored(runtime, collection, accepted):
        ref, number = places[judged.point.id]
        found.setdefault(ref, {})[number] = judged
    whole: dict[RecordRef, Stored] = {}
    for row in rows:
        chunks = found.get(RecordRef(row.ref), {})
        if len(chunks) == row.n_chunks:
            ordered = tuple(chunks[number] for number in range(row.n_chunks))
            vaults = tuple(_vault(keys, collection, chunk) for chunk in ordered) if with_vaults else ()
            whole[RecordRef(row.ref)] = Stored(RecordRef(row.ref), row, ordered, vaults)
    return whole


def load_live(runtime: Runtime, collection: CollectionScope, ref: RecordRef, *, with_vaults: bool = True) -> Stored:
    """One live record with its vectors. A record that is replaced meanwhile is read again.

    Raises :class:`RecordNotFound` and, when the store shows something else or nothing, :class:`IsolationViolation`.
    """
    row = runtime.control.current(collection.collection, [ref]).get(ref)
    while row is not None and not expired(row.expires_ms, now_ms=runtime.clock.now_ms()):
        found = load(runtime, collection, [row], with_vectors=True, with_vaults=with_vaults).get(ref)
        if found is not None and all(vector is not None for vector in found.vectors):
            return found
        before, row = row, runtime.control.current(collection.collection, [ref]).get(ref)
        if row != before:
            continue
        if (ref, before.generation) in runtime.control.hidden_records(collection.tenant, collection.collection, [ref]):
            break
        if not expired(before.expires_ms, now_ms=runtime.clock.now_ms()):
            raise IsolationViolation(
                "The store does not show a record of the manifest as it was written.",
                next_step="Ingest the record again.",
            )
    raise RecordNotFound("The collection has no such record.")


def fields_of(collection: CollectionScope, stored: Stored) -> dict[str, AnonymizedField]:
    """The anonymized texts of a record, by field: all but those whose original is kept in their place.

    Without a vault the originals are empty; nothing of them is sealed again then.
    """
    body, vault = stored.body, stored.vaults[0]
    fields: dict[str, AnonymizedField] = {}
    for name, value in (body.fields or {}).items():
        spec = collection.schema.field(name)
        if spec.type != "str" or spec.keep == "original" or not isinstance(value, str):
            continue
        spans = (body.field_spans or {}).get(name, ())
        kept = vault.fields.get(name, ()) if vault is not None else ("",) * len(spans)
        fields[name] = stored_field(value, spans, kept if collection.vault else ("",) * len(spans))
    return fields


def kept_originals(collection: CollectionScope, stored: Stored) -> dict[str, str]:
    """The texts of fields declared with ``keep="original"``."""
    return {
        name: value
        for name, value in (stored.body.fields or {}).items()
        if collection.schema.field(name).keep == "original" and isinstance(value, str)
    }


def detected_again(
    runtime: Runtime, collection: CollectionScope, fields: Mapping[str, AnonymizedField], originals: Mapping[str, str]
) -> dict[str, AnonymizedField]:
    """What the detector makes of the fields that keep their original: their span tables are not stored.

    The other fields' originals are put back for it, since a name in one field is found by its whole in another; so
    it needs the vault. Equal to what was found at first only under the same detector and policy.
    """
    texts = {name: originals_in(field) for name, field in fields.items()} | dict(originals)
    ordered = {spec.name: texts[spec.name] for spec in collection.schema.fields if spec.name in texts}
    subjects = [spec.name for spec in collection.schema.by_kind("subject") if spec.name in ordered]
    every = collection.anonymizer.record(ordered, keys=collection.tenant_keys(runtime), subjects=subjects)
    return {name: every[name] for name in originals}


def ready_again(
    collection: CollectionScope,
    stored: Stored,
    fields: Mapping[str, AnonymizedField],
    originals: Mapping[str, str],
    *,
    digest: bytes,
    vector: Matrix | None = None,
) -> Prepared:
    """The record with these texts, to be embedded and sealed as a new generation. Expiry, epoch and origin stay.

    ``fields`` are all its anonymized texts, those of ``originals`` too. ``digest`` is its new content digest; with a
    ``vector`` that was given for it, it stays one chunk.
    Raises :class:`LimitExceeded`.
    """
    body = stored.body
    minimized = Minimized(
        record_id=body.record_id,
        texts=dict(originals),
        kept={name: value for name, value in (body.fields or {}).items() if name not in fields},
        filters=dict(body.filters),
        canonical=b"",
    )
    ordered = {spec.name: fields[spec.name] for spec in collection.schema.fields if spec.name in fields}
    return assemble(
        collection,
        minimized,
        ordered,
        ref=stored.ref,
        row=0,
        digest=digest,
        expires_ms=stored.row.expires_ms,
        epoch=stored.row.epoch,
        ingested_ms=body.ingested_ms,
        origin=stored.origin,
        vector=vector,
        token_version=body.tokens,
    )


def _vault(keys: KeyView, collection: CollectionScope, judged: Judged) -> Vault | None:
    if not collection.vault or judged.point.payload.get("v") is None:
        return None
    vault = decode_vault(open_envelope(keys, collection, judged.point, payload_key="v", path="vault"))
    if vault.spans is not None and len(vault.spans) != len(judged.body.spans or ()):
        raise UnknownFormat("A vault does not fit the span table of its body.")
    return vault
