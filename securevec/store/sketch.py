"""A collection that is only thought of: what a preview needs of one that was not made yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from securevec.anonymize import Anonymizer, OperatorPolicy, entities_of
from securevec.embed.checked import CheckedEmbedder
from securevec.schema import Record, describe
from securevec.state.runtime import CollectionScope, Runtime, Scope
from securevec.types import CollectionId


def sketched(
    runtime: Runtime, scope: Scope, record: type[Record], operators: Mapping[str, Any] | None
) -> CollectionScope:
    """A scope under an id that nothing else has: no record is in it, and nothing is written anywhere."""
    collection = CollectionId(uuid4().hex)
    return CollectionScope(
        scope=scope,
        collection=collection,
        namespace=runtime.names.namespace(scope.tenant, collection),
        schema=describe(record),
        record_class=record,
        anonymizer=Anonymizer(
            detector=runtime.detector(),
            policy=OperatorPolicy.from_mapping(operators or {}, entities=entities_of(runtime.detector())),
        ),
        embedder=CheckedEmbedder(runtime.embedder()),
        retention_ms=None,
        vault=False,
        classification="",
        identity_digest=b"",
        suite=runtime.keys.suite,
    )
