"""Intents whose process died before it wrote their result.

A process writes both to its own log, so an intent of a crashed writer is open when that log holds no result of it. The
next process to open the log records the crashed writer as recovered, and answers its intents in its own log before it
writes anything else. When it dies in the middle of that, its own log shows it, and its successor goes on for both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from securevec.audit import files
from securevec.audit.scan import parse_line
from securevec.errors import AuditTampered, AuditUnavailable

# Lines are written with sorted keys and no spaces, so these stand in every record exactly once and unescaped:
# no other field can hold a quotation mark.
PHASE: Final = re.compile(rb'"phase":"([a-z]+)"')
REQUEST: Final = re.compile(rb'"request_id":"([0-9A-Z]{26})"')
_ANSWER: Final = b'"event_code":"recover"'


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An intent nobody answered. ``tenant`` and ``collection`` are ids, empty for what concerns the installation."""

    request_id: str
    action: str
    tenant: str
    collection: str


def abandoned_intents(log_directory: Path, writer: str, recovered_by: Mapping[str, Sequence[str]]) -> list[Abandoned]:
    """Intents that are this writer's to answer, oldest first. ``recovered_by``: writers with those they recovered.

    Raises :class:`AuditUnavailable`, and :class:`AuditTampered` for one that no writer wrote.
    """
    intents: dict[bytes, tuple[str, bytes]] = {}
    answered: set[bytes] = set()
    heirs = [writer]
    try:
        while heirs:
            for name in recovered_by.get(heirs.pop(), ()):
                path = log_directory / name
                settled = False
                for raw in files.read_lines(path, files.segment_numbers(path)):
                    settled = settled or _ANSWER not in raw
                    phase, request = PHASE.search(raw), REQUEST.search(raw)
                    if phase and request and phase[1] == b"intent":
                        intents[request[1]] = name, raw
                    elif request:
                        answered.add(request[1])
                if not settled:
                    # It wrote nothing but answers, so it may have died among them.
                    heirs.append(name)
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    found = (_abandoned(raw, name) for request, (name, raw) in sorted(intents.items()) if request not in answered)
    return [intent for intent in found if intent is not None]


def _abandoned(raw: bytes, writer: str) -> Abandoned | None:
    record = parse_line(raw)
    if record is None:
        return None
    try:
        metadata = cast("Mapping[str, str]", record["metadata"])
        own = cast("Mapping[str, Mapping[str, str]]", record["unmapped"])["securevec"]
        return Abandoned(
            own["request_id"], metadata["event_code"], metadata.get("tenant_uid", ""), own.get("collection", "")
        )
    except (KeyError, TypeError) as error:
        raise AuditTampered(
            "A record of a crashed writer lacks what every record has.",
            position=writer,
            next_step="Run: securevec audit verify",
        ) from error
