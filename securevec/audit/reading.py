"""Reading without checking: the newest records, intents whose result never came, and the exchanges of signing keys."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from securevec.audit import files
from securevec.audit.abandoned import PHASE, REQUEST
from securevec.audit.checkpoint import SIZE
from securevec.audit.directory import WRITER
from securevec.audit.keeping import Keeper, lags
from securevec.audit.scan import parse_line
from securevec.audit.succession import Keychain, succession_in
from securevec.audit.writers import NAME as LOG_OF_WRITERS
from securevec.errors import AuditTampered, AuditUnavailable

_BLOCK: Final = 256 * 1024


def read_tail(directory: Path, *, log_id: str, limit: int) -> list[dict[str, object]]:
    """The newest ``limit`` records over all writers, oldest first. Torn lines are left out.

    Raises :class:`AuditUnavailable`.
    """
    records: list[tuple[int, int, dict[str, object]]] = []
    try:
        for path in _writers(directory / log_id):
            for place, raw in enumerate(_newest_lines(path, limit)):
                record = parse_line(raw)
                if record is not None:
                    moment = record.get("time")
                    records.append((moment if isinstance(moment, int) else 0, -place, record))
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    records.sort(key=lambda entry: entry[:2])
    return [record for _, _, record in records[-limit:]] if limit > 0 else []


def read_between(directory: Path, *, log_id: str, since_ms: int = 0, until_ms: int | None = None) -> Iterator[bytes]:
    """The lines of ``since_ms`` and later, before ``until_ms``, over all writers by time; each as it stands in the log.

    Without its line end, lazily and in bounded memory. Torn lines are left out. Raises :class:`AuditUnavailable`.
    """

    def lines(path: Path) -> Iterator[tuple[int, bytes]]:
        for number in files.segment_numbers(path):
            if (path / files.segment_name(number)).stat().st_mtime_ns // 1_000_000 < since_ms:
                continue
            for raw in files.read_lines(path, [number]):
                moment = (parse_line(raw) or {}).get("time")
                if isinstance(moment, int) and moment >= since_ms and (until_ms is None or moment < until_ms):
                    yield moment, raw[:-1]

    try:
        for _, raw in heapq.merge(*map(lines, _writers(directory / log_id)), key=lambda entry: entry[0]):
            yield raw
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error


def find_open_intents(directory: Path, *, log_id: str) -> list[str]:
    """Ids of requests with an intent and neither a result nor a recovery, sorted. Raises :class:`AuditUnavailable`."""
    intents: set[bytes] = set()
    settled: set[bytes] = set()
    try:
        for path in _writers(directory / log_id):
            for raw in files.read_lines(path, files.segment_numbers(path)):
                phase, request = PHASE.search(raw), REQUEST.search(raw)
                if phase and request:
                    (intents if phase[1] == b"intent" else settled).add(request[1])
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    return sorted(request.decode() for request in intents - settled)


def read_chain(directory: Path, *, log_id: str, pinned: bytes) -> Keychain:
    """The keys of a log, from its exchanges alone: each is signed by the key before it, so nothing else is checked.

    Raises :class:`AuditTampered` for exchanges that do not follow one another or do not hold the pinned key, and
    :class:`AuditUnavailable`. A log that was never begun has exchanged nothing.
    """
    chain, path = Keychain(log_id, pinned), directory / log_id / LOG_OF_WRITERS
    try:
        if path.is_dir():
            for raw in files.read_lines(path, files.segment_numbers(path)):
                succession = succession_in(raw)
                if succession is not None:
                    chain.extend(succession)
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    chain.require_pinned()
    return chain


def require_followed(directory: Path, *, log_id: str, kept: Keeper) -> None:
    """Raises :class:`HomeRefused` when what keeps the head of a log is older than the newest head there, and
    :class:`AuditTampered` when that cannot be read. A quick look that may be taken beside live writers: no signature is
    checked."""
    size = issued(directory, log_id=log_id)
    if size:
        lags(kept(), size)


def issued(directory: Path, *, log_id: str) -> int:
    """How long the log of writers says that it is, 0 without one. No signature is checked. Raises
    :class:`AuditTampered` for a head that says no size."""
    note = files.newest_issued(directory / log_id / LOG_OF_WRITERS)
    if not note:
        return 0
    said = note.split(b"\n", 2)  # a note ends with its line, so there are two at least
    if SIZE.match(said[1].decode("latin-1")) is None:
        raise AuditTampered(
            "The newest head of the audit log cannot be read.",
            position=LOG_OF_WRITERS,
            next_step="Run: securevec audit verify",
        )
    return int(said[1])


def _writers(root: Path) -> Iterator[Path]:
    """Writer directories; none when there is no log yet."""
    if root.is_dir():
        yield from (root / name for name in sorted(os.listdir(root)) if WRITER.match(name))


def _newest_lines(path: Path, limit: int) -> Iterator[bytes]:
    """Up to ``limit`` raw lines of a writer, newest first, read from the end."""
    left = limit
    for number in reversed(files.segment_numbers(path)):
        if left <= 0:
            return
        for raw in _backwards(path / files.segment_name(number)):
            yield raw
            left -= 1
            if left <= 0:
                return


def _backwards(path: Path) -> Iterator[bytes]:
    with files.open_plain(path) as file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        while position > 0:
            start = max(0, position - _BLOCK)
            file.seek(start)
            rest = file.read(position - start) + rest
            position = start
            lines = rest.splitlines(keepends=True)
            rest = lines[0]
            yield from reversed(lines[1:])
        if rest:
            yield rest
