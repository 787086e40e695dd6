"""Attacks on what is left behind: rows as they lie in the store, files, the audit log, and what a deletion leaves. No
caller takes part, so no barrier between tenants does: what is found is readable by whoever holds the bytes."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from securevec.attack.callers import Caller
from securevec.attack.case import Attack, Barrier, NotThere, Scene
from securevec.attack.rows import Row, Vandal
from securevec.attack.stage import ACME, ACME_MARK, GLOBEX_MARK, UNDECLARED, Ticket, text
from securevec.audit import verify_log
from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_id
from securevec.errors import AuditTampered, KeyDestroyed, SecurevecError

NO_BARRIER: Final[frozenset[Barrier]] = frozenset()
SECRETS: Final = (ACME_MARK, GLOBEX_MARK, UNDECLARED, "person1@example.com", "customer1@example.com")
"""What nobody without a key may read: the tenants' words, their addresses, and a column that nobody declared."""


def rows_as_they_lie(scene: Scene, caller: Caller) -> int:
    found = json.dumps([dict(row.payload) for row in (*scene.mine.rows(), *scene.theirs.rows())])
    return sum(secret in found for secret in SECRETS) + sum(f'"T-{number}"' in found for number in range(1, 9))


def personal_metadata(scene: Scene, caller: Caller) -> int:
    """An address in a field that the store may read: the row is refused, or the value replaced."""
    scene.pair.globex.ingest([text(90, GLOBEX_MARK, status="jane.roe@example.com", notes="call jane.roe@example.com")])
    return sum("jane.roe" in json.dumps(dict(row.payload)) for row in scene.mine.rows())


def engine_files(scene: Scene, caller: Caller) -> int:
    directory = scene.stage.store.home / "engine"
    if not scene.stage.trap.capabilities.embedded:
        raise NotThere("the store's files are not on this machine, or it has none")
    places = [scene.mine.namespace.shard, scene.theirs.namespace.shard]
    contents = [content for place in places for path in directory.rglob(place) for content in _files(path)]
    if not contents:
        raise NotThere("no files were found under the collections' names")
    return sum(secret.encode() in content for content in contents for secret in SECRETS)


def audit_in_clear(scene: Scene, caller: Caller) -> int:
    scene.pair.globex.search(f"where is {GLOBEX_MARK}, ask person1@example.com", k=1)
    told = (*SECRETS, "acme", "globex", '"T-1"')
    return sum(word.encode() in content for content in _files(scene.stage.store.home / "audit") for word in told)


def edited_audit(scene: Scene, caller: Caller) -> int:
    """A record edited, one removed, and the tail cut: in copies of the log."""
    runtime = scene.stage.store.runtime
    scene.pair.globex.count()
    runtime.audit.checkpoint()
    public, unnoticed = runtime.keys.signing_key().public, 0
    with tempfile.TemporaryDirectory(prefix="securevec-attack-") as name:
        for number, edit in enumerate((_edit, _drop, _cut)):
            copy = Path(name) / str(number)
            shutil.copytree(runtime.home / "audit", copy)
            segment = max(copy.rglob("*.jsonl"), key=lambda path: path.stat().st_size)
            segment.write_bytes(edit(segment.read_bytes()))
            try:
                verify_log(copy, log_id=runtime.installation_id, public_key=public, anchor=None)
            except AuditTampered:
                continue
            unnoticed += 1
    return unnoticed


def _edit(log: bytes) -> bytes:
    return log.replace(b'"allowed"', b'"denied!"', 1)


def _drop(log: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :])


def _cut(log: bytes) -> bytes:
    return b"".join(log.splitlines(keepends=True)[:-3])


def delete_a_tenant(scene: Scene) -> None:
    """A tenant is filled, its rows are copied by a thief, and it is deleted."""
    stage, name = scene.stage, f"gone-{scene.pair.name}"
    handle = stage.store.tenant(name, create=True, actor=ACME).collection(Ticket, name=scene.pair.name)
    handle.ingest([text(number, "vanished") for number in range(1, 4)])
    scene.kept["rows"] = Vandal(stage, handle).rows()
    stage.store.delete_tenant(name).raise_if_incomplete()


def still_readable(scene: Scene, caller: Caller) -> int:
    """Sealed rows that open with the keys that are left, and sealed bytes in the files that are."""
    rows: list[Row] = scene.kept["rows"]
    keys, open_still = scene.stage.store.runtime.keys, 0
    for row in rows:
        try:
            keys.key_by_id(read_key_id(from_text(row.payload["b"])))
        except (KeyDestroyed, SecurevecError):
            continue
        open_still += 1
    if scene.stage.trap.capabilities.embedded:
        bodies = [str(row.payload["b"])[:200].encode() for row in rows]
        open_still += sum(body in content for content in _files(scene.stage.store.home / "engine") for body in bodies)
    return open_still


def _files(directory: Path) -> Iterator[bytes]:
    """What each file below a directory holds, without the holes: an engine's files are mostly those."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                yield b"".join(_data(file.fileno()))


def _data(descriptor: int) -> Iterator[bytes]:
    end = os.fstat(descriptor).st_size
    start = 0
    while start < end:
        try:
            start = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        stop = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield os.pread(descriptor, stop - start, start)
        start = stop


ON_TRACES: Final[tuple[Attack, ...]] = (
    Attack("pii-in-text", "read texts, addresses and ids in stored rows", "PII readable in stored text", "text_in_rows",
           rows_as_they_lie, alone=NO_BARRIER, judged=NO_BARRIER),
    Attack("pii-in-metadata", "an address in a field the store may read", "PII readable in metadata", "text_in_rows",
           personal_metadata, alone=NO_BARRIER, judged=NO_BARRIER, changes=True),
    Attack("uuid-access", "rows by the collection's id, in another tenant's name", "22", "uuid_access",
           rows_as_they_lie, alone=NO_BARRIER, judged=NO_BARRIER),
    Attack("files-in-clear", "read texts in the store's files", "28", "files_in_clear", engine_files,
           alone=NO_BARRIER, judged=NO_BARRIER),
    Attack("deleted-on-disk", "open a deleted tenant's rows, copied before", "deleted data still on disk",
           "deleted_on_disk", still_readable, delete_a_tenant, alone=NO_BARRIER, judged=NO_BARRIER),
    Attack("pii-in-audit", "read texts, names and ids in the audit log", "PII in logs or audit", "audit",
           audit_in_clear, alone=NO_BARRIER, judged=NO_BARRIER),
    Attack("edited-audit", "edit, drop and cut records of the audit log", "tampered audit line", "audit", edited_audit,
           alone=NO_BARRIER, judged=NO_BARRIER),
)  # fmt: skip
