"""A framework's documents in a collection: an id, a text and free-form metadata, of which declared fields are kept.

Metadata that the record class does not declare refuses its document (``undeclared="refuse"``): a caller who gets a
document back expects what was put in, and a filter on what was never stored would find nothing and not say why. With
``undeclared="drop"`` it falls away, as an undeclared column of a file does. Neither ever stores it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, Literal, ParamSpec, TypeVar, cast
from uuid import uuid4
from weakref import WeakValueDictionary

from securevec.aio.bridge import THREADS, Bridge
from securevec.errors import ConfigError, RecordError, UsageError
from securevec.filters import Expr
from securevec.integrations.passage import TEXT, Passage, require_passages
from securevec.limits import MAX_PAGE
from securevec.rows.readers import Row
from securevec.schema import Record
from securevec.store import Collection

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Record)

Undeclared = Literal["refuse", "drop"]

_BRIDGES: Final[WeakValueDictionary[int, Bridge]] = WeakValueDictionary()
"""By the runtime of an open store, which whoever holds one of these keeps alive."""
_making: Final = threading.Lock()


class DocumentsRefused(RecordError):
    """Some documents of a framework's call were refused. ``rows`` are their numbers in the call, from 1; ``stored`` are
    the ids of the others, which were stored. ``field`` and ``row`` are those of the first refusal."""

    rows: tuple[int, ...] = ()
    stored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """What every framework's document has. ``own``: declared fields that the framework sets apart from metadata."""

    id: str
    text: str
    metadata: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        return f"Document({len(self.metadata)} metadata)"


class Documents(Generic[R]):
    """One collection, and so one tenant and one actor, as documents."""

    def __init__(
        self, collection: Collection[R], *, undeclared: Undeclared = "refuse", needs: type[Passage] = Passage
    ) -> None:
        if not isinstance(collection, Collection):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise UsageError(
                "A framework's store is made from a collection.",
                next_step="For example store.tenant(...).collection(MyPassage).",
            )
        if undeclared not in ("refuse", "drop"):
            raise ConfigError('undeclared is "refuse" or "drop".')
        require_passages(collection.schema, needs)
        self.collection = collection
        self.record_class: type[Record] = collection.record_class
        self._undeclared = undeclared
        self._key = collection.schema.key.name
        self.kept = tuple(field.name for field in collection.schema.fields if field.name not in (self._key, TEXT))

    @cached_property
    def bridge(self) -> Bridge:
        """Threads for coroutines: those of the open store, however many of its collections frameworks are given. A
        service makes a framework's store for each request, and must not have threads for each."""
        runtime = id(self.collection._runtime)
        with _making:
            bridge = _BRIDGES.get(runtime)
            if bridge is None:
                bridge = _BRIDGES[runtime] = Bridge(THREADS)
            return bridge

    async def off_loop(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """``call`` on a thread; a cancelled one ends between two of its steps."""
        return await self.bridge.run(call, *args, **kwargs)

    def put(self, documents: Sequence[Document]) -> list[str]:
        """Store documents, each in place of the one of its id, and answer with their ids.

        Raises :class:`DocumentsRefused` when some cannot be stored; the others are. What an ingest raises speaks for
        the batch in hand.
        """
        if not documents:
            return []
        report = self.collection.ingest(cast("Iterable[Mapping[str, object]]", self._rows(documents)))
        if report.refused:
            refused = {row.row for row in report.refused}
            first = report.refused[0]
            refusal = DocumentsRefused(
                f"{len(refused)} of {len(documents)} documents were refused, and the others stored. "
                f"Document {first.row}: {first.reason}",
                field=first.field,
                row=first.row,
                next_step=self._declared() if first.error == _Undeclared.__name__ else "",
            )
            refusal.rows = tuple(sorted(refused))
            refusal.stored = tuple(
                document.id for number, document in enumerate(documents, start=1) if number not in refused
            )
            raise refusal
        return [document.id for document in documents]

    def get(self, ids: Sequence[str]) -> list[Document]:
        """The documents of these ids that there are."""
        many = id_list(ids)
        return [
            self.document(record)
            for start in range(0, len(many), MAX_PAGE)
            for record in self.collection.get_many(many[start : start + MAX_PAGE])
        ]

    def every(self, where: Expr | None = None) -> Iterator[Document]:
        """All documents, or those that match."""
        return map(self.document, self.collection.iter(where))

    def delete(self, ids: Sequence[str]) -> int:
        """Delete by id. Returns how many there were. An empty list deletes nothing."""
        many = id_list(ids)
        return self.collection.delete(many).deleted if many else 0

    def delete_all(self) -> int:
        """Delete every document, those of other writers meanwhile too. Returns how many there were."""
        deleted = 0
        while True:
            before, cursor = deleted, None
            while True:
                # A page without records is no end: an erasure may hide all of its records, or others delete them.
                page = self.collection.page(cursor=cursor, limit=MAX_PAGE)
                deleted += self.delete([self.document(record).id for record in page.records])
                cursor = page.cursor
                if cursor is None:
                    break
            if deleted == before:
                return deleted

    def document(self, record: Record) -> Document:
        """The document a record was, anonymized as stored; what is null is absent from its metadata."""
        values = record.__dict__
        metadata = {name: value for name in self.kept if (value := values.get(name)) is not None}
        return Document(str(values[self._key]), str(values[TEXT]), metadata)

    def fields(self, metadata: Mapping[Any, Any]) -> dict[str, Any]:
        """The declared part of metadata. Raises :class:`RecordError` for the rest, or drops it, as was asked for."""
        kept: dict[str, Any] = {}
        for number, (key, value) in enumerate(metadata.items(), start=1):
            if key in self.kept:
                kept[key] = value
            elif self._undeclared == "refuse":
                # By its number: the name of a key that nobody declared may say anything about anybody.
                raise _Undeclared(
                    f"Key {number} of its metadata is not declared in the record class.", next_step=self._declared()
                )
        return kept

    def _declared(self) -> str:
        return f'Declared: {", ".join(self.kept) or "none"}. Declare it, or pass undeclared="drop".'

    def _rows(self, documents: Sequence[Document]) -> Iterator[Row]:
        for number, document in enumerate(documents, start=1):
            try:
                fields = self.fields(document.metadata)
            except RecordError as error:
                yield Row(number, error=error)
            else:
                yield Row(number, {**fields, **document.own, self._key: document.id, TEXT: document.text})


class _Undeclared(RecordError):
    """Metadata that the record class does not declare."""


def new_id() -> str:
    """For a document that brings none."""
    return str(uuid4())


def id_list(ids: Iterable[T]) -> list[T]:
    """The ids of a call. Raises :class:`UsageError` for a text: its letters would be the ids of others."""
    if isinstance(ids, str | bytes):
        raise UsageError("Ids are given as a list.", next_step='For one: ["the-id"].')
    return list(ids)


def none_left(arguments: Mapping[str, object]) -> None:
    """Refuse keyword arguments that nobody reads: a filter under a wrong name must not become a search without one.

    Raises :class:`UsageError`.
    """
    if arguments:
        names = ", ".join(f"`{name}`" for name in sorted(arguments))
        raise UsageError(f"This call takes no argument {names}.")


def ids_for(given: Sequence[str | None] | None, own: Sequence[str | None]) -> list[str]:
    """One id for each document: the one given with the call, its own, or a new one. Raises :class:`UsageError`."""
    if given is None:
        return [each or new_id() for each in own]
    many = id_list(given)
    if len(many) != len(own):
        raise UsageError("There are as many ids as documents.")
    return [first or second or new_id() for first, second in zip(many, own, strict=True)]
