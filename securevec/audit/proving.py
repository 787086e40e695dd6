"""One record shown to somebody who may not see the others: that it stands in the log, and where.

The log of writers says of each writer, at each of its heads, how many lines it has and their root, and its own newest
head is signed with the key in force. So a proof has two paths (RFC 6962 section 2.1.1): of the record among its
writer's lines, and of the line that speaks of that writer in the log of writers. Whoever has the public key, and
nothing else of the home, can check it. It shows no other record: a path is hashes.

A proof holds under the key that was in force when it was made. With a copy of one that was given up since, a history
could have been written anew, so under the next key the proof is to be made again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import orjson

from securevec.audit import files
from securevec.audit.checkpoint import Checkpoint, decode_root, open_note
from securevec.audit.directory import WRITER
from securevec.audit.scan import links, parse_line
from securevec.audit.tree import leaf_hash, path_of, root_of_path
from securevec.audit.ulid import PATTERN as ULID
from securevec.audit.writers import NAME, origin_of, standing_of
from securevec.errors import AuditTampered, AuditUnavailable, UsageError

KIND: Final = "securevec.audit.proof"
_UID: Final = re.compile(rf"(w-{ULID})/(0|[1-9][0-9]{{0,15}})\Z")
_REQUEST: Final = re.compile(rf"{ULID}\Z")
_ORIGIN: Final = re.compile(rf"securevec/([0-9a-f]{{32}})/{NAME}\Z")
_KEYS: Final = frozenset({"v", "kind", "record", "path", "standing", "place", "standing_path", "head"})
_AGAIN: Final = (
    "If the signing key was exchanged: pin the key in force (securevec keys export-public), and have a proof that is"
    " older made again."
)


@dataclass(frozen=True, slots=True)
class Proven:
    """A record that stands in a log: ``record`` as its line says it, its ``writer`` and ``index`` there, and the signed
    ``head`` of the log of writers that covers it."""

    record: Mapping[str, object]
    log_id: str
    writer: str
    index: int
    head: Checkpoint


def prove(directory: Path, *, log_id: str, public_key: bytes, name: str) -> list[bytes]:
    """Proofs of the records of this name, each a line of JSON without its end, checked before they are handed out.

    ``name`` is a record's ``metadata.uid``, or the id of a request, which has a record for each of its phases.
    ``public_key`` are the 32 bytes of the key in force. Raises :class:`UsageError` when there is no such record,
    :class:`AuditUnavailable` when the log cannot be read or no signed head covers the record yet, and
    :class:`AuditTampered` when it was edited.
    """
    root = directory / log_id
    try:
        head = files.read_checkpoint(root / NAME)
        size = open_note(head, public_key, origin_of(log_id, NAME)).size
        proofs = [_proof(root, writer, index, head, size) for writer, index in _found(root, name)]
    except OSError as error:
        raise AuditUnavailable("The audit log cannot be read.") from error
    for proof in proofs:
        verify_proof(proof, public_key=public_key)
    return proofs


def verify_proof(proof: bytes, *, public_key: bytes) -> Proven:
    """The record that a proof is of. ``public_key`` are the 32 bytes of the log's key in force.

    Raises :class:`AuditTampered` for anything that does not prove its record under that key.
    """
    said = _read(proof)
    origin = _ORIGIN.match(said["head"].partition("\n")[0])
    if origin is None:
        _rejected("has no head of a log of writers")
    try:
        head = open_note(said["head"].encode(), public_key, origin_of(origin[1], NAME))
    except AuditTampered as error:
        raise AuditTampered(error.message, position="proof", next_step=_AGAIN) from error
    _require_under(head.root, head.size, said["place"], said["standing"], said["standing_path"])
    entry = standing_of(f"{said['standing']}\n".encode())
    if entry is None:
        _rejected("says nothing of the record's writer")
    writer, standing = entry
    record = parse_line(f"{said['record']}\n".encode()) or {}
    index, log_name, _ = links(record)
    if log_name != f"audit/{origin[1]}/{writer}":
        _rejected("is not of a record of that writer")
    place = _require_under(decode_root(standing.root), standing.size, index, said["record"], said["path"])
    return Proven(record, origin[1], writer, place, head)


def _read(proof: bytes) -> dict[str, Any]:
    try:
        said = cast("object", orjson.loads(proof))
    except orjson.JSONDecodeError as error:
        raise AuditTampered("A proof of an audit record cannot be read.", position="proof") from error
    if not isinstance(said, dict):
        _rejected("cannot be read")
    fields = cast("dict[str, Any]", said)
    if (fields.get("v"), fields.get("kind")) != (1, KIND):
        _rejected("is of a kind that is not known")
    if fields.keys() != _KEYS or not all(isinstance(fields[key], str) for key in ("record", "standing", "head")):
        _rejected("cannot be read")
    return fields


def _require_under(root: bytes, size: int, place: object, line: str, path: object) -> int:
    """The place of a line that stands there in the tree of this root."""
    if type(place) is not int or not isinstance(path, list):
        _rejected("cannot be read")
    hashes = [
        decode_root(each) if isinstance(each, str) else _rejected("cannot be read")
        for each in cast("list[object]", path)
    ]
    try:
        found = root_of_path(place, size, leaf_hash(line.encode()), hashes)
    except ValueError as error:
        raise AuditTampered("A proof of an audit record has a path of another length.", position="proof") from error
    if found != root:
        _rejected("does not lead to the signed head: the record, or the proof, was edited")
    return place


def _proof(root: Path, writer: str, index: int, head: bytes, size: int) -> bytes:
    place, standing, written = _covering(root, writer, index, size)
    record = next(islice(_lines(root / writer), index, None), b"")
    try:
        path = path_of(index, map(leaf_hash, _lines(root / writer)), written)
        standing_path = path_of(place, map(leaf_hash, _lines(root / NAME)), size)
        document = {
            "v": 1,
            "kind": KIND,
            "record": record.decode(),
            "path": [base64.b64encode(each).decode() for each in path],
            "standing": standing.decode(),
            "place": place,
            "standing_path": [base64.b64encode(each).decode() for each in standing_path],
            "head": head.decode(),
        }
    except ValueError as error:  # fewer lines than a head says, or bytes that are no text
        raise AuditTampered(
            "The audit log is not what its heads say.",
            position=f"{writer}:{index}",
            next_step="Run: securevec audit verify",
        ) from error
    return orjson.dumps(document)


def _covering(root: Path, writer: str, index: int, size: int) -> tuple[int, bytes, int]:
    """The first line of the log of writers by which the writer had written the record: where it is, the line, and how
    many lines it speaks of."""
    for place, line in enumerate(islice(_lines(root / NAME), size)):
        entry = standing_of(line + b"\n")
        if entry is not None and entry[0] == writer and entry[1].size > index:
            return place, line, entry[1].size
    raise AuditUnavailable(
        "No signed head covers this record yet.",
        next_step="Its writer signs one within a minute, and when it ends. Try again.",
    )


def _found(root: Path, name: str) -> list[tuple[str, int]]:
    """Writer and index of the records of this name."""
    uid = _UID.match(name)
    if uid is None and _REQUEST.match(name) is None:
        raise UsageError(
            "That is neither a record's uid nor the id of a request.",
            next_step="See metadata.uid and unmapped.securevec.request_id in: securevec audit tail --json",
        )
    if uid is not None:
        there = (root / uid[1]).is_dir() and next(islice(_lines(root / uid[1]), int(uid[2]), None), None) is not None
        found = [(uid[1], int(uid[2]))] if there else []
    else:
        mark = f'"request_id":"{name}"'.encode()
        writers = sorted(path for path in root.iterdir() if WRITER.match(path.name))
        found = [(path.name, index) for path in writers for index, raw in enumerate(_lines(path)) if mark in raw]
    if not found:
        raise UsageError(
            "The audit log has no record of this name.",
            next_step="Is it of this home? See: securevec audit tail --json",
        )
    return found


def _lines(directory: Path) -> Iterator[bytes]:
    """Lines without their ends; one that has none was not finished."""
    for raw in files.read_lines(directory, files.segment_numbers(directory)):
        if not raw.endswith(b"\n"):
            return
        yield raw[:-1]


def _rejected(what: str) -> NoReturn:
    raise AuditTampered(f"A proof of an audit record {what}.", position="proof")
