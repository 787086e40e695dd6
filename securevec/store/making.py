"""A collection made for a tenant, or opened from its row as it was made: what the tenant's handle is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import orjson

from securevec.anonymize import Anonymizer, OperatorPolicy, entities_of
from securevec.anonymize.policy import operators_of
from securevec.binding import Wanted, bound_and_now, described, identity_of, require_vault
from securevec.control.rows import CollectionRow
from securevec.egress.gate import require_model
from securevec.embed.checked import named_by
from securevec.errors import (
    CollectionMismatch,
    HybridUnavailable,
    RetentionConflict,
    SecurevecError,
    UsageError,
)
from securevec.guard import Admission, admit
from securevec.policy.models import Use
from securevec.reopen import anonymizer_of, description_of, require_same_terms, schema_of, scope_of
from securevec.retention.rules import parse_retention
from securevec.rows.validate import check_name
from securevec.schema import Record
from securevec.state.runtime import CollectionScope, Runtime, Scope
from securevec.store.lifetimes import find_collection
from securevec.types import CollectionId

_UNCLASSIFIED: Final = "internal"


def create(runtime: Runtime, scope: Scope, name: str, wanted: Wanted) -> CollectionRow:
    """A new collection; or another process's, when it made one of this name meanwhile.

    Raises :class:`RetentionConflict`, :class:`HybridUnavailable`, :class:`PolicyDenied`.
    """
    tenant = scope.tenant
    schema, vault = wanted.schema, wanted.vault
    classification = _UNCLASSIFIED if wanted.classification is None else wanted.classification
    retention_ms = parse_retention(wanted.retention) if wanted.retention is not None else None
    operators = operators_of(wanted.operators)
    anonymizer = Anonymizer(
        detector=runtime.detector(),
        policy=OperatorPolicy.from_mapping(operators, entities=entities_of(runtime.detector())),
    )
    check_name("collection", classification)
    require_vault(anonymizer, vault)
    admission = admit(runtime, scope, permission="collection.create", action="collection.create")
    if wanted.hybrid:
        _require_terms(runtime, admission)
    _require_model(runtime, admission, classification)
    collection = CollectionId(uuid4().hex)
    raw = bytes.fromhex(collection)
    description = {
        "v": 1,
        "schema": orjson.loads(schema.to_json()),
        "operators": operators,
        "classification": classification,
    }
    description |= described(wanted)
    runtime.keys.create_filter_key(tenant, collection)
    if wanted.cloak is not None:
        runtime.keys.create_cloak_key(tenant, collection)
    identity = identity_of(runtime, schema, anonymizer, tenant=tenant, collection=collection, description=description)
    row = CollectionRow(
        collection=collection,
        tenant=tenant,
        name_token=runtime.names.collection_token(tenant, name),
        name_sealed=runtime.names.seal(name, row=raw, kind="collection-name"),
        schema_sealed=runtime.names.seal(orjson.dumps(description), row=raw, kind="collection-description"),
        shard=runtime.names.namespace(tenant, collection).shard,
        dimension=named_by(runtime.embedder()).dimension,
        identity=orjson.dumps(identity, option=orjson.OPT_SORT_KEYS).decode(),
        retention_ms=retention_ms,
        vault=vault,
        created_ms=runtime.clock.now_ms(),
        classification=runtime.names.classification_token(classification),
    )
    admission.note(phase="intent")
    try:
        runtime.control.create_collection(row)
    except SecurevecError as error:
        admission.failure(error, phase="result")
        # When another process made it meanwhile, theirs counts, and is compared with what is asked for.
        taken = isinstance(error, UsageError) and not isinstance(error, RetentionConflict)
        theirs = find_collection(runtime, tenant, name) if taken else None
        if theirs is None:
            raise
        return theirs
    admission.note(phase="result", counts={"collections": 1})
    return row


def open_as_wanted(
    runtime: Runtime,
    scope: Scope,
    row: CollectionRow,
    record: type[Record],
    wanted: Wanted,
    *,
    accept_new_detector: bool,
) -> CollectionScope:
    """The collection, if the actor may use it and it was made with what is asked for now.

    Raises :class:`CollectionMismatch`, :class:`PolicyDenied`.
    """
    admission = _admit(runtime, scope, row)
    try:
        description = description_of(runtime, row)
        wanted.require_same(row, description)
        if wanted.operators is not None and operators_of(wanted.operators) != description["operators"]:
            if not accept_new_detector:
                raise CollectionMismatch(
                    "The collection was made with other operators.",
                    next_step="Leave operators out, or pass accept_new_detector=True.",
                )
            description = {**description, "operators": operators_of(wanted.operators)}
        opened = _open(runtime, scope, row, record, description, accept_new_detector=accept_new_detector)
    except SecurevecError as error:
        admission.failure(error)
        raise
    admission.note()
    return opened


def open_as_made(
    runtime: Runtime, scope: Scope, row: CollectionRow, *, accept_new_detector: bool = False
) -> tuple[CollectionScope, type[Record]]:
    """The collection, if the actor may use it, and its record class, rebuilt from what it remembers."""
    admission = _admit(runtime, scope, row)
    try:
        description = description_of(runtime, row)
        record = schema_of(description).record_class()
        opened = _open(runtime, scope, row, record, description, accept_new_detector=accept_new_detector)
    except SecurevecError as error:
        admission.failure(error)
        raise
    admission.note()
    return opened, record


def _admit(runtime: Runtime, scope: Scope, row: CollectionRow) -> Admission:
    return admit(runtime, scope, permission="collection.open", action="collection.open", collection=row.collection)


def _open(
    runtime: Runtime,
    scope: Scope,
    row: CollectionRow,
    record: type[Record],
    description: Mapping[str, Any],
    *,
    accept_new_detector: bool,
) -> CollectionScope:
    schema = schema_of(description)
    anonymizer = anonymizer_of(runtime, description)
    require_vault(anonymizer, row.vault)
    bound, now = bound_and_now(runtime, schema, anonymizer, row, description)
    if bound["model"] != now["model"]:
        raise CollectionMismatch(
            "The collection holds vectors of another embedding model; two models never mix.",
            next_step="Open the store with that model, or ingest into a new collection.",
        )
    require_same_terms(bound, now)
    if bound != now:
        if not accept_new_detector:
            raise CollectionMismatch(
                "The collection was filled under another detector or other operators.",
                next_step="Pass accept_new_detector=True, and ingest again what should follow the new one.",
            )
        admission = admit(
            runtime,
            scope,
            permission="collection.create",
            action="config",
            collection=row.collection,
        )
        admission.note(phase="intent")
        raw = bytes.fromhex(row.collection)
        runtime.control.update_identity(
            row.collection,
            expect=row.identity,
            identity=orjson.dumps(now, option=orjson.OPT_SORT_KEYS).decode(),
            schema_sealed=runtime.names.seal(orjson.dumps(description), row=raw, kind="collection-description"),
        )
        admission.note(phase="result")
    return scope_of(runtime, scope, row, description, record=record, identity=now)


def _require_model(runtime: Runtime, admission: Admission, classification: str) -> None:
    """Raises :class:`ModelNotAllowed` where the store's embedder may not receive what the collection is to hold.

    One that is there already opens all the same: what hands a text to the model is refused, reading and deleting is
    not (docs/adr/0060).
    """
    use = Use(named_by(runtime.embedder()).name, "embedder", admission.scope.tenant, classification)
    try:
        require_model(runtime, use, None)
    except SecurevecError as error:
        admission.failure(error)
        raise


def _require_terms(runtime: Runtime, admission: Admission) -> None:
    """Raises :class:`HybridUnavailable` where the store keeps no terms, before there is a collection."""
    try:
        if not runtime.backend().capabilities.sparse:
            raise HybridUnavailable(
                "This store keeps no terms, so it has no hybrid search.",
                next_step='Leave hybrid out, or keep such collections on backend="edge" or a Qdrant server.',
            )
    except SecurevecError as error:
        admission.failure(error)
        raise
