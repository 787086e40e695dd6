"""A place that is only thought of: what it takes to anonymize, chunk and embed for nobody, to count and to measure."""

from __future__ import annotations

import secrets

from securevec.anonymize import Anonymizer, Detector, OperatorPolicy, TenantKeys, entities_of
from securevec.crypto.suites import DEFAULT
from securevec.embed import Embedder
from securevec.policy import Actor
from securevec.schema import Record, describe
from securevec.state.runtime import CollectionScope, Scope
from securevec.types import CollectionId, Namespace, TenantId

_NONE = "0" * 32


def nowhere(detector: Detector, embedder: Embedder, record: type[Record]) -> CollectionScope:
    """A collection of no tenant, in no store."""
    return CollectionScope(
        scope=Scope(TenantId(_NONE), Actor.local(), b"", ""),
        collection=CollectionId(_NONE),
        namespace=Namespace(_NONE, _NONE, _NONE),
        schema=describe(record),
        record_class=record,
        anonymizer=Anonymizer(
            detector=detector, policy=OperatorPolicy.from_mapping({}, entities=entities_of(detector))
        ),
        embedder=embedder,
        retention_ms=None,
        vault=True,
        classification="",
        identity_digest=b"",
        suite=DEFAULT,
    )


def passing_keys() -> TenantKeys:
    """Keys of nobody, for surrogates that nobody keeps."""
    return TenantKeys(pseudonym=secrets.token_bytes(32), token=secrets.token_bytes(32))
