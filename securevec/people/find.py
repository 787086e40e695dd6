"""Finding people: which records are about them or mention them. Ids and places, no texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from securevec.filters import matches
from securevec.guard import Admission
from securevec.people.identify import identify, subject_refs
from securevec.people.places import Place, Room, of_one_moment, rooms_of
from securevec.points.body import RecordId
from securevec.reading.judge import erased
from securevec.retention.rules import expired
from securevec.state.runtime import Runtime
from securevec.types import RecordRef
from securevec.writing.stored import Stored, load


@dataclass(frozen=True, slots=True, repr=False)
class SubjectMatch:
    """One record. ``about`` by its declared ``Subject``, else it mentions the person. ``by_name_only``: nothing but a
    name says so, which may be somebody else's; an erasure leaves it unless it is told to include name matches."""

    collection: str
    record_id: RecordId
    about: bool
    by_name_only: bool

    def __repr__(self) -> str:
        return f"SubjectMatch(about={self.about}, by_name_only={self.by_name_only})"


@dataclass(frozen=True, slots=True, repr=False)
class SubjectReport:
    """The records found. ``entities`` says what each given value was taken for; ``PERSON`` is a name.

    ``unreadable`` records carry the person by the manifest and do not open: due, altered, or gone in the store.
    """

    matches: tuple[SubjectMatch, ...]
    entities: tuple[str, ...]
    unreadable: int
    request_id: str

    def __len__(self) -> int:
        return len(self.matches)

    def __iter__(self) -> Iterator[SubjectMatch]:
        return iter(self.matches)

    @property
    def about(self) -> int:
        return sum(match.about for match in self.matches)

    @property
    def mentions(self) -> int:
        return sum(not match.about and not match.by_name_only for match in self.matches)

    @property
    def by_name_only(self) -> int:
        return sum(match.by_name_only for match in self.matches)

    def __repr__(self) -> str:
        return f"SubjectReport({self.about} about, {self.mentions} mentions, {self.by_name_only} by name only)"


def find(runtime: Runtime, admission: Admission, values: Sequence[str]) -> SubjectReport:
    """The records that are about, or mention, whom these values name. See :meth:`Tenant.find_subject`."""
    found = identify(runtime, admission.scope.tenant, values)
    read = partial(_matches, runtime, admission)
    listed, unreadable = of_one_moment(runtime, admission.scope.tenant, found, read)
    admission.recheck()
    report = SubjectReport(tuple(listed), tuple(each.entity for each in found), unreadable, admission.request_id)
    admission.note(
        counts={"identifiers": len(found), "records": len(listed), "named": report.by_name_only},
        actors=subject_refs(runtime, admission.scope.tenant, found),
    )
    return report


def _matches(runtime: Runtime, admission: Admission, places: Sequence[Place]) -> tuple[list[SubjectMatch], int]:
    """The records at these places, and how many do not open."""
    row_filter = admission.decision.row_filter
    seen: list[tuple[Room, dict[RecordRef, Stored]]] = []
    unreadable = 0
    for room in rooms_of(runtime, admission, places):
        heads = [replace(row, n_chunks=1) for row in room.rows]
        opened = load(runtime, room.collection, heads)
        unreadable += len(heads) - len(opened) - hidden_in(runtime, room)
        seen.append((room, opened))
    listed = [
        SubjectMatch(room.name, stored.body.record_id, room.places[stored.ref].about, not room.places[stored.ref].sure)
        for room, opened in seen
        for stored in still_shown(runtime, room, opened.values())
        if row_filter is None or matches(row_filter, stored.body.filters)
    ]
    return listed, unreadable


def still_shown(runtime: Runtime, room: Room, opened: Iterable[Stored]) -> list[Stored]:
    """What was read, was neither replaced, deleted nor erased while it was, and is not due by now."""
    held = list(opened)
    collection = room.collection
    live = runtime.control.live(collection.collection, [stored.ref for stored in held]) if held else {}
    hidden = erased(runtime, collection, [(stored.ref, stored.body) for stored in held])
    now_ms = runtime.clock.now_ms()
    return [
        stored
        for stored in held
        if live.get(stored.ref) == stored.body.generation
        and (stored.ref, stored.body.generation) not in hidden
        and not expired(stored.body.expires_ms, now_ms=now_ms)
    ]


def hidden_in(runtime: Runtime, room: Room) -> int:
    """How many of the room's records an erasure hides."""
    tenant, collection = room.collection.tenant, room.collection.collection
    return len(runtime.control.hidden_records(tenant, collection, [row.ref for row in room.rows]))
