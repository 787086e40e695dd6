"""What is stored about a person, for that person: records about them in full, and the passages that mention them.

Anonymized as stored. With ``reveal`` their own values are put back from the vault, and nobody else's: whoever asks
for themselves learns nothing about the people beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from securevec.anonymize.stored import originals_in, revealed, stored_field
from securevec.clock import from_ms
from securevec.errors import VaultDisabled
from securevec.filters import matches
from securevec.guard import Admission
from securevec.newfile import PRIVATE, write_file
from securevec.people.find import hidden_in, still_shown
from securevec.people.identify import Identifier, identify, subject_refs
from securevec.people.places import Place, Room, of_one_moment, rooms_of, tokens_of
from securevec.state.runtime import CollectionScope, Runtime
from securevec.text import given_path
from securevec.types import AnonymizedField, RecordRef, Token
from securevec.writing.stored import Stored, fields_of, load

_AROUND: Final = 160
"""Characters of a passage on either side of a mention."""


@dataclass(frozen=True, slots=True, repr=False)
class SubjectExport:
    """Records as JSON values. ``relation`` is ``about`` (with ``fields``) or ``mention`` (with ``passages``).

    ``unreadable`` records carry the person by the manifest and do not open.
    """

    records: tuple[dict[str, Any], ...]
    revealed: bool
    unreadable: int
    request_id: str

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"SubjectExport({len(self.records)} records, revealed={self.revealed})"

    def save(self, path: str | Path) -> Path:
        """Write a new file that only its owner may read: one JSON document, or a line a record for ``.jsonl``.

        It is there whole or not at all. Raises :class:`UsageError` when there is such a file already, or it cannot be
        written.
        """
        target = given_path(path)
        if target.suffix == ".jsonl":
            data = b"".join(orjson.dumps(record) + b"\n" for record in self.records)
        else:
            data = orjson.dumps({"records": list(self.records)}, option=orjson.OPT_INDENT_2) + b"\n"
        write_file(target, data, what="export", mode=PRIVATE)
        return target


def export(
    runtime: Runtime,
    admission: Admission,
    values: Sequence[str],
    *,
    revealing: Admission | None,
    include_name_matches: bool,
) -> SubjectExport:
    """What is stored about whom these values name. See :meth:`Tenant.export_subject`.

    ``revealing`` is the admission to put originals back, which is looked at again with the other, and whose row filter
    narrows as well; ``None`` reveals nothing.
    """
    reveal = revealing is not None
    found = identify(runtime, admission.scope.tenant, values)

    def read(places: Sequence[Place]) -> tuple[list[dict[str, Any]], int]:
        kept = [place for place in places if place.sure or include_name_matches]
        return _read(runtime, admission, found, kept, revealing=revealing, names=include_name_matches)

    listed, unreadable = of_one_moment(runtime, admission.scope.tenant, found, read)
    admission.recheck()
    if revealing is not None:
        revealing.recheck()
    admission.note(
        counts={"identifiers": len(found), "records": len(listed)},
        actors=subject_refs(runtime, admission.scope.tenant, found),
        detail={"vault": reveal},
    )
    return SubjectExport(tuple(listed), reveal, unreadable, admission.request_id)


def _read(
    runtime: Runtime,
    admission: Admission,
    found: Sequence[Identifier],
    places: Sequence[Place],
    *,
    revealing: Admission | None,
    names: bool,
) -> tuple[list[dict[str, Any]], int]:
    """The records at these places as they are handed out, and how many do not open."""
    reveal = revealing is not None
    # A declared name is the record's own subject; a name in a text may be somebody else's.
    declared = tokens_of(found, shared=True)
    mentioned = tokens_of(found, shared=names)
    row_filters = [
        each.decision.row_filter
        for each in (admission, revealing)
        if each is not None and each.decision.row_filter is not None
    ]
    seen: list[tuple[Room, dict[RecordRef, Stored]]] = []
    unreadable = 0
    for room in rooms_of(runtime, admission, places):
        if reveal and not room.collection.vault:
            raise VaultDisabled("A collection that holds this person keeps no originals, so nothing can be revealed.")
        opened = load(runtime, room.collection, room.rows)
        unreadable += len(room.rows) - len(opened) - hidden_in(runtime, room)
        seen.append((room, opened))
    listed: list[dict[str, Any]] = []
    for room, opened in seen:
        # Last, for all that was read: an erasure accepted meanwhile holds it back.
        for stored in still_shown(runtime, room, opened.values()):
            if all(matches(row_filter, stored.body.filters) for row_filter in row_filters):
                about = room.places[stored.ref].about
                listed.append(_record(room, stored, declared if about else mentioned, reveal=reveal, about=about))
    return listed, unreadable


def _record(room: Room, stored: Stored, tokens: frozenset[Token], *, reveal: bool, about: bool) -> dict[str, Any]:
    body = stored.body
    record: dict[str, Any] = {
        "collection": room.name,
        "id": body.record_id if isinstance(body.record_id, int) else str(body.record_id),
        "relation": "about" if about else "mention",
        "ingested": from_ms(body.ingested_ms).isoformat(timespec="milliseconds"),
        "expires": from_ms(body.expires_ms).isoformat(timespec="milliseconds") if body.expires_ms is not None else None,
    }
    if not about:
        return {**record, "passages": _passages(room.collection, stored, tokens, reveal=reveal)}
    texts = {
        name: originals_in(revealed(field, tokens)) if reveal else field.text.text
        for name, field in fields_of(room.collection, stored).items()
    }
    return {**record, "fields": {**(body.fields or {}), **texts, **_filters(room.collection, stored)}}


def _filters(collection: CollectionScope, stored: Stored) -> dict[str, object]:
    """The filter values, times written as times."""
    written: dict[str, object] = {}
    for name, value in stored.body.filters.items():
        kind = collection.schema.field(name).type
        moment = from_ms(value) if kind in ("datetime", "date") and isinstance(value, int) else None
        if moment is None:
            written[name] = value
        else:
            written[name] = (
                moment.isoformat(timespec="milliseconds") if kind == "datetime" else moment.date().isoformat()
            )
    return written


def _passages(collection: CollectionScope, stored: Stored, tokens: frozenset[Token], *, reveal: bool) -> list[str]:
    """The surroundings of each mention, once each, in the order of the record."""
    texts = list(fields_of(collection, stored).values())
    if any(spec.keep == "original" for spec in collection.schema.by_kind("embed")):
        # Of such a field the anonymized text and its spans are in the chunks alone.
        texts += [
            stored_field(
                chunk.body.text,
                chunk.body.spans or (),
                vault.spans if vault is not None and vault.spans is not None else ("",) * len(chunk.body.spans or ()),
            )
            for chunk, vault in zip(stored.chunks, stored.vaults, strict=True)
            if chunk.body.text is not None
        ]
    passages = [passage for text in texts for passage in _around(text, tokens, reveal=reveal)]
    return list(dict.fromkeys(passages))


def _around(field: AnonymizedField, tokens: frozenset[Token], *, reveal: bool) -> Iterator[str]:
    text = field.text.text
    until = -1
    for span in field.spans:
        if span.token not in tokens or span.start < until:
            continue
        start, end = max(0, span.start - _AROUND), min(len(text), span.end + _AROUND)
        inside = [index for index, each in enumerate(field.spans) if start <= each.start and each.end <= end]
        part = stored_field(
            text[start:end],
            [field.spans[index].shifted(-start) for index in inside],
            [field.originals[index] for index in inside],
        )
        yield originals_in(revealed(part, tokens)) if reveal else part.text.text
        until = end
