"""What a collection is: schema, retention, model, detector, counts, room. Nothing about anybody in it."""

from __future__ import annotations

from dataclasses import dataclass

from securevec.crypto.cloak import Cloak
from securevec.embed import ModelIdentity
from securevec.guard import admit
from securevec.retention.rulebook import effective_retention
from securevec.schema import FieldSpec
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import CollectionId, KeyScope
from securevec.verbs import quota
from securevec.verbs.quota import QuotaUse


@dataclass(frozen=True, slots=True)
class CollectionDescription:
    """What a collection was made with, and how much is in it.

    ``retention_ms`` is how long a record ingested now is kept, by the collection or by a stricter rule; ``None`` is
    until it is deleted. ``detector`` and ``policy`` are the digests under which new records are anonymized (older ones
    may be of others); ``model`` embeds. ``records`` and ``chunks`` count what is neither deleted nor expired, and are
    ``None`` for an actor to whom the policy shows a part only. ``quota`` is of the whole tenant. ``hybrid`` says
    whether the words are searchable too, ``cloak`` how the vectors are obfuscated, ``key_scope`` whether each record
    has a key of its own.
    """

    id: CollectionId
    fields: tuple[FieldSpec, ...]
    retention_ms: int | None
    vault: bool
    classification: str
    model: ModelIdentity
    detector: str
    policy: str
    backend: str
    records: int | None
    chunks: int | None
    quota: QuotaUse
    hybrid: bool = False
    cloak: Cloak | None = None
    key_scope: KeyScope = "bucket"


def describe_collection(runtime: Runtime, collection: CollectionScope) -> CollectionDescription:
    """See :meth:`Collection.describe`."""
    admission = admit(
        runtime, collection.scope, permission="count", action="describe", collection=collection.collection
    )
    records: int | None = None
    chunks: int | None = None
    with admission.reading():
        if admission.decision.row_filter is None:
            records, chunks = runtime.control.count_shown(
                collection.tenant, collection.collection, now_ms=runtime.clock.now_ms()
            )
        described = CollectionDescription(
            id=collection.collection,
            fields=collection.schema.fields,
            retention_ms=effective_retention(runtime, collection),
            vault=collection.vault,
            classification=collection.classification,
            model=collection.embedder.identity,
            detector=collection.anonymizer.digest,
            policy=collection.anonymizer.policy_digest,
            backend=runtime.backend().name,
            records=records,
            chunks=chunks,
            quota=quota.read(runtime, collection.scope),
            hybrid=collection.hybrid,
            cloak=collection.cloak,
            key_scope=collection.key_scope,
        )
        admission.recheck()
    admission.note(counts={} if records is None else {"records": records})
    return described
