"""Helpers of the audit tests: a real signing key, valid events, a log on disk, and its raw files."""

from __future__ import annotations

import hashlib
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from securevec.audit import AuditReport, AuditWriter, Event, Head, keyed_ref, request_id, verify_log
from securevec.clock import Clock
from securevec.crypto.secret import Secret
from securevec.crypto.sign import SigningKey

LOG_ID = "ab" * 16
TENANT = "cd" * 16
COLLECTION = "ef" * 16
ACTOR = keyed_ref(b"k" * 32, "actors", "actor", b"svc:test")


def signing_key(seed: str = "test") -> SigningKey:
    return SigningKey(Secret(hashlib.sha256(seed.encode()).digest()))


def event(**changes: Any) -> Event:
    """A search as the read journey logs it."""
    fields: dict[str, Any] = {
        "action": "search",
        "phase": "single",
        "outcome": "allowed",
        "actor": ACTOR,
        "request_id": request_id(),
        "tenant": TENANT,
        "collection": COLLECTION,
        "policy": "12" * 16,
        "rule": "role-reader",
        "query_ref": keyed_ref(b"t" * 32, TENANT, "query", b"refund"),
        "counts": {"hits": 5, "violations": 0},
        "redactions": {"EMAIL": 1},
        "detail": {"k": 5, "backend": "memory"},
        "duration_ms": 3,
    }
    return Event(**{**fields, **changes})


@dataclass
class Log:
    """A log under ``directory`` and the anchor its head callback was last given."""

    directory: Path
    key: SigningKey = field(default_factory=signing_key)
    heads: list[Head] = field(default_factory=list[Head])

    def open(self, clock: Clock | None = None) -> AuditWriter:
        return AuditWriter.open(
            self.directory,
            log_id=LOG_ID,
            signing_key=self.key,
            clock=clock or Clock(),
            on_head=lambda size, root, note: self.heads.append(Head(size, root, note)),
            anchor=self.anchor,
        )

    @property
    def anchor(self) -> Head | None:
        return self.heads[-1] if self.heads else None

    def verify(self, *, anchored: bool = True, key: SigningKey | None = None) -> AuditReport:
        anchor = self.anchor if anchored else None
        return verify_log(self.directory, log_id=LOG_ID, public_key=(key or self.key).public, anchor=anchor)

    @property
    def root(self) -> Path:
        return self.directory / LOG_ID

    def writers(self) -> list[Path]:
        return sorted(self.root.glob("w-*"))

    def lines(self, writer: Path | None = None) -> list[bytes]:
        path = writer or self.writers()[0]
        return b"".join(segment.read_bytes() for segment in sorted(path.glob("seg-*"))).splitlines(keepends=True)


class Time:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.ms = 1_795_406_400_000
        self.clock = Clock(lambda: self.ms)


def requests_of(lines: list[bytes]) -> list[str]:
    return [orjson.loads(line)["unmapped"]["securevec"]["request_id"] for line in lines]


def in_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked child; its exit code is 0 when it returned."""
    child = os.fork()
    if child == 0:
        code = 1
        # A child that hangs is ended by the alarm, and its exit code says so.
        signal.alarm(20)
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  # shown here, since nothing of it reaches the parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
