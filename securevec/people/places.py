"""Where people are: the records that carry their tokens, opened one collection at a time for whoever may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from securevec.control.rows import ManifestRow, SubjectRow
from securevec.errors import RecordChanged
from securevec.guard import Admission
from securevec.people.identify import Identifier
from securevec.reopen import name_of, reopen
from securevec.state.runtime import CollectionScope, Runtime
from securevec.types import CollectionId, RecordRef, TenantId, Token

T = TypeVar("T")
_ATTEMPTS: Final = 5
"""How often people are looked for when their records are replaced meanwhile."""


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A live record that carries a token: ``about`` by declaration, ``sure`` when more than a shared name says so."""

    row: SubjectRow
    about: bool
    sure: bool


@dataclass(frozen=True, slots=True, repr=False)
class Room:
    """One collection that holds some of them, opened, with the manifest rows of these records."""

    name: str
    collection: CollectionScope
    places: dict[RecordRef, Place]
    rows: list[ManifestRow]


def places_of(runtime: Runtime, tenant: TenantId, found: Sequence[Identifier]) -> list[Place]:
    """Every record that carries one of the tokens, each once. A declared subject is sure, whatever it is called."""
    sure = [token for each in found for token in each.sure]
    shared = [token for each in found for token in each.shared]
    places: dict[tuple[CollectionId, bytes], Place] = {
        (row.collection, row.ref): Place(row, row.about, row.about)
        for row in runtime.control.subject_records(tenant, list(dict.fromkeys(shared)))
    }
    for row in runtime.control.subject_records(tenant, list(dict.fromkeys(sure))):
        before = places.get((row.collection, row.ref))
        about = row.about or (before is not None and before.about)
        places[row.collection, row.ref] = Place(row, about, True)
    return list(places.values())


def of_one_moment(
    runtime: Runtime, tenant: TenantId, found: Sequence[Identifier], read: Callable[[list[Place]], T]
) -> T:
    """What ``read`` makes of the people's places, which are the same behind it as before. Else it is asked again: a
    record may have come to be about somebody else, or be left out though it was there all the time.

    Raises :class:`RecordChanged` when others replace them each time.
    """
    places = places_of(runtime, tenant, found)
    for _ in range(_ATTEMPTS):
        answer = read(places)
        before, places = places, places_of(runtime, tenant, found)
        if places == before:
            return answer
    raise RecordChanged(
        "Records about or mentioning these people were replaced again and again while they were read.",
        next_step="Try again.",
    )


def rooms_of(runtime: Runtime, admission: Admission, places: Sequence[Place]) -> Iterator[Room]:
    """The places by collection. Between two collections the admission is looked at again."""
    by_collection: dict[CollectionId, dict[RecordRef, Place]] = {}
    for place in places:
        by_collection.setdefault(place.row.collection, {})[RecordRef(place.row.ref)] = place
    for row in runtime.control.collections(admission.scope.tenant):
        held = by_collection.get(row.collection)
        if held is None:
            continue
        admission.recheck()
        collection = reopen(runtime, admission.scope, row)
        live = runtime.control.current(row.collection, list(held))
        yield Room(name_of(runtime, row), collection, held, [live[ref] for ref in held if ref in live])


def tokens_of(found: Sequence[Identifier], *, shared: bool) -> frozenset[Token]:
    return frozenset(token for each in found for token in (each.tokens if shared else each.sure))
