"""A process that does one piece of work on a home and dies in the middle of it.

Run as a program it is a nursery: it imports everything once, and forks a child per order, so that hundreds of children
cost little. No store is ever open in the nursery itself.

    order on stdin     {"work", "home", "key_file", "journal", "tenant", "first", "turns", "trap", "armed",
                        "ahead_days"}
    answer on stdout   {"pid": int}; after a line on stdin {"exit": int} (negative: killed by that signal)

The child is reaped after that line only, so whoever kills it by its id before never hits a stranger.

A child acknowledges in the journal, a line at a time; what was written there survives it. A trap is
``[point, side, nth]``: the child kills itself with SIGKILL right before or after the n-th call of that function,
counted from the opening of the home (``armed: "opening"``) or from the beginning of the work (``"working"``).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import securevec as sv
from securevec.anonymize import default_detector
from securevec.audit import AuditWriter
from securevec.clock import Clock
from securevec.control.store import ControlStore
from securevec.discovery import known_backends
from securevec.ingest import ingest
from securevec.jobs import JobResult
from securevec.keys.keyring import KeyRing
from securevec.keys.keystore import KeyStore
from securevec.retention.rules import DAY_MS
from securevec.store.opening import AuditDoor
from securevec.testing.embedders import HashEmbedder
from securevec_qdrant.edge import EdgeBackend
from tests.support.dying import die_at
from tests.support.world import Ticket, ticket

RECORDS: Final = 8
BATCH: Final = 3
"""Records under one intent: an ingest of eight is three batches, each of them whole or not at all."""

UPDATED: Final = 3
"""The record that an update changes, so many chunks at each edition."""

ACTOR: Final = sv.Actor("svc:crash-desk", purpose="support")
PERSON: Final = "jane.doe@example.com"

POINTS: Final[dict[str, tuple[type, str]]] = {
    "begin batch": (ControlStore, "begin_batch"),
    "add tokens": (ControlStore, "add_tokens"),
    "commit batch": (ControlStore, "commit_batch"),
    "begin delete": (ControlStore, "begin_delete"),
    "settle batch": (ControlStore, "settle"),
    "finish batch": (ControlStore, "finish_batch"),
    "audit": (AuditDoor, "record"),
    "answer": (AuditWriter, "record"),
    "insert": (EdgeBackend, "insert"),
    "fetch": (EdgeBackend, "fetch"),
    "delete": (EdgeBackend, "delete"),
    "drop": (EdgeBackend, "drop"),
    "purge": (EdgeBackend, "purge"),
    "begin job": (ControlStore, "begin_job"),
    "finish job": (ControlStore, "finish_job"),
    "forget tokens": (ControlStore, "forget_tokens"),
    "begin deletion": (ControlStore, "begin_tenant_deletion"),
    "lease job": (ControlStore, "lease_job"),
    "advance job": (ControlStore, "advance_job"),
    "finish deletion": (ControlStore, "finish_tenant_deletion"),
    "scrub": (ControlStore, "scrub"),
    "begin retention": (ControlStore, "begin_retention"),
    "roll": (KeyRing, "roll"),
    "begin rotation": (KeyRing, "begin_filter_rotation"),
    "begin pseudonym": (KeyRing, "begin_pseudonym_version"),
    "refuse begun": (ControlStore, "refuse_begun"),
    "say parts": (ControlStore, "say_parts"),
    "end pseudonyms": (KeyRing, "end_pseudonym_versions"),
    "restate parts": (ControlStore, "restate_parts"),
    "begin cloak": (KeyRing, "begin_cloak_rotation"),
    "end cloak": (KeyRing, "end_cloak_rotation"),
    "update identity": (ControlStore, "update_identity"),
    "begin version": (KeyRing, "begin_token_version"),
    "lift tokens": (ControlStore, "lift_tokens"),
    "drop names": (KeyRing, "drop_named_before"),
    "end rotation": (KeyRing, "end_filter_rotation"),
    "destroy deks": (KeyRing, "destroy_deks"),
    "destroy epoch": (KeyRing, "destroy_epoch"),
    "outbox done": (ControlStore, "outbox_done"),
    "destroy keys": (KeyRing, "destroy_tenant"),
    "bury keys": (KeyStore, "bury"),
    "document keys": (KeyRing, "document_keys"),
    "vacuum keys": (KeyStore, "vacuum"),
    "clear pending": (KeyStore, "clear_pending"),
}

REWRITING: Final[dict[str, Callable[[sv.SecureStore, str], JobResult]]] = {
    "seal anew": lambda store, tenant: store.reseal(tenant, "ticket"),
    "index anew": lambda store, tenant: store.reindex(tenant, "words"),
    "cloak anew": lambda store, tenant: store.recloak(tenant, "cloaked"),
    "renew tokens": lambda store, tenant: store.renew_tokens(tenant),
    "renew surrogates": lambda store, tenant: store.renew_surrogates(tenant),
}
"""The jobs that write what a tenant has stored anew, in one collection or in all."""


def open_home(home: str | Path, key_file: str | Path, *, ahead_days: int = 0) -> sv.SecureStore:
    """``ahead_days``: on a clock so far ahead of the machine's."""
    clock = Clock(lambda: time.time_ns() // 1_000_000 + ahead_days * DAY_MS)
    return sv.SecureStore.open(home, key_file=key_file, embedder=HashEmbedder(max_tokens=32), clock=clock)


def open_collection(store: sv.SecureStore, tenant: str, *, create: bool = False) -> sv.Collection[Ticket]:
    return store.tenant(tenant, create=create, actor=ACTOR).collection(Ticket, retention="180d")


def open_words(store: sv.SecureStore, tenant: str, *, create: bool = False) -> sv.Collection[Ticket]:
    """A collection whose words the store knows by keyed numbers."""
    return store.tenant(tenant, create=create, actor=ACTOR).collection(Ticket, name="words", hybrid=True)


def open_cloaked(store: sv.SecureStore, tenant: str, *, create: bool = False) -> sv.Collection[Ticket]:
    """A collection whose vectors lie under a cloak with noise."""
    made = store.tenant(tenant, create=create, actor=ACTOR)
    return made.collection(Ticket, name="cloaked", cloak=sv.Cloak(noise=2.0))


def body_of(number: int, edition: int) -> str:
    """The text of one record in one edition: more or fewer chunks each time, an address in it, the edition in each
    sentence."""
    sentences = [
        f"Edition e{edition} of ticket t{number} says in part {part} that the lift was late again this week."
        for part in range(1 + (3 * edition + number) % 6)
    ]
    return " ".join([*sentences, f"Edition e{edition} can be answered to customer{number}@example.com today."])


def edition(number: int) -> list[dict[str, Any]]:
    """All records in one edition."""
    return [ticket(record, body_of(record, number), notes=f"Notes of e{number}.") for record in range(RECORDS)]


def do(order: dict[str, Any], say: Callable[[str], None]) -> None:
    """The work of one order, killed where its trap says."""
    trap = order.get("trap")
    if trap and order["armed"] == "opening":
        set_trap(*trap)
    with open_home(order["home"], order["key_file"], ahead_days=order["ahead_days"]) as store:
        if order["work"] == "delete tenant":
            if trap and order["armed"] == "working":
                # Opened first: the trap counts the calls of the deletion, not those of the opening.
                store.runtime.backend()
                set_trap(*trap)
            say("begin")
            say(f"done {store.delete_tenant(order['tenant']).state}")
            return
        if order["work"] == "apply retention":
            plan = store.retention_plan(tenant=order["tenant"])
            store.runtime.backend()
            if trap and order["armed"] == "working":
                set_trap(*trap)
            say("begin")
            say(f"done {' '.join(result.state for result in store.apply_retention(plan.digest))}")
            return
        if order["work"] in REWRITING:
            store.runtime.backend()
            if trap and order["armed"] == "working":
                set_trap(*trap)
            say("begin")
            say(f"done {REWRITING[order['work']](store, order['tenant']).state}")
            return
        collection = open_collection(store, order["tenant"])
        if trap and order["armed"] == "working":
            set_trap(*trap)
        if order["work"] == "erase subject":
            say("begin")
            say(f"done {store.tenant(order['tenant'], actor=ACTOR).erase_subject(PERSON).state}")
        if order["work"] == "ingest":
            for number in range(order["first"], order["first"] + order["turns"]):
                say(f"begin {number}")
                report = ingest(store.runtime, collection._scope, edition(number), batch=BATCH)
                say(f"done {number} {report.new + report.updated}")
        elif order["work"] == "update":
            say(f"begin {order['first']}")
            changed = edition(order["first"])[UPDATED]
            updated = collection.update(f"T-{UPDATED}", body=changed["body"], notes=changed["notes"])
            say(f"done {order['first']} {len(updated.changed)}")
        elif order["work"] == "delete records":
            say("begin")
            say(f"done {collection.delete([f'T-{number}' for number in range(RECORDS)]).deleted}")
        elif order["work"] == "search":
            say(f"hits {len(collection.search('lift', k=3))}")


def set_trap(point: str, side: str, nth: int) -> None:
    die_at(*POINTS[point], side, nth)


def warm_up() -> None:
    """Do once, before any fork, what each child would do anew: compile the rules and run them, and read what the
    installed distributions register."""
    default_detector().detect(f"Please answer to {PERSON} or call 020 7946 0958.")
    known_backends()


def nursery(work: Callable[[dict[str, Any], Callable[[str], None]], None] = do) -> None:
    """Fork a child per order, which does ``work``."""
    warm_up()
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            _live(json.loads(line), work)
        _answer({"pid": child})
        sys.stdin.readline()
        _answer({"exit": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})


def _live(order: dict[str, Any], work: Callable[[dict[str, Any], Callable[[str], None]], None]) -> None:
    journal = os.open(order["journal"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def say(line: str) -> None:
        os.write(journal, f"{line}\n".encode())

    code = 1
    try:
        work(order, say)
        code = 0
    except BaseException as error:  # noqa: BLE001  # a forked child must not run on into the nursery's loop
        say(f"error {type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _answer(document: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    nursery()
