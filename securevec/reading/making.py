"""Judged points made into hits: before the last look where a record class runs code of its own, else while the audit
record is on its way to the disk. Nothing of them leaves before it is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from securevec.points.body import Body, chunk_view
from securevec.reading.hits import Hit, record_of
from securevec.reading.judge import Judged
from securevec.schema import Record
from securevec.state.runtime import CollectionScope

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Later(Generic[T]):
    """A value that somebody else makes at a moment of theirs, and to whom an error of it means nothing: it is raised
    where the value is taken."""

    __slots__ = ("_error", "_make", "_value")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] | None = make
        self._value: list[T] = []
        self._error: BaseException | None = None

    def make(self) -> None:
        """Make it now, if it is not made yet. Raises nothing."""
        make, self._make = self._make, None
        if make is not None:
            try:
                self._value = [make()]
            except BaseException as error:  # noqa: BLE001  # an interrupt too: it is raised where the value is taken
                self._error = error

    def take(self) -> T:
        """The value, made now if nobody has. Raises what making it raised."""
        self.make()
        if self._error is not None:
            raise self._error
        return self._value[0]


def hits_of(collection: CollectionScope, whole: Sequence[tuple[Judged, Body]], record_class: type[R]) -> list[Hit[R]]:
    """A hit of each point with the first chunk of its record. Raises :class:`SchemaError` for a record that is none of
    its class, :class:`UnknownFormat` for a body without text."""
    return [_hit(collection, judged, first, record_class) for judged, first in whole]


def _hit(collection: CollectionScope, judged: Judged, first: Body, record_class: type[R]) -> Hit[R]:
    text, spans = chunk_view(judged.body, collection.embedded_fields)
    body, point = judged.body, judged.point
    # In the order of the fields: naming them takes as long as all else here.
    return Hit(
        body.record_id,
        point.score,
        record_of(collection, first, record_class),
        text,
        body.chunk,
        body.chunks,
        point.id,
        body.generation,
        spans,
    )
