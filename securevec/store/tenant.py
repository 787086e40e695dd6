"""One tenant as one actor sees it. No method takes a tenant, a namespace or a key: they come from the handle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import orjson

from securevec.anonymize import Anonymizer, OperatorPolicy
from securevec.backend import CollectionSpec, FieldKind
from securevec.control.rows import CollectionRow
from securevec.crypto.kdf import lp
from securevec.embed.checked import CheckedEmbedder
from securevec.errors import CollectionMismatch, CollectionNotFound, UnknownFormat
from securevec.guard import admit
from securevec.minimize import check_name
from securevec.policy import Actor, check_role
from securevec.protect import PREFIX
from securevec.retention.rules import parse_retention
from securevec.runtime import CollectionScope, Runtime, Scope
from securevec.schema import FieldSpec, Record, Schema, describe
from securevec.store.collection import Collection
from securevec.types import CollectionId, TenantId

R = TypeVar("R", bound=Record)

_UPPER_AFTER_LOWER = str.maketrans({letter: f"_{letter.lower()}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


class Tenant:
    """A tenant handle. ``repr`` shows nothing; the tenant's random id is :attr:`id`."""

    def __init__(self, runtime: Runtime, scope: Scope) -> None:
        self._runtime = runtime
        self._scope = scope

    @property
    def id(self) -> TenantId:
        return self._scope.tenant

    def __repr__(self) -> str:
        return f"Tenant(id={self._scope.tenant})"

    def collection(
        self,
        record: type[R],
        *,
        name: str | None = None,
        retention: str | None = None,
        vault: bool = True,
        classification: str = "internal",
        operators: Mapping[str, Any] | None = None,
        accept_new_detector: bool = False,
    ) -> Collection[R]:
        """The collection of this record class, made if absent.

        Args:
            record: a :class:`securevec.Record` subclass.
            name: default is the class name in snake case.
            retention: how long records are kept, such as ``180d``; ``None`` keeps them until deleted.
            vault: whether originals of replaced values are kept sealed apart, for ``hits.restore``.
            classification: a label sealed with every record.
            operators: what replaces each entity, for example ``{"CARD": "presidio:mask"}``.
            accept_new_detector: go on with a newer detector or other operators than the collection was made with.
                Records already stored keep what was replaced then.

        Raises:
            CollectionMismatch: it exists with another model, schema, detector, operators, retention or vault.
            PolicyDenied: the actor may not create it, or may not use it.
        """
        schema = describe(record)
        label = check_name("collection", _snake(record.__name__) if name is None else name)
        row = self._find(label)
        if row is None:
            row = self._create(label, schema, retention, vault, classification, operators)
            return Collection(self._runtime, self._open(row, record, accept_new_detector=False), record)
        description = self._description(row)
        wanted_retention = parse_retention(retention) if retention is not None else row.retention_ms
        if description["schema"] != orjson.loads(schema.to_json()):
            raise CollectionMismatch(
                "The collection was made with another schema.", next_step="Use the same class, or another name."
            )
        if wanted_retention != row.retention_ms or vault != row.vault:
            raise CollectionMismatch("The collection was made with another retention or vault setting.")
        if operators is not None and OperatorPolicy.from_mapping(operators).digest != self._policy(description).digest:
            raise CollectionMismatch("The collection was made with other operators.")
        return Collection(self._runtime, self._open(row, record, accept_new_detector=accept_new_detector), record)

    def existing_collection(self, name: str) -> Collection[Record]:
        """A collection by name, its record class rebuilt from what it remembers. Raises :class:`CollectionNotFound`."""
        row = self._find(check_name("collection", name))
        if row is None:
            raise CollectionNotFound("The tenant has no such collection.")
        record = self._schema(row).record_class()
        return Collection(self._runtime, self._open(row, record, accept_new_detector=False), record)

    def collections(self) -> Sequence[str]:
        """Names of the tenant's collections."""
        admission = admit(self._runtime, self._scope, permission="count", action="count")
        names = sorted(self._name(row) for row in self._runtime.control.collections(self._scope.tenant))
        admission.recheck()
        admission.note(counts={"collections": len(names)})
        return names

    def grant(self, actor: Actor, role: str) -> None:
        """Give an actor a role here: ``owner``, ``writer``, ``reader`` or ``revealer``."""
        checked = check_role(role)
        admission = admit(self._runtime, self._scope, permission="grant", action="grant")
        now_ms = self._runtime.clock.now_ms()
        token = self._runtime.names.actor_token(actor)
        sealed = self._runtime.names.seal(actor.name, row=token, kind="actor-name")
        self._runtime.control.remember_principal(token, sealed, now_ms)
        self._runtime.control.grant(self._scope.tenant, token, checked, now_ms)
        admission.note()

    def revoke(self, actor: Actor, role: str) -> None:
        """Take a role back. Effective at the actor's next operation, in every process."""
        checked = check_role(role)
        admission = admit(self._runtime, self._scope, permission="grant", action="grant")
        self._runtime.control.revoke(self._scope.tenant, self._runtime.names.actor_token(actor), checked)
        admission.note()

    def _find(self, name: str) -> CollectionRow | None:
        token = self._runtime.names.collection_token(self._scope.tenant, name)
        return self._runtime.control.collection_by_token(self._scope.tenant, token)

    def _create(
        self,
        name: str,
        schema: Schema,
        retention: str | None,
        vault: bool,
        classification: str,
        operators: Mapping[str, Any] | None,
    ) -> CollectionRow:
        runtime, tenant = self._runtime, self._scope.tenant
        retention_ms = parse_retention(retention) if retention is not None else None
        anonymizer = Anonymizer(detector=runtime.detector(), policy=OperatorPolicy.from_mapping(operators or {}))
        check_name("collection", classification)
        admission = admit(runtime, self._scope, permission="collection.create", action="collection.create")
        collection = CollectionId(uuid4().hex)
        raw = bytes.fromhex(collection)
        description = {
            "v": 1,
            "schema": orjson.loads(schema.to_json()),
            "operators": dict(operators or {}),
            "classification": classification,
        }
        identity = _identity(runtime, schema, anonymizer)
        row = CollectionRow(
            collection=collection,
            tenant=tenant,
            name_token=runtime.names.collection_token(tenant, name),
            name_sealed=runtime.names.seal(name, row=raw, kind="collection-name"),
            schema_sealed=runtime.names.seal(orjson.dumps(description), row=raw, kind="collection-description"),
            shard=runtime.names.namespace(tenant, collection).shard,
            dimension=runtime.embedder().identity.dimension,
            identity=orjson.dumps(identity, option=orjson.OPT_SORT_KEYS).decode(),
            retention_ms=retention_ms,
            vault=vault,
            created_ms=runtime.clock.now_ms(),
        )
        admission.note(phase="intent")
        runtime.control.create_collection(row)
        admission.note(phase="result", counts={"collections": 1})
        return row

    def _open(self, row: CollectionRow, record: type[Record], *, accept_new_detector: bool) -> CollectionScope:
        runtime = self._runtime
        description = self._description(row)
        schema = self._schema(row)
        anonymizer = Anonymizer(detector=runtime.detector(), policy=self._policy(description))
        embedder = runtime.embedder()
        bound: dict[str, Any] = orjson.loads(row.identity)
        now: dict[str, Any] = _identity(runtime, schema, anonymizer)
        if bound["model"] != now["model"]:
            raise CollectionMismatch(
                "The collection holds vectors of another embedding model; two models never mix.",
                next_step="Open the store with that model, or ingest into a new collection.",
            )
        if bound != now:
            if not accept_new_detector:
                raise CollectionMismatch(
                    "The collection was filled under another detector or other operators.",
                    next_step="Pass accept_new_detector=True, and ingest again what should follow the new one.",
                )
            admission = admit(
                runtime,
                self._scope,
                permission="collection.create",
                action="config",
                collection=row.collection,
            )
            runtime.control.update_identity(
                row.collection,
                expect=row.identity,
                identity=orjson.dumps(now, option=orjson.OPT_SORT_KEYS).decode(),
                schema_sealed=row.schema_sealed,
            )
            admission.note()
        namespace = runtime.names.namespace(self._scope.tenant, row.collection)
        runtime.backend().ensure(
            namespace=namespace,
            spec=CollectionSpec(dimension=row.dimension, filter_keys=_filter_keys(schema)),
        )
        retention = str(row.retention_ms).encode()
        return CollectionScope(
            scope=self._scope,
            collection=row.collection,
            namespace=namespace,
            schema=schema,
            record_class=record,
            anonymizer=anonymizer,
            embedder=CheckedEmbedder(embedder),
            retention_ms=row.retention_ms,
            vault=row.vault,
            classification=str(description["classification"]),
            identity_digest=lp(orjson.dumps(now, option=orjson.OPT_SORT_KEYS), retention),
        )

    def _name(self, row: CollectionRow) -> str:
        raw = bytes.fromhex(row.collection)
        return self._runtime.names.open_text(row.name_sealed, row=raw, kind="collection-name")

    def _description(self, row: CollectionRow) -> dict[str, Any]:
        raw = bytes.fromhex(row.collection)
        opened = self._runtime.names.open(row.schema_sealed, row=raw, kind="collection-description")
        try:
            description: dict[str, Any] = orjson.loads(opened)
            known = description["v"] == 1 and set(description) == {"v", "schema", "operators", "classification"}
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise UnknownFormat("A collection's description cannot be read.") from error
        if not known:
            raise UnknownFormat("A collection's description is of another release.")
        return description

    def _schema(self, row: CollectionRow) -> Schema:
        return Schema.from_json(orjson.dumps(self._description(row)["schema"]))

    def _policy(self, description: Mapping[str, Any]) -> OperatorPolicy:
        return OperatorPolicy.from_mapping(description["operators"])


def _identity(runtime: Runtime, schema: Schema, anonymizer: Anonymizer) -> dict[str, Any]:
    model = runtime.embedder().identity
    return {
        "model": {"name": model.name, "digest": model.digest, "dimension": model.dimension},
        "schema": schema.digest,
        "detector": anonymizer.digest,
        "policy": anonymizer.policy_digest,
    }


def _filter_keys(schema: Schema) -> dict[str, FieldKind]:
    return {PREFIX + spec.name: _kind(spec) for spec in schema.by_kind("filter")}


def _kind(spec: FieldSpec) -> FieldKind:
    if spec.mode == "token":
        return "keyword"
    kinds: dict[str, FieldKind] = {"int": "integer", "datetime": "integer", "date": "integer", "float": "float"}
    return "bool" if spec.type == "bool" else kinds.get(spec.type, "keyword")


def _snake(name: str) -> str:
    return name.translate(_UPPER_AFTER_LOWER).lstrip("_")
