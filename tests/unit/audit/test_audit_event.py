"""No content in the log: every field of an event takes listed words, digests, keyed references and numbers only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast, get_args

import orjson
import pytest

from securevec.audit import ocsf, request_id, vocabulary
from securevec.audit.event import error_name, fold_entities, keyed_ref
from securevec.errors import AuditUnavailable, PolicyDenied, UsageError
from securevec.policy.actor import Actor
from securevec.policy.rules import ROLES, BuiltinPolicy, Request
from tests.unit.audit.logkit import ACTOR, COLLECTION, LOG_ID, TENANT, event

CANARY = "Jane Doe jane@example.com"
LOG_NAME = f"audit/{LOG_ID}/w-01M83N10P23JD2W7ZTKHCBN643"


def record(**changes: Any) -> dict[str, Any]:
    made = ocsf.to_ocsf(event(**changes), sequence=7, time_ms=1_795_406_400_123, log_name=LOG_NAME, version="0.1.0")
    return cast("dict[str, Any]", orjson.loads(ocsf.encode(made)))


class Word(str):
    """Text that may print as something else."""


CONTENT: list[dict[str, Any]] = [
    {"action": CANARY},
    {"phase": CANARY},
    {"outcome": CANARY},
    {"actor": CANARY},
    {"actor": "svc:helpdesk"},
    {"actor": "hmac-sha256:jane:" + "0" * 32},
    {"actor": ""},
    {"request_id": CANARY},
    {"request_id": ""},
    {"tenant": "acme"},
    {"tenant": TENANT.upper()},
    {"tenant": TENANT + "\n"},
    {"collection": "tickets"},
    {"policy": CANARY},
    {"rule": CANARY},
    {"purpose_ref": "support"},
    {"query_ref": "refund never arrived"},
    {"query_ref": "hmac-sha256:k3:" + "0" * 32},
    {"record_refs": ("T-1001",)},
    {"record_refs": [ACTOR]},
    {"record_refs": (ACTOR,) * 1001},
    {"record_refs": (f"{ACTOR}\n{ACTOR}",)},
    {"record_refs": (ACTOR, f"{ACTOR}\n")},
    {"record_refs": (ACTOR, 7)},
    {"record_refs": (ACTOR, Word(ACTOR))},
    {"counts": {CANARY: 1}},
    {"counts": {"hits": CANARY}},
    {"counts": {"hits": -1}},
    {"counts": {"hits": True}},
    {"counts": {"hits": 1.5}},
    {"counts": {"hits": 2**60}},
    {"redactions": {CANARY: 1}},
    {"redactions": {"JANE_DOE": 1}},
    {"detail": {CANARY: 1}},
    {"detail": {"backend": CANARY}},
    {"detail": {"k": CANARY}},
    {"detail": {"k": True}},
    {"detail": {"filtered": 1}},
    {"detail": {"key_id": CANARY}},
    {"detail": {"epoch": "r1/bJane"}},
    {"error": CANARY},
    {"error": "JaneDoeError"},
    {"duration_ms": CANARY},
    {"duration_ms": -1},
    {"job_id": CANARY},
    {"job_id": "job-1"},
]


@pytest.mark.parametrize("change", CONTENT, ids=[f"{number}-{next(iter(c))}" for number, c in enumerate(CONTENT)])
def test_content_does_not_get_into_an_event(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refusal:
        event(**change)
    assert "Jane" not in str(refusal.value)
    assert next(iter(change)) in str(refusal.value)


@pytest.mark.parametrize("name", ["tenant", "actor", "rule", "error", "job_id", "record_refs", "counts", "detail"])
def test_values_of_other_types_are_refused(name: str) -> None:
    for value in (None, 3, b"bytes", {"hits": None}):
        if value is None and name in ("counts", "detail"):
            continue
        with pytest.raises(UsageError):
            event(**{name: value})


def test_a_mapping_changed_later_does_not_change_the_event() -> None:
    counts = {"hits": 1}
    made = event(counts=counts)
    counts[CANARY] = 1
    assert dict(made.counts) == {"hits": 1}
    with pytest.raises(TypeError):
        cast("dict[str, int]", made.counts)[CANARY] = 1


def test_a_keyed_reference_differs_by_key_domain_and_value_and_shows_none() -> None:
    made = keyed_ref(b"k" * 32, TENANT, "record", b"T-1001")
    assert made.startswith(f"hmac-sha256:{TENANT}:")
    others = [
        keyed_ref(b"j" * 32, TENANT, "record", b"T-1001"),
        keyed_ref(b"k" * 32, TENANT, "query", b"T-1001"),
        keyed_ref(b"k" * 32, TENANT, "record", b"T-1002"),
    ]
    assert len({made, *others}) == 4
    # Lengths are part of the message: moving a byte from domain to value is another reference.
    assert keyed_ref(b"k" * 32, TENANT, "ab", b"c") != keyed_ref(b"k" * 32, TENANT, "a", b"bc")


def test_request_ids_sort_by_time_and_do_not_repeat() -> None:
    first = [request_id() for _ in range(1000)]
    time.sleep(0.002)
    assert max(first) < request_id()
    assert len(set(first)) == 1000
    assert all(len(value) == 26 for value in first)


def test_every_rule_and_role_of_the_built_in_policy_can_be_logged() -> None:
    engine = BuiltinPolicy()
    for actor in (Actor.local(), Actor("svc:x")):
        for role in ROLES:
            for permission in ("tenant.create", "search", "ingest", "delete", "reveal", "grant"):
                decision = engine.decide(Request(actor, permission, frozenset({role})))
                event(rule=decision.rule, policy=engine.digest, detail={"role": role, "permission": permission})


def test_unlisted_entities_are_counted_as_other_and_listed_ones_kept() -> None:
    folded = fold_entities({"EMAIL": 2, "JANE_DOE": 1, "X": 4})
    assert folded == {"EMAIL": 2, "OTHER": 5}
    event(redactions=folded)


def test_errors_are_named_by_their_nearest_listed_class() -> None:
    class JaneDoe(PolicyDenied):
        pass

    assert error_name(JaneDoe("x")) == "PolicyDenied"
    assert error_name(AuditUnavailable("x")) == "AuditUnavailable"
    assert error_name(KeyError("x")) == "KeyError"


DATA_ACTIVITY = {
    "search": 4, "count": 4, "get": 1, "exists": 1, "list": 8, "verify": 1, "leakage": 1, "cloak.report": 1,
    "export": 1, "release": 1, "recover": 2, "update": 2, "ingest": 5, "import": 5,
    "delete": 7, "restore": 10,
    "subject.find": 4, "subject.export": 1,
}  # fmt: skip
ENTITY_ACTIVITY = {
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
    "model.rule": (3, "policy"),
    "retention.rule": (3, "retention"),
    "retention.plan": (2, "retention"),
    "retention.apply": (4, "retention"),
    "purge": (3, "collection"),
    "backup.create": (2, "home"),
    "backup.restore": (1, "home"),
    "backup.tombstones": (2, "home"),
}
# Attributes of the two classes in OCSF 1.8.0 that securevec uses, and those the schema requires.
COMMON = {
    "metadata", "category_uid", "class_uid", "activity_id", "type_uid", "severity_id", "time", "status_id", "action_id",
    "disposition_id", "actor", "src_endpoint", "unmapped", "duration", "policy",
}  # fmt: skip
REQUIRED = {"metadata", "category_uid", "class_uid", "activity_id", "type_uid", "severity_id", "time"}


@pytest.mark.parametrize("action", DATA_ACTIVITY)
def test_data_actions_are_datastore_activity(action: str) -> None:
    made = record(action=action)
    assert (made["category_uid"], made["class_uid"], made["activity_id"]) == (6, 6005, DATA_ACTIVITY[action])
    assert made["type_uid"] == 600500 + DATA_ACTIVITY[action]
    assert set(made) <= COMMON | {"type_id", "database", "query_info"}
    assert set(made) >= REQUIRED | {"actor", "src_endpoint", "database"}
    assert made["database"] == {"type_id": 7, "uid": COLLECTION}
    assert made["query_info"]["query_string"].startswith("hmac-sha256:")


@pytest.mark.parametrize("action", ENTITY_ACTIVITY)
def test_administrative_actions_are_entity_management(action: str) -> None:
    made = record(action=action, query_ref="")
    activity, kind = ENTITY_ACTIVITY[action]
    assert (made["category_uid"], made["class_uid"], made["activity_id"]) == (3, 3004, activity)
    assert made["type_uid"] == 300400 + activity
    assert set(made) <= COMMON | {"entity"}
    assert set(made) >= REQUIRED | {"actor", "entity"}
    assert made["entity"]["type"] == kind


def test_every_action_is_mapped() -> None:
    mapped = set(DATA_ACTIVITY) | set(ENTITY_ACTIVITY)
    assert mapped == set(get_args(vocabulary.Action))
    assert set(DATA_ACTIVITY) == vocabulary.DATA
    assert mapped > vocabulary.SEALING


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("allowed", (1, 1, 1)), ("denied", (2, 2, 2)), ("failed", (2, 2, 27)), ("recovered", (1, 1, 1))],
)
def test_outcomes_are_mapped(outcome: str, expected: tuple[int, int, int]) -> None:
    made = record(outcome=outcome, redactions={})
    assert (made["status_id"], made["action_id"], made["disposition_id"]) == expected


def test_an_allowed_answer_with_replacements_is_corrected_and_an_intent_has_no_status() -> None:
    assert record()["disposition_id"] == 11
    assert record(phase="intent")["status_id"] == 0


def test_the_line_is_sorted_json_and_own_fields_are_only_under_unmapped() -> None:
    made = ocsf.to_ocsf(
        event(job_id="ab" * 16, error="PolicyDenied", record_refs=(ACTOR,), purpose_ref=ACTOR),
        sequence=7, time_ms=1_795_406_400_123, log_name=LOG_NAME, version="0.1.0", prev="0" * 16,
    )  # fmt: skip
    line = ocsf.encode(made)
    assert line == orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS)
    assert b"\n" not in line
    read = orjson.loads(line)
    assert read["metadata"]["sequence"] == 7
    assert read["metadata"]["correlation_uid"] == "ab" * 16
    assert read["metadata"]["log_name"] == LOG_NAME
    assert set(read["unmapped"]) == {"securevec"}
    assert set(read["unmapped"]["securevec"]) == {
        "schema", "phase", "outcome", "prev", "request_id", "collection", "purpose", "records", "counts", "redactions",
        "detail", "error", "job_id",
    }  # fmt: skip


def test_a_summary_names_what_a_table_needs_and_survives_a_foreign_record() -> None:
    row = ocsf.summarize(record())
    assert row["action"] == "search"
    assert row["time"] == "2026-11-23T04:00:00.123+00:00"
    assert row["counts"] == "5 hits, 0 violations"
    assert row["actor"] == ACTOR
    foreign: Mapping[str, object] = {"metadata": 3, "time": "x"}
    assert ocsf.summarize(foreign)["action"] == ""
