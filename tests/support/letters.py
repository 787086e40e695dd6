"""Letters of people who have keys of their own, copies of their stored points, and an erasure taken step by step."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import orjson

import securevec as sv
from securevec.crypto.armour import from_text
from securevec.crypto.envelope import read_key_ids
from securevec.errors import BoundKeyDestroyed
from securevec.guard import admit
from securevec.people import erase as erasing
from securevec.reading.opening import open_body
from securevec.types import StoredPoint
from tests.support.attacks import Stage, memory_of

JANE, PETER = "jane.doe@example.com", "peter.miller@example.org"


class Letter(sv.Record):
    id: sv.Key[str]
    writer: Annotated[str | None, sv.marks.Subject(shred=True)] = None
    clerk: sv.Subject[str | None] = None
    body: sv.Embed[str]
    secret: sv.Seal[str | None] = None


Letters = sv.Collection[Letter]


def letter(number: int, writer: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"L-{number}",
        "writer": writer,
        "body": f"the lantern of case {number}",
        "secret": "a plum",
    } | changes


def four_letters(stage: Stage) -> Letters:
    """Two of one person, one of another that mentions her, one of nobody."""
    made = stage.acme.collection(Letter, retention="180d")
    report = made.ingest(
        [
            letter(1, JANE),
            letter(2, JANE, body="a second lantern " + "with words that fill a page " * 90),
            letter(3, PETER, body=f"a lantern that {JANE} asked about"),
            letter(4, None),
        ]
    )
    assert report.new == 4
    return made


def copies(stage: Stage, letters: Letters) -> list[StoredPoint]:
    """Every stored point, as somebody has them who copied the store's files before the erasure."""
    return [
        StoredPoint(point.id, dict(point.payload), vector=point.vector)
        for point in memory_of(stage)
        .scan(namespace=letters._scope.namespace, where=None, cursor=None, limit=1000)
        .points
    ]


def openable(stage: Stage, letters: Letters, points: list[StoredPoint]) -> set[str]:
    """The ids of the records that these copies still open to, with all the keys of the installation at hand."""
    found: set[str] = set()
    for point in points:
        try:
            found.add(str(open_body(stage.store.runtime.keys, letters._scope, point).record_id))
        except BoundKeyDestroyed:
            continue
    return found


def subject_keys(stage: Stage) -> set[str]:
    return {key.key_id for key in stage.store.runtime.keys.list_keys(tenant=stage.acme.id, kind="subject")}


def bound_to(point: StoredPoint) -> str:
    """The id of the person's key that a stored body names."""
    return read_key_ids(from_text(point.payload["b"]))[1].hex()


def nothing(*_: object, **__: object) -> None:
    """A step that is skipped."""


def none_of(*_: object) -> int:
    """Keys destroyed, where that is skipped."""
    return 0


def name_of(stage: Stage) -> str:
    return stage.acme_name


def accept(stage: Stage, *values: str) -> str:
    """Only the first step, as where another process holds the engine."""
    runtime, scope = stage.store.runtime, stage.acme._scope
    admission = admit(runtime, scope, permission="subject.erase", action="subject.erase")
    until = runtime.clock.now_ms() + 86_400_000
    return erasing.request_erasure(runtime, admission, values, until_ms=until, include_name_matches=False).job_id


def step(stage: Stage, job_id: str) -> str:
    runtime = stage.store.runtime
    now_ms = runtime.clock.now_ms()
    runtime.control.lease_job(job_id, owner=runtime.audit.writer_id, until_ms=now_ms, now_ms=now_ms)
    job = runtime.control.job(job_id)
    assert job is not None
    return erasing.step(runtime, job).state


def payload_of(receipt: bytes) -> bytes:
    return base64.b64decode(orjson.loads(receipt)["payload"])
