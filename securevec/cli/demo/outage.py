"""Step 5, third part: what is suspended, due or deleted is not answered, and what fails denies."""

from __future__ import annotations

import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from securevec.cli.demo.scene import House, Scene
from securevec.cli.demo.stage import Breach, Tried
from securevec.cli.records import load_record
from securevec.errors import AuditUnavailable, KeyRejected, PolicyDenied, RecordNotFound, TenantUnavailable

if TYPE_CHECKING:
    from securevec.policy import Decision, Request


def visibility(scene: Scene) -> list[Tried]:
    """Fence, expiry and deletion, each looked at by the next read."""
    stage, ours = scene.stage, scene.northgate
    return [
        stage.attempt(
            "P6", "search through an open handle while suspended", lambda: _suspended(scene), TenantUnavailable
        ),
        stage.attempt("P6", "search again after resume", lambda: f"{len(ours.tickets.search('crown', k=3))} hits"),
        stage.attempt("P6", "read a record once its second of retention is over", lambda: _expired(scene)),
        stage.attempt("P6", "get a record right after its deletion", lambda: _deleted(ours), RecordNotFound),
    ]


def failures(scene: Scene) -> list[Tried]:
    """Faults injected at the seams: the disk under the audit log, the policy engine, the root key."""
    stage, ours = scene.stage, scene.northgate
    return [
        stage.attempt(
            "P7", "search while the audit log cannot grow (disk full)", lambda: _disk_full(scene), AuditUnavailable
        ),
        stage.attempt(
            "P7", "search again with room on the disk", lambda: f"{len(ours.tickets.search('crown', k=3))} hits"
        ),
        stage.attempt("P8", "search while the policy engine fails", lambda: _broken_policy(scene), PolicyDenied),
        stage.attempt("P8", "open the home with another root key", lambda: _other_key(scene), KeyRejected),
    ]


def _suspended(scene: Scene) -> str:
    scene.store.suspend_tenant(scene.northgate.name)
    try:
        return f"{len(scene.northgate.tickets.search('crown'))} hits"
    finally:
        scene.store.resume_tenant(scene.northgate.name)


def _expired(scene: Scene) -> str:
    """A collection of its own, kept for one second."""
    record = load_record(scene.corpus.schema)
    notices = scene.northgate.tenant.collection(record, name="notices", retention="1s")
    notices.ingest(
        [
            {
                "id": f"notice-{number}",
                "customer": "Nobody",
                "body": "The desk is closed on Friday.",
                "status": "open",
                "opened": "2026-01-01T00:00:00Z",
            }
            for number in range(3)
        ]
    )
    before = time.monotonic()
    stored = notices.count()
    while notices.count() and time.monotonic() - before < 3:
        time.sleep(0.05)
    hits, left = len(notices.search("closed on Friday", k=3)), notices.count()
    if hits or left:
        raise Breach(f"{hits} hits and {left} records after expiry")
    return f"{stored} records before, 0 hits and 0 records after"


def _deleted(house: House) -> str:
    record_id = max(house.ids)
    house.tickets.get(record_id)
    house.tickets.delete(record_id)
    return repr(house.tickets.get(record_id))


def _disk_full(scene: Scene) -> str:
    with _no_growth(scene.places.home / "audit"):
        return f"{len(scene.northgate.tickets.search('crown', k=3))} hits without a record"


@contextmanager
def _no_growth(directory: Path) -> Generator[None]:
    """No file of this process may grow beyond the largest one here: a write to the log fails as on a full disk."""
    largest = max(path.stat().st_size for path in directory.rglob("*.jsonl"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class _BrokenPolicy:
    """A policy engine whose decision point does not answer."""

    digest = "0" * 32

    def decide(self, request: Request) -> Decision:
        raise ConnectionError("no answer")


def _broken_policy(scene: Scene) -> str:
    runtime = scene.store.runtime
    working = runtime.policy
    runtime.policy = _BrokenPolicy()
    try:
        return f"{len(scene.northgate.tickets.search('crown', k=3))} hits"
    finally:
        runtime.policy = working


def _other_key(scene: Scene) -> str:
    from securevec.keyproviders.file import FileRoot
    from securevec.store import SecureStore

    other = scene.places.scratch / "other.key"
    FileRoot.create(other, scene.places.home)
    with SecureStore.open(scene.places.home, key_file=other, create=False):
        return "opened"
