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
from securevec.errors import CollectionMismatch
from securevec.protect import EXPIRY_KEY, PREFIX
from securevec.retention.rules import parse_retention
from securevec.runtime import Runtime
from securevec.schema import FieldSpec, Schema

_UPPER_AFTER_LOWER = str.maketrans({letter: f"_{letter.lower()}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller says a collection is, to be compared with what it was made as."""

    schema: Schema
    retention: str | None
    vault: bool
    classification: str
    operators: Mapping[str, Any] | None

    def require_same(self, row: CollectionRow, description: Mapping[str, Any]) -> None:
        if description["schema"] != orjson.loads(self.schema.to_json()):
            raise CollectionMismatch(
                "The collection was made with another schema.", next_step="Use the same class, or another name."
            )
        if self.retention is not None and parse_retention(self.retention) != row.retention_ms:
            raise CollectionMismatch("The collection was made with another retention.")
        if self.vault != row.vault:
            raise CollectionMismatch("The collection was made with another vault setting.")
        if self.classification != description["classification"]:
            raise CollectionMismatch("The collection was made with another classification.")


def identity_of(runtime: Runtime, schema: Schema, anonymizer: Anonymizer) -> dict[str, Any]:
    model = runtime.embedder().identity
    return {
        "model": {"name": model.name, "digest": model.digest, "dimension": model.dimension},
        "schema": schema.digest,
        "detector": anonymizer.digest,
        "policy": anonymizer.policy_digest,
    }


def filter_keys(schema: Schema) -> dict[str, FieldKind]:
    """What the store indexes: filter values, and the expiry a search may have to ask for."""
    kinds: dict[str, FieldKind] = {PREFIX + spec.name: _kind(spec) for spec in schema.by_kind("filter")}
    return {**kinds, EXPIRY_KEY: "integer"}


def _kind(spec: FieldSpec) -> FieldKind:
    if spec.mode == "token":
        return "keyword"
    kinds: dict[str, FieldKind] = {"int": "integer", "datetime": "integer", "date": "integer", "float": "float"}
    return "bool" if spec.type == "bool" else kinds.get(spec.type, "keyword")


def snake_case(name: str) -> str:
    return name.translate(_UPPER_AFTER_LOWER).lstrip("_")
