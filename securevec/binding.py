"""What a collection is bound to when it is made, and what is compared when it is opened: schema, model, detector,
operators, retention, vault, classification. Two models never mix in a search, and no setting changes unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from securevec.anonymize import Anonymizer
from securevec.backend import FieldKind
from securevec.control.rows import CollectionRow
from securevec.crypto.cloak import VERSION, Cloak
from securevec.embed.checked import named_by
from securevec.embed.protocol import model_of
from securevec.errors import CollectionMismatch, ConfigError
from securevec.points.protect import CLOAK_KEY, EXPIRY_KEY, PREFIX
from securevec.points.terms import ANALYZER
from securevec.retention.rules import parse_retention
from securevec.schema import LISTS, FieldSpec, Schema
from securevec.state.runtime import Runtime
from securevec.types import CollectionId, KeyScope, TenantId


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller says a collection is, to be compared with what it was made as."""

    schema: Schema
    retention: str | None
    vault: bool
    classification: str | None
    operators: Mapping[str, Any] | None
    hybrid: bool | None = None
    cloak: Cloak | None = None
    key_scope: KeyScope | None = None

    def require_same(self, row: CollectionRow, description: Mapping[str, Any]) -> None:
        if description["schema"] != orjson.loads(self.schema.to_json()):
            raise CollectionMismatch(
                "The collection was made with another schema.", next_step="Use the same class, or another name."
            )
        if self.retention is not None and parse_retention(self.retention) != row.retention_ms:
            raise CollectionMismatch(
                "The collection was made with another retention.",
                next_step="Leave retention out. To remove records earlier, set a rule: securevec retention set.",
            )
        if self.vault != row.vault:
            raise CollectionMismatch(
                "The collection was made with another vault setting.",
                next_step="Name the setting it was made with, or ingest into a new collection.",
            )
        if self.classification is not None and self.classification != description["classification"]:
            raise CollectionMismatch(
                "The collection was made with another classification.",
                next_step="Leave classification out, or ingest into a new collection.",
            )
        made_hybrid = is_hybrid(description)
        if self.hybrid is not None and self.hybrid != made_hybrid:
            raise CollectionMismatch(
                f"The collection was made {'for' if made_hybrid else 'without'} hybrid search.",
                next_step="Leave hybrid out, or ingest into a new collection.",
            )
        if self.key_scope is not None and self.key_scope != key_scope_of(description):
            raise CollectionMismatch(
                "The collection was made with another key scope.",
                next_step="Leave key_scope out, or ingest into a new collection.",
            )
        if self.cloak is not None and self.cloak != cloak_of(description):
            raise CollectionMismatch(
                "The collection was made with another cloak, or without one.",
                next_step="Leave cloak out, or ingest into a new collection.",
            )


def key_scope_of(description: Mapping[str, Any]) -> KeyScope:
    """Whose the keys of a collection are."""
    return "document" if description.get("key_scope") == "document" else "bucket"


def described(wanted: Wanted) -> dict[str, Any]:
    """What the description of a collection says of what it need not have: terms, a cloak, keys of single records."""
    return ({"hybrid": True} if wanted.hybrid else {}) | described_cloak(wanted.cloak) | _described_key_scope(wanted)


def _described_key_scope(wanted: Wanted) -> dict[str, Any]:
    """Nothing where records share their keys.

    Raises :class:`ConfigError`.
    """
    if wanted.key_scope not in (None, "bucket", "document"):
        raise ConfigError('The key scope of a collection is "bucket" or "document".')
    if wanted.key_scope != "document":
        return {}
    if wanted.schema.shredded is not None:
        raise ConfigError(
            "Records are sealed under the key of one person or under keys of their own, not both.",
            next_step="Leave key_scope out, or declare Subject without shred.",
        )
    return {"key_scope": "document"}


def require_vault(anonymizer: Anonymizer, vault: bool) -> None:
    """Raises :class:`ConfigError` when an operator promises a way back that a collection without a vault has not."""
    if anonymizer.needs_vault and not vault:
        raise ConfigError(
            "The operator vault keeps originals, and the collection is made with vault=False.",
            next_step="Leave vault=False out, or use drop or tag.",
        )


def is_hybrid(description: Mapping[str, Any]) -> bool:
    """Whether a collection was made for hybrid search. Nothing was, before there was any."""
    return description.get("hybrid") is True


def as_cloak(wanted: object) -> Cloak | None:
    """What a caller says of the cloak: ``None``, ``"rotate"`` or a :class:`Cloak`. Raises :class:`ConfigError`."""
    if wanted is None or isinstance(wanted, Cloak):
        return wanted
    if wanted != "rotate":
        raise ConfigError('A cloak is "rotate", or a Cloak such as Cloak(noise=2.0).')
    return Cloak()


def cloak_of(description: Mapping[str, Any]) -> Cloak | None:
    """The cloak a collection was made with."""
    made = description.get("cloak")
    return None if made is None else Cloak(noise=made["noise"])


def described_cloak(cloak: Cloak | None) -> dict[str, Any]:
    """What the description of a collection says of its cloak: nothing where there is none."""
    return {} if cloak is None else {"cloak": {"v": VERSION, "noise": cloak.noise}}


def identity_of(
    runtime: Runtime,
    schema: Schema,
    anonymizer: Anonymizer,
    *,
    tenant: TenantId,
    collection: CollectionId,
    description: Mapping[str, Any],
) -> dict[str, Any]:
    """What a collection is bound to. Its cloak key must be there, where it has a cloak."""
    model = named_by(runtime.embedder())
    terms: dict[str, Any] = {"terms": ANALYZER} if is_hybrid(description) else {}
    cloak = cloak_of(description)
    if cloak is not None:
        terms["cloak"] = runtime.keys.cloak_digests(tenant, collection, cloak, dimension=model.dimension)[-1]
    return terms | {
        "model": model_of(model),
        "schema": schema.digest,
        "detector": anonymizer.digest,
        "policy": anonymizer.policy_digest,
    }


def bound_and_now(
    runtime: Runtime, schema: Schema, anonymizer: Anonymizer, row: CollectionRow, description: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a collection was bound to, and what it would be today.

    While its cloak key is exchanged there are two, and it may be bound to either: that is no difference.
    """
    bound: dict[str, Any] = orjson.loads(row.identity)
    now = identity_of(
        runtime, schema, anonymizer, tenant=row.tenant, collection=row.collection, description=description
    )
    cloak = cloak_of(description)
    if cloak is not None and bound.get("cloak") != now["cloak"]:
        # Read again, after the key store: the exchange may have ended since the row was read.
        fresh = runtime.control.collection(row.collection)
        bound = bound if fresh is None else orjson.loads(fresh.identity)
        digests = runtime.keys.cloak_digests(row.tenant, row.collection, cloak, dimension=row.dimension)
        now["cloak"] = bound.get("cloak") if bound.get("cloak") in digests else now["cloak"]
    return bound, now


def filter_keys(schema: Schema, *, cloaked: bool) -> dict[str, FieldKind]:
    """What the store indexes: filter values, and what a search may have to ask for, the expiry and the version of the
    cloak."""
    kinds: dict[str, FieldKind] = {PREFIX + spec.name: _kind(spec) for spec in schema.by_kind("filter")}
    hints: dict[str, FieldKind] = {EXPIRY_KEY: "integer"}
    if cloaked:
        hints[CLOAK_KEY] = "integer"
    return kinds | hints


def _kind(spec: FieldSpec) -> FieldKind:
    if spec.type in LISTS:
        return "integer"
    if spec.mode != "clear":
        return "keyword"
    kinds: dict[str, FieldKind] = {"int": "integer", "datetime": "integer", "date": "integer", "float": "float"}
    return "bool" if spec.type == "bool" else kinds.get(spec.type, "keyword")
