"""A process that lives through a part of a history and may be killed in it; the nursery of ``crash_child`` forks it.

    order     {"home", "key_file", "backend", "journal", "ahead_days", "ops", "trap", "armed"}
    journal   JSON lines: {"begin": n}, {"done": n, "said": ..., "seen": {...}}, {"state": {...}} at birth and at death

An operation is named by ``op``; :mod:`tests.support.histories` makes them and knows what each must do.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import securevec as sv
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.errors import RecordNotFound, SecurevecError
from securevec.keys.keystore import KeyStore
from securevec.people.identify import subject_tokens
from securevec.points.body_format import decode_body
from securevec.reading.opening import open_envelope
from securevec.removing.points import ids_of
from securevec.retention.rules import DAY_MS
from securevec.store.opening import AuditDoor
from securevec.testing.embedders import HashEmbedder
from securevec_chroma.persistent import ChromaPersistentBackend
from securevec_qdrant.edge import EdgeBackend
from tests.support.crash_child import nursery
from tests.support.dying import die_at
from tests.support.world import Ticket, ticket

ACTOR: Final = sv.Actor("svc:historian")
TENANT: Final = "aging-desk"
RECORDS: Final = 6
PEOPLE: Final = 4
DAYS: Final = 30
"""The collection's own retention; a key bucket is then three days."""
FENCE_DAYS: Final = 9

ENGINES: Final = {"edge": EdgeBackend, "chroma": ChromaPersistentBackend}
METHODS: Final[dict[str, type]] = {
    "begin_batch": ControlStore,
    "commit_batch": ControlStore,
    "finish_batch": ControlStore,
    "begin_delete": ControlStore,
    "begin_retention": ControlStore,
    "begin_job": ControlStore,
    "advance_job": ControlStore,
    "finish_job": ControlStore,
    "add_hold": ControlStore,
    "release_hold": ControlStore,
    "outbox_done": ControlStore,
    "bury": KeyStore,
    "vacuum": KeyStore,
    "record": AuditDoor,
}
ENGINE_METHODS: Final = ("insert", "delete", "fetch", "purge")


def customer(number: int) -> str:
    return f"customer{number}@example.com"


def row(number: int, version: int, about: int, mentions: list[int]) -> dict[str, Any]:
    body = " ".join([f"Text v{version} of t{number}.", *(f"Answer to {customer(each)}." for each in mentions)])
    return ticket(number, body, customer=customer(about), notes=f"v{version}")


def open_store(order: dict[str, Any], ahead: list[int]) -> sv.SecureStore:
    return sv.SecureStore.open(
        order["home"],
        backend=order["backend"],
        key_file=order["key_file"],
        embedder=HashEmbedder(max_tokens=32),
        clock=Clock(lambda: time.time_ns() // 1_000_000 + ahead[0] * DAY_MS),
    )


def collection_of(store: sv.SecureStore, *, create: bool = False) -> sv.Collection[Ticket]:
    return store.tenant(TENANT, actor=ACTOR, create=create).collection(Ticket, retention=f"{DAYS}d", cloak="rotate")


class Life:
    """An open store and what is done with it."""

    def __init__(self, store: sv.SecureStore, ahead: list[int]) -> None:
        self.store = store
        self.ahead = ahead
        self.collection = collection_of(store)
        self.tenant = store.tenant(TENANT, actor=ACTOR)

    def do(self, op: dict[str, Any]) -> Any:
        """What the operation said: counts, or the class of its refusal."""
        try:
            return getattr(self, op["op"])(op)
        except SecurevecError as error:
            return type(error).__name__

    def ingest(self, op: dict[str, Any]) -> Any:
        report = self.collection.ingest([row(*each) for each in op["rows"]])
        return [report.new, report.updated, len(report.refused)]

    def update(self, op: dict[str, Any]) -> Any:
        return bool(self.collection.update(f"T-{op['id']}", notes=f"v{op['version']}").changed)

    def delete(self, op: dict[str, Any]) -> Any:
        return self.collection.delete([f"T-{number}" for number in op["ids"]]).deleted

    def hold(self, op: dict[str, Any]) -> Any:
        kind, number = op["scope"]
        reason = f"case {op['n']}"
        if kind == "subject":
            self.tenant.hold(reason, subject=customer(number))
        elif kind == "tenant":
            self.tenant.hold(reason)
        else:
            self.tenant.hold(reason, collection="ticket", record=f"T-{number}" if kind == "record" else None)
        return True

    def release(self, op: dict[str, Any]) -> Any:
        hold_id = self.standing().get(op["n"])
        if hold_id is None:
            return "it never stood"
        self.store.tenant(TENANT).release(hold_id)
        return True

    def wait(self, op: dict[str, Any]) -> Any:
        self.ahead[0] += op["days"]
        return True

    def rule(self, op: dict[str, Any]) -> Any:
        self.store.set_retention(tenant=TENANT, max_age=f"{op['days']}d", replace=True)
        return True

    def retain(self, op: dict[str, Any]) -> Any:
        results = self.store.apply_retention(self.store.retention_plan().digest)
        return [result.state for result in results]

    def erase(self, op: dict[str, Any]) -> Any:
        return self.tenant.erase_subject(customer(op["subject"]), until=f"{FENCE_DAYS}d").state

    def sweep(self, op: dict[str, Any]) -> Any:
        return self.collection.delete(where=sv.F("status") == ("open" if op["odd"] else "closed")).deleted

    def hand_out(self, op: dict[str, Any]) -> Any:
        """How many records an export of the collection, and one of what is stored about a person, hold."""
        written = io.BytesIO()
        self.collection.export(written)
        about = self.store.tenant(TENANT).export_subject(customer(op["subject"]))
        return [len(written.getvalue().splitlines()), len(about)]

    def exchange(self, op: dict[str, Any]) -> Any:
        what, store = op["what"], self.store
        if what == "purge":
            self.tenant.purge()
        elif what in ("rotate_root_key", "rotate_signing_key"):
            getattr(store, what)()
        elif what in ("renew_tokens", "renew_surrogates", "rotate_tenant_keys"):
            getattr(store, what)(TENANT)
        else:
            getattr(store, what)(TENANT, "ticket")
        return True

    def standing(self) -> dict[int, str]:
        """Number to id of the standing holds."""
        return {
            int(self.tenant.hold_reason(hold.id).removeprefix("case ")): hold.id
            for hold in self.tenant.holds()
            if hold.standing
        }

    def seen(self) -> dict[str, Any]:
        """What a reader sees: how many, and which versions a search finds."""
        found = {hit.record.id: hit.record.notes for hit in self.collection.search("text answer", k=100)}
        return {"count": self.collection.count(), "search": found}

    def state(self) -> dict[str, Any]:
        """All there is: what readers see by every way, and what lies below them."""
        runtime, scope = self.store.runtime, self.collection._scope
        got: dict[str, str | None] = {}
        for number in range(RECORDS):
            try:
                got[f"T-{number}"] = self.collection.get(f"T-{number}").notes
            except RecordNotFound:
                got[f"T-{number}"] = None
        manifest: dict[str, Any] = {}
        for due in runtime.control.states(scope.collection, self._refs()).values():
            for each in due:
                manifest |= self._opened(each)
        keys = {key.epoch for key in runtime.keys.list_keys() if key.kind == "dek"}
        return self.seen() | {
            "iter": {record.id: record.notes for record in self.collection.iter()},
            "get": {name: notes for name, notes in got.items() if notes is not None},
            "manifest": manifest,
            "engine": runtime.backend().count(namespace=scope.namespace),
            "chunks": runtime.control.count_live(scope.collection, now_ms=0)[1],
            "open": len(runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=False)),
            "jobs": sorted({job.state for job in runtime.control.jobs()}),
            "holds": sorted(self.standing()),
            "fenced": [number for number in range(PEOPLE) if self._fenced(number)],
            "rules": [rule.max_age_ms // DAY_MS for rule in runtime.control.retention_rules() if rule.max_age_ms],
            "keyless": sorted(set(runtime.control.epochs_in_use(scope.collection)) - keys),
        }

    def _fenced(self, number: int) -> bool:
        runtime, tenant = self.store.runtime, self.collection._scope.tenant
        stones = runtime.control.tombstones_among(tenant, subject_tokens(runtime, tenant, [customer(number)]))
        return any(until_ms > runtime.clock.now_ms() for _, until_ms in stones.values())

    def _refs(self) -> list[bytes]:
        scope = self.collection._scope
        return [scope.record_ref(self.store.runtime, f"T-{number}") for number in range(RECORDS)]

    def _opened(self, each: Any) -> dict[str, Any]:
        """The record of a manifest row as it lies in the engine, due or not: id to version, mentions and chunks."""
        runtime, scope = self.store.runtime, self.collection._scope
        ids = ids_of(runtime, scope.tenant, scope.collection, [each])
        points = runtime.backend().fetch(namespace=scope.namespace, ids=ids)
        bodies = [
            decode_body(open_envelope(runtime.keys, scope, point, payload_key="b", path="body")) for point in points
        ]
        first = next(body for body in bodies if body.chunk == 0)
        notes = (first.fields or {})["notes"]
        return {str(first.record_id): [notes, len(first.mentions), len(points) == each.n_chunks]}


def live(order: dict[str, Any], say: Callable[[str], None]) -> None:
    ahead = [int(order["ahead_days"])]
    trap = order["trap"]
    engine = ENGINES[order["backend"]]
    if trap and order["armed"] == "opening":
        die_at(METHODS.get(trap[0], engine), *trap)
    with open_store(order, ahead) as store:
        life = Life(store, ahead)
        store.run_jobs()
        say(json.dumps({"state": life.state()}))
        if trap and order["armed"] == "working":
            die_at(METHODS.get(trap[0], engine), *trap)
        for number, op in enumerate(order["ops"]):
            say(json.dumps({"begin": number}))
            said = life.do(op)
            say(json.dumps({"done": number, "said": said, "seen": life.seen()}))
        say(json.dumps({"state": life.state()}))


if __name__ == "__main__":
    # Before any fork: Chroma's own client imports it at its first opening, and takes half of a short life over it.
    import_module("chromadb.api.rust")
    nursery(live)
