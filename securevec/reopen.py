"""A collection opened from its row: for a handle, which brings its own record class, and for a job, which has none.

The description (schema, operators, classification) lies sealed in the control store; the rest is the runtime's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from securevec.anonymize import Anonymizer, OperatorPolicy, entities_of
from securevec.backend import CollectionSpec
from securevec.binding import bound_and_now, cloak_of, filter_keys, is_hybrid, key_scope_of
from securevec.control.rows import CollectionRow
from securevec.crypto.cloak import VERSION
from securevec.crypto.kdf import lp
from securevec.egress.governed import governed
from securevec.errors import CollectionMismatch, TenantUnavailable, UnknownFormat
from securevec.schema import Record, Schema
from securevec.state.runtime import CollectionScope, Runtime, Scope
from securevec.types import Namespace


def name_of(runtime: Runtime, row: CollectionRow) -> str:
    return runtime.names.open_text(row.name_sealed, row=bytes.fromhex(row.collection), kind="collection-name")


def description_of(runtime: Runtime, row: CollectionRow) -> dict[str, Any]:
    """What the collection was made as. Raises :class:`UnknownFormat`, :class:`EnvelopeRejected`."""
    opened = runtime.names.open(row.schema_sealed, row=bytes.fromhex(row.collection), kind="collection-description")
    try:
        description: dict[str, Any] = orjson.loads(opened)
        known = description["v"] == 1 and set(description) - {"hybrid", "cloak", "key_scope"} == {
            "v",
            "schema",
            "operators",
            "classification",
        }
        made = description.get("cloak")
        known = known and description.get("key_scope", "document") == "document"
        known = known and (made is None or (set(made) == {"v", "noise"} and made["v"] == VERSION))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnknownFormat("A collection's description cannot be read.") from error
    if not known:
        raise UnknownFormat("A collection's description is of another release.")
    return description


def schema_of(description: Mapping[str, Any]) -> Schema:
    return Schema.from_json(orjson.dumps(description["schema"]))


def anonymizer_of(runtime: Runtime, description: Mapping[str, Any]) -> Anonymizer:
    return Anonymizer(
        detector=runtime.detector(),
        policy=OperatorPolicy.from_mapping(description["operators"], entities=entities_of(runtime.detector())),
    )


def spec_of(row: CollectionRow, description: Mapping[str, Any]) -> CollectionSpec:
    """What the store makes of the collection."""
    keys = filter_keys(schema_of(description), cloaked=cloak_of(description) is not None)
    return CollectionSpec(dimension=row.dimension, filter_keys=keys, sparse=is_hybrid(description))


def scope_of(
    runtime: Runtime,
    scope: Scope,
    row: CollectionRow,
    description: Mapping[str, Any],
    *,
    record: type[Record],
    identity: Mapping[str, Any],
) -> CollectionScope:
    """The collection's place made sure of in the store, and everything a journey needs of it."""
    schema, classification = schema_of(description), str(description["classification"])
    namespace = runtime.names.namespace(scope.tenant, row.collection)
    runtime.backend().ensure(namespace=namespace, spec=spec_of(row, description))
    _require_wanted(runtime, row, namespace)
    return CollectionScope(
        scope=scope,
        collection=row.collection,
        namespace=namespace,
        schema=schema,
        record_class=record,
        anonymizer=anonymizer_of(runtime, description),
        embedder=governed(
            runtime,
            tenant=scope.tenant,
            collection=row.collection,
            classification=classification,
            bound=identity["model"],
        ),
        retention_ms=row.retention_ms,
        vault=row.vault,
        classification=classification,
        identity_digest=_identity_digest(row, identity),
        suite=runtime.keys.suite,
        hybrid=is_hybrid(description),
        key_scope=key_scope_of(description),
        cloak=cloak_of(description),
    )


def _require_wanted(runtime: Runtime, row: CollectionRow, namespace: Namespace) -> None:
    """A place that was made behind the deletion of its tenant is one that nobody removes. One that holds points was
    not made now: the deletion counts and removes it. Raises :class:`TenantUnavailable`."""
    if runtime.control.fence(row.tenant).state in ("active", "suspended"):
        return
    if not runtime.backend().count(namespace=namespace):
        runtime.backend().drop(namespace=namespace)
    raise TenantUnavailable("The tenant is being deleted or was deleted.")


def _identity_digest(row: CollectionRow, identity: Mapping[str, Any]) -> bytes:
    """What the content digests of records depend on. Not on the key of the cloak: an unchanged record is unchanged when
    that was exchanged."""
    return _digest_of(identity, row.retention_ms)


def _digest_of(identity: Mapping[str, Any], retention_ms: int | None) -> bytes:
    named = {name: value for name, value in identity.items() if name != "cloak"}
    return lp(orjson.dumps(named, option=orjson.OPT_SORT_KEYS), str(retention_ms).encode())


def require_as_opened(collection: CollectionScope, identity: str) -> None:
    """Raises :class:`CollectionMismatch` when the collection is bound to something else by now than this handle was
    opened with: another process accepted another detector or other operators, and what this one would write follows
    the earlier ones."""
    if _digest_of(orjson.loads(identity), collection.retention_ms) != collection.identity_digest:
        raise CollectionMismatch(
            "Another detector or other operators were accepted for the collection since it was opened here.",
            next_step="Open the collection again, with what it is bound to now.",
        )


def require_same_terms(bound: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Terms of two analyzers never mix, nor vectors under two cloaks. Raises :class:`CollectionMismatch`."""
    if bound.get("cloak") != now.get("cloak"):
        raise CollectionMismatch(
            "The collection holds vectors under another cloak key.", next_step="Restore keys.db of the same time."
        )
    if bound.get("terms") != now.get("terms"):
        raise CollectionMismatch(
            "The collection holds terms of another release's analyzer.", next_step="Ingest into a new collection."
        )


def reopen(runtime: Runtime, scope: Scope, row: CollectionRow) -> CollectionScope:
    """The collection for a job, which writes nothing new into it: a newer detector does not matter, the model does.

    Raises :class:`CollectionMismatch` when its vectors are of another model than this process has.
    """
    description = description_of(runtime, row)
    schema = schema_of(description)
    bound, identity = bound_and_now(runtime, schema, anonymizer_of(runtime, description), row, description)
    if bound["model"] != identity["model"]:
        raise CollectionMismatch(
            "The collection holds vectors of another embedding model.", next_step="Open the store with that model."
        )
    require_same_terms(bound, identity)
    return scope_of(runtime, scope, row, description, record=schema.record_class(), identity=identity)
