"""Step 7: the audit log is tampered with in copies, and the untouched one is verified."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from securevec.cli.demo.scene import Scene
from securevec.cli.demo.stage import Breach, Tried
from securevec.cli.output import table
from securevec.errors import AuditTampered

if TYPE_CHECKING:
    from securevec.audit import AuditReport

_SHOWN: Final = 6


def tamper(scene: Scene) -> None:
    """Each change is made to a fresh copy. Verification takes the public key and the head kept in the control store."""
    from securevec.audit import read_tail, summarize

    stage, runtime = scene.stage, scene.store.runtime
    stage.step(7, "somebody edits the audit log")
    result = scene.larkfield.tickets.search("refund never arrived", k=3)
    records = read_tail(scene.places.home / "audit", log_id=runtime.installation_id, limit=_SHOWN)
    summaries = [summarize(record) for record in records]
    rows = [
        (entry["time"][11:23], entry["action"], entry["phase"], entry["outcome"], entry["actor"][-8:], entry["counts"])
        for entry in summaries
    ]
    stage.show(table(["time", "action", "phase", "outcome", "actor (keyed)", "counts"], rows))
    _sign(scene)
    stage.attempts(
        [
            stage.attempt("P7", "find the record of the search just made", lambda: _recorded(scene, result.request_id)),
            _edit(scene, "flip one bit in the middle of a line", _flip),
            _edit(scene, "remove a line", _drop_line),
            _edit(scene, "exchange two lines", _swap_lines),
            _edit(scene, "cut the last third off", _cut),
            _edit(scene, "remove a whole writer's directory", _drop_writer),
            stage.attempt("P7", "verify the log as it is", lambda: _untouched(scene)),
        ]
    )


def _sign(scene: Scene) -> None:
    """Have what was written so far put under a signed checkpoint, as happens every minute."""
    scene.store.suspend_tenant(scene.larkfield.name)
    scene.store.resume_tenant(scene.larkfield.name)


def _recorded(scene: Scene, request_id: str) -> str:
    from securevec.audit import read_tail, summarize

    records = read_tail(scene.places.home / "audit", log_id=scene.store.runtime.installation_id, limit=50)
    found = [entry for entry in map(summarize, records) if entry["request"] == request_id]
    if len(found) != 1:
        raise Breach(f"{len(found)} records")
    return f"there: {found[0]['counts']}"


def _verify(scene: Scene, directory: Path) -> AuditReport:
    from securevec.audit import Head, verify_log
    from securevec.crypto.sign import load_public_pem

    runtime = scene.store.runtime
    head = runtime.control.audit_head()
    return verify_log(
        directory,
        log_id=runtime.installation_id,
        public_key=load_public_pem(scene.places.public_key.read_bytes()),
        anchor=Head(*head) if head is not None else None,
    )


def _untouched(scene: Scene) -> str:
    report = _verify(scene, scene.places.home / "audit")
    scene.stage.document["audit"] = {"records": report.records, "checkpointed": report.checkpointed}
    return f"holds: {report.records} records, {report.checkpointed} under a signed checkpoint"


def _edit(scene: Scene, what: str, change: Callable[[Path], None]) -> Tried:
    """The result names the place that ``audit verify`` points at."""

    def act() -> str:
        copy = scene.places.scratch / "audit"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(scene.places.home / "audit", copy)
        change(_segment(copy))
        try:
            report = _verify(scene, copy)
        except AuditTampered as error:
            writer, _, index = error.position.rpartition(":")
            return f"noticed at {writer[:12]}... line {index}"
        raise Breach(f"not noticed: {report.records} records hold")

    return scene.stage.attempt("P7", what, act)


def _segment(directory: Path) -> Path:
    """The largest segment of a writer of data events."""
    return max(directory.rglob("w-*/seg-*.jsonl"), key=lambda path: path.stat().st_size)


def _flip(segment: Path) -> None:
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(bytes(data))


def _drop_line(segment: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    del lines[len(lines) // 2]
    segment.write_bytes(b"".join(lines))


def _swap_lines(segment: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    middle = len(lines) // 2
    lines[middle], lines[middle + 1] = lines[middle + 1], lines[middle]
    segment.write_bytes(b"".join(lines))


def _cut(segment: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: len(lines) * 2 // 3]))


def _drop_writer(segment: Path) -> None:
    shutil.rmtree(segment.parent)
