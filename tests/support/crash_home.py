"""The parent's side of the crash tests: orders to the nursery, and what must hold of a home after any death."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import securevec as sv
from securevec.audit import find_open_intents, read_tail, verify_log
from securevec.audit.checkpoint import Head
from securevec.points.body import Body
from securevec.points.body_format import decode_body, decode_vault
from securevec.proof import receipt as receipts
from securevec.reading.opening import open_envelope
from tests.support import crash_child, warm
from tests.support.crash_child import BATCH, RECORDS, body_of, open_home
from tests.support.leaks import every_point, original_places

Trap = tuple[str, str, int]
PATIENCE: Final = 120.0
_EDITION: Final = re.compile(r"\be(\d+)\b")


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended, and what it had acknowledged."""

    exit: int
    journal: list[str]

    @property
    def killed(self) -> bool:
        return self.exit == -signal.SIGKILL


@contextmanager
def in_memory() -> Generator[Path]:
    """A directory in memory where there is a file system for it: processes are killed here, no power is cut, so nothing
    is gained by waiting for a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="securevec-", dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


class Nursery:
    """The process of ``crash_child``; one child at a time."""

    def __init__(self, scratch: Path, program: str = crash_child.__file__) -> None:
        self._scratch = scratch
        self._orders = 0
        self._process = warm.start([program])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(60)

    def run(
        self,
        home: Home,
        work: str,
        *,
        tenant: str,
        first: int = 0,
        turns: int = 1,
        trap: Trap | None = None,
        armed: str = "working",
        kill_after: tuple[int, float] | None = None,
        ahead_days: int = 0,
    ) -> Death:
        """Have one piece of work done. ``kill_after`` kills from outside: so many lines into the journal, and so many
        seconds later."""
        order = {
            "work": work,
            "home": str(home.path),
            "key_file": str(home.key_file),
            "tenant": tenant,
            "first": first,
            "turns": turns,
            "trap": trap,
            "armed": armed,
            "ahead_days": ahead_days,
        }
        return self.carry_out(order, kill_after=kill_after)

    def carry_out(self, order: dict[str, Any], *, kill_after: tuple[int, float] | None = None) -> Death:
        """As :meth:`run`, with an order as the program of this nursery takes it."""
        self._orders += 1
        journal = self._scratch / f"journal-{self._orders}"
        order = {**order, "journal": str(journal)}
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None:
            raise AssertionError("the nursery has no pipes")
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        child = int(json.loads(stdout.readline())["pid"])
        if kill_after is not None:
            lines, seconds = kill_after
            deadline = time.monotonic() + PATIENCE
            while not journal.exists() or journal.read_text().count("\n") < lines:
                assert time.monotonic() < deadline, "the child does not get that far"
                time.sleep(0.001)
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        stdin.write("reap\n")
        stdin.flush()
        ended = int(json.loads(stdout.readline())["exit"])
        return Death(ended, journal.read_text().splitlines() if journal.exists() else [])


@dataclass(frozen=True, slots=True)
class Home:
    """A home on disk that nobody has open, with what is needed to judge it."""

    path: Path
    key_file: Path
    log_id: str
    public_key: bytes

    @classmethod
    def create(cls, root: Path) -> Home:
        root.mkdir(exist_ok=True)
        path, key_file = root / "home", root / "keys" / "root.key"
        with open_home(path, key_file) as store:
            return cls(path, key_file, store.runtime.installation_id, store.runtime.keys.signing_key().public)

    def successor(self) -> Home:
        """A new, empty home in the place of this one."""
        root = self.path.parent
        shutil.rmtree(root)
        return Home.create(root)

    def open(self, *, ahead_days: int = 0) -> sv.SecureStore:
        return open_home(self.path, self.key_file, ahead_days=ahead_days)

    def verify_audit(self, store: sv.SecureStore | None = None) -> None:
        """The log must hold. With an open store, also against its anchor, and no intent may be left unanswered."""
        kept = store.runtime.control.audit_head() if store is not None else None
        anchor = Head(*kept) if kept is not None else None
        verify_log(self.path / "audit", log_id=self.log_id, public_key=self.public_key, anchor=anchor)
        if store is not None:
            assert self.open_intents() == []

    def open_intents(self) -> list[str]:
        """Request ids with an intent and no answer."""
        return find_open_intents(self.path / "audit", log_id=self.log_id)

    def recoveries(self, request_id: str) -> list[dict[str, Any]]:
        """What recovery said of a request, each time it did."""
        return [
            record["unmapped"]["securevec"]["detail"]
            for record in self._records()
            if record["metadata"]["event_code"] == "recover"
            and record["unmapped"]["securevec"]["request_id"] == request_id
        ]

    def results_of_last_writer(self, action: str) -> int:
        """How many results of an action the process recorded that wrote the newest record."""
        records = self._records()
        return sum(
            record["metadata"]["event_code"] == action and record["unmapped"]["securevec"]["phase"] == "result"
            for record in records
            if record["metadata"]["log_name"] == records[-1]["metadata"]["log_name"]
        )

    def _records(self) -> list[dict[str, Any]]:
        records: list[Any] = list(read_tail(self.path / "audit", log_id=self.log_id, limit=1_000))
        return records

    def read_receipt(self, data: bytes) -> receipts.Receipt:
        return receipts.read(data, public=self.public_key)


def require_consistent(store: sv.SecureStore, collection: sv.Collection[Any]) -> dict[int, int]:
    """Which edition of each record is stored, after recovery; fails on anything half.

    The engine holds exactly the manifest's chunks; each record is all of one edition, in one generation, with all its
    chunks, no address in clear, and originals in the vault that give the source text back; no write is left open.
    """
    runtime, scope = store.runtime, collection._scope
    assert runtime.control.open_batches(now_ms=runtime.clock.now_ms(), expired_only=False) == []
    points = list(every_point(store, collection))
    records, chunks = runtime.control.count_live(collection.id, now_ms=runtime.clock.now_ms())
    assert runtime.backend().count(namespace=scope.namespace) == len(points) == chunks
    found: dict[str, list[tuple[Body, bytes]]] = defaultdict(list)
    for point in points:
        body = decode_body(open_envelope(runtime.keys, scope, point, payload_key="b", path="body"))
        vault = (
            open_envelope(runtime.keys, scope, point, payload_key="v", path="vault") if "v" in point.payload else b""
        )
        found[str(body.record_id)].append((body, vault))
    assert len(found) == records == collection.count()
    numbers = {int(name.removeprefix("T-")): parts for name, parts in found.items()}
    return {number: _edition_of(number, parts) for number, parts in numbers.items()}


def _edition_of(number: int, parts: Sequence[tuple[Body, bytes]]) -> int:
    bodies = sorted((body for body, _ in parts), key=lambda body: body.chunk)
    assert len({body.generation for body in bodies}) == 1, "generations are mixed"
    assert [body.chunk for body in bodies] == list(range(bodies[0].chunks)), "chunks are missing"
    first = bodies[0]
    fields = {name: str(value) for name, value in (first.fields or {}).items()}
    texts = [*fields.values(), *(body.text for body in bodies if body.text is not None)]
    editions = {int(edition) for text in texts for edition in _EDITION.findall(text)}
    assert len(editions) == 1, "editions are mixed"
    edition = editions.pop()
    assert not any(f"customer{number}@example.com" in text for text in texts), "stored unprotected"
    originals = decode_vault(next(vault for body, vault in parts if body.chunk == 0)).fields["body"]
    spans = (first.field_spans or {})["body"]
    assert len(list(original_places(spans, originals))) == len(originals)
    restored = fields["body"]
    for span, original in reversed(list(zip(spans, originals, strict=True))):
        restored = restored[: span.start] + original + restored[span.end :]
    assert restored == body_of(number, edition)
    return edition


def require_whole_batches(editions: dict[int, int], acknowledged: int, attempted: int) -> None:
    """All records are there; what was acknowledged is not lost; batches are all-or-nothing, and in their order."""
    assert sorted(editions) == list(range(RECORDS))
    assert set(editions.values()) <= {acknowledged, attempted}
    ordered = [editions[number] for number in range(RECORDS)]
    batches = [set(ordered[at : at + BATCH]) for at in range(0, RECORDS, BATCH)]
    assert all(len(batch) == 1 for batch in batches), "a batch is half switched"
    assert ordered == sorted(ordered, reverse=True), "a later batch was switched before an earlier one"
