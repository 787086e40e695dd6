"""An event as a line of the log: OCSF 1.8.0, class 6005 Datastore Activity for data, 3004 Entity Management for
tenants, keys, policy and jobs. Own fields live only under ``unmapped.securevec``.

``metadata.sequence`` is the record's index in its writer and ``unmapped.securevec.prev`` the first 16 hex digits of
the leaf hash of the line before it. Neither is what protects the log (the signed tree is); they say *which* line is
wrong when a tree does not match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import orjson

from securevec.audit.event import Event
from securevec.audit.vocabulary import DATA
from securevec.clock import from_ms

SCHEMA: Final = "1.8.0"
_PROFILES: Final = ("security_control",)

# Action: (activity_id, what is managed). 6005: 1 read, 2 update, 4 query, 5 write, 7 delete, 8 list, 10 decrypt.
# 3004: 1 create, 2 read, 3 update, 4 delete, 12 suspend, 13 resume.
_ACTIVITY: Final[Mapping[str, tuple[int, str]]] = {
    "search": (4, ""),
    "count": (4, ""),
    "get": (1, ""),
    "exists": (1, ""),
    "list": (8, ""),
    "verify": (1, ""),
    "leakage": (1, ""),
    "cloak.report": (1, ""),
    "export": (1, ""),
    "release": (1, ""),
    "recover": (2, ""),
    "update": (2, ""),
    "ingest": (5, ""),
    "import": (5, ""),
    "delete": (7, ""),
    "restore": (10, ""),
    "subject.find": (4, ""),
    "subject.export": (1, ""),
    "subject.erase": (4, "subject"),
    "tenant.open": (2, "tenant"),
    "tenant.create": (1, "tenant"),
    "tenant.suspend": (12, "tenant"),
    "tenant.resume": (13, "tenant"),
    "tenant.delete": (4, "tenant"),
    "tenant.quota": (3, "tenant"),
    "tenant.promote": (3, "tenant"),
    "collection.open": (2, "collection"),
    "collection.create": (1, "collection"),
    "describe": (2, "collection"),
    "grant": (3, "policy"),
    "key.create": (1, "key"),
    "key.destroy": (4, "key"),
    "key.rotate": (3, "key"),
    "key.reseal": (3, "key"),
    "key.reindex": (3, "key"),
    "key.recloak": (3, "key"),
    "key.renew": (3, "key"),
    "key.resurrogate": (3, "key"),
    "job.advance": (3, "job"),
    "config": (3, "configuration"),
    "hold": (1, "hold"),
    "hold.release": (4, "hold"),
    "retention.rule": (3, "retention"),
    "retention.plan": (2, "retention"),
    "retention.apply": (4, "retention"),
    "model.rule": (3, "policy"),
    "purge": (3, "collection"),
    "backup.create": (2, "home"),
    "backup.restore": (1, "home"),
    "backup.tombstones": (2, "home"),
}
# Outcome: (status_id, action_id, disposition_id, severity_id). Disposition 27 is Error.
_OUTCOME: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "allowed": (1, 1, 1, 1),
    "denied": (2, 2, 2, 3),
    "failed": (2, 2, 27, 3),
    "recovered": (1, 1, 1, 2),
}
_CORRECTED: Final = 11
"""Disposition of an allowed operation from whose text something was replaced."""


def to_ocsf(
    event: Event, *, sequence: int, time_ms: int, log_name: str, version: str, prev: str = ""
) -> dict[str, object]:
    """The record of ``event``.

    ``sequence`` counts from 0 within a writer, ``time_ms`` is UTC milliseconds, ``log_name`` is
    ``audit/<log id>/<writer id>`` and ``version`` that of securevec.
    """
    activity, entity = _ACTIVITY[event.action]
    status, action, disposition, severity = _OUTCOME[event.outcome]
    if event.redactions and event.outcome == "allowed":
        disposition = _CORRECTED
    own: dict[str, object] = {"schema": 1, "phase": event.phase, "outcome": event.outcome, "prev": prev}
    _add(own, event)
    metadata: dict[str, object] = {
        "version": SCHEMA,
        "uid": f"{log_name[-28:]}/{sequence}",
        "event_code": event.action,
        "product": {"name": "securevec", "vendor_name": "securevec", "version": version},
        "profiles": _PROFILES,
        "sequence": sequence,
        "log_name": log_name,
        "correlation_uid": event.job_id or event.request_id,
    }
    if event.tenant:
        metadata["tenant_uid"] = event.tenant
    data = event.action in DATA
    class_uid = 6005 if data else 3004
    record: dict[str, object] = {
        "metadata": metadata,
        "category_uid": 6 if data else 3,
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "severity_id": severity,
        "time": time_ms,
        # An intent has no status yet: 0 is Unknown.
        "status_id": 0 if event.phase == "intent" else status,
        "action_id": action,
        "disposition_id": disposition,
        "actor": {"user": {"uid": event.actor}},
        "src_endpoint": {"svc_name": "securevec"},
        "unmapped": {"securevec": own},
    }
    place = event.collection or event.tenant or "installation"
    if data:
        record["type_id"] = 1
        record["database"] = {"type_id": 7, "uid": place}
        if event.query_ref:
            record["query_info"] = {"query_string": event.query_ref}
    else:
        record["entity"] = {"type": entity, "uid": event.job_id if entity == "job" and event.job_id else place}
    if event.duration_ms:
        record["duration"] = event.duration_ms
    if event.rule or event.policy:
        policy: dict[str, object] = {"uid": event.rule or event.policy, "is_applied": True}
        if event.policy:
            policy["version"] = event.policy
        record["policy"] = policy
    return record


def _add(own: dict[str, object], event: Event) -> None:
    """The optional own fields; what is empty is left out."""
    own["request_id"] = event.request_id
    if event.collection:
        own["collection"] = event.collection
    if event.purpose_ref:
        own["purpose"] = event.purpose_ref
    if event.record_refs:
        # Of the record's own tenant only the digits are written: what stands before them stands at `tenant_uid`.
        own["records"] = [ref.removeprefix(f"hmac-sha256:{event.tenant}:") for ref in event.record_refs]
    if event.counts:
        own["counts"] = dict(event.counts)
    if event.redactions:
        own["redactions"] = dict(event.redactions)
    if event.detail:
        own["detail"] = dict(event.detail)
    if event.error:
        own["error"] = event.error
    if event.job_id:
        own["job_id"] = event.job_id


def encode(record: Mapping[str, object]) -> bytes:
    """The line of a record, without its newline: UTF-8 JSON, keys sorted, no space."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def summarize(record: Mapping[str, object]) -> dict[str, str]:
    """One row for a table: time, action, phase, outcome, actor, tenant, counts, request. Missing parts are empty."""
    metadata = _part(record, "metadata")
    own = _part(_part(record, "unmapped"), "securevec")
    moment = record.get("time")
    actor = _part(_part(record, "actor"), "user").get("uid", "")
    counts = ", ".join(f"{number} {name}" for name, number in sorted(_part(own, "counts").items()))
    return {
        "time": from_ms(moment).isoformat(timespec="milliseconds") if isinstance(moment, int) else "",
        "action": str(metadata.get("event_code", "")),
        "phase": str(own.get("phase", "")),
        "outcome": str(own.get("outcome", "")),
        "actor": str(actor),
        "tenant": str(metadata.get("tenant_uid", "")),
        "counts": counts,
        "request": str(own.get("request_id", "")),
    }


def _part(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = record.get(name)
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
